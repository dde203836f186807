"""What if: the few sums per contrast from which any other terms of money can be answered.

Every column that a term weighs is compared as money itself is: projected out of each arm's own
moments, and adjusted for covariates with the same slopes. Where all arms have one slope together,
it is made of what all of them have of a column: a rate that changes in one arm changes it as if it
changed in all treated arms alike. What is left of the costs as they are is a column that is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import isfinite, isnan

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.analysis.contrasts import CHANNEL, Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.measures import sharpened
from upliftlab.money import ABOVE_HURDLE, PROFIT, Roles
from upliftlab.money.what_if import HELD, MARGIN, monomials
from upliftlab.results.costs import RATED, CostStep, Per
from upliftlab.results.what_if import (
    Bounds,
    HeldBounds,
    WhatIf,
    WhatIfContrast,
    WhatIfGroup,
)
from upliftlab.stats.effects import LinearContrast, TwoSample
from upliftlab.stats.moments import Array, Moments, Projection, bilinear
from upliftlab.stats.moved import with_raised


def what_if(
    spec: EstimationSpec,
    contrasts: Sequence[Contrast],
    aggregates: Aggregates,
    candidates: int,
) -> WhatIf | None:
    """All that answers under other terms rest on; None without money, and of pairs.

    Args:
        spec: What is compared.
        contrasts: Every treated group in every place; those of several arms at once are left out.
        aggregates: Moments of every arm in every place, with money's columns.
        candidates: How many arms the verdict is among.
    """
    told = [each for each in contrasts if each.place.dimension != CHANNEL and each.arm]
    if spec.roles is None or not told:
        return None
    if any(each.sharp.treated.blocks is not None for each in told):
        return None  # the variance between pairs is of no group by itself
    columns, first = _Columns(spec, spec.roles), told[0]
    compared = [each for each in told if each.sharp.unusable is None]
    pairs = [_pair(each, columns, aggregates[each.place]) for each in compared]
    kept = columns.names if any(_varies(pair, columns) for pair in pairs) else columns.names[:-1]
    rows = columns.rows[: len(kept)]
    return WhatIf(
        columns=kept,
        nominal=first.level().nominal,
        nominal_verdict=first.among(candidates).level().nominal,
        customers={arm: spec.customers(group) for arm, group in aggregates[OVERALL].items()},
        contrasts=tuple(
            _contrast(each, pair, rows, candidates)
            for each, pair in zip(compared, pairs, strict=True)
        ),
    )


@dataclass(frozen=True)
class _Columns:
    """The columns that terms weigh.

    Attributes:
        spec: What is compared.
        roles: Which metrics money is made of.
    """

    spec: EstimationSpec
    roles: Roles

    @cached_property
    def counted(self) -> dict[Per, int]:
        """What rates are paid for and a metric counts, with its column."""
        asked = dict.fromkeys(step.line.per for step in RATED)
        found = {per: self.roles.counting(per) for per in asked}
        return {per: column for per, column in found.items() if column is not None}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return (MARGIN, *(per.value for per in self.counted), HELD)

    @cached_property
    def rows(self) -> Array:
        """Which of a pair's columns they are, shape (columns, the pair's)."""
        p, size = len(self.spec.columns), len(self.names)
        behind = size * len(self.spec.raised) + len(self.spec.ratios)
        return np.eye(size, p + size + behind, p)

    def projection(self, arm: str, own: str, size: int) -> Projection:
        """The map from an arm's columns to those of metrics and these.

        Args:
            arm: The arm.
            own: The arm whose rates are asked about.
            size: How many columns the arm's moments have.
        """
        p, columns = len(self.spec.columns), list(self.counted.items())
        rows = np.zeros((len(self.names), size))
        rows[0, self.roles.earned] = 1.0
        rows[-1, :p] = self.spec.per_unit(CostStep.cost, (arm,))[0]
        if arm in self.spec.treatments:
            for at, (per, column) in enumerate(columns, start=1):
                rows[at, column] = 1.0
                rows[-1, column] -= self.spec.terms[own].paid(per)
        made = Projection(np.vstack([np.eye(p, size), rows]), np.zeros(p + len(rows)))
        return with_raised(made, p, self.spec.raised)


def _pair(contrast: Contrast, columns: _Columns, groups: Mapping[str, Moments]) -> TwoSample:
    """The contrast's pair over the columns that terms weigh, adjusted as its own is."""
    spec, arm = columns.spec, contrast.arm or ""
    projected = {
        name: group.project(columns.projection(name, arm, len(group.mean)))
        for name, group in groups.items()
    }
    return sharpened(spec, projected, spec.pair(projected, (arm,)))


def _varies(pair: TwoSample, columns: _Columns) -> bool:
    """Whether there is a cost that is held."""
    held = columns.rows[-1]
    form = LinearContrast(held, -held)
    return bool(form.value(pair)) or any(form.covariance(form, pair))


def _contrast(contrast: Contrast, pair: TwoSample, rows: Array, candidates: int) -> WhatIfContrast:
    overall = contrast.place.dimension is None
    return WhatIfContrast(
        arm=contrast.arm or "",
        dimension=contrast.place.dimension,
        level=contrast.place.level,
        customers=pair.treated.n * pair.size,
        difference=tuple((rows @ (pair.treated.mean - pair.control.mean)).tolist()),
        treated=_group(pair.treated, rows),
        control=_group(pair.control, rows),
        shared=_shared(pair, rows),
        held=_held(contrast),
        held_verdict=_held(contrast.among(candidates)) if overall else None,
    )


def _group(group: Moments, rows: Array) -> WhatIfGroup:
    return WhatIfGroup(
        n=group.n,
        covariance=_known(_sampling(group, rows)[np.triu_indices(len(rows))]),
        df=float(group.n - group.spent),
        freedom=_known(quartic(group, rows)),
    )


def _sampling(group: Moments, rows: Array) -> Array:
    return bilinear(rows, group.m2, rows) / (group.n - 1) / group.n


def quartic(group: Moments, rows: Array) -> Array:
    """Coefficients of Σ (share²·w'Sw)²/df over strata, so that no stratum is told by itself.

    In the order of `monomials`; empty where there are no strata.

    Args:
        group: A group's moments.
        rows: The columns asked for, as rows of weights.
    """
    if not group.strata:
        return np.zeros(0)
    whole = np.zeros((len(rows),) * 4)
    for share, part in group.strata:
        spread = share**2 * _sampling(part, rows)
        whole += np.einsum("ij,lm->ijlm", spread, spread) / (part.n - part.spent)
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for places in product(range(len(rows)), repeat=4):
        found[tuple(sorted(places))] += float(whole[places])
    return np.array([found[tuple(places)] for places in monomials(len(rows)).tolist()])


def _shared(pair: TwoSample, rows: Array) -> tuple[float | None, ...]:
    """The covariance of the differences that both groups have in common."""
    if pair.pooled is None and pair.moved is None:
        return ()
    forms = [LinearContrast(row, -row) for row in rows]
    found = [one.shared(other, pair) for at, one in enumerate(forms) for other in forms[at:]]
    return _known(np.array(found))


def _held(contrast: Contrast) -> HeldBounds | None:
    """Critical values that are not Student's."""
    question = contrast.question()
    found: dict[str, Bounds | None] = {}
    for compared, hurdle in ((PROFIT, 0.0), (ABOVE_HURDLE, None)):
        level, df = question.level(compared), question.above_hurdle(hurdle).df
        if df is None or (level.draws is None and not level.skewness):
            found[compared] = None
        else:
            low, high = level.bounds(df)
            found[compared] = _end(low), _end(high)
    return HeldBounds.model_validate(found) if any(found.values()) else None


def _end(bound: float) -> float | None:
    return bound if isfinite(bound) else None


def _known(values: Array) -> tuple[float | None, ...]:
    return tuple(None if isnan(value) else float(value) for value in values)
