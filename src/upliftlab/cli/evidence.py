"""How a terminal tells evidence: a line a cell, as tables that are Markdown as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from upliftlab.cli.output import echo

if TYPE_CHECKING:
    from upliftlab.results.validation import MeasuredCoverage, ScenarioResult, SimulationResult

_BROKEN = "✗"
_TITLES = {"roi": "ROI"}


def say(evidence: SimulationResult) -> None:
    """Print evidence."""
    for line in lines(evidence):
        echo(line)


def lines(evidence: SimulationResult) -> Iterator[str]:
    """The tables, one for each study, and what is to know of them."""
    for _, cells in groupby(evidence.cells, _columns):
        yield from _table(list(cells))
        yield ""
    yield (
        "Coverage in % (intervals wholly below the truth / wholly above it); p < α: false alarms "
        "(f) or power; ≤: how often it happened, and may."
    )
    worst = max((m.error or 0.0 for cell in evidence.cells for m in cell.measured), default=0.0)
    yield (
        f"{evidence.replications:,} experiments a cell, seed {evidence.seed}: Monte Carlo standard "
        f"error {100 * worst:.1f} points."
    )
    yield from _withheld(evidence)
    yield from (f"· {note}" for note in evidence.notes)
    broken = sum(not cell.holds for cell in evidence.cells)
    cells = len(evidence.cells)
    yield f"{cells - broken} of {cells} cells are as promised." + (
        f" {_BROKEN} marks what is not." if broken else ""
    )


def _columns(cell: ScenarioResult) -> tuple[object, ...]:
    """Cells with the same are one table."""
    return (cell.name.get("study"), *cell.name)


def _table(cells: Sequence[ScenarioResult]) -> Iterator[str]:
    keys = dict.fromkeys((m.method, m.measure) for cell in cells for m in cell.measured)
    rows = [
        [*cells[0].name, *_headings(list(keys))],
        *([*cell.name.values(), *_figures(cell, list(keys))] for cell in cells),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(padded)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


_Key = tuple[str, str]


def _headings(keys: Sequence[_Key]) -> Iterator[str]:
    product = [measure for method, measure in keys if method == "product"]
    yield from (_TITLES.get(measure, measure) for measure in product)
    yield "p < α"
    for number, measure in enumerate(each for method, each in keys if method == "welch"):
        yield f"{'' if number else 'Welch: '}{_TITLES.get(measure, measure)}"


def _figures(cell: ScenarioResult, keys: Sequence[_Key]) -> Iterator[str]:
    found = {(each.method, each.measure): each for each in cell.measured}
    yield from (_figure(found.get(key)) for key in keys if key[0] == "product")
    tested = next((each for each in cell.measured if each.at_most is None), None)
    share = "—" if tested is None or tested.rejected is None else f"{100 * tested.rejected:.1f}"
    yield f"{share} f" if tested is not None and tested.null else share
    yield from (_figure(found.get(key)) for key in keys if key[0] == "welch")


def _figure(found: MeasuredCoverage | None) -> str:
    if found is None:
        return "—"
    mark = f" {_BROKEN}" if found.holds is False else ""
    if found.at_most is not None:
        share = "—" if found.rejected is None else f"{100 * found.rejected:.1f}"
        return f"{share} ≤ {100 * found.at_most:.1f}{mark}"
    if found.below is None and found.above is None:
        return f"—{mark}"
    below, above = (_share(tail) for tail in (found.below, found.above))
    return f"{_share(found.coverage)} ({below}/{above}){mark}"


def _share(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f}"


def _withheld(evidence: SimulationResult) -> Iterator[str]:
    """What was not given, and why, a line for each number of a cell."""
    for cell in evidence.cells:
        for each in cell.measured:
            if each.method == "product" and (each.withheld or each.one_sided):
                told = [f"{100 * why.share:.1f} % {why.reason}" for why in each.withheld]
                told += [f"{100 * each.one_sided:.1f} % one end only"] if each.one_sided else []
                title = _TITLES.get(each.measure, each.measure)
                yield f"· {' '.join(cell.name.values())}, {title}: {'; '.join(told)}"
