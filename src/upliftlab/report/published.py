"""Results that can write their page: what the Python API hands out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import PrivateAttr

from upliftlab.money.what_if import WhatIfAnswer, changed, what_if
from upliftlab.report import render
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.look import PLAIN, Look, wearing
from upliftlab.results.analysis import Analysis
from upliftlab.results.base import Published
from upliftlab.results.inspection import Inspection
from upliftlab.text.language import Code
from upliftlab.util.files import atomic_write

P = TypeVar("P", bound="WithJson")


class WithJson(Published):
    """A result that is handed on as JSON, and knows what its page wears."""

    _look: Look = PrivateAttr(default=PLAIN)

    def to_json(self) -> bytes:
        """The JSON that the command writes, the same bytes for the same value."""
        return to_json(self)

    def _written(self, path: str | Path, make: Callable[[], str]) -> Path:
        """Write a page and return its path."""
        with wearing(self._look):
            atomic_write(Path(path), make().encode())
        return Path(path)


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
        return self._written(path, lambda: render.render(self, lang=lang))

    def what_if(self, **terms: float | Mapping[str, float]) -> WhatIfAnswer:
        """What would have been found, had margin or costs been others; the response is held.

        Args:
            terms: `margin`, `hurdle`, `customers` of a roll-out, or a rate such as
                `cost_per_redemption`, for all treated arms or by arm.

        Raises:
            DataError: UL670 the analysis holds nothing to answer from, UL671 there is no such term,
                UL672 a value is none that the term can have, UL673 there is no such arm.
        """
        return what_if(self, changed(self, terms))


class InspectionReport(WithJson, Inspection):
    """What was understood of files."""


def published(kind: type[P], found: Published, look: Look = PLAIN) -> P:
    """A result as one that can be handed on; its values are the same objects."""
    made = kind.model_construct(found.model_fields_set, **dict(found))
    made._look = look  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no value of its own
    return made
