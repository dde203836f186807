"""Rules about before and after assignment: who is in, and how customers are divided."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.config.shared import condition_fault
from upliftlab.errors import Diagnostic, Place


@rule(
    "UL112",
    "Known only after assignment",
    "Who takes part, and how customers are divided, uses only what is known before assignment.",
    wrong="segments: [spent]",
    right="segments: [region]",
)
def known_before(scope: Scope) -> Iterator[Diagnostic]:
    """UL112: who is in, and how they are divided, must not depend on what happened later."""
    late = _late(scope)
    for column, what, place in divisions(scope):
        if reason := late.get(column.casefold()):
            joined = ", which is" if what.endswith("uses") else " is"
            message = f"{what} '{column}'{joined} {reason}"
            remedy = "use only what is known before assignment"
            yield Diagnostic("UL112", message, remedy, place)


def _late(scope: Scope) -> dict[str, str]:
    """Columns that come to be at or after assignment, and why that is known."""
    plan = scope.plan
    late = {name.casefold(): "known only after assignment" for name in plan.customers.known_after}
    for name, metric in plan.metrics.items():
        for word in (name, metric.column):
            if word is not None:
                late[word.casefold()] = "an outcome of this experiment"
    sums = plan.customers.aggregated
    for way, column in sums.columns() if sums else ():
        if set(way[1:]) & plan.covariates.keys():
            continue
        late[column.casefold()] = "an outcome of this experiment"
    if observed := plan.experiment.assignment.observed:
        late[observed.casefold()] = "the arm itself"
    return late


def divisions(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Every column that decides who takes part or how customers are divided."""
    experiment = scope.plan.experiment
    for at, name in enumerate(experiment.segments):
        for column in scope.plan.segments[name].columns:
            yield column, "the segment", scope.at("segments", at)
    for at, name in enumerate(experiment.analysis.covariates):
        if scope.plan.covariates[name].source is None:
            yield name, "the covariate", scope.at("analysis", "covariates", at)
    for at, name in enumerate(experiment.assignment.strata):
        yield name, "the stratum", scope.at("assignment", "strata", at)
    for at, name in enumerate(experiment.uplift.features if experiment.uplift else ()):
        yield name, "the feature", scope.at("uplift", "features", at)
    for text, what, place in conditions_of(scope):
        if condition_fault(text, place) is None:
            from upliftlab.config.expressions import parse  # noqa: PLC0415 - sqlglot if needed

            for column in sorted(parse(text).columns):
                yield column, f"{what} uses", place


def conditions_of(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Every condition over the customers' table."""
    asked = scope.plan.experiment
    if asked.eligible:
        yield asked.eligible, "'eligible'", scope.at("eligible")
    if asked.uplift and asked.uplift.today:
        yield asked.uplift.today.where, "today's rule", scope.at("uplift", "today", "where")


@rule(
    "UL020",
    "Condition not allowed",
    "A condition holds columns, literals, comparisons, and/or/not, arithmetic, in, "
    "between, like, is null and abs, lower, upper, coalesce, length, round.",
    wrong='eligible: "age > (select 18)"',
    right="eligible: \"age >= 18 and region in ('north', 'south')\"",
)
def conditions(scope: Scope) -> Iterator[Diagnostic]:
    """UL020: a condition holds only what is allowed."""
    for text, _, place in conditions_of(scope):
        if fault := condition_fault(text, place):
            yield fault
