"""Is every customer in one row of totals only?"""
# ruff: noqa: S608 - conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.checks.definition import (
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.queries.grouped import WEIGHT
from upliftlab.results.analysis import Severity
from upliftlab.text.language import N_


@Fact
def rows_added(data: FactInputs) -> int | None:
    """How many rows of totals were added up."""
    if data.plan.customers.aggregated is None:
        return None
    frame = data.population
    own = f"SELECT {frame.own[WEIGHT]} AS size FROM {frame.relation}"
    return data.number(f"SELECT COUNT(*) AS n FROM ({own}) AS sizes WHERE size > 0")


def _apart(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """What totals cannot tell: whether rows of one arm are of different customers."""
    rows = inputs.facts.of(rows_added)
    if rows is not None and rows > len(inputs.arms):
        text = N_(
            "Not asked: {count:count} rows of totals were added up, which is right where no "
            "customer is in two of them; of figures up to each day, one day is analysed."
        )
        yield unasked(text, {"count": rows})


ROWS_APART = CheckDefinition(
    name="rows_apart",
    title=N_("Rows of different customers"),
    severity=Severity.info,
    judge=_apart,
    facts=(rows_added,),
    tells="counts",
)
