"""Outcomes that are not known: refused, counted as nothing, or left out of the one metric."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from scipy import stats

from upliftlab import Experiment
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.cli import commands
from upliftlab.errors import ConfigError, DataError
from upliftlab.results.analysis import Analysis, Note
from upliftlab.targeting.training_data import learning_rows

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEXT = (
    "assignment: {observed: arm}\nmetrics: {primary: y}\n"
    "arms: {none: {control: true}, mail: {channel: email}}\n"
)
NAN = float("nan")
ARM = ["none"] * 4 + ["mail"] * 4
GAPS = [1.0, 2.0, 3.0, None, 3.0, None, 5.0, 7.0]
"""None's mean is 2 of three who have a value, 1.5 of four; mail's is 5 of three, 3.75 of four."""


def found(shop, columns, metrics, text=TEXT, *, program="") -> Analysis:
    number = len(next(iter(columns.values())))
    shop.table("customers", {"id": list(range(number)), **columns})
    plan = shop.plan(text, f"  {metrics}\n", program=program)
    return analyze(plan, AnalysisContext(shop.engine, NOW))


def effect(analysis: Analysis, metric="y", kind="difference"):
    (finding,) = analysis.find(kind=kind, metric=metric, arm="mail", dimension=None)
    return finding


def check(analysis: Analysis, name="missing_outcomes:y"):
    return next((check for check in analysis.checks if check.name == name), None)


def declared(missing: str) -> str:
    return f"y: {{column: y, missing: {missing}}}"


@pytest.mark.parametrize("gap", [None, NAN], ids=["null", "nan"])
@pytest.mark.parametrize(
    ("missing", "difference", "n"), [("zero", 2.25, (4, 4)), ("drop", 3.0, (3, 3))]
)
def test_what_a_gap_counts_as_on_every_engine(anywhere, gap, missing, difference, n):
    y = pa.array([gap if each is None else each for each in GAPS], pa.float64())
    one = found(anywhere, {"arm": ARM, "y": y}, declared(missing))
    assert effect(one).estimate == pytest.approx(difference, abs=1e-12)
    assert (effect(one).n_treated, effect(one).n_control) == n
    assert check(one).value == 2.0


@pytest.mark.parametrize("gap", [None, NAN], ids=["null", "nan"])
def test_a_gap_is_refused_where_nothing_is_said(anywhere, gap):
    y = pa.array([gap if each is None else each for each in GAPS], pa.float64())
    with pytest.raises(DataError) as caught:
        found(anywhere, {"arm": ARM, "y": y}, declared("fail"))
    said = "2 are empty" if gap is None else "2 hold NaN or infinity"
    assert said in str(caught.value)


def test_the_refusal_names_the_line_to_write(shop):
    with pytest.raises(
        DataError, match=r"in configs/metrics\.yaml what an empty one means"
    ) as caught:
        found(shop, {"arm": ARM, "y": GAPS}, declared("fail"))
    assert "'y: {column: y, missing: zero}' (or drop)" in str(caught.value)
    assert effect(found(shop, {"arm": ARM, "y": GAPS}, declared("zero"))).estimate == 2.25


@pytest.mark.parametrize("missing", ["zero", "drop"])
def test_empty_texts_and_written_nan_are_gaps_and_other_texts_are_faults(shop, missing):
    y = ["1", "2", "3", "", "3", " NaN ", "5", "7"]
    difference = {"zero": 2.25, "drop": 3.0}[missing]
    one = found(shop, {"arm": ARM, "y": y}, declared(missing))
    assert effect(one).estimate == pytest.approx(difference, abs=1e-12)
    with pytest.raises(DataError, match=r"UL206 .*: 1 hold text such as 'aa aaa'") as caught:
        found(shop, {"arm": ARM, "y": [*y[:7], "no idea"[:6]]}, declared(missing))
    assert "empty" not in str(caught.value)


@pytest.mark.parametrize("missing", ["zero", "drop"])
def test_what_is_beyond_reckoning_is_a_fault_all_the_same(anywhere, missing):
    y = [*GAPS[:7], math.inf]
    with pytest.raises(DataError, match=r"UL206 column 'y' .*: 1 hold NaN or infinity"):
        found(anywhere, {"arm": ARM, "y": y}, declared(missing))


def test_csv_and_parquet_find_the_same(tmp_path, shop):
    read = found(shop, {"arm": ARM, "y": GAPS}, declared("drop"))
    rows = [
        f"{at},{a},{'' if y is None else y}"
        for at, (a, y) in enumerate(zip(ARM, GAPS, strict=True))
    ]
    (tmp_path / "people.csv").write_text("\n".join(["id,arm,y", *rows, ""]), encoding="utf-8")
    experiment = Experiment.from_dict(
        {
            "schema": 1,
            "experiment": "spring",
            "customers": {"file": "people.csv", "id": "id", "known_after": ["y"]},
            "assignment": {"observed": "arm"},
            "arms": {"none": {"control": True}, "mail": {"channel": "email"}},
            "metrics": {"primary": "y"},
        },
        {
            "metrics": {"metrics": {"y": {"column": "y", "missing": "drop"}}},
            "program": {"smallest_cell": 2, "time_zone": "UTC"},
        },
        folder=tmp_path,
    )
    written = experiment.analyze(tmp_path)
    assert [f.estimate for f in written.findings] == [f.estimate for f in read.findings]
    assert effect(written).low == effect(read).low


def _crowd(seed=3, n=400):
    """Customers with normal values, some of which are missing in both arms."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(["none", "mail"], n)
    y = rng.normal(10, 3, 2 * n) + (arm == "mail") * 0.5
    return arm, y, rng.random(2 * n) < 0.2


def test_those_with_a_value_are_compared_as_if_there_were_no_others(shop):
    """Welch's test of SciPy on the values that are there: the same numbers, not nearly."""
    arm, y, gone = _crowd()
    columns = {"arm": arm.tolist(), "y": pa.array(np.where(gone, None, y).tolist(), pa.float64())}
    one = effect(found(shop, columns, declared("drop")))
    treated, control = y[(arm == "mail") & ~gone], y[(arm == "none") & ~gone]
    expected = stats.ttest_ind(treated, control, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert one.method == "welch"
    assert one.estimate == pytest.approx(treated.mean() - control.mean(), rel=1e-9)
    assert one.se == pytest.approx(
        math.sqrt(treated.var(ddof=1) / len(treated) + control.var(ddof=1) / len(control)), rel=1e-9
    )
    assert one.p == pytest.approx(expected.pvalue, rel=1e-8)
    assert (one.low, one.high) == pytest.approx(tuple(interval), rel=1e-8)
    assert (one.n_treated, one.n_control) == (len(treated), len(control))


def test_a_share_of_few_events_among_those_who_answered_has_newcombe_s_interval(shop):
    """3 of 20 and 9 of 20 who answered; the others say nothing."""
    yes = [1] * 3 + [0] * 17 + [None] * 10 + [1] * 9 + [0] * 11 + [None] * 10
    columns = {"arm": ["none"] * 30 + ["mail"] * 30, "y": yes}
    one = found(shop, columns, declared("drop"))
    assert effect(one).method == "newcombe"
    assert effect(one).estimate == pytest.approx(0.3, abs=1e-12)
    (metric,) = one.metrics
    assert metric.unit == "share"
    answered = found(
        shop,
        {"arm": ["none"] * 20 + ["mail"] * 20, "y": [each for each in yes if each is not None]},
        declared("fail"),
    )
    assert (effect(one).low, effect(one).high) == (effect(answered).low, effect(answered).high)


def test_other_metrics_are_of_everybody(shop):
    """y of those who have one, z of all: covariances and money stay those of all."""
    columns = {"arm": ARM, "y": GAPS, "z": [0.0, 1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 5.0]}
    text = TEXT.replace("primary: y", "primary: y, secondary: [z]")
    one = found(shop, columns, declared("drop"), text + "money: {revenue: z, margin: 50%}\n")
    assert effect(one, "z").estimate == pytest.approx(2.0, abs=1e-12)
    assert (effect(one, "z").n_treated, effect(one, "z").n_control) == (4, 4)
    assert effect(one, "z", "incremental_profit").estimate == pytest.approx(4.0, abs=1e-12)
    assert effect(one).estimate == pytest.approx(3.0, abs=1e-12)


def test_nobody_with_a_value_has_no_effect_and_a_reason(shop):
    columns = {"arm": ARM, "y": [1.0, 2.0, 3.0, 4.0, None, None, None, 1.0]}
    one = found(shop, columns, declared("drop"))
    assert (effect(one).estimate, effect(one).note) == (None, Note.few_treated)


def _gaps(none: int, mail: int) -> dict[str, list]:
    """200 customers in each arm, of whom so many have no value."""
    y = [None if at < none else float(at % 9) for at in range(200)]
    y += [None if at < mail else float(at % 9) for at in range(200)]
    return {"arm": ["none"] * 200 + ["mail"] * 200, "y": pa.array(y, pa.float64())}


def test_gaps_that_differ_between_the_arms_void_what_is_judged_by_them(anywhere):
    """10 of 200 and 60 of 200: χ² as SciPy has it."""
    one = found(anywhere, _gaps(10, 60), declared("drop"))
    expected = stats.chi2_contingency([[190, 10], [140, 60]], correction=False)
    told = check(one)
    assert told.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (told.passed, told.severity, one.verdict.code) == (False, "critical", "INVALID")
    assert told.message == (
        "70 of 400 customers have no value and are left out of it, and not alike in every arm"
        " (none: 10, mail: 60; p: < 0.0001): those who are left cannot be compared."
    )


def test_gaps_of_another_metric_are_a_warning_of_that_metric(shop):
    columns = _gaps(10, 60) | {"z": [float(at % 5) for at in range(400)]}
    text = TEXT.replace("primary: y", "primary: z, secondary: [y]")
    one = found(shop, columns, declared("drop"), text)
    assert (check(one).passed, check(one).severity) == (False, "warning")
    assert one.verdict.code != "INVALID"


def test_gaps_that_count_as_nothing_are_told_and_not_tested(anywhere):
    one = found(anywhere, _gaps(10, 60), declared("zero"))
    assert (check(one).passed, check(one).p) == (True, None)
    assert check(one).message == "70 of 400 customers have no value, which counts as 0."


def test_gaps_alike_in_both_arms_are_told(shop):
    one = found(shop, _gaps(20, 22), declared("drop"))
    assert check(one).passed
    assert "alike in every arm (none: 20, mail: 22; p: 0.74" in check(one).message
    whole = found(shop, {"arm": ARM, "y": [1.0] * 7 + [2.0]}, declared("drop"))
    assert check(whole).message == "Every customer has a value."


def test_who_answered_is_a_metric_too(anywhere):
    columns = {"arm": ARM, "y": GAPS, "note": ["a", None, "b", "c", None, None, "d", "e"]}
    text = TEXT.replace("primary: y", "primary: answered, secondary: [noted]")
    one = found(anywhere, columns, "answered: {present: y}\n  noted: {present: note}", text)
    assert effect(one, "answered").estimate == pytest.approx(0.0, abs=1e-12)
    assert effect(one, "noted").estimate == pytest.approx(2 / 4 - 3 / 4, abs=1e-12)
    assert {metric.unit for metric in one.metrics} == {"share"}


def test_levels_of_a_segment_and_households_leave_out_the_same(shop):
    columns = {
        "arm": ARM * 2,
        "y": GAPS + [2.0 * each if each else None for each in GAPS],
        "region": ["north"] * 8 + ["south"] * 8,
        "home": [f"h{at}" for at in range(16)],
    }
    one = found(shop, columns, declared("drop"), TEXT + "segments: [region]\n")
    by_level = {
        f.level: f.estimate for f in one.find(kind="difference", metric="y", dimension="region")
    }
    assert by_level == {"north": pytest.approx(3.0), "south": pytest.approx(6.0)}
    houses = found(shop, columns, declared("drop"), TEXT.replace("arm}", "arm, unit: home}"))
    assert effect(houses).estimate == pytest.approx(4.5, abs=1e-12)
    assert effect(houses).method.startswith("delta")
    assert check(houses).message.startswith("4 of 16 customers")


@pytest.mark.parametrize(
    ("metrics", "text", "said"),
    [
        (declared("nothing"), TEXT, "'nothing' is not one of"),
        ("y: {column: y, missing: drop, only: z}", TEXT, "excludes only and unless"),
        ("y: {ratio: [a, b], missing: zero}", TEXT, "'missing' needs 'column'"),
        (
            declared("drop"),
            TEXT + "money: {revenue: y, margin: 50%}\n",
            "UL131 'revenue' is 'y', of which customers are left out: it does not add up",
        ),
        (
            declared("drop"),
            TEXT + "analysis: {winsorize: {y: 99%}}\n",
            "UL128 the metric 'y' leaves customers out",
        ),
        (
            declared("drop") + "\n  r: {ratio: [y, z]}",
            TEXT.replace("primary: y", "primary: r"),
            "UL111 the metric 'r' has a part, 'y', that leaves customers out",
        ),
        (
            declared("drop"),
            TEXT + "uplift: {features: [age]}\n",
            "UL146 'y' leaves customers out, and models learn from all",
        ),
    ],
)
def test_where_leaving_out_has_no_meaning(shop, metrics, text, said):
    with pytest.raises(ConfigError, match=said):
        found(shop, {"arm": ARM, "y": GAPS}, metrics, text)


def test_gaps_that_count_as_nothing_add_up_everywhere(anywhere):
    """In money, in a ratio, capped, and to learn from."""
    columns = {"arm": ARM * 3, "y": GAPS * 3, "z": [1.0] * 24, "age": [*range(20, 28)] * 3}
    text = TEXT.replace("primary: y", "primary: y, secondary: [r]")
    text += "money: {revenue: y, margin: 50%}\nuplift: {features: [age]}\n"
    metrics = declared("zero") + "\n  r: {ratio: [y, z]}"
    one = found(anywhere, columns, metrics, text)
    assert effect(one, "r").estimate == pytest.approx(2.25, abs=1e-12)
    assert effect(one, "y", "incremental_profit").estimate == pytest.approx(13.5, abs=1e-12)
    rows = learning_rows(anywhere.plan(text, f"  {metrics}\n"), anywhere.engine)
    each = [0.0, 0.0, 0.5, 1.0, 1.5, 1.5, 2.5, 3.5]
    assert sorted(rows.outcomes[:, 0].tolist()) == sorted(each * 3)


def test_check_and_analyze_agree(tmp_path, monkeypatch):
    """What one refuses the other refuses; who is left out both tell."""
    monkeypatch.chdir(tmp_path)
    for folder in ("configs", "data", "experiments"):
        (tmp_path / folder).mkdir()
    rows = "".join(
        f"{at},{'none' if at % 2 else 'mail'},{'' if at % 10 == 3 else at % 4}\n"
        for at in range(80)
    )
    (tmp_path / "data/people.csv").write_text(
        "id,arm,y\n" + rows + "90,,1\n91,other,1\n91,other,1\n"
    )
    head = (
        "schema: 1\nexperiment: spring\ncustomers: {file: people.csv, id: id, known_after: [y]}\n"
        "metrics: {primary: y}\narms: {none: {control: true}, mail: {channel: email}}\n"
    )
    left_out = "exclude: arm is null\nassignment: {observed: arm, ignore_arms: [other]}\n"
    cases = {
        "assignment: {observed: arm}\n": ("fail", "UL213"),
        left_out.replace("arm is null", "id = 91") + "\n": ("drop", "UL208"),
        left_out: ("fail", "UL206"),
        left_out + "segments: []\n": ("drop", None),
    }
    for part, (missing, code) in cases.items():
        (tmp_path / "experiments/spring.yaml").write_text(head + part)
        (tmp_path / "configs/metrics.yaml").write_text(f"metrics: {{{declared(missing)}}}\n")
        ran = CliRunner().invoke(commands, ["analyze", "experiments/spring.yaml"])
        looked = CliRunner().invoke(
            commands, ["check", "experiments/spring.yaml", "--data", "data"]
        )
        assert bool(ran.exit_code) == bool(looked.exit_code) == bool(code), (
            ran.output,
            looked.output,
        )
        assert code is None or (code in ran.output and code in looked.output)
    assert "UL281 1 of 83 customers is excluded on purpose." in looked.output
    assert "UL281 2 customers of ignored arms are left out (other: 2)" in looked.output
    assert "UL282 8 of 80 customers have no value and are left out of it" in looked.output
