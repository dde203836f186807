"""Arms as the data really call them: mapped labels, numbers, arms that are not compared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from scipy import stats
from worlds import analysed, assigned

from upliftlab import Experiment
from upliftlab.analysis.population import population_of
from upliftlab.errors import ConfigError, DataError
from upliftlab.ledger import Ledger
from upliftlab.report.render import render
from upliftlab.results.analysis import Analysis
from upliftlab.stats.integrity import lost_alike
from upliftlab.targeting.training_data import learning_rows

BOTH = "arms: {none: {control: true}, small: {channel: email}}\n"
TEXT = "assignment: {observed: arm}\nmetrics: {primary: y}\n" + BOTH
MAPPED = BOTH.replace("small: {", 'small: {observed: ["small", " small ", "S"], ')
LABELS = ["none", "none", "none", "small", " small ", "S"]
Y = [1.0, 2.0, 3.0, 3.0, 5.0, 7.0]


def found(shop, columns, text=TEXT, **more) -> Analysis:
    return shop.analysed({"y": Y[: len(columns["arm"])], **columns}, text, **more)


def faults(caught) -> list[str]:
    return [str(fault) for fault in caught.value.faults]


def effect(analysis: Analysis):
    (finding,) = analysis.find(kind="difference", metric="y", arm="small")
    return finding


def steps(analysis: Analysis) -> dict[str, tuple[dict[str, int], int]]:
    return {step.kind: (step.arms, step.without_arm) for step in analysis.flow}


def adds_up(analysis: Analysis) -> bool:
    """The first step less what was left out is what was analysed, arm by arm."""
    first, *between, last = analysis.flow
    lost = {arm: sum(step.arms[arm] for step in between) for arm in first.arms}
    without = sum(step.without_arm for step in between)
    return (
        all(first.arms[arm] - lost[arm] == last.arms[arm] for arm in first.arms)
        and first.without_arm - without == last.without_arm == 0
    )


def test_labels_are_mapped_on_every_engine(anywhere):
    """None has 1, 2, 3 and small has 3, 5, 7: 5 − 2."""
    one = found(anywhere, {"arm": LABELS}, TEXT.replace(BOTH, MAPPED))
    assert effect(one).estimate == pytest.approx(3.0, abs=1e-12)
    assert (effect(one).n_treated, effect(one).n_control) == (3, 3)
    assert steps(one) == {
        "observed": ({"none": 3, "small": 3}, 0),
        "analysed": ({"none": 3, "small": 3}, 0),
    }


@pytest.mark.parametrize(
    ("arm", "control", "treated"),
    [
        ([0, 0, 0, 1, 1, 1], "0", "1"),
        ([0, 0, 0, 1, 1, 1], "0.0", "1.0"),
        ([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], "0", "1"),
        ([0.5, 0.5, 0.5, 1.0, 1.0, 1.0], "0.50", "1"),
        ([Decimal("0.0")] * 3 + [Decimal("1.0")] * 3, "0", "1"),
        ([False] * 3 + [True] * 3, "false", "true"),
        ([False] * 3 + [True] * 3, "False", "TRUE"),
    ],
    ids=["ints", "ints as 1.0", "doubles", "halves", "decimals", "flags", "capital flags"],
)
def test_numbers_and_flags_have_no_spelling(anywhere, arm, control, treated):
    arms = f'arms: {{none: {{control: true, observed: ["{control}"]}}, small: {{observed: '
    one = found(anywhere, {"arm": arm}, TEXT.replace(BOTH, f'{arms}["{treated}"]}}}}\n'))
    assert effect(one).estimate == pytest.approx(3.0, abs=1e-12)


def test_arms_may_be_named_by_the_numbers_themselves(anywhere):
    arms = "arms: {0: {control: true}, 1: {channel: email}}\n"
    one = found(anywhere, {"arm": [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]}, TEXT.replace(BOTH, arms))
    (finding,) = one.find(kind="difference", arm="1")
    assert finding.estimate == pytest.approx(3.0, abs=1e-12)


def test_a_number_that_is_none_is_a_label_as_well(anywhere):
    arms = "arms: {0: {control: true}, 1: {channel: email}}\n"
    text = TEXT.replace(BOTH, arms)
    arm = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, float("nan")]
    with pytest.raises(DataError, match=r"(?i)UL209 the data hold an arm 'nan'"):
        found(anywhere, {"arm": arm, "y": [*Y, 9.0]}, text)
    ignoring = text.replace("observed: arm", "observed: arm, ignore_arms: [NaN]")
    one = found(anywhere, {"arm": arm, "y": [*Y, 9.0]}, ignoring)
    assert steps(one)["ignored"] == ({"0": 0, "1": 0, "NaN": 1}, 0)
    (finding,) = one.find(kind="difference", arm="1")
    assert finding.estimate == pytest.approx(3.0, abs=1e-12)


def test_two_arms_with_one_number_are_refused(shop):
    arms = 'arms: {none: {control: true, observed: ["1"]}, small: {observed: ["1.0"]}}\n'
    with pytest.raises(DataError, match="UL280 the arms 'none' and 'small' have labels that"):
        found(shop, {"arm": [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]}, TEXT.replace(BOTH, arms))


def test_a_label_that_is_spelt_otherwise_is_refused_with_the_line_to_write(anywhere):
    """The line it names is the one that was missing."""
    arm = ["none", "none", "none", "small", " small ", "SMALL"]
    with pytest.raises(DataError) as caught:
        found(anywhere, {"arm": arm})
    (said,) = faults(caught)
    assert said == (
        "UL209 the data hold ' small ' (1 customer), 'SMALL' (1 customer), which differs from"
        " the arm 'small' only by how it is spelt; if it is meant, write"
        ' \'arms: {small: {observed: [" small ", "SMALL"]}}\''
    )
    line = 'observed: [" small ", "SMALL"]'
    one = found(anywhere, {"arm": arm}, TEXT.replace("small: {", f"small: {{{line}, "))
    assert effect(one).estimate == pytest.approx(3.0, abs=1e-12)


def test_further_labels_come_beside_those_that_are_mapped(shop):
    with pytest.raises(DataError) as caught:
        found(shop, {"arm": [*LABELS[:5], "s"]}, TEXT.replace(BOTH, MAPPED))
    assert '[small", " small ", "S", "s"]'.replace("[", '["') in faults(caught)[0]


def test_a_label_of_another_word_is_masked_unless_many_have_it(shop):
    arm = ["none"] * 3 + ["small"] * 3
    with pytest.raises(DataError, match=r"an arm 'Aaaa' \(1 customer\).* out by 'ignore_arms'"):
        found(shop, {"arm": [*arm, "Erna"], "y": [*Y, 1.0]})
    with pytest.raises(DataError) as caught:
        found(shop, {"arm": [*arm, "medium", "medium"], "y": [*Y, 1.0, 2.0]})
    assert faults(caught)[0].endswith(
        "add it to 'arms', or leave its customers out: 'assignment: {ignore_arms: [\"medium\"]}'"
    )


def test_ignored_arms_are_counted_and_not_compared(anywhere):
    """Medium's 100 and 900 touch nothing."""
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium, large]")
    arm = [*LABELS[:4], "small", "small", "medium", "medium", "large"]
    one = found(anywhere, {"arm": arm, "y": [*Y, 100.0, 900.0, 7.0]}, text)
    assert effect(one).estimate == pytest.approx(3.0, abs=1e-12)
    everybody = {"none": 3, "small": 3, "medium": 2, "large": 1}
    assert steps(one) == {
        "observed": (everybody, 0),
        "ignored": ({"none": 0, "small": 0, "medium": 2, "large": 1}, 0),
        "analysed": ({"none": 3, "small": 3, "medium": 0, "large": 0}, 0),
    }
    assert adds_up(one)
    (ratio,) = [check for check in one.checks if check.name == "sample_ratio"]
    assert ratio.p == 1.0


def test_an_ignored_arm_that_nobody_is_in_is_a_fault(anywhere):
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: medium")
    with pytest.raises(DataError, match="UL279 the data hold no customer of the ignored arm 'med"):
        found(anywhere, {"arm": ["none"] * 3 + ["small"] * 3}, text)


def test_a_near_label_of_an_ignored_arm_names_its_line(shop):
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium]")
    arm = ["none"] * 3 + ["small"] * 3 + ["medium", "Medium"]
    with pytest.raises(DataError, match="differs from the ignored arm 'medium'") as caught:
        found(shop, {"arm": arm, "y": [*Y, 1.0, 2.0]}, text)
    assert '\'assignment: {ignore_arms: ["medium", "Medium"]}\'' in faults(caught)[0]


def test_nobody_is_excluded_whose_condition_is_not_known(anywhere):
    """Ages 17, NULL and 30: who may be 17 stays. The arm of one is not known."""
    text = TEXT + 'exclude: "age < 18 or arm is null"\n'
    arm = [*(["none"] * 4), *(["small"] * 4), None]
    age = pa.array([17, None, 30, 30, 17, None, 30, 30, 30], pa.int64())
    y = [100.0, 1.0, 2.0, 3.0, 900.0, 3.0, 5.0, 7.0, 1.0]
    one = found(anywhere, {"arm": arm, "age": age, "y": y}, text)
    assert effect(one).estimate == pytest.approx(3.0, abs=1e-12)
    assert steps(one) == {
        "observed": ({"none": 4, "small": 4}, 1),
        "excluded": ({"none": 1, "small": 1}, 1),
        "analysed": ({"none": 3, "small": 3}, 0),
    }
    assert adds_up(one)
    (check,) = [check for check in one.checks if check.name == "exclusion"]
    assert (check.passed, check.value, check.p) == (True, 3.0, pytest.approx(1.0))
    assert check.message == (
        "3 of 9 customers are excluded on purpose, alike in every arm (none: 1, small: 1;"
        " p: 1.0000)."
    )


def test_who_is_excluded_and_of_an_ignored_arm_is_counted_once(shop):
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium]")
    arm = [*(["none"] * 3), *(["small"] * 3), "medium", "medium", None]
    columns = {"arm": arm, "y": [*Y, 1.0, 2.0, 3.0], "bot": [False] * 6 + [True, False, False]}
    one = found(shop, columns, text + "exclude: bot or arm is null\n")
    assert steps(one)["excluded"] == ({"none": 0, "small": 0, "medium": 1}, 1)
    assert steps(one)["ignored"] == ({"none": 0, "small": 0, "medium": 1}, 0)
    assert adds_up(one)


def test_an_exclusion_that_differs_between_the_arms_voids_the_result(anywhere):
    """10 of 200 and 50 of 200: χ² as SciPy has it."""
    arm = ["none"] * 200 + ["small"] * 200
    bot = [at < 10 for at in range(200)] + [at < 50 for at in range(200)]
    columns = {"arm": arm, "y": [float(at % 7) for at in range(400)], "bot": bot}
    one = found(anywhere, columns, TEXT + "exclude: bot\n")
    (check,) = [check for check in one.checks if check.name == "exclusion"]
    expected = stats.chi2_contingency([[190, 10], [150, 50]], correction=False)
    assert check.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (check.passed, check.severity, one.verdict.code) == (False, "critical", "INVALID")
    assert "not alike in every arm (none: 10, small: 50" in check.message
    assert adds_up(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [((100, 3), (100, 0)), ((10, 1), (12, 9)), ((7, 7), (9, 1)), ((30, 0), (5, 2))],
)
def test_few_who_are_lost_are_tested_exactly(one, other):
    table = [[one[0] - one[1], one[1]], [other[0] - other[1], other[1]]]
    assert lost_alike([one, other]).p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)


def test_three_arms_of_whom_few_are_lost_are_tested_one_against_the_others():
    """The least of three exact tests, times three."""
    groups = [(20, 4), (20, 0), (20, 0)]
    each = [stats.fisher_exact([[n - k, k], [60 - n - (4 - k), 4 - k]]).pvalue for n, k in groups]
    assert lost_alike(groups).p == pytest.approx(3 * min(each), rel=1e-9)
    assert lost_alike([(20, 0), (20, 0)]) is None
    assert lost_alike([(20, 3)]) is None


def test_the_exact_test_errs_no_more_often_than_it_says():
    """Everything that may be lost of 12 and 8 customers, 4 lost in all: P(p ≤ α) ≤ α."""
    chances = stats.hypergeom(20, 12, 4).pmf(np.arange(5))
    found = np.array([lost_alike([(12, k), (8, 4 - k)]).p for k in range(5)])
    for alpha in (0.01, 0.05, 0.2):
        assert chances[found <= alpha].sum() <= alpha + 1e-12


def test_customers_without_an_arm_are_refused_with_the_line_to_write(shop):
    with pytest.raises(DataError, match=r"UL208 1 customer has no arm.* exclude: 'arm is null'"):
        found(shop, {"arm": [*(["none"] * 3), *(["small"] * 2), None]})
    with pytest.raises(DataError, match="exclude: '\"the arm\" is null'"):
        found(
            shop,
            {"arm": ["none"] * 6, "the arm": ["none"] * 3 + ["small"] * 2 + [None]},
            TEXT.replace("observed: arm", "observed: the arm"),
        )


def test_csv_and_parquet_find_the_same(tmp_path, shop):
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium]").replace(
        BOTH, MAPPED
    )
    text += "exclude: arm is null or age < 18\n"
    columns = {
        "id": list(range(9)),
        "arm": [*LABELS, "medium", None, "none"],
        "y": [*Y, 8.0, 9.0, 100.0],
        "age": [30, 30, 30, 30, 30, None, 30, 30, 17],
    }
    table = pa.table(columns)
    read = shop.analysed({name: table[name] for name in table.column_names[1:]}, text)
    pc.write_csv(table, tmp_path / "people.csv", pc.WriteOptions(quoting_style="needed"))
    values = {
        "schema": 1,
        "experiment": "spring",
        "customers": {"file": "people.csv", "id": "id"},
        "assignment": {"observed": "arm", "ignore_arms": ["medium"]},
        "exclude": "arm is null or age < 18",
        "arms": {
            "none": {"control": True},
            "small": {"channel": "email", "observed": ["small", " small ", "S"]},
        },
        "metrics": {"primary": "y"},
    }
    program = {"program": {"time_zone": "UTC", "smallest_cell": 2}}
    written = Experiment.from_dict(values, program, folder=tmp_path).analyze(tmp_path)
    assert written.flow == read.flow
    assert [f.estimate for f in written.findings] == [f.estimate for f in read.findings]
    assert effect(read).estimate == pytest.approx(3.0, abs=1e-12)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("ignore_arms: [small]", "UL150 the ignored arm 'small' is also the name of the arm"),
        ("ignore_arms: [S]", "UL150 the label 'S' of the arm 'small' is also an ignored arm"),
        ("salt: autumn", "UL015"),
    ],
)
def test_a_label_belongs_to_one_arm(shop, part, said):
    text = TEXT.replace("observed: arm", f"observed: arm, {part}").replace(BOTH, MAPPED)
    with pytest.raises(ConfigError, match=said):
        found(shop, {"arm": LABELS}, text)


def test_labels_need_a_column(shop):
    text = TEXT.replace("observed: arm", "method: hash").replace(BOTH, MAPPED)
    with pytest.raises(ConfigError, match="UL151 arm 'small' has labels, but no column of arms"):
        found(shop, {"arm": LABELS}, text)
    text = TEXT.replace("observed: arm", "ignore_arms: [medium]")
    with pytest.raises(ConfigError, match="'ignore_arms' needs 'observed'"):
        found(shop, {"arm": LABELS}, text)


@pytest.mark.parametrize(
    ("assignment", "condition", "said"),
    [
        ("observed: arm", "y is null", "UL112 'exclude' uses 'y', which is an outcome"),
        ("method: hash", "y > 3", "UL112 'exclude' uses 'y', which is an outcome"),
        ("method: hash", "bounced", "UL112 'exclude' uses 'bounced', which is known only after"),
        ("observed: arm", "select 1", "UL020"),
    ],
)
def test_nobody_is_left_out_by_what_came_of_the_campaign(shop, assignment, condition, said):
    shop.table("customers", {"id": [1], "arm": ["none"]}, known_after=["y", "bounced"])
    text = TEXT.replace("observed: arm", assignment) + f"exclude: {condition}\n"
    with pytest.raises(ConfigError, match=said):
        shop.plan(text)


def test_what_is_known_later_may_leave_out_of_observed_arms_with_a_warning(tmp_path):
    (tmp_path / "configs").mkdir()
    experiment = Experiment.from_dict(
        {
            "schema": 1,
            "experiment": "spring",
            "customers": {"file": "people.csv", "id": "id", "known_after": ["y", "bounced"]},
            "assignment": {"observed": "arm"},
            "exclude": "bounced",
            "arms": {"none": {"control": True}, "small": {}},
            "metrics": {"primary": "y"},
        },
        folder=tmp_path,
    )
    assert [fault.code for fault in experiment.warnings] == ["UL152"]


def test_learning_leaves_out_the_same(anywhere):
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium]").replace(
        BOTH, MAPPED
    )
    text += 'exclude: "arm is null"\nuplift: {features: [age]}\n'
    columns = {"arm": [*LABELS, "medium", None], "y": [*Y, 8.0, 9.0], "age": list(range(20, 28))}
    anywhere.table("customers", {"id": list(range(8)), **columns})
    rows = learning_rows(anywhere.plan(text), anywhere.engine)
    assert (rows.total, len(rows)) == (6, 6)
    assert sorted(zip(rows.arm.tolist(), rows.outcomes[:, 0].tolist(), strict=True)) == [
        *zip([0] * 3, Y[:3], strict=True),
        *zip([1] * 3, Y[3:], strict=True),
    ]


def test_a_recorded_assignment_keeps_whom_it_excludes_apart_from_whom_it_lacks(tmp_path):
    """Nobody is missing, some are excluded; and the steps add up."""
    loaded = assigned(tmp_path, customers=2_000)
    plan = loaded.plan
    asked = plan.experiment.model_copy(update={"exclude": "recency_days > 200"})
    whole = analysed(loaded)
    one = analysed(loaded, plan=plan.model_copy(update={"experiment": asked}))
    assert [step.kind for step in one.flow] == ["assigned", "excluded", "analysed"]
    assert adds_up(one)
    assert one.flow[0].total == whole.flow[0].total == whole.flow[-1].total
    assert one.flow[1].total > 0
    checks = {check.name: check for check in one.checks}
    assert checks["attrition"].passed
    assert checks["exclusion"].passed


def test_plans_that_were_locked_before_stay_as_they_are(shop):
    """None of the new keys is in a plan that does not use it."""
    shop.table("customers", {"id": [1], "arm": ["none"]})
    canonical = shop.plan(TEXT).canonical()
    for key in ("exclude", "ignore_arms", '"missing"', '"present"', '"observed":[]'):
        assert key not in canonical
    used = shop.plan(TEXT.replace(BOTH, MAPPED) + "exclude: arm is null\n").canonical()
    assert '"observed":["small"," small ","S"]' in used
    assert '"exclude":"arm is null"' in used


def test_the_page_says_who_was_left_out(shop):
    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium]")
    arm = [*(["none"] * 3), *(["small"] * 3), "medium", None]
    one = found(shop, {"arm": arm, "y": [*Y, 8.0, 9.0]}, text + "exclude: arm is null\n")
    english, chinese = render(one), render(one, lang="zh")
    for said in (
        "From all customers to those analysed",
        "Excluded on purpose",
        "No arm known",
        "arm is null",
    ):
        assert said in english
    for said in ("从全部客户到纳入分析的客户", "有意排除", "组别未知", "属于不参与比较的组"):
        assert said in chinese
    plain = found(shop, {"arm": ["none"] * 3 + ["small"] * 3})
    assert "From all customers to those analysed" not in render(plain)


def test_planning_counts_those_who_will_be_compared(anywhere):
    from upliftlab.planning.pre_period import PrePeriodPopulation, population

    text = TEXT.replace("observed: arm", "observed: arm, ignore_arms: [medium]")
    text += 'exclude: "age < 18"\n'
    columns = {"arm": ["none", "small", "medium", "none"], "age": [20, 20, 20, 17]}
    anywhere.table("customers", {"id": list(range(4)), "y": Y[:4], **columns})
    cast = PrePeriodPopulation(anywhere.engine, assigned=False, today=date(2026, 6, 1))
    plan = anywhere.plan(text)
    population_of(plan, anywhere.engine, None)
    assert population(plan, cast) == 2


def test_labels_are_mapped_in_what_was_delivered_too(tmp_path):
    """The sender calls the ledger's arms otherwise, and spells them so."""
    loaded = assigned(tmp_path, customers=2_000)
    plan, ledger = loaded.plan, Ledger(tmp_path / "ledger")
    files = ledger.read(plan.experiment.experiment).generations[0].files
    drawn = [row for file in files for row in pq.read_table(file).to_pylist()]
    called = {arm: f" {arm.upper()} " for arm in plan.arms}
    sent = {row["customer_id"]: called.get(row["arm"]) for row in drawn}
    customers = loaded.workspace.data / (plan.customers.file or "")
    table = pq.read_table(customers)
    delivered = pa.array([sent.get(key) for key in table["customer_id"].to_pylist()], pa.string())
    pq.write_table(table.append_column("sent_as", delivered), customers)
    given = plan.experiment.assignment.model_copy(update={"delivered": "sent_as"})
    asked = plan.model_copy(
        update={"experiment": plan.experiment.model_copy(update={"assignment": given})}
    )
    arms = {
        name: arm.model_copy(update={"observed": (called[name],)})
        for name, arm in plan.arms.items()
    }
    for declared, passed in ((plan.arms, False), (arms, True)):
        one = analysed(loaded, plan=asked.model_copy(update={"arms": declared}))
        (check,) = [check for check in one.checks if check.name == "delivered"]
        assert check.passed is passed
