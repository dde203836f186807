"""Where what was built apart meets: each figure is that of customers, or is refused."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from grouped import experiment

from upliftlab.analysis.aggregation import unit_table
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.population import population_of, timed
from upliftlab.config.models import EngineSettings
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import ConfigError, DataError
from upliftlab.planning.pre_period import PrePeriodPopulation, population
from upliftlab.queries.computed import attach_table

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
TWO = "arms: {none: {control: true}, mail: {}}\n"
ROWS = pd.DataFrame(
    {
        "arm": ["none", "none", "mail", "mail", "push", "push", "old"],
        "test": [0, 1, 0, 1, 0, 1, 0],
        "y": [1.0, 2, 3, 4, None, 5, 6],
        "n": [100, 50, 100, 40, 100, 60, 77],
    }
)
ZERO = {"metrics": {"metrics": {"y": {"column": "y", "missing": "zero"}}}}


def weighted(rows, **asked):
    own = {"weight": "n", "known_after": ["y"]}
    given = {"observed": "arm", "ignore_arms": ["old"]}
    asked = {"metrics": {"primary": "y"}, "assignment": given, "exclude": "test = 1", **asked}
    return experiment(own, ZERO, **asked).analyze(rows)


def said(analysis, name):
    return next(check for check in analysis.checks if check.name == name)


def test_who_is_left_out_is_counted_in_customers_not_in_rows():
    found = weighted(ROWS)
    steps = {step.kind: step.arms for step in found.flow}
    assert steps == {
        "observed": {"none": 150, "mail": 140, "push": 160, "old": 77},
        "excluded": {"none": 50, "mail": 40, "push": 60, "old": 0},
        "ignored": {"none": 0, "mail": 0, "push": 0, "old": 77},
        "analysed": {"none": 100, "mail": 100, "push": 100, "old": 0},
    }
    assert said(found, "exclusion").value == 150
    assert said(found, "missing_outcomes:y").value == 100


def test_what_is_left_out_of_rows_is_tested_as_of_single_customers():
    """50 of 150 are not 40 of 140 by chance alone only where customers, not rows, are tested."""
    single = ROWS.loc[ROWS.index.repeat(ROWS["n"])]
    own = {"known_after": ["y"]}
    given = {"observed": "arm", "ignore_arms": ["old"]}
    asked = {"metrics": {"primary": "y"}, "assignment": given, "exclude": "test = 1"}
    one = experiment(own, ZERO, **asked).analyze(single)
    other = weighted(ROWS)
    assert one.flow == other.flow
    for name in ("exclusion", "missing_outcomes:y", "sample_ratio"):
        assert said(one, name).message == said(other, name).message
        assert said(one, name).p == pytest.approx(said(other, name).p)


def test_a_row_that_is_left_out_says_of_how_many_it_is():
    rows = ROWS.assign(n=ROWS["n"].where(ROWS["test"] == 0, 2.5))
    with pytest.raises(DataError, match="UL288 'n' is no number of customers in 3 rows"):
        weighted(rows)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_rows_left_out_are_counted_alike_on_a_server(engine, request):
    if engine == "duckdb":
        assert weighted(ROWS).flow[0].total == 527
        return
    desk, server = (request.getfixturevalue(name) for name in ("desk", "server"))
    desk.publish("groups", pa.Table.from_pandas(ROWS))
    own = {"table": "odd.groups", "weight": "n", "known_after": ["y"]}
    given = {"observed": "arm", "ignore_arms": ["old"]}
    asked = {"metrics": {"primary": "y"}, "assignment": given, "exclude": "test = 1"}
    settings = {"name": "postgres", "connection": server}
    assert EngineSettings.model_validate(settings).name == "postgres"
    found = experiment(own, ZERO, engine=settings, **asked).analyze()
    assert found.flow == weighted(ROWS).flow


@pytest.mark.parametrize("metric", [{"column": "y", "missing": "zero"}, {"present": "y"}])
@pytest.mark.parametrize("name", ["y", "z"])
def test_totals_are_not_asked_who_has_a_value(metric, name):
    own = {"aggregated": {"n": "n", "sum": {"y": "s"}, "sum_sq": {"y": "q"}}}
    rows = pd.DataFrame({"arm": ["none", "mail"], "n": 100, "s": [10.0, 20], "q": [20.0, 40]})
    asked = {"metrics": {"primary": name}, "arms": {"none": {"control": True}, "mail": {}}}
    with pytest.raises(ConfigError, match=f"UL043 '{name}' looks for values of single customers"):
        experiment(own, {"metrics": {"metrics": {name: metric}}}, **asked).analyze(rows)


def test_totals_are_not_asked_whom_to_leave_out():
    own = {"aggregated": {"n": "n", "sum": {"y": "s"}, "sum_sq": {"y": "q"}}}
    drop = {"metrics": {"metrics": {"y": {"column": "y", "missing": "drop"}}}}
    with pytest.raises(ConfigError, match="UL043 'y' looks for values") as caught:
        experiment(own, drop, metrics={"primary": "y"}).analyze(pd.DataFrame())
    assert [fault.code for fault in caught.value.faults] == ["UL043"]


def files(tmp_path, text, own, metrics="", **tables):
    """A workspace of CSV files."""
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "configs").mkdir(exist_ok=True)
    for name, content in tables.items():
        (tmp_path / "data" / f"{name}.csv").write_text(content, encoding="utf-8")
    configs = tmp_path / "configs"
    (configs / "sources.yaml").write_text(f"sources:\n  customers: {own}\n", encoding="utf-8")
    (configs / "program.yaml").write_text("time_zone: UTC\nsmallest_cell: 2\n", encoding="utf-8")
    if metrics:
        (configs / "metrics.yaml").write_text(f"metrics: {metrics}\n", encoding="utf-8")
    path = tmp_path / "experiment.yaml"
    path.write_text(f"schema: 1\nexperiment: e\ncustomers: customers\n{text}", encoding="utf-8")
    return path


GROUPS = "arm;n;y\nnone;1.000;1\nnone;2.000;3\nmail;1.000;2\nmail;2.000;5\n"
GIVEN = "assignment: {observed: arm}\nmetrics: {primary: y}\n" + TWO


def loaded(path):
    from upliftlab.config import load

    return load(path).plan


def test_a_number_of_customers_in_thousands_is_read_as_its_file_writes_it(tmp_path):
    own = "{file: g.csv, weight: n, known_after: [y], format: {thousands: '.'}}"
    plan = loaded(files(tmp_path, GIVEN, own, g=GROUPS))
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        found = analyze(plan, AnalysisContext(engine, NOW))
        assert [arm.n for arm in found.arms] == [3000, 3000]
        attach_table("customers", plan.customers, engine)
        everybody = PrePeriodPopulation(engine, assigned=False, today=NOW.date())
        assert population(plan, everybody) == 6000


def test_a_number_of_customers_that_can_be_read_in_two_ways_is_refused(tmp_path):
    own = "{file: g.csv, weight: n, known_after: [y]}"
    plan = loaded(files(tmp_path, GIVEN, own, g=GROUPS))
    with (
        DuckDB(lambda file: tmp_path / "data" / file) as engine,
        pytest.raises(DataError, match="UL255 the numbers of column 'n' can be read in two ways"),
    ):
        analyze(plan, AnalysisContext(engine, NOW))


def test_a_total_that_can_be_read_in_two_ways_is_refused(tmp_path):
    own = "{file: g.csv, aggregated: {n: n, mean: {y: m}, sd: {y: s}}}"
    rows = "arm;n;m;s\nnone;50;1.234;2.345\nmail;50;1.334;2.355\n"
    plan = loaded(files(tmp_path, GIVEN, own, g=rows))
    with (
        DuckDB(lambda file: tmp_path / "data" / file) as engine,
        pytest.raises(DataError) as caught,
    ):
        analyze(plan, AnalysisContext(engine, NOW))
    assert [fault.code for fault in caught.value.faults] == ["UL255", "UL255"]


def daily(write, form="", days=range(1, 8)):
    rows = [
        f"{arm};{write(day)};{100 * day};{10 * day + (arm == 'mail')}"
        for day in days
        for arm in ("none", "mail")
    ]
    own = "{file: g.csv, aggregated: {n: n, units_with: {y: v}}, time: day" + form + "}"
    return own, "arm;day;n;v\n" + "\n".join(rows) + "\n"


def test_a_metric_may_be_called_as_the_column_that_it_looks_for():
    rows = pd.DataFrame({"arm": ["none", "mail"] * 20, "y": [None, 7.0] * 10 + [5.0, 7.0] * 10})
    present = {"metrics": {"metrics": {"y": {"present": "y"}}}}
    asked = {"metrics": {"primary": "y"}, "arms": {"none": {"control": True}, "mail": {}}}
    found = experiment({"known_after": ["y"]}, present, **asked).analyze(rows)
    assert found.find(kind="difference", metric="y", arm="mail")[0].estimate == 0.5


@pytest.mark.parametrize(
    ("write", "form"),
    [
        (lambda day: f"{day:02}.03.2026", ", format: {date: DD.MM.YYYY}"),
        (lambda day: f"2026-03-{day:02}", ""),
        (lambda day: f"2026-03-{day:02} 00:00:00+01:00", ""),
        (lambda day: f"{10 * day},5", ", format: {decimal: ','}"),
    ],
    ids=["days of a pattern", "ISO days", "with an offset", "decimals"],
)
def test_cumulative_totals_are_found_however_days_are_written(tmp_path, write, form):
    own, rows = daily(write, form)
    plan = loaded(files(tmp_path, GIVEN, own, g=rows))
    with (
        DuckDB(lambda file: tmp_path / "data" / file) as engine,
        pytest.raises(DataError, match="UL294"),
    ):
        analyze(plan, AnalysisContext(engine, NOW))


def test_days_of_totals_that_are_no_times_are_refused(tmp_path):
    own, rows = daily(lambda day: f"{day:02}.03.2026")
    plan = loaded(files(tmp_path, GIVEN, own, g=rows))
    with (
        DuckDB(lambda file: tmp_path / "data" / file) as engine,
        pytest.raises(DataError, match=r"UL218 14 customers \(time\) have no time in 'day'"),
    ):
        analyze(plan, AnalysisContext(engine, NOW))


@pytest.mark.parametrize("value", [1e31, -1e31, 1e33, 1e100, 1e300])
@pytest.mark.parametrize("size", [10, 20_000])
def test_one_number_beyond_all_campaigns_is_refused_among_however_many(value, size):
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"arm": ["none", "mail"] * (size // 2), "y": rng.gamma(2, 10, size)})
    rows.loc[5, "y"] = value
    asked = {"metrics": {"primary": "y"}, "arms": {"none": {"control": True}, "mail": {}}}
    with pytest.raises(DataError, match=r"UL206 column 'y' .*: 1 hold NaN or infinity, or more"):
        experiment({"known_after": ["y"]}, **asked).analyze(rows)


def test_numbers_that_only_together_are_beyond_all_campaigns_are_refused():
    rows = pd.DataFrame({"arm": ["none", "mail"] * 50, "y": [9e29, 8e29] * 50})
    asked = {"metrics": {"primary": "y"}, "arms": {"none": {"control": True}, "mail": {}}}
    with pytest.raises(DataError, match=r"UL206 'y' adds up to more than 1e30"):
        experiment({"known_after": ["y"]}, **asked).analyze(rows)


def endless(tmp_path, table, column, value):
    """Customers and their orders in a DuckDB file, one time of them replaced."""
    (tmp_path / "data").mkdir()
    (tmp_path / "configs").mkdir()
    with duckdb.connect(str(tmp_path / "data" / "d.duckdb")) as shop:
        shop.execute(
            "CREATE TABLE customers AS SELECT range AS id, TIMESTAMP '2026-03-01' AS st,"
            " CASE WHEN range % 2 = 0 THEN 'none' ELSE 'mail' END AS arm FROM range(40)"
        )
        shop.execute(
            "CREATE TABLE orders AS SELECT range % 40 AS id, 10.0 + range % 7 AS paid,"
            " TIMESTAMP '2026-03-05' + INTERVAL (range % 20) DAY AS moment FROM range(200)"
        )
        shop.execute(f"UPDATE {table} SET {column} = '{value}' WHERE id = 3")
    sources = (
        "sources:\n  customers: {file: d.duckdb, table: customers, id: id}\n"
        "  orders: {file: d.duckdb, table: orders, id: id, time: moment}\n"
    )
    configs = tmp_path / "configs"
    (configs / "sources.yaml").write_text(sources, encoding="utf-8")
    (configs / "metrics.yaml").write_text("metrics: {paid: {from: orders, sum: paid}}\n")
    path = tmp_path / "experiment.yaml"
    path.write_text(
        "schema: 1\nexperiment: e\ncustomers: customers\noutcome_window: 28 days\n"
        "assignment: {observed: arm, start: st}\nmetrics: {primary: paid}\n" + TWO
    )
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        return analyze(loaded(path), AnalysisContext(engine, NOW))


@pytest.mark.parametrize("value", ["infinity", "-infinity", "20000-03-05"])
def test_times_without_end_are_none(tmp_path, value):
    with pytest.raises(DataError, match="UL218 5 events of orders have no time in 'moment'"):
        endless(tmp_path, "orders", "moment", value)


@pytest.mark.parametrize("value", ["infinity", "-infinity", "9999-12-31", "20000-03-05"])
def test_starts_without_end_are_none(tmp_path, value):
    with pytest.raises(DataError, match="UL217 1 customer has no start in 'st' between 1900"):
        endless(tmp_path, "customers", "st", value)


def test_a_time_without_end_is_none_on_a_server_either(postgres, desk, tmp_path):
    from shops import Shop

    shop = Shop(tmp_path, postgres, desk)
    start = [dt.datetime(2026, 3, 1)] * 4  # noqa: DTZ001 - as tables hold them
    shop.table("customers", {"id": [1, 2, 3, 4], "st": start, "arm": ["none", "mail"] * 2})
    times = [dt.datetime(2026, 3, 5)] * 4  # noqa: DTZ001 - as tables hold them
    shop.table("orders", {"id": [1, 2, 3, 4], "at": times, "paid": [1.0, 2, 3, 4]}, time="at")
    desk.run("UPDATE odd.shop_orders SET at = 'infinity' WHERE id = 3")
    text = (
        "assignment: {observed: arm, start: st}\noutcome_window: 28 days\n"
        "metrics: {primary: paid}\n" + TWO
    )
    plan = shop.plan(text, "  paid: {from: orders, sum: paid}\n")
    with pytest.raises(DataError, match="UL218 1 event of orders has no time in 'at'"):
        analyze(plan, AnalysisContext(postgres, NOW))
    desk.run("UPDATE odd.shop_orders SET at = '2026-03-05' WHERE id = 3")
    desk.run("UPDATE odd.shop_customers SET st = '-infinity' WHERE id = 3")
    with pytest.raises(DataError, match="UL217 1 customer has no start"):
        analyze(plan, AnalysisContext(postgres, NOW))


@pytest.mark.parametrize("metric", ["y: {column: y}", "y: {column: y, missing: drop}"])
def test_words_that_all_say_no_are_shares_as_false_is(tmp_path, metric):
    """0 of 100 against 0 of 100 has the interval of Newcombe, of whatever file."""
    gap = None if "drop" in metric else False
    rows = pd.DataFrame({"id": range(200), "arm": ["none", "mail"] * 100})
    rows["y"] = pd.array([False] * 150 + [gap] * 50, dtype="boolean")
    found = []
    for kind in ("csv", "parquet"):
        own = "{file: c." + kind + ", id: id, known_after: [y]}"
        plan = loaded(files(tmp_path, GIVEN, own, "{" + metric + "}"))
        rows.to_csv(tmp_path / "data/c.csv", index=False)
        rows.to_parquet(tmp_path / "data/c.parquet")
        with DuckDB(lambda file: tmp_path / "data" / file) as engine:
            found.append(analyze(plan, AnalysisContext(engine, NOW)))
    assert found[0].findings == found[1].findings
    assert found[0].metrics == found[1].metrics
    assert found[0].metrics[0].unit == "share"
    effect = found[0].find(kind="difference", metric="y", arm="mail")[0]
    assert (effect.estimate, effect.method) == (0.0, "newcombe")
    if gap is False:
        assert effect.high == pytest.approx(0.036993498, abs=1e-9)


def test_nothing_but_zeros_are_no_share_where_nothing_says_so(tmp_path):
    lines = "".join(f"{n},{'none' if n % 2 else 'mail'},0\n" for n in range(200))
    plan = loaded(files(tmp_path, GIVEN, "{file: c.csv, id: id, known_after: [y]}"))
    (tmp_path / "data/c.csv").write_text(f"id,arm,y\n{lines}")
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        found = analyze(plan, AnalysisContext(engine, NOW))
    assert found.metrics[0].unit == "number"
    assert found.find(kind="difference", metric="y", arm="mail")[0].low is None


def test_a_price_may_be_part_of_a_key_in_any_file(tmp_path):
    """Two lines of one price are one row of it twice; lines of two prices are two."""
    orders = pd.DataFrame(
        {"order": [1, 1, 2, 2, 3], "id": [0, 0, 1, 1, 2], "paid": [9.99, 5.5, 7.25, 7.25, 1.0]}
    ).assign(at="2026-03-03")
    customers = pd.DataFrame({"id": range(40), "arm": ["none", "mail"] * 20})
    text = (
        "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
        "outcome_window: 7 days\nmetrics: {primary: paid}\n" + TWO
    )
    found = []
    for kind in ("csv", "parquet"):
        more = "{file: o." + kind + ", id: id, time: at, key: [order, paid], repeats: once}"
        own = "{file: c.csv, id: id}\n  orders: " + more
        plan = loaded(files(tmp_path, text, own, "{paid: {from: orders, sum: paid}}"))
        customers.to_csv(tmp_path / "data/c.csv", index=False)
        orders.to_csv(tmp_path / "data/o.csv", index=False)
        orders.to_parquet(tmp_path / "data/o.parquet")
        with DuckDB(lambda file: tmp_path / "data" / file) as engine:
            frame = timed(plan, population_of(plan, engine, None), engine)
            table, looks = unit_table(plan, frame, engine)
            total = engine.query(f"SELECT SUM(x0) AS n FROM ({table.sql()}) AS u").to_pylist()
            found.append((total[0]["n"], looks[0].repeats.rows))
    assert found == [(pytest.approx(9.99 + 5.5 + 7.25 + 1.0), 1)] * 2
