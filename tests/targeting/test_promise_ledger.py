"""What a list promises is kept, held against what its holdout tells, and shown for all lists."""

import contextlib
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from programs import WIDE, analysis
from targets import YAML, shop

import upliftlab as ul
from upliftlab.cli.app import commands
from upliftlab.ledger import Ledger
from upliftlab.planning.calibration import calibration
from upliftlab.planning.portfolio import portfolio
from upliftlab.report.portfolio import render
from upliftlab.report.render import render as report
from upliftlab.results.promises import KeptArm, KeptPromise

LIST = "spring_targets.parquet"
AGAIN = """\
schema: 1
experiment: again
customers: {file: spring_targets.parquet, id: customer}
assignment: {observed: arm, start: day}
arms:
  none: {control: true, share: 10%}
  mail: {channel: email, share: 90%, cost_per_contact: 0.50}
outcome_window: 28 days
currency: EUR
metrics:
  primary: profit
  define: {spend: {from: orders, sum: amount, unit: money}}
money: {revenue: spend, margin: 50%}
"""
ORDERS = """\
schema: 1
sources:
  next_month: {file: next.parquet, id: customer_id}
  orders: {file: orders.parquet, id: customer, time: day, complete_until: 2026-04-29}
"""


def run(folder, *arguments):
    with contextlib.chdir(folder):
        return CliRunner().invoke(commands, list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop that rolled an arm out, whose customers then bought what the world has it."""
    folder = tmp_path_factory.mktemp("shop")
    shop(folder, alike=True).write_text(YAML.partition("uplift:")[0])
    (folder / "configs" / "sources.yaml").write_text(ORDERS)
    asked = "target spring.yaml --customers next_month --policy everybody --arm mail --budget 5000"
    done = run(folder, *asked.split(), "--day", "2026-04-01", "--json")
    assert done.exit_code == 0, done.output
    rows = pq.read_table(folder / LIST).to_pandas()
    spend = np.random.default_rng(5).normal(20, 3, len(rows)) + 3.0 * (rows["arm"] == "mail")
    days = pd.Timestamp("2026-04-10")
    orders = pd.DataFrame({"customer": rows["customer"], "day": days, "amount": spend})
    orders.to_parquet(folder / "orders.parquet")
    (folder / "again.yaml").write_text(AGAIN)
    return folder, json.loads(done.stdout)


def test_a_promise_is_kept_before_anybody_is_contacted(made):
    folder, told = made
    ledger = Ledger(folder / "ledger")
    kept = ledger.promise(told["file"]["sha256"])
    assert (kept.experiment, kept.policy, kept.forced) == ("spring", "everybody", False)
    assert kept.expected_profit == pytest.approx(told["expected_profit"])
    assert [(arm.arm, arm.customers) for arm in kept.arms] == [("mail", told["targeted"])]
    assert ledger.promise("0" * 64) is None
    assert run(folder, "verify", "ledger").exit_code == 0
    assert not ledger.orphans()  # the arms were observed, so that no plan is on the record


def test_a_run_on_the_list_holds_the_promise_against_what_came(made):
    folder, told = made
    done = run(folder, "run", "again.yaml", "--out", "out")
    assert done.exit_code == 0, done.output
    assert "Promise: The list promised" in done.stdout
    found = ul.read_analysis(folder / "out" / "analysis.json")
    [arm] = found.promise.arms
    [profit] = found.find(kind="incremental_profit", arm="mail", dimension=None, headline=True)
    assert (arm.realised, arm.realised_low) == (profit.estimate, profit.low)
    assert arm.promised == pytest.approx(told["expected_profit"], rel=1e-9)
    true = (3.0 * 0.5 - 0.5) * arm.customers
    assert arm.promised_low < true < arm.promised_high
    assert arm.realised_low < true < arm.realised_high
    assert arm.sentence.startswith("The list promised €")
    assert "; it brought €" in arm.sentence
    assert "清单承诺" in report(found, lang="zh")
    done = run(folder, "portfolio", "out", "--json")
    told = json.loads(done.stdout)
    assert told["calibration"]["estimate"] == pytest.approx(arm.realised / arm.promised)
    assert [each["made_from"] for each in told["promises"]] == ["spring"]


def test_what_was_not_the_list_is_held_to_nothing(made, tmp_path):
    """Fewer customers than the list has are compared with no promise; another file is no list."""
    folder = made[0]
    fewer = AGAIN.replace(
        "assignment:", 'eligible: "expected_cost >= 0 and customer % 2 = 0"\nassignment:'
    )
    (folder / "fewer.yaml").write_text(fewer.replace("experiment: again", "experiment: fewer"))
    found = ul.analyze(folder / "fewer.yaml")
    [arm] = found.promise.arms
    assert (arm.realised, arm.realised_high) == (None, None)
    assert "so what came cannot be compared" in arm.sentence
    assert ul.portfolio([found]).promises == ()
    assert ul.analyze(folder / "again.yaml", ledger=tmp_path / "other").promise is None
    assert ul.analyze(folder / "spring.yaml").promise is None


def test_a_promise_that_was_changed_is_refused(made, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(made[0], folder)
    [record] = (folder / "ledger" / "spring" / "promises").iterdir()
    record.write_text(record.read_text().replace('"forced": false', '"forced": true '))
    done = run(folder, "run", "again.yaml")
    assert done.exit_code == 1
    assert "UL459" in done.output
    assert run(folder, "verify", "ledger").exit_code == 1
    record.unlink()
    assert "was removed" in run(folder, "verify", "ledger").output
    assert "UL459" in run(folder, "run", "again.yaml").output


def kept(name, promised, came, se, customers=900):
    """A campaign on a list of one arm, with what was promised and what came."""
    told = analysis(name, {"mail": ("email", came, se, customers)}, control=100)
    arm = KeptArm(
        arm="mail",
        customers=customers,
        held_out=100,
        promised=promised,
        promised_low=None,
        promised_high=None,
        realised=came,
        realised_low=came - WIDE * se,
        realised_high=came + WIDE * se,
        sentence="said",
        sentence_parts=told.verdict.sentence_parts,
    )
    promise = KeptPromise(
        experiment="spring", day="2026-04-01", policy="model", forced=False, arms=(arm,)
    )
    return told.model_copy(update={"promise": promise})


def test_calibration_by_hand():
    """300 promised; 150 ± 5 came: a half, ± 5 / 300."""
    found = portfolio([kept("a", 100.0, 60.0, 3.0), kept("b", 200.0, 90.0, 4.0)]).calibration
    assert found.estimate == pytest.approx(0.5)
    assert found.high - found.estimate == pytest.approx(WIDE * 5 / 300)
    assert portfolio([kept("a", -100.0, 60.0, 3.0)]).calibration is None
    assert portfolio([analysis("b", {"mail": ("email", 1.0, 1.0, 100)})]).promises == ()


def test_the_page_shows_every_list():
    page = render(portfolio([kept("a<b", 100.0, 60.0, 3.0), kept("b", 200.0, 90.0, 4.0)]))
    assert "Of the profit that lists promised" in page
    assert "a&lt;b" in page
    assert "a<b" not in page
    assert "兑现" in render(portfolio([kept("a", 100.0, 60.0, 3.0)]), lang="zh")


def test_its_interval_holds_what_truly_came():
    """Lists of which 8 tenths come: 380 of 400 are expected to hold it, 370 come in 98 of 100."""
    random, held = np.random.default_rng(3), 0
    for _ in range(400):
        promised = random.uniform(500, 3_000, 12)
        true = random.normal(0.8, 0.3, 12) * promised
        errors = random.uniform(100, 900, 12)
        lists = zip(promised, random.normal(true, errors), errors, strict=True)
        found = calibration([kept("list", *each) for each in lists])
        held += found.low < true.sum() / promised.sum() < found.high
    assert 366 <= held <= 394
