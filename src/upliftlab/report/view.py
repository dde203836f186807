"""Everything the page says, decided before a template sees it: its sections, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.report.beliefs import beliefs
from upliftlab.report.effects import Breakdowns, breakdowns, compared, metrics, money
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.figure import Formatter
from upliftlab.report.index import Index
from upliftlab.report.methods import Methods, ProvenanceView, methods, origin
from upliftlab.report.over_time import over_time
from upliftlab.report.quantiles import quantiles
from upliftlab.report.sections import Download, Page, Part, Section, packed_download, shown
from upliftlab.report.trust import Flow, Trust, flow, trust
from upliftlab.report.verdict import answer
from upliftlab.report.what_if import what_if
from upliftlab.results.analysis import Analysis, VerdictCode
from upliftlab.text.language import N_

_MAILED: Final = 1_000_000
"""Bytes of JSON beyond which the page leaves out what it does not show itself."""


@dataclass(frozen=True, slots=True)
class Downloads:
    """The files that lie inside the page.

    Attributes:
        csv: The findings; None where they are too many to lie in a page twice.
        json: The analysis; of a large one without the levels' moments.
        whole: Whether nothing is left out.
    """

    csv: Download | None
    json: Download
    whole: bool


def page(analysis: Analysis, formatter: Formatter) -> Page:
    """The page of an analysis whose numbers are already those to publish."""
    index = Index(analysis)
    invalid = analysis.verdict.code is VerdictCode.invalid
    told = [section for section in SECTIONS if not (invalid and section.withheld)]
    return Page(
        title=analysis.title,
        experiment=analysis.experiment,
        owner=analysis.owner,
        hypothesis=analysis.hypothesis,
        label=answer(index, formatter).label,
        created=formatter.language.date(analysis.provenance.created),
        sections=tuple(shown(told, index, formatter)),
        find=formatter.text(N_("Find a segment")),
        invalid=invalid,
        provisional=analysis.verdict.code is VerdictCode.not_final,
    )


def downloads(index: Index, _teller: Formatter) -> Downloads:
    """The findings as CSV and the analysis as JSON, from which the page's scripts compute."""
    analysis = index.analysis
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", analysis.experiment)[:60] or "experiment"
    content = to_json(analysis)
    whole = len(content) <= _MAILED
    if not whole:
        overall = tuple(cell for cell in analysis.moments if cell.dimension is None)
        content = to_json(analysis.model_copy(update={"moments": overall}))
    sheet = to_csv(analysis) if whole else None
    csv = sheet and packed_download(f"{stem}_findings.csv", "text/csv;charset=utf-8", sheet)
    return Downloads(
        csv=csv or None,
        json=packed_download(f"{stem}_analysis.json", "application/json", content),
        whole=whole,
    )


def _withheld(index: Index, _formatter: Formatter) -> bool:
    return index.analysis.verdict.code is VerdictCode.invalid


def _trust(index: Index, formatter: Formatter) -> Trust:
    return trust(index.analysis, formatter)


def _flow(index: Index, formatter: Formatter) -> Flow | None:
    return flow(index.analysis, formatter)


def _methods(index: Index, formatter: Formatter) -> Methods:
    return methods(index.analysis, formatter)


def _origin(index: Index, formatter: Formatter) -> ProvenanceView:
    return origin(index.analysis, formatter)


def _dimensions(content: Breakdowns) -> Iterator[Part]:
    return (Part(one.title, one.anchor) for one in content.dimensions)


SECTIONS: Final[tuple[Section[Index], ...]] = (
    Section("verdict", answer, N_("Verdict")),
    Section("decision", answer, N_("How it was decided")),
    Section("money", money, N_("Profit and return"), withheld=True),
    Section("over_time", over_time, N_("Over time"), withheld=True),
    Section("what_if", what_if, N_("What would change the answer"), withheld=True),
    Section("beliefs", beliefs, N_("A Bayesian view of profit"), withheld=True),
    Section("breakdowns", breakdowns, N_("By segment"), withheld=True, parts=_dimensions),
    Section("metrics", metrics, N_("Metrics"), withheld=True),
    Section("quantiles", quantiles, N_("Quantiles"), withheld=True),
    Section("compared", compared, N_("Arm against arm"), withheld=True),
    Section("withheld", _withheld, N_("Effects and money")),
    Section("trust", _trust, N_("Can these numbers be trusted?")),
    Section("flow", _flow, N_("From all customers to those analysed")),
    Section("methods", _methods, N_("Methods")),
    Section("provenance", _origin, N_("Provenance")),
    Section("downloads", downloads, N_("Downloads")),
)
"""The sections of the page, in their order."""
