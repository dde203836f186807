"""From one campaign to the next and back: what a list promises, and what comes.

The worked example on churn is analysed, who responds is learned, a list for other customers is
written, they respond as the world has it, and the list's own holdout tells what it brought.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from loops import round_trip

from upliftlab.config import load
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.simulate.calendar import FIRST
from upliftlab.simulate.worked import WORLDS, write_example
from upliftlab.simulate.worked.behaviour import expected
from upliftlab.simulate.worked.drawing import (
    InArms,
    contacts_table,
    draw,
    redemptions_table,
    respond,
)
from upliftlab.simulate.worked.truth import KnownModel
from upliftlab.targeting.candidates import with_identity
from upliftlab.targeting.request import TargetRequest

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
CHURN = WORLDS["churn"]
CUSTOMERS, NEXT = 12_000, 12_000
AGAIN = """schema: 1
experiment: churn_again
customers: {file: sent.parquet, id: customer}
assignment: {observed: arm, start: starts}
arms:
  holdout: {control: true, share: 10%}
  offer:   {share: 90%, channel: email, offer: voucher10}
outcome_window: 28 days
currency: EUR
metrics: {primary: profit, secondary: [revenue]}
money: {revenue: revenue, margin: 35%, contacts: contacts, redemptions: redemptions}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A workspace with a campaign that was run, and the customers of the next."""
    folder = tmp_path_factory.mktemp("program")
    write_example(folder, CHURN, seed=7, customers=CUSTOMERS)
    chance = np.random.default_rng(11)
    people = draw(chance, CHURN.clientele, CHURN.behaviours, NEXT)
    reads = np.array(CHURN.clientele.traits["reads"].levels)[people.kinds["reads"]]
    low, wide = np.array([0.0, 0.35, 0.7]), np.array([0.349, 0.349, 0.299])
    score = low[people.kinds["risk"]] + wide[people.kinds["risk"]] * chance.random(NEXT)
    table = {"customer_id": np.arange(1, NEXT + 1), "risk_score": score.round(3), "reads": reads}
    pd.DataFrame(table).to_parquet(folder / "data" / "next.parquet", index=False)
    return folder, people


@pytest.fixture(scope="module")
def embedded(program, tmp_path_factory):
    """The whole loop."""
    return run_loop(program, tmp_path_factory.mktemp("embedded"))


def responded(people, listed, folder):
    """A workspace in which those on the list did what the world has it that they do."""
    whose = listed["customer"].to_numpy() - 1
    arms = (listed["arm"] == "offer").to_numpy().astype(np.int64)
    kinds = {name: codes[whose] for name, codes in people.kinds.items()}
    chance = np.random.default_rng(12)
    found = respond(
        chance, CHURN.clientele, CHURN.behaviours, InArms(kinds, people.habit[whose], arms)
    )
    tables = {
        "orders": found.orders,
        "contacts": contacts_table(chance, CHURN.behaviours, arms, "churn_again"),
        "redemptions": redemptions_table(chance, CHURN.behaviours, found, "churn_again"),
    }
    for place in ("experiments", "data"):
        (folder / place).mkdir(parents=True)
    for name, table in tables.items():
        whom = whose[table["customer_id"].to_numpy() - 1] + 1
        table.assign(customer_id=whom).to_parquet(folder / "data" / f"{name}.parquet", index=False)
    listed.assign(starts=FIRST).to_parquet(folder / "data" / "sent.parquet", index=False)
    (folder / "experiments" / "again.yaml").write_text(AGAIN)
    return folder / "experiments" / "again.yaml"


def run_loop(program, folder):
    """Analyse, learn, choose, let them respond, analyse again."""
    whole, people = program
    loaded, source = load(whole / "experiments" / CHURN.file), Source(file="next.parquet")
    plan = loaded.plan
    order = TargetRequest(
        "next", with_identity(plan, source), 20_000.0, date(2026, 6, 1), folder / "list.parquet"
    )
    shutil.copytree(whole / "configs", folder / "again" / "configs")

    def respond_to(listed):
        listed = listed.sort_values("customer", ignore_index=True)
        second = load(responded(people, listed, folder / "again"))
        return second.plan, second.workspace.locate

    return round_trip(plan, order, respond_to, (DuckDB, loaded.workspace.locate, NOW))


def gains(program):
    """What the offer truly adds to each of the next customers, by what kind they are."""
    whole, people = program
    plan = load(whole / "experiments" / CHURN.file).plan
    known = KnownModel(plan, CHURN.clientele, CHURN.by_arm, people.kinds, people.arms)
    profit = {
        arm: known.money(arm, expected(CHURN.clientele, behaviour, people.kinds))["profit"]
        for arm, behaviour in CHURN.by_arm.items()
    }
    return profit["offer"] - profit["holdout"]


def sent(listed):
    """Who got the offer."""
    return listed.loc[listed["arm"] == "offer", "customer"].to_numpy() - 1


def test_what_is_promised_comes(program, embedded):
    true = gains(program)[sent(embedded.listed)].sum()
    [real] = embedded.again.find(kind="incremental_profit", dimension=None, arm="offer")
    promised = embedded.targets
    assert promised.targeted == len(sent(embedded.listed)) == real.n_treated > 3_000
    assert promised.held_out == real.n_control > 300
    assert real.low < true < real.high
    assert promised.expected_low < true < promised.expected_high
    assert max(real.low, promised.expected_low) < min(real.high, promised.expected_high)


def test_those_are_chosen_whom_the_offer_changes(program, embedded):
    """They bring more than the most likely to leave do, of whom the rule of today takes all."""
    _, people = program
    gain, chosen = gains(program), sent(embedded.listed)
    assert embedded.responses.open
    assert gain[chosen].sum() > 0 > gain[people.kinds["risk"] == 2].sum()
    assert gain[chosen].mean() > 2 * gain.mean()
    assert (people.kinds["risk"][chosen] == 2).mean() < 0.5
