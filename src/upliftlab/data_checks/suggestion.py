"""What columns probably are, and the entry of configs/sources.yaml that says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import yaml

from upliftlab.config.models import Source
from upliftlab.config.workspace import find_workspace
from upliftlab.results.inspection import InspectedColumn, Role
from upliftlab.util.column_names import CUSTOMER, ID

_ARM: Final = re.compile(r"(^|[^a-z])(arm|variant|group|gruppe|cell|bucket|treatment|test)")
_AMOUNT: Final = re.compile(
    r"amount|revenue|price|total|spen[dt]|value|margin|sales|betrag|umsatz|preis|cost|net|gross"
)
_TIMES: Final = ("day", "time", "instant")
_NUMBERS: Final = ("number", "whole number")
_MOST_ARMS: Final = 12


def roles_of(column: InspectedColumn, columns: Sequence[InspectedColumn]) -> tuple[Role, ...]:
    """What a column probably is, among the others of its table."""
    if column.fault is not None:
        return ()
    name, found = column.name.casefold(), list[Role]()
    if column is _customer(columns):
        found.append("id")
    elif column is _key(columns):
        found.append("key")
    if column.meaning in _TIMES:
        found.append("time")
    if column.currency or (column.meaning in _NUMBERS and not found and _AMOUNT.search(name)):
        found.append("amount")
    if column.meaning == "flag" or set(column.levels) == {"0", "1"}:
        found.append("flag")
    if 2 <= len(column.levels) <= _MOST_ARMS and _ARM.search(name):  # noqa: PLR2004 - one is none
        found.append("arm")
    return tuple(found)


def _customer(columns: Sequence[InspectedColumn]) -> InspectedColumn | None:
    """The column that says whose row it is: one named so, else one that tells rows apart."""
    able = [each for each in columns if _identifies(each)]
    named = [each for each in able if CUSTOMER.search(each.name.casefold())]
    ids = [each for each in able if each.unique and ID.search(each.name.casefold())]
    ordered = [*(each for each in named if each.unique), *named, *ids, *_unique(able)]
    return ordered[0] if ordered else None


def _key(columns: Sequence[InspectedColumn]) -> InspectedColumn | None:
    """The column that tells events apart, beside the customer's."""
    customer = _customer(columns)
    if customer is None or customer.unique:
        return None
    return next(iter(_unique(each for each in columns if _identifies(each))), None)


def _unique(columns: Iterable[InspectedColumn]) -> list[InspectedColumn]:
    return [each for each in columns if each.unique]


def _identifies(column: InspectedColumn) -> bool:
    return column.fault is None and not column.levels and column.meaning in ("text", "whole number")


def suggestion(source: Source, columns: Sequence[InspectedColumn]) -> str:
    """An entry of configs/sources.yaml; what has to be chosen stands behind `#`."""
    entry: dict[str, Any] = {"file": _file(source)}
    entry |= {key: value for key in ("sheet", "table") if (value := getattr(source, key))}
    for key in ("id", "key", "time"):
        if (named := [each for each in columns if key in each.roles]) and (
            key != "time" or not _is_of_customers(columns)
        ):
            entry[key] = named[0].name
    if amounts := {each.name: each.currency for each in columns if each.currency}:
        entry["amounts"] = amounts
    known = source.format.model_dump(exclude_unset=True) if source.format else {}
    if declared := {**known, **_declared(columns)}:
        entry["format"] = declared
    text = yaml.safe_dump(
        {"sources": {_name(source): entry}}, allow_unicode=True, sort_keys=False, width=100
    )
    return text + "".join(f"    # {line}\n" for line in _open(columns))


def _is_of_customers(columns: Sequence[InspectedColumn]) -> bool:
    """Whether the table has a row for each customer, whose times are no events."""
    customer = _customer(columns)
    return customer is not None and customer.unique


def _name(source: Source) -> str:
    """What the table may be called: as its sheet, its file or, of a pattern, its folder."""
    path = Path(str(source.file)).absolute()
    for named in (source.sheet, source.table, path.name.partition(".")[0], path.parent.name):
        if word := re.sub(r"\W+", "_", named or "").strip("_").lower():
            return word
    return "table"


def _file(source: Source) -> str:
    """The file as a source names it: from the data root of its workspace."""
    path = Path(str(source.file)).absolute()
    root = find_workspace(path).data
    return (path.relative_to(root) if path.is_relative_to(root) else Path(path.name)).as_posix()


def _declared(columns: Sequence[InspectedColumn]) -> dict[str, Any]:
    """What `format` has to say: of columns that can be read in one way only, if they agree."""
    found, words = dict[str, Any](), dict[str, list[str]]()
    for column in columns:
        if len(column.choices) == 1:
            for key, said in yaml.safe_load(column.choices[0].write)["format"].items():
                if isinstance(said, list):
                    given = cast("list[str]", said)
                    words[key] = sorted({*words.get(key, ()), *given})
                else:
                    found.setdefault(key, said)
    return found | words


def _open(columns: Sequence[InspectedColumn]) -> Iterable[str]:
    """What nobody can tell from the file."""
    for column in columns:
        if len(column.choices) > 1:
            yield f"choose for {_quoted(column.name)}:"
            yield from (f"  {each.write}  # {each.meaning}" for each in column.choices)
    for column in columns:
        if "amount" in column.roles and column.currency is None:
            yield f"amounts: {{{_quoted(column.name)}: EUR}}  # in which currency it is"
            return


def _quoted(name: str) -> str:
    return (
        yaml.safe_dump(name, allow_unicode=True, width=1000)
        .removesuffix("\n")
        .removesuffix("...")
        .strip()
    )
