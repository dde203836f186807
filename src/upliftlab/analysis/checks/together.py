"""Were customers assigned one by one, or whole groups of them that nothing declares?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
)
from upliftlab.config.models.experiment import Plan
from upliftlab.queries.togetherness import FEWER, GroupsOfSize, groups_of, totals_of
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.integrity import kept_together
from upliftlab.text.language import N_
from upliftlab.util.column_names import names_group

_TOGETHER = N_(
    "Of {several:count} values of {column} with several customers, {whole:count} lie in one arm"
    " each; were customers assigned one by one, {expected:number} would. They were assigned by"
    " {column}, and customers of one value are alike, so that intervals are too narrow: {line}"
)


@Fact
def groups_by_column(data: FactInputs) -> Mapping[str, tuple[GroupsOfSize, ...]]:
    """Groups of several customers, by each column that seems to name some.

    Where upliftlab assigned, what was assigned is known; a declared household is refused (UL305).
    """
    own, asked = data.plan.customers, data.plan.experiment.assignment
    if asked.observed is None or data.plan.households is not None or data.grouped:
        return {}
    spared = {own.id, own.household, asked.observed, asked.delivered}
    names = [n for n in data.population.columns if n not in spared and names_group(n)]
    return {name: groups_of(name, data.population, data.engine) for name in names}


def _together(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """The columns whose groups lie in one arm each, as they would not by chance."""
    counts = [group.n for group in inputs.arms.values()]
    shares = [n / sum(counts) for n in counts]
    for column, found in (inputs.facts.of(groups_by_column) or {}).items():
        several, mixed = totals_of(found)
        sizes = [(each.size, each.groups) for each in found]
        expected, p = kept_together(sizes, several - mixed, shares)
        if p < IMPLAUSIBLE and mixed < FEWER * (several - expected):
            values: dict[str, Scalar] = {
                "column": column,
                "several": several,
                "whole": several - mixed,
                "expected": expected,
                "line": _line(inputs.plan, column),
            }
            yield CheckAnswer(passed=False, text=_TOGETHER, values=values, subjects=(column,), p=p)


def _line(plan: Plan, column: str) -> str:
    """How a column is declared as what was assigned."""
    return f"assignment: {{observed: {plan.experiment.assignment.observed}, unit: {column}}}"


TOGETHER = CheckDefinition(
    name="together",
    title=N_("Customers assigned one by one"),
    severity=Severity.warning,
    judge=_together,
    facts=(groups_by_column,),
    tells="counts",
)
