"""The answer on top of the page: does it pay to choose, how sure is that, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.grid import ZERO, valued
from upliftlab.report.interval import Interval, Scale, draw
from upliftlab.report.quantity import unit_form
from upliftlab.report.simple_rule import PROFIT, best_rule, told_rule
from upliftlab.results.uplift import Estimate, PolicyValue, UpliftResult
from upliftlab.text.language import N_

_WIDE: Final = 300
_TILES: Final = 3
_OFFERED: Final = ("budget", "return", "tree")
"""Which policy of a model the page speaks of, the first there is."""
_LABELS: Final = {
    True: ("differ", N_("RESPONSES DIFFER")),
    False: ("alike", N_("NO EVIDENCE")),
}
"""The badge; its look is not that of a verdict, as nothing is decided by it."""
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
    ("sure", True): N_(
        "Write the list of the next campaign by the model: it earned clearly more than the best "
        "rule without one."
    ),
    ("sure", False): N_(
        "Choose by the model: it gained clearly more than the best rule without one, cost not "
        "counted. A list needs 'money' in the plan."
    ),
    ("maybe", True): N_(
        "The model's choice pays, but it is not shown to earn more than the best rule without "
        "one. Take that, or write the list by the model and keep its random holdout, which will "
        "tell."
    ),
    ("maybe", False): N_(
        "The model's choice gains something, but it is not shown to gain more than the best rule "
        "without one. Take that."
    ),
    ("abstain", True): N_(
        "Responses differ, but no gain over contacting nobody is shown. The list will be refused "
        "until there is one."
    ),
    ("abstain", False): N_("Responses differ, but no gain over contacting nobody is shown."),
    ("untold", True): N_(
        "Responses differ, but what choosing by the model earns cannot be told yet."
    ),
    ("untold", False): N_(
        "Responses differ, but what choosing by the model gains cannot be told yet."
    ),
    ("shut", True): N_(
        "Decide for all customers alike. More customers or other features may show later whom to "
        "choose."
    ),
    ("shut", False): N_(
        "Decide for all customers alike; cost is not counted here. More customers or other "
        "features may show later whom to choose."
    ),
}
"""What comes next, by step and by whether money is known."""


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
    rule: Sentence | None
    """The best rule without a model, where it is what to take or to compare with."""
    command: str
    """What to type next; empty where nothing is to be written."""


def advice(responses: UpliftResult, formatter: Formatter) -> Advice:
    """What to make of the responses."""
    slug, label = _LABELS[responses.open]
    offered, money = _offered(responses), responses.metric == PROFIT
    step = _step(responses, None if offered is None else offered[1])
    best = best_rule(responses, None if offered is None else offered[1])
    numbers = _of_rules(responses) if offered is None else _of_model(offered, best)
    return Advice(
        slug=slug,
        label=formatter.text(label),
        sentence=formatter.sentence(responses.sentence_parts, "/sentence_parts"),
        meaning=formatter.text(_MEANINGS[responses.open]),
        headlines=tuple(_tiles(list(numbers), responses, formatter)),
        facts=tuple(_facts(responses, formatter)),
        next_action=formatter.text(_NEXT[step, money]),
        rule=told_rule(*best, responses, formatter) if step in ("maybe", "shut") else None,
        command=f"upliftlab target {responses.experiment}.yaml --customers next_month"
        if money and step in ("sure", "maybe")
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


_Number = tuple[str, tuple[str, PolicyValue], Estimate | None, str]
"""A tile: its title, the policy it is about, what it tells and the key of that."""


def _of_model(offered: tuple[str, PolicyValue], best: tuple[str, PolicyValue]) -> Iterator[_Number]:
    """What the model's policy is worth, beside the best rule without one."""
    key, policy = offered
    yield N_("Gain per customer, beyond treating nobody"), offered, policy.value, f"{key}/value"
    beside = N_("More than the best simple rule, per customer")
    yield beside, offered, policy.beside_best, f"{key}/beside_best"
    if best[1].name != "treat_none":
        simple = N_("The best simple rule, beyond treating nobody")
        yield simple, best, best[1].value, f"{best[0]}/value"


def _of_rules(responses: UpliftResult) -> Iterator[_Number]:
    """What each arm is worth if everybody gets it, the first few."""
    rows = [(f"/policies/{i}", each) for i, each in enumerate(responses.policies)]
    for key, policy in [row for row in rows if row[1].name == "treat_all"][:_TILES]:
        title = N_("Gain per customer, beyond treating nobody")
        yield title, (key, policy), policy.value, f"{key}/value"


def _tiles(
    numbers: Sequence[_Number], responses: UpliftResult, formatter: Formatter
) -> Iterator[AnswerNumber]:
    form = unit_form(responses.unit)
    values = [valued(found, key) for _, _, found, key in numbers]
    drawn = draw(values, Scale(form, ZERO, _WIDE), formatter)
    for (title, (key, policy), _, _), interval in zip(numbers, drawn.intervals, strict=True):
        if interval is not None:
            about = formatter.sentence(policy.title, f"{key}/title")
            yield AnswerNumber(formatter.text(title), about, interval, drawn.axis)


def _facts(responses: UpliftResult, formatter: Formatter) -> Iterator[Ground]:
    count, money = FigureFormat("count"), FigureFormat("money")
    profit = responses.metric == PROFIT
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
