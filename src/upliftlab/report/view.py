"""Everything the page says, decided before a template sees it: its sections, in their order."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from upliftlab.report.effects import breakdowns, compared, metrics, money
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.figure import Formatter
from upliftlab.report.index import Index
from upliftlab.report.methods import methods, origin
from upliftlab.report.trust import flow, trust
from upliftlab.report.verdict import answer
from upliftlab.results.analysis import Analysis, VerdictCode

_LARGE: Final = 64_000
"""Bytes of JSON from which the copy to download is compressed, so that the page can be mailed."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that lies inside the page."""

    name: str
    address: str

    @property
    def compressed(self) -> bool:
        """Whether it has to be unpacked before it is read."""
        return self.name.endswith(".gz")


@dataclass(frozen=True, slots=True)
class Downloads:
    """The files that lie inside the page."""

    csv: Download
    json: Download


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        name: Its template's, without `.html.j2`; there its content is called `part`.
        content: What it says of an analysis; nothing (None, or empty) leaves it out.
        withheld: Whether it tells numbers, which are not shown where a critical check failed.
    """

    name: str
    content: Callable[[Index, Formatter], object | None]
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section with something to say."""

    template: str
    content: object


@dataclass(frozen=True, slots=True)
class Page:
    """The page's head and its sections."""

    title: str
    experiment: str
    owner: str | None
    hypothesis: str | None
    label: str
    """The verdict in a word."""
    created: str
    invalid: bool
    provisional: bool
    sections: tuple[ShownSection, ...]
    embedded: str
    """The analysis as JSON that can stand inside a script element."""


def page(analysis: Analysis, formatter: Formatter) -> Page:
    """The page of an analysis whose numbers are already those to publish."""
    index = Index(analysis)
    invalid = analysis.verdict.code is VerdictCode.invalid
    told = [section for section in SECTIONS if not (invalid and section.withheld)]
    contents = [(section.name, section.content(index, formatter)) for section in told]
    return Page(
        title=analysis.title,
        experiment=analysis.experiment,
        owner=analysis.owner,
        hypothesis=analysis.hypothesis,
        label=answer(index, formatter).label,
        created=formatter.language.date(analysis.provenance.created),
        invalid=invalid,
        provisional=analysis.verdict.code is VerdictCode.not_final,
        sections=tuple(ShownSection(f"{name}.html.j2", part) for name, part in contents if part),
        embedded=to_json(analysis).decode().replace("<", "\\u003c"),
    )


def downloads(index: Index, _teller: Formatter) -> Downloads:
    """The findings as CSV and the analysis as JSON."""
    analysis = index.analysis
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", analysis.experiment)[:60] or "experiment"
    return Downloads(
        csv=download(f"{stem}_findings.csv", "text/csv;charset=utf-8", to_csv(analysis)),
        json=json_download(f"{stem}_analysis.json", to_json(analysis)),
    )


def json_download(name: str, content: bytes) -> Download:
    """JSON as an address that holds it, compressed where it is large."""
    if len(content) <= _LARGE:
        return download(name, "application/json", content)
    return download(f"{name}.gz", "application/gzip", gzip.compress(content, mtime=0))


def download(name: str, kind: str, content: bytes) -> Download:
    """A file as an address that holds it."""
    return Download(name, f"data:{kind};base64,{base64.b64encode(content).decode()}")


SECTIONS: Final = (
    Section("verdict", answer),
    Section("trust", lambda index, formatter: trust(index.analysis, formatter)),
    Section("flow", lambda index, formatter: flow(index.analysis, formatter)),
    Section("withheld", lambda index, _: index.analysis.verdict.code is VerdictCode.invalid),
    Section("money", money, withheld=True),
    Section("metrics", metrics, withheld=True),
    Section("compared", compared, withheld=True),
    Section("breakdowns", breakdowns, withheld=True),
    Section("methods", lambda index, formatter: methods(index.analysis, formatter)),
    Section("provenance", lambda index, formatter: origin(index.analysis, formatter)),
    Section("downloads", downloads),
)
"""The sections of the page, in their order."""
