"""Findings: every number with its interval, and p-values adjusted within their families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from upliftlab.analysis.contrasts import ADJUSTED, CHANNEL, MONEY, PLAIN, Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.heterogeneity import FindingSlice
from upliftlab.config.models.experiment import Plan
from upliftlab.money import ABOVE_HURDLE, PROFIT, REVENUE
from upliftlab.results.analysis import EstimandKind, Finding
from upliftlab.stats.adjust import benjamini_hochberg, holm
from upliftlab.stats.effects import Effect
from upliftlab.stats.sequential import Anytime

CONFIRMATORY = "confirmatory"
SECONDARY = "secondary"
GUARDRAIL = "guardrail"
EXPLORATORY = "exploratory"
CHANNELS = "channels"
_LINEAR = (
    EstimandKind.difference,
    EstimandKind.adjusted_difference,
    EstimandKind.incremental_profit,
)
"""Kinds whose interval is Welch's; the others' is Fieller's."""
_COMPARED = {
    EstimandKind.incremental_profit: PROFIT,
    EstimandKind.roi: ABOVE_HURDLE,
    EstimandKind.iroas: REVENUE,
}
"""What of money has to be divided anew for a kind."""


def find(plan: Plan, study: EstimationSpec, subjects: Iterable[Contrast]) -> tuple[Finding, ...]:
    """All findings of a study.

    Args:
        plan: The roles of metrics.
        study: What is compared.
        subjects: Every treated group in every place.
    """
    found = [
        finding
        for subject in subjects
        for finding in (*_metric_findings(plan, study, subject), *_money_findings(study, subject))
    ]
    return _adjusted(found)


def shrunk(
    findings: Iterable[Finding], values: Mapping[FindingSlice, float]
) -> tuple[Finding, ...]:
    """The findings with what each is best taken for, where that is known."""
    return tuple(
        finding
        if (value := values.get(FindingSlice.of(finding))) is None
        else finding.model_copy(update={"shrunken": value})
        for finding in findings
    )


def _metric_findings(plan: Plan, study: EstimationSpec, subject: Contrast) -> Iterator[Finding]:
    primary = plan.experiment.metrics.primary
    lead = (primary, plan.judged(primary))
    for name in study.metrics:
        family = _family(plan, subject, name)
        effect = subject.difference(name)
        yield _finding(study, subject, (EstimandKind.difference, name, family), effect)
        if study.covariates and (subject.wide or name in lead):
            sharp = subject.adjusted_difference(name)
            yield _finding(study, subject, (EstimandKind.adjusted_difference, name, family), sharp)
        if subject.wide or name in lead:
            lift = subject.relative_lift(name)
            yield _finding(study, subject, (EstimandKind.relative_lift, name, family), lift)
    if subject.contacts is not None and primary in study.metrics:
        reached = subject.cace(primary, subject.contacts)
        yield _finding(study, subject, (EstimandKind.cace, primary, None), reached)


def _money_findings(study: EstimationSpec, subject: Contrast) -> Iterator[Finding]:
    if study.roles is None:
        return
    question = subject.question()
    revenue = study.columns[study.roles.revenue]
    family = _looking(subject) if subject.place.dimension else CONFIRMATORY
    asked: list[tuple[EstimandKind, str, Callable[[], Effect]]] = [
        (EstimandKind.incremental_profit, revenue, question.incremental_profit),
        (EstimandKind.roi, revenue, question.roi),
    ]
    if subject.wide:
        asked.append((EstimandKind.iroas, revenue, question.iroas))
        if study.roles.conversions is not None:
            conversions = study.columns[study.roles.conversions]
            asked.append(
                (EstimandKind.cost_per_conversion, conversions, question.cost_per_conversion)
            )
    for kind, metric, ask in asked:
        yield _finding(study, subject, (kind, metric, family), ask())


def _family(plan: Plan, subject: Contrast, metric: str) -> str:
    asked = plan.experiment.metrics
    if subject.place.dimension:
        return _looking(subject)
    if metric == plan.judged(asked.primary):
        return CONFIRMATORY
    return GUARDRAIL if metric in asked.guardrails else SECONDARY


def _looking(subject: Contrast) -> str:
    """Customers are drawn into contact channels, but segments are looked through for effects."""
    return CHANNELS if subject.place.dimension == CHANNEL else EXPLORATORY


def _finding(
    study: EstimationSpec,
    subject: Contrast,
    named: tuple[EstimandKind, str, str | None],
    effect: Effect,
) -> Finding:
    kind, metric, family = named
    return Finding(
        kind=kind,
        metric=metric,
        arm=subject.arm,
        control=study.control,
        dimension=subject.place.dimension,
        level=subject.place.level,
        n_treated=subject.pair.treated.n,
        n_control=subject.pair.control.n,
        estimate=effect.estimate,
        se=effect.se,
        low=effect.low,
        high=effect.high,
        p=effect.p,
        family=None if effect.p is None else family,
        method=_method(study, subject, kind, metric),
        confidence=study.confidence,
        note=effect.note,
    )


def _method(study: EstimationSpec, subject: Contrast, kind: EstimandKind, metric: str) -> str:
    """Welch's interval where means of units are compared; of quotients, by the delta method.

    Where critical values were drawn instead of Student's, "+permutation" follows; where one may
    look again, "+looks" or "+anytime".
    """
    return "+".join(filter(None, (_interval(study, subject, kind, metric), _looked(subject))))


def _looked(subject: Contrast) -> str | None:
    """Which looks an interval allows for."""
    look = subject.reading.look
    return None if look is None else "anytime" if isinstance(look, Anytime) else "looks"


def _interval(study: EstimationSpec, subject: Contrast, kind: EstimandKind, metric: str) -> str:
    sharp = kind is not EstimandKind.difference and subject.adjusts
    if kind is EstimandKind.difference and subject.few(metric):
        return "newcombe"
    base = "delta" if study.size is not None or metric in study.ratios else "welch"
    base = "fieller" if kind not in _LINEAR else "lin" if sharp else base
    base = "anderson_rubin" if kind is EstimandKind.cace else base
    what = {
        EstimandKind.difference: PLAIN,
        EstimandKind.relative_lift: PLAIN,
        EstimandKind.adjusted_difference: ADJUSTED,
        EstimandKind.cace: ADJUSTED if subject.adjusts else PLAIN,
    }
    key = (what[kind], metric) if kind in what else (MONEY, _COMPARED.get(kind, ""))
    base += "+strata" if subject.stratified else ""
    return f"{base}+permutation" if key in subject.draws else base


def _adjusted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Adjust p-values: Benjamini–Hochberg where one explores, Holm elsewhere.

    A family is one kind of number: of the primary metric (and of money) over the arms, of all
    secondary metrics over the arms, of each guardrail over the arms, of one metric over the
    contact channels; exploring, of one metric over every level of every segment and the arms.
    """
    families: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, finding in enumerate(findings):
        if finding.p is not None and finding.family is not None:
            metric = "" if finding.family == SECONDARY else finding.metric
            families[finding.family, finding.kind, metric].append(index)
    result = list(findings)
    for key, members in families.items():
        values = [p for index in members if (p := findings[index].p) is not None]
        adjust = benjamini_hochberg if key[0] == EXPLORATORY else holm
        for index, value in zip(members, adjust(values), strict=True):
            result[index] = findings[index].model_copy(update={"p_adjusted": value})
    return tuple(result)
