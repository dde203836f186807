"""Tables in a terminal: as wide as it is, and colourless where colour is not wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from upliftlab.cli.output import shown


def table(head: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> Table:
    """A table whose names are taken literally, whatever signs they hold.

    Titles of columns and cells may have several lines; names are one.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    made.add_column(Text(_clean(head)), overflow="fold")
    for column in columns:
        made.add_column(_lines(column), justify="right", overflow="fold")
    for name, cells in rows:
        made.add_row(Text(_clean(name), style="bold"), *map(_lines, cells))
    return made


def _lines(text: str) -> Text:
    return Text("\n".join(map(_clean, text.split("\n"))))


def _clean(text: str) -> str:
    """A cleaned line; it may be folded at any place, so that no part of it may be a command."""
    return shown(text).replace("::", ":\\x3a")
