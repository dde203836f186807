"""The page about responses: whom it pays to contact, decided before a template sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from upliftlab.report.advice import Advice, advice
from upliftlab.report.derivation import Derivation, derivation
from upliftlab.report.estimates import to_csv
from upliftlab.report.export import rounded, to_json
from upliftlab.report.figure import Formatter
from upliftlab.report.gain import Gain, gains
from upliftlab.report.gate import gates
from upliftlab.report.grid import Grid, valued
from upliftlab.report.interval import Interval, Scale, draw
from upliftlab.report.methods import ProvenanceView, origin
from upliftlab.report.policy import PolicyNode, came_true, policies, tree
from upliftlab.report.published import WithJson, written
from upliftlab.report.quantity import unit_form
from upliftlab.report.ranking import deciles, learners, responders, sleeping
from upliftlab.report.render import content_hash, environment, shipped_text
from upliftlab.report.view import Download, download, packed_download
from upliftlab.results.uplift import UpliftResult
from upliftlab.text.language import Code, Language
from upliftlab.util.files import atomic_write, safe_name

_SHEETS: Final = ("report.css", "curve.css", "uplift.css")


@dataclass(frozen=True, slots=True)
class Ranked:
    """What is known of an arm whose gate is open; a part that was not computed is None."""

    arm: str
    deciles: Grid | None
    curves: tuple[Gain, ...]
    qini: Interval | None
    learners: Grid | None
    other_qini: bool
    """Whether the table of learners holds scikit-uplift's Qini coefficient."""
    responders: Grid | None


@dataclass(frozen=True, slots=True)
class UpliftPage:
    """The page's content in its order."""

    title: str
    experiment: str
    """Nothing more is said of who takes part than the report says."""
    open: bool
    advice: Advice
    gates: Grid
    shut: tuple[str, ...]
    """Arms whose gate is shut."""
    ranked: tuple[Ranked, ...]
    cost: tuple[Gain, ...]
    policies: Grid
    came_true: Grid | None
    tree: PolicyNode | None
    sleeping: Grid | None
    derivation: Derivation
    origin: ProvenanceView
    csv: Download
    json: Download
    embedded: str
    """The responses as JSON that can stand inside a script element."""


def render(responses: UpliftResult, *, lang: Code = "en") -> str:
    """The page as HTML: the same text for the same responses and language."""
    published, language = rounded(responses), Language(lang)
    css = shipped_text(*_SHEETS)
    return (
        environment(lang)
        .get_template("uplift.html.j2")
        .render(
            page=page(published, Formatter(language, published.currency)),
            lang=language.tag,
            style=css,
            style_hash=content_hash(css),
        )
    )


def write(responses: UpliftResult, path: Path, lang: Code = "en") -> None:
    """Write the page.

    Raises:
        OutputError: UL601, where it cannot be written.
    """
    atomic_write(path, render(responses, lang=lang).encode())


def page(responses: UpliftResult, formatter: Formatter) -> UpliftPage:
    """The page of responses whose numbers are already those to publish."""
    data, stem = to_json(responses), safe_name(responses.experiment)
    ranking = responses.open
    return UpliftPage(
        title=responses.title,
        experiment=responses.experiment,
        open=ranking,
        advice=advice(responses, formatter),
        gates=gates(responses, formatter),
        shut=tuple(gate.arm for gate in responses.gates if not gate.open),
        ranked=tuple(_ranked(responses, formatter)) if ranking else (),
        cost=gains(None, responses, formatter) if ranking else (),
        policies=policies(responses, formatter),
        came_true=came_true(responses, formatter),
        tree=tree(responses, formatter),
        sleeping=sleeping(responses, formatter) if ranking else None,
        derivation=derivation(responses, formatter),
        origin=origin(responses, formatter),
        csv=download(f"{stem}_uplift.csv", "text/csv;charset=utf-8", to_csv(responses)),
        json=packed_download(f"{stem}_uplift.json", "application/json", data),
        embedded=data.decode().replace("<", "\\u003c"),
    )


def _ranked(responses: UpliftResult, formatter: Formatter) -> Iterator[Ranked]:
    """The arms whose gate is open, in the plan's order."""
    for i, gate in enumerate(responses.gates):
        if not gate.open:
            continue
        form = unit_form(responses.unit)
        qini = draw([valued(gate.qini, f"/gates/{i}/qini")], Scale(form, ()), formatter)
        yield Ranked(
            arm=gate.arm,
            deciles=deciles(gate.arm, responses, formatter),
            curves=gains(gate.arm, responses, formatter),
            qini=qini.intervals[0],
            learners=learners(gate.arm, responses, formatter),
            other_qini=any(
                one.qini_auc is not None for one in responses.learners if one.arm == gate.arm
            ),
            responders=responders(gate.arm, responses, formatter),
        )


class UpliftReport(WithJson, UpliftResult):
    """Who responds to what, with its page."""

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page; raises as `AnalysisReport.report`."""
        return written(path, render(self, lang=lang))
