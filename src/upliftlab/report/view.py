"""Everything the page says, decided before a template sees it."""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import dataclass
from typing import Final

from upliftlab.report.bridge import Waterfall, waterfalls
from upliftlab.report.effects import Breakdown, breakdowns, metrics, money
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.figure import Formatter
from upliftlab.report.index import Index
from upliftlab.report.methods import Methods, ProvenanceView, methods, origin
from upliftlab.report.table import Table
from upliftlab.report.trust import Trust, trust
from upliftlab.report.verdict import VerdictView, answer
from upliftlab.results.analysis import Analysis, VerdictCode

_LARGE: Final = 60_000
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
class Page:
    """The page's content in its order."""

    title: str
    experiment: str
    owner: str | None
    hypothesis: str | None
    plan_sha256: str
    eligible: str | None
    invalid: bool
    provisional: bool
    sharpened: bool
    """Whether profit is of arms made alike in what was known before: adjusted, or by strata."""
    adjusted: bool
    """Whether profit and return are adjusted for covariates."""
    answer: VerdictView
    trust: Trust
    money: Table | None
    waterfalls: tuple[Waterfall, ...]
    metrics: tuple[Table, ...]
    breakdowns: tuple[Breakdown, ...]
    shrunken: bool
    """Whether any row has a shrunken estimate beside its own."""
    methods: Methods
    origin: ProvenanceView
    csv: Download
    json: Download
    embedded: str
    """The analysis as JSON that can stand inside a script element."""


def page(analysis: Analysis, teller: Formatter) -> Page:
    """The page of an analysis whose numbers are already those to publish."""
    index = Index(analysis)
    invalid = analysis.verdict.code is VerdictCode.invalid
    data = to_json(analysis)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", analysis.experiment)[:60] or "experiment"
    parts = () if invalid else breakdowns(index, teller)
    return Page(
        title=analysis.title,
        experiment=analysis.experiment,
        owner=analysis.owner,
        hypothesis=analysis.hypothesis,
        plan_sha256=analysis.plan_sha256,
        eligible=analysis.eligible,
        invalid=invalid,
        adjusted=any(f.method.startswith("lin") for f in analysis.findings),
        sharpened=any("lin" in f.method or "strata" in f.method for f in analysis.findings),
        provisional=analysis.verdict.code is VerdictCode.not_final,
        answer=answer(index, teller),
        trust=trust(analysis, teller),
        money=None if invalid else money(index, teller),
        waterfalls=waterfalls(index, teller),
        metrics=() if invalid else metrics(index, teller),
        breakdowns=parts,
        shrunken=any(part.table.shrunken for part in parts),
        methods=methods(analysis, teller, with_terms=not invalid),
        origin=origin(analysis.provenance, analysis.data, teller),
        csv=download(f"{stem}_findings.csv", "text/csv;charset=utf-8", to_csv(analysis)),
        json=json_download(f"{stem}_analysis.json", data),
        embedded=data.decode().replace("<", "\\u003c"),
    )


def json_download(name: str, content: bytes) -> Download:
    """JSON as an address that holds it, compressed where it is large."""
    if len(content) <= _LARGE:
        return download(name, "application/json", content)
    return download(f"{name}.gz", "application/gzip", gzip.compress(content, mtime=0))


def download(name: str, kind: str, content: bytes) -> Download:
    """A file as an address that holds it."""
    return Download(name, f"data:{kind};base64,{base64.b64encode(content).decode()}")
