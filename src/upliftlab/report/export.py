"""The findings as CSV for spreadsheets and as JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar, cast

from upliftlab.precision import finite
from upliftlab.results import Analysis, Finding, Result

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_COLUMNS: Final = tuple(Finding.model_fields)


R = TypeVar("R", bound=Result)


def rounded(found: R) -> R:
    """What was found as it is published: every float at 10 significant digits."""
    return type(found).model_validate(_content(found))


def to_json(found: Result) -> bytes:
    """What was found as compact JSON, the same bytes for the same value.

    Raises:
        ValueError: where a value is infinite or not a number.
    """
    return json.dumps(
        _content(found), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def to_csv(analysis: Analysis) -> bytes:
    """The findings, one a line, for a spreadsheet: UTF-8 with its mark, no cell a formula."""
    return spreadsheet(_COLUMNS, (f.model_dump(mode="json") for f in rounded(analysis).findings))


def spreadsheet(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Rows as CSV for a spreadsheet; what a row does not name is left empty."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return sheet.getvalue().encode("utf-8-sig")


def _content(found: Result) -> Json:
    return _round(cast("Json", found.model_dump(mode="json", by_alias=True)))


def _round(value: Json) -> Json:
    if isinstance(value, float):
        return float(f"{finite(value):.10g}")
    if isinstance(value, list):
        return [_round(item) for item in value]
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    return value


def _cell(value: object) -> object:
    """Text that a spreadsheet would run is kept text by an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_DANGEROUS):
        return f"'{value}"
    return "" if value is None else value
