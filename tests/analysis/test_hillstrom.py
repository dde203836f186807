"""Real customers: every figure that scipy and statsmodels find, and money recomputed from rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plans import NOW, make_plan, pick, run
from scipy import stats

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.load import load
from upliftlab.engines.duckdb import DuckDB

EXPERIMENT = Path(__file__).resolve().parents[2] / "experiments" / "hillstrom_email.yaml"
MENS, WOMENS, NONE = "Mens E-Mail", "Womens E-Mail", "No E-Mail"
ARMS = {  # n, visits, conversions, sum, mean and variance of spend
    MENS: (21_307, 3_894, 267, 30_311.69, 1.422616511, 315.2117989),
    WOMENS: (21_387, 3_238, 189, 23_038.11, 1.077201571, 228.4966748),
    NONE: (21_306, 2_262, 122, 13_908.33, 0.652789355, 134.2863719),
}
CONTRASTS = [  # arm, metric, difference, standard error, p, relative lift
    (MENS, "visit", 0.0765895637, 0.0033858878, 1.364e-112, 0.7214046),
    (MENS, "conversion", 0.0068050065, 0.0009208728, 1.502e-13, 1.1884219),
    (MENS, "spend", 0.7698271559, 0.1452465602, 1.1638e-07, 1.1792888),
    (WOMENS, "visit", 0.0452331066, 0.0032344621, 2.432e-44, 0.4260551),
    (WOMENS, "conversion", 0.0031110575, 0.0008226771, 1.5603e-04, 0.5433130),
    (WOMENS, "spend", 0.4244122159, 0.1303328585, 1.12940e-03, 0.6501519),
]


@pytest.fixture(scope="module")
def analysis(hillstrom):
    loaded = load(EXPERIMENT, data=hillstrom)
    with DuckDB(loaded.workspace.locate) as engine:
        return analyze(loaded.plan, AnalysisContext(engine, NOW))


@pytest.fixture(scope="module")
def rows(hillstrom):
    return pd.read_csv(hillstrom / "hillstrom.csv.gz")


@pytest.mark.parametrize("arm", ARMS)
def test_counts_and_moments(analysis, arm):
    n, visits, conversions, total, mean, variance = ARMS[arm]
    cell = next(m for m in analysis.moments if m.arm == arm and m.dimension is None)
    index = {name: i for i, name in enumerate(analysis.columns)}
    diagonal = {"spend": 0, "visit": 3, "conversion": 5}
    assert cell.n == n
    assert cell.mean[index["visit"]] * n == pytest.approx(visits, abs=1e-6)
    assert cell.mean[index["conversion"]] * n == pytest.approx(conversions, abs=1e-6)
    assert cell.mean[index["spend"]] * n == pytest.approx(total, abs=0.005)
    assert cell.mean[index["spend"]] == pytest.approx(mean, abs=5e-10)
    assert cell.m2[diagonal["spend"]] / (n - 1) == pytest.approx(variance, abs=5e-8)


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_contrasts(analysis, contrast):
    arm, metric, difference, se, p, lift = contrast
    found = pick(analysis, "difference", arm, metric=metric)
    assert found.estimate == pytest.approx(difference, abs=5e-11)
    assert found.se == pytest.approx(se, abs=5e-11)
    assert found.p == pytest.approx(p, rel=5e-4)
    assert pick(analysis, "relative_lift", arm, metric=metric).estimate == pytest.approx(
        lift, abs=5e-8
    )


def test_t_and_degrees_of_freedom_are_scipys(rows, analysis):
    for arm in (MENS, WOMENS):
        theirs = stats.ttest_ind(
            rows.spend[rows.segment == arm], rows.spend[rows.segment == NONE], equal_var=False
        )
        low, high = theirs.confidence_interval(0.95)
        found = pick(analysis, "difference", arm, metric="spend")
        assert (found.low, found.high, found.p) == pytest.approx(
            (low, high, theirs.pvalue), rel=1e-9
        )


def test_sample_ratio(analysis):
    check = next(c for c in analysis.checks if c.name == "sample_ratio")
    assert check.value == pytest.approx(0.20253125, abs=5e-9)
    assert check.p == pytest.approx(0.9036930, abs=5e-8)
    assert check.passed


def recomputed(treated, control, margin, cost):
    """Profit and ROI of one arm from rows, with Fieller's interval from its definition.

    Every treated customer costs the same, so ROI = margin·Δspend / cost − 1 and Fieller's set
    {ρ: |margin·Δ − cost·(1 + ρ)| ≤ t·margin·se} has these ends.
    """
    n, m = len(treated), len(control)
    delta = np.mean(treated) - np.mean(control)
    parts = np.var(treated, ddof=1) / n, np.var(control, ddof=1) / m
    se = np.sqrt(sum(parts))
    df = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1))
    half = stats.t.ppf(0.975, df) * se
    profit = [n * (margin * value - cost) for value in (delta, delta - half, delta + half)]
    roi = [margin * value / cost - 1 for value in (delta, delta - half, delta + half)]
    return profit, roi


@pytest.mark.parametrize("arm", [MENS, WOMENS])
@pytest.mark.parametrize(
    ("dimension", "level"), [(None, None), ("zip_code", "Urban"), ("newbie", "1")]
)
def test_profit_and_roi_from_raw_rows(rows, analysis, arm, dimension, level):
    kept = rows if dimension is None else rows[rows[dimension].astype(str) == level]
    treated = kept.spend[kept.segment == arm].to_numpy()
    control = kept.spend[kept.segment == NONE].to_numpy()
    expected = recomputed(treated, control, 0.4, 0.1)
    for kind, values in zip(("incremental_profit", "roi"), expected, strict=True):
        found = pick(analysis, kind, arm, dimension=dimension, level=level)
        assert found.estimate == pytest.approx(values[0], rel=1e-9)
        skewed = found.method.endswith("+hall")
        assert skewed == (dimension is not None), "spend is skewed in a part of the customers only"
        tolerance = 0.1 * (values[2] - values[1]) if skewed else 0
        assert (found.low, found.high) == pytest.approx(values[1:], rel=1e-9, abs=tolerance)


def test_heterogeneous_visits_of_the_womens_mail(hillstrom):
    """A published interaction: + .0731145 (SE .0046127) where `womens` is 1, + .0110785 at 0."""
    plan = make_plan(
        customers={"file": "hillstrom.csv.gz"},
        assignment={"observed": "segment"},
        arms={NONE: {"control": "true"}, MENS: {}, WOMENS: {}},
        metrics={"primary": "visit"},
        segments=["womens"],
    )
    found = run(plan, hillstrom)
    for level, estimate, se in (("1", 0.0731145, 0.0046127), ("0", 0.0110785, 0.0044240)):
        cell = pick(found, "difference", WOMENS, dimension="womens", level=level)
        assert cell.estimate == pytest.approx(estimate, abs=5e-8)
        assert cell.se == pytest.approx(se, abs=5e-8)
        assert cell.shrunken == pytest.approx(estimate, abs=0.0006), "far further apart than chance"
    tests = {test.arm: test for test in found.heterogeneity if test.dimension == "womens"}
    gap, error = 0.0731145 - 0.0110785, np.hypot(0.0046127, 0.0044240)
    assert tests[WOMENS].q == pytest.approx((gap / error) ** 2, rel=1e-3), "94.21 by own variances"
    assert tests[WOMENS].q == pytest.approx(94.18, abs=0.01)
    assert tests[WOMENS].p_adjusted < 1e-20


def test_spend_by_past_spend_does_not_differ_beyond_chance(analysis):
    """What the Mens mail adds is best taken for .73 a customer, whatever customers spent before.

    Near the inverse variances of its seven levels, written out (5.2553, .5115).
    """
    test = next(
        t
        for t in analysis.heterogeneity
        if (t.dimension, t.arm, t.kind) == ("history_segment", MENS, "difference")
    )
    cells = [
        f
        for f in analysis.findings
        if (f.dimension, f.arm, f.kind) == ("history_segment", MENS, "difference")
        and f.metric == "spend"
    ]
    effects, weights = np.array([c.estimate for c in cells]), np.array([c.se**-2 for c in cells])
    mean = np.average(effects, weights=weights)
    q = float(weights @ (effects - mean) ** 2)
    assert (test.levels, test.df, test.tau) == (7, 6, 0.0)
    assert (test.q, test.p) == pytest.approx((q, stats.chi2.sf(q, 6)), rel=0.01)
    assert (test.q, test.p) == pytest.approx((5.2416, 0.5136), abs=5e-5)
    assert [c.shrunken for c in cells] == pytest.approx([mean] * 7, abs=5e-5)
    assert mean == pytest.approx(0.7296, abs=5e-5)


def test_levels_and_their_spread_add_up_to_the_cent(rows, analysis):
    for added in analysis.reconciliations:
        total = pick(analysis, "incremental_profit", added.arm).estimate
        assert added.levels + added.composition == pytest.approx(total, abs=0.005)
        kept = rows.assign(level=rows[added.dimension].astype(str))
        n = kept.pivot_table("spend", "level", "segment", "count")
        spend = kept.pivot_table("spend", "level", "segment", "mean")
        profit = n[added.arm] * (0.4 * (spend[added.arm] - spend[NONE]) - 0.1)
        assert added.levels == pytest.approx(profit.sum(), abs=0.005)
    assert len(analysis.reconciliations) == 8


@pytest.mark.parametrize(("arm", "contacts"), [(MENS, 2130.70), (WOMENS, 2138.70)])
def test_profit_is_traced_from_spend_to_the_cent(rows, analysis, arm, contacts):
    (bridge,) = (one for one in analysis.bridges if one.arm == arm)
    amounts = {line.kind: line.estimate for line in bridge.lines}
    spend = rows.spend[rows.segment == arm]
    more = len(spend) * (spend.mean() - rows.spend[rows.segment == NONE].mean())
    assert amounts["revenue"] == round(more, 2)
    assert amounts["margin"] == pytest.approx(0.4 * more, abs=0.01)
    assert amounts["contact_cost"] == amounts["cost"] == -contacts
    assert round(amounts["margin"] - contacts, 2) == amounts["profit"]
    profit = pick(analysis, "incremental_profit", arm)
    assert amounts["profit"] == round(profit.estimate, 2)
    assert (bridge.lines[-1].low, bridge.lines[-1].high) == (profit.low, profit.high)


def test_all_customers_are_kept(analysis):
    """6,562 rows repeat others and are different customers."""
    assert sum(arm.n for arm in analysis.arms) == 64_000
    for dimension in ("history_segment", "zip_code", "newbie", "channel"):
        assert sum(m.n for m in analysis.moments if m.dimension == dimension) == 64_000


def test_the_skewness_of_these_arms_leaves_welch_alone(analysis):
    assert not [c for c in analysis.checks if c.name.startswith("skewness")]


def test_verdict(analysis):
    verdict = analysis.verdict
    assert (verdict.code, verdict.arm, verdict.metric) == ("SHIP", MENS, "profit")
    assert verdict.sentence == (
        "Mens E-Mail pays: incremental profit $4,430 ($1,656 to $7,205), ROI 208%."
    )
    assert [arm.code for arm in verdict.arms] == ["SHIP", "INCONCLUSIVE"]
