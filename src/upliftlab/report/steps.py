"""What next, in a few lines with amounts: what the arms, and the rows that stand out, ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upliftlab.report.figure import FigureFormat, Formatter, Sentence
from upliftlab.report.index import CONTACT, Found, Index, Quantity, RowKey
from upliftlab.report.tone import tone
from upliftlab.results.analysis import Message, Scalar, VerdictCode
from upliftlab.results.costs import CostStep
from upliftlab.results.estimands import EstimandKind
from upliftlab.text.language import N_

_MOST: Final = 2
"""Rows that stand out, of each direction."""
_COST: Final = N_("In profit the added cost of {arm} counts {cost}, for {customers} customers.")
_OTHERS: Final = {
    (VerdictCode.inconclusive, True): N_(
        "{arm} as a whole is not shown to reach the hurdle: {value:money} after the hurdle's "
        "share of cost ({low:money} to {high:money})."
    ),
    (VerdictCode.inconclusive, False): N_(
        "{arm} as a whole is not shown to pay: {value:money} ({low:money} to {high:money})."
    ),
    (VerdictCode.stop, True): N_(
        "{arm} stays below the hurdle: {value:money} after the hurdle's share of cost "
        "({low:money} to {high:money})."
    ),
    (VerdictCode.stop, False): N_("{arm} loses: {value:money} ({low:money} to {high:money})."),
    (VerdictCode.ship, True): N_(
        "{arm} clears the hurdle as well, by {value:money} ({low:money} to {high:money})."
    ),
    (VerdictCode.ship, False): N_(
        "{arm} pays as well: {value:money} ({low:money} to {high:money})."
    ),
}
_SPARE: Final = N_(
    "Do not use {arm} where {dimension} is {level}: {estimate:money} there "
    "({low:money} to {high:money}), a loss beyond chance after correction."
)
_TRY: Final = N_(
    "{arm} earned {estimate:money} where {dimension} is {level} ({low:money} to {high:money}), "
    "beyond chance after correction: try it there again."
)
_HOLDOUT: Final = N_("Keep a random holdout, so that the next campaign can be measured too.")


def steps(index: Index, formatter: Formatter) -> tuple[Sentence, ...]:
    """What follows the next action: other arms, rows that stand out, and the holdout."""
    if index.analysis.verdict.code is VerdictCode.invalid or index.analysis.terms is None:
        return ()
    return (
        *_price(index, formatter),
        *_other_arms(index, formatter),
        *_standing_out(index, formatter),
        formatter.words(Message(template=_HOLDOUT), ""),
    )


def _price(index: Index, formatter: Formatter) -> Iterator[Sentence]:
    """What the arm that the verdict is about cost."""
    arm = index.analysis.verdict.arm
    found = None if arm is None else index.get(Quantity(EstimandKind.roi), RowKey(arm))
    if arm is None or found is None or (cost := index.line(arm, CostStep.cost)) is None:
        return
    key, line = cost
    count = FigureFormat("count")
    parts = {
        "arm": index.called(arm),
        "cost": formatter.multiple(line.estimate, -1, f"{key}/estimate", "money"),
        "customers": formatter.figure(found.finding.n_treated, f"{found.key}/n_treated", count),
    }
    yield formatter.composed(_COST, parts)


def _other_arms(index: Index, formatter: Formatter) -> Iterator[Sentence]:
    verdict, terms = index.analysis.verdict, index.analysis.terms
    if verdict.metric != "profit" or terms is None:
        return
    for i, arm in enumerate(verdict.arms):
        ends = {"value": arm.value, "low": arm.low, "high": arm.high}
        text = _OTHERS.get((arm.code, terms.hurdle > 0))
        if arm.arm == verdict.arm or text is None or None in ends.values():
            continue
        values: dict[str, Scalar] = {"arm": arm.arm, **ends}
        yield formatter.words(Message(template=text, values=values), f"/verdict/arms/{i}")


def _standing_out(index: Index, formatter: Formatter) -> Iterator[Sentence]:
    """The largest losses beyond chance, and gains of arms that are not the verdict's."""
    shipped = index.analysis.verdict.arm
    gains, losses = list[tuple[RowKey, Found]](), list[tuple[RowKey, Found]]()
    for name in index.dimensions:
        for place in index.places(name):
            found = index.get(Quantity(EstimandKind.incremental_profit), place)
            if found is None or name == CONTACT or None in (found.finding.low, found.finding.high):
                continue
            shades = tone(found, index)
            if shades.survives and shades.direction == "loss":
                losses.append((place, found))
            elif shades.survives and place.arm != shipped:
                gains.append((place, found))
    for text, rows, sign in ((_SPARE, losses, 1), (_TRY, gains, -1)):
        rows.sort(key=lambda row: sign * (row[1].finding.estimate or 0.0))
        yield from (_row(text, *row, index, formatter) for row in rows[:_MOST])


def _row(text: str, place: RowKey, found: Found, index: Index, formatter: Formatter) -> Sentence:
    dimension, finding = place.dimension or "", found.finding
    values: dict[str, Scalar] = {
        "arm": place.arm,
        "dimension": index.dimension_title(dimension, formatter),
        "level": index.level_title(dimension, place.level, formatter),
        "estimate": finding.estimate,
        "low": finding.low,
        "high": finding.high,
    }
    return formatter.words(Message(template=text, values=values), found.key)
