"""Profile: what tells those predicted to respond most from the others; a description, no cause."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from upliftlab.results.uplift import Responder
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import Crossfit
from upliftlab.uplift.encoding import Encoding

_FIRST = 0.2
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
        end = np.quantile(order[here], 1 - _FIRST)
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
