"""Findings: every number with its interval, and p-values adjusted within their families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from upliftlab.analysis.contrasts import CHANNEL, Compared, Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.heterogeneity import FindingSlice
from upliftlab.analysis.measures import ADJUSTED, MONEY, PLAIN
from upliftlab.config.models.experiment import Plan
from upliftlab.money import MoneyContrast
from upliftlab.results.analysis import Finding, headlined
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
COMPARED = "compared"


@dataclass(frozen=True, slots=True)
class _Asked:
    """An estimand of a metric in one place, and what can be asked for it (`Question`)."""

    contrast: Contrast
    money: MoneyContrast
    kind: EstimandKind
    metric: str

    @property
    def estimand(self) -> Estimand:
        """What is asked."""
        return self.kind.estimand

    def difference(self) -> Effect:
        """Treated mean less control mean of the metric."""
        return self.contrast.difference(self.metric)

    def adjusted_difference(self) -> Effect:
        """The same between groups adjusted for covariates."""
        return self.contrast.adjusted_difference(self.metric)

    def relative_change(self) -> Effect:
        """The difference over the size of the control's mean."""
        return self.contrast.relative_lift(self.metric)

    def adjusted_relative_change(self) -> Effect:
        """The same between groups adjusted for covariates."""
        return self.contrast.adjusted_relative_lift(self.metric)

    def effect_on_contacted(self) -> Effect:
        """The difference over that of the share contacted."""
        return self.contrast.cace(self.metric)

    def total(self, step: CostStep) -> Effect:
        """What all treated units have of a column of money beyond the control."""
        return self.money.incremental(step, self.estimand.draws)

    def per_customer(self, step: CostStep) -> Effect:
        """What a treated customer has of a column of money beyond the control."""
        return self.money.per_customer(step, self.estimand.draws)

    def ratio(self, above: CostStep | Per, below: CostStep | Per) -> Effect:
        """The ratio of two differences."""
        null = self.money.hurdle if self.estimand.null == "hurdle" else self.estimand.null
        return self.money.ratio(above, below, null, self.estimand.draws)

    @property
    def compared(self) -> Compared:
        """What of the contrast the interval rests on."""
        if self.estimand.of == "money":
            return MONEY, self.estimand.draws
        best = ADJUSTED if self.contrast.adjusted(self.metric) else PLAIN
        return {"plain": PLAIN, "adjusted": ADJUSTED, "best": best}[self.estimand.pair], self.metric


def find(plan: Plan, spec: EstimationSpec, contrasts: Iterable[Contrast]) -> tuple[Finding, ...]:
    """All findings of an estimation spec.

    Args:
        plan: The roles of metrics.
        spec: What is compared.
        contrasts: Every treated group in every place.
    """
    found = [finding for contrast in contrasts for finding in _found(plan, spec, contrast)]
    return _adjusted(headlined(found))


def effect_of(contrast: Contrast, kind: EstimandKind, metric: str) -> Effect:
    """What a finding was made of.

    Args:
        contrast: The treated group, in a place.
        kind: What is estimated.
        metric: Of which metric.
    """
    effect = kind.estimand.ask(_Asked(contrast, contrast.question(), kind, metric))
    assert isinstance(effect, Effect)  # noqa: S101 - every answer of `_Asked` is one
    return effect


def find_between(plan: Plan, contrasts: Iterable[Contrast]) -> tuple[Finding, ...]:
    """All findings of arms that are compared with each other: a family by themselves.

    Both arms may be contacted, so what contact itself did is not asked.
    """
    found = [
        finding if finding.family is None else finding.model_copy(update={"family": COMPARED})
        for contrast in contrasts
        for finding in _found(plan, contrast.spec, contrast)
        if finding.kind.estimand.needs != "compliance"
    ]
    return _adjusted(headlined(found))


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


def _found(plan: Plan, spec: EstimationSpec, contrast: Contrast) -> Iterator[Finding]:
    """What the table of estimands asks of each metric, of the primary one, and of money."""
    primary, money = plan.experiment.metrics.primary, contrast.question()
    first = (primary,) if primary in spec.metrics else ()
    named = [(kind, metric) for metric in spec.metrics for kind in kinds_of("metric")]
    named += [(kind, metric) for metric in first for kind in kinds_of("primary")]
    for kind in kinds_of("money") if spec.roles is not None else ():
        named.append((kind, contrast.counted(kind.estimand.metric) or ""))
    for kind, metric in named:
        lead = kind.estimand.of != "money" and metric in (primary, plan.judged(primary))
        if _applies(kind.estimand, contrast, lead=lead):
            asked = _Asked(contrast, money, kind, metric)
            found = _finding(asked, _family(plan, contrast, asked))
            yield _untested(found) if _sent(plan, contrast, asked) else found


def _applies(estimand: Estimand, contrast: Contrast, *, lead: bool) -> bool:
    """Whether an estimand is asked in a place, and what it needs is there."""
    if not (estimand.everywhere or contrast.wide or lead):
        return False
    if estimand.needs == "covariates":
        return bool(contrast.spec.covariates)
    if estimand.needs == "compliance":
        return contrast.contacts is not None
    return estimand.needs is None or contrast.counted(estimand.needs) is not None


def _sent(plan: Plan, contrast: Contrast, asked: _Asked) -> bool:
    """Whether a metric counts what the campaign itself sends or hands out, and nothing else.

    That the treated have more contacts and vouchers redeemed is how the campaign was made, and no
    effect to be tested.
    """
    metrics, money = plan.experiment.metrics, asked.estimand.of == "money"
    declared = (metrics.primary, *metrics.secondary, *metrics.guardrails)
    counted = [contrast.counted(per) for per in (Per.contact, Per.redemption)]
    return not money and asked.metric in counted and asked.metric not in declared


def _untested(found: Finding) -> Finding:
    return found.model_copy(update={"p": None, "family": None})


def _family(plan: Plan, contrast: Contrast, asked: _Asked) -> str | None:
    metrics, family = plan.experiment.metrics, asked.estimand.family
    if family is None or contrast.place.dimension:
        return None if family is None else _looking(contrast)
    if family == "confirmatory" or asked.metric == plan.judged(metrics.primary):
        return CONFIRMATORY
    return GUARDRAIL if asked.metric in metrics.guardrails else SECONDARY


def _looking(contrast: Contrast) -> str:
    """Customers are drawn into contact channels, but segments are looked through for effects."""
    return CHANNELS if contrast.place.dimension == CHANNEL else EXPLORATORY


def _finding(asked: _Asked, family: str | None) -> Finding:
    contrast, effect = asked.contrast, asked.estimand.ask(asked)
    treated, control = contrast.units(asked.metric)
    return Finding(
        kind=asked.kind,
        metric=asked.metric,
        arm=contrast.arm,
        control=contrast.spec.control,
        dimension=contrast.place.dimension,
        level=contrast.place.level,
        n_treated=treated,
        n_control=control,
        estimate=effect.estimate,
        se=effect.se,
        low=effect.low,
        high=effect.high,
        p=effect.p,
        family=None if effect.p is None else family,
        method=_method(asked),
        confidence=contrast.spec.confidence,
        note=effect.note,
    )


def _method(asked: _Asked) -> str:
    """Welch's interval where means of units are compared; of quotients, by the delta method.

    Where critical values were drawn instead of Student's, "+permutation" follows, and "+hall" where
    they allow for a slight skewness; where one may look again, "+looks" or "+anytime".
    """
    contrast, name = asked.contrast, _interval(asked)
    if name != "newcombe":
        name += "+strata" if contrast.stratified else ""
        name += "+permutation" if contrast.dealt(asked.compared) else ""
        name += "+hall" if asked.compared in contrast.skewness else ""
    look = contrast.reading.look
    return name if look is None else f"{name}+{'anytime' if isinstance(look, Anytime) else 'looks'}"


def _interval(asked: _Asked) -> str:
    contrast, estimand, spec = asked.contrast, asked.estimand, asked.contrast.spec
    if estimand.method != "linear":
        return estimand.method
    if estimand.pair != "plain":
        if contrast.adjusts:
            return "lin"
    elif contrast.few(asked.metric):
        return "newcombe"
    ratio = asked.metric in spec.ratios and not contrast.among_present(asked.metric)
    return "delta" if spec.size is not None or ratio else "welch"


def _adjusted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Adjust p-values: Benjamini–Hochberg where one explores, Holm elsewhere.

    A family is one kind of number: of the primary metric (and of money) over the arms, of all
    secondary metrics over the arms, of each guardrail over the arms, of one metric over the
    contact channels, or over the arms compared with each other; exploring, of one metric over
    every level of every segment and the arms. It is of the numbers to go by: what stands beside
    them belongs to none.
    """
    families: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, finding in enumerate(findings):
        if finding.headline and finding.p is not None and finding.family is not None:
            metric = "" if finding.family == SECONDARY else finding.metric
            families[finding.family, finding.kind.plain, metric].append(index)
    result = [
        finding if finding.headline else finding.model_copy(update={"family": None})
        for finding in findings
    ]
    for key, members in families.items():
        values = [p for index in members if (p := findings[index].p) is not None]
        adjust = benjamini_hochberg if key[0] == EXPLORATORY else holm
        for index, value in zip(members, adjust(values), strict=True):
            result[index] = findings[index].model_copy(update={"p_adjusted": value})
    return tuple(result)
