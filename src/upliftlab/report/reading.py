"""Reading an analysis back: a file that anybody may have changed since it was written."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar, cast

from pydantic import ValidationError

from upliftlab.errors import DataError, Diagnostic
from upliftlab.report.export import Json
from upliftlab.results.analysis import Analysis, CellMoments, EstimandKind
from upliftlab.results.plan import PowerReport
from upliftlab.results.targets import Targets
from upliftlab.results.what_if import WhatIf
from upliftlab.util.files import read_regular, reason_of

LARGEST: Final = 64 << 20
"""Bytes of an analysis, far beyond any that is made."""
P = TypeVar("P", PowerReport, Targets)
_NAMES: Final = {PowerReport: "plan", Targets: "list"}
_FAR: Final = 1e100
"""Beyond any number that is measured; squares of it can still be computed."""


def read_analysis(path: Path) -> Analysis:
    """An analysis that `analyze` wrote.

    Raises:
        DataError: UL602, the file holds none, or one whose parts contradict one another.
    """
    try:
        content = read_regular(path, LARGEST)
        if len(content) > LARGEST:
            raise _refusal(path, f": it has more than {LARGEST >> 20} MiB")
        found = Analysis.model_validate_json(content)
    except ValidationError as error:
        raise _refusal(path) from error
    except OSError as error:
        raise _refusal(path, f": {reason_of(error)}") from error
    if reason := next(_contradictions(found), None):
        raise _refusal(path, f": {reason}")
    return found


def read_beside(path: Path, kind: type[P], experiment: str) -> P:
    """A plan or a list of an experiment, as its command wrote it.

    Raises:
        DataError: UL681, the file holds none, or one of another experiment.
    """
    try:
        content = read_regular(path, LARGEST)
        found = kind.model_validate_json(content)
    except ValidationError as error:
        raise _other(path, f"is no {_NAMES[kind]}") from error
    except OSError as error:
        raise _other(path, f"cannot be read: {reason_of(error)}") from error
    if not _finite(cast("Json", found.model_dump(mode="json"))):
        raise _other(path, "holds what is no number")
    if found.experiment != experiment:
        raise _other(path, f"is of another experiment than '{experiment}'")
    return found


@contextmanager
def fitting(path: Path) -> Generator[None]:
    """What is made of a file that was read back, whose parts may still not fit together.

    Raises:
        DataError: UL681.
    """
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = f"holds parts that contradict one another ({type(error).__name__})"
        raise _other(path, reason) from error


def _other(path: Path, what: str) -> DataError:
    remedy = "name what 'upliftlab plan --json' printed, or the .json beside a list of 'target'"
    return DataError(Diagnostic("UL681", f"{path} {what}", remedy))


@contextmanager
def taken_from(path: Path) -> Generator[None]:
    """What is made of an analysis that was read back, whose parts may still not fit together.

    Raises:
        DataError: UL602, a part is missing, or is not what another part says it is.
    """
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = f": its parts contradict one another ({type(error).__name__})"
        raise _refusal(path, reason) from error


def _refusal(path: Path, why: str = "") -> DataError:
    return DataError(
        Diagnostic("UL602", f"{path} is no analysis{why}", "make it by 'upliftlab analyze'")
    )


def _contradictions(found: Analysis) -> Iterator[str]:
    """What cannot be so in an analysis that was made."""
    if not _finite(cast("Json", found.model_dump(mode="json"))):
        yield "it holds what is no number"
    if not 0 < found.confidence < 1:
        yield "its confidence is none"
    arms = [arm.arm for arm in found.arms]
    if len(set(arms)) < len(arms) or sum(arm.control for arm in found.arms) != 1:
        yield "its arms are not told apart, or have not one control"
    for names in (found.columns, tuple(metric.name for metric in found.metrics)):
        if len(set(names)) < len(names):
            yield "it names a metric or column twice"
    named = {None, *arms}
    if any(
        {each.arm, each.control} - named
        for each in (*found.findings, *found.compared, *found.quantiles)
    ):
        yield "a finding is of an arm that it does not have"
    profits = {
        (each.arm, each.dimension, each.level)
        for each in found.findings
        if each.kind is EstimandKind.incremental_profit
    }
    if any((each.arm, each.dimension, each.level) not in profits for each in found.bridges):
        yield "a way to profit is of no finding"
    if not all(_whole(cell, len(found.columns)) for cell in found.moments):
        yield "its moments do not fit its columns"
    if (sums := found.money_sums) is not None and not _fit(sums, set(arms)):
        yield "its sums of money do not fit its arms or columns"


def _whole(cell: CellMoments, columns: int) -> bool:
    """Whether a cell has as many numbers as columns ask for, and none that cannot be."""
    if not len(cell.mean) == len(cell.m3) == columns:
        return False
    if len(cell.m2) != columns * (columns + 1) // 2 or cell.n < 0:
        return False
    diagonal = (at * columns - at * (at - 1) // 2 for at in range(columns))
    return all((square := cell.m2[at]) is not None and square >= 0 for at in diagonal)


def _fit(sums: WhatIf, arms: set[str]) -> bool:
    """Whether every contrast is of an arm there is, and has as many numbers as columns ask for."""
    k = len(sums.columns)
    triangle, quartic = k * (k + 1) // 2, k * (k + 1) * (k + 2) * (k + 3) // 24
    groups = [group for each in sums.contrasts for group in (each.treated, each.control)]
    return (
        arms >= set(sums.customers)
        and all(each.arm in sums.customers for each in (*sums.contrasts, *sums.break_evens))
        and all(len(each.difference) == k for each in sums.contrasts)
        and all(len(each.shared) in (0, triangle) for each in sums.contrasts)
        and all(len(group.covariance) == triangle for group in groups)
        and all(len(group.freedom) in (0, quartic) for group in groups)
    )


def _finite(value: Json) -> bool:
    if isinstance(value, (int, float)):
        return abs(value) < _FAR  # which no NaN is
    if isinstance(value, list):
        return all(map(_finite, value))
    return all(map(_finite, value.values())) if isinstance(value, dict) else True
