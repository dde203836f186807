"""Faults put into a simulated campaign, and which checks notice: none where there is no fault.

`python tests/support/faults.py 500` (with `src` and `tests/support` on Python's path) prints the
tables of docs/statistics.md: false alarms over so many clean campaigns, and every fault caught.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from worlds import ANALYSED

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.record import Assigned, Record
from upliftlab.assignment.assign import prepare
from upliftlab.config import load
from upliftlab.engines.duckdb import DuckDB
from upliftlab.results.analysis import Check, Severity
from upliftlab.simulate import ARMS, NAME, AssignedArms, draw_world, play
from upliftlab.simulate.calendar import FIRST
from upliftlab.util.files import atomic_write
from upliftlab.util.resources import shipped

CUSTOMERS = 4_000
Tables = dict[str, pd.DataFrame]
Fault = Callable[[np.random.Generator, Tables], None]
QUIET = ("skewness", "guardrail", "plan", "late")
"""Checks of the numbers, not of the data: they may speak up where there is no fault."""


@dataclass(frozen=True)
class Injected:
    """A fault, the check that must notice it, and whether households are randomised."""

    check: str
    inject: Fault
    households: bool = False


def sample_ratio_shift(random, tables):
    table = tables["assignment"]
    moved = (table["arm"] == "holdout") & (random.random(len(table)) < 0.3)
    table.loc[moved, "arm"] = "email_voucher"


def contaminated_control(random, tables):
    people = tables["assignment"]
    spared = people.loc[people["arm"] == "holdout", "customer_id"]
    reached = spared[random.random(len(spared)) < 0.1]
    sent = tables["contacts"][tables["contacts"]["campaign"] == NAME].head(1)
    more = sent.loc[sent.index.repeat(len(reached))].reset_index(drop=True)
    more["customer_id"] = reached.to_numpy()
    more["contact_id"] = 10**9 + np.arange(len(more))
    tables["contacts"] = pd.concat([tables["contacts"], more])


def duplicated_events(random, tables):
    orders = tables["orders"]
    tables["orders"] = pd.concat([orders, orders[random.random(len(orders)) < 0.02]])


def contradicting_events(random, tables):
    orders = tables["orders"]
    again = orders[random.random(len(orders)) < 0.02].copy()
    again["amount"] *= 2
    tables["orders"] = pd.concat([orders, again])


def missing_wave(_random, tables):
    table = tables["assignment"]
    tables["assignment"] = table[(table["wave"] == 1) | table["arm"].isna()]


def wave_not_sent(_random, tables):
    second = tables["assignment"].loc[tables["assignment"]["wave"] == 2, "customer_id"]
    sent = tables["contacts"]
    lost = (sent["campaign"] == NAME) & sent["customer_id"].isin(second)
    tables["contacts"] = sent[~lost]


def late_outcomes(_random, tables):
    orders = tables["orders"]
    tables["orders"] = orders[orders["ordered_at"] < "2026-04-02"]


def leaked_covariate(random, tables):
    people = tables["customers"]
    people.loc[random.random(len(people)) < 0.05, "as_of"] = date(2026, 3, 20)


def asymmetric_suppression(random, tables):
    people, arms = tables["customers"], tables["assignment"].set_index("customer_id")["arm"]
    treated = people["customer_id"].map(arms).isin(["email_voucher", "sms_voucher"])
    tables["customers"] = people[~(treated & (random.random(len(people)) < 0.05))]


def mixed_currency(random, tables):
    orders = tables["orders"]
    orders.loc[random.random(len(orders)) < 0.03, "currency"] = "USD"


def household_over_two_arms(random, tables):
    table = tables["assignment"]
    moved = (table["arm"] == "sms_voucher") & (random.random(len(table)) < 0.1)
    table.loc[moved, "arm"] = "email_voucher"


def hand_picked_control(_random, tables):
    """The same number of customers in the control, but those who had ordered most often."""
    table = tables["assignment"]
    often = tables["customers"].set_index("customer_id")["frequency"]
    here = table[table["arm"].notna()]
    ranked = here["customer_id"].map(often).sort_values(ascending=False, kind="stable").index
    arms = here["arm"].to_numpy()
    table.loc[ranked, "arm"] = np.concatenate([arms[arms == "holdout"], arms[arms != "holdout"]])


def ids_with_trailing_spaces(random, tables):
    ids = tables["orders"]["customer_id"].astype(str)
    tables["orders"]["customer_id"] = ids.where(random.random(len(ids)) > 0.2, ids + " ")


def clock_of_another_zone(_random, tables):
    tables["orders"]["ordered_at"] += pd.Timedelta(hours=8)


def clock_changed_at_the_start(_random, tables):
    times = tables["orders"]["ordered_at"]
    moved = times + pd.Timedelta(hours=2)
    tables["orders"]["ordered_at"] = times.where(times < pd.Timestamp(FIRST), moved)


FAULTS = {
    "sample-ratio shift": Injected("sample_ratio", sample_ratio_shift),
    "contaminated control": Injected("contamination", contaminated_control),
    "duplicated events": Injected("duplicates:orders", duplicated_events),
    "events that contradict": Injected("duplicates:orders", contradicting_events),
    "missing wave": Injected("waves", missing_wave),
    "wave not sent": Injected("waves", wave_not_sent),
    "late outcomes": Injected("completeness:orders", late_outcomes),
    "leaked covariate": Injected("known_before", leaked_covariate),
    "asymmetric suppression": Injected("attrition", asymmetric_suppression),
    "mixed currency": Injected("currency:orders", mixed_currency),
    "household over two arms": Injected("households", household_over_two_arms, households=True),
    "hand-picked control": Injected("balance", hand_picked_control),
    "ids with trailing spaces": Injected("unknown_customers:orders", ids_with_trailing_spaces),
    "clock of another zone": Injected("clock:orders", clock_of_another_zone),
    "clock changed at the start": Injected("clock:orders", clock_changed_at_the_start),
}


def workspace(folder: Path, *, households: bool) -> Path:
    """The shipped configs and experiment in a folder."""
    for file in shipped("configs").glob("*.yaml"):
        atomic_write(folder / "configs" / file.name, file.read_bytes())
    text = (shipped("experiments") / f"{NAME}.yaml").read_text("utf-8")
    # Checks are asked, not segments' intervals, which take two thirds of the time.
    text = text.replace("segments: [value_band, lifecycle, region]", "segments: [lifecycle]")
    if households:
        text = text.replace("  method: blocked\n", "  method: blocked\n  unit: household_id\n")
    atomic_write(folder / "experiments" / f"{NAME}.yaml", text.encode())
    (folder / "data").mkdir()
    return folder / "experiments" / f"{NAME}.yaml"


def checks(
    seed: int, inject: Fault | None = None, *, households: bool = False
) -> tuple[Check, ...]:
    """The checks of one simulated campaign, with a fault or without."""
    random = np.random.Generator(np.random.PCG64(seed))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = load(workspace(folder, households=households))
        world = draw_world(random, CUSTOMERS)
        world.customers.to_parquet(folder / "data" / "customers.parquet")
        with DuckDB(loaded.workspace.locate) as engine:
            query = prepare(loaded.plan, engine).sql
            assignment = engine.query(f"SELECT * FROM ({query}) AS t").to_pandas()
        tables = play(random, world, _campaign(assignment, loaded.plan.experiment.waves))
        tables |= {"customers": world.customers.copy(), "assignment": assignment}
        if inject is not None:
            inject(random, tables)
        tables["assignment"] = tables["assignment"][tables["assignment"]["arm"].notna()]
        for table, content in tables.items():
            content.to_parquet(folder / "data" / f"{table}.parquet", coerce_timestamps="us")
        files = (folder / "data" / "assignment.parquet",)
        record = Record(
            "customer_id",
            (Assigned(FIRST, files, shares=loaded.plan.shares_from(FIRST)),),
            FIRST,
            FIRST,
        )
        with DuckDB(loaded.workspace.locate) as engine:
            return analyze(loaded.plan, AnalysisContext(engine, ANALYSED, record=record)).checks


def _campaign(assignment: pd.DataFrame, waves) -> AssignedArms:
    table = assignment.sort_values("customer_id")
    numbers = {arm.name: number for number, arm in enumerate(ARMS)}
    days = {number: (wave.start - FIRST).days for number, wave in enumerate(waves, 1)}
    arms = table["arm"].map(numbers).fillna(-1).to_numpy(dtype=np.int64)
    return AssignedArms(arms, table["wave"].map(days).fillna(0).to_numpy(dtype=np.int64))


def alarms(found: tuple[Check, ...]) -> list[str]:
    """The checks of the data that failed."""
    return [
        check.name
        for check in found
        if check.passed is False
        and check.severity is not Severity.info
        and check.name.partition(":")[0] not in QUIET
    ]


def clean(seed: int) -> list[str]:
    """The false alarms of one clean campaign; every fourth randomises households."""
    return alarms(checks(seed, households=seed % 4 == 0))


def report(campaigns: int) -> Iterator[str]:
    """The tables of docs/statistics.md, line by line."""
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(clean, range(1_000, 1_000 + campaigns), chunksize=5))
    false = Counter(name for names in found for name in names)
    yield f"{campaigns} clean campaigns, {sum(map(bool, found))} with a false alarm: {dict(false)}"
    for name, fault in FAULTS.items():
        caught = [
            fault.check in alarms(checks(seed, fault.inject, households=fault.households))
            for seed in range(20)
        ]
        yield f"| {name} | `{fault.check}` | {sum(caught)} of {len(caught)} |"


if __name__ == "__main__":
    for line in report(int(sys.argv[1])):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
