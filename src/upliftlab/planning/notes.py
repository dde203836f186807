"""Notes: what planning takes for granted or leaves out, said so that a reader can object."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.measures import SKEWED
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.planning.assumptions import Assumptions
from upliftlab.planning.baseline import Baseline
from upliftlab.planning.expectation import Expectation
from upliftlab.planning.power import Criterion
from upliftlab.planning.primary_metric import PrimaryMetric
from upliftlab.results.analysis import Message
from upliftlab.results.plan import BaselineOrigin
from upliftlab.stats.skewness import skewness
from upliftlab.text.language import N_


def money_absent(spec: EstimationSpec, baseline: Baseline, lead: PrimaryMetric) -> Message | None:
    """Why nothing can be said of money, None where it can."""
    if spec.roles is None:
        return Message(template=N_("The plan declares no money."))
    if not {spec.columns[at] for at in (spec.roles.revenue, spec.roles.earned)} <= baseline.known:
        text = N_("Money is left out: what customers spend without the campaign is not known.")
        return Message(template=text)
    if lead.sign < 0:
        text = N_("Money is left out: how revenue changes as {metric} falls is not known.")
        return Message(template=text, values={"metric": lead.info.title})
    if lead.place.mean(baseline.unit) <= 0 or baseline.unit.mean[spec.roles.revenue] <= 0:
        text = N_("Money is left out: without the campaign there is no revenue to rise.")
        return Message(template=text)
    return None


def redemptions_absent(arm: str) -> Message:
    """Why nothing can be said of money where an arm pays for redemptions."""
    text = N_(
        "Money is left out: {arm} pays for redemptions, and how many customers redeem is not "
        "known; give --redemption-rate."
    )
    return Message(template=text, values={"arm": arm})


def conversions_absent(arm: str) -> Message:
    """Why nothing can be said of money where an arm pays for conversions."""
    text = N_("Money is left out: what {arm} pays for conversions cannot be planned for.")
    return Message(template=text, values={"arm": arm})


def notes(
    plan: Plan, expected: Expectation, baseline: Baseline, standard: Criterion, assumed: Assumptions
) -> Iterator[Message]:
    """Everything to bear in mind, the baseline's own doubts first."""
    yield from baseline.notes
    yield from _direction(plan, expected.lead)
    yield from _tests(plan, expected, standard)
    yield from _covariates(plan, baseline, assumed)
    yield from _money(plan, expected, baseline)
    if plan.raised:
        text = N_(
            "Values of tables are taken as certain: what their standard errors add to intervals is "
            "left out."
        )
        yield Message(template=text)
    if plan.experiment.analysis.winsorize:
        yield Message(
            template=N_("Capping of large values (winsorize) is not allowed for in the baseline.")
        )


def _direction(plan: Plan, lead: PrimaryMetric) -> Iterator[Message]:
    """In which direction an effect is expected, where that is declared nowhere."""
    if not plan.metrics[lead.info.name].has_direction:
        text = N_(
            "The expected effect is a rise of {metric}: nothing says which direction is good, so "
            "higher is taken to be better."
        )
        yield Message(template=text, values={"metric": lead.info.title})


def _tests(plan: Plan, expected: Expectation, standard: Criterion) -> Iterator[Message]:
    arms = len(expected.spec.treatments)
    if arms > 1:
        text = N_(
            "{count:count} arms are tested, each at a level of {alpha:percent}, as their verdicts "
            "will be (Bonferroni)."
        )
        yield Message(template=text, values={"count": arms, "alpha": standard.alpha})
    if standard.inflation > 1:
        text = N_(
            "The declared looks add {share:percent} to the customers needed, with spending after "
            "O'Brien and Fleming."
        )
        yield Message(template=text, values={"share": standard.inflation - 1})
    asked = plan.experiment
    about = plan.decided_by
    if about != PROFIT and (
        about != expected.lead.info.name or asked.decision.ship_if != "lower > 0"
    ):
        text = N_("The decision rule {rule} on {metric} is not planned for.")
        yield Message(template=text, values={"rule": asked.decision.ship_if, "metric": about})


def _covariates(plan: Plan, baseline: Baseline, assumed: Assumptions) -> Iterator[Message]:
    declared = bool(plan.experiment.analysis.covariates)
    if declared and baseline.origin is BaselineOrigin.given and assumed.explained is None:
        yield Message(
            template=N_(
                "What the covariates explain is not known and taken for nothing; the analysis "
                "will be more exact. Give --explained to allow for it."
            )
        )


def _money(plan: Plan, expected: Expectation, baseline: Baseline) -> Iterator[Message]:
    roles, money = expected.spec.roles, plan.experiment.money
    if roles is None or money is None:
        return
    if expected.lead.place.above != roles.revenue:
        text = N_("Revenue is taken to rise by the same percentage as {metric}.")
        yield Message(template=text, values={"metric": expected.lead.info.title})
    if roles.contacts is not None:
        yield Message(template=N_("Every treated customer is taken to be contacted once."))
    if expected.redemptions:
        yield Message(
            template=N_(
                "Redemptions are taken to be independent of revenue. Those who redeem also buy, so "
                "the intervals of profit and ROI will be a little narrower."
            )
        )
    if money.costs and not set(money.costs) <= baseline.known:
        text = N_("What further costs ({names}) vary by is not known and left out.")
        yield Message(template=text, values={"names": ", ".join(money.costs)})


def skewed(expected: Expectation, customers: int, effect: float) -> Message | None:
    """A warning where the difference will be skewed, so that power is only roughly known."""
    for arm in expected.spec.treatments:
        pair = expected.pair(arm, customers, effect)
        skew = skewness(pair)
        column = expected.spec.place(expected.lead.info.name, pair)
        gamma = 0.0 if skew is None else float(skew.own[column])
        if abs(gamma) > SKEWED:
            text = N_(
                "The difference of {arm} will be skewed ({value:number}), because a few customers "
                "spend much and the groups differ in size: power is only roughly right."
            )
            return Message(template=text, values={"arm": arm, "value": gamma})
    return None
