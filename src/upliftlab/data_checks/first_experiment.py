"""A workspace from one's own tables: sources, likely metrics and a first experiment.

What a table tells is written down, with a comment where it is only likely. What it does not tell
stands as a comment with the line to write, or is asked for where nothing works without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import yaml

from upliftlab.data_checks.own_tables import OwnTable, OwnTables, data_root, own_tables
from upliftlab.errors import DataError, Diagnostic
from upliftlab.results.inspection import InspectedColumn
from upliftlab.util.yaml_text import yaml_text

EXPERIMENT: Final = "experiments/first.yaml"
IGNORED: Final = ".gitignore"
"""Where the lines go that keep tables out of git which do not lie in data/."""
_CONTROL: Final = re.compile(
    r"^(control|kontroll\w*|holdout|hold_out|none|nobody|no|placebo|baseline|no[ _-].*|ohne.*)$"
)
_START: Final = re.compile(r"assign|start|sent|expos|treat|enrol|contacted|zugeteilt|beginn")
_CAMPAIGN: Final = re.compile(r"campaign|kampagne|experiment")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOST_LEVELS: Final = 12
_SEGMENTS: Final = 3
_WINDOW: Final = 28
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What the user says that no table tells.

    Attributes:
        arm: Which column of the customers holds their arms.
        control: Which label of the arms is the control's.
        start: From which day on outcomes count.
    """

    arm: str | None = None
    control: str | None = None
    start: date | None = None


def first_workspace(files: Sequence[Path], folder: Path, said: OwnWords) -> dict[str, bytes]:
    """What configs/ and the first experiment are, by place in the workspace.

    Raises:
        DataError: UL691, UL692 as `own_tables`; UL693 nothing tells what is measured, which arm is
            the control or when outcomes begin to count.
    """
    tables = own_tables(files, folder)
    draft = _Draft(tables, said)
    made = {"configs/sources.yaml": "\n".join(draft.sources()) + "\n"}
    made["configs/metrics.yaml"] = "\n".join(draft.metrics()) + "\n"
    made[EXPERIMENT] = "\n".join(draft.experiment()) + "\n"
    made |= _ignored(tables, folder)
    return {place: text.encode() for place, text in made.items()}


def _ignored(tables: OwnTables, folder: Path) -> dict[str, str]:
    """What keeps tables out of git that do not lie in data/."""
    if data_root(folder) != folder:
        return {}
    lines = [f"/{each.entry['file']}" for each in tables.all]
    return {IGNORED: "\n".join(["# The tables that the workspace was begun with", *lines, ""])}


class _Draft:
    """The first experiment, line by line."""

    def __init__(self, tables: OwnTables, said: OwnWords) -> None:
        self._customers, self._tables, self._said = tables.customers, tables, said
        self._orders = tables.called("orders")
        self._contacts = tables.called("contacts")
        self._redemptions = tables.called("redemptions")
        self._arm = self._which_column()
        self._currency = next((m for each in tables.all if (m := each.money())), None)
        self._primary, self._metrics = self._measured()
        self._control = self._which_control()
        self._begins = self._start()

    def sources(self) -> Iterator[str]:
        """configs/sources.yaml."""
        yield "# Where tables lie and which of their columns play a part, as `inspect` reads them."
        yield "# Lines behind # are what the files do not tell: choose, and remove the sign."
        yield "schema: 1"
        yield "sources:"
        for table in self._tables.all:
            entry = table.entry
            if table is self._customers and self._orders is None:
                entry = {**entry, "known_after": [self._primary]}
            text = yaml.safe_dump(entry, allow_unicode=True, sort_keys=False, width=100)
            yield f"  {yaml_text(table.name)}:"
            yield from (f"    {line}" for line in text.splitlines())
            yield from (f"    # {line}" for line in table.open)
            if table in (self._contacts, self._redemptions):
                yield from _whose(table)
            if "known_after" in entry:
                yield "    # known_after: what else may the campaign have changed? Add it there."

    def metrics(self) -> Iterator[str]:
        """configs/metrics.yaml."""
        yield "# What is counted per customer, from the start to the end of the outcome window."
        yield "# docs/metrics.md works out what else can be: retention, complaints, ratios …"
        yield "schema: 1"
        yield "metrics:" if self._metrics else "metrics: {}"
        yield from self._metrics

    def experiment(self) -> Iterator[str]:
        """experiments/first.yaml."""
        yield "# The first experiment, as the tables tell it. Read it, change it; `check` helps."
        yield "schema: 1"
        yield "experiment: first                 # name it as it is to be known"
        yield "# title: The question, as the report's heading"
        yield "# owner: you@example.com"
        yield "customers: customers              # a source of configs/sources.yaml"
        yield from self._assigned(self._arm) if self._arm else self._to_assign()
        yield from self._outcomes()

    def _measured(self) -> tuple[str, list[str]]:
        """The primary metric, and the lines that define what is measured."""
        lines: list[str] = []
        primary = None
        if self._orders:
            primary, lines = _of_orders(self._orders, self._currency)
        for name, table in (("contacts", self._contacts), ("redemptions", self._redemptions)):
            if table:
                lines.append(f"  {name}: {{from: {yaml_text(table.name)}, count: true}}")
        if primary is None:
            primary, lines = self._of_customers(lines)
        return primary, lines

    def _of_customers(self, lines: list[str]) -> tuple[str, list[str]]:
        """The one column of the customers' table that can be what is measured."""
        able = [each for each in self._customers.of("amount") if "id" not in each.roles]
        if len(able) != 1:
            names = ", ".join(each.name for each in able) or "none"
            message = (
                f"nothing tells what is measured: no table of orders, amounts of customers: {names}"
            )
            remedy = "name a table of orders too, or write the experiment from --template minimal"
            raise DataError(Diagnostic("UL693", message, remedy))
        name = able[0].name
        written = yaml_text(name)
        line = f"  {written}: {{column: {written}, better: higher}}   # a column of customers"
        return name, [line, *lines]

    def _which_column(self) -> InspectedColumn | None:
        """The column that holds arms: as the user says, else the one that is called so."""
        columns = {each.name: each for each in self._customers.columns}
        named = self._customers.of("arm")
        if self._said.arm is None and (len(named) == 1 or not (named or self._orders is None)):
            return next(iter(named), None)
        found = columns.get(self._said.arm or "")
        if found is not None and len(found.levels) > 1:
            return found
        able = [each.name for each in columns.values() if len(each.levels) > 1]
        message = f"nothing tells which column holds the arms; able are {', '.join(able) or 'none'}"
        raise _unknown(message, "say so: --arm COLUMN")

    def _which_control(self) -> str | None:
        """The arm that is not treated: as the user says, else the one that is called so."""
        if self._arm is None:
            return None
        labels = list(self._arm.levels)
        if self._said.control in labels:
            return self._said.control
        named = [each for each in labels if _CONTROL.match(each.casefold())]
        if self._said.control is None and len(named) == 1:
            return named[0]
        message = (
            f"column '{self._arm.name}' holds the arms {', '.join(labels)}: which is the control?"
        )
        raise DataError(Diagnostic("UL693", message, "say so: --control LABEL"))

    def _start(self) -> date | str | None:
        """From when outcomes count: a column, a day, or None where it is the day of assignment."""
        if self._said.start is not None:
            return self._said.start
        if self._arm is None or not self._metrics or self._orders is None:
            return None
        columns = [c.name for c in self._customers.of("time") if _START.search(c.name.casefold())]
        if len(columns) == 1:
            return columns[0]
        span = _span(self._contacts)
        if span and span[0] == span[1]:
            return span[0]
        told = f"; contacts go from {span[0]} to {span[1]}" if span else ""
        message = f"nothing tells from which day on outcomes count{told}"
        day = span[0] if span else "2026-03-02"
        raise _unknown(message, f"say so: --start {day}")

    def _assigned(self, arm: InspectedColumn) -> Iterator[str]:
        """Arms that stand in a column."""
        column = yaml_text(arm.name)
        if isinstance(self._begins, str):
            start = f", start: {yaml_text(self._begins)}"
            yield "# The column's times are taken for the start: outcomes count from there on."
        else:
            start = ""
        yield f"assignment: {{observed: {column}{start}}}   # arms were assigned elsewhere"
        if isinstance(self._begins, date):
            why = "as you said" if self._said.start else f"the day of all {self._contacts_name()}"
            yield f"# Outcomes count from here: {why}."
            yield f"waves: [{{start: {self._begins}, share: 100%}}]"
        yield "arms:"
        for label in arm.levels:
            if label == self._control:
                how = "as you said" if self._said.control else "by its name: is it?"
                yield f"  {yaml_text(label)}: {{control: true}}   # the control, {how}"
            else:
                yield f"  {yaml_text(label)}: {self._contact()}"
        if arm.missing:
            yield f"# {arm.missing:,} customers have no arm. This leaves them out, and counts them:"
            yield f"# exclude: '{_column(arm.name)} is null'"
        yield "# What a contact costs is not in the tables: {cost_per_contact: 0.10}"

    def _to_assign(self) -> Iterator[str]:
        """Arms that upliftlab is to assign."""
        yield "# No column of the customers seems to hold arms: upliftlab assigns them. Were they"
        yield "# assigned elsewhere: assignment: {observed: COLUMN}"
        yield '# eligible: "a condition over columns of the customers that says who takes part"'
        yield "assignment: {method: hash, salt: first}"
        if isinstance(self._begins, date):
            yield "# The day of contact, as you said:"
            yield f"waves: [{{start: {self._begins}, share: 100%}}]"
        else:
            yield "# The day of contact, where it is not the day of `assign`:"
            yield "# waves: [{start: 2027-01-11, share: 100%}]"
        yield "arms:"
        yield "  holdout: {share: 50%, control: true}   # is not contacted"
        yield "  treated: {share: 50%}   # add channel: email, cost_per_contact: 0.10"

    def _contact(self) -> str:
        """How an arm contacts, where all contacts go through one channel."""
        for column in self._contacts.columns if self._contacts else ():
            if column.name.casefold() in ("channel", "kanal") and len(column.levels) == 1:
                return f"{{channel: {yaml_text(next(iter(column.levels)))}}}"
        return "{}"

    def _outcomes(self) -> Iterator[str]:
        if self._orders is not None:
            yield f"outcome_window: {self._window()} days        # since each customer's start"
        if self._currency:
            yield f"currency: {self._currency}"
        yield "metrics:                          # defined in configs/metrics.yaml"
        yield f"  primary: {yaml_text(self._primary)}"
        secondary = [n for n in ("conversion",) if self._orders and n != self._primary]
        if secondary:
            yield f"  secondary: [{', '.join(secondary)}]"
        yield "# Profit and return on cost, once these are known:"
        if not self._currency:
            yield "# currency: EUR"
        yield f"# money: {{revenue: {yaml_text(self._primary)}, margin: 40%}}"
        yield from self._segments()

    def _segments(self) -> Iterator[str]:
        able = [each.name for each in self._customers.columns if self._divides(each)]
        if able:
            shown = ", ".join(map(yaml_text, able[:_SEGMENTS]))
            yield "# Likely segments: keep what was known before the campaign."
            yield f"segments: [{shown}]"
            if able[_SEGMENTS:]:
                yield f"# or: {', '.join(map(yaml_text, able[_SEGMENTS:]))}"

    def _divides(self, column: InspectedColumn) -> bool:
        taken = {self._arm.name if self._arm else None, self._primary}
        few = 1 < len(column.levels) <= _MOST_LEVELS
        return few and column.name not in taken and not column.roles and column.meaning == "text"

    def _window(self) -> int:
        """Days that outcomes count: four weeks, or as many as the orders hold since the start."""
        span = _span(self._orders)
        if span and isinstance(self._begins, date):
            return max(1, min(_WINDOW, (span[1] - self._begins + timedelta(days=1)).days))
        return _WINDOW

    def _contacts_name(self) -> str:
        return self._contacts.name if self._contacts else "contacts"


def _of_orders(orders: OwnTable, currency: str | None) -> tuple[str, list[str]]:
    """The primary metric of a table of orders, and the lines of what is counted of it."""
    source, amounts = yaml_text(orders.name), orders.of("amount")
    lines: list[str] = []
    if amounts:
        unit = ", unit: money" if currency else ""
        amount = yaml_text(amounts[0].name)
        line = f"  revenue: {{from: {source}, sum: {amount}, better: higher{unit}}}"
        lines.append(f"{line}   # is this column revenue?")
        lines += [f"  # or: sum: {yaml_text(each.name)}" for each in amounts[1:]]
    where = _no_refunds(amounts[0]) if amounts else ""
    lines.append(f"  orders: {{from: {source}, count: true{where}, better: higher}}")
    lines.append(f"  conversion: {{from: {source}, any: true{where}, better: higher, unit: share}}")
    return "revenue" if amounts else "orders", lines


def _no_refunds(amount: InspectedColumn) -> str:
    """The condition that leaves refunds out, where there are amounts below 0."""
    if amount.least is None or not amount.least.startswith("-"):
        return ""
    return f", where: '{_column(amount.name)} > 0'"


def _whose(table: OwnTable) -> Iterator[str]:
    """The line that keeps other campaigns' events apart."""
    for column in table.columns:
        if _CAMPAIGN.search(column.name.casefold()):
            yield f"    # experiment: {yaml_text(column.name)}   # only events of its name count"


def _span(table: OwnTable | None) -> tuple[date, date] | None:
    """The first and the last day of a table's events; None where it does not tell."""
    for column in table.of("time") if table else ():
        ends = [_DAY.match(end or "") for end in (column.least, column.greatest)]
        if all(ends):
            first, last = (date.fromisoformat(end[0]) for end in ends if end)
            return first, last
    return None


def _column(name: str) -> str:
    """A column within a condition that stands in single quotes."""
    plain = name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
    return plain.replace("'", "''")


def _unknown(message: str, remedy: str) -> DataError:
    return DataError(Diagnostic("UL693", message, remedy))
