"""A next campaign's list as what the Python API hands out."""

from __future__ import annotations

from upliftlab.report.published import WithJson
from upliftlab.results.targets import Targets


class TargetsReport(WithJson, Targets):
    """What a next campaign's list holds."""
