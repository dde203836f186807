"""How a terminal tells evidence: a line a cell, as a table that is Markdown as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from upliftlab.cli.output import echo

if TYPE_CHECKING:
    from upliftlab.results.validation import MeasuredCoverage, ScenarioResult, SimulationResult

_BROKEN = "✗"
_NUMBERS = ("difference", "profit", "roi")


def say(evidence: SimulationResult) -> None:
    """Print evidence."""
    for line in lines(evidence):
        echo(line)


def lines(evidence: SimulationResult) -> Iterator[str]:
    """The table and what is to know of it."""
    names = list(evidence.cells[0].name)
    head = [*names, "difference", "profit", "ROI", "p < α", "Welch: difference", "profit", "ROI"]
    rows = [head, *([*cell.name.values(), *_figures(cell)] for cell in evidence.cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for number, row in enumerate(rows):
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(padded)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    yield ""
    yield (
        "Coverage in % (intervals wholly below the truth / wholly above it); p < α: false alarms "
        "(f) or power."
    )
    worst = max((m.error or 0.0 for cell in evidence.cells for m in cell.measured), default=0.0)
    yield (
        f"{evidence.replications:,} experiments a cell, seed {evidence.seed}: Monte Carlo standard "
        f"error {100 * worst:.1f} points."
    )
    yield from (f"· {note}" for note in evidence.notes)
    broken = sum(not cell.holds for cell in evidence.cells)
    cells = len(evidence.cells)
    yield f"{cells - broken} of {cells} cells are as promised." + (
        f" {_BROKEN} marks what is not." if broken else ""
    )


def _figures(cell: ScenarioResult) -> Iterator[str]:
    found = {(each.method, each.measure): each for each in cell.measured}
    for number in _NUMBERS:
        yield _coverage(found.get(("product", number)))
    tested = found["product", "difference"]
    share = "—" if tested.rejected is None else f"{100 * tested.rejected:.1f}"
    yield f"{share} f" if tested.null else share
    for number in _NUMBERS:
        yield _coverage(found.get(("welch", number)))


def _coverage(found: MeasuredCoverage | None) -> str:
    if found is None or found.coverage is None or found.below is None or found.above is None:
        return "—"
    mark = f" {_BROKEN}" if found.holds is False else ""
    return f"{100 * found.coverage:.1f} ({100 * found.below:.1f}/{100 * found.above:.1f}){mark}"
