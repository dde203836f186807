"""A row of so many equal customers is so many rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from grouped import crowd, differences, experiment
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import NOW, pick

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.engines.spark import Spark
from upliftlab.errors import ConfigError, DataError

KNOWN = {"known_after": ["visited", "orders", "spent"]}
CONFIGS = {
    "metrics": {
        "metrics": {
            "per_order": {"ratio": ["spent", "orders"]},
            "buyer_spend": {"column": "spent", "only": "visited"},
            "net": {"minus": ["spent", "orders"]},
        }
    },
    "segments": {"segments": {"loyalty": {"column": "before", "bands": [2, 4]}}},
}
ASKED = {
    "metrics": {
        "primary": "spent",
        "secondary": ["visited", "orders", "per_order", "buyer_spend", "net"],
    },
    "segments": ["region", "loyalty"],
    "analysis": {"covariates": "before"},
    "currency": "EUR",
    "arms": {
        "none": {"control": True},
        "mail": {"cost_per_redemption": "0.5"},
        "push": {"cost_per_redemption": "0.5"},
    },
    "money": {"revenue": "spent", "margin": "40%", "redemptions": "visited"},
}
TWO = {"arms": {"none": {"control": True}, "mail": {}}}


def grouped(rows):
    """Equal rows as one, with their number."""
    return rows.groupby(list(rows.columns), as_index=False).size()


def single(rows, **asked):
    return experiment(KNOWN, CONFIGS, **{**ASKED, **asked}).analyze(rows)


def weighted(table, **asked):
    own = {**KNOWN, "weight": "size"}
    return experiment(own, CONFIGS, **{**ASKED, **asked}).analyze(table)


def same_moments(one, other):
    for left, right in zip(one.moments, other.moments, strict=True):
        assert (left.arm, left.dimension, left.level) == (right.arm, right.dimension, right.level)
        assert left.n == right.n
        assert left.mean == pytest.approx(right.mean, rel=1e-9, abs=1e-12)
        size = len(left.mean)
        places = [at * size - at * (at - 1) // 2 for at in range(size)]
        scale = [max(abs(right.m2[at]), 1e-12) ** 0.5 for at in places]
        products = [scale[i] * scale[j] for i in range(size) for j in range(i, size)]
        for found, expected, most in zip(left.m2, right.m2, products, strict=True):
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * most)
        for at, found in enumerate(left.m3):
            assert found == pytest.approx(right.m3[at], rel=1e-9, abs=1e-9 * scale[at] ** 3)


@pytest.fixture(scope="module")
def rows():
    found = crowd(5_000)[["arm", "region", "before", "visited", "orders", "spent"]]
    found["spent"] = found["spent"].round(-1)  # so that many are alike
    return found


@pytest.fixture(scope="module")
def expected(rows):
    return single(rows)


def test_a_small_table_by_hand():
    """90 × 0 and 10 × 5 against 80 × 0 and 20 × 5: .5 ± √(225/99/100 + 400/99/100)."""
    table = pd.DataFrame(
        {"arm": ["none", "none", "mail", "mail"], "spent": [0, 5, 0, 5], "size": [90, 10, 80, 20]}
    )
    asked = {**TWO, "metrics": {"primary": "spent"}}
    own = {"known_after": ["spent"], "weight": "size"}
    found = experiment(own, {}, **asked).analyze(table)
    effect = pick(found, "difference")
    assert (effect.estimate, effect.n_treated, effect.n_control) == (0.5, 100, 100)
    assert effect.se == pytest.approx((2.25 / 99 + 4.0 / 99) ** 0.5, rel=1e-12)
    assert next(arm.n for arm in found.arms if arm.arm == "mail") == 100
    assert found.data[0].rows == 4


def test_rows_with_weights_give_what_the_single_customers_give(rows, expected):
    table = grouped(rows)
    assert len(table) < len(rows) / 2
    found = weighted(table)
    assert differences(found, expected) == []
    same_moments(found, expected)
    assert [(c.name, c.passed, c.message) for c in found.checks] == [
        (c.name, c.passed, c.message) for c in expected.checks
    ]
    assert found.verdict.sentence == expected.verdict.sentence


def test_intervals_of_skewed_numbers_come_from_the_same_dealing():
    rng = np.random.default_rng(3)
    arm = np.where(rng.random(3_000) < 0.9, "mail", "none")
    spent = np.where(rng.random(3_000) < 0.02, rng.integers(1, 9, 3_000) * 50, 0)
    rows = pd.DataFrame({"arm": arm, "spent": spent})
    arms = {"none": {"control": True, "share": "10%"}, "mail": {"share": "90%"}}
    asked = {"arms": arms, "metrics": {"primary": "spent"}}
    one = experiment({"known_after": ["spent"]}, {}, **asked).analyze(rows)
    own = {"known_after": ["spent"], "weight": "size"}
    other = experiment(own, {}, **asked).analyze(grouped(rows))
    assert pick(one, "difference").method == "welch+permutation"
    assert differences(other, one) == []


def test_caps_count_customers_and_not_rows(rows):
    asked = {"analysis": {"winsorize": {"spent": "97%"}}, "segments": []}
    asked |= {"arms": {"none": {"control": True}, "mail": {}, "push": {}}}
    asked = {**{k: v for k, v in ASKED.items() if k != "money"}, **asked}
    one = experiment(KNOWN, CONFIGS, **asked).analyze(rows)
    other = experiment({**KNOWN, "weight": "size"}, CONFIGS, **asked).analyze(grouped(rows))
    caps = {metric.name: metric.cap for metric in one.metrics}
    assert caps["spent:capped"] > 0
    assert {metric.name: metric.cap for metric in other.metrics} == caps
    assert differences(other, one) == []


def test_contacts_are_counted_by_customer(rows):
    contacted = (rows.arm != "none").astype(int) * (1 + rows.visited)
    table = rows.assign(contacted=contacted.where(rows.index % 50 != 0, 1))
    asked = {"money": {"revenue": "spent", "margin": "40%", "contacts": "contacted"}}
    asked |= {"arms": {"none": {"control": True}, "mail": {}, "push": {}}}
    one, other = single(table, **asked), weighted(grouped(table), **asked)
    checks = [next(c for c in each.checks if c.name == "contamination") for each in (one, other)]
    assert checks[0].passed is False
    assert checks[0] == checks[1]


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark(tmp_path, rows, expected):
    grouped(rows).to_parquet(tmp_path / "customers.parquet")
    own = {**KNOWN, "weight": "size", "file": "customers.parquet"}
    plan = experiment(own, CONFIGS, **ASKED).resolved
    with Spark(lambda name: tmp_path / name) as engine:
        found = analyze(plan, AnalysisContext(engine, NOW))
    assert differences(found, expected) == []


@pytest.mark.postgres
def test_postgres(postgres, desk, rows, expected):
    desk.publish("alike", pa.Table.from_pandas(grouped(rows), preserve_index=False))
    own = {**KNOWN, "weight": "size", "table": "odd.alike"}
    plan = experiment(own, CONFIGS, **ASKED).resolved
    assert differences(analyze(plan, AnalysisContext(postgres, NOW)), expected) == []


def test_csv_and_each_segment_alone(tmp_path, monkeypatch, rows, expected):
    """With very many combinations of levels, each segment is grouped alone."""
    monkeypatch.setattr("upliftlab.queries.moments.MOST_CELLS", 3)
    path = tmp_path / "customers.csv"
    grouped(rows).to_csv(path, index=False)
    assert differences(weighted(path), expected) == []


VALUES = st.one_of(
    st.integers(-1_000, 1_000).map(float),
    st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False, width=32),
    st.sampled_from([0.0, 19.99, 1e6 + 0.01, -0.1]),
)
TABLES = st.lists(
    st.tuples(
        st.sampled_from(["none", "mail"]),
        st.sampled_from(["north", "south", None]),
        VALUES,
        VALUES,
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25)
@given(TABLES)
def test_law_grouped_is_expanded(drawn):
    names = ["arm", "region", "spent", "orders", "size"]
    own = [("none", "north", 1.0, 2.0, 3), ("mail", "north", 2.0, 1.0, 2)]
    table = pd.DataFrame([*own, *drawn], columns=names).assign(visited=1)
    rows = table.loc[table.index.repeat(table["size"])].drop(columns="size")
    asked = {
        **TWO,
        "metrics": {"primary": "spent", "secondary": "orders"},
        "segments": ["region"],
        "money": {"revenue": "spent", "margin": "40%"},
        "analysis": {},
    }
    one, other = single(rows.reset_index(drop=True), **asked), weighted(table, **asked)
    for left, right in zip(other.moments, one.moments, strict=True):
        assert (left.arm, left.level, left.n) == (right.arm, right.level, right.n)
        size = np.maximum(np.abs(left.mean), 1e-12)
        assert left.mean == pytest.approx(right.mean, rel=1e-9, abs=1e-9)
        whole = (left.n * size[0] ** 2, left.n * size[0] * size[1])
        assert left.m2[0] == pytest.approx(right.m2[0], rel=1e-9, abs=1e-11 * whole[0])
        scale = (left.m2[0] * left.m2[-1]) ** 0.5 + whole[1]
        assert left.m2[1] == pytest.approx(right.m2[1], rel=1e-9, abs=1e-9 * scale)


GOOD = {"arm": ["none", "none", "mail", "mail"], "spent": [0, 5, 0, 5]}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([90, 10, 80, 2.5], "in 1 row: '9.9'"),
        ([90, 10, 80, 0], "in 1 row: '9"),
        ([90, -10, -80, 5], "in 2 rows: '-99"),
        ([90, None, 80, 5], "in 1 row: nothing"),
        (["90", "10", "80", "many"], "in 1 row: 'aaaa'"),
        ([90, 10, 80, 1e16], "in 1 row: "),
        ([90, 10, 80, float("inf")], "in 1 row: "),
    ],
    ids=["half", "none", "less", "missing", "text", "vast", "endless"],
)
def test_what_is_no_number_of_customers_is_refused(weights, said):
    table = pd.DataFrame({**GOOD, "size": weights})
    own = {"known_after": ["spent"], "weight": "size"}
    asked = experiment(own, {}, **TWO, metrics={"primary": "spent"})
    with pytest.raises(DataError) as caught:
        asked.analyze(table)
    (fault,) = caught.value.faults
    assert fault.code == "UL288"
    assert fault.message.startswith("'size' is no number of customers")
    assert said in fault.message
    assert "whole numbers, 1 or more" in fault.remedy
    (checked,) = asked.check(table)
    assert (checked.code, checked.message) == (fault.code, fault.message)


def test_a_missing_outcome_is_refused_as_of_single_customers():
    table = pd.DataFrame({**GOOD, "spent": [0, None, 0, 5], "size": [90, 10, 80, 20]})
    own = {"known_after": ["spent"], "weight": "size"}
    with pytest.raises(DataError, match="UL206 column 'spent' has values that are no numbers"):
        experiment(own, {}, **TWO, metrics={"primary": "spent"}).analyze(table)


def test_weight_and_totals_exclude_each_other():
    own = {"weight": "size", "aggregated": {"n": "size", "units_with": {"spent": "spent"}}}
    with pytest.raises(ConfigError, match="'weight' and 'aggregated' exclude each other"):
        experiment(own, {}, **TWO, metrics={"primary": "spent"})


def test_ids_are_of_single_customers():
    own = {"known_after": ["spent"], "weight": "size", "id": "id"}
    with pytest.raises(ConfigError, match="UL043 'id' is of single customers"):
        experiment(own, {}, **TWO, metrics={"primary": "spent"})


def test_planning_counts_customers():
    """How many there are, which a baseline in figures does not tell."""
    table = pd.DataFrame({**GOOD, "size": [90, 10, 80, 20]})
    own = {"known_after": ["spent"], "weight": "size"}
    asked = experiment(own, {}, **TWO, metrics={"primary": "spent"})
    found = asked.plan(table, baseline_mean=0.5, baseline_sd=1.5)
    assert found.customers == 200
