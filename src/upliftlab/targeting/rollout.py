"""Rolling one arm out, to everybody or by today's rule: what its analysis promises of a customer.

No model is fitted. What today's rule is worth is known of those whom it chooses: arms were drawn
among them too, so they are analysed as an experiment of their own. Everybody who gets the arm is
expected its average as the analysis tells it, so a list is in no order but that of chance, and its
interval is that of the analysis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import DataError, Diagnostic
from upliftlab.results.analysis import Analysis, DataFile, Finding, Message, VerdictCode
from upliftlab.results.costs import COSTS, CostStep
from upliftlab.results.estimands import EstimandKind
from upliftlab.results.uplift import Estimate
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, VALUE, Forecast
from upliftlab.targeting.model import least_of
from upliftlab.text.language import N_

_NOT_SHIPPED = N_("The verdict on {arm} is not SHIP: nothing shows that rolling it out pays.")
_LOW = N_(
    "Nothing shows that rolling out {arm} pays: its incremental profit was {estimate:money}, "
    "between {low:money} and {high:money}."
)
_UNKNOWN = N_("Nothing shows that rolling out {arm} pays: its profit has no interval.")
_RULE_NOT_SHIPPED = N_(
    "Among those whom today's rule chooses, the verdict on {arm} is not SHIP: nothing shows that "
    "the rule pays."
)
_RULE_LOW = N_(
    "Nothing shows that today's rule pays: among those whom it chooses, the incremental profit of "
    "{arm} was {estimate:money}, between {low:money} and {high:money}."
)
_RULE_UNKNOWN = N_(
    "Nothing shows that today's rule pays: among those whom it chooses, the profit of {arm} has no "
    "interval."
)
_EVERYBODY = (_NOT_SHIPPED, _UNKNOWN, _LOW)
_BY_RULE = (_RULE_NOT_SHIPPED, _RULE_UNKNOWN, _RULE_LOW)


@dataclass(frozen=True, slots=True, eq=False)
class RolloutBasis:
    """What a roll-out rests on.

    Attributes:
        data: What was analysed.
        opened: That of no arm customers are told apart, one flag per treatment.
        ready: What everybody is expected, by arm; nothing of those that are not rolled out.
        by_rule: Whether only those get the arm whom today's rule chooses.
        realised: The interval of what is expected, as parts of it; None where it has none.
        why: Why it is not known that the roll-out pays; None where it is.
    """

    data: tuple[DataFile, ...]
    opened: tuple[bool, ...]
    ready: Forecast
    realised: Estimate | None
    why: Message | None
    by_rule: bool = False
    encoding: None = None
    told: None = None
    believed: float = 1.0


def of_rule(plan: Plan) -> Plan:
    """The plan of those alone whom its rule of today chooses; of whom that is not known, are not.

    They are left out by `exclude`, as `eligible` asks of nobody whose arm is on record.
    """
    asked = plan.experiment.uplift
    assert asked is not None and asked.today is not None  # noqa: PT018, S101 - `arm_of` refuses
    outside = f"NOT (({asked.today.where}) IS TRUE)"
    if given := plan.experiment.exclude:
        outside = f"({given}) OR {outside}"
    experiment = plan.experiment.model_copy(update={"exclude": outside})
    return plan.model_copy(update={"experiment": experiment})


def rollout_basis(
    plan: Plan, arm: str, analysis: Analysis, *, by_rule: bool = False
) -> RolloutBasis:
    """What the analysis promises of each customer who gets an arm.

    With profit P of n treated customers, fixed cost F and added cost C in all, a customer brings
    (P + F) / n after a cost of (C − F) / n; F is taken off once, whatever the number of customers.
    By today's rule, the analysis is that of the plan `of_rule`.

    Raises:
        DataError: UL644, the analysis says nothing of a customer.
    """
    profit, cost = _profit(arm, analysis), _cost(arm, analysis)
    spec, place = estimation_spec(plan), plan.treatments.index(arm)
    fixed, n = spec.terms[arm].fixed, profit.n_treated
    assert profit.estimate is not None  # noqa: S101 - refused by `_profit`
    gain = profit.estimate + fixed
    average = np.zeros((len(plan.treatments), 2))
    average[place, COST] = max(cost / n, float(least_of(spec)[place]))
    average[place, VALUE] = average[place, COST] + gain / n
    return RolloutBasis(
        data=analysis.data,
        opened=(False,) * len(plan.treatments),
        ready=_everybody(average, spec),
        realised=_spread(profit, gain, fixed),
        why=_doubt(arm, analysis, profit, _BY_RULE if by_rule else _EVERYBODY),
        by_rule=by_rule,
    )


def _everybody(average: Array, spec: EstimationSpec) -> Forecast:
    shut = np.zeros(len(average), dtype=bool)
    return Forecast(value=None, cost=None, open=shut, average=average, least=least_of(spec))


def _spread(profit: Finding, gain: float, fixed: float) -> Estimate | None:
    if gain <= 0 or profit.low is None or profit.high is None:
        return None
    return Estimate(
        estimate=1.0, low=(profit.low + fixed) / gain, high=(profit.high + fixed) / gain
    )


def _profit(arm: str, analysis: Analysis) -> Finding:
    """The arm's incremental profit in all, as the headline tells it."""
    if analysis.verdict.code is VerdictCode.invalid:
        raise _no_promise(arm, analysis.verdict.sentence)
    if analysis.unit != "customer":
        raise _no_promise(arm, "households were randomised, and a list names customers")
    kind = EstimandKind.incremental_profit
    found = analysis.find(kind=kind, arm=arm, dimension=None, headline=True)
    if len(found) != 1 or found[0].estimate is None:
        raise _no_promise(arm, "its incremental profit has no value")
    return found[0]


def _cost(arm: str, analysis: Analysis) -> float:
    """What all treated customers cost beyond the control, without the fixed cost."""
    lines = [b.lines for b in analysis.bridges if (b.arm, b.dimension) == (arm, None)]
    if len(lines) != 1 or not lines[0]:
        raise _no_promise(arm, "what it costs is not known")
    variable = set(COSTS) - {CostStep.fixed_cost}
    return -sum(line.estimate for line in lines[0] if line.kind in variable)


def _no_promise(arm: str, reason: str) -> DataError:
    message = f"what '{arm}' brings of a customer is not known: {reason}"
    return DataError(Diagnostic("UL644", message, "see the report"))


def _doubt(
    arm: str, analysis: Analysis, profit: Finding, words: tuple[str, str, str]
) -> Message | None:
    """Why nothing shows that rolling it out pays; None where the arm is to SHIP and earns money."""
    not_shipped, unknown, below = words
    verdict = [each.code for each in analysis.verdict.arms if each.arm == arm]
    if analysis.verdict.code is VerdictCode.not_final or verdict != [VerdictCode.ship]:
        return Message(template=not_shipped, values={"arm": arm})
    if profit.low is None or profit.high is None:
        return Message(template=unknown, values={"arm": arm})
    if profit.low <= 0:
        amounts = {"estimate": profit.estimate, "low": profit.low, "high": profit.high}
        return Message(template=below, values={"arm": arm, **amounts})
    return None
