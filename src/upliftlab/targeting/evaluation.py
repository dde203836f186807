"""Whether a learner's order of customers tells who responds, and what that order looks like.

Numbers are computed within the folds, as models of different folds are not comparable. A profile
of those predicted to respond most is a description, no cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from upliftlab.results.uplift import (
    CurvePoint,
    HeterogeneityGate,
    LearnerInfo,
    Responder,
    Sleeping,
    Tenth,
    UpliftCurve,
)
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, VALUE, Crossfit, together
from upliftlab.targeting.policies import PolicyConstraints, cost_folds
from upliftlab.uplift.cost_band import evaluated
from upliftlab.uplift.deciles import GROUPS
from upliftlab.uplift.deciles import deciles as deciles_of
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.gains import gain_curve
from upliftlab.uplift.gate import HeterogeneityTest as Tests
from upliftlab.uplift.gate import gates as gates_of
from upliftlab.uplift.policy import policy_value
from upliftlab.uplift.qini import qini_auc, uplift_at
from upliftlab.uplift.rate import rate
from upliftlab.uplift.sample import CONTROL

_RANKED_FIRST = 0.3
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
        yield qini_auc(*given), uplift_at(*given, _RANKED_FIRST)


_SEED = 1
"""Of the bootstrap; a curve is the same whenever it is drawn."""
_POINTS = 50


def deciles(crossfits: Sequence[Crossfit], asked: EvaluationInputs, arm: int) -> tuple[Tenth, ...]:
    """The effect in each tenth of the customers, by predicted response to an arm.

    Empty where a tenth would be too few to be shown.
    """
    if len(crossfits[0].sample) < GROUPS * asked.smallest:
        return ()
    rng = np.random.default_rng(_SEED)
    found = [deciles_of(each.ranking(arm), asked.confidence, rng) for each in crossfits]
    return tuple(
        Tenth(
            arm=asked.arms[arm - 1],
            decile=number,
            n=round(tenths[0].n),
            predicted=float(np.mean([each.predicted for each in tenths])),
            effect=together([each.effect for each in tenths]),
        )
        for number, tenths in enumerate(zip(*found, strict=True), 1)
    )


def gains(
    crossfits: Sequence[Crossfit], asked: EvaluationInputs, arm: int
) -> tuple[UpliftCurve, ...]:
    """What an arm gains by the share of customers it is given to, before its cost and after it."""
    if not crossfits[0].money:
        return (_gain(crossfits, asked, arm, None),)
    return tuple(_gain(crossfits, asked, arm, outcome) for outcome in (VALUE, None))


def _gain(
    crossfits: Sequence[Crossfit], asked: EvaluationInputs, arm: int, outcome: int | None
) -> UpliftCurve:
    rng, points = np.random.default_rng(_SEED), _steps(crossfits[0], asked)
    found = [
        gain_curve(each.ranking(arm, outcome=outcome), asked.confidence, rng, points)
        for each in crossfits
    ]
    return UpliftCurve(
        kind="profit" if crossfits[0].money and outcome is None else "qini",
        arm=asked.arms[arm - 1],
        points=_points(
            found[0].share,
            [each.gain for each in found],
            [each.low for each in found],
            [each.high for each in found],
        ),
        reference=_points(found[0].share, [each.reference for each in found]),
    )


def cost_curve(
    crossfits: Sequence[Crossfit], asked: EvaluationInputs, terms: PolicyConstraints, best: int
) -> UpliftCurve:
    """What is gained, before cost, by what is spent, as the model chooses among all arms.

    Args:
        crossfits: Divisions into folds; the first is drawn.
        asked: Level of the band.
        terms: Which gates are open, and what a contact costs at least.
        best: The arm that does most good if everybody gets it, as the reference; the control for
            none.
    """
    crossfit = crossfits[0]
    folds = cost_folds(crossfit, terms)
    budgets = np.linspace(0.0, folds.most(), _steps(crossfit, asked) + 1)
    values, costs = crossfit.scores[:, :, VALUE], crossfit.scores[:, :, COST]
    rng = np.random.default_rng(_SEED)
    found = evaluated(
        folds.moves(budgets), (values, costs), crossfit.sample.cluster, rng, asked.confidence
    )
    spent, gained = ((each[:, best] - each[:, CONTROL]).mean() for each in (costs, values))
    return UpliftCurve(
        kind="cost",
        arm=None,
        points=_points(
            found.spend.estimate, [found.gain.estimate], [found.gain.low], [found.gain.high]
        ),
        reference=(CurvePoint(x=0.0, y=0.0), CurvePoint(x=float(spent), y=float(gained))),
    )


def _steps(crossfit: Crossfit, asked: EvaluationInputs) -> int:
    """Steps of a curve: no step is of fewer customers than are shown."""
    return max(1, min(_POINTS, len(crossfit.sample) // asked.smallest))


def _points(
    x: Array,
    y: Sequence[Array],
    low: Sequence[Array | None] = (),
    high: Sequence[Array | None] = (),
) -> tuple[CurvePoint, ...]:
    """Means over the divisions; ends only where each has them."""
    ends = [
        np.mean([each for each in end if each is not None], axis=0)
        if end and all(each is not None for each in end)
        else [None] * len(x)
        for end in (low, high)
    ]
    columns = zip(x, np.mean(y, axis=0), *ends, strict=True)
    return tuple(
        CurvePoint(
            x=float(at),
            y=float(value),
            low=None if bottom is None else float(bottom),
            high=None if top is None else float(top),
        )
        for at, value, bottom, top in columns
    )


def sleeping(crossfits: Sequence[Crossfit], asked: EvaluationInputs, arm: int) -> Sleeping | None:
    """Those whose response, before any cost, is predicted to be negative; None without any."""
    found = [_harmed(each, asked, arm) for each in crossfits]
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return None
    n = float(np.mean([count for count, _ in known]))
    return Sleeping(
        arm=asked.arms[arm - 1],
        n=round(n),
        share=n / len(crossfits[0].sample),
        effect=together([effect for _, effect in known]),
    )


def _harmed(crossfit: Crossfit, asked: EvaluationInputs, arm: int) -> tuple[int, Effect] | None:
    """How many there are, and the arm's effect on them; None where too few are."""
    here = crossfit.predicted[crossfit.judged][:, arm - 1, VALUE] < 0
    if here.sum() < max(1, asked.smallest):
        return None
    scores = crossfit.scores[here][:, [CONTROL, arm], VALUE]
    everybody = np.ones(len(scores), dtype=np.int64)
    cluster = crossfit.sample.cluster[here]
    return len(scores), policy_value(scores, everybody, cluster, asked.confidence)


_DESCRIBED = 0.2
"""The share of customers who come first in order."""
_MOST = 8
"""Differences that are told of an arm, the largest first."""
_WORTH = 0.1
"""Standard deviations below which a difference is not told."""


def responders(
    crossfit: Crossfit, encoding: Encoding, arm: int, name: str
) -> tuple[Responder, ...]:
    """The largest differences between those first in order and all others.

    Args:
        crossfit: Who is first in order within each fold.
        encoding: What the columns of the features mean.
        arm: The arm's number.
        name: Its name.
    """
    first = _first(crossfit, arm)
    found = list[Responder]()
    for feature, level, values in _traits(crossfit.sample.features, encoding):
        known = ~np.isnan(values)
        one, others = values[first & known], values[~first & known]
        if not len(one) or not len(others) or np.ptp(values[known]) == 0:
            continue
        means = float(one.mean()), float(others.mean())
        found.append(
            Responder(
                arm=name,
                feature=feature,
                level=level,
                among_first=means[0],
                among_others=means[1],
                difference=(means[0] - means[1]) / float(values[known].std()),
            )
        )
    found.sort(key=lambda each: -abs(each.difference))
    return tuple(each for each in found if abs(each.difference) >= _WORTH)[:_MOST]


def _first(crossfit: Crossfit, arm: int) -> np.ndarray:
    """Who is among the first of their fold, shape (n,); ties at the end are all in or all out."""
    order, fold = crossfit.order(arm), crossfit.sample.fold
    first = np.zeros(len(order), dtype=bool)
    for number in range(crossfit.sample.folds):
        here = fold == number
        end = np.quantile(order[here], 1 - _DESCRIBED)
        first[here] = order[here] > end if (order[here] > end).any() else order[here] >= end
    return first


def _traits(features: Array, encoding: Encoding) -> Iterator[tuple[str, str | None, Array]]:
    """Every number, and every level of a category as 0 or 1; NaN where it is not known."""
    for column, feature in enumerate(encoding.features):
        values = features[:, column]
        if feature.kind == "numeric":
            yield feature.name, None, values
            continue
        for code, level in enumerate(feature.levels):
            yield feature.name, level, np.where(np.isnan(values), np.nan, values == code)
