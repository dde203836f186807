"""What commands print beside their results: faults and progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click

from upliftlab.errors import Fault

FAULTY = 1
"""The exit code where faults were found."""
STOPPED = 130
"""The exit code after Ctrl-C, as shells have it."""


@contextmanager
def progress(*, quiet: bool) -> Generator[Callable[[str], None]]:
    """A status line on a terminal's standard error; silent where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console

    with Console(stderr=True).status("Starting") as status:
        yield lambda step: status.update(f"{step} …")


def painted(fault: Fault) -> str:
    """A fault as text, its code in colour; click drops colour where it is not wanted."""
    colour = "red" if fault.severity == "error" else "yellow"
    return str(fault).replace(fault.code, click.style(fault.code, fg=colour), 1)


def as_dict(fault: Fault) -> dict[str, str | int | None]:
    """A fault as a mapping for JSON."""
    place = fault.place
    return {
        "code": fault.code,
        "severity": fault.severity,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": fault.message,
        "remedy": fault.remedy,
    }


def annotation(fault: Fault) -> str:
    """A fault as a workflow command of GitHub Actions."""
    place = fault.place
    where = f"file={place.file},line={place.line or 1},col={place.column or 1}," if place else ""
    text = f"{fault.message}; {fault.remedy}" if fault.remedy else fault.message
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, code)
    return f"::{fault.severity} {where}title={fault.code}::{text}"
