"""The verdict follows from the numbers, the checks and the calendar."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import make_plan, pick, run
from scipy.stats import sem, t

from upliftlab.report.render import render
from upliftlab.results.analysis import Note, VerdictCode
from upliftlab.stats.heterogeneity import common_control, shrunken

MONEY = {"revenue": "spend", "margin": "50%"}
ARMS = {"none": {"control": "true"}, "mail": {"channel": "email", "cost_per_contact": "1"}}


def sample(folder, mail_mean, sizes=(400, 400), **changes):
    rng = np.random.default_rng(8)
    rows = [f"none,{v:.4f}" for v in rng.normal(10, 3, sizes[0])]
    rows += [f"mail,{v:.4f}" for v in rng.normal(mail_mean, 3, sizes[1])]
    (folder / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    now = changes.pop("now", datetime(2026, 3, 1, tzinfo=UTC))
    plan = make_plan(**{"money": MONEY, "arms": ARMS, "currency": "EUR", **changes})
    return run(plan, folder, now)


@pytest.mark.parametrize(
    ("mean", "code", "words"),
    [
        (16, VerdictCode.ship, "mail pays: incremental profit €"),
        (12.1, VerdictCode.inconclusive, "mail may or may not pay"),
        (10, VerdictCode.stop, "mail does not pay: incremental profit -€"),
    ],
)
def test_money_decides(tmp_path, mean, code, words):
    found = sample(tmp_path, mean)
    assert found.verdict.code is code
    assert words in found.verdict.sentence
    profit = pick(found, "incremental_profit")
    assert found.verdict.arms[0].value == profit.estimate


def test_an_inconclusive_verdict_says_what_would_settle_it(tmp_path):
    action = sample(tmp_path, 12.1).verdict.next_action
    assert "times as many customers" in action


def test_the_hurdle_is_part_of_the_decision(tmp_path):
    assert sample(tmp_path, 13.4).verdict.code is VerdictCode.ship
    high = sample(tmp_path, 13.4, money={**MONEY, "hurdle": "150%"})
    assert high.verdict.code is VerdictCode.stop
    assert pick(high, "incremental_profit").estimate > 0
    roi = pick(high, "roi")
    assert roi.high < 1.5


def test_a_metric_decides_where_no_money_is_declared(tmp_path):
    found = sample(tmp_path, 12, money=None)
    assert (found.verdict.code, found.verdict.metric) == (VerdictCode.ship, "spend")
    assert found.verdict.sentence.startswith("mail raises spend: 2.")


def test_less_is_good_where_the_metric_says_so(tmp_path):
    rows = [f"none,{v}" for v in (5, 6, 7, 8) * 20] + [f"mail,{v}" for v in (1, 2, 3, 4) * 20]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    plan = make_plan()
    lower = plan.metrics["spend"].model_copy(update={"better": "lower"})
    found = run(plan.model_copy(update={"metrics": {"spend": lower}}), tmp_path)
    assert found.verdict.code is VerdictCode.ship
    assert "mail lowers spend" in found.verdict.sentence


def test_a_broken_sample_ratio_hides_every_number(tmp_path):
    found = sample(tmp_path, 16, sizes=(600, 400))
    assert found.verdict.code is VerdictCode.invalid
    assert "declare the share of each arm" in found.verdict.sentence
    assert {finding.note for finding in found.findings} == {Note.invalid}
    assert all(finding.estimate is None and finding.p is None for finding in found.findings)


def test_declared_shares_are_what_counts_are_held_against(tmp_path):
    arms = {"none": {**ARMS["none"], "share": "60%"}, "mail": {**ARMS["mail"], "share": "40%"}}
    assert sample(tmp_path, 16, sizes=(600, 400), arms=arms).verdict.code is VerdictCode.ship


def test_an_open_window_gives_no_verdict(tmp_path):
    waves = [{"start": "2026-03-02", "share": "100%"}]
    plan = {"waves": waves, "outcome_window": "28 days"}
    early = sample(tmp_path, 16, now=datetime(2026, 3, 20, tzinfo=UTC), **plan)
    assert early.verdict.code is VerdictCode.not_final
    assert "March 30, 2026" in early.verdict.sentence
    assert pick(early, "difference").estimate is not None
    late = sample(tmp_path, 16, now=datetime(2026, 3, 30, tzinfo=UTC), **plan)
    assert late.verdict.code is VerdictCode.ship


def test_several_arms_are_judged_at_once(tmp_path):
    rng = np.random.default_rng(4)
    rows = [f"{arm},{v:.4f}" for arm, mean in (("none", 10), ("a", 14.0), ("b", 12.1), ("c", 10))
            for v in rng.normal(mean, 3, 300)]  # fmt: skip
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true"}, **{n: {"cost_per_contact": "1"} for n in "abc"}}
    found = run(make_plan(arms=arms, money=MONEY), tmp_path)
    assert (found.verdict.code, found.verdict.arm) == (VerdictCode.ship, "a")
    assert found.verdict.next_action == "Contact with a; it was the best of 3 arms."
    for arm in found.verdict.arms:
        assert arm.p_adjusted >= arm.p
        assert (arm.code is VerdictCode.inconclusive) == (arm.p_adjusted >= 0.05)


def three_arms(tmp_path, means=(14.0, 12.1, 10.0), **changes):
    rng = np.random.default_rng(4)
    rows = [f"{arm},{v:.4f}" for arm, mean in zip(("none", *"abc"), (10, *means), strict=True)
            for v in rng.normal(mean, 3, 300)]  # fmt: skip
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true"}, **{n: {"cost_per_contact": "1"} for n in "abc"}}
    return run(make_plan(arms=arms, **changes), tmp_path)


@pytest.mark.parametrize("threshold", [-0.2, 0.0, 1.0, 3.6])
def test_of_several_arms_ship_is_where_the_printed_bound_passes(tmp_path, threshold):
    found = three_arms(tmp_path, decision={"ship_if": f"lower > {threshold}"})
    for arm in found.verdict.arms:
        effect = pick(found, "difference", arm.arm)
        assert arm.confidence == pytest.approx(1 - 0.05 / 3)
        half = effect.se * t.ppf(1 - 0.05 / 6, 598)
        assert (arm.low, arm.high) == pytest.approx(
            (effect.estimate - half, effect.estimate + half), rel=1e-3
        )
        assert arm.p_adjusted == min(1, 3 * arm.p)
        assert (arm.code is VerdictCode.ship) == (arm.low > threshold)
        assert (arm.code is VerdictCode.stop) == (arm.high < threshold)
        assert effect.low > arm.low, "elsewhere an interval is of one arm"


@pytest.mark.parametrize("money", [None, MONEY, {**MONEY, "hurdle": "20%"}])
def test_sentence_and_tiles_tell_the_interval_of_the_choice(tmp_path, money):
    found = three_arms(tmp_path, money=money)
    verdict, (best, *_) = found.verdict, found.verdict.arms
    kind = "incremental_profit" if money else "difference"
    (told,) = [f for f in verdict.findings if f.kind == kind]
    assert (told.arm, told.confidence) == ("a", best.confidence)
    values = verdict.sentence_parts.values
    assert (values["low"], values["high"]) == (told.low, told.high)
    if money is None or "hurdle" not in money:
        assert (told.estimate, told.low, told.high) == (best.value, best.low, best.high)
        assert told.shrunken == best.shrunken
    assert told.shrunken < told.estimate, "the best of several is partly lucky"
    assert verdict.selection.startswith("a is the best of 3 arms. The best of several is partly")
    assert "(98.3% each)" in verdict.selection
    place = f"/verdict/findings/{verdict.findings.index(told)}"
    page = render(found)
    assert f'data-key="{place}/low"' in page
    assert f'data-key="{place}/shrunken"' in page
    assert "其区间同时适用于所有组" in render(found, lang="zh")


def test_arms_are_shrunken_as_cells_with_one_control(tmp_path):
    """Posterior means with V = diag(s²/n) + s²_c/n_c, from the rows."""
    found = three_arms(tmp_path)
    rows = [line.split(",") for line in (tmp_path / "customers.csv").read_text().split()[1:]]
    spent = [np.array([float(v) for a, v in rows if a == arm]) for arm in ("none", *"abc")]
    (control, *means), (error, *errors) = ([f(v) for v in spent] for f in (np.mean, sem))
    covariance = common_control(np.square(errors), error**2)
    best = shrunken(np.array(means) - control, covariance)
    assert [arm.shrunken for arm in found.verdict.arms] == pytest.approx(list(best.values))


def test_one_arm_is_chosen_from_nothing(tmp_path):
    verdict = sample(tmp_path, 16).verdict
    assert (verdict.selection, verdict.findings) == (None, ())
    (arm,) = verdict.arms
    assert (arm.confidence, arm.shrunken, arm.p_adjusted) == (0.95, None, arm.p)


@pytest.mark.parametrize("gain", [2.0, 2.1])
def test_the_best_of_arms_that_are_alike_is_not_called_better(tmp_path, gain):
    rng = np.random.default_rng(5)
    rows = [f"{arm},{v:.4f}" for arm, mean in (("none", 10), ("a", 14.0), ("b", 12 + gain))
            for v in rng.normal(mean, 3, 300)]  # fmt: skip
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true"}, **{n: {"cost_per_contact": "1"} for n in "ab"}}
    for plan in (make_plan(arms=arms, money=MONEY), make_plan(arms=arms)):
        found = run(plan, tmp_path)
        assert found.verdict.code is VerdictCode.ship
        assert "but they do not differ beyond chance" in found.verdict.next_action


def small_holdout(tmp_path):
    rng = np.random.default_rng(6)
    bought = rng.random(10_000) < 0.02
    spend = bought * rng.lognormal(3, 1.5, 10_000)
    rows = [f"{'none' if i < 500 else 'mail'},{v:.2f}" for i, v in enumerate(spend)]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true", "share": "5%"}, "mail": {"share": "95%"}}
    return run(make_plan(arms=arms), tmp_path)


def test_a_small_skewed_holdout_gets_its_interval_from_its_own_customers(tmp_path):
    found = small_holdout(tmp_path)
    (asked,) = [c for c in found.checks if c.name.startswith("skewness")]
    assert asked.passed is True
    assert abs(asked.value) > 0.05
    effect = next(f for f in found.findings if f.kind == "difference")
    assert effect.method == "welch+permutation"
    below, above = effect.estimate - effect.low, effect.high - effect.estimate
    assert below > 1.3 * above > 0, "a control without large purchases makes gains look too sure"
    assert small_holdout(tmp_path).findings == found.findings, "the same data give the same digits"


def test_with_too_many_kinds_of_customers_there_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("upliftlab.analysis.rows.MOST_ROWS", 50)
    found = small_holdout(tmp_path)
    (warning,) = [c for c in found.checks if c.name.startswith("skewness")]
    assert warning.passed is False
    assert next(f for f in found.findings if f.kind == "difference").method == "welch"


def test_guardrails(tmp_path):
    rows = [f"{arm},{i % 7},{int(i % 100 < rate)}" for arm, rate in (("none", 2), ("mail", 9))
            for i in range(4000)]  # fmt: skip
    (tmp_path / "customers.csv").write_text("arm,spend,left\n" + "\n".join(rows))

    def check(limit):
        guardrails = {"left": {"max_increase": limit}}
        found = run(make_plan(metrics={"primary": "spend", "guardrails": guardrails}), tmp_path)
        return next(c for c in found.checks if c.name == "guardrail:left:mail").passed

    assert check("0.5 points") is False
    assert check("7 points") is None
    assert check("12 points") is True
    assert check("100%") is False


@pytest.mark.parametrize("lost", [60, 75, 80, 81, 82, 83, 84, 86, 95, 120])
@pytest.mark.parametrize("limit", ["1 points", "30%"])
def test_a_guardrail_s_p_is_that_of_its_limit(tmp_path, lost, limit):
    rows = [f"none,{i % 7},{int(i < 60)}" for i in range(4000)]
    rows += [f"mail,{i % 7},{int(i < lost)}" for i in range(4000)]
    (tmp_path / "customers.csv").write_text("arm,spend,left\n" + "\n".join(rows))
    guardrails = {"left": {"max_increase": limit}}
    found = run(make_plan(metrics={"primary": "spend", "guardrails": guardrails}), tmp_path)
    check = next(c for c in found.checks if c.name == "guardrail:left:mail")
    assert (check.p < 0.05) == (check.passed is not None)
    falls = {"left": {"max_decrease": limit}}
    found = run(make_plan(metrics={"primary": "spend", "guardrails": falls}), tmp_path)
    check = next(c for c in found.checks if c.name == "guardrail:left:mail")
    assert (check.p < 0.05) == (check.passed is not None)


def few(folder, bought, treated=100, control=100, **changes):
    """The verdict where a handful of customers of either arm buy."""
    rows = [f"none,{v}" for v in (*bought[0], *[0] * (control - len(bought[0])))]
    rows += [f"mail,{v}" for v in (*bought[1], *[0] * (treated - len(bought[1])))]
    (folder / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {
        "none": {"control": "true", "share": f"{100 * control / (treated + control)}%"},
        "mail": {
            "channel": "email",
            "cost_per_contact": "0.10",
            "share": f"{100 * treated / (treated + control)}%",
        },
    }
    return run(make_plan(**{"money": MONEY, "arms": arms, "currency": "EUR", **changes}), folder)


def test_a_single_purchase_settles_nothing(tmp_path):
    """It was STOP −14.00 (−18.00 to −10.00), p .0002: the ends of two divisions, no more."""
    found = few(tmp_path, ([10], []))
    (arm,) = found.verdict.arms
    assert (arm.code, arm.low, arm.high, arm.note) == (
        VerdictCode.inconclusive, None, None, Note.few_expected,
    )  # fmt: skip
    assert arm.p is None
    assert "too few purchases or other events in all" in found.verdict.sentence
    assert found.verdict.next_action == "Repeat with more customers."


def test_one_end_alone_is_told_as_at_least_or_at_most(tmp_path):
    """Twenty customers held out: a division with no purchase among them is no rarity."""
    bought = [20, 24, 31, 18, 40, 25, 33, 28, 19, 22, 27, 30, 21, 26, 35, 29]
    found = few(tmp_path, ([], bought), treated=180, control=20)
    profit = pick(found, "incremental_profit")
    assert (profit.low is None, profit.high is None).count(True) == 1
    word = "at least" if profit.high is None else "at most"
    assert f"({word} " in found.verdict.sentence
    assert profit.note in (Note.at_least, Note.at_most)
    assert ("no upper end" if profit.high is None else "no lower end") in profit.note


def test_a_share_is_shipped_exactly_where_its_printed_bound_passes(tmp_path):
    """2 of 1,900 against 0 of 100: Newcombe's −0.036 to 0.0038 does not pass −0.005."""
    rows = [f"none,{v}" for v in [0] * 100] + [f"mail,{v}" for v in [1] * 2 + [0] * 1898]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true", "share": "5%"}, "mail": {"share": "95%"}}
    for threshold in (-0.005, -0.03, -0.035, -0.036, -0.0365, -0.037, -0.04, 0.003, 0.0038, 0.004):
        rule = {"ship_if": f"lower > {threshold}"}
        found = run(make_plan(arms=arms, decision=rule), tmp_path)
        (arm,) = found.verdict.arms
        assert (round(arm.low, 3), round(arm.high, 4)) == (-0.036, 0.0038)
        code = VerdictCode.inconclusive
        if arm.low > threshold:
            code = VerdictCode.ship
        elif arm.high < threshold:
            code = VerdictCode.stop
        assert arm.code is code, threshold
        assert (arm.p < 0.05) == (code is not VerdictCode.inconclusive)


@given(
    st.integers(0, 10_000),
    st.sampled_from(["money", "share", "metric", "lower is better"]),
    st.floats(-3, 3),
)
@settings(max_examples=40)
def test_an_arm_is_shipped_exactly_where_its_printed_bound_passes(seed, kind, shift):
    """With one arm and with any rule; with several, SHIP implies as much."""
    rng = np.random.default_rng(seed)
    rows = list[str]()
    for arm, n in (("none", int(rng.integers(20, 200))), ("mail", 300), ("call", 150)):
        bought = rng.random(n) < rng.uniform(0.01, 0.3)
        amounts = bought * (1 if kind == "share" else np.rint(rng.lognormal(3, 1, n)))
        rows += [f"{arm},{value:g}" for value in amounts]
    changes = {"money": MONEY, "currency": "EUR"} if kind == "money" else {}
    arms = {**ARMS, "call": {"channel": "phone"}}
    with TemporaryDirectory() as folder:
        for taken in (("none", "mail"), ("none", "mail", "call")):
            kept = "\n".join(row for row in rows if row.partition(",")[0] in taken)
            Path(folder, "customers.csv").write_text("arm,spend\n" + kept)
            plan = make_plan(arms={arm: arms[arm] for arm in taken}, **changes)
            if kind == "lower is better":
                less = plan.metrics["spend"].model_copy(update={"better": "lower"})
                plan = plan.model_copy(update={"metrics": {"spend": less}})
            first = run(plan, Path(folder)).verdict
            if first.code is VerdictCode.invalid:
                continue
            middle = first.arms[0]
            reach = (middle.high or middle.value) - (middle.low or middle.value)
            rule = f"lower > {middle.value + shift * (reach or 1.0):.6f}"
            ruled = plan.experiment.model_copy(
                update={"decision": plan.experiment.decision.model_copy(update={"ship_if": rule})}
            )
            verdict = run(plan.model_copy(update={"experiment": ruled}), Path(folder)).verdict
            threshold = float(rule.partition("> ")[2])
            for arm in verdict.arms:
                low, high = arm.low, arm.high
                if kind == "lower is better":
                    low, high = (None if end is None else -end for end in (arm.high, arm.low))
                ships = low is not None and low > threshold
                stops = high is not None and high < threshold
                if len(taken) == 2:
                    assert (arm.code is VerdictCode.ship) == ships
                    assert (arm.code is VerdictCode.stop) == stops
                assert ships or arm.code is not VerdictCode.ship
                assert stops or arm.code is not VerdictCode.stop


def test_an_effect_far_too_small_gets_no_absurd_factor(tmp_path):
    rows = [
        f"{arm},{10 + i % 21 + more}"
        for arm, more in (("none", 0), ("mail", 0.02))
        for i in range(2100)
    ]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    action = run(make_plan(), tmp_path).verdict.next_action
    assert "more than 100 times as many customers" in action


def contacted(tmp_path, control=None, **reached):
    """Both arms have 200 customers, and mail's spend more; so many of them are contacted, twice."""
    rows = [
        f"{arm},{i % 7 + 9 * (arm == 'mail')},{2 * int(i < reached[arm])}"
        for arm in ("none", "mail")
        for i in range(200)
    ]
    (tmp_path / "customers.csv").write_text("arm,spend,contacts\n" + "\n".join(rows))
    arms = {**ARMS, "none": {**ARMS["none"], **(control or {})}}
    found = run(make_plan(money={**MONEY, "contacts": "contacts"}, arms=arms), tmp_path)
    return found.verdict.code, next(c for c in found.checks if c.name == "contamination")


def test_a_control_that_was_left_alone_passes(tmp_path):
    code, check = contacted(tmp_path, none=0, mail=150)
    assert (code, check.passed, check.value) == (VerdictCode.ship, True, 0.0)


@pytest.mark.parametrize(("spared", "share"), [(1, "0.5%"), (74, "37%")])
def test_some_contacts_of_the_control_are_a_warning(tmp_path, spared, share):
    code, check = contacted(tmp_path, none=spared, mail=150)
    assert (code, check.passed, check.severity) == (VerdictCode.ship, False, "warning")
    assert check.value == spared / 200
    assert f"{share} of the control ({spared}) were contacted, against 75%" in check.message


@pytest.mark.parametrize(("spared", "mailed"), [(75, 150), (150, 150), (150, 20), (3, 4)])
def test_a_control_contacted_at_least_half_as_often_has_no_verdict(tmp_path, spared, mailed):
    code, check = contacted(tmp_path, none=spared, mail=mailed)
    assert (code, check.severity) == (VerdictCode.invalid, "critical")
    assert "the control was not left alone" in check.message


@pytest.mark.parametrize(
    "given", [{"cost_per_contact": "0.02"}, {"business_as_usual": "true"}], ids=["cost", "as usual"]
)
def test_a_control_that_is_meant_to_be_contacted_is_not_asked_about(tmp_path, given):
    code, check = contacted(tmp_path, given, none=150, mail=150)
    assert (code, check.passed) == (VerdictCode.ship, None)
    assert check.message == "Not asked: the control is contacted by design."


def test_one_slip_is_none_however_few_contacts_of_the_treated_are_on_record(tmp_path):
    code, check = contacted(tmp_path, none=1, mail=1)
    assert (code, check.severity, check.passed) == (VerdictCode.ship, "warning", False)


def test_contacts_of_the_control_alone_are_asked_about(tmp_path):
    """Without a verdict, as what the treated were contacted for is on no record."""
    code, check = contacted(tmp_path, none=100, mail=0)
    assert (code, check.severity) == (VerdictCode.invalid, "warning")
    assert "are the contacts of every arm on record?" in check.message


def test_a_broken_guardrail_stops_an_arm_that_pays(tmp_path):
    rows = [
        f"{arm},{i % 7 + more},{int(i % 100 < rate)}"
        for arm, more, rate in (("none", 0, 2), ("mail", 9, 9))
        for i in range(4000)
    ]
    (tmp_path / "customers.csv").write_text("arm,spend,left\n" + "\n".join(rows))
    metrics = {"primary": "spend", "guardrails": {"left": {"max_increase": "0.5 points"}}}
    found = run(make_plan(metrics=metrics, money=MONEY, arms=ARMS), tmp_path)
    assert pick(found, "incremental_profit").low > 0
    assert (found.verdict.code, found.verdict.arms[0].note) == (VerdictCode.stop, Note.guardrail)
    assert "mail must stop: left exceeds its limit" in found.verdict.sentence


def test_the_sentence_names_the_hurdle_or_the_rule(tmp_path):
    high = sample(tmp_path, 13.4, money={**MONEY, "hurdle": "150%"})
    assert "stays below the hurdle of 150%" in high.verdict.sentence
    ruled = sample(tmp_path, 16, decision={"ship_if": "lower > 100000"})
    assert "mail misses the rule lower > 100000" in ruled.verdict.sentence
    likely = sample(tmp_path, 12.1, decision={"ship_if": "estimate >= -50"})
    assert likely.verdict.code is VerdictCode.ship


def test_profit_may_be_the_primary_metric(tmp_path):
    found = sample(tmp_path, 16, metrics={"primary": "profit"})
    assert (found.verdict.code, found.verdict.metric) == (VerdictCode.ship, "profit")
    assert found.columns == ("spend",)


def test_waves_without_a_window_do_not_count_as_mature(tmp_path):
    found = sample(tmp_path, 16, waves=[{"start": "2020-03-02", "share": "100%"}])
    assert next(c for c in found.checks if c.name == "maturity").passed is None


def test_a_metric_of_zeros_and_ones_is_told_in_points(tmp_path):
    rows = [f"{a},{int(i % 10 < n)}" for a, n in (("none", 3), ("mail", 5)) for i in range(900)]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    found = run(make_plan(), tmp_path)
    assert found.metrics[0].unit == "share"
    assert found.verdict.sentence.startswith("mail raises spend: 20.00 pp (")


def test_the_best_arm_is_the_one_that_lowers_most(tmp_path):
    rows = [
        f"{arm},{mean + i % 5 - 2}"
        for arm, mean in (("none", 10), ("a", 9), ("b", 7))
        for i in range(300)
    ]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true"}, "a": {}, "b": {}}
    plan = make_plan(arms=arms, decision={"ship_if": "lower > 2.95"})
    lower = plan.metrics["spend"].model_copy(update={"better": "lower"})
    plan = plan.model_copy(update={"metrics": {"spend": lower}})
    verdict = run(plan, tmp_path).verdict
    assert (verdict.code, verdict.arm) == (VerdictCode.inconclusive, "b")
    assert "b may or may not meet the rule lower > 2.95" in verdict.sentence
    factor = verdict.next_action_parts.values.get("factor", 1000)
    assert factor > 5, "the effect lies close to the threshold, so settling it takes many"


def test_business_as_usual_is_no_candidate(tmp_path):
    rng = np.random.default_rng(4)
    rows = [
        f"{arm},{v:.4f}"
        for arm, mean in (("none", 10), ("bau", 12), ("new", 11))
        for v in rng.normal(mean, 1, 300)
    ]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    arms = {"none": {"control": "true"}, "bau": {"business_as_usual": "true"}, "new": {}}
    found = run(make_plan(arms=arms), tmp_path)
    assert [arm.arm for arm in found.verdict.arms] == ["new"]
    assert pick(found, "difference", "bau").estimate > 1
