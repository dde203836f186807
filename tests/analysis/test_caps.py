"""Large values are cut where the plan says so; both estimates are shown, money is never cut."""

import numpy as np
import pytest
from plans import make_plan, run

from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.moments import Moments

SPEND = {
    "none": [0, 0, 0, 0, 4, 10, 0, 20, 0, 0],
    "mail": [0, 0, 7, 0, 12, 0, 900, 0, 30, 0],
}
"""The seven values that are not zero are 4, 7, 10, 12, 20, 30 and 900."""


@pytest.fixture
def table(tmp_path):
    rows = [f"{arm},{value}" for arm, values in SPEND.items() for value in values]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    return tmp_path


def analysed(table, **declared):
    return run(make_plan(**declared), table)


def pick(found, kind, metric):
    return next(f for f in found.findings if (f.kind, f.metric) == (kind, metric))


@pytest.mark.parametrize(
    ("cap", "limit"), [("75%", 30), ("57%", 12), ("58%", 20), ("25", 25), ("99.9%", 30)]
)
def test_both_estimates_are_those_of_the_rows(table, cap, limit):
    found = analysed(table, analysis={"winsorize": {"spend": cap}})
    for metric, top in (("spend", np.inf), ("spend:capped", limit)):
        groups = [np.minimum(SPEND[arm], top)[:, None] for arm in ("mail", "none")]
        expected = difference(TwoSample(*map(Moments.of, groups)), 0, 0.95)
        effect = pick(found, "difference", metric)
        assert (effect.estimate, effect.se) == pytest.approx((expected.estimate, expected.se))
    info = {m.name: m for m in found.metrics}
    assert (info["spend:capped"].cap, info["spend"].cap) == (limit, None)
    assert info["spend:capped"].title == f"spend ≤ {limit}"


def test_what_is_cut_is_judged_in_the_metrics_place(tmp_path):
    """Four of each customer: seven purchases tell nothing of the sum that is not cut."""
    rows = [f"{arm},{value}" for arm, values in SPEND.items() for value in values * 4]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    found = analysed(tmp_path, analysis={"winsorize": {"spend": "75%"}})
    assert {m.name: m.role for m in found.metrics} == {
        "spend:capped": "primary",
        "spend": "secondary",
    }
    capped, plain = pick(found, "difference", "spend:capped"), pick(found, "difference", "spend")
    assert (capped.family, plain.family) == ("confirmatory", "secondary")
    assert found.verdict.arms[0].value == capped.estimate


def test_money_is_never_cut(table):
    money = {"revenue": "spend", "margin": "50%"}
    plain = analysed(table, money=money)
    cut = analysed(table, money=money, analysis={"winsorize": {"spend": "75%"}})
    profit = [pick(found, "incremental_profit", "spend").estimate for found in (plain, cut)]
    assert profit[0] == profit[1] == pytest.approx(0.5 * (949 - 34))
    assert cut.verdict.metric == "profit"


def test_a_cap_is_nobodys_own_amount(tmp_path):
    amounts = [*range(100, 140), 7919.37, 8123.45, 9001.01]
    rows = "".join(f"{arm},{amount}\n" for amount in amounts for arm in ("none", "mail"))
    (tmp_path / "customers.csv").write_text("arm,spend\n" + rows)
    found = run(make_plan(5, analysis={"winsorize": {"spend": "99.9%"}}), tmp_path)
    assert {m.cap for m in found.metrics} == {None, 7920.0}
    few = "arm,spend\n" + "none,0\nmail,0\n" * 9 + "none,7919.37\nmail,8123.45\n"
    (tmp_path / "customers.csv").write_text(few)
    found = run(make_plan(5, analysis={"winsorize": {"spend": "99.9%"}}), tmp_path)
    assert {m.cap for m in found.metrics} == {None}, "too few values to say where they end"


def test_where_nothing_was_spent_nothing_is_cut(tmp_path):
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "none,0\nmail,0\n" * 5)
    found = analysed(tmp_path, analysis={"winsorize": {"spend": "99%"}})
    assert {m.name: m.cap for m in found.metrics} == {"spend:capped": None, "spend": None}
    assert pick(found, "difference", "spend:capped").estimate == 0
