"""The gate: whether customers respond differently to an arm, in the order a score puts them in.

Two tests have to agree. The best linear predictor (Chernozhukov, Demirer, Duflo & Fernández-Val
2018) asks whether effects rise with the score; AUTOC (`rate`) whether the first in order gain more
than the average. One could be moved by a few extreme scores, the other by a few extreme customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.adjust import holm
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import level_of
from upliftlab.stats.moments import Array
from upliftlab.uplift.bootstrap import codes
from upliftlab.uplift.clusters import interval
from upliftlab.uplift.ranking import Ranking
from upliftlab.uplift.rate import rate


@dataclass(frozen=True, slots=True)
class LinearPredictor:
    """The best linear predictor of effects by a score.

    Attributes:
        average: The effect where the score is average: that of all customers.
        slope: The effect's rise where the score rises by 1; absent where the score is constant.
    """

    average: Effect
    slope: Effect


@dataclass(frozen=True, slots=True)
class HeterogeneityTest:
    """One arm's tests.

    Attributes:
        line: Average effect and slope.
        autoc: AUTOC in the outcome's unit.
        qini: Qini coefficient of Yadlowsky et al., for the reader; the gate does not rest on it.
        p: The larger p-value of slope and AUTOC, 1 unless both are above 0; None without a slope.
        p_adjusted: The same, adjusted for the number of arms asked about (Holm).
        open: Whether p_adjusted < 1 − confidence.
    """

    line: LinearPredictor
    autoc: Effect
    qini: Effect
    p: float | None
    p_adjusted: float | None
    open: bool


def line(ranking: Ranking, confidence: float) -> LinearPredictor:
    """Regress effects on the score, with standard errors by cluster.

    Γ = average + slope·(S − S̄), where S̄ is the mean of the customer's own part of the
    cross-fitting. Standard errors are those of Liang & Zeger (1986) times C/(C−1)·(n−1)/(n−2) with
    C clusters (HC1 where each is a customer); intervals are Student's t with C − 1 degrees.

    Args:
        ranking: Customers in order.
        confidence: Level of the intervals, such as 0.95.

    >>> effects = np.array([1.0, 3.0, 5.0, 7.5])
    >>> found = line(Ranking(effects, np.arange(4.0), np.arange(4)), 0.95)
    >>> round(found.average.estimate, 6), round(found.slope.estimate, 6)
    (4.125, 2.15)
    """
    score = ranking.centred()
    design = np.stack([np.ones(len(score)), score], axis=1)
    if not score.any():
        average = _regress(ranking, design[:, :1], confidence)[0]
        return LinearPredictor(average, Effect(None, note=Note.constant_score))
    if ranking.flat:
        nothing = Effect(0.0, 0.0, note=Note.same_for_all)
        return LinearPredictor(replace(nothing, estimate=float(ranking.effects.mean())), nothing)
    return LinearPredictor(*_regress(ranking, design, confidence))


def gates(rankings: Sequence[Ranking], confidence: float) -> tuple[HeterogeneityTest, ...]:
    """Each arm's tests, adjusted for asking of several arms.

    Args:
        rankings: One per arm, over the same or different customers.
        confidence: Any gate opens by chance in at most 1 − confidence of experiments.
    """
    lines = [line(ranking, confidence) for ranking in rankings]
    autoc = [rate(ranking, confidence, "autoc") for ranking in rankings]
    p = [_larger(one.slope, other) for one, other in zip(lines, autoc, strict=True)]
    adjusted = holm([1.0 if value is None else value for value in p])
    return tuple(
        HeterogeneityTest(
            lines[arm],
            autoc[arm],
            rate(rankings[arm], confidence, "qini"),
            p[arm],
            None if p[arm] is None else adjusted[arm],
            open=adjusted[arm] < 1 - confidence,
        )
        for arm in range(len(rankings))
    )


def _larger(slope: Effect, autoc: Effect) -> float | None:
    """The p-value of both being above 0, None where one is not known."""
    if slope.estimate is None or slope.p is None or autoc.p is None or autoc.estimate is None:
        return None
    return max(slope.p, autoc.p) if min(slope.estimate, autoc.estimate) > 0 else 1.0


def _regress(ranking: Ranking, design: Array, confidence: float) -> list[Effect]:
    """Coefficients of a design, shape (n, columns), by least squares, with errors by cluster."""
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - a second of imports

    number, units = codes(np.asarray(ranking.cluster))
    model: Any = OLS(ranking.effects, design)
    if units < 2 or len(design) <= design.shape[1]:  # noqa: PLR2004 - a variance needs two
        slopes = model.fit(method="qr").params.tolist()
        return [Effect(slope, note=Note.few_units) for slope in slopes]
    fitted = model.fit(method="qr", cov_type="cluster", cov_kwds={"groups": number}, use_t=True)
    level, found = level_of(confidence), zip(fitted.params, fitted.bse, strict=True)
    return [interval(float(slope), float(se), units - 1.0, level) for slope, se in found]
