"""The first screen of a plan: can it answer, the numbers that matter, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, Stretch
from upliftlab.report.quantity import metric_form
from upliftlab.results.analysis import Message
from upliftlab.results.plan import Answer, PowerReport
from upliftlab.text.language import N_

_COUNT: Final = FigureFormat("count")
_PERCENT: Final = FigureFormat("percent")
_CHANGE: Final = FigureFormat("percent", signed=True)
_STATES: Final = {
    "yes": ("yes", N_("can be answered")),
    "no": ("no", N_("the answer is no")),
    "cannot": ("no", N_("cannot be answered")),
    "open": ("open", N_("depends on how many there are")),
}
_LABELS: Final = {
    "no": ("no", N_("NOT WORTH ITS COST")),
    "cannot": ("no", N_("CANNOT ANSWER EVERYTHING")),
    "open": ("open", N_("DEPENDS ON HOW MANY")),
    "yes": ("yes", N_("CAN ANSWER EVERYTHING")),
}
"""The badge, by the gravest state of an answer: those above come first."""
_MEANINGS: Final = {
    "no": N_("At the expected effect the campaign would not be worth its cost."),
    "cannot": N_("As declared, the campaign cannot answer every question it is run for."),
    "open": N_("Whether it can answer depends on how many customers there are."),
    "yes": N_("As declared, the campaign can answer every question it is run for."),
}
_NEXT: Final = {
    "no": N_(
        "Lower its cost or do not run it. A larger campaign does not help: it would only show the "
        "loss more exactly."
    ),
    "cannot": N_("Change it before anybody is contacted, or ask less of it."),
    "open": N_("Say how many customers there are, by the data or by --customers."),
    "yes": N_("Lock the plan, then assign customers and run it as declared."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One question and its answer."""

    state: str
    label: str
    question: Sentence
    sentence: Sentence
    instead: Sentence | None
    ways: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of the first screen, and one it is read beside."""

    title: str
    arm: str | None
    figure: Figure
    beside_title: str = ""
    beside: Figure | None = None


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """The first screen."""

    state: str
    label: str
    meaning: str
    tiles: tuple[Tile, ...]
    next: Sentence
    length: Sentence | None
    """How long it takes."""
    told: tuple[Told, ...]
    gravest: Sentence
    """The question whose answer is the gravest, and that answer."""


def answers(outlook: PowerReport, formatter: Formatter) -> FirstAnswers:
    """Whether the campaign can answer what it is run for."""
    states = [answer.state for answer in outlook.answers]
    gravest = next(state for state in _LABELS if state in states)
    state, label = _LABELS[gravest]
    length, at = outlook.length, states.index(gravest)
    told = tuple(_told(i, each, formatter) for i, each in enumerate(outlook.answers))
    return FirstAnswers(
        state=state,
        label=formatter.text(label),
        meaning=formatter.text(_MEANINGS[gravest]),
        tiles=tuple(_tiles(outlook, formatter)),
        next=_next(outlook, gravest, formatter),
        length=None
        if length is None
        else formatter.sentence(length.described, "/length/described"),
        told=told,
        gravest=(*told[at].question, _between(formatter), *told[at].sentence),
    )


def _next(outlook: PowerReport, gravest: str, formatter: Formatter) -> Sentence:
    """What to do, and the first way where a question cannot be answered."""
    said = formatter.words(Message(template=_NEXT[gravest]), "")
    if gravest != "cannot":
        return said
    for i, answer in enumerate(outlook.answers):
        if answer.ways:
            return (
                *said,
                _between(formatter),
                *formatter.sentence(answer.ways[0], f"/answers/{i}/ways/0"),
            )
    return said


def _between(formatter: Formatter) -> Stretch:
    """What stands between two sentences."""
    return Stretch("" if formatter.language.code == "zh" else " ")


def _told(number: int, answer: Answer, formatter: Formatter) -> Told:
    key = f"/answers/{number}"
    state, label = _STATES[answer.state]
    instead = answer.instead
    return Told(
        state=state,
        label=formatter.text(label),
        question=formatter.sentence(answer.question, f"{key}/question"),
        sentence=formatter.sentence(answer.sentence, f"{key}/sentence"),
        instead=None if instead is None else formatter.sentence(instead, f"{key}/instead"),
        ways=tuple(formatter.sentence(way, f"{key}/ways/{i}") for i, way in enumerate(answer.ways)),
    )


def _tiles(outlook: PowerReport, formatter: Formatter) -> Iterator[Tile]:
    """Customers, the smallest effect that is found, what pays, and the chance of SHIP."""
    if outlook.needed is not None:
        there = outlook.customers
        yield Tile(
            formatter.text(N_("Customers needed, in all arms")),
            None,
            formatter.figure(outlook.needed, "/needed", _COUNT),
            formatter.text(N_("there are")),
            None if there is None else formatter.figure(there, "/customers", _COUNT),
        )
    yield from _smallest(outlook, formatter)
    about = next((each.arm for each in outlook.answers if each.arm is not None), None)
    for i, money in enumerate(outlook.money):
        if money.arm != about:
            continue
        key = f"/money/{i}"
        if money.break_even is not None:
            title = formatter.text(N_("Pays for itself if revenue rises by"))
            figure = formatter.figure(money.break_even, f"{key}/break_even", _CHANGE)
            yield Tile(title, formatter.called(money.arm), figure)
        if money.ships is not None:
            title = formatter.text(N_("Chance of SHIP at the expected effect"))
            figure = formatter.figure(money.ships, f"{key}/ships", _PERCENT, 1)
            yield Tile(title, formatter.called(money.arm), figure)


def _smallest(outlook: PowerReport, formatter: Formatter) -> Iterator[Tile]:
    """The smallest effect of the arm that is worst off."""
    known = [(i, arm) for i, arm in enumerate(outlook.arms) if arm.detectable is not None]
    if not known:
        return
    i, arm = max(known, key=lambda row: abs(row[1].detectable or 0.0))
    if arm.detectable_lift is not None:
        figure = formatter.figure(arm.detectable_lift, f"/arms/{i}/detectable_lift", _CHANGE)
        yield Tile(
            formatter.text(N_("Smallest change it can find")), formatter.called(arm.arm), figure
        )
    elif arm.detectable is not None:
        form = metric_form(outlook.metric)
        figure = formatter.figure(arm.detectable, f"/arms/{i}/detectable", form)
        yield Tile(
            formatter.text(N_("Smallest change it can find")), formatter.called(arm.arm), figure
        )
