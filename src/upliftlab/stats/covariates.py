"""Covariates: what was known before takes its share of chance out of the comparison.

Every outcome is regressed on the covariates, and both arms are read at the covariates' pooled mean
X̄. With slopes β_a, an adjusted mean is that of u = z − β_a'(x − X̄): one more linear map of the
arm's own moments, whatever z is, money too.

**Slopes of its own** for each arm are Lin's (2013): never worse than no adjustment where both arms
are large. In a small and skewed arm they follow its few large values, and the residuals left are
too small. There **one slope** serves all arms, from their cross products within arms taken together
(analysis of covariance; one covariate with one slope is CUPED): u is then the same number of a unit
whatever its arm, so that units can be dealt anew by it. What is left of an arm's spread is its own
in either case, so neither supposes that arms vary alike.

Two things vary besides the arms' means of u. X̄ comes from N units with covariance S: a linear form
w varies by (Σ β_a w_a)' S (Σ β_a w_a) / N more (Negi & Wooldridge 2021). Slopes are estimated: an
arm read at a distance g from its own mean varies by s²·g'W⁻¹g more, W being the cross products that
the slopes were made of. With the degrees of freedom that they cost this is the exact variance
where residuals vary alike, which HC2 estimates too (MacKinnon & White 1985).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.stats.effects import Pooled, SlopeError, TwoSample
from upliftlab.stats.moments import Array, Moments, Projection, bilinear, pool

UNITS_EACH = 10
"""Units that a group must have for its mean and for each slope."""


def adjusted(pair: TwoSample, covariates: Sequence[int], arms: Sequence[Moments] = ()) -> TwoSample:
    """The pair with every column adjusted for the covariates among its columns.

    The pair is returned as it is where a group is too small for the slopes, or where no
    covariate varies, or in blocks with single units of an arm. Groups in strata are adjusted within
    them, always with one slope for all arms.

    Args:
        pair: Moments of a treated group and its control.
        covariates: Columns that were known before assignment.
        arms: Moments of all arms, over the pair's columns, that have one slope together; without
            them each of the two groups has its own.
    """
    groups = (pair.treated, pair.control)
    if pair.treated.blocks is not None:
        return pair
    together = [arms] if arms or pair.treated.strata else [[group] for group in groups]
    kept = _independent([_crossed(arms or groups) for arms in together], covariates)
    if not kept or min(group.n for group in groups) < UNITS_EACH * (len(kept) + 1):
        return pair
    if pair.treated.strata:
        return _within_strata(pair, kept, arms or groups)
    lines = [_Line.through(arms, kept) for arms in together]
    treated, control = _adjusted(groups, (lines[0], lines[-1]))
    return replace(pair, treated=treated, control=control, pooled=_pooled(groups, lines, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Slopes on covariates that some arms have together.

    Attributes:
        kept: The q covariates among the p columns.
        slopes: Of every column, shape (q, p).
        inverse: The inverse of the covariates' cross products W, shape (q, q).
        within: Cross products W_a of each of the k arms, or parts of them, shape (k, q, q).
        left: Their covariances S_a of what the line leaves, shape (k, p, p).
    """

    kept: list[int]
    slopes: Array
    inverse: Array
    within: Array
    left: Array

    @classmethod
    def through(cls, arms: Sequence[Moments], kept: list[int]) -> _Line:
        """The line through parts of more than one unit; of others nothing is left."""
        parts, square = [arm for arm in arms if arm.n > 1], np.ix_(kept, kept)
        crossed = _crossed(arms)
        slopes = np.asarray(np.linalg.solve(crossed[square], crossed[kept]), dtype=np.float64)
        inverse = np.asarray(np.linalg.inv(crossed[square]), dtype=np.float64)
        matrix = _residual(slopes, kept)
        left = [
            bilinear(matrix, part.m2, matrix) / (part.n - _spent(part, inverse, kept))
            for part in parts
        ]
        return cls(
            kept, slopes, inverse, np.stack([part.m2[square] for part in parts]), np.stack(left)
        )

    def at(self, group: Moments, mean: Array) -> Moments:
        """A group's moments as if all of it were at a mean of the covariates."""
        matrix = _residual(self.slopes, self.kept)
        moved = group.project(Projection(matrix, self.slopes.T @ mean))
        spent = _spent(group, self.inverse, self.kept)
        scale = (group.n - 1) / (group.n - spent)
        unknown = np.full_like(moved.m3, np.nan)
        return Moments(moved.n, moved.mean, moved.m2 * scale, unknown, spent)

    def error(self, distance: Array) -> Array:
        """Sampling covariance of the slopes' errors at a distance g from the mean, shape (p, p).

        Σ_a (W⁻¹g)'W_a(W⁻¹g)·S_a, with an arm's own residuals.
        """
        reach = self.inverse @ distance
        return np.asarray(np.tensordot(self.within @ reach @ reach, self.left, 1))


def _residual(slopes: Array, kept: list[int]) -> Array:
    """What makes columns into what their slopes leave, shape (p, p)."""
    matrix = np.eye(slopes.shape[1])
    matrix[:, kept] -= slopes.T
    return matrix


def _spent(group: Moments, inverse: Array, kept: list[int]) -> float:
    """Degrees of freedom that a group spends: one, and its share of what the slopes are made of.

    Never more than half of what it has.
    """
    share = float(np.trace(inverse @ group.m2[np.ix_(kept, kept)]))
    return 1 + min(share, (group.n - 1) / 2)


def _adjusted(groups: Sequence[Moments], lines: Sequence[_Line]) -> tuple[Moments, Moments]:
    """The two groups at their pooled mean."""
    mean = pool(groups).mean[lines[0].kept]
    treated, control = (line.at(group, mean) for group, line in zip(groups, lines, strict=True))
    return treated, control


def _pooled(groups: Sequence[Moments], lines: Sequence[_Line], weight: float) -> Pooled:
    """What two groups have in common, as part of a mean of strata with a weight."""
    kept, total = lines[0].kept, pool(groups)
    spread = total.covariance[np.ix_(kept, kept)] / total.n * weight**2
    away = [weight * (group.mean - total.mean)[kept] for group in groups]
    if len(lines) == 1:
        apart = [weight * (groups[0].mean - groups[1].mean)[kept]]
        shares = [(groups[1].n / total.n, -groups[0].n / total.n)]
    else:
        apart, shares = away, [(1.0, 0.0), (0.0, 1.0)]
    errors = [
        SlopeError(*share, line.error(distance))
        for line, distance, share in zip(lines, apart, shares, strict=True)
    ]
    slopes = lines[0].slopes, lines[-1].slopes
    return Pooled(*slopes, spread, tuple(errors), tuple(kept))


def _within_strata(pair: TwoSample, kept: list[int], arms: Sequence[Moments]) -> TwoSample:
    """A pair adjusted in every stratum: with slopes of its own, or those of all where it is small.

    What is added to the gain of strata is what covariates tell within them. Both groups are read
    at the stratum's own X̄.
    """
    common = _Line.through([part for arm in arms for _, part in arm.strata], kept)
    strata: list[tuple[float, tuple[Moments, Moments], Pooled]] = []
    for at, (weight, treated) in enumerate(pair.treated.strata):
        groups = (treated, pair.control.strata[at][1])
        line = _line([arm.strata[at][1] for arm in arms], common)
        strata.append((weight, _adjusted(groups, (line, line)), _pooled(groups, [line], weight)))
    treated, control = (
        Moments.weighted([(weight, groups[side]) for weight, groups, _ in strata])
        for side in (0, 1)
    )
    slopes = np.concatenate([pooled.treated for *_, pooled in strata])
    spread = np.zeros((len(slopes), len(slopes)))
    for at, (*_, pooled) in enumerate(strata):
        place = slice(at * len(kept), (at + 1) * len(kept))
        spread[place, place] = pooled.spread
    errors = tuple(error for *_, pooled in strata for error in pooled.errors)
    weights = np.array([weight for weight, *_ in strata])
    found = Pooled(slopes, slopes, spread, errors, tuple(kept), weights)
    return replace(pair, treated=treated, control=control, pooled=found)


def _line(parts: Sequence[Moments], common: _Line) -> _Line:
    """A stratum's own line where its arms hold enough units for one, else that of all strata."""
    kept, present = common.kept, [part for part in parts if part.n]
    units = sum(part.n - 1 for part in present)
    enough = units >= UNITS_EACH * (len(kept) + 1)
    if enough and _full_rank(_crossed(present), kept):
        return _Line.through(present, kept)
    return common


def _crossed(arms: Sequence[Moments]) -> Array:
    """Cross products within arms, and within their strata, taken together."""
    parts = [part for arm in arms for _, part in arm.strata or ((1.0, arm),)]
    return np.asarray(sum(part.m2 for part in parts))


def _independent(squares: Sequence[Array], covariates: Sequence[int]) -> list[int]:
    """Covariates that vary in all these cross products and are not made of those before them."""
    kept: list[int] = []
    for column in covariates:
        tried = [*kept, column]
        if all(_full_rank(square, tried) for square in squares):
            kept = tried
    return kept


def _full_rank(square: Array, columns: list[int]) -> bool:
    inside = square[np.ix_(columns, columns)]
    spread = np.sqrt(np.diag(inside))
    if not (spread > 0).all():
        return False
    correlation = inside / np.outer(spread, spread)
    return bool(np.linalg.eigvalsh(correlation)[0] > 1e-8)  # noqa: PLR2004 - beyond double precision
