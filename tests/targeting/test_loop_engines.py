"""From a campaign to the next and back on each engine: analysis, models, list, what it brought."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from loops import round_trip
from targets import shop

from upliftlab.config import load
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.targeting.candidates import with_identity
from upliftlab.targeting.request import TargetRequest

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
AGAIN = """\
schema: 1
experiment: again
customers: {file: sent.parquet, id: customer}
eligible: "intended = 'mail'"
assignment: {observed: arm}
arms:
  none: {control: true, share: 10%}
  mail: {channel: email, share: 90%, cost_per_contact: 0.50}
currency: EUR
metrics: {primary: profit}
money: {revenue: spend, margin: 50%}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A shop with a campaign that was run, and next month's customers."""
    made = tmp_path_factory.mktemp("shop")
    experiment = shop(made)
    text = experiment.read_text().replace("budget: 300", "budget: 800")
    experiment.write_text(text)
    return made


@pytest.fixture(scope="module")
def embedded(folder, tmp_path_factory):
    """The loop on the embedded engine."""
    return run_loop(folder, tmp_path_factory.mktemp("embedded"), DuckDB)


def gain(folder, customers):
    """What the mail truly adds to the spend of customers, by their age."""
    people = pd.read_parquet(folder / "next.parquet").set_index("customer_id")
    return np.clip((people["age"].loc[customers].to_numpy() - 40) / 3, -5, None)


def responded(folder, listed, again):
    """The experiment on the list, whose customers did what the shop has it."""
    noise = np.random.default_rng(5).normal(20, 3, len(listed))
    got = (listed["arm"] == "mail").to_numpy()
    spend = noise + gain(folder, listed["customer"]) * got
    listed.assign(spend=spend).to_parquet(again / "sent.parquet", index=False)
    (again / "again.yaml").write_text(AGAIN)
    return load(again / "again.yaml")


def on_server(plan, folder, desk):
    """A plan whose customers were copied to a server."""
    table = f"loop_{plan.experiment.experiment}"
    desk.publish(table, pq.read_table(folder / plan.customers.file))
    there = plan.customers.model_copy(update={"file": None, "table": f"odd.{table}"})
    return plan.model_copy(update={"customers": there})


def run_loop(folder, again, engine_at, desk=None):
    """Analyse, learn, choose, let them respond, analyse again: all on one engine."""
    loaded, source = load(folder / "spring.yaml"), Source(file="next.parquet")
    plan = loaded.plan
    if desk is not None:
        desk.publish("loop_next", pq.read_table(folder / "next.parquet"))
        plan, source = on_server(plan, folder, desk), Source(table="odd.loop_next")
    to_choose = with_identity(plan, source)
    order = TargetRequest("next_month", to_choose, 800.0, date(2026, 4, 1), again / "list.parquet")

    def respond(listed):
        second = responded(folder, listed, again)
        there = second.plan if desk is None else on_server(second.plan, again, desk)
        return there, second.workspace.locate

    return round_trip(plan, order, respond, (engine_at, loaded.workspace.locate, NOW))


def test_the_lists_holdout_finds_what_is_true(folder, embedded):
    listed, told = embedded.listed, embedded.targets
    [mail] = [each for each in told.arms if each.arm == "mail"]
    [real] = embedded.again.find(kind="incremental_profit", arm="mail", dimension=None)
    assert (real.n_treated, real.n_control) == (mail.customers, mail.held_out)
    sent = listed.loc[listed["arm"] == "mail", "customer"]
    assert real.low < (0.5 * gain(folder, sent) - 0.5).sum() < real.high
    assert not told.forced


def same(found, expected):
    """Every number of both analyses, what policies are worth, and the list."""
    for one, other in ((found.analysis, expected.analysis), (found.again, expected.again)):
        assert one.verdict.sentence == other.verdict.sentence
        for mine, theirs in zip(one.findings, other.findings, strict=True):
            for number in ("estimate", "low", "high"):
                alike(getattr(mine, number), getattr(theirs, number), mine.kind)
    policies = zip(found.responses.policies, expected.responses.policies, strict=True)
    for mine, theirs in policies:
        alike(mine.value.estimate, theirs.value.estimate, mine.name)
        alike(mine.value.low, theirs.value.low, mine.name)
    assert found.targets.sentence == expected.targets.sentence
    pd.testing.assert_frame_equal(found.listed, expected.listed, check_dtype=False, rtol=1e-6)


def alike(one, other, what):
    """The same but for rounding."""
    if one is None or other is None:
        assert one is other, what
    else:
        assert one == pytest.approx(other, rel=1e-6, abs=1e-9), what


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark_goes_round_as_well(folder, embedded, tmp_path):
    from upliftlab.engines.spark import Spark

    same(run_loop(folder, tmp_path, Spark), embedded)


@pytest.mark.postgres
def test_postgres_goes_round_as_well(folder, embedded, tmp_path, postgres, desk):
    same(run_loop(folder, tmp_path, lambda _locate: nullcontext(postgres), desk), embedded)
