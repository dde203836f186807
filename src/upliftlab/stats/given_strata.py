"""Given strata: arms that were assigned within strata elsewhere, with shares that may differ.

The estimate is Σ w_s Δ_s with w_s = n_s/N, so that arms that hold different parts of different
strata are compared among alike. Strata in which every arm has two units tell their own variance
(`strata`), those in which an arm has one are blocks (`blocks`), and both add up (the hybrid of
Pashley & Miratrix 2021). A stratum that lacks an arm compares nothing and is left out; so are
blocks that tell no variance: a single one, or where one holds half of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upliftlab.stats.blocks import Blocks, spread_factors
from upliftlab.stats.moments import Moments

_TWO = 2


@dataclass(frozen=True, slots=True, eq=False)
class StratumKinds:
    """Which strata are compared in which way, each of shape (strata,).

    Attributes:
        full: Every arm has two units at least.
        blocks: Some arm has one unit, and the blocks together tell a variance.
        lacking: Some arm has no unit.
        lone: Some arm has one unit, and the blocks together tell no variance.
    """

    full: npt.NDArray[np.bool_]
    blocks: npt.NDArray[np.bool_]
    lacking: npt.NDArray[np.bool_]
    lone: npt.NDArray[np.bool_]

    @property
    def compared(self) -> npt.NDArray[np.bool_]:
        """Those that are compared at all."""
        return self.full | self.blocks


def kinds(units: npt.NDArray[np.int64]) -> StratumKinds:
    """What becomes of strata with so many units by arm, shape (strata, arms).

    >>> kinds(np.array([[5, 5], [1, 1], [1, 1], [0, 3]])).blocks.tolist()
    [False, True, True, False]
    """
    fewest = units.min(axis=1, initial=np.iinfo(np.int64).max)
    full, few, lacking = fewest >= _TWO, fewest == 1, fewest == 0
    told = bool(np.isfinite(spread_factors(units[few].sum(axis=1).astype(np.float64))).all())
    return StratumKinds(full, few & told, lacking, few & (not told))


def units_by_arm(strata: Sequence[Mapping[str, int]], arms: Sequence[str]) -> npt.NDArray[np.int64]:
    """Units by stratum and arm, shape (strata, arms)."""
    counts = [[groups.get(arm, 0) for arm in arms] for groups in strata]
    return np.array(counts, dtype=np.int64).reshape(len(strata), len(arms))


def within_strata(
    strata: Sequence[Mapping[str, Moments]], arms: Sequence[str]
) -> Mapping[str, Moments] | None:
    """Each arm's moments as if its units were spread over the strata as all of them are.

    n is of the units that are compared. None where no stratum compares the arms.

    Args:
        strata: Moments by arm of every stratum.
        arms: The arms that are compared.
    """
    units = units_by_arm([{arm: g.n for arm, g in each.items()} for each in strata], arms)
    found = kinds(units)
    sizes = units.sum(axis=1).astype(np.float64)
    total = float(sizes[found.compared].sum())
    if not total:
        return None
    full = [s for s, kept in enumerate(found.full.tolist()) if kept]
    few = [s for s, kept in enumerate(found.blocks.tolist()) if kept]
    return {
        arm: Moments.weighted(
            [(float(sizes[s]) / total, strata[s][arm]) for s in full],
            _blocks([strata[s][arm] for s in few], sizes[few], total),
        )
        for arm in arms
    }


def _blocks(
    parts: Sequence[Moments], sizes: npt.NDArray[np.float64], total: float
) -> Blocks | None:
    """An arm's part of blocks of so many units; None without blocks."""
    if not parts:
        return None
    n = np.array([part.n for part in parts], dtype=np.float64)
    means = np.stack([part.mean for part in parts])
    return Blocks(float(sizes.sum()) / total, sizes, n, means)
