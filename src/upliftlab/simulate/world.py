"""A retailer's world from a seed: customers and events, a campaign, and its truth.

Customers buy, complain, answer surveys and are contacted for two years. Then the shipped campaign
is assigned as `upliftlab assign` does, and what it does to each customer follows. All that chance
decides comes from PCG64 in a fixed order: the same seed and number of customers give the same
world. No customer in it exists.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from upliftlab.assignment.assign import prepare
from upliftlab.config import Loaded, load
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError, Diagnostic
from upliftlab.simulate.calendar import FIRST
from upliftlab.simulate.events import (
    Orders,
    contacts_table,
    orders_alone,
    orders_more,
    orders_table,
    redemptions_table,
    surveys_table,
    tickets_table,
    unsubscribes_table,
)
from upliftlab.simulate.lifecycle import lifecycle
from upliftlab.simulate.people import TRAITS, People, draw_people
from upliftlab.simulate.responses import ARMS, AssignedArms, Treatment
from upliftlab.simulate.truth import truth_of
from upliftlab.util.files import atomic_write
from upliftlab.util.resources import shipped

NAME = "spring_winback"
FEWEST = 1_000
"""With fewer customers an arm of a segment may be empty."""
_ABOUT = (
    "Expected values of the generating model over the customers who were assigned (whatever their "
    "arm), times the treated customers of the level. Fixed cost is shared out over a level by its "
    "treated customers. Level null is the whole campaign; the channel is the one that contacts."
)


@dataclass(frozen=True, slots=True)
class World:
    """Customers and what they do if left alone.

    Attributes:
        people: What they really are.
        alone: Their orders if left alone.
        customers: The customers' table, as of the day before the campaign.
    """

    people: People
    alone: Orders
    customers: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Simulated:
    """The places of a simulated world."""

    experiment: Path
    data: Path
    truth: Path


def simulate(
    folder: Path, *, seed: int = 7, customers: int = 40_000, root: Path | None = None
) -> Simulated:
    """Write a simulated world: configs/, the experiment, data/ and truth.json.

    Args:
        folder: Where the files go; made if it is missing.
        seed: Chooses the draw. The same seed gives the same world.
        customers: How many customers to draw.
        root: The folder that the user named, below which no link is followed; `folder` itself
            where it is absent.

    Returns:
        The places of the experiment, the data's folder and the truth.

    Raises:
        DataError: UL290, with fewer than 1,000 customers, or a negative seed; UL291, a file that
            would be written over was changed; UL292, customers of another draw were assigned.
        OutputError: A file cannot be written.
    """
    require_possible(seed, customers)
    root = folder if root is None else root
    made = Simulated(
        folder / "experiments" / f"{NAME}.yaml", folder / "data", folder / "truth.json"
    )
    files = {folder / "configs" / f.name: f for f in sorted(shipped("configs").glob("*.yaml"))}
    files[made.experiment] = shipped("experiments") / f"{NAME}.yaml"
    refuse_changed(files)
    _refuse_assigned(folder, made.truth, (seed, customers))
    random = np.random.Generator(np.random.PCG64(seed))
    world = draw_world(random, customers)
    for target, file in files.items():
        atomic_write(target, file.read_bytes(), root)
    atomic_write(made.data / "customers.parquet", parquet(world.customers), root)
    campaign = assigned(load(made.experiment), ARMS)
    for name, table in play(random, world, campaign).items():
        atomic_write(made.data / f"{name}.parquet", parquet(table), root)
    head = {"schema": 1, "experiment": NAME, "seed": seed, "customers": customers, "about": _ABOUT}
    truth = head | {"effects": _truth(world, campaign)}
    atomic_write(made.truth, (json.dumps(truth, indent=2) + "\n").encode(), root)
    return made


def require_possible(seed: int, customers: int) -> None:
    """Refuse what cannot be drawn.

    Raises:
        DataError: UL290, with fewer than 1,000 customers, or a negative seed.
    """
    if customers < FEWEST or seed < 0:
        wrong = f"cannot simulate {customers} customers from seed {seed}"
        remedy = f"ask for at least {FEWEST:,} customers and a seed of 0 or more"
        raise DataError(Diagnostic("UL290", wrong, remedy))


def refuse_changed(files: Mapping[Path, Path]) -> None:
    """Refuse to write over what somebody has changed since."""
    for target, file in files.items():
        if target.is_file() and target.read_bytes() != file.read_bytes():
            message = f"{target} was changed, and would be written over"
            remedy = "remove it, or choose another folder by --out"
            raise DataError(Diagnostic("UL291", message, remedy))


def _refuse_assigned(folder: Path, truth: Path, asked: tuple[int, int]) -> None:
    """Refuse other customers under the ids of those who are on the record already."""
    ledger = folder / "ledger"
    if not truth.is_file() or not ledger.is_dir() or not any(ledger.iterdir()):
        return
    try:
        known = json.loads(truth.read_bytes())
        drawn = known["seed"], known["customers"]
    except (ValueError, TypeError, KeyError):
        drawn = None
    if drawn != asked:
        message = f"{ledger} holds the assignment of other customers than these would be"
        remedy = "choose another folder by --out, or remove this one"
        raise DataError(Diagnostic("UL292", message, remedy))


def draw_world(random: np.random.Generator, customers: int) -> World:
    """Draw customers and two years of purchases."""
    people = draw_people(random, customers)
    alone = orders_alone(random, people)
    return World(people, alone, _customers(random, people, alone))


def play(
    random: np.random.Generator, world: World, campaign: AssignedArms, name: str = NAME
) -> dict[str, pd.DataFrame]:
    """Every table of events, by name, once the campaign was run."""
    people = world.people
    orders = orders_table(random, people, (world.alone, orders_more(random, people, campaign)))
    return {
        "orders": orders,
        "contacts": contacts_table(random, people, campaign, name),
        "redemptions": redemptions_table(random, orders, campaign, name),
        "tickets": tickets_table(random, people, campaign),
        "unsubscribes": unsubscribes_table(random, people, campaign),
        "surveys": surveys_table(random, people),
    }


def _customers(random: np.random.Generator, people: People, alone: Orders) -> pd.DataFrame:
    """What the shop knows of its customers on the day before the campaign."""
    size = len(people)
    whose, when, _ = alone
    before = when < np.datetime64(FIRST, "us")
    last = np.full(size, np.datetime64("NaT", "us"))
    order = np.argsort(when[before], kind="stable")
    last[whose[before][order]] = when[before][order]
    midnight = np.datetime64(FIRST, "us")
    never = np.isnat(last)
    last[never] = midnight
    days = (midnight - last) // np.timedelta64(1, "D")
    recency = pd.arrays.IntegerArray(days.astype(np.int64), never)
    year = before & (when >= midnight - np.timedelta64(365, "D"))
    frequency = np.bincount(whose[year], minlength=size)
    traits = {name: np.array(TRAITS[name].levels)[code] for name, code in people.codes.items()}
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, size + 1),
            "household_id": people.household + 1,
            **traits,
            "email_opt_in": people.opted_in,
            "recency_days": recency,
            "frequency": frequency,
            "monetary": np.round(frequency * people.mean_order, 2),
            "nps": np.clip(np.round(people.likes + random.normal(0, 1, size)), 0, 10).astype(int),
            "as_of": FIRST - timedelta(days=1),
        }
    )


def assigned(loaded: Loaded, kinds: Sequence[Treatment]) -> AssignedArms:
    """Each customer's arm and first day, as an experiment assigns them.

    Args:
        loaded: The experiment, whose customers lie in its data and whose waves have days.
        kinds: What its arms do, by their names; the control's stands first.
    """
    with DuckDB(loaded.workspace.locate, folders=[]) as engine:
        query = prepare(loaded.plan, engine)
        found = engine.query(
            f"SELECT customer_id, arm, wave FROM ({query.sql}) AS assigned ORDER BY customer_id"  # noqa: S608 - our own query
        ).to_pydict()
    waves = {n: wave.start for n, wave in enumerate(loaded.plan.experiment.waves, 1)}
    numbers: dict[str | None, int] = {kind.name: number for number, kind in enumerate(kinds)}
    return AssignedArms(
        np.array([numbers.get(arm, -1) for arm in found["arm"]], dtype=np.int64),
        np.array([(waves[wave] - FIRST).days for wave in found["wave"]], dtype=np.int64),
        tuple(kinds),
    )


def _truth(world: World, campaign: AssignedArms) -> list[dict[str, Any]]:
    """The effects on those who were assigned."""
    here = np.flatnonzero(campaign.arms >= 0)
    levels = {"lifecycle": lifecycle(world.alone, campaign.starts)[here]}
    return truth_of(world.people.chosen(here), campaign.arms[here], levels)


def parquet(table: pd.DataFrame) -> bytes:
    """A table as a file."""
    content = io.BytesIO()
    table.to_parquet(
        content, engine="pyarrow", compression="zstd", index=False, coerce_timestamps="us"
    )
    return content.getvalue()
