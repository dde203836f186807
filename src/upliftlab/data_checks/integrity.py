"""What an analysis would hold against the tables, said before there is one.

`CODES` is the one place that says which check of an analysis `check --data` tells as which fault.
One that makes an analysis INVALID is an error here, but for what may still come in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from upliftlab.analysis.checks.definition import CheckDefinition
from upliftlab.analysis.checks.registry import offered_checks, own_checks
from upliftlab.config.scope import Scope
from upliftlab.data_checks.fit import source_place
from upliftlab.errors import Diagnostic, Place
from upliftlab.results.analysis import Check, Severity

OTHER: Final = "UL260"
"""The code of a critical check that has none of its own, such as another package's."""
CODES: Final = {
    "presence": "UL222",
    "duplicates": "UL224",
    "unknown_customers": "UL221",
    "currency": "UL223",
    "completeness": "UL222",
    "clock": "UL225",
    "exclusion": "UL281",
    "missing_outcomes": "UL282",
    "on_record": "UL300",
    "known_before": "UL299",
    "together": "UL655",
    "rows_of": "UL656",
    "smallest_cell": OTHER,
    "households": OTHER,
    "waves": OTHER,
    "sample_ratio": OTHER,
    "balance": OTHER,
    "contamination": OTHER,
}
"""The code by which a check that failed is told; of those of `OTHER`, only critical failures."""
STILL_COMING: Final = ("completeness",)
"""Critical ones that are a warning before the analysis: data may still come in."""
TOLD: Final = ("exclusion", "missing_outcomes")
"""Those that tell who is left out, which is said whether or not all is well."""
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "exclusion": ("exclude",),
    "households": ("assignment", "unit"),
    "together": ("assignment", "observed"),
    "waves": ("waves",),
}
"""The keys of the YAML that a check is about."""
_ON_RECORD: Final = (
    "attrition",
    "delivered",
    "same_customers",
    "planned_before",
    "deviations",
    "amended",
)
"""Those that only a ledger can be asked."""
_DRAWN: Final = (
    *("exclusion", "sample_ratio", "balance", "contamination", "missing_outcomes", "on_record"),
)
"""Those that look at who got which arm, which no draft of an assignment tells."""
_ESTIMATED: Final = ("skewness", "few_units", "maturity")
"""Those that are about intervals and the day of the analysis, not about the data."""


def checks_of(*, drafted: bool) -> tuple[CheckDefinition, ...]:
    """The checks that an analysis asks and that can be asked without its numbers.

    Args:
        drafted: Whether arms are only what `assign` would draw.
    """
    spared = (*_ON_RECORD, *_ESTIMATED, *(_DRAWN if drafted else ()))
    return tuple(
        check
        for check in (*own_checks(), *offered_checks())
        if check.tells != "effects" and check.name not in spared
    )


def fault_of(check: Check, scope: Scope) -> Iterator[Diagnostic]:
    """An answered check as a fault at its place in the YAML; none where all is well.

    Customers who are left out are told also where all is well.
    """
    kind = check.name.partition(":")[0]
    code, place = CODES.get(kind, OTHER), _place_of(check, scope)
    critical = check.severity is Severity.critical
    if check.passed is not False:
        if kind in TOLD and check.value:
            yield Diagnostic(code, check.message, "", place, "warning")
    elif critical or code != OTHER:
        error = critical and kind not in STILL_COMING
        yield Diagnostic(code, check.message, "", place, "error" if error else "warning")


def _place_of(check: Check, scope: Scope) -> Place:
    """Where the YAML names what a check looks at."""
    kind, _, subject = check.name.partition(":")
    if kind in _PLACES:
        return scope.at(*_PLACES[kind])
    if kind == "missing_outcomes":
        return scope.metric_at(subject, "missing")
    if kind == "balance" and (place := _named_at(subject.removeprefix("feature:"), scope)):
        return place
    if kind in ("known_before", "rows_of"):
        return source_place(scope, None)
    if subject in scope.plan.sources:
        return source_place(scope, subject)
    return scope.at("arms", key=True)


def _named_at(column: str, scope: Scope) -> Place | None:
    """Where a feature or a segment is named; None where it is neither."""
    asked = scope.plan.experiment
    features = asked.uplift.features if asked.uplift else ()
    if column in features:
        return scope.at("uplift", "features", features.index(column))
    if column in asked.segments:
        return scope.at("segments", asked.segments.index(column))
    return None
