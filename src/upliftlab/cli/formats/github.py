"""Annotations of GitHub Actions: faults beside the lines of a pull request."""

from __future__ import annotations

from upliftlab.cli.formats.told import ToldFault, told
from upliftlab.cli.output import WorkflowCommand, echo_command
from upliftlab.config.checking import Checked


def tell(checked: Checked) -> None:
    """Print a workflow command for every fault."""
    for each in told(checked.faults):
        echo_command(annotation(each))


def annotation(fault: ToldFault) -> WorkflowCommand:
    """A fault as a workflow command."""
    where = {} if fault.file is None else {
        "file": fault.file, "line": fault.line, "col": fault.column,
    }  # fmt: skip
    return WorkflowCommand(fault.severity, {**where, "title": fault.code}, fault.text)
