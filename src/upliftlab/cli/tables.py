"""Tables in a terminal: as wide as it is, and colourless where colour is not wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH: Final = 100
"""Columns where nothing tells how wide the output is."""


def console() -> Console:
    """Standard output."""
    width = None if sys.stdout.isatty() else _WIDTH
    return Console(
        width=width, no_color="NO_COLOR" in os.environ, highlight=False, soft_wrap=width is not None
    )


def table(head: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> Table:
    """A table whose names are taken literally, whatever signs they hold."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    made.add_column(Text(head), overflow="fold")
    for column in columns:
        made.add_column(Text(column), justify="right", overflow="fold")
    for name, cells in rows:
        made.add_row(Text(name, style="bold"), *(Text(cell) for cell in cells))
    return made
