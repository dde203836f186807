"""Whether measured effects fall from the first tenth of the customers to the last."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Final

from upliftlab.report.figure import Formatter, Sentence
from upliftlab.results.analysis import Message
from upliftlab.results.uplift import Tenth, UpliftResult
from upliftlab.text.language import N_

_PLACES: Final = (
    N_("Measured effects do not fall all the way: tenth {decile:count}"),
    N_(" responded more than tenth {decile:count}, which stands before it."),
)
_CHANCE: Final = N_(
    " Their intervals overlap, as those of all tenths that are out of order, so this may be chance."
)
_BEYOND: Final = N_(
    " Their intervals do not overlap: there the model's order is wrong by more than chance, so do "
    "not choose by single tenths."
)

_Row = tuple[int, Tenth]


def fall(arm: str, responses: UpliftResult, formatter: Formatter) -> Sentence | None:
    """What to think of tenths that do not fall; None where each is at most the one before.

    Tenths whose effect has no interval are left aside.
    """
    rows = [(i, row) for i, row in enumerate(responses.deciles) if row.arm == arm]
    known = [
        row
        for row in rows
        if None not in (row[1].effect.estimate, row[1].effect.low, row[1].effect.high)
    ]
    if all(_rise(*pair) <= 0 for pair in pairwise(known)):
        return None
    wrong = [pair for pair in combinations(known, 2) if _apart(*pair)]
    before, after = max(wrong or list(pairwise(known)), key=lambda pair: _rise(*pair))
    told = (
        *formatter.words(_said(_PLACES[0], after), f"/deciles/{after[0]}"),
        *formatter.words(_said(_PLACES[1], before), f"/deciles/{before[0]}"),
    )
    return (*told, *formatter.words(Message(template=_BEYOND if wrong else _CHANCE), ""))


def _said(text: str, row: _Row) -> Message:
    return Message(template=text, values={"decile": row[1].decile})


def _rise(before: _Row, after: _Row) -> float:
    return (after[1].effect.estimate or 0.0) - (before[1].effect.estimate or 0.0)


def _apart(before: _Row, after: _Row) -> bool:
    """Whether a later tenth's whole interval lies above that of an earlier one."""
    high, low = before[1].effect.high, after[1].effect.low
    return high is not None and low is not None and low > high
