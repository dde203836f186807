"""Chances: the known probability of each arm, by stratum where shares are exact within strata."""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.analysis.checks_shares import expected_shares
from upliftlab.analysis.population import ASSIGNED
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.stats.moments import Array
from upliftlab.targeting.coding import looked_up


@dataclass(frozen=True, slots=True, eq=False)
class Propensities:
    """The probability of each arm.

    Attributes:
        declared: The plan's shares, normalised; shape (arms,).
        strata: The strata of a blocked assignment; none where chances are alike for all.
        realised: The shares that arms have of each stratum's units; shape (strata, arms).
    """

    declared: Array
    strata: tuple[str, ...] = ()
    realised: Array | None = None

    def of(self, stratum: pa.ChunkedArray[Any] | None, n: int) -> Array:
        """The chances of customers in their strata; shape (n, arms)."""
        if self.realised is None or stratum is None:
            return np.tile(self.declared, (n, 1))
        numbers = {name: number for number, name in enumerate(self.strata)}
        table = np.vstack([self.realised, self.declared])
        return table[looked_up(stratum, numbers, len(numbers))]


def chances_of(
    plan: Plan, arms: Sequence[str], frame: AnalysisPopulation, engine: Engine
) -> Propensities:
    """The chances of a plan's arms.

    A blocked assignment on record has the shares that were realised: within a stratum nothing
    else was possible. Strata in which an arm has no unit are taken together as one, as they are
    in the analysis; where even that lacks an arm, they have the declared shares.

    Args:
        plan: The declared shares.
        arms: The arms in order.
        frame: Who is analysed.
        engine: Where the assignment lies.
    """
    shares = expected_shares(plan)
    declared = np.array([shares[arm] for arm in arms])
    if plan.experiment.assignment.method != "blocked" or "stratum" not in frame.own:
        return Propensities(declared)
    units = "COUNT(*)" if plan.households is None else "COUNT(DISTINCT house)"
    rows = engine.query(
        f"SELECT stratum, arm, {units} AS n FROM {ASSIGNED} WHERE arm IS NOT NULL"
        " AND stratum IS NOT NULL GROUP BY stratum, arm"
    ).to_pylist()
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(str(row["stratum"]), {})[str(row["arm"])] = int(row["n"])
    if not counts:
        return Propensities(declared)
    names = tuple(sorted(counts))
    return Propensities(
        declared, names, _realised([counts[name] for name in names], arms, declared)
    )


def _realised(counts: Sequence[Mapping[str, int]], arms: Sequence[str], declared: Array) -> Array:
    table = np.array([[found.get(arm, 0) for arm in arms] for found in counts], dtype=np.float64)
    thin = (table == 0).any(axis=1)
    if thin.any():
        together = table[thin].sum(axis=0)
        table[thin] = together if (together > 0).all() else declared
    return table / table.sum(axis=1, keepdims=True)
