"""Did the arms' shares stay the same all the time, or as they were declared for each time?"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.results.analysis import Scalar
from upliftlab.stats.share_shift import share_shift
from upliftlab.text.language import N_
from upliftlab.util.yaml_text import yaml_text

_SUBJECT = ("start",)
_STEADY = N_("The arms' shares stayed the same from the first start to the last (p: {p:p}).")
_STEADY_EACH = N_(
    "Within each time of the same shares, the arms' shares stayed the same (p: {p:p})."
)
_FEW = N_("Not asked: too few customers started in each period.")
_MOVED = N_(
    "The arms' shares changed on {date:date}: {before} until then, {after} from then on (p: {p:p})."
    " What else changed in that time looks like an effect. If the change was meant, write the"
    " shares that were meant in place of each arm's share, and arms are compared within these"
    " times: {line}"
)
_LOST = N_(
    "The arms' shares of the customers who are there changed on {date:date}: {before} until then,"
    " {after} from then on (p: {p:p}). What else changed in that time looks like an effect. Find"
    " out whose customers are missing."
)


@dataclass(frozen=True, slots=True)
class StartDay:
    """How many units of each arm started on a day, under one set of declared shares.

    Attributes:
        regime: The set of declared shares, where there are several; else None.
        day: The day on the program's clock.
        arms: Units by arm.
    """

    regime: str | None
    day: date
    arms: Mapping[str, int]


@Fact
def units_by_start(data: FactInputs) -> tuple[StartDay, ...] | None:
    """Units by day of start and arm, where a column or the ledger tells when each started."""
    plan, own = data.plan, data.population.own
    if "start" not in own or (plan.experiment.waves and not plan.experiment.assignment.start):
        return None  # a wave's own day says what the wave does
    regime = own.get("stratum", "NULL") if data.regimes else "NULL"
    parts = {"regime": f"CAST({regime} AS VARCHAR)", "day": f"CAST({own['start']} AS DATE)"}
    parts |= {"arm": f"CAST({own['arm']} AS VARCHAR)", "n": data.size}
    if "house" in own:
        parts = {"house": own["house"], **parts, "n": "1"}
    columns = ", ".join(f"{sql} AS {name}" for name, sql in parts.items())
    units = f"SELECT {columns} FROM {data.population.relation}"
    if "house" in own:
        first = ", ".join(f"MIN({name}) AS {name}" for name in ("regime", "day", "arm", "n"))
        units = f"SELECT {first} FROM ({units}) AS members GROUP BY house"
    rows = data.engine.query(
        f"SELECT regime, day, arm, SUM(n) AS n FROM ({units}) AS started"
        " GROUP BY regime, day, arm ORDER BY regime, day, arm"
    ).to_pylist()
    return tuple(
        StartDay(regime, day, {row["arm"]: int(row["n"]) for row in of_day})
        for (regime, day), of_day in groupby(rows, key=lambda row: (row["regime"], row["day"]))
    )


def steady(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether the arms' shares stayed the same wherever they were declared the same."""
    days = inputs.facts.of(units_by_start) or ()
    groups = [list(each) for _, each in groupby(days, key=lambda day: day.regime)]
    if all(len(group) < 2 for group in groups):  # noqa: PLR2004 - nothing to compare
        return
    arms = list(inputs.plan.arms)
    tables = [[[day.arms.get(arm, 0) for arm in arms] for day in group] for group in groups]
    shift = share_shift(tables)
    if shift is None:
        yield unasked(_FEW, subjects=_SUBJECT)
        return
    values: dict[str, Scalar] = {"p": shift.p}
    passed, text = shift.p >= IMPLAUSIBLE, _STEADY_EACH if len(groups) > 1 else _STEADY
    if not passed:
        text = _MOVED if inputs.record is None else _LOST
        values |= _moved(arms, groups[shift.group], shift.row)
        if inputs.record is not None:
            del values["line"]
    yield CheckAnswer(passed, text, values, _SUBJECT, value=shift.statistic, p=shift.p)


def _moved(arms: Sequence[str], days: Sequence[StartDay], row: int) -> dict[str, Scalar]:
    """The shares before and from a day on, and how they are declared."""
    parts = [_percent(arms, days[:row]), _percent(arms, days[row:])]
    before, after = (", ".join(f"{arm} {n} %" for arm, n in part.items()) for part in parts)
    listed = ", ".join(
        f"{{from: {day.day.isoformat()}, arms: {{{_written(part)}}}}}"
        for day, part in zip((days[0], days[row]), parts, strict=True)
    )
    moved = days[row].day.isoformat()
    return {"date": moved, "before": before, "after": after, "line": f"shares: [{listed}]"}


def _written(shares: Mapping[str, int]) -> str:
    return ", ".join(f"{yaml_text(arm)}: {n}%" for arm, n in shares.items())


def _percent(arms: Sequence[str], days: Sequence[StartDay]) -> dict[str, int]:
    """Whole percent of each arm, 100 together; the largest arm takes what rounding leaves."""
    counts = {arm: sum(day.arms.get(arm, 0) for day in days) for arm in arms}
    total = sum(counts.values())
    found = {arm: round(100 * n / total) for arm, n in counts.items()}
    found[max(counts, key=lambda arm: counts[arm])] += 100 - sum(found.values())
    return found
