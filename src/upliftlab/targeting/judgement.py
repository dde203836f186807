"""Judgement: whether a learner's order of customers tells who responds, before anything is ranked.

Each number is computed within the folds, as models of different folds are not comparable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from upliftlab.results.uplift import HeterogeneityGate, LearnerInfo
from upliftlab.targeting.crossfit import VALUE, Crossfit, together
from upliftlab.uplift.gate import HeterogeneityTest as Tests
from upliftlab.uplift.gate import gates as gates_of
from upliftlab.uplift.qini import qini_auc, uplift_at
from upliftlab.uplift.rate import rate
from upliftlab.uplift.sample import CONTROL

_FIRST = 0.3
"""The share of customers whose effect is told of each learner."""


@dataclass(frozen=True, slots=True)
class EvaluationInputs:
    """What judgements are made of.

    Attributes:
        arms: The treatments' names, in the order of their numbers from 1.
        confidence: Level of every interval.
        base: What learners are built on.
        smallest: Customers that a group must have to be shown.
    """

    arms: tuple[str, ...]
    confidence: float
    base: Literal["boosting", "linear"]
    smallest: int = 1


def gates(crossfits: Sequence[Crossfit], asked: EvaluationInputs) -> tuple[HeterogeneityGate, ...]:
    """Each arm's gate; under several divisions into folds it is open only if open in each."""
    arms = range(1, len(asked.arms) + 1)
    found = [gates_of([each.ranking(arm) for arm in arms], asked.confidence) for each in crossfits]
    return tuple(
        _gate(name, crossfits[0].judged, tests)
        for name, *tests in zip(asked.arms, *found, strict=True)
    )


def _gate(arm: str, learner: str, tests: Sequence[Tests]) -> HeterogeneityGate:
    return HeterogeneityGate(
        arm=arm,
        learner=learner,
        average=together([each.line.average for each in tests]),
        slope=together([each.line.slope for each in tests]),
        autoc=together([each.autoc for each in tests]),
        qini=together([each.qini for each in tests]),
        p=_largest([each.p for each in tests]),
        p_adjusted=_largest([each.p_adjusted for each in tests]),
        open=all(each.open for each in tests),
    )


def _largest(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def learners(crossfits: Sequence[Crossfit], asked: EvaluationInputs) -> tuple[LearnerInfo, ...]:
    """How every learner orders customers for every arm."""
    return tuple(
        _learner(crossfits, asked, name, arm)
        for name in crossfits[0].predicted
        for arm in range(1, len(asked.arms) + 1)
    )


def _learner(
    crossfits: Sequence[Crossfit], asked: EvaluationInputs, name: str, arm: int
) -> LearnerInfo:
    folds = [numbers for each in crossfits for numbers in _by_fold(each, name, arm)]
    qinis = [qini for qini, _ in folds if qini is not None]
    firsts = [first for _, first in folds if first is not None]
    whole = bool(folds) and len(qinis) == len(firsts) == len(folds)
    autocs = [rate(each.ranking(arm, name), asked.confidence) for each in crossfits]
    return LearnerInfo(
        learner=name,
        base=asked.base,
        arm=asked.arms[arm - 1],
        judged=name == crossfits[0].judged,
        autoc=together(autocs),
        qini_auc=float(np.mean(qinis)) if whole else None,
        qini_auc_sd=float(np.std(qinis, ddof=1)) if whole else None,
        uplift_at_30=float(np.mean(firsts)) if whole else None,
    )


def _by_fold(
    crossfit: Crossfit, name: str, arm: int
) -> Iterator[tuple[float | None, float | None]]:
    """scikit-uplift's numbers of each fold; none unless every outcome is 0 or 1."""
    sample = crossfit.sample
    outcome = sample.outcomes[:, VALUE]
    if crossfit.money or not np.isin(outcome, (0, 1)).all():
        return
    order = crossfit.order(arm, name)
    compared = np.isin(sample.arm, (CONTROL, arm))
    for number in range(sample.folds):
        here = compared & (sample.fold == number)
        given = (outcome[here], sample.arm[here] == arm, order[here])
        yield qini_auc(*given), uplift_at(*given, _FIRST)
