"""Rules about what a report may tell: of customers, never who one is."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.rules_time import divisions
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic


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
        for name in (source.id, source.key)
        if name not in named
    }
    return {name.casefold(): reason for name, reason in named.items() if name is not None}


PRIVACY_RULES = (who_not_what,)
