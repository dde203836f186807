"""An analysis as a workbook: one sheet for each table, numbers as numbers, nothing a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from upliftlab.report.export import rounded
from upliftlab.report.figure import Formatter, Sentence, formatter_of
from upliftlab.report.index import Index
from upliftlab.report.trust import trust
from upliftlab.report.verdict import answer
from upliftlab.results.analysis import Analysis, BridgeLine, Result, Subsidy
from upliftlab.text.language import N_, Code

Cell = str | int | float | bool | None
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST: Final = 32_000
"""Letters of a cell, within what spreadsheets take."""
_MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a file's, which has no zone
"""The file's own date: the same bytes for the same analysis."""


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A table: its name, what its columns are called, its rows."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def workbook(analysis: Analysis, lang: Code) -> bytes:
    """The workbook as bytes; the same for the same analysis and language."""
    import xlsxwriter  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - only a workbook needs it

    published = rounded(analysis, lang)
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with cast("Any", xlsxwriter).Workbook(file, options) as book:
        book.set_properties({"created": _MADE, "title": published.title[:255]})
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        for sheet in sheets(published, formatter_of(published, lang)):
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 0)
            for column, head in enumerate(sheet.heads):
                page.write_string(0, column, head, bold)
            for row, cells in enumerate(sheet.rows, start=1):
                for column, cell in enumerate(cells):
                    _write(page, (row, column), cell)
            page.autofit(400)
    return file.getvalue()


def sheets(analysis: Analysis, formatter: Formatter) -> Iterator[Worksheet]:
    """The tables, the answer first; columns are called as in the JSON."""
    yield _summary(analysis, formatter)
    yield _listed("findings", analysis.findings)
    if analysis.compared:
        yield _listed("compared", analysis.compared)
    if analysis.quantiles:
        yield _listed("quantiles", analysis.quantiles)
        yield _listed("distribution", analysis.distribution)
    yield _listed("arms", analysis.arms)
    yield _listed("means", analysis.means)
    yield _bridges(analysis)
    yield from _subsidies(analysis)
    yield _flow(analysis)
    yield _checks(analysis, formatter)
    yield _listed("heterogeneity", analysis.heterogeneity)


def _summary(analysis: Analysis, formatter: Formatter) -> Worksheet:
    """What the first screen says, a line each."""
    told = answer(Index(analysis), formatter)
    rows: list[tuple[Cell, ...]] = [
        (formatter.text(N_("Experiment")), analysis.title),
        (formatter.text(N_("Verdict")), told.label),
        ("", _text(told.sentence)),
        (formatter.text(N_("What next")), _text(told.next_action)),
        *(("", _text(step)) for step in told.steps),
    ]
    return Worksheet("summary", ("", ""), rows)


def _listed(name: str, items: Sequence[Result]) -> Worksheet:
    """A list of the JSON as a table."""
    heads = tuple(type(items[0]).model_fields) if items else ()
    rows = [tuple(_cell(value) for value in one.model_dump(mode="json").values()) for one in items]
    return Worksheet(name, heads, rows)


def _bridges(analysis: Analysis) -> Worksheet:
    """The lines from revenue to profit, each with its place."""
    place, line = ("arm", "dimension", "level"), tuple(BridgeLine.model_fields)
    rows = [
        (each.arm, each.dimension, each.level, *map(_cell, one.model_dump(mode="json").values()))
        for each in analysis.bridges
        for one in each.lines
    ]
    return Worksheet("bridges", (*place, *line), rows)


def _subsidies(analysis: Analysis) -> Iterator[Worksheet]:
    """Redemptions by customers who would have bought anyway; no sheet where none is paid for."""
    told = [(each.arm, each.subsidy) for each in analysis.bridges if each.subsidy is not None]
    rows = [(arm, *map(_cell, found.model_dump(mode="json").values())) for arm, found in told]
    if rows:
        yield Worksheet("subsidy", ("arm", *Subsidy.model_fields), rows)


def _flow(analysis: Analysis) -> Worksheet:
    arms = tuple(arm.arm for arm in analysis.arms)
    steps = (*analysis.enrollment, *analysis.flow, *analysis.delivery)
    rows = [
        (step.kind, step.reason, *(step.arms.get(arm) for arm in arms), step.without_arm)
        for step in steps
    ]
    return Worksheet("flow", ("kind", "reason", *arms, "without_arm"), rows)


def _checks(analysis: Analysis, formatter: Formatter) -> Worksheet:
    told = trust(analysis, formatter)
    rows = [
        (check.title, check.label, _text(check.message)) for check in (*told.checks, *told.passed)
    ]
    return Worksheet("checks", ("check", "state", "message"), rows)


def _text(sentence: Sentence) -> str:
    return "".join(word.text for word in sentence)


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _write(page: Any, at: tuple[int, int], cell: Cell) -> None:  # noqa: ANN401 - xlsxwriter is untyped
    """A text stays a text, whatever it begins with; what is absent is left empty."""
    if isinstance(cell, str):
        page.write_string(*at, _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", cell)[:_LONGEST])
    elif isinstance(cell, bool):
        page.write_boolean(*at, cell)
    elif cell is not None:
        page.write_number(*at, cell)
