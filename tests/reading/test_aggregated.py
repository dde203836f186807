"""Rows that tell totals are analysed like the customers that they are of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from grouped import crowd, differences, experiment, totals
from plans import NOW, pick
from scipy import stats

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.engines.spark import Spark
from upliftlab.errors import ConfigError, DataError
from upliftlab.report.export import to_json
from upliftlab.report.reading import read_analysis
from upliftlab.results.analysis import Note

NUMBERS = ["visited", "orders", "spent", "before"]
CONFIGS = {"metrics": {"metrics": {"per_order": {"ratio": ["spent", "orders"]}}}}
ASKED = {
    "metrics": {"primary": "spent", "secondary": ["visited", "orders", "per_order"]},
    "segments": ["region"],
}
SUMS = {
    "n": "n",
    "units_with": {"visited": "visited_sum"},
    "sum": {"spent": "spent_sum", "orders": "orders_sum"},
    "sum_sq": {"spent": "spent_sq", "orders": "orders_sq"},
    "sum_product": {"orders": {"spent": "orders_spent"}},
}
TWO = {"arms": {"none": {"control": True}, "mail": {}}}


def of_rows(rows, **asked):
    """The analysis of single customers."""
    known = {"known_after": ["visited", "orders", "spent"]}
    return experiment(known, CONFIGS, **{**ASKED, **asked}).analyze(rows)


def of_totals(table, sums=SUMS, **asked):
    """That of the totals."""
    return experiment({"aggregated": sums}, CONFIGS, **{**ASKED, **asked}).analyze(table)


@pytest.fixture(scope="module")
def rows():
    return crowd()


@pytest.fixture(scope="module")
def expected(rows):
    return of_rows(rows)


@pytest.fixture(scope="module")
def days(rows):
    return totals(rows, ["arm", "region", "day"], NUMBERS)


def test_growthbooks_published_t_test():
    table = pd.DataFrame(
        {
            "arm": ["none", "mail"],
            "users": [3_407, 3_461],
            "y": [1_396.87, 2_422.7],
            "yy": [52_377.9767, 134_698.29],
        }
    )
    sums = {"n": "users", "sum": {"y": "y"}, "sum_sq": {"y": "yy"}}
    asked = {**TWO, "metrics": {"primary": "y"}, "segments": []}
    found = pick(of_totals(table, sums, **asked), "difference")
    assert found.estimate == pytest.approx(0.29, abs=5e-5)
    assert found.se == pytest.approx(0.12478, abs=5e-6)
    assert found.p == pytest.approx(0.02016, abs=5e-6)
    assert found.method == "welch"


def test_daily_counts_give_what_the_single_customers_give(rows, expected, days):
    found = of_totals(days)
    assert differences(found, expected) == []
    assert found.verdict.sentence == expected.verdict.sentence
    assert [arm.n for arm in found.arms] == [arm.n for arm in expected.arms]
    ratio = {each.name: each for each in found.checks}
    assert ratio["sample_ratio"] == {c.name: c for c in expected.checks}["sample_ratio"]
    assert ratio["balance:region"].passed
    assert ratio["rows_apart"].message.startswith(f"Not asked: {len(days)} rows of totals")
    assert (ratio["rows_apart"].passed, ratio["rows_apart"].severity) == (None, "info")
    assert ratio["skewness:spent:mail"].message == (
        "Not asked: totals do not tell how skewed spent is between mail and the control; its "
        "interval is Student's."
    )
    assert len(found.findings) > 30
    assert len(rows) == sum(arm.n for arm in found.arms)


@pytest.mark.parametrize("spread", ["variance", "sd"])
def test_means_with_variances_or_deviations_give_the_same(expected, days, spread):
    own = {"variance": "var", "sd": "sd"}[spread]
    sums = {
        "n": "n",
        "units_with": {"visited": "visited_sum"},
        "mean": {"spent": "spent_mean", "orders": "orders_mean"},
        spread: {"spent": f"spent_{own}", "orders": f"orders_{own}"},
        "sum_product": {"spent": {"orders": "orders_spent"}},
    }
    assert differences(of_totals(days, sums), expected) == []


@pytest.mark.parametrize("kind", ["csv", "parquet", "polars", "arrow"])
def test_every_kind_of_table_gives_the_same(tmp_path, expected, days, kind):
    table = days
    if kind == "csv":
        table = tmp_path / "days.csv"
        days.to_csv(table, index=False)
    elif kind == "parquet":
        table = tmp_path / "days.parquet"
        days.to_parquet(table)
    elif kind == "polars":
        table = pytest.importorskip("polars").from_pandas(days)
    else:
        table = pa.Table.from_pandas(days, preserve_index=False)
    assert differences(of_totals(table), expected) == []


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark(tmp_path, expected, days):
    days.to_parquet(tmp_path / "customers.parquet")
    own = {"file": "customers.parquet", "aggregated": SUMS, "time": "day"}
    plan = experiment(own, CONFIGS, **ASKED).resolved
    with Spark(lambda name: tmp_path / name) as engine:
        found = analyze(plan, AnalysisContext(engine, NOW))
    assert differences(found, expected) == []


@pytest.mark.postgres
def test_postgres(postgres, desk, expected, days):
    desk.publish("days", pa.Table.from_pandas(days, preserve_index=False))
    own = {"table": "odd.days", "aggregated": SUMS, "time": "day"}
    plan = experiment(own, CONFIGS, **ASKED).resolved
    found = analyze(plan, AnalysisContext(postgres, NOW))
    assert differences(found, expected) == []


def test_one_customer_in_a_row_needs_no_variance(rows):
    few = rows[rows.arm != "push"].head(40).reset_index(drop=True)
    table = few.assign(n=1, variance=np.nan)
    sums = {"n": "n", "mean": {"spent": "spent"}, "variance": {"spent": "variance"}}
    asked = {**TWO, "metrics": {"primary": "spent"}, "segments": []}
    found = pick(of_totals(table, sums, **asked), "difference")
    groups = (few.spent[few.arm == arm] for arm in ("mail", "none"))
    theirs = stats.ttest_ind(*groups, equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_rows_of_nobody_change_nothing(expected, days):
    nobody = days.head(1).copy()
    nobody[nobody.columns[3:]] = 0
    assert differences(of_totals(pd.concat([days, nobody])), expected) == []


def test_covariates_with_products(rows, days):
    sums = {
        **SUMS,
        "sum": {**SUMS["sum"], "before": "before_sum"},
        "sum_sq": {**SUMS["sum_sq"], "before": "before_sq"},
        "sum_product": {
            "before": {
                "spent": "spent_before",
                "orders": "orders_before",
                "visited": "visited_before",
            },
            "orders": {"spent": "orders_spent"},
        },
    }
    found = of_totals(days, sums, analysis={"covariates": "before"})
    assert differences(found, of_rows(rows, analysis={"covariates": "before"})) == []
    assert any(each.method.startswith("lin") for each in found.findings)


MONEY = {
    "currency": "EUR",
    "arms": {
        "none": {"control": True},
        "mail": {"cost_per_contact": "0.10"},
        "push": {"cost_per_contact": "0.02"},
    },
    "money": {"revenue": "spent", "margin": "40%"},
}


def test_profit_of_revenue_alone_has_its_interval(rows, days):
    sums = {key: value for key, value in SUMS.items() if key != "sum_product"}
    asked = {**MONEY, "metrics": {"primary": "spent", "secondary": ["visited", "orders"]}}
    found, single = of_totals(days, sums, **asked), of_rows(rows, **asked)
    assert differences(found, single) == []
    for one, other in zip(found.bridges, single.bridges, strict=True):
        assert [line.estimate for line in one.lines] == [line.estimate for line in other.lines]
    assert pick(found, "incremental_profit").low is not None
    assert pick(found, "roi").low is not None
    assert found.verdict.sentence == single.verdict.sentence


REDEEMED = {
    **MONEY,
    "arms": {
        "none": {"control": True},
        "mail": {"cost_per_redemption": "1"},
        "push": {"cost_per_redemption": "1"},
    },
    "money": {"revenue": "spent", "margin": "40%", "redemptions": "visited"},
    "metrics": {"primary": "spent", "secondary": ["visited"]},
}


def test_profit_of_several_numbers_needs_their_products(rows, days):
    sums = {**SUMS, "sum_product": {"spent": {"visited": "visited_spent"}}}
    single = of_rows(rows, **REDEEMED)
    assert differences(of_totals(days, sums, **REDEEMED), single) == []
    bare = {key: value for key, value in SUMS.items() if key != "sum_product"}
    asked = experiment({"aggregated": bare}, CONFIGS, **{**ASKED, **REDEEMED})
    (warning,) = (each for each in asked.warnings if each.code == "UL046")
    assert "products of 'spent' and 'visited'" in warning.message
    assert warning.remedy == "add 'sum_product: {spent: {visited: COLUMN}}' to 'aggregated'"
    found = asked.analyze(days)
    for kind in ("incremental_profit", "roi"):
        one, other = pick(found, kind), pick(single, kind)
        assert one.estimate == pytest.approx(other.estimate, rel=1e-9)
        assert (one.se, one.low, one.high, one.p) == (None,) * 4
        assert one.note is Note.unknown_spread
    assert pick(found, "difference", metric="spent").low is not None
    assert found.verdict.code == "INCONCLUSIVE"


def test_a_number_that_does_not_vary_needs_no_products(days):
    """Everybody in an arm was contacted once: what that costs is no chance."""
    table = days.assign(contacted=days.n.where(days.arm != "none", 0))
    sums = {"n": "n", "sum": {"spent": "spent_sum"}, "sum_sq": {"spent": "spent_sq"}}
    sums["units_with"] = {"contacted": "contacted"}
    asked = {**MONEY, "metrics": {"primary": "spent"}, "segments": []}
    counted = {**asked, "money": {**MONEY["money"], "contacts": "contacted"}}
    found, plain = of_totals(table, sums, **counted), of_totals(table, sums, **asked)
    for kind in ("incremental_profit", "roi", "iroas"):
        one, other = pick(found, kind), pick(plain, kind)
        assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9)
    (check,) = (each for each in found.checks if each.name == "contamination")
    assert check.message == "The control group received no contacts."


def test_the_json_is_read_back(tmp_path, days):
    bare = {key: value for key, value in SUMS.items() if key != "sum_product"}
    found = of_totals(days, bare, metrics={"primary": "spent", "secondary": ["orders"]})
    assert any(value is None for cell in found.moments for value in cell.m2)
    path = tmp_path / "analysis.json"
    path.write_bytes(to_json(found))
    assert to_json(read_analysis(path)) == to_json(found)


def test_few_conversions_have_newcombes_interval():
    table = pd.DataFrame({"arm": ["none", "mail"], "n": [200, 200], "bought": [0, 9]})
    sums = {"n": "n", "units_with": {"bought": "bought"}}
    asked = {**TWO, "metrics": {"primary": "bought"}, "segments": []}
    found = pick(of_totals(table, sums, **asked), "difference")
    assert (found.method, found.estimate) == ("newcombe", 0.045)
    assert found.low == pytest.approx(0.0163, abs=5e-4)


def test_a_conversion_is_a_share_by_its_declaration(days):
    units = {metric.name: metric.unit for metric in of_totals(days).metrics}
    assert units == {
        "spent": "number",
        "visited": "share",
        "orders": "number",
        "per_order": "number",
    }


# What is refused.


def refused(customers, **asked):
    with pytest.raises(ConfigError) as caught:
        experiment(customers, CONFIGS, **{**ASKED, **asked})
    return {fault.code: fault for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("asked", "own", "said"),
    [
        ({"waves": [{"start": "2026-03-02", "share": "100%"}]}, {}, "'waves' date"),
        ({"uplift": {"features": ["region"]}}, {}, "'uplift' learns from"),
        ({"analysis": {"winsorize": {"spent": "99%"}}}, {}, "'winsorize' cuts values of"),
        ({"assignment": {"method": "hash"}}, {}, "an assignment divides"),
        ({"assignment": {"observed": "arm", "start": "day"}}, {}, "'start' is of"),
        ({"assignment": {"observed": "arm", "unit": "home"}}, {}, "'unit' is of"),
        ({}, {"id": "id"}, "'id' is of"),
        ({}, {"household": "home"}, "'household' is of"),
        ({}, {"as_of": "day"}, "'as_of' is of"),
        (
            {"outcome_window": "28 days", "analysis": {"looks": ["14 days"]}},
            {},
            "'looks' date the outcomes of",
        ),
    ],
    ids=lambda value: value.split(" ")[0].strip("'") if isinstance(value, str) else "",
)
def test_single_customers_cannot_be_asked_for(asked, own, said):
    fault = refused({"aggregated": SUMS, **own}, **asked)["UL043"]
    assert fault.message == f"{said} single customers, and rows with 'aggregated' are of several"
    assert fault.remedy


def test_a_metric_without_a_total_is_refused_with_the_line():
    fault = refused({"aggregated": SUMS}, metrics={"primary": "clicks"})["UL044"]
    assert fault.message == "'aggregated' tells no total of 'clicks'"
    assert "add 'sum: {clicks: COLUMN}' and 'sum_sq: {clicks: COLUMN}'" in fault.remedy
    assert "'units_with: {clicks: COLUMN}'" in fault.remedy


def test_a_ratio_without_products_is_refused_with_the_line():
    bare = {key: value for key, value in SUMS.items() if key != "sum_product"}
    fault = refused({"aggregated": bare})["UL045"]
    assert fault.message.startswith("the ratio 'per_order' needs the sum of the products")
    assert fault.remedy == "add 'sum_product: {spent: {orders: COLUMN}}' to 'aggregated'"


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        ({"n": "n"}, "needs totals"),
        ({"n": "n", "sum": {"a": "a"}}, "'sum_sq: {a: COLUMN}', the sum of its squares"),
        ({"n": "n", "mean": {"a": "a"}}, "needs 'variance: {a: COLUMN}', or sd"),
        ({"n": "n", "units_with": {"a": "a"}, "sum": {"a": "a"}, "sum_sq": {"a": "b"}}, "twice"),
        ({"n": "n", "units_with": {"a": "a"}, "sum_sq": {"b": "b"}}, "has no 'sum' of it"),
        (
            {"n": "n", "mean": {"a": "a"}, "variance": {"a": "v"}, "sd": {"a": "s"}},
            "both variance and sd",
        ),
        (
            {"n": "n", "units_with": {"a": "a"}, "sum_product": {"a": {"b": "c"}}},
            "names 'b', which has no total",
        ),
        (
            {"n": "n", "units_with": {"a": "a"}, "sum_product": {"a": {"a": "c"}}},
            "with itself",
        ),
        (
            {
                "n": "n",
                "units_with": {"a": "a", "b": "b"},
                "sum_product": {"a": {"b": "c"}, "b": {"a": "c"}},
            },
            "in both orders",
        ),
    ],
    ids=lambda value: value.split(" ")[0].strip("'") if isinstance(value, str) else "",
)
def test_totals_that_do_not_fit_one_another_are_refused(sums, said):
    faults = refused({"aggregated": sums}, metrics={"primary": "a"}, segments=[])
    assert any(said in fault.message for fault in faults.values()), faults


GOOD = {"arm": ["none", "mail"], "n": [100, 90], "s": [50.5, 60.0], "q": [300.0, 310.0]}
PLAIN = {"n": "n", "sum": {"x": "s"}, "sum_sq": {"x": "q"}}
SPREAD = {"n": "n", "mean": {"x": "s"}, "variance": {"x": "q"}}
SHARE = {"n": "n", "units_with": {"x": "s"}}


@pytest.mark.parametrize(
    ("changed", "sums", "code", "said"),
    [
        ({"n": [100, 90.5]}, PLAIN, "UL288", "'n' is no number of customers in 1 row: "),
        ({"n": [100, -9]}, PLAIN, "UL288", "'-9'"),
        ({"n": [100, None]}, PLAIN, "UL288", "1 row: nothing"),
        ({"s": [None, 60.0]}, PLAIN, "UL289", "column 's' (sum of x) holds no number in 1 row"),
        ({"q": [300.0, 1e200]}, PLAIN, "UL289", "column 'q' (sum_sq of x) holds no number"),
        ({"q": [300.0, 3.0]}, PLAIN, "UL293", "squares in 1 row that is too small for its sum"),
        ({"n": [100, 0]}, PLAIN, "UL293", "'x' has a sum in 1 row of no customers"),
        ({"q": [300.0, -1.0]}, SPREAD, "UL293", "'x' has a variance below 0 in 1 row"),
        ({"q": [300.0, None]}, SPREAD, "UL289", "column 'q' (variance of x) holds no number"),
        ({"s": [5, 91]}, SHARE, "UL293", "'x' is no number of a row's customers in 1 row"),
        ({"s": [5, 7.5]}, SHARE, "UL293", "'x' is no number of a row's customers in 1 row"),
        (
            {"s": [1e8, 0.9e8], "q": [1e14 + 7.3, 0.9e14 + 7.1]},
            PLAIN,
            "UL295",
            "'x' lies so far from 0 that sum and squares do not tell how it varies",
        ),
    ],
)
def test_totals_of_no_customers_are_refused(changed, sums, code, said):
    table = pd.DataFrame({**GOOD, **changed})
    asked = experiment(
        {"aggregated": sums}, {}, **TWO, metrics={"primary": "x"}, eligible="n is null or n > -10"
    )
    with pytest.raises(DataError) as caught:
        asked.analyze(table)
    (fault,) = caught.value.faults
    assert fault.code == code
    assert said in fault.message
    assert fault.remedy
    (checked,) = asked.check(table)
    assert (checked.code, checked.message) == (fault.code, fault.message)


def test_products_larger_than_the_squares_allow_are_refused():
    table = pd.DataFrame({**GOOD, "v": [40, 50], "sv": [50.0, 600.0]})
    sums = {**PLAIN, "units_with": {"v": "v"}, "sum_product": {"x": {"v": "sv"}}}
    asked = {**TWO, "metrics": {"primary": "x", "secondary": "v"}}
    with pytest.raises(DataError, match="UL293 the products of 'x' and 'v' cannot be in 1 row"):
        experiment({"aggregated": sums}, {}, **asked).analyze(table)


def test_a_name_with_braces_is_a_name():
    table = pd.DataFrame({**GOOD, "q": [300.0, 3.0]})
    sums = {"n": "n", "sum": {"{n}": "s"}, "sum_sq": {"{n}": "q"}}
    asked = {**TWO, "metrics": {"primary": "{n}"}}
    with pytest.raises(DataError, match=r"'\{n\}' has squares in 1 row"):
        experiment({"aggregated": sums}, {}, **asked).analyze(table)


def test_all_customers_alike_are_no_lost_digits():
    """Sums of whole numbers are exact: what does not vary does not."""
    table = pd.DataFrame({**GOOD, "s": [300, 270], "q": [900, 810]})
    asked = {**TWO, "metrics": {"primary": "x"}, "segments": []}
    found = pick(experiment({"aggregated": PLAIN}, {}, **asked).analyze(table), "difference")
    assert (found.estimate, found.se, found.note) == (0.0, 0.0, Note.no_variation)


@pytest.mark.parametrize("written", ["number", "text", "day"])
def test_cumulative_figures_are_refused(days, written):
    own = {"aggregated": SUMS, "time": "day"}
    grown = days.sort_values("day").reset_index(drop=True)
    figures = list(grown.columns[3:])
    grown[figures] = grown.groupby(["arm", "region"])[figures].cumsum()
    grown = grown[[name for name in grown if not name.endswith(("_mean", "_var", "_sd"))]]
    if written == "text":
        grown["day"] = grown["day"].astype(str)
    elif written == "day":
        grown["day"] = pd.to_datetime("2026-03-01") + pd.to_timedelta(grown["day"], unit="D")
    asked = experiment(own, CONFIGS, **ASKED)
    with pytest.raises(DataError, match="UL294 every arm's figures only grow with 'day'"):
        asked.analyze(grown)
    assert asked.check(grown)[0].code == "UL294"


def test_one_time_of_cumulative_figures_is_analysed(rows, expected, days):
    whole = totals(rows, ["arm", "region"], NUMBERS).assign(day=7)
    half = totals(rows[rows.day < 4], ["arm", "region"], NUMBERS).assign(day=3)
    both = pd.concat([half, whole])
    asked = experiment({"aggregated": SUMS, "time": "day"}, CONFIGS, **ASKED, eligible="day = 7")
    assert differences(asked.analyze(both), expected) == []
    daily = experiment({"aggregated": SUMS, "time": "day"}, CONFIGS, **ASKED)
    assert differences(daily.analyze(days), expected) == []


def test_outcomes_decide_neither_who_takes_part_nor_segments(days):
    for asked in ({"segments": ["spent_sum"]}, {"eligible": "spent_sum > 0"}):
        assert "UL112" in refused({"aggregated": SUMS}, **asked)
    assert len(days)


def test_a_missing_column_is_named_where_it_is_declared(days):
    found = experiment({"aggregated": SUMS}, CONFIGS, **ASKED).check(days.drop(columns="spent_sq"))
    assert [(each.code, each.message) for each in found] == [
        ("UL205", "the data have no column 'spent_sq' (sum_sq of spent)")
    ]


def test_events_are_single():
    orders = {"file": "orders.csv", "id": "id", "time": "at", "weight": "n"}
    configs = {
        "sources": {"sources": {"orders": orders}},
        "metrics": {"metrics": {"bought": {"from": "orders", "any": True}}},
    }
    with pytest.raises(ConfigError, match="UL162 'orders' is a table of events, and 'weight'"):
        experiment({"id": "id"}, configs, metrics={"primary": "bought"})
