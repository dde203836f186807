"""The answer on top of the page: does it pay to choose, how sure is that, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.grid import ZERO, valued
from upliftlab.report.interval import Interval, Scale, draw
from upliftlab.report.quantity import unit_form
from upliftlab.results.uplift import Estimate, PolicyValue, UpliftResult
from upliftlab.text.language import N_

_WIDE: Final = 300
_OFFERED: Final = ("budget", "return", "tree")
"""Which policy of a model the page speaks of, the first there is."""
_LABELS: Final = {
    True: ("ship", N_("RESPONSES DIFFER")),
    False: ("stop", N_("NO EVIDENCE")),
}
_MEANINGS: Final = {
    True: N_(
        "Customers respond differently, and the model finds who responds more among customers it "
        "was not shown. So it can matter whom to contact."
    ),
    False: N_(
        "The order that the model puts customers in could be chance. Choosing by it would be "
        "choosing at random with extra work, so nothing is ranked on this page."
    ),
}
_NEXT: Final = {
    "sure": N_(
        "Write the list of the next campaign by the model: it earned clearly more than the best "
        "rule without one."
    ),
    "maybe": N_(
        "The model's choice pays, but it is not shown to earn more than the best rule without "
        "one. Take the simpler rule, or write the list by the model and keep its random holdout, "
        "which will tell."
    ),
    "abstain": N_(
        "Responses differ, but no gain over contacting nobody is shown. The list will be refused "
        "until there is one."
    ),
    "untold": N_("Responses differ, but what choosing by the model earns cannot be told yet."),
    "shut": N_(
        "Decide for all customers alike, by what each arm earns: the table of policies tells. "
        "More customers or other features may show later whom to choose."
    ),
}


@dataclass(frozen=True, slots=True)
class AnswerNumber:
    """One number of the first screen."""

    title: str
    about: Sentence
    interval: Interval
    axis: Axis | None


@dataclass(frozen=True, slots=True)
class Ground:
    """Something the answer rests on: a figure, or a name."""

    title: str
    figure: Figure | None = None
    text: str = ""
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """The first screen."""

    slug: str
    label: str
    sentence: Sentence
    meaning: str
    headlines: tuple[AnswerNumber, ...]
    facts: tuple[Ground, ...]
    next_action: str
    command: str
    """What to type next; empty where nothing is to be written."""


def advice(responses: UpliftResult, formatter: Formatter) -> Advice:
    """What to make of the responses."""
    slug, label = _LABELS[responses.open]
    offered = _offered(responses)
    step = _step(responses, None if offered is None else offered[1])
    return Advice(
        slug=slug,
        label=formatter.text(label),
        sentence=formatter.sentence(responses.sentence_parts, "/sentence_parts"),
        meaning=formatter.text(_MEANINGS[responses.open]),
        headlines=() if offered is None else tuple(_headlines(*offered, responses, formatter)),
        facts=tuple(_facts(responses, formatter)),
        next_action=formatter.text(_NEXT[step]),
        command=f"upliftlab target {responses.experiment}.yaml --customers next_month"
        if step in ("sure", "maybe")
        else "",
    )


def _offered(responses: UpliftResult) -> tuple[str, PolicyValue] | None:
    """The policy of a model that the page speaks of, and its key."""
    if not responses.open:
        return None
    found = {policy.name: (f"/policies/{i}", policy) for i, policy in enumerate(responses.policies)}
    return next((found[name] for name in _OFFERED if name in found), None)


def _step(responses: UpliftResult, policy: PolicyValue | None) -> str:
    """Which of the next steps."""
    if not responses.open:
        return "shut"
    if policy is None or policy.value.low is None:
        return "untold"
    if policy.value.low <= 0:
        return "abstain"
    beside = policy.beside_best
    return "sure" if beside is not None and beside.low is not None and beside.low > 0 else "maybe"


def _headlines(
    key: str, policy: PolicyValue, responses: UpliftResult, formatter: Formatter
) -> Iterator[AnswerNumber]:
    form = unit_form(responses.unit)
    named: list[tuple[str, Estimate | None, str]] = [
        (N_("Gain per customer, beyond treating nobody"), policy.value, "value"),
        (N_("More than the best simple rule, per customer"), policy.beside_best, "beside_best"),
    ]
    about = formatter.sentence(policy.title, f"{key}/title")
    values = [valued(found, f"{key}/{name}") for _, found, name in named]
    drawn = draw(values, Scale(form, ZERO, _WIDE), formatter)
    for (title, _, _), interval in zip(named, drawn.intervals, strict=True):
        if interval is not None:
            yield AnswerNumber(formatter.text(title), about, interval, drawn.axis)


def _facts(responses: UpliftResult, formatter: Formatter) -> Iterator[Ground]:
    count, money = FigureFormat("count"), FigureFormat("money")
    profit = responses.metric == "profit"
    yield Ground(
        formatter.text(N_("Learned from")),
        text=formatter.text(N_("profit per customer")) if profit else responses.metric,
        is_name=not profit,
    )
    if responses.budget is not None:
        title = N_("Budget, for as many customers as are analysed")
        yield Ground(formatter.text(title), formatter.figure(responses.budget, "/budget", money))
    if responses.hurdle:
        title = N_("Hurdle: ROI below this is not worth it")
        yield Ground(formatter.text(title), formatter.declared(responses.hurdle, "/hurdle"))
    customers = formatter.figure(responses.customers, "/customers", count)
    yield Ground(formatter.text(N_("Customers analysed")), customers)
    if responses.sampled_from > responses.customers:
        title, key = N_("drawn at random from"), "/sampled_from"
        yield Ground(formatter.text(title), formatter.figure(responses.sampled_from, key, count))
    if responses.randomised == "household":
        yield Ground(
            formatter.text(N_("Households analysed")),
            formatter.figure(responses.units, "/units", count),
        )
    yield Ground(
        formatter.text(N_("Confidence of intervals")),
        formatter.declared(responses.confidence, "/confidence"),
    )
