"""A program of campaigns: sums by hand, what is refused, its page, its simulated promises."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from programs import analysis, finding, measured, program

import upliftlab as ul
from upliftlab.cli import commands
from upliftlab.planning.portfolio import portfolio
from upliftlab.report.export import to_json
from upliftlab.report.portfolio import render, to_csv
from upliftlab.results.analysis import VerdictCode
from upliftlab.results.portfolio import Portfolio
from upliftlab.results.what_if import WhatIf, WhatIfContrast, WhatIfGroup

WIDE = 1.959963984540054
SPRING = analysis("spring", {"email": ("email", 100.0, 20.0, 500)}, control=500)
SUMMER = analysis("summer", {"sms": ("sms", -50.0, 10.0, 1_000)}, control=1_000, start="2026-03-20")


def test_two_campaigns_by_hand():
    """100 ± 20 and −50 ± 10: 50 ± √500 together; per customer .2 ± .04 and −.05 ± .01."""
    found = portfolio([SUMMER, SPRING])
    assert [each.experiment for each in found.campaigns] == ["spring", "summer"]
    half = WIDE * np.sqrt(500)
    assert (found.profit.estimate, found.profit.low, found.profit.high) == pytest.approx(
        (50, 50 - half, 50 + half)
    )
    assert (found.adopted.estimate, found.adopted.low) == pytest.approx((100, 100 - WIDE * 20))
    # one slope of variance 2τ² + .04² + .01² must leave Q = 1: (.25)² = 2τ² + .0017
    tau2 = (0.25**2 - 0.04**2 - 0.01**2) / 2
    assert found.tau**2 == pytest.approx(tau2)
    weights = np.array([1 / (tau2 + 0.04**2), 1 / (tau2 + 0.01**2)])
    mean = weights @ [0.2, -0.05] / weights.sum()
    best = mean + tau2 / (tau2 + 0.04**2) * (0.2 - mean)
    assert found.adopted_shrunken == pytest.approx(500 * best)
    assert [(each.first, each.second, each.begins, each.ends) for each in found.overlaps] == [
        ("spring", "summer", "2026-03-20", "2026-03-30")
    ]
    assert "best taken for" in found.sentence


def test_arms_of_one_campaign_share_its_control():
    """Two arms of as many as the control: together √(s² + s² + 2·s²/2)."""
    arms = {"email": ("email", 10.0, 4.0, 500), "sms": ("sms", 20.0, 4.0, 500)}
    found = portfolio([analysis("both", arms, control=500)])
    assert found.profit.high - 30 == pytest.approx(WIDE * np.sqrt(16 + 16 + 16))


def test_levels_are_put_together_over_campaigns_and_channels():
    def level(name, estimate):
        place = {"dimension": "region", "level": "north"}
        more = [finding("email", estimate, 2.0, (100, 100), **place)]
        return analysis(name, {"email": ("email", 100.0, 20.0, 500)}, more=more)

    found = portfolio([level("a", 10.0), level("b", 30.0), level("c", 20.0)])
    (cell,) = [each for each in found.evidence if each.level == "north"]
    assert (cell.channel, cell.dimension_title, cell.campaigns) == ("email", "Region", 3)
    assert cell.profit.estimate == pytest.approx(0.2)
    assert cell.tau**2 == pytest.approx(0.1**2 - 0.02**2)
    assert cell.next_low < cell.profit.low < cell.profit.high < cell.next_high
    assert cell.information > 0


def test_levels_that_are_shown_together_are_no_level_of_several_campaigns():
    def small(name):
        place = {"dimension": "region", "level": "(others)"}
        more = [finding("email", 10.0, 2.0, (100, 100), **place)]
        made = analysis(name, {"email": ("email", 100.0, 20.0, 500)}, more=more)
        segments = tuple(each.model_copy(update={"joined": "(others)"}) for each in made.segments)
        return made.model_copy(update={"segments": segments})

    found = portfolio([small("a"), small("b")])
    assert [each.level for each in found.evidence] == [None]


def test_profit_per_customer_of_households_is_over_their_customers():
    """500 households of 1,250 customers: 100 is .08 a customer, and not .2."""
    alone = SPRING.model_copy(update={"unit": "household"})
    group = WhatIfGroup(n=500, covariance=(1.0,), df=500.0)
    contrast = WhatIfContrast(
        arm="email",
        dimension=None,
        level=None,
        customers=1_250.0,
        difference=(0.2,),
        treated=group,
        control=group,
    )
    sums = WhatIf(
        columns=("margin",),
        nominal=0.05,
        nominal_verdict=0.05,
        customers={"email": 1_250.0},
        contrasts=(contrast,),
    )
    (arm,) = portfolio([alone.model_copy(update={"money_sums": sums})]).arms
    assert (arm.customers, arm.per_customer) == pytest.approx((1_250, 0.08))
    unknown = portfolio([alone, SUMMER])
    assert unknown.profit.estimate == 50
    assert (unknown.arms[0].per_customer, unknown.arms[0].shrunken) == (None, None)
    assert [each.channel for each in unknown.evidence] == ["sms"]
    assert "what ships added €100" in unknown.sentence
    assert "spring" in render(unknown)


def test_what_does_not_count_is_told_and_left_out():
    left = [
        analysis("broken", {"email": ("email", 9e9, 1.0, 10)}, code=VerdictCode.invalid),
        analysis("early", {"email": ("email", 9e9, 1.0, 10)}, code=VerdictCode.not_final),
        analysis("moneyless", {"email": ("email", 9e9, 1.0, 10)}, currency=None),
    ]
    found = portfolio([SPRING, *left])
    assert found.profit.estimate == 100
    told = {each.experiment: each.reason and each.reason.template for each in found.campaigns}
    assert told.pop("spring") is None
    assert list(told) == ["broken", "early", "moneyless"]
    assert len(set(told.values())) == 3
    assert portfolio(left).sentence == "No campaign tells of money."


def test_the_holdout_stands_beside_the_sum():
    whole = analysis("holdout_2026", {"everybody": (None, 30.0, 12.0, 9_000)}, control=900)
    found = portfolio([SPRING, SUMMER], holdout=whole).holdout
    half = WIDE * np.sqrt(500 + 144)
    assert (found.difference.estimate, found.difference.low) == pytest.approx((-20, -20 - half))
    page = render(portfolio([SPRING, SUMMER], holdout=whole))
    assert "Against the universal holdout" in page


@pytest.mark.parametrize(
    ("analyses", "holdout", "code"),
    [
        ([], None, "UL695"),
        ([SPRING, SPRING], None, "UL696"),
        ([SPRING, SUMMER.model_copy(update={"currency": "USD"})], None, "UL694"),
        ([SPRING, SUMMER.model_copy(update={"confidence": 0.9})], None, "UL694"),
        ([SPRING], SUMMER.model_copy(update={"currency": "USD"}), "UL694"),
        ([SPRING], analysis("h", {"e": (None, 1.0, 1.0, 9)}, currency=None), "UL695"),
    ],
)
def test_what_does_not_add_up_is_refused(analyses, holdout, code):
    with pytest.raises(ul.DataError, match=code):
        portfolio(analyses, holdout=holdout)


@pytest.fixture(scope="module")
def hundreds():
    return portfolio(program(3).analyses)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_two_hundred_campaigns_are_a_page_below_a_megabyte(hundreds, lang):
    page = render(hundreds, lang=lang)
    assert len(page.encode()) < 1_000_000
    assert page.count("<h2") == 6


def test_titles_are_those_of_the_page_s_language():
    arms = [arm.model_copy(update={"channel_title": "E-mail"}) for arm in SPRING.arms]
    changed = {"arms": tuple(arms), "titles": ({"en": "E-mail", "zh": "电子邮件"},)}
    titled = portfolio([SPRING.model_copy(update=changed)])
    assert "E-mail" in render(titled)
    assert "电子邮件" in render(titled, lang="zh")


def test_an_arm_without_a_channel_is_called_by_its_title():
    made = analysis("commission", {"raised": (None, 100.0, 20.0, 500)})
    arms = [arm.model_copy(update={"title": f"Title of {arm.arm}"}) for arm in made.arms]
    titled = portfolio([made.model_copy(update={"arms": tuple(arms)})])
    (cell,) = titled.evidence
    assert (cell.channel, cell.channel_title) == ("raised", "Title of raised")


@pytest.mark.parametrize(("worth", "shown"), [(0.02, True), (0.0000013, False)])
def test_no_test_is_proposed_of_which_the_truth_is_worth_less_than_a_hundredth(
    hundreds, worth, shown
):
    unsure = hundreds.evidence[0].model_copy(update={"information": worth})
    page = render(hundreds.model_copy(update={"evidence": (unsure,)}))
    assert ("Where knowing the truth is worth most" in page) is shown


def test_names_are_escaped():
    odd = analysis("<script>alert(1)</script>", {"<b>": ("<i>", 1.0, 2.0, 500)})
    page = render(portfolio([odd, SPRING]))
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_a_program_is_read_back_and_is_a_table(hundreds):
    assert Portfolio.model_validate_json(to_json(hundreds)).arms[0].experiment == "campaign_000"
    frame = hundreds.to_frame()
    assert len(frame) == len(hundreds.arms)
    rows = list(csv.DictReader(io.StringIO(to_csv(hundreds).decode("utf-8-sig"))))
    assert float(rows[0]["profit_estimate"]) == pytest.approx(hundreds.arms[0].profit.estimate)
    assert "campaigns count" in repr(hundreds)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for each in (SPRING, SUMMER):
        place = tmp_path / "upliftlab-report" / each.experiment / "analysis.json"
        place.parent.mkdir(parents=True)
        place.write_bytes(to_json(each))
    return tmp_path / "upliftlab-report"


def run(*words):
    return CliRunner().invoke(commands, ["portfolio", *map(str, words)])


def test_the_command_takes_all_that_was_analysed(folder):
    done = run()
    assert done.exit_code == 0, done.output
    assert "All campaigns together added €50" in done.output
    assert {each.name for each in folder.iterdir() if each.is_file()} == {
        "portfolio.csv",
        "portfolio.html",
        "portfolio.json",
    }
    assert run("--lang", "zh", "--quiet").output == ""
    assert '<html lang="zh' in (folder / "portfolio.zh.html").read_text(encoding="utf-8")
    told = json.loads(run("--json", folder / "spring").output)
    assert told["profit"]["estimate"] == 100
    assert ul.portfolio([folder / "spring" / "analysis.json", SUMMER]).profit.estimate == 50


def test_the_holdout_s_own_analysis_is_no_campaign(folder):
    told = json.loads(run("--json", "--holdout", folder / "summer" / "analysis.json").output)
    assert [each["experiment"] for each in told["campaigns"]] == ["spring"]
    assert told["holdout"]["difference"]["estimate"] == -150


def test_nothing_to_put_together_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run()
    assert (done.exit_code, done.output.split()[0]) == (1, "UL695")
    Path("analysis.json").write_text("{}")
    assert "UL602" in run("analysis.json").output


def test_promises_are_kept_in_simulated_programs():
    """Small version of `python tests/support/programs.py 1000`, whose figures are in the docs."""
    found = [measured(seed, campaigns=40) for seed in range(30)]
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    assert mean["holds"] >= 0.85
    assert mean["shrunken"] <= 0.75 * mean["raw"]
    assert mean["realised"] / mean["taken"] == pytest.approx(1, abs=0.1)
    assert mean["realised"] / mean["promised"] < 0.85
