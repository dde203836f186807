"""Which checks there are, in which order they are asked, and the asking."""

from __future__ import annotations

import pkgutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Any, Final

from upliftlab.analysis import checks as package
from upliftlab.analysis.checks.definition import (
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    Facts,
)
from upliftlab.errors import DataError, Diagnostic, EngineError
from upliftlab.results.analysis import Check
from upliftlab.util.extensions import CHECKS, blaming, installed, misfit, offered

ORDER: Final[tuple[tuple[str, ...], ...]] = (
    ("smallest_cell",),
    ("few_units",),
    ("households",),
    ("together",),
    ("attrition",),
    ("exclusion",),
    ("delivered",),
    ("waves",),
    ("rows_apart",),
    ("rows_of",),
    ("strata",),
    ("sample_ratio",),
    ("balance",),
    ("known_before",),
    ("contamination",),
    ("on_record",),
    ("missing_outcomes",),
    ("maturity",),
    (
        "presence",
        "duplicates",
        "unknown_customers",
        "late",
        "currency",
        "completeness",
        "clock",
    ),
    ("skewness",),
    ("deviations",),
    ("amended",),
    ("planned_before",),
    ("same_customers",),
    ("guardrail",),
)
"""How checks follow one another: the first critical one that failed is why an analysis is invalid.

Checks that stand together are told subject by subject. One that is not named comes after all that
are; those of other packages come last.
"""
_LAST: Final = (len(ORDER), 0)
_PLACES: Final[Mapping[str, tuple[int, int]]] = {
    name: (place, within)
    for place, together in enumerate(ORDER)
    for within, name in enumerate(together)
}


@cache
def own_checks() -> tuple[CheckDefinition, ...]:
    """The checks of this package, in their order.

    Raises:
        ValueError: two have one name.
    """
    found: dict[str, CheckDefinition] = {}
    for file in pkgutil.iter_modules(package.__path__):
        values = vars(import_module(f"{package.__name__}.{file.name}")).values()
        for check in (value for value in values if isinstance(value, CheckDefinition)):
            if found.setdefault(check.name, check) is not check:
                raise ValueError(f"two checks are called {check.name}")
    return tuple(sorted(found.values(), key=lambda check: _PLACES.get(check.name, _LAST)))


@cache
def offered_checks() -> tuple[CheckDefinition, ...]:
    """The checks of other installed packages; looked for once in a process.

    Raises:
        ConfigError: UL028, two checks have one name; UL029 and UL474, a package cannot be loaded;
            UL473, what it offers is no check, or one of another name.
    """
    own = {check.name for check in own_checks()}
    found: list[CheckDefinition] = []
    for name, point in installed(CHECKS, own).items():
        check, distribution = offered(CHECKS, name, CheckDefinition, own)
        if check.name != name:
            raise misfit(point, f"is called '{check.name}': name both alike")
        found.append(replace(check, package=distribution))
    return tuple(found)


def counted(checks: Sequence[CheckDefinition], data: FactInputs) -> Facts:
    """The facts of checks, each counted once.

    Where rows are of several customers, other packages' are not known: they count rows.

    Raises:
        DataError: UL205, a column is not there; UL250, another package's check was refused its
            query.
        ConfigError: UL474, a check of another package failed.
    """
    found: dict[Fact[Any], object] = {}
    for check in checks:
        for fact in check.facts:
            if fact not in found:
                with _blamed(check):
                    alien = check.package is not None and data.grouped
                    found[fact] = None if alien else fact.count(data)
    return Facts(found)


def asked(checks: Sequence[CheckDefinition], inputs: CheckInputs) -> tuple[Check, ...]:
    """The answers of checks, in the order in which they can make an analysis invalid.

    Nothing that is made of customers' values is asked where an arm is too small for it.

    Raises:
        DataError: UL250, another package's check was refused something.
        ConfigError: UL474, a check of another package failed.
    """
    few = bool(inputs.small_arms)
    told = [check for check in checks if not few or check.tells == "counts"]
    found: list[Check] = []
    for _, together in groupby(told, key=lambda each: _PLACES.get(each.name, (each.name,))[0]):
        found += _by_subject([answer for each in together for answer in _answers(each, inputs)])
    return tuple(found)


def _answers(check: CheckDefinition, inputs: CheckInputs) -> list[Check]:
    with _blamed(check):
        return check.ask(inputs)


def _by_subject(answers: Sequence[Check]) -> list[Check]:
    """The answers subject by subject, as subjects came."""
    subjects = list(dict.fromkeys(answer.name.partition(":")[2] for answer in answers))
    return sorted(answers, key=lambda answer: subjects.index(answer.name.partition(":")[2]))


@contextmanager
def _blamed(check: CheckDefinition) -> Generator[None]:
    """Tell whose check failed, where it is not ours; a query of its own that is refused as well."""
    if check.package is None:
        yield
        return
    try:
        with blaming(check.package, f"the check '{check.name}'"):
            yield
    except (DataError, EngineError) as error:
        message = f"the check '{check.name}' of {check.package} fails, for the reason below"
        remedy = "tell its authors, or uninstall that package"
        raise DataError([Diagnostic("UL250", message, remedy), *error.faults]) from error
