"""Quantiles that an experiment declares, from YAML to analysis.json, on every engine."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats.mstats import mquantiles

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.errors import ConfigError
from upliftlab.report.export import rounded, to_csv, to_json
from upliftlab.report.figure import formatter_of
from upliftlab.report.reading import read_analysis
from upliftlab.report.workbook import sheets
from upliftlab.results.analysis import Analysis, Note, VerdictCode

ARMS = (
    "arms: {none: {control: true, share: 40%}, mail: {channel: email, share: 40%},"
    " call: {channel: call, share: 20%}}\n"
)
HEAD = "assignment: {observed: arm}\n" + ARMS
ASKED = HEAD + "metrics: {primary: spent, quantiles: {spent: [median, p90, 0.99]}}\n"


def crowd(seed=3, sizes=(4_000, 4_000, 2_000), buying=0.8):
    """Lognormal amounts in cents, 20 % more by mail; some buy nothing."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(["none", "mail", "call"], sizes)
    spent = rng.lognormal(4, 1, len(arm)) * np.where(arm == "mail", 1.2, 1)
    return {"arm": arm, "spent": np.round(spent * (rng.random(len(arm)) < buying), 2)}


def one(analysis: Analysis, share: float, arm: str = "mail"):
    (found,) = (q for q in analysis.quantiles if (q.share, q.arm) == (share, arm))
    return found


def held(analysis: Analysis, share: float, arm: str):
    (found,) = (q for q in analysis.distribution if (q.share, q.arm) == (share, arm))
    return found


def test_by_hand(anywhere):
    """Medians of 0, 10, … 400 and 70, 80, … 470; of those of cells of 2, twenties are told."""
    low = [10.0 * value for value in range(41)]
    columns = {
        "arm": ["none"] * 41 + ["mail"] * 41 + ["call"] * 12,
        "spent": [*low, *(value + 70 for value in low), *low[:12]],
    }
    text = HEAD + "metrics: {primary: spent, quantiles: {spent: [median, p90]}}\n"
    found = anywhere.analysed(columns, text)
    median = one(found, 0.5)
    assert (median.treated, median.reference) == (280.0, 200.0), "270 is rounded to twenties"
    assert median.estimate in (60.0, 80.0)
    assert median.low <= 70 - 2**0.5 * 60
    assert median.high >= 70 + 2**0.5 * 60
    assert (median.n_treated, median.n_control, median.confidence) == (41, 41, 0.95)
    assert held(found, 0.5, "none").rounded_to == 20
    ninety = one(found, 0.9)
    assert (ninety.estimate, ninety.low, ninety.note) == (None, None, Note.few_beyond)
    assert one(found, 0.5, "call").note is Note.few_beyond
    assert (held(found, 0.5, "call").value, held(found, 0.5, "none").value) == (None, 200.0)
    assert {q.share for q in found.distribution} == {tenth / 10 for tenth in range(1, 10)}


def test_they_are_those_of_numpy_and_scipy(anywhere):
    table = crowd()
    found = anywhere.analysed(table, ASKED, "smallest_cell: 5")
    assert (len(found.distribution), len(found.quantiles)) == (3 * 10, 3 * 2)
    for arm in ("none", "mail", "call"):
        spent = table["spent"][table["arm"] == arm]
        for told in (q for q in found.distribution if q.arm == arm):
            theirs = np.quantile(spent, told.share, method="weibull")
            assert theirs == pytest.approx(mquantiles(spent, told.share, 0, 0)[0])
            assert told.n == len(spent)
            assert told.value == pytest.approx(theirs, abs=told.rounded_to / 2 + 1e-9)
            if told.share == 0.1:
                assert (told.value, told.rounded_to) == (0, 0)
    for told in found.quantiles:
        theirs = [
            np.quantile(table["spent"][table["arm"] == arm], told.share, method="weibull")
            for arm in (told.arm, "none")
        ]
        steps = [held(found, told.share, arm).rounded_to for arm in (told.arm, "none")]
        assert told.low < told.estimate < told.high
        assert told.estimate == pytest.approx(theirs[0] - theirs[1], abs=max(steps) / 2 + 1e-9)
        assert told.treated == held(found, told.share, told.arm).value
        assert told.kind == "quantile_difference"


def test_nothing_else_is_touched(shop):
    """Neither findings nor their families nor the verdict know of quantiles."""
    table = crowd()
    plain = shop.analysed(table, HEAD + "metrics: {primary: spent}\n")
    found = shop.analysed(table, ASKED)
    assert found.findings == plain.findings
    assert found.verdict == plain.verdict
    assert found.moments == plain.moments
    assert (plain.quantiles, plain.distribution) == ((), ())
    assert len(found.quantiles) == 6


def test_many_who_buy_nothing_have_no_interval(shop):
    table = crowd(buying=0.2)
    median = one(shop.analysed(table, ASKED), 0.5)
    assert (median.estimate, median.treated, median.low, median.note) == (0, 0, None, Note.tied)


def test_a_row_of_several_is_so_many_rows(anywhere):
    table = crowd(sizes=(900, 900, 450))
    table["spent"] = np.round(table["spent"])
    pairs, counts = np.unique(
        np.array([f"{a}|{s}" for a, s in zip(table["arm"], table["spent"], strict=True)]),
        return_counts=True,
    )
    rows = [pair.split("|") for pair in pairs]
    grouped = {
        "arm": [arm for arm, _ in rows],
        "spent": [float(value) for _, value in rows],
        "many": counts,
    }
    each = anywhere.analysed(table, ASKED)
    anywhere.table("customers", grouped, weight="many", id=None)
    whole = analyze(anywhere.plan(ASKED), AnalysisContext(anywhere.engine, datetime.now(UTC)))
    assert whole.quantiles == each.quantiles
    assert whole.distribution == each.distribution


def test_where_shares_differ_nothing_is_told(shop):
    rng = np.random.default_rng(2)
    n = 4_000
    day = rng.integers(0, 28, n)
    late = day >= 14
    mailed = rng.random(n) < np.where(late, 0.9, 0.1)
    table = {
        "arm": np.where(mailed, "mail", "none"),
        "started": [date(2026, 3, 1) + timedelta(int(d)) for d in day],
        "spent": rng.gamma(2, 5, n) * np.where(late, 2, 1),
        "school": np.where(late, "late", "early"),
    }
    arms = "arms: {none: {control: true}, mail: {channel: email}}\n"
    asked = "metrics: {primary: spent, quantiles: {spent: [median]}}\n"
    shares = (
        "assignment: {observed: arm, start: started}\noutcome_window: 7 days\n"
        "shares:\n  - {from: 2026-03-01, arms: {none: 90%, mail: 10%}}\n"
        "  - {from: 2026-03-15, arms: {none: 10%, mail: 90%}}\n"
    )
    for how in (shares, "assignment: {observed: arm, strata: [school]}\n"):
        found = shop.analysed(table, how + arms + asked)
        (median,) = found.quantiles
        told = (median.estimate, median.treated, median.low, median.note)
        assert told == (None, None, None, Note.mixed_shares)
        assert {(q.value, q.note) for q in found.distribution} == {(None, Note.mixed_shares)}


def orders(rng, n):
    """Everybody orders once within two weeks."""
    return {
        "id": np.arange(n),
        "at": [date(2026, 3, 2) + timedelta(int(d)) for d in rng.integers(0, 14, n)],
        "sum": rng.lognormal(3, 1, n),
    }


def test_of_several_looks_all_intervals_hold_and_of_any_number_none(shop):
    rng, n = np.random.default_rng(6), 2_000
    shop.table("orders", orders(rng, n), time="at", complete_until="2026-03-29")
    shop.table("customers", {"id": np.arange(n), "arm": rng.choice(["none", "mail"], n)})
    text = (
        "assignment: {observed: arm}\narms: {none: {control: true}, mail: {channel: email}}\n"
        "waves: [{start: 2026-03-02, share: 100%}]\noutcome_window: 28 days\n"
        "analysis: {looks: [14 days]}\n"
        "metrics: {primary: revenue, quantiles: {revenue: [median]}}\n"
    )
    plan = shop.plan(text, "  revenue: {from: orders, sum: sum}\n")

    def at(day):
        (found,) = analyze(plan, AnalysisContext(shop.engine, day)).quantiles
        return found

    early = at(datetime(2026, 3, 10, tzinfo=UTC))
    assert early.estimate is not None
    assert (early.low, early.high, early.note) == (None, None, Note.level_unreached)
    last = at(datetime(2026, 5, 1, tzinfo=UTC))
    assert (last.confidence, last.note) == (pytest.approx(0.975), None)
    assert last.low < last.estimate < last.high


def test_an_invalid_analysis_tells_none(shop):
    found = shop.analysed(crowd(sizes=(400, 400, 900)), ASKED)
    assert found.verdict.code is VerdictCode.invalid
    assert (found.quantiles, found.distribution) == ((), ())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("{quantiles: {spend: [median]}}", "did you mean 'spent'?"),
        ("{quantiles: {spent: [median, p90, 50%]}}", "is asked twice"),
        ("{quantiles: {spent: []}}", "0 quantiles"),
        (
            f"{{quantiles: {{spent: [{', '.join(f'p{k}' for k in range(20, 33))}]}}}}",
            "13 quantiles",
        ),
        (
            "{secondary: [each], define: {each: {ratio: [spent, n]}}, quantiles: {each: [p9]}}",
            "rat",
        ),
        (
            "{secondary: [o], define: {o: {column: o, missing: drop}}, quantiles: {o: [p9]}}",
            "leaves customers out",
        ),
        ("{secondary: [left], define: {left: {present: x}}, quantiles: {left: [p9]}}", "0 or 1"),
        ("{quantiles: {spent: [1]}}", "above 0 and below 1"),
        ("{quantiles: {spent: [90]}}", "did you mean p90?"),
    ],
)
def test_what_has_no_quantile_is_refused(shop, asked, said):
    shop.table("customers", {"id": [1], "arm": ["none"]})
    with pytest.raises(ConfigError) as caught:
        shop.plan(HEAD + "metrics: " + asked.replace("{", "{primary: spent, ", 1) + "\n")
    faults = [fault for fault in caught.value.faults if fault.code in ("UL157", "UL014")]
    assert len(faults) == 1
    assert said in str(faults[0])


def test_households_are_refused(shop):
    shop.table("customers", {"id": [1], "arm": ["none"], "home": [1]}, household="home")
    with pytest.raises(ConfigError, match="UL157"):
        shop.plan(ASKED.replace("{observed: arm}", "{observed: arm, unit: home}"))


def test_a_plan_without_them_is_as_it_was(shop):
    shop.table("customers", {"id": [1], "arm": ["none"]})
    plan = shop.plan(ASKED)
    asked = plan.experiment.metrics.quantiles
    assert asked == {"spent": (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))}
    assert '"quantiles":{"spent":["1/2","9/10","99/100"]}' in plan.canonical()
    assert "quantiles" not in shop.plan(HEAD + "metrics: {primary: spent}\n").canonical()


def test_they_are_in_every_file(shop, tmp_path):
    found = shop.analysed(crowd(), ASKED)
    file = tmp_path / "analysis.json"
    file.write_bytes(to_json(found))
    assert read_analysis(file).quantiles == rounded(found).quantiles
    rows = list(csv.DictReader(io.StringIO(to_csv(found).decode("utf-8-sig"))))
    kinds = [row["kind"] for row in rows if row["kind"].startswith("quantile")]
    names = ("median", "p90", "p99")
    assert kinds == [f"quantile_difference_{name}" for name in names for _ in range(2)]
    row = next(row for row in rows if row["kind"].endswith("p90"))
    assert (row["p"], row["family"], float(row["low"])) == ("", "", one(found, 0.9).low)
    listed = {sheet.name: sheet for sheet in sheets(rounded(found), formatter_of(found, "en"))}
    assert len(listed["quantiles"].rows) == 6
    assert len(listed["distribution"].rows) == 3 * 10
    assert found.to_frame("quantiles").shape[0] == 6
