"""The only way to a terminal: every text is cleaned here, and nothing else prints.

Names, titles, file names, values and servers' messages come from others. `echo` shows what of
them cannot be seen and hides secrets; colours are said apart from the text they are for.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from upliftlab.errors import Diagnostic
from upliftlab.util.masking import masked
from upliftlab.util.visible import json_escape, visible, visible_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

FAULTY = 1
"""The exit code where faults were found."""
_WIDTH = 100
"""Columns of a table where nothing tells how wide the output is."""
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Styled:
    """A text and how it is shown where colour is wanted."""

    text: str
    fg: str | None = None
    bold: bool | None = None

    def __str__(self) -> str:
        return click.style(shown(self.text), fg=self.fg, bold=self.bold)


@dataclass(frozen=True, slots=True)
class WorkflowCommand:
    r"""A command to GitHub Actions, in which nothing else can be one.

    >>> print(WorkflowCommand("error", {"file": "a,b:c.yaml"}, "50% of\n::error::it"))
    ::error file=a%2Cb%3Ac.yaml::50%25 of\n::error::it
    """

    name: str
    properties: Mapping[str, object]
    message: str

    def __str__(self) -> str:
        said = ",".join(f"{key}={_property(value)}" for key, value in self.properties.items())
        return f"::{self.name} {said}::{_escaped(shown(self.message))}"


def shown(text: object) -> str:
    """Anything as one line without secrets, in which everything can be seen."""
    return visible(masked(str(text)))


def echo(*parts: object, err: bool = False) -> None:
    """Print one line, cleaned; parts that are `Styled` keep their colour."""
    line = "".join(str(part) if isinstance(part, Styled) else shown(part) for part in parts)
    _write(line, err=err)


def echo_block(text: str, *, err: bool = False) -> None:
    """Print a text whose line breaks are the product's own, each line cleaned."""
    for line in text.rstrip("\n").split("\n"):
        echo(line, err=err)


def echo_json(text: str | bytes) -> None:
    """Print JSON, which stays JSON: hidden signs become its escapes, secrets are masked."""
    said = text.decode() if isinstance(text, bytes) else text
    said = _JSON_TEXT.sub(lambda found: masked(found[0]), visible_json(said))
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        said.encode(encoding)
    except UnicodeEncodeError:
        said = "".join(char if char.isascii() else json_escape(char) for char in said)
    _write(said.removesuffix("\n"), err=False)


def echo_command(command: WorkflowCommand) -> None:
    """Print a command to GitHub Actions: the one text that a build server shall obey."""
    _write(str(command), err=False)


def echo_table(table: Table) -> None:
    """Print a table made by `tables.table`, whose cells are clean."""
    console().print(table)


def console() -> Console:
    """Standard output for tables: as wide as it is, and colourless where colour is not wanted."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH
    return Console(
        width=width, no_color="NO_COLOR" in os.environ, highlight=False, soft_wrap=width is not None
    )


def _write(line: str, *, err: bool) -> None:
    """Hand a clean line to the terminal; nobody can be told that standard error is closed."""
    try:
        click.echo(line, err=err)
    except OSError:
        if not err:
            raise


@contextmanager
def progress(*, quiet: bool) -> Generator[Callable[[str], None]]:
    """A status line on a terminal's standard error; silent where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("Starting") as status:
        yield lambda step: status.update(Text(f"{shown(step)} …"))


def echo_fault(fault: Diagnostic, *, err: bool = True) -> None:
    """Print a fault, its code in colour; click drops colour where it is not wanted."""
    colour = {"error": "red", "warning": "yellow"}.get(fault.severity, "cyan")
    before, code, after = str(fault).partition(fault.code)
    echo(before, Styled(code, fg=colour), after, err=err)


def _escaped(text: str) -> str:
    """A workflow command's message: no sign of it is read as its end."""
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, code)
    return text


def _property(value: object) -> str:
    """A workflow command's property, which a colon or a comma would end."""
    return _escaped(shown(value)).replace(":", "%3A").replace(",", "%2C")


def ready_streams() -> None:
    """Make standard output and error fit for any text, and harmless where they are closed."""
    for number in range(3):  # else the next file that is opened would take a stream's place
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - it is where it was closed
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison] - the same
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence_output() -> None:
    """Let nothing more be written to standard output, whose reader or room is gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
