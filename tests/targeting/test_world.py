"""Nobody is chosen in the simulated world who was contacted too lately, opted out, or is held."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from worlds import ANALYSED, assigned

from upliftlab.analysis.analyze import AnalysisContext
from upliftlab.assignment.hashing import cuts, digest
from upliftlab.engines.duckdb import DuckDB
from upliftlab.ledger import Ledger, campaign
from upliftlab.results.analysis import DataFile
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.model import FittedModel
from upliftlab.targeting.request import TargetRequest
from upliftlab.targeting.target import target
from upliftlab.targeting.training_data import learning_rows
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import learner
from upliftlab.uplift.sample import TrainingSample

DAY = date(2026, 3, 20)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """A world, and what is told of a list soon after its campaign and of one long after."""
    folder = tmp_path_factory.mktemp("world")
    loaded = assigned(folder, customers=4_000)
    ledger, plan = Ledger(folder / "ledger"), loaded.plan
    with DuckDB(loaded.workspace.locate) as engine:
        setting = AnalysisContext(engine, ANALYSED, record=campaign.open_record(ledger, plan))
        rows = learning_rows(plan, engine, setting.record)
        encoding = Encoding.fit(rows.table)
        encoded, fold = encoding.encode(rows.table), fold_of(rows.cluster, 5, 1)
        known = (rows.arm, rows.outcomes, rows.propensity, rows.cluster)
        sample = TrainingSample(encoded.values, *known, fold)
        basis = FittedModel(
            sample,
            learner("two_models", "linear", encoding, 1),
            (DataFile(source="customers", file="c", sha256="0" * 64, rows=1),),
            (True, True),
            Estimate(estimate=2.0, low=1.0, high=3.0),
            Estimate(estimate=0.5, low=0.25, high=0.75),
        )
        order = TargetRequest(
            "customers",
            plan.customers,
            400.0,
            DAY,
            folder / "list.parquet",
            campaign.contacts_on_record(ledger, plan, folder),
        )
        told = target(plan, order, basis, setting)
        next_order = replace(order, day=date(2026, 9, 1), output=folder / "later.parquet")
        later = target(plan, next_order, basis, setting)
    return loaded.workspace, told, later


def listed(workspace, name):
    return pq.read_table(workspace.root / name).to_pandas()


def test_everybody_is_counted(chosen):
    for each in chosen[1:]:
        counted = each.targeted + each.held_out + each.not_chosen + sum(each.excluded.values())
        assert counted == each.seen == 4_000
        assert each.expected_cost <= each.budget


def test_who_was_contacted_too_lately_is_left_alone(chosen):
    workspace, told, later = chosen
    contacts = pq.read_table(workspace.root / "contacts.parquet").to_pandas()
    lately = {int(i) for i in contacts.loc[contacts["day"] > DAY - timedelta(days=14), "id"]}
    assert told.excluded["cool_down"] == len(lately) > 500
    assert "cool_down" not in later.excluded
    assert not lately & set(listed(workspace, "list.parquet")["customer"])
    assert lately & set(listed(workspace, "later.parquet")["customer"])


def test_only_who_is_eligible_is_chosen(chosen):
    workspace, *_ = chosen
    people = pd.read_parquet(workspace.data / "customers.parquet").set_index("customer_id")
    mine = people.loc[listed(workspace, "later.parquet")["customer"]]
    assert len(mine) > 50
    assert mine["email_opt_in"].all()
    assert mine["recency_days"].between(90, 365).all()


def test_held_out_are_a_tenth_drawn_by_the_campaigns_salt(chosen):
    workspace, told, later = chosen
    rows = listed(workspace, "later.parquet")
    held = rows["arm"] == "holdout"
    assert held.sum() == later.held_out
    [end] = cuts([Fraction(1, 10)])
    salt = "spring_winback:target:customers:2026-09-01"
    assert held.tolist() == [digest(salt, each) < end for each in rows["customer"]]
    share = told.held_out / (told.targeted + told.held_out)
    assert abs(share - 0.1) < 4 * np.sqrt(0.09 / (told.targeted + told.held_out))
