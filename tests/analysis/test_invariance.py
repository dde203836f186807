"""Any split or order of the rows gives the same findings; large values keep their digits."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plans import make_plan, pick, run

from upliftlab.analysis import aggregation
from upliftlab.queries import moments

PLAN = {
    "customers": {"file": "customers.parquet"},
    "arms": {
        "none": {"control": "true"},
        "mail": {"channel": "email", "cost_per_contact": "0.1"},
        "sms": {"channel": "text", "cost_per_contact": "0.2"},
    },
    "metrics": {"primary": "spend", "secondary": ["visit"]},
    "money": {"revenue": "spend", "margin": "40%"},
    "segments": ["area", "band"],
}


def draw(n: int = 6000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(42)
    bought = rng.random(n) < 0.2
    return {
        "arm": np.array(["none", "mail", "sms"])[rng.integers(0, 3, n)],
        "spend": bought * np.round(rng.lognormal(3, 1, n), 2),
        "visit": (rng.random(n) < 0.4).astype(float),
        "area": np.array(["n", "s", "e", "w"])[rng.integers(0, 4, n)],
        "band": rng.integers(1, 4, n),
    }


def analysed(folder, columns, row_group=6000):
    pq.write_table(pa.table(columns), folder / "customers.parquet", row_group_size=row_group)
    return run(make_plan(**PLAN), folder)


def assert_same_findings(left, right):
    assert len(left.findings) == len(right.findings)
    for one, other in zip(left.findings, right.findings, strict=True):
        for name in ("kind", "metric", "arm", "dimension", "level", "n_treated", "note", "family"):
            assert getattr(one, name) == getattr(other, name)
        for name in ("estimate", "se", "low", "high", "p", "p_adjusted"):
            expected = getattr(other, name)
            assert getattr(one, name) == (
                None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-300)
            )


def test_order_and_row_groups_do_not_matter(tmp_path):
    columns = draw()
    first = analysed(tmp_path, columns)
    order = np.random.default_rng(1).permutation(6000)
    assert_same_findings(
        analysed(tmp_path, {name: values[order] for name, values in columns.items()}, 77), first
    )


def test_neither_the_name_nor_the_order_of_the_rows_moves_what_is_drawn(tmp_path):
    """A small control of few, very different purchases: its intervals are drawn."""
    rng = np.random.default_rng(7)
    columns = draw()
    columns["arm"] = np.array(["none", "mail", "sms"])[rng.choice(3, 6000, p=[0.05, 0.5, 0.45])]
    columns["spend"] = np.where(rng.random(6000) < 0.1, np.round(rng.lognormal(3, 1.5, 6000), 2), 0)
    first = analysed(tmp_path, columns)
    assert sum("permutation" in finding.method for finding in first.findings) > 10
    order = rng.permutation(6000)
    shuffled = {name: values[order] for name, values in columns.items()}
    pq.write_table(pa.table(shuffled), tmp_path / "customers.parquet", row_group_size=501)
    assert_same_findings(run(make_plan(**{**PLAN, "experiment": "another"}), tmp_path), first)


def test_grouping_one_by_one_gives_what_the_finest_cells_add_up_to(tmp_path, monkeypatch):
    first = analysed(tmp_path, draw())
    monkeypatch.setattr(moments, "MOST_CELLS", 3)
    assert_same_findings(analysed(tmp_path, draw()), first)


def test_csv_and_parquet_give_the_same(tmp_path):
    columns = draw(2000)
    first = analysed(tmp_path, columns)
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    text = ",".join(columns) + "\n" + "\n".join(",".join(map(str, row)) for row in rows)
    (tmp_path / "customers.csv").write_text(text)
    assert_same_findings(
        run(make_plan(**{**PLAN, "customers": {"file": "customers.csv"}}), tmp_path), first
    )


def test_a_table_in_a_duckdb_file_gives_the_same(tmp_path):
    import duckdb

    first = analysed(tmp_path, draw(2000))
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.execute(
            f"CREATE TABLE people AS FROM read_parquet('{tmp_path / 'customers.parquet'}')"
        )
    source = {"file": "shop.duckdb", "table": "people"}
    assert_same_findings(run(make_plan(**{**PLAN, "customers": source}), tmp_path), first)


def test_spends_near_a_billion_keep_seven_digits(tmp_path):
    rng = np.random.default_rng(9)
    n = 40_000
    small = rng.normal(0, 1, n)
    arm = np.where(rng.random(n) < 0.5, "mail", "none")
    # Cells lie far apart, so no single centre serves them all.
    area = np.where(rng.random(n) < 0.5, "zero", "billion")
    spend = small + np.where(area == "billion", 1e9, 0.0)
    columns = {"arm": arm, "spend": spend, "area": area}
    pq.write_table(pa.table(columns), tmp_path / "customers.parquet")
    plan = make_plan(customers={"file": "customers.parquet"}, segments=["area"])
    found = run(plan, tmp_path)
    for level, moved in (("zero", 0.0), ("billion", 1e9)):
        rows = [(spend - moved)[(arm == a) & (area == level)] for a in ("mail", "none")]
        se = np.sqrt(sum(np.var(values, ddof=1) / len(values) for values in rows))
        cell = pick(found, "difference", dimension="area", level=level)
        assert cell.se == pytest.approx(se, rel=1e-7)
        assert cell.estimate == pytest.approx(rows[0].mean() - rows[1].mean(), abs=1e-6)


def test_moments_of_the_query_are_those_of_the_rows(tmp_path):
    from upliftlab.analysis.estimation import estimation_spec
    from upliftlab.engines.duckdb import DuckDB
    from upliftlab.stats.moments import Moments

    columns = draw(3000)
    pq.write_table(pa.table(columns), tmp_path / "customers.parquet")
    plan = make_plan(**PLAN)
    with DuckDB(lambda file: tmp_path / file) as engine:
        cells = aggregation.measure(plan, estimation_spec(plan), engine).cells
    rows = np.column_stack([columns["spend"], columns["visit"]])
    for cell in cells["area", "band"]:
        kept = (columns["arm"] == cell.arm) & (columns["area"] == cell.levels["area"])
        kept &= columns["band"].astype(str) == cell.levels["band"]
        expected = Moments.of(rows[kept])
        assert cell.moments.n == expected.n
        np.testing.assert_allclose(cell.moments.mean, expected.mean, rtol=1e-12)
        np.testing.assert_allclose(cell.moments.m2, expected.m2, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(cell.moments.m3, expected.m3, rtol=1e-8, atol=1e-6)


def asked_again(folder, columns, **changes):
    """Whether the Moments query had to be repeated with centred aggregates."""
    from upliftlab.analysis.estimation import estimation_spec
    from upliftlab.engines.duckdb import DuckDB

    pq.write_table(pa.table(columns), folder / "customers.parquet")
    arms = {"none": {"control": "true"}, "mail": {}, "sms": {}}
    plan = make_plan(customers={"file": "customers.parquet"}, arms=arms, **changes)
    seen = []

    class Watched(DuckDB):
        def query(self, sql):
            seen.append(sql)
            return super().query(sql)

    with Watched(lambda file: folder / file) as engine:
        aggregation.measure(plan, estimation_spec(plan), engine)
    return any("VAR_SAMP" in sql for sql in seen)


def test_the_robust_query_is_asked_only_where_digits_would_be_lost(tmp_path):
    columns = draw(3000)
    area = {"segments": ["area"]}
    assert not asked_again(tmp_path, columns, **area)
    assert not asked_again(tmp_path, {**columns, "spend": columns["visit"] * 0 + 3}, **area)
    billions = np.where(columns["area"] == "n", 1e9, 0.0) + columns["spend"]
    assert asked_again(tmp_path, {**columns, "spend": billions}, **area)
    assert not asked_again(tmp_path, {**columns, "spend": columns["spend"] + 1e9})


def test_equal_values_have_no_variance_at_all(tmp_path):
    columns = draw(3000)
    columns["spend"] = np.where(columns["area"] == "n", 29.99, columns["spend"])
    pq.write_table(pa.table(columns), tmp_path / "customers.parquet")
    arms = {"none": {"control": "true"}, "mail": {}, "sms": {}}
    source = {"file": "customers.parquet"}
    found = run(make_plan(customers=source, segments=["area"], arms=arms), tmp_path)
    cell = pick(found, "difference", dimension="area", level="n")
    assert (cell.estimate, cell.se, cell.p) == (0.0, 0.0, None)


def test_skewness_is_noticed_by_the_robust_query_as_well(tmp_path):
    rng = np.random.default_rng(6)
    spend = (rng.random(10_000) < 0.02) * rng.lognormal(3, 1.5, 10_000)
    arm = np.where(np.arange(10_000) < 500, "none", "mail")
    area = np.where(np.isin(np.arange(10_000), (601, 602)), "pair", "rest")
    spend[[601, 602]] = 29.99
    columns = {"arm": arm, "spend": spend, "area": area}
    arms = {"none": {"control": "true", "share": "5%"}, "mail": {"share": "95%"}}
    pq.write_table(pa.table(columns), tmp_path / "customers.parquet")
    source = {"file": "customers.parquet"}
    found = run(make_plan(customers=source, arms=arms, segments=["area"]), tmp_path)
    assert [abs(c.value) > 0.05 for c in found.checks if c.name.startswith("skewness")] == [True]
