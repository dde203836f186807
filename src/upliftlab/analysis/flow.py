"""The flow: how many customers there were at first, who was left out and why, and who was analysed.

Every step is told by arm. The first less those that follow is the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.analysis.checks.definition import Facts
from upliftlab.analysis.checks.delivery import absent
from upliftlab.analysis.checks.left_out import NO_ARM, left_out
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.record import Record
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import FlowStep
from upliftlab.stats.moments import Moments


def flow(
    plan: Plan, spec: EstimationSpec, facts: Facts, aggregates: Aggregates
) -> tuple[FlowStep, ...]:
    """The steps from all customers to those who are analysed.

    Args:
        plan: The arms, and who is left out.
        spec: Which column counts a unit's customers.
        facts: What was counted for the checks.
        aggregates: Moments by place and arm.
    """
    return tuple(_steps(plan, _analysed(plan, spec, aggregates), facts))


def enrollment(record: Record | None, steps: Sequence[FlowStep]) -> Iterator[FlowStep]:
    """The customers' table and those who take no part; nothing where the record does not add up.

    It does not where customers who hold an arm have left the table since.

    Args:
        record: The assignment.
        steps: The flow, which begins with those assigned.
    """
    if record is None or record.population is None or steps[0].kind != "assigned":
        return
    if record.population - sum(record.excluded.values()) != steps[0].total:
        return
    yield FlowStep(kind="population", arms={}, without_arm=record.population)
    for reason, count in record.excluded.items():
        yield FlowStep(kind="apart", reason=reason, arms={}, without_arm=count)


def delivery(spec: EstimationSpec, groups: Mapping[str, Moments]) -> Iterator[FlowStep]:
    """Contacts and redemptions of those analysed, where they are counted.

    Args:
        spec: Which columns count them.
        groups: The arms' moments as they are, not within strata.
    """
    kinds: tuple[tuple[Literal["contacts", "redemptions"], int | None], ...] = (
        ("contacts", None if spec.roles is None else spec.roles.contacts),
        ("redemptions", None if spec.roles is None else spec.roles.redemptions),
    )
    for kind, column in kinds:
        if column is not None:
            counts = {arm: round(g.n * float(g.mean[column])) for arm, g in groups.items()}
            yield FlowStep(kind=kind, arms=counts)


def _steps(plan: Plan, analysed: Mapping[str, int], facts: Facts) -> Iterator[FlowStep]:
    ignored = plan.experiment.assignment.ignore_arms
    found, ledger = facts.of(left_out), facts.of(absent)
    here = analysed if found is None else {arm: n for arm, (n, _) in found.items()}
    first = here if ledger is None else {arm: ledger.get(arm, (0, 0))[0] for arm in plan.arms}
    arms = (*plan.arms, *ignored)
    yield _step("observed" if ledger is None else "assigned", first, arms)
    if ledger is not None and any(gone for _, gone in ledger.values()):
        yield _step("absent", {arm: gone for arm, (_, gone) in ledger.items()}, arms)
    if found is not None and plan.experiment.exclude is not None:
        excluded = {arm: gone for arm, (_, gone) in found.items()}
        yield _step("excluded", excluded, arms, plan.experiment.exclude)
    if found is not None and ignored:
        yield _step("ignored", {arm: found[arm][0] - found[arm][1] for arm in ignored}, arms)
    yield _step("analysed", analysed, arms)


def _step(
    kind: str, counts: Mapping[str, int], arms: tuple[str, ...], reason: str | None = None
) -> FlowStep:
    return FlowStep.model_validate(
        {
            "kind": kind,
            "reason": reason,
            "arms": {arm: counts.get(arm, 0) for arm in arms},
            "without_arm": counts.get(NO_ARM, 0),
        }
    )


def _analysed(plan: Plan, spec: EstimationSpec, aggregates: Aggregates) -> dict[str, int]:
    """Customers by arm, also where units are households."""
    groups = {arm: aggregates[OVERALL][arm] for arm in plan.arms if arm in aggregates[OVERALL]}
    size = spec.size
    return {
        arm: group.n if size is None else round(group.n * float(group.mean[size]))
        for arm, group in groups.items()
    }
