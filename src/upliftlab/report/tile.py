"""A number of the first screen."""

from __future__ import annotations

from dataclasses import dataclass

from upliftlab.report.figure import Figure


@dataclass(frozen=True, slots=True)
class NumberTile:
    """A number, with the ends of its interval or what it is read beside."""

    title: str
    figure: Figure
    low: Figure | None = None
    high: Figure | None = None
    beside_title: str = ""
    beside: Figure | None = None
