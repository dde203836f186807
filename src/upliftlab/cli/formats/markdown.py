"""A table in Markdown: for a job's summary or a comment on a change."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.cli.formats.told import ToldFault, counted, told
from upliftlab.cli.output import echo_block, shown
from upliftlab.config.checking import Checked
from upliftlab.errors import Severity
from upliftlab.util.markdown import escaped

_MARKS: dict[Severity, str] = {"error": "❌", "warning": "⚠️", "notice": "💡"}


def tell(checked: Checked) -> None:
    """Print the table."""
    echo_block("\n".join(_lines(checked)))


def _lines(checked: Checked) -> Iterator[str]:
    files = len(checked.files)
    yield "## upliftlab check"
    yield ""
    yield f"{counted(checked.faults)} ({files} {'file' if files == 1 else 'files'})"
    if checked.faults:
        yield ""
        yield "| | place | code | what is wrong, and the way on |"
        yield "|---|---|---|---|"
    for each in told(checked.faults):
        place = f"{escaped(shown(each.file))}:{each.line}:{each.column}" if each.file else ""
        yield f"| {_mark(each)} | {place} | {each.code} | {escaped(each.text)} |"


def _mark(fault: ToldFault) -> str:
    return f"{_MARKS[fault.severity]} {fault.severity}"
