"""Results that can write their page: what the Python API hands out."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from upliftlab.report import outlook, render, uplift
from upliftlab.report.export import to_csv, to_json
from upliftlab.results.analysis import Analysis
from upliftlab.results.base import Published
from upliftlab.results.plan import PowerReport
from upliftlab.results.targets import Targets
from upliftlab.results.uplift import UpliftResult
from upliftlab.text.language import Code
from upliftlab.util.files import atomic_write

P = TypeVar("P", bound=Published)


class WithJson(Published):
    """A result that is handed on as JSON."""

    def to_json(self) -> bytes:
        """The JSON that the command writes, the same bytes for the same value."""
        return to_json(self)


class AnalysisReport(WithJson, Analysis):
    """An analysis with its page."""

    def to_csv(self) -> bytes:
        """The findings for a spreadsheet."""
        return to_csv(self)

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page, one HTML file that asks nobody for anything.

        Raises:
            OutputError: UL601, where it cannot be written.
        """
        return _written(path, render.render(self, lang=lang))


class PlanReport(WithJson, PowerReport):
    """What a campaign can find out, with its page."""

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page; raises as `AnalysisReport.report`."""
        return _written(path, outlook.render(self, lang=lang))


class UpliftReport(WithJson, UpliftResult):
    """Who responds to what, with its page."""

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page; raises as `AnalysisReport.report`."""
        return _written(path, uplift.render(self, lang=lang))


class TargetsReport(WithJson, Targets):
    """What a next campaign's list holds."""


def published(kind: type[P], found: Published) -> P:
    """A result as one that can be handed on; its values are the same objects."""
    return kind.model_construct(found.model_fields_set, **dict(found))


def _written(path: str | Path, page: str) -> Path:
    atomic_write(Path(path), page.encode())
    return Path(path)
