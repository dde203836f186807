"""Findings: every number with its interval, and p-values adjusted within their families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from upliftlab.analysis.contrasts import ADJUSTED, CHANNEL, MONEY, PLAIN, Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.heterogeneity import FindingSlice
from upliftlab.config.models.experiment import Plan
from upliftlab.money import MoneyContrast
from upliftlab.results.analysis import Finding
from upliftlab.results.costs import CostStep, Per
from upliftlab.results.estimands import Estimand, EstimandKind, kinds_of
from upliftlab.stats.adjust import benjamini_hochberg, holm
from upliftlab.stats.effects import Effect
from upliftlab.stats.sequential import Anytime

CONFIRMATORY = "confirmatory"
SECONDARY = "secondary"
GUARDRAIL = "guardrail"
EXPLORATORY = "exploratory"
CHANNELS = "channels"


@dataclass(frozen=True, slots=True)
class _Asked:
    """An estimand of a metric in one place, and what can be asked for it (`Question`)."""

    subject: Contrast
    money: MoneyContrast
    kind: EstimandKind
    metric: str

    @property
    def estimand(self) -> Estimand:
        """What is asked."""
        return self.kind.estimand

    def difference(self) -> Effect:
        """Treated mean less control mean of the metric."""
        return self.subject.difference(self.metric)

    def adjusted_difference(self) -> Effect:
        """The same between groups adjusted for covariates."""
        return self.subject.adjusted_difference(self.metric)

    def relative_change(self) -> Effect:
        """The difference over the size of the control's mean."""
        return self.subject.relative_lift(self.metric)

    def effect_on_contacted(self) -> Effect:
        """The difference over that of the share contacted."""
        return self.subject.cace(self.metric)

    def total(self, step: CostStep) -> Effect:
        """What all treated units have of a column of money beyond the control."""
        return self.money.incremental(step, self.estimand.draws)

    def ratio(self, above: CostStep | Per, below: CostStep | Per) -> Effect:
        """The ratio of two differences."""
        null = self.money.hurdle if self.estimand.null == "hurdle" else self.estimand.null
        return self.money.ratio(above, below, null, self.estimand.draws)

    @property
    def dealt(self) -> bool:
        """Whether units were divided anew for the interval."""
        if self.estimand.of == "money":
            return (MONEY, self.estimand.draws) in self.subject.draws
        best = ADJUSTED if self.subject.adjusts else PLAIN
        what = {"plain": PLAIN, "adjusted": ADJUSTED, "best": best}[self.estimand.pair]
        return (what, self.metric) in self.subject.draws


def find(plan: Plan, study: EstimationSpec, subjects: Iterable[Contrast]) -> tuple[Finding, ...]:
    """All findings of a study.

    Args:
        plan: The roles of metrics.
        study: What is compared.
        subjects: Every treated group in every place.
    """
    found = [finding for subject in subjects for finding in _found(plan, study, subject)]
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


def _found(plan: Plan, study: EstimationSpec, subject: Contrast) -> Iterator[Finding]:
    """What the table of estimands asks of each metric, of the primary one, and of money."""
    primary, money = plan.experiment.metrics.primary, subject.question()
    first = (primary,) if primary in study.metrics else ()
    named = [(kind, metric) for metric in study.metrics for kind in kinds_of("metric")]
    named += [(kind, metric) for metric in first for kind in kinds_of("primary")]
    for kind in kinds_of("money") if study.roles is not None else ():
        named.append((kind, subject.counted(kind.estimand.metric) or ""))
    for kind, metric in named:
        lead = kind.estimand.of != "money" and metric in (primary, plan.judged(primary))
        if _applies(kind.estimand, subject, lead=lead):
            asked = _Asked(subject, money, kind, metric)
            yield _finding(asked, _family(plan, subject, asked))


def _applies(estimand: Estimand, subject: Contrast, *, lead: bool) -> bool:
    """Whether an estimand is asked in a place, and what it needs is there."""
    if not (estimand.everywhere or subject.wide or lead):
        return False
    if estimand.needs == "covariates":
        return bool(subject.study.covariates)
    if estimand.needs == "compliance":
        return subject.contacts is not None
    return estimand.needs is None or subject.counted(estimand.needs) is not None


def _family(plan: Plan, subject: Contrast, asked: _Asked) -> str | None:
    metrics, family = plan.experiment.metrics, asked.estimand.family
    if family is None or subject.place.dimension:
        return None if family is None else _looking(subject)
    if family == "confirmatory" or asked.metric == plan.judged(metrics.primary):
        return CONFIRMATORY
    return GUARDRAIL if asked.metric in metrics.guardrails else SECONDARY


def _looking(subject: Contrast) -> str:
    """Customers are drawn into contact channels, but segments are looked through for effects."""
    return CHANNELS if subject.place.dimension == CHANNEL else EXPLORATORY


def _finding(asked: _Asked, family: str | None) -> Finding:
    subject, effect = asked.subject, asked.estimand.ask(asked)
    return Finding(
        kind=asked.kind,
        metric=asked.metric,
        arm=subject.arm,
        control=subject.study.control,
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
        method=_method(asked),
        confidence=subject.study.confidence,
        note=effect.note,
    )


def _method(asked: _Asked) -> str:
    """Welch's interval where means of units are compared; of quotients, by the delta method.

    Where critical values were drawn instead of Student's, "+permutation" follows; where one may
    look again, "+looks" or "+anytime".
    """
    subject, name = asked.subject, _interval(asked)
    if name != "newcombe":
        name += "+strata" if subject.stratified else ""
        name += "+permutation" if asked.dealt else ""
    look = subject.reading.look
    return name if look is None else f"{name}+{'anytime' if isinstance(look, Anytime) else 'looks'}"


def _interval(asked: _Asked) -> str:
    subject, estimand, study = asked.subject, asked.estimand, asked.subject.study
    if estimand.method != "linear":
        return estimand.method
    if estimand.pair != "plain":
        if subject.adjusts:
            return "lin"
    elif subject.few(asked.metric):
        return "newcombe"
    return "delta" if study.size is not None or asked.metric in study.ratios else "welch"


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
