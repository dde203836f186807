"""Tables of one's own, as a first experiment needs them: which is which, and where it lies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import yaml

from upliftlab.data_checks.inspect import inspect
from upliftlab.errors import DataError, Diagnostic, Place
from upliftlab.results.inspection import InspectedColumn, InspectedFile, Role
from upliftlab.util.column_names import names_customer

CUSTOMERS: Final = "customers"
_OPEN: Final = "    # "
"""How the lines of a suggested entry begin that are to be chosen from."""
_NAMED: Final = {
    "orders": re.compile(r"order|purchase|sale|transaction|invoice|bestell|umsatz|kauf|receipt"),
    "contacts": re.compile(r"contact|sent|send|mail|letter|touch|kontakt|message"),
    "redemptions": re.compile(r"redem|redeem|voucher|coupon|gutschein"),
}
_PEOPLE: Final = re.compile(r"customer|kund|client|user|member|person|people|subscriber|buyer")
_CURRENCY: Final = re.compile(r"currency|w(ä|ae)hrung")
_CODE: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class OwnTable:
    """One table.

    Attributes:
        name: What the sources call it.
        found: What the file holds.
        entry: What is declared of it.
        open: What nobody can tell from the file, as comments.
    """

    name: str
    found: InspectedFile
    entry: dict[str, Any]
    open: tuple[str, ...]

    @property
    def columns(self) -> Sequence[InspectedColumn]:
        """Its columns."""
        return self.found.columns

    def of(self, role: Role) -> list[InspectedColumn]:
        """The columns that probably play a part."""
        return [column for column in self.columns if role in column.roles]

    @property
    def of_customers(self) -> bool:
        """Whether it has a row for each customer."""
        return any(column.unique and names_customer(column.name) for column in self.of("id"))

    def money(self) -> str | None:
        """The one currency of its amounts, where the file tells it."""
        told = {column.currency for column in self.columns if column.currency}
        for column in self.columns:
            if _CURRENCY.search(column.name.casefold()):
                told |= set(column.levels)
        only = told.pop() if len(told) == 1 else ""
        return only if _CODE.fullmatch(only) else None


@dataclass(frozen=True, slots=True)
class OwnTables:
    """The customers, and what tells of them."""

    customers: OwnTable
    events: tuple[OwnTable, ...]

    def called(self, part: str) -> OwnTable | None:
        """The table of orders, contacts or redemptions, where exactly one is named so."""
        found = [each for each in self.events if _NAMED[part].search(each.name) and _dated(each)]
        return found[0] if len(found) == 1 else None

    @property
    def all(self) -> tuple[OwnTable, ...]:
        """Every table, the customers' first."""
        return (self.customers, *self.events)


def own_tables(files: Sequence[Path], folder: Path) -> OwnTables:
    """What the tables of a workspace's folder are.

    Raises:
        DataError: UL691 a table cannot be read or lies outside of the folder, UL692 none of them,
            or not one alone, has a row for each customer.
    """
    found = inspect(files).files
    for each in found:
        if each.fault is not None:
            _refuse("UL691", each.file, f"cannot be read: {each.fault}", "")
    root = data_root(folder)
    names = _distinct(found)
    tables = [
        _table(name, each, _within(each.file, root))
        for name, each in zip(names, found, strict=True)
    ]
    customers = _customers(tables)
    whose = customers.entry.get("id")
    others = tuple(_of(whose, each) for each in tables if each is not customers)
    return OwnTables(replace(customers, name=CUSTOMERS), others)


def data_root(folder: Path) -> Path:
    """Where a workspace looks for tables: its data/, else itself."""
    usual = folder / "data"
    return usual if usual.is_dir() else folder


def _table(name: str, found: InspectedFile, file: str) -> OwnTable:
    text = found.suggestion or ""
    ((_, entry),) = yaml.safe_load(text)["sources"].items()
    lines = [line.removeprefix(_OPEN) for line in text.splitlines() if line.startswith(_OPEN)]
    return OwnTable(name, found, {**entry, "file": file}, tuple(lines))


def _within(file: str, root: Path) -> str:
    """The file as a source names it."""
    path, top = Path(file).resolve(), root.resolve()
    if not path.is_relative_to(top):
        _refuse(
            "UL691",
            file,
            f"lies outside of {root}, where the workspace looks for tables",
            f"put it into {root}",
        )
    return path.relative_to(top).as_posix()


def _distinct(found: Iterable[InspectedFile]) -> list[str]:
    """What each table is called, by its entry: those of one name are told apart by a number."""
    names: list[str] = []
    for each in found:
        (name,) = yaml.safe_load(each.suggestion or "")["sources"]
        numbered = (f"{name}_{n}" for n in count(2))
        names.append(name if name not in names else next(n for n in numbered if n not in names))
    return names


def _customers(tables: Sequence[OwnTable]) -> OwnTable:
    """The table that has a row for each customer: of several the one with no times of events."""
    if len(tables) == 1 and not _event_like(tables[0]):
        return tables[0]  # without an id its rows are told apart by what they hold
    able = [each for each in tables if each.of_customers and not _event_like(each)]
    named = [each for each in able if _PEOPLE.search(each.name)]
    chosen = named if len(able) > 1 else able
    if len(chosen) == 1:
        return chosen[0]
    if not able:
        message = "none of the tables has a row for each customer, with an id of its own"
        remedy = "name the customers' table as well: --from customers.csv"
        raise DataError(Diagnostic("UL692", message, remedy))
    told = ", ".join(each.found.file for each in able)
    message = f"{told} have a row for each customer: which is the customers' table?"
    raise DataError(
        Diagnostic("UL692", message, "call its file customers, or leave the others out")
    )


def _of(whose: str | None, table: OwnTable) -> OwnTable:
    """A table of events; where it has the customers' own id, that column says whose they are."""
    named = replace(table, name=f"other_{CUSTOMERS}") if table.name == CUSTOMERS else table
    if whose not in {column.name for column in table.columns}:
        return named
    keys = [c.name for c in table.columns if c.unique and c.name != whose and not c.levels]
    parts = {
        "id": whose,
        "key": next(iter(keys), None),
        "time": next((column.name for column in table.of("time")), None),
    }
    entry = {**{k: v for k, v in table.entry.items() if k not in parts}, **parts}
    return replace(named, entry={key: value for key, value in entry.items() if value is not None})


def _event_like(table: OwnTable) -> bool:
    """Whether a table tells of events by its name and a time, and is not called people's."""
    named = any(pattern.search(table.name) for pattern in _NAMED.values())
    return named and _dated(table) and not _PEOPLE.search(table.name)


def _dated(table: OwnTable) -> bool:
    return bool(table.of("time"))


def _refuse(code: str, file: str, message: str, remedy: str) -> None:
    raise DataError(Diagnostic(code, message, remedy, Place(file)))
