"""Columns of an Arrow table as numbers or trimmed texts, whatever type they were read as."""
# pyarrow describes itself with types that are unknown in part; they are kept to this module.
# ruff: noqa: ANN401
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from upliftlab.stats.moments import Array
from upliftlab.util.personal import shape

Form = Literal["number", "date", "text"]
"""What a column holds; dates are days since 1970, yes and no are 1 and 0."""

_BEYOND = 1e100
"""Larger numbers stand for no amount of anything: they are missing, as are infinities."""
_DAY = 86_400e6
_MOMENT = pa.timestamp("us")


def form_of(column: Any) -> Form | None:
    """What a column holds; None where it is nothing a model can use, such as a list.

    Texts that are all numbers, all `true` or `false`, or all ISO dates are taken as such, since
    CSV files hold nothing but text.
    """
    values = _plain(column)
    kind = values.type
    if _is_text(kind):
        trimmed = _trimmed(values)
        if _read_text(trimmed, "number") is not None:
            return "number"
        return "text" if _read_text(trimmed, "date") is None else "date"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "date"
    return "number" if _is_number(kind) else None


def numbers(column: Any, form: Form) -> Array | None:
    """A column as numbers, NaN where missing; None where it holds something else.

    Args:
        column: An Arrow column.
        form: `number` or `date`: what the numbers are to be.
    """
    values = _plain(column)
    kind = values.type
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if _is_text(kind):
        return _read_text(_trimmed(values), form)
    if form_of(values) != form:
        return None
    return _days(values) if form == "date" else _floats(values)


def codes(column: Any, levels: Sequence[str]) -> tuple[Array, int] | None:
    """The place of each text among the levels, and how many texts are none of them.

    Returns:
        Codes from 0, NaN where missing or none of the levels, shape (n,), and the count; None
        where the column is no text.
    """
    values = _plain(column)
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan), 0
    if not _is_text(values.type):
        return None
    trimmed = _trimmed(values)
    found = pc.index_in(trimmed, value_set=pa.array(list(levels), pa.large_string()))
    given = len(trimmed) - trimmed.null_count
    return _floats(found), int(given - (len(found) - found.null_count))


def counts(column: Any) -> dict[str, int]:
    """How often each text occurs, blank ones left out."""
    found = pc.value_counts(pc.drop_null(_trimmed(_plain(column))))
    values, times = found.field("values").to_pylist(), found.field("counts").to_pylist()
    return dict(zip(values, times, strict=True))


def held(column: Any) -> str:
    """What a column holds, in words for whoever made it."""
    if not _is_text(_plain(column).type):
        return str(column.type)
    text = next((text for text in sorted(counts(column)) if not _reads(text)), "")
    return f"texts such as '{shape(text)}'" if text else "texts"


def _reads(text: str) -> bool:
    return _read_text(pa.array([text], pa.large_string()), "number") is not None


def _plain(column: Any) -> Any:
    """Without dictionaries, and all texts of one type."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.large_string()) if _is_text(column.type) else column


def _is_text(kind: Any) -> bool:
    types = pa.types
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _is_number(kind: Any) -> bool:
    tests: tuple[Callable[[Any], bool], ...] = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def _trimmed(values: Any) -> Any:
    """Without blanks around; a blank text is missing."""
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(pc.utf8_length(trimmed), pa.scalar(0)), None, trimmed)


def _read_text(values: Any, form: Form) -> Array | None:
    """Texts as numbers or days, or None where one of them is neither."""
    if form == "date":
        targets, read = (pa.date32(), _MOMENT), _days
    else:
        targets, read = (pa.float64(), pa.bool_()), _floats
    for target in targets:
        try:
            return read(values.cast(target))
        except pa.ArrowInvalid:
            continue
    return None


def _floats(values: Any) -> Array:
    result = np.array(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    result[~(np.abs(result) <= _BEYOND)] = np.nan
    return result + 0.0


def _days(values: Any) -> Array:
    if pa.types.is_timestamp(values.type):
        moments = values.cast(pa.timestamp("us", values.type.tz), safe=False)
        return _floats(moments.cast(pa.int64())) / _DAY
    return _floats(values.cast(pa.date32()).cast(pa.int32()))
