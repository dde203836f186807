"""Picture: what a ranking looks like, as deciles and curves, and where it predicts harm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from upliftlab.results.uplift import CurvePoint, Sleeping, Tenth, UpliftCurve
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.targeting.choices import PolicyConstraints, cost_folds
from upliftlab.targeting.crossfit import COST, VALUE, Crossfit, together
from upliftlab.targeting.judgement import EvaluationInputs
from upliftlab.uplift.cost_band import evaluated
from upliftlab.uplift.deciles import GROUPS
from upliftlab.uplift.deciles import deciles as deciles_of
from upliftlab.uplift.gains import gain_curve
from upliftlab.uplift.policy import policy_value
from upliftlab.uplift.sample import CONTROL

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
