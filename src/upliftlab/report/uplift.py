"""The page about responses: whom it pays to contact, decided before a template sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from upliftlab.report.advice import advice
from upliftlab.report.derivation import derivation
from upliftlab.report.estimates import to_csv
from upliftlab.report.export import rounded, to_json
from upliftlab.report.figure import Formatter, Sentence
from upliftlab.report.gain import Gain, gains
from upliftlab.report.gate import gates
from upliftlab.report.grid import Grid, valued
from upliftlab.report.interval import Interval, Scale, draw
from upliftlab.report.methods import origin
from upliftlab.report.policy import came_true, policies, tree
from upliftlab.report.published import WithJson
from upliftlab.report.quantity import unit_form
from upliftlab.report.ranking import deciles, learners, responders, sleeping
from upliftlab.report.render import framed
from upliftlab.report.sections import (
    Download,
    Page,
    PageLink,
    Part,
    Section,
    download,
    packed_download,
    shown,
)
from upliftlab.report.tenths import fall
from upliftlab.results.uplift import HeterogeneityGate, UpliftResult
from upliftlab.text.language import N_, Code, Language
from upliftlab.util.files import atomic_write, safe_name

_SHEETS: Final = ("report.css", "curve.css", "uplift.css")
_SCRIPTS: Final = ("data.js", "report.js")


@dataclass(frozen=True, slots=True)
class Gates:
    """The gate arm by arm."""

    gates: Grid
    open: bool
    shut: tuple[str, ...]
    """Arms whose gate is shut."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What the order of customers brings for an arm whose gate is open."""

    arm: str
    anchor: str
    deciles: Grid | None
    falls: Sentence | None
    """What to think of tenths that do not fall; None where they do."""
    curves: tuple[Gain, ...]
    qini: Interval | None
    other_qini: bool
    """Whether the table of learners holds scikit-uplift's Qini coefficient."""


@dataclass(frozen=True, slots=True)
class Valued:
    """The policies, and what came of the models' predictions."""

    policies: Grid
    came_true: Grid | None


@dataclass(frozen=True, slots=True)
class Files:
    """The files that lie inside the page."""

    csv: Download
    json: Download


def render(responses: UpliftResult, *, lang: Code = "en", beside: Sequence[PageLink] = ()) -> str:
    """The page as HTML: the same text for the same responses and language."""
    published = rounded(responses, lang)
    made = page(published, Formatter(Language(lang), published.currency, published.arm_titles))
    return framed(made, lang, _SHEETS, _SCRIPTS, beside)


def write(responses: UpliftResult, path: Path, lang: Code = "en") -> None:
    """Write the page.

    Raises:
        OutputError: UL601, where it cannot be written.
    """
    atomic_write(path, render(responses, lang=lang).encode())


def page(responses: UpliftResult, formatter: Formatter) -> Page:
    """The page of responses whose numbers are already those to publish."""
    return Page(
        title=responses.title,
        experiment=responses.experiment,
        owner=None,
        hypothesis=None,
        label=formatter.text(N_("Whom to contact")),
        created=formatter.language.date(responses.provenance.created),
        sections=tuple(shown(SECTIONS, responses, formatter)),
        find=formatter.text(N_("Find an arm, a rule or a feature")),
        kind=formatter.text(N_("Whom to contact")),
    )


def _gates(responses: UpliftResult, formatter: Formatter) -> Gates:
    shut = tuple(formatter.called(gate.arm) for gate in responses.gates if not gate.open)
    return Gates(gates(responses, formatter), responses.open, shut)


def _open(responses: UpliftResult) -> Iterator[tuple[int, HeterogeneityGate]]:
    """The gates that are open, in the plan's order."""
    for i, gate in enumerate(responses.gates):
        if responses.open and gate.open:
            yield i, gate


def _ranked(responses: UpliftResult, formatter: Formatter) -> tuple[Ranked, ...]:
    """The arms whose gate is open and of which there is something to show."""
    made: list[Ranked] = []
    for i, gate in _open(responses):
        form = unit_form(responses.unit)
        qini = draw([valued(gate.qini, f"/gates/{i}/qini")], Scale(form, ()), formatter)
        learned = [one for one in responses.learners if one.arm == gate.arm]
        made.append(
            Ranked(
                arm=formatter.called(gate.arm),
                anchor=f"order{i}",
                deciles=deciles(gate.arm, responses, formatter),
                falls=fall(gate.arm, responses, formatter),
                curves=gains(gate.arm, responses, formatter),
                qini=qini.intervals[0],
                other_qini=any(one.qini_auc is not None for one in learned),
            )
        )
    return tuple(one for one in made if one.deciles is not None or one.curves)


def _cost(responses: UpliftResult, formatter: Formatter) -> tuple[Gain, ...]:
    return gains(None, responses, formatter) if responses.open else ()


def _policies(responses: UpliftResult, formatter: Formatter) -> Valued:
    return Valued(policies(responses, formatter), came_true(responses, formatter))


def _by_arm(
    table: Callable[[str, UpliftResult, Formatter], Grid | None],
) -> Callable[[UpliftResult, Formatter], tuple[Grid, ...]]:
    """A table for each arm whose gate is open."""

    def made(responses: UpliftResult, formatter: Formatter) -> tuple[Grid, ...]:
        found = (table(gate.arm, responses, formatter) for _, gate in _open(responses))
        return tuple(each for each in found if each is not None)

    return made


def _sleeping(responses: UpliftResult, formatter: Formatter) -> Grid | None:
    return sleeping(responses, formatter) if responses.open else None


def _files(responses: UpliftResult, _formatter: Formatter) -> Files:
    stem = safe_name(responses.experiment)
    return Files(
        download(f"{stem}_uplift.csv", "text/csv;charset=utf-8", to_csv(responses)),
        packed_download(f"{stem}_uplift.json", "application/json", to_json(responses)),
    )


def _arms(content: tuple[Ranked, ...]) -> Iterator[Part]:
    return (Part(one.arm, one.anchor) for one in content)


SECTIONS: Final[tuple[Section[UpliftResult], ...]] = (
    Section("uplift/answer", advice, N_("Answer")),
    Section("uplift/gate", _gates, N_("Do customers respond differently?")),
    Section("uplift/policies", _policies, N_("Policies: who gets what, and what it is worth")),
    Section("uplift/order", _ranked, N_("From the first in order to the last"), parts=_arms),
    Section("uplift/cost", _cost, N_("What a budget buys")),
    Section("uplift/tree", tree, N_("A rule that can be read")),
    Section(
        "uplift/responders", _by_arm(responders), N_("What distinguishes those who stand first")
    ),
    Section("uplift/sleeping", _sleeping, N_("Sleeping dogs")),
    Section("uplift/learners", _by_arm(learners), N_("Learners compared")),
    Section("uplift/methods", derivation, N_("Methods")),
    Section("provenance", origin, N_("Provenance")),
    Section("uplift/downloads", _files, N_("Downloads")),
)
"""The sections of the page, in their order."""


class UpliftReport(WithJson, UpliftResult):
    """Who responds to what, with its page."""

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page; raises as `AnalysisReport.report`."""
        return self._written(path, lambda: render(self, lang=lang))
