"""ASOS's published experiments (Liu et al. 2021): effects are those of the figures given.

The reference is scipy's Welch test from the same figures.
"""

from __future__ import annotations

import duckdb
import pytest
from grouped import experiment
from plans import pick
from scipy import stats

from upliftlab.errors import DataError

ARMS = {"none": {"control": True}, "mail": {}}
SIDES = "SELECT '{arm}' AS arm, experiment_id, variant_id, metric_id, time_since_start AS time,"
SIDES += " count_{side} AS n, mean_{side} AS mean, variance_{side} AS variance FROM published"
FEWEST = 1_000


@pytest.fixture(scope="module")
def asos(hillstrom):
    file = hillstrom / "asos_digital_experiments.parquet"
    if not file.exists():
        pytest.skip("the shared data with asos_digital_experiments.parquet are not here")
    return file


@pytest.fixture(scope="module")
def published(asos):
    """A row for each arm, comparison, metric and look; and the last look of each comparison."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW published AS FROM '{asos}'")
        sides = (SIDES.format(arm=a, side=s) for a, s in (("none", "c"), ("mail", "t")))
        table = connection.sql(" UNION ALL ".join(sides)).to_arrow_table()
        last = connection.sql(
            "SELECT experiment_id, variant_id, metric_id, MAX(time_since_start) AS time,"
            " ARG_MAX(count_c, time_since_start) AS n_c, ARG_MAX(count_t, time_since_start) AS n_t,"
            " ARG_MAX(mean_c, time_since_start) AS m_c, ARG_MAX(mean_t, time_since_start) AS m_t,"
            " ARG_MAX(variance_c, time_since_start) AS v_c,"
            " ARG_MAX(variance_t, time_since_start) AS v_t"
            " FROM published WHERE variance_c > 0 AND variance_t > 0"
            f" AND least(count_c, count_t) >= {FEWEST} GROUP BY ALL ORDER BY ALL"
        ).to_arrow_table()
    return table, last.to_pylist()


def asked(row, **customers):
    where = f"experiment_id = '{row['experiment_id']}' and variant_id = {row['variant_id']}"
    where += f" and metric_id = {row['metric_id']}"
    sums = {"n": "n", "mean": {"y": "mean"}, "variance": {"y": "variance"}}
    own = {"aggregated": sums, "time": "time", **customers}
    return {
        "customers": own,
        "arms": ARMS,
        "metrics": {"primary": "y"},
        "eligible": where,
    }


def analysed(table, row, **changed):
    values = asked(row)
    values["eligible"] += f" and time = {row['time']}"
    control = round(100 * row["n_c"] / (row["n_c"] + row["n_t"]), 6)  # not all were even splits
    shares = {"none": f"{control:.6f}%", "mail": f"{100 - control:.6f}%"}
    values["arms"] = {arm: {**ARMS[arm], "share": share} for arm, share in shares.items()}
    values |= changed
    return experiment(values.pop("customers"), {}, **values).analyze(table)


def theirs(row):
    sides = [(row[f"m_{s}"], row[f"v_{s}"] ** 0.5, row[f"n_{s}"]) for s in "tc"]
    return stats.ttest_ind_from_stats(*sides[0], *sides[1], equal_var=False)


def test_every_comparison_of_one_metric_is_what_its_figures_say(published):
    """A third of the 300-odd comparisons and metrics at their last look, all four metrics."""
    table, last = published
    chosen = last[::3]
    assert len(chosen) > 100
    assert {row["metric_id"] for row in chosen} == {1, 2, 3, 4}
    for row in chosen:
        found = pick(analysed(table, row), "difference")
        se = (row["v_t"] / row["n_t"] + row["v_c"] / row["n_c"]) ** 0.5
        assert (found.n_treated, found.n_control) == (row["n_t"], row["n_c"])
        assert found.estimate == pytest.approx(row["m_t"] - row["m_c"], rel=1e-9, abs=1e-14)
        assert found.se == pytest.approx(se, rel=1e-9)
        expected = theirs(row)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-300)
        low, high = (found.estimate + sign * (found.high - found.low) / 2 for sign in (-1, 1))
        assert (found.low, found.high) == pytest.approx((low, high))


def test_the_first_metric_is_a_share_and_its_count_says_the_same(published):
    """Its variance is p(1 − p), with n below the line; that of the counts has n − 1."""
    table, last = published
    row = next(row for row in last if row["metric_id"] == 1)
    assert row["v_c"] == pytest.approx(row["m_c"] * (1 - row["m_c"]), rel=1e-12)
    with duckdb.connect() as connection:
        connection.register("sides", table)
        counts = connection.sql("SELECT *, ROUND(n * mean) AS having FROM sides").to_arrow_table()
    own = {"aggregated": {"n": "n", "units_with": {"y": "having"}}}
    found = pick(analysed(counts, row, customers=own), "difference")
    variance = sum(row[f"m_{s}"] * (1 - row[f"m_{s}"]) / (row[f"n_{s}"] - 1) for s in ("c", "t"))
    assert found.estimate == pytest.approx(row["m_t"] - row["m_c"], rel=1e-9)
    assert found.se == pytest.approx(variance**0.5, rel=1e-9)


def test_customers_who_were_not_divided_evenly_are_told_of(published):
    table, last = published
    sizes = [row for row in last if abs(row["n_c"] / row["n_t"] - 1) > 0.1]
    found = analysed(table, sizes[0], arms=ARMS)
    assert found.verdict.code == "INVALID"
    assert [c.passed for c in found.checks if c.name == "sample_ratio"] == [False]


def test_all_looks_together_are_refused(published):
    """They count everybody so far: added up, customers would count many times."""
    table, last = published
    row = next(row for row in last if row["metric_id"] == 1)
    values = asked(row)
    with pytest.raises(DataError, match="UL294 every arm's figures only grow with 'time'"):
        experiment(values.pop("customers"), {}, **values).analyze(table)


def test_variances_that_are_missing_are_refused(published):
    table, last = published
    row = {**last[0], "experiment_id": "329386", "variant_id": 1, "metric_id": 2, "time": 15.0}
    with pytest.raises(DataError, match="UL289 column 'variance' \\(variance of y\\) holds no"):
        analysed(table, row)
