"""GitLab's Code Quality report: faults in a merge request, the new ones and those that are gone.

A list in the form of Code Climate's issues, of which GitLab reads a description, a check's name, a
fingerprint, a severity, a path and a line.
"""

from __future__ import annotations

import json
from typing import Any, Final

from upliftlab.cli.formats.told import ToldFault, told
from upliftlab.cli.output import echo_json, shown
from upliftlab.config.checking import Checked
from upliftlab.errors import Severity

_SEVERITIES: Final[dict[Severity, str]] = {"error": "major", "warning": "minor", "notice": "info"}


def tell(checked: Checked) -> None:
    """Print the report."""
    report = [_issue(each) for each in told(checked.faults)]
    echo_json(json.dumps(report, ensure_ascii=False, indent=1))


def _issue(fault: ToldFault) -> dict[str, Any]:
    return {
        "description": fault.text,
        "check_name": fault.code,
        "fingerprint": fault.fingerprint,
        "severity": _SEVERITIES[fault.severity],
        "location": {"path": shown(fault.file or "."), "lines": {"begin": fault.line}},
    }
