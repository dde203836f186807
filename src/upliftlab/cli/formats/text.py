"""A line a fault, for people."""

from __future__ import annotations

from upliftlab.cli.output import echo_fault
from upliftlab.config.checking import Checked


def tell(checked: Checked) -> None:
    """Print every fault in its colour."""
    for fault in checked.faults:
        echo_fault(fault, err=False)
