"""Was the control left alone, or at least more than those it is compared with?"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.checks.definition import (
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.config.models.experiment import Plan
from upliftlab.queries.grouped import WEIGHT
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.results.costs import CostStep
from upliftlab.stats.shares import newcombe
from upliftlab.text.language import N_

SLIP = 0.01
"""A smaller share of the control contacted is a slip: the control is still one."""
DILUTED = 0.5
"""The control's contacted share over an arm's: here half of an effect is hidden."""


@Fact
def contacted(data: FactInputs) -> Mapping[str, int] | None:
    """Units with a contact by arm, out of the unit table's column of contacts."""
    column = data.spec.roles.contacts if data.spec.roles else None
    if column is None:
        return None
    some = f"SUM(CASE WHEN x{column} > 0 THEN {WEIGHT if data.grouped else 1} ELSE 0 END)"
    if (sums := data.plan.customers.aggregated) is not None:
        if data.plan.metrics[data.spec.columns[column]].column not in sums.units_with:
            return None
        some = f"SUM(x{column} * {WEIGHT})"
    result = data.engine.query(
        f"SELECT CAST(arm AS VARCHAR) AS arm, {some} AS n FROM {data.units} GROUP BY 1"
    )
    return {row["arm"]: round(row["n"]) for row in result.to_pylist() if row["arm"] is not None}


def _contamination(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    plan, found = inputs.plan, inputs.facts.of(contacted)
    if found is None:
        roles = inputs.spec.roles
        if plan.customers.aggregated and roles is not None and roles.contacts is not None:
            yield unasked(N_("Not asked: aggregated data tell contacts, and not whose they are."))
            return
        yield unasked(N_("Not asked: contacts are not measured."))
        return
    if _meant(plan):
        yield unasked(N_("Not asked: the control is contacted by design."))
        return
    count, n = found.get(plan.control, 0), inputs.arms[plan.control].n
    if count == 0:
        text = N_("The control group received no contacts.")
        yield CheckAnswer(passed=True, text=text, value=0.0)
        return
    values: dict[str, Scalar] = {"share": count / n, "count": count}
    least, severity = _least_contacted(inputs, found), Severity.warning
    if least is None:
        text = N_(
            "{share:percent} of the control ({count:count}) were contacted, and nobody else: are "
            "the contacts of every arm on record?"
        )
    else:
        arm, reached, size = least
        values |= {"arm": arm, "reached": reached / size}
        severity, text = _diluted(plan, (reached, count), (size, n))
    yield CheckAnswer(passed=False, text=text, values=values, severity=severity, value=count / n)


def _meant(plan: Plan) -> bool:
    """Whether contacts may be part of what the control gets."""
    control, known = plan.arms[plan.control], plan.experiment.arms[plan.control]
    named = control.channel is not None or control.business_as_usual
    return named or known.rate(CostStep.contact_cost) is not None


def contacts_meant(plan: Plan, arm: str) -> bool:
    """Whether an arm is contacted: it has a channel, or pays for contacts."""
    return plan.arms[arm].channel is not None or plan.pays(CostStep.contact_cost, arm)


def _least_contacted(
    inputs: CheckInputs, contacted: Mapping[str, int]
) -> tuple[str, int, int] | None:
    """The arm with the smallest share of units with a contact, how many these are, and its units.

    Arms without any contact do not count, nor those without a channel where others have one.
    """
    some = [arm for arm in inputs.spec.treatments if contacted.get(arm)]
    meant = [arm for arm in some if inputs.plan.arms[arm].channel] or some
    sizes = {arm: inputs.arms[arm].n for arm in meant}
    least = min(meant, key=lambda arm: contacted[arm] / sizes[arm], default=None)
    return None if least is None else (least, contacted[least], sizes[least])


def _diluted(plan: Plan, counts: tuple[int, int], sizes: tuple[int, int]) -> tuple[Severity, str]:
    """What contacts in the control mean, by units with one and units, treated and control."""
    reached, spared = (count / size for count, size in zip(counts, sizes, strict=True))
    if spared < SLIP or spared < reached * DILUTED:
        text = N_(
            "{share:percent} of the control ({count:count}) were contacted, against "
            "{reached:percent} of {arm}: effects look smaller than they are."
        )
        return Severity.warning, text
    apart = newcombe(counts, sizes, plan.experiment.analysis.confidence)
    if _whoever_sent(plan) and apart.low is not None and apart.low > 0:
        text = N_(
            "{share:percent} of the control ({count:count}) were contacted, against "
            "{reached:percent} of {arm}: if other campaigns' contacts are among them, name the "
            "column that tells whose they are as 'experiment'."
        )
        return Severity.warning, text
    text = N_(
        "{share:percent} of the control ({count:count}) were contacted, against {reached:percent} "
        "of {arm}: the control was not left alone, or the arms on record are not those that were "
        "sent."
    )
    return Severity.critical, text


def _whoever_sent(plan: Plan) -> bool:
    """Whether contacts come from a table in which nothing tells other campaigns' apart."""
    money = plan.experiment.money
    source = plan.metrics[money.contacts].source if money and money.contacts else None
    return source is not None and plan.sources[source].experiment is None


CONTAMINATION = CheckDefinition(
    name="contamination",
    title=N_("Control left uncontacted"),
    severity=Severity.warning,
    judge=_contamination,
    facts=(contacted,),
)
