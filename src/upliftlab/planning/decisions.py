"""Decisions: what each part of a verdict takes, the limits of guardrails among them.

A guardrail holds where the whole interval of the change lies within its limit. If the campaign does
not move the metric, the change has mean 0, and that is shown with the power of a one-sided test of
a difference as large as the limit (non-inferiority; Chow, Shao & Wang 2008, section 4.2). Of a
limit in per cent of the control's mean it is the test of `treated − (1 + limit)·control`, which is
where Fieller's interval ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.config.models.experiment import Guardrail, Plan
from upliftlab.errors import UpliftLabError
from upliftlab.planning.baseline import Baseline, known_covariates, needed_plan
from upliftlab.planning.design_inputs import DesignInputs, looks_inflation, prospect
from upliftlab.planning.expectation import Expectation
from upliftlab.results.analysis import Message, MetricInfo, Scalar
from upliftlab.results.plan import ArmMoney, DecisionOutlook, LimitUnit, PowerReport
from upliftlab.stats.effects import LinearContrast, welch
from upliftlab.stats.power import detectable_effect, power_above, smallest_sample
from upliftlab.text.language import N_

_LARGEST: Final = 1_000.0
"""Limits of more standard deviations, or times the mean, are not looked for."""
_HOLDS: Final[dict[LimitUnit, str]] = {
    "percent": N_(
        "That {metric} stays within {limit:percent} is shown with a chance of {chance:percent} in "
        "{arm}, if the campaign does not change it; from {smallest:percent} on, a limit is shown "
        "with {power:percent}."
    ),
    "points": N_(
        "That {metric} stays within {limit:points} is shown with a chance of {chance:percent} in "
        "{arm}, if the campaign does not change it; from {smallest:points} on, a limit is shown "
        "with {power:percent}."
    ),
    "money": N_(
        "That {metric} stays within {limit:money} is shown with a chance of {chance:percent} in "
        "{arm}, if the campaign does not change it; from {smallest:money} on, a limit is shown "
        "with {power:percent}."
    ),
    "number": N_(
        "That {metric} stays within {limit:number} is shown with a chance of {chance:percent} in "
        "{arm}, if the campaign does not change it; from {smallest:number} on, a limit is shown "
        "with {power:percent}."
    ),
}
_TAKES: Final = N_(
    "That {metric} stays within its limit takes {needed:count} customers, if the campaign does not "
    "change it."
)
_NEVER: Final = N_("That {metric} stays within its limit can be shown with no number of customers.")
_UNKNOWN: Final = N_("The limit of {metric} is not planned for: {reason}.")
_EFFECT: Final = N_("The effect on {metric} is looked for in every arm, hardest to see in {arm}.")
_PAYS: Final = N_("That {arm} pays is looked for.")
_BINDS: Final = {
    "effect": N_("Most customers are taken by the effect on {metric}: {needed:count} in all."),
    "pays": N_("Most customers are taken by showing that {arm} pays: {needed:count} in all."),
    "guardrail": N_("Most customers are taken by the limit of {metric}: {needed:count} in all."),
}
_UNITS: Final[dict[str, LimitUnit]] = {"share": "points", "money": "money", "number": "number"}

Measure = Callable[[Plan], Baseline]
"""The baseline of a plan's primary metric; raises where nothing tells it."""


@dataclass(frozen=True, slots=True)
class LimitPower:
    """How likely it is shown that a metric which the campaign does not move keeps its limit.

    Attributes:
        expectation: The experiment without an effect on the metric.
        relative: Whether limits are shares of the control's mean; else differences per customer.
        sign: 1 where rises are limited, −1 where falls are.
        alpha: Level of the interval's two sides together.
        inflation: By how much declared looks add to the customers needed.
    """

    expectation: Expectation
    relative: bool
    sign: float
    alpha: float
    inflation: float

    def chance(self, arm: str, customers: int, size: float) -> float:
        """Of an interval within a limit of that size; 0 where there is none.

        Args:
            arm: A treated arm.
            customers: In all arms together.
            size: The limit without its sign, above 0.
        """
        expected = self.expectation
        pair = expected.pair(arm, customers, 0.0)
        column = expected.spec.place(expected.lead.info.name, pair)
        form = LinearContrast.difference(len(pair.treated.mean), {column: 1.0})
        margin = size
        if self.relative:
            mean = expected.mean
            margin = size * abs(mean)
            toward = self.sign * math.copysign(size, mean)
            form = replace(form, control=form.control * (1 + toward))
        found = welch(pair, form, 1 - self.alpha)
        if not found.se or not found.df:
            return 0.0
        return power_above(margin, found.se * self.inflation**0.5, found.df, self.alpha)

    def needed(self, arm: str, size: float, power: float) -> int | None:
        """Customers in all arms together for a chance of `power`."""
        return smallest_sample(lambda n: self.chance(arm, n, size) >= power) if size else None

    def smallest(self, arm: str, customers: int, power: float) -> float | None:
        """The smallest limit that is shown with a chance of `power`, without its sign."""
        scale = 1.0
        if not self.relative:
            expected = self.expectation
            spread = expected.variance_of(expected.lead.place) ** 0.5
            scale = max(abs(expected.mean), spread)
        return detectable_effect(
            lambda size: self.chance(arm, customers, size) if size else 0.0,
            power,
            scale / 20,
            scale * _LARGEST,
        )


def guardrail_outlooks(known: DesignInputs, measure: Measure) -> Iterator[DecisionOutlook]:
    """What each guardrail takes, in the arm where it takes most; or why that is not known.

    Args:
        known: The campaign as declared.
        measure: What tells a guardrail's baseline.
    """
    for name, rule in known.plan.experiment.metrics.guardrails.items():
        asked = alone(known.plan, name)
        try:
            other = _inputs(known, asked, measure(asked))
        except UpliftLabError as error:
            yield _unknown(known.plan, name, rule, error.faults[0].message)
        else:
            yield _guardrail(known, other, rule)


def alone(plan: Plan, name: str) -> Plan:
    """The plan asked of one metric alone, without money."""
    asked = plan.experiment
    metrics = asked.metrics.model_copy(update={"primary": name})
    return plan.model_copy(
        update={"experiment": asked.model_copy(update={"metrics": metrics, "money": None})}
    )


def _inputs(known: DesignInputs, asked: Plan, baseline: Baseline) -> DesignInputs:
    """A guardrail as what is planned for; what covariates explain was given of the primary only."""
    assumed = replace(known.assumed, explained=None, budget=None)
    return prospect(asked, guarded_spec(known, asked), baseline, assumed)


def guarded_spec(known: DesignInputs, asked: Plan) -> EstimationSpec:
    """What is compared of a guardrail, over the columns that `known` was measured with."""
    kept = {name: each for name, each in asked.covariates.items() if name in known.spec.columns}
    reduced = needed_plan(asked.model_copy(update={"covariates": kept}))
    return known_covariates(estimation_spec(reduced), known.assumed)


def _guardrail(known: DesignInputs, other: DesignInputs, rule: Guardrail) -> DecisionOutlook:
    """A guardrail whose baseline is known."""
    tolerance = rule.max_increase or rule.max_decrease
    assert tolerance is not None  # noqa: S101 - the language asks for one
    sign = 1.0 if rule.max_increase is not None else -1.0
    expected, wanted, alpha = other.expectation, known.assumed.power, 1 - known.spec.confidence
    looks = looks_inflation(known.plan, alpha, wanted)
    reach = LimitPower(expected, tolerance.kind == "relative", sign, alpha, looks)
    arms, size = other.spec.treatments, tolerance.value
    takes = {arm: reach.needed(arm, size, wanted) for arm in arms}
    arm = max(arms, key=lambda each: math.inf if takes[each] is None else takes[each] or 0)
    customers, chance, smallest = known.customers, None, None
    if customers is not None:
        chance = reach.chance(arm, customers, size) if size else 0.0
        smallest = reach.smallest(arm, customers, wanted)
    unit: LimitUnit = "percent" if reach.relative else _UNITS[expected.lead.info.unit]
    smallest = None if smallest is None else sign * smallest
    found = DecisionOutlook(
        name="guardrail",
        metric=expected.lead.info.name,
        title=expected.lead.info.title,
        arm=arm,
        unit=unit,
        limit=sign * size,
        needed=takes[arm],
        chance=chance,
        smallest=smallest,
        planned=True,
        binds=False,
        described=Message(template=_NEVER, values={"metric": expected.lead.info.title}),
    )
    return found.model_copy(update={"described": _described(found, wanted)})


def _described(found: DecisionOutlook, power: float) -> Message:
    """A guardrail's chances in a sentence."""
    values: dict[str, Scalar] = {"metric": found.title}
    if found.needed is None:
        return Message(template=_NEVER, values=values)
    if found.chance is None or found.smallest is None:
        return Message(template=_TAKES, values={**values, "needed": found.needed})
    values |= {
        "arm": found.arm,
        "limit": found.limit,
        "chance": found.chance,
        "smallest": found.smallest,
        "power": power,
    }
    return Message(template=_HOLDS[found.unit], values=values)


def _unknown(plan: Plan, name: str, rule: Guardrail, reason: str) -> DecisionOutlook:
    """A guardrail of which nothing is known, with the reason."""
    tolerance = rule.max_increase or rule.max_decrease
    assert tolerance is not None  # noqa: S101 - the language asks for one
    metric = plan.metrics[name]
    unit: LimitUnit = _UNITS[metric.unit or "number"]
    title = metric.title or name
    return DecisionOutlook(
        name="guardrail",
        metric=name,
        title=title,
        arm=None,
        unit="percent" if tolerance.kind == "relative" else unit,
        limit=tolerance.value * (1 if rule.max_increase is not None else -1),
        needed=None,
        chance=None,
        smallest=None,
        planned=False,
        binds=False,
        described=Message(template=_UNKNOWN, values={"metric": title, "reason": reason}),
    )


def with_decisions(report: PowerReport, guardrails: Sequence[DecisionOutlook]) -> PowerReport:
    """A plan that tells what each part of its verdict takes, and which takes most.

    Args:
        report: The plan without.
        guardrails: What its guardrails take; where there are none the plan stays as it is.
    """
    if not guardrails:
        return report
    parts = [_effect(report), *_pays(report), *guardrails]
    most = max(parts, key=_takes)
    told = tuple(part.model_copy(update={"binds": part is most}) for part in parts)
    return report.model_copy(update={"decisions": told, "binding": _binding(most)})


def _takes(part: DecisionOutlook) -> float:
    """Customers that a part takes, for comparison; nothing of one that is not planned for."""
    if not part.planned:
        return -1.0
    return math.inf if part.needed is None else part.needed


def _binding(most: DecisionOutlook) -> Message:
    if most.needed is None:
        if most.name == "pays":
            return Message(template=_NEVER_PAYS, values={"arm": most.arm})
        return most.described if most.name == "guardrail" else Message(template=_NOTHING)
    values: dict[str, Scalar] = {"metric": most.title, "arm": most.arm, "needed": most.needed}
    kept = ("arm",) if most.name == "pays" else ("metric",)
    said = {name: value for name, value in values.items() if name in (*kept, "needed")}
    return Message(template=_BINDS[most.name], values=said)


_NEVER_PAYS: Final = N_("At the expected effect no number of customers shows that {arm} pays.")
_NOTHING: Final = N_("The expected effect can be seen with no number of customers.")


def _effect(report: PowerReport) -> DecisionOutlook:
    """The effect on the metric that is planned for, in the arm where it takes most."""
    treated = [arm for arm in report.arms if not arm.control]
    arm = max(
        treated,
        key=lambda each: math.inf if each.needed_campaign is None else each.needed_campaign,
    )
    metric: MetricInfo = report.metric
    values: dict[str, Scalar] = {"metric": metric.title, "arm": arm.arm}
    return DecisionOutlook(
        name="effect",
        metric=metric.name,
        title=metric.title,
        arm=arm.arm,
        unit=_UNITS[metric.unit],
        limit=None,
        needed=arm.needed_campaign,
        chance=arm.power,
        smallest=arm.detectable,
        planned=True,
        binds=False,
        described=Message(template=_EFFECT, values=values),
    )


def _pays(report: PowerReport) -> Iterator[DecisionOutlook]:
    """The decision on profit, of the arm that the plan asks it of; not where the answer is no."""
    asked = next((each for each in report.answers if each.name == "pays"), None)
    arm: ArmMoney | None = next(
        (each for each in report.money if asked is not None and each.arm == asked.arm), None
    )
    if arm is None:
        return
    yield DecisionOutlook(
        name="pays",
        metric="profit",
        title="profit",
        arm=arm.arm,
        unit="percent",
        limit=None,
        needed=arm.ships_needed,
        chance=arm.ships,
        smallest=arm.ships_from,
        planned=True,
        binds=False,
        described=Message(template=_PAYS, values={"arm": arm.arm}),
    )
