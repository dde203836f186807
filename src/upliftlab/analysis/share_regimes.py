"""Share regimes: the times in which customers were divided by the same shares.

Where shares changed, arms hold customers of different times, and whatever else changed with time
would look like an effect. Within a regime chance alone decides, so arms are compared within
regimes (`stats.strata`). Times of the same shares are one regime, however far apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from upliftlab.analysis.record import Record
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import DataError, Diagnostic
from upliftlab.stats.moments import Moments, pool
from upliftlab.stats.strata import FEWEST, Groups, Thin, places, stratified, units_in

MOST_LEFT_OUT = 0.05
"""The largest part of a place's units that may lie in regimes where an arm is too small."""


@dataclass(frozen=True, slots=True)
class ShareRegime:
    """A set of shares that held for some time.

    Attributes:
        name: What it is called among strata.
        first: The first day on which it held.
        shares: Each arm's share, 1 together.
    """

    name: str
    first: date
    shares: Mapping[str, float]


def expected_shares(plan: Plan, record: Record | None = None) -> dict[str, float]:
    """Each arm's share, the last where there are several; equal ones where none is declared.

    The ledger knows by which shares customers were assigned, whatever was amended since.
    """
    dated = [] if record is None else _dated(plan, record)
    return dated[-1][1] if dated else scaled(plan.shares_from(None), plan.arms)


def scaled(
    shares: Mapping[str, Fraction | float] | None, arms: Collection[str]
) -> dict[str, float]:
    """Shares of arms so that they sum to 1; equal ones where none is declared."""
    if not shares:
        return {name: 1 / len(arms) for name in arms}
    total = sum(map(float, shares.values()))
    return {name: float(shares.get(name, 0)) / total for name in arms}


def regimes_of(plan: Plan, record: Record | None) -> tuple[ShareRegime, ...]:
    """The regimes of an experiment in the order of their first days; empty where shares stayed.

    The ledger knows which shares each generation was assigned by; else they are those of the plan.
    """
    return _distinct([(day, shares) for day, shares in _dated(plan, record)])


def regime_names(plan: Plan, record: Record | None) -> tuple[tuple[date, str], ...]:
    """The name of the regime that held from each day, or of each generation in its order."""
    named = {tuple(regime.shares.items()): regime.name for regime in regimes_of(plan, record)}
    return tuple(
        (day, named[tuple(shares.items())]) for day, shares in _dated(plan, record) if named
    )


def _dated(plan: Plan, record: Record | None) -> list[tuple[date, dict[str, float]]]:
    if record is None:
        periods = plan.experiment.shares
        return [(period.start, scaled(period.arms, plan.arms)) for period in periods]
    return [
        (each.day, scaled(each.shares, plan.arms))
        for each in record.generations
        if each.query is None
    ]


def _distinct(dated: Sequence[tuple[date, dict[str, float]]]) -> tuple[ShareRegime, ...]:
    found: dict[tuple[tuple[str, float], ...], ShareRegime] = {}
    for day, shares in dated:
        name = f"shares {len(found) + 1}"
        found.setdefault(tuple(shares.items()), ShareRegime(name, day, shares))
    return tuple(found.values()) if len(found) > 1 else ()


def mixed_shares(
    regimes: Sequence[ShareRegime], units: Mapping[str, Mapping[str, int]]
) -> dict[str, float]:
    """Each arm's expected share of all units, of which so many lie in each regime."""
    sizes = {regime.name: sum(units.get(regime.name, {}).values()) for regime in regimes}
    total = sum(sizes.values()) or 1
    return {
        arm: sum(sizes[regime.name] * regime.shares[arm] for regime in regimes) / total
        for arm in regimes[0].shares
    }


def realised_shares(
    units: Mapping[str, Mapping[str, int]], arms: Collection[str]
) -> dict[str, float]:
    """Each arm's share of the units that are there, by stratum and arm."""
    counts = {arm: sum(groups.get(arm, 0) for groups in units.values()) for arm in arms}
    total = sum(counts.values()) or 1
    return {arm: n / total for arm, n in counts.items()}


def within_regimes(parts: Sequence[Groups], arms: Sequence[str]) -> Groups | None:
    """Arms compared within regimes, each regime weighing as many units as it has.

    Regimes in which an arm has fewer than two units are left out where they are hardly anybody;
    None where they are more than that: there is nothing to compare some customers with. Each arm
    has its own n in the end.

    Args:
        parts: Moments by arm in every regime.
        arms: The arms that are compared.
    """
    units = units_in(parts, arms)
    total, kept = units.sum(), units[places(units, Thin.left_out) >= 0].sum()
    if not kept or total - kept > MOST_LEFT_OUT * total:
        return None
    found = stratified(parts, arms, Thin.left_out)
    if found is None or total == kept:
        return found
    return {arm: _of(found[arm], pool(g[arm] for g in parts if arm in g)) for arm in arms}


def _of(group: Moments, whole: Moments) -> Moments:
    """A group with the number of units of the whole, and its own mean and variance of the mean."""
    scale = whole.n * (whole.n - 1) / (group.n * (group.n - 1))
    return replace(group, n=whole.n, m2=group.m2 * scale, m3=whole.m3)


def _units(groups: Groups, arm: str) -> int:
    return groups[arm].n if arm in groups else 0


def refuse_before_shares(plan: Plan, first: date) -> None:
    """Refuse customers who started before there were shares.

    Raises:
        DataError: UL309, naming the day.
    """
    periods = plan.experiment.shares
    if periods and first < periods[0].start:
        message = f"customers started on {first}, before the first day of 'shares', "
        message += f"{periods[0].start}"
        raise DataError(
            Diagnostic("UL309", message, f"write the first 'from' as {first}, or leave them out")
        )


def thin_regime(regimes: Sequence[ShareRegime], parts: Mapping[str, Groups]) -> DataError:
    """The refusal of regimes in which arms cannot be compared.

    The code is UL310; it names the first day of each and the arm.
    """
    lacking = [
        f"from {regime.first} on, '{arm}' has {_units(parts.get(regime.name, {}), arm):,} customers"
        for regime in regimes
        for arm in regime.shares
        if _units(parts.get(regime.name, {}), arm) < FEWEST
    ]
    message = f"arms cannot be compared within times of the same shares: {'; '.join(lacking)}"
    remedy = "check the days of 'shares', or leave out the customers of that time by 'exclude'"
    return DataError(Diagnostic("UL310", message, remedy))
