"""Rules about what a report may tell: of customers, never who one is."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.models.experiment import FEWEST_SHOWN
from upliftlab.config.rules.before import divisions
from upliftlab.config.rules.registry import rule, shared_rule
from upliftlab.config.scope import Scope
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic


@rule(
    "UL160",
    "Divided by who customers are",
    "Segments and strata say what customers have in common, and name nobody.",
    wrong="segments: [id]",
    right="segments: [region]",
)
def who_not_what(scope: Scope) -> Iterator[Diagnostic]:
    """UL160: customers are not divided by who they are: each would be a level of their own."""
    who = _identities(scope)
    for column, what, place in divisions(scope):
        reason = who.get(column.casefold())
        if reason and what in ("the segment", "the stratum"):
            message = f"{what} '{column}' {reason}"
            remedy = "divide by what customers have in common, such as a region or an age band"
            yield Diagnostic("UL160", message, remedy, place)


def _identities(scope: Scope) -> dict[str, str]:
    """Columns that say who a customer is, and of whom."""
    own, given = scope.plan.customers, scope.plan.experiment.assignment
    named = {
        given.unit: "identifies what is randomised",
        own.household: "identifies a household",
        own.id: "identifies a customer",
    }
    named |= {
        name: "identifies a customer or an event"
        for source in scope.plan.sources.values()
        for name in (source.id, *(source.key or ()))
        if name not in named
    }
    return {name.casefold(): reason for name, reason in named.items() if name is not None}


@shared_rule(
    "UL161",
    "Single customers shown",
    "Nothing is shown of fewer customers of an arm than 'smallest_cell', which is at least 2.",
    wrong="smallest_cell: 1",
    right="smallest_cell: 5",
    file="configs/program.yaml",
)
def smallest_cell(shared: Shared) -> Iterator[Diagnostic]:
    """UL161: nothing that is shown is of one customer."""
    asked = shared.program.smallest_cell
    if asked < FEWEST_SHOWN:
        message = f"'smallest_cell' is {asked}: a report would show what single customers did"
        remedy = f"write {FEWEST_SHOWN} or more; 5 is usual"
        yield Diagnostic("UL161", message, remedy, shared.at("program", "smallest_cell"))
