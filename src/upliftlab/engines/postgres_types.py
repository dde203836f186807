"""PostgreSQL's types as Arrow's, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from upliftlab.engines.base import ColumnType
from upliftlab.errors import Diagnostic, EngineError

if TYPE_CHECKING:
    from psycopg import Column

_NUMERIC = 1700
_LARGEST = 38
_TYPES: dict[int, tuple[ColumnType, pa.DataType]] = {
    16: ("boolean", pa.bool_()),
    20: ("number", pa.int64()),
    21: ("number", pa.int16()),
    23: ("number", pa.int32()),
    700: ("number", pa.float32()),
    701: ("number", pa.float64()),
    19: ("text", pa.string()),  # name
    25: ("text", pa.string()),
    705: ("text", pa.string()),  # a literal whose type nothing decided
    1042: ("text", pa.string()),  # char(n)
    1043: ("text", pa.string()),
    2950: ("text", pa.string()),  # uuid, which the connection hands on as text
    1082: ("date", pa.date32()),
    1114: ("time", pa.timestamp("us")),
    1184: ("instant", pa.timestamp("us", "UTC")),
}
"""By the type's number in the server's catalogue, which never changes for built-in types."""


def family(code: int) -> ColumnType:
    """The family of a type.

    >>> family(1700), family(2950), family(3802)
    ('number', 'text', 'other')
    """
    return "number" if code == _NUMERIC else _TYPES.get(code, ("other", None))[0]


def field(column: Column) -> pa.Field[pa.DataType]:
    """A result's column as Arrow's.

    A `numeric` of declared size stays exact; one without a size becomes a double.

    Raises:
        EngineError: UL514, the type has no counterpart.
    """
    if column.type_code == _NUMERIC:
        digits, scale = column.precision, column.scale
        if digits and digits <= _LARGEST and scale is not None and 0 <= scale <= digits:
            return pa.field(column.name, pa.decimal128(digits, scale))
        return pa.field(column.name, pa.float64())
    if column.type_code not in _TYPES:
        message = f"the column '{column.name}' has the type {column.type_display}"
        raise EngineError(Diagnostic("UL514", message, "cast it to text or a number in a view"))
    return pa.field(column.name, _TYPES[column.type_code][1])


def copy_type(kind: pa.DataType) -> str:
    """The server's type for a column that is copied there.

    >>> copy_type(pa.int32()), copy_type(pa.date32()), copy_type(pa.string())
    ('bigint', 'date', 'text')
    """
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_floating(kind):
        return "double precision"
    if pa.types.is_decimal(kind):
        return "numeric"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamptz"
    return "text"
