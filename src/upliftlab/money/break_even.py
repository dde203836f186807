"""Break-even: the value of one term, all others as they are, at which the answer changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from typing import Final

import numpy as np

from upliftlab.money.what_if import MARGIN, Sums, Terms, measured
from upliftlab.results.analysis import Analysis
from upliftlab.results.costs import RATED, CostStep, Per
from upliftlab.results.ship_rule import parse_ship_if
from upliftlab.results.what_if import BreakEven

_ALWAYS: Final = (Per.contact, Per.redemption)
"""What is asked of every arm; other rates only where one is paid."""
_STEPS: Final = 60
"""Parts of a term's range that are searched; between two of them there is one answer at most."""


def break_evens(analysis: Analysis) -> tuple[BreakEven, ...]:
    """Where each term of each arm that could be adopted would change the answer.

    Profit is linear in a term, so it is 0 at one value. The lower end of its interval is solved for
    by bisection, on the value nearest to the term as it is.

    Args:
        analysis: What was found, with its `money_sums`.

    Raises:
        DataError: UL670, it holds nothing to answer from.
    """
    terms = measured(analysis)
    assert analysis.money_sums is not None  # noqa: S101 - `measured` asked
    control = next(arm.arm for arm in analysis.arms if arm.control)
    judged = {each.arm for each in analysis.verdict.arms}
    found: list[BreakEven] = []
    for contrast in analysis.money_sums.contrasts:
        if contrast.dimension is None and (contrast.arm in judged or not judged):
            sums = Sums(analysis.money_sums, contrast, control)
            found += _of_arm(sums, terms, _reaching(analysis))
    return tuple(found)


def _reaching(analysis: Analysis) -> Callable[[Sums, Terms], float | None]:
    """How far the decision's number lies beyond its threshold; of profit where a metric decides."""
    decides = analysis.decision.metric == "profit"
    rule = parse_ship_if(analysis.decision.ship_if) if decides else parse_ship_if("lower > 0")

    def beyond(sums: Sums, terms: Terms) -> float | None:
        effect = sums.above_hurdle(terms, verdict=True) if decides else sums.profit(terms)
        value = effect.low if rule.what == "lower" else effect.estimate
        return None if value is None else value - rule.threshold

    return beyond


def _of_arm(
    sums: Sums, terms: Terms, beyond: Callable[[Sums, Terms], float | None]
) -> Iterator[BreakEven]:
    arm = sums.contrast.arm
    own = terms.arms[arm]
    asked: list[tuple[str, CostStep | None, float]] = [(MARGIN, None, own.margin)]
    for step in RATED:
        counted = not step.line.per.needs_count or step.line.per in sums.block.columns
        if counted and (step.line.per in _ALWAYS or own[step]):
            asked.append((step.line.key, step, own[step]))
    for key, step, now in asked:

        def at(value: float, step: CostStep | None = step) -> Terms:
            return _with(terms, arm, step, value)

        share = step is not None and step.line.per is Per.revenue
        most = terms.most if step is None else 1.0 if share else inf
        pays = _zero(lambda value: sums.profit(at(value)).estimate, most)
        top = 2 * max(pays or 0.0, now) + 1 if most == inf else most
        settles = _nearest(lambda value: beyond(sums, at(value)), now, top)
        yield BreakEven(arm=arm, term=key, now=now, pays=pays, settles=settles)


def _with(terms: Terms, arm: str, step: CostStep | None, value: float) -> Terms:
    """The terms with one of an arm's in the place of another."""
    own = terms.arms[arm]
    if step is None:
        return replace(
            terms, arms={name: replace(each, margin=value) for name, each in terms.arms.items()}
        )
    return replace(terms, arms={**terms.arms, arm: own.having({step: value})})


def _zero(line: Callable[[float], float | None], most: float) -> float | None:
    """Where a linear function is 0, from 0 to the most that a term can be."""
    start, end = line(0.0), line(1.0)
    if start is None or end is None or start == end:
        return None
    found = start / (start - end)
    return found if 0 <= found <= most else None


def _nearest(function: Callable[[float], float | None], now: float, most: float) -> float | None:
    """The zero of a function that lies nearest to a value, from 0 to the most."""
    from scipy.optimize import brentq  # noqa: PLC0415 - 0.1 s of import

    grid: list[float] = sorted({*np.linspace(0.0, most, _STEPS + 1).tolist(), min(now, most)})
    values = [function(value) for value in grid]
    found: list[float] = []
    for at in range(len(grid) - 1):
        left, right = values[at], values[at + 1]
        if left is not None and right is not None and left * right <= 0 and left != right:
            ends = (grid[at], grid[at + 1])
            found.append(float(brentq(lambda x: function(x) or 0.0, *ends, xtol=1e-13, rtol=1e-14)))
    return min(found, key=lambda value: abs(value - now), default=None)
