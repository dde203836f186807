"""What the data call the arms: a column's values, read as the plan's arms.

A text stands for an arm letter by letter: its name, or what the arm lists under `observed`. Of
numbers and flags there is no spelling, so that `1` and `1.0` are one label, as are `true` and
`TRUE`. A value that no arm and no ignored arm claims stays as it is, and is refused later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import ColumnType
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.numbers import nan_sql
from upliftlab.util.sql import literal, quote

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}([.][0-9]{1,12})?")
"""A label that may stand for a number."""
_NOT_A_NUMBER: Final = "nan"


def labels_of(plan: Plan) -> dict[str, str]:
    """The arm that each label stands for; one that is ignored stands for itself."""
    arms = {label: name for name, arm in plan.arms.items() for label in (name, *arm.observed)}
    return {**{label: label for label in plan.experiment.assignment.ignore_arms}, **arms}


def arm_sql(plan: Plan, column: str, columns: Mapping[str, ColumnType]) -> str:
    """The arm that a column of the customers' table `c` names, as SQL.

    Args:
        plan: The arms and their labels.
        column: The column.
        columns: The types of the table's columns.

    Raises:
        DataError: UL280, two arms have labels that are the same number.
    """
    value, kind, labels = f"c.{quote(column)}", columns[column], labels_of(plan)
    if kind == "number":
        cases = list(_of_numbers(value, labels))
    elif kind == "boolean":
        cases = list(_of_flags(value, labels))
    else:
        cases = list(_of_texts(value, labels))
    rest = value if kind == "text" else f"CAST({value} AS VARCHAR)"
    return f"CASE {' '.join(cases)} ELSE {rest} END" if cases else rest


def _of_texts(value: str, labels: Mapping[str, str]) -> Iterator[str]:
    """Cases of the labels that are not the arms' own names."""
    for arm in dict.fromkeys(labels.values()):
        if others := [literal(label) for label, name in labels.items() if name == arm != label]:
            yield f"WHEN CAST({value} AS VARCHAR) IN ({', '.join(others)}) THEN {literal(arm)}"


def _of_flags(value: str, labels: Mapping[str, str]) -> Iterator[str]:
    for label, arm in labels.items():
        if label.casefold() in ("true", "false"):
            test = value if label.casefold() == "true" else f"NOT {value}"
            yield f"WHEN {test} THEN {literal(arm)}"


def _of_numbers(value: str, labels: Mapping[str, str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for label, arm in labels.items():
        number = number_of(label)
        if number is None:
            continue
        if (other := seen.setdefault(number, arm)) != arm:
            message = f"the arms '{other}' and '{arm}' have labels that are the same number"
            raise DataError(Diagnostic("UL280", message, "take one of the labels away"))
        nan = number == _NOT_A_NUMBER
        test = nan_sql(f"CAST({value} AS DOUBLE)") if nan else f"{value} = {number}"
        yield f"WHEN {test} THEN {literal(arm)}"


def number_of(label: str) -> str | None:
    """The number that a label stands for, spelt in one way; None where it is none.

    >>> number_of("1.0"), number_of("0.50"), number_of("NaN"), number_of("01"), number_of(" 1")
    ('1', '0.5', 'nan', '1', None)
    """
    if label.casefold() == _NOT_A_NUMBER:
        return _NOT_A_NUMBER
    if not _NUMBER.fullmatch(label):
        return None
    plain = f"{Decimal(label):f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def near_arm(label: str, plan: Plan) -> str | None:
    """The arm that a label differs from in nothing but spaces, letters or a number's spelling.

    An arm's other labels are looked at as well, and ignored ones; None where there is none.
    """
    found = _plain(label)
    return next((arm for own, arm in labels_of(plan).items() if _plain(own) == found), None)


def _plain(label: str) -> str:
    bare = " ".join(label.split()).casefold()
    return number_of(bare) or bare


def mapped(plan: Plan, arm: str, labels: list[str]) -> str:
    """The line that maps labels to an arm, beside those that it has."""
    assignment = plan.experiment.assignment
    if arm not in plan.arms:
        return ignoring([*assignment.ignore_arms, *labels])
    listed = json.dumps([*plan.arms[arm].observed, *labels], ensure_ascii=False)
    return f"'arms: {{{arm}: {{observed: {listed}}}}}'"


def ignoring(labels: list[str]) -> str:
    """The line by which labels are not compared."""
    return f"'assignment: {{ignore_arms: {json.dumps(labels, ensure_ascii=False)}}}'"
