"""Rules about strata within which arms were assigned elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic

_STARTS = "assignment: {observed: arm, start: started, strata: [school]}\n"


@rule(
    "UL648",
    "Strata beside shares by date",
    "Arms are compared within the strata that they were assigned within elsewhere, whatever the "
    "shares: shares by date are not asked about.",
    wrong=_STARTS + "shares: [{from: 2026-03-01, arms: {none: 90%, email: 10%}}]",
    right=_STARTS.rstrip(),
)
def strata_or_dates(scope: Scope) -> Iterator[Diagnostic]:
    """UL648: either strata or shares by date say what arms are compared within."""
    asked = scope.plan.experiment
    if asked.assignment.within_given and asked.shares:
        message = "arms are compared within 'strata', and 'shares' by date would be strata too"
        remedy = "remove 'shares'; where shares changed, name a column of the time under 'strata'"
        yield Diagnostic("UL648", message, remedy, scope.at("shares", key=True))
