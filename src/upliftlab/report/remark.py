"""Remarks under a table of levels: whether they differ, and how they add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.report.figure import Formatter, Sentence
from upliftlab.report.index import Index
from upliftlab.results.analysis import (
    EstimandKind,
    Heterogeneity,
    Message,
    Note,
    Reconciliation,
    Scalar,
)
from upliftlab.results.costs import CostStep
from upliftlab.text.language import N_

_DIFFER: Final = {
    (True, True): N_(
        "Levels differ in profit per customer (adjusted p: {p_adjusted:p}), by more than chance."
    ),
    (True, False): N_(
        "No sign that levels differ in profit per customer (adjusted p: {p_adjusted:p}): "
        "differences between rows may be chance."
    ),
    (False, True): N_(
        "Levels differ in {metric} (adjusted p: {p_adjusted:p}), by more than chance."
    ),
    (False, False): N_(
        "No sign that levels differ in {metric} (adjusted p: {p_adjusted:p}): "
        "differences between rows may be chance."
    ),
}
"""What a test says: of profit or of a metric, significant or not."""
_UNTOLD: Final = N_("Whether levels differ cannot be told: {reason}.")
_ADDED: Final = N_(
    "The levels' profits add up to {levels:money}; the total is {total:money}. The rest, "
    "{composition:money}, comes from levels' shares that differ between treated and control."
)
_NOT_ADDED: Final = N_("The levels' profits are not added up: {reason}.")


@dataclass(frozen=True, slots=True)
class ArmNote:
    """What is said of one arm, as it is called for people; of all, where that is None."""

    arm: str | None
    sentences: tuple[Sentence, ...]


def remarks(
    dimension: str, kind: EstimandKind, index: Index, formatter: Formatter
) -> tuple[ArmNote, ...]:
    """The remarks on a dimension's table, one for each arm; arms are named where there are some.

    Args:
        dimension: What the table is by.
        kind: What its first column shows.
        index: The analysis.
        formatter: The page's language.
    """
    tests = index.heterogeneity(dimension, kind)
    sums = index.reconciliations(dimension)
    several = len(index.treated) > 1
    made: list[ArmNote] = []
    for arm in dict.fromkeys((*tests, *sums)):
        said = (*_differ(tests.get(arm), index, formatter), *_add_up(sums.get(arm), formatter))
        called = None if arm is None or not several else index.called(arm)
        made.append(ArmNote(called, said))
    if any(added.note is Note.own_slopes for _, added in sums.values()):
        made.append(ArmNote(None, (_reason(_NOT_ADDED, Note.own_slopes, formatter),)))
    return tuple(remark for remark in made if remark.sentences)


def _differ(
    found: tuple[int, Heterogeneity] | None, index: Index, formatter: Formatter
) -> Iterator[Sentence]:
    if found is None:
        return
    i, test = found
    if test.p_adjusted is None:
        yield _reason(_UNTOLD, test.note, formatter)
        return
    metric = index.metric(test.metric)
    values: dict[str, Scalar] = {
        "metric": test.metric if metric is None else metric.title,
        "p_adjusted": test.p_adjusted,
    }
    of_profit = test.kind.estimand.levels is CostStep.profit
    text = _DIFFER[of_profit, test.p_adjusted < 1 - index.analysis.confidence]
    yield formatter.words(Message(template=text, values=values), f"/heterogeneity/{i}")


def _add_up(found: tuple[int, Reconciliation] | None, formatter: Formatter) -> Iterator[Sentence]:
    if found is None or found[1].note is Note.own_slopes:
        return
    i, added = found
    if added.composition is None:
        yield _reason(_NOT_ADDED, added.note, formatter)
        return
    values: dict[str, Scalar] = {
        "levels": added.levels,
        "total": added.total,
        "composition": added.composition,
    }
    yield formatter.words(Message(template=_ADDED, values=values), f"/reconciliations/{i}")


def _reason(text: str, note: Note | None, formatter: Formatter) -> Sentence:
    reason = None if note is None else note.value
    return formatter.words(Message(template=text, values={"reason": reason}), "")
