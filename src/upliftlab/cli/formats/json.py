"""A list of faults, for programs: every text as it is."""

from __future__ import annotations

import json
from typing import Any

from upliftlab.cli.output import echo_json
from upliftlab.config.checking import Checked
from upliftlab.config.mending import end_of
from upliftlab.errors import Diagnostic, Repair


def tell(checked: Checked) -> None:
    """Print the list."""
    echo_json(faults_json(checked.faults))


def faults_json(faults: tuple[Diagnostic, ...]) -> str:
    """Faults as JSON; half a character, as in a file's name that is no text, is replaced."""
    text = json.dumps([_dict(fault) for fault in faults], ensure_ascii=False, indent=1)
    return text.encode("utf-8", "replace").decode()


def _dict(fault: Diagnostic) -> dict[str, Any]:
    place = fault.place
    return {
        "code": fault.code,
        "severity": fault.severity,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": fault.message,
        "remedy": fault.remedy,
        "repair": _repair(fault.repair) if fault.repair else None,
        "shares": dict(fault.shares) if fault.shares else None,
    }


def _repair(repair: Repair) -> dict[str, Any]:
    """What to write from a place on, up to where another is; the end belongs to it no more."""
    line, column = end_of(repair.place)
    return {
        "line": repair.place.line,
        "column": repair.place.column,
        "end_line": line,
        "end_column": column,
        "text": repair.instead,
    }
