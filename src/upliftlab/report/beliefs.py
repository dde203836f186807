"""The Bayesian view as the page tells it: a table of arms, and the prior it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.index import Index
from upliftlab.results.analysis import Belief
from upliftlab.text.language import N_

_MONEY: Final = FigureFormat("money")
_FLAT: Final = N_("Prior: nothing was believed before, so every profit was as likely as another.")
_PRIOR: Final = N_(
    "Prior: profit per treated customer is {mean} on average, with a standard deviation of {sd}, "
    "as the plan declares."
)


@dataclass(frozen=True, slots=True)
class BeliefRow:
    """One arm; every figure is absent where there is a note."""

    arm: str
    mean: Figure | None
    low: Figure | None
    high: Figure | None
    pays: Figure | None
    clears: Figure | None
    loss_adopted: Figure | None
    loss_declined: Figure | None
    note: str


@dataclass(frozen=True, slots=True)
class BeliefsView:
    """The section."""

    prior: Sentence
    hurdle: Figure | None
    """The hurdle, where there is one."""
    rows: tuple[BeliefRow, ...]


def beliefs(index: Index, formatter: Formatter) -> BeliefsView | None:
    """The Bayesian view; None without money."""
    found, hurdle = index.analysis.beliefs, index.analysis.decision.hurdle
    if not found:
        return None
    return BeliefsView(
        prior=_prior(found[0], formatter),
        hurdle=formatter.declared(hurdle, "/decision/hurdle") if hurdle else None,
        rows=tuple(_row(one, i, index, formatter) for i, one in enumerate(found)),
    )


def _prior(first: Belief, formatter: Formatter) -> Sentence:
    if first.prior_mean is None or first.prior_sd is None:
        return formatter.composed(_FLAT, {})
    stated = {"mean": first.prior_mean, "sd": first.prior_sd}
    ends = [first.prior_mean + by * first.prior_sd for by in (-1, 1)]
    digits = formatter.digits(_MONEY, [first.prior_mean, *ends])
    parts = {
        name: formatter.figure(value, f"/beliefs/0/prior_{name}", _MONEY, digits)
        for name, value in stated.items()
    }
    return formatter.composed(_PRIOR, parts)


def _row(one: Belief, i: int, index: Index, formatter: Formatter) -> BeliefRow:
    digits = formatter.digits(_MONEY, [one.mean, one.low, one.high])

    def money(name: str) -> Figure | None:
        value: float | None = getattr(one, name)
        key = f"/beliefs/{i}/{name}"
        return None if value is None else formatter.figure(value, key, _MONEY, digits)

    def chance(name: str) -> Figure | None:
        value: float | None = getattr(one, name)
        key = f"/beliefs/{i}/{name}"
        return None if value is None else formatter.figure(value, key, FigureFormat("percent"), 1)

    return BeliefRow(
        arm=index.called(one.arm),
        mean=money("mean"),
        low=money("low"),
        high=money("high"),
        pays=chance("pays"),
        clears=chance("clears_hurdle"),
        loss_adopted=money("loss_adopted"),
        loss_declined=money("loss_declined"),
        note="" if one.note is None else formatter.text(one.note.value),
    )
