"""The prospect: everything that a plan, a baseline and assumptions say, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

from upliftlab import __version__
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.look import look_times
from upliftlab.analysis.share_regimes import expected_shares
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.config.titles import arm_titles, titles
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.planning.answers import AnswerInputs, effect_answer, pays_answer, roi_answer
from upliftlab.planning.assumptions import Assumptions
from upliftlab.planning.baseline import Baseline
from upliftlab.planning.budget import best_design
from upliftlab.planning.expectation import Expectation
from upliftlab.planning.length import length
from upliftlab.planning.notes import (
    conversions_absent,
    money_absent,
    notes,
    redemptions_absent,
    skewed,
)
from upliftlab.planning.power import Criterion, DetectableEffects, arm_outlook, curve
from upliftlab.planning.primary_metric import effect_of, lead_of
from upliftlab.planning.returns import CampaignTerms, arm_money, usual_precision
from upliftlab.planning.ways import (
    Alternatives,
    Variant,
    VariantKind,
    Variants,
    effect_takes,
    roi_takes,
    ships_takes,
    with_ways,
)
from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.costs import Per
from upliftlab.results.plan import (
    Answer,
    ArmMoney,
    ArmOutlook,
    BaselineInfo,
    BudgetDesign,
    PlanAssumption,
    PowerReport,
)
from upliftlab.results.ship_rule import ShipRule, parse_ship_if
from upliftlab.stats.sequential import inflation
from upliftlab.text.language import N_

_MANY = 10**9
"""Customers of an experiment so large that its size plays no part."""


@dataclass(frozen=True, slots=True, eq=False)
class DesignInputs:
    """A plan with all that is known and assumed.

    Attributes:
        plan: What was asked.
        spec: What is compared; without roles where nothing can be said of money.
        baseline: What untreated units do.
        assumed: What is taken for granted.
        money_absent: Why nothing can be said of money.
        redemptions: Redemptions per treated customer, by arm.
    """

    plan: Plan
    spec: EstimationSpec
    baseline: Baseline
    assumed: Assumptions
    money_absent: Message | None
    redemptions: Mapping[str, float]

    @property
    def customers(self) -> int | None:
        """Customers in all arms together, as given or else as counted."""
        given = self.assumed.customers
        return self.baseline.available if given is None else given

    @property
    def expectation(self) -> Expectation:
        """The experiment as it would come out without chance."""
        baseline = self.baseline.unexplained(self.assumed.explained)
        lead = lead_of(self.plan, self.spec, share=baseline.share)
        shares = expected_shares(self.plan)
        return Expectation(self.spec, baseline.unit, shares, lead, self.redemptions)

    @property
    def judged(self) -> tuple[str, ...]:
        """The arms that the decision rule judges by their profit."""
        if self.money_absent is not None or _rule(self.plan) is None:
            return ()
        arms = self.plan.arms
        new = [name for name in self.spec.treatments if not arms[name].business_as_usual]
        return tuple(new) or self.spec.treatments


def prospect(
    plan: Plan, spec: EstimationSpec, baseline: Baseline, assumed: Assumptions
) -> DesignInputs:
    """What is known and assumed, and whether that is enough for money.

    Args:
        plan: What was asked.
        spec: What is compared.
        baseline: What untreated units do.
        assumed: What is taken for granted.
    """
    shares = expected_shares(plan)
    kept = tuple(arm for arm in spec.treatments if shares[arm] > 0)
    # Table values are taken as certain, which a note says: an effect moves none of them alone.
    spec = replace(spec, treatments=kept, raised=())
    lead = lead_of(plan, spec, share=baseline.share)
    absent = money_absent(spec, baseline, lead)
    rates: dict[str, float] = {}
    for arm in spec.treatments if absent is None else ():
        if spec.terms[arm].paid(Per.conversion):
            absent, rates = conversions_absent(arm), {}
            break
        if spec.terms[arm].paid(Per.redemption) > 0:
            rate = assumed.redemption_rate
            rate = baseline.redemptions.get(arm) if rate is None else rate
            if rate is None:
                absent, rates = redemptions_absent(arm), {}
                break
            rates[arm] = rate
    if absent is not None:
        spec = replace(spec, roles=None, terms={})
    return DesignInputs(plan, spec, baseline, assumed, absent, rates)


def outlook(known: DesignInputs, created: str, variants: Variants = tuple) -> PowerReport:
    """What the experiment can be expected to tell.

    Args:
        known: The plan with all that is known and assumed.
        created: The moment of planning, ISO 8601 in UTC.
        variants: What else it could measure; asked where a question cannot be answered.

    Raises:
        ConfigError: UL320, the expected effect cannot be; UL323, the budget cannot.
    """
    plan, assumed, customers = known.plan, known.assumed, known.customers
    expected = known.expectation
    effect = effect_of(expected.lead, expected.mean, assumed.effect)
    reach = DetectableEffects(expected, _standard(known))
    arms = tuple(arm_outlook(reach, arm, customers, effect) for arm in known.spec.treatments)
    totals = [arm.needed_campaign for arm in arms]
    needed = None if None in totals else max(total for total in totals if total is not None)
    campaign = customers if customers is not None else needed
    within = _roi_within(known, reach, needed, effect)
    money = tuple(_money(known, reach, campaign, (effect, within)))
    sizes = AnswerInputs(
        metric=expected.lead.info,
        effect=effect,
        lift=expected.lift(effect),
        customers=customers,
        power=assumed.power,
        hurdle=known.spec.hurdle,
        roi_within=within,
    )
    asked = plan.experiment
    return PowerReport(
        experiment=asked.experiment,
        title=asked.title or asked.experiment,
        titles=titles(plan),
        arm_titles=arm_titles(plan),
        owner=asked.owner,
        hypothesis=asked.hypothesis,
        plan_sha256=plan.sha256,
        version=__version__,
        created=created,
        currency=plan.currency,
        confidence=known.spec.confidence,
        hurdle=known.spec.hurdle,
        unit="customer" if plan.households is None else "household",
        metric=expected.lead.info,
        customers=customers,
        needed=needed,
        baseline=_baseline(known, expected),
        assumed=_assumed(known, reach, effect, within),
        answers=tuple(_answers(known, sizes, (arms, money), needed, variants)),
        arms=(_control(known, expected), *arms),
        money=money,
        money_absent=known.money_absent,
        length=length(plan, assumed.per_week, customers, needed),
        budget=_budget(known, reach, campaign, effect),
        curves=()
        if campaign is None
        else tuple(curve(reach, arm.arm, campaign, effect) for arm in arms),
        notes=tuple(_notes(known, reach, campaign, effect)),
    )


def _budget(
    known: DesignInputs, reach: DetectableEffects, customers: int | None, effect: float
) -> BudgetDesign | None:
    """The best design under the budget that is named; None where none is."""
    budget = known.assumed.budget
    if budget is None:
        return None
    if known.money_absent is not None or customers is None:
        message = "nothing can be said of money, and so of a budget"
        raise ConfigError(Diagnostic("UL323", message, "the plan without --budget says why"))
    return best_design(reach, customers, effect, budget)


def _rule(plan: Plan) -> ShipRule | None:
    """When a decision on profit is SHIP; None where the decision is about something else."""
    asked = plan.experiment
    return parse_ship_if(asked.decision.ship_if) if plan.decided_by == PROFIT else None


def _standard(known: DesignInputs) -> Criterion:
    alpha = 1 - known.spec.confidence
    each = alpha / len(known.spec.treatments)
    return Criterion(
        alpha=each,
        decision_alpha=alpha / max(len(known.judged), 1),
        inflation=looks_inflation(known.plan, each, known.assumed.power),
        power=known.assumed.power,
        rule=_rule(known.plan) if known.judged else None,
    )


def looks_inflation(plan: Plan, alpha: float, power: float) -> float:
    """By how much declared looks add to the customers needed."""
    times = look_times(plan)
    if len(times) < 2:  # noqa: PLR2004 - one look is none too many
        return 1.0
    fractions = [time / times[-1] for time in times]
    return max(1.0, inflation(fractions, alpha, power, "obrien_fleming"))


def _control(known: DesignInputs, expected: Expectation) -> ArmOutlook:
    arm, customers = known.spec.control, known.customers
    return ArmOutlook(
        arm=arm,
        control=True,
        share=expected.shares[arm],
        customers=None if customers is None else expected.in_arm(arm, customers),
    )


def _money(
    known: DesignInputs,
    reach: DetectableEffects,
    customers: int | None,
    asked: tuple[float, float | None],
) -> Iterator[ArmMoney]:
    """The money of each arm, asked for an effect and for how exactly ROI is to be known."""
    if known.money_absent is not None or customers is None:
        return
    campaign = CampaignTerms(customers, known.customers is not None, *asked)
    for arm in known.spec.treatments:
        yield arm_money(reach, arm, campaign, judged=arm in known.judged)


def _answers(
    known: DesignInputs,
    asked: AnswerInputs,
    found: tuple[tuple[ArmOutlook, ...], tuple[ArmMoney, ...]],
    needed: int | None,
    variants: Variants,
) -> Iterator[Answer]:
    arms, money = found
    other = None
    if asked.customers is not None:
        other = _alternatives(known, asked.customers, asked.effect, cache(variants))
    answer = effect_answer(asked, arms, needed)
    yield with_ways(answer, other, needed, effect_takes)
    judged = [each for each in money if each.arm in known.judged]
    if candidates := judged or list(money):
        best = max(candidates, key=lambda each: each.profit or 0.0)
        if judged:
            answer = pays_answer(asked, best)
            yield with_ways(answer, other, best.ships_needed, partial(ships_takes, best.arm))
        if asked.roi_within is not None:
            answer = roi_answer(asked, best)
            takes = partial(roi_takes, best.arm, asked.roi_within)
            yield with_ways(answer, other, best.roi_needed, takes)


def _alternatives(
    known: DesignInputs, customers: int, effect: float, variants: Variants
) -> Alternatives:
    """What else the campaign could be."""
    compared = (known.spec.control, *known.spec.treatments)
    shares = known.expectation.shares
    return Alternatives(
        customers=customers,
        per_week=known.assumed.per_week,
        shares={name: shares[name] for name in compared},
        control=known.spec.control,
        effect=effect,
        design=lambda shares: _divided(known, shares),
        variants=variants,
    )


def variant(known: DesignInputs, kind: VariantKind, **values: Scalar) -> Variant:
    """What else could be measured, as a way to answer a question; raises as `outlook`."""
    expected = known.expectation
    effect = effect_of(expected.lead, expected.mean, known.assumed.effect)
    return Variant(kind, values, DetectableEffects(expected, _standard(known)), effect)


def _divided(known: DesignInputs, shares: Mapping[str, float]) -> DetectableEffects:
    """The experiment with other shares; arms that are not named are left out."""
    kept = tuple(arm for arm in known.spec.treatments if arm in shares)
    other = replace(known, spec=replace(known.spec, treatments=kept))
    return DetectableEffects(replace(other.expectation, shares=shares), _standard(other))


def _baseline(known: DesignInputs, expected: Expectation) -> BaselineInfo:
    baseline, assumed = known.baseline, known.assumed
    raw = replace(expected, unit=baseline.unit)
    given = assumed.given.household_size if assumed.given else None
    return BaselineInfo(
        origin=baseline.origin,
        described=baseline.described,
        customers=baseline.customers,
        mean=expected.mean,
        sd=raw.variance_of(raw.lead.place) ** 0.5,
        explained=_explained(expected) if assumed.explained is None else assumed.explained,
        unit_size=given or expected.size,
    )


def _explained(expected: Expectation) -> float:
    """The share of the variance that the spec's covariates explain, in many customers."""
    if not expected.spec.covariates:
        return 0.0
    arm = expected.spec.treatments[0]
    plain = replace(expected, spec=replace(expected.spec, covariates=()))
    adjusted, before = (each.difference(arm, _MANY, 0.0).se for each in (expected, plain))
    return 1 - (adjusted / before) ** 2 if adjusted is not None and before else 0.0


def _roi_within(
    known: DesignInputs, reach: DetectableEffects, needed: int | None, effect: float
) -> float | None:
    """How exactly ROI is to be known: as asked, else as it is where the effect can be found."""
    asked = known.assumed.roi_within
    if asked is not None or known.money_absent is not None:
        return asked
    return usual_precision(reach, needed, effect)


def _assumed(
    known: DesignInputs, reach: DetectableEffects, effect: float, within: float | None
) -> PlanAssumption:
    return PlanAssumption(
        effect=effect,
        lift=reach.expectation.lift(effect),
        power=known.assumed.power,
        alpha=reach.standard.alpha,
        inflation=reach.standard.inflation,
        redemptions=dict(known.redemptions),
        roi_within=within,
        per_week=known.assumed.per_week,
    )


def _notes(
    known: DesignInputs, reach: DetectableEffects, customers: int | None, effect: float
) -> Iterator[Message]:
    expected = reach.expectation
    yield from notes(known.plan, expected, known.baseline, reach.standard, known.assumed)
    if customers is None:
        return
    if known.customers is None and known.money_absent is None:
        text = N_("Money is told for {n:count} customers, as many as the wanted power takes.")
        yield Message(template=text, values={"n": customers})
    if warning := skewed(expected, customers, effect):
        yield warning
