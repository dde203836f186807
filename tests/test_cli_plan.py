"""`upliftlab plan` as a user and as a program meets it."""

from __future__ import annotations

import json
import re

import pytest
from commands import upliftlab

YAML = """\
schema: 1
experiment: small
title: Does the mail [bold]pay[/bold]?
customers: {file: customers.csv, id: id}
arms:
  none: {share: 20%, control: true}
  "[red]mail": {share: 80%, channel: email, cost_per_contact: 0.10}
outcome_window: 28 days
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 40%}
"""
FIGURES = ("--baseline-mean", "10", "--baseline-sd", "30")


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "small.yaml").write_text(YAML)
    rows = "\n".join(f"{number},{number % 7}" for number in range(1_000))
    (tmp_path / "customers.csv").write_text(f"id,spend\n{rows}\n")
    return tmp_path


def test_questions_come_first_and_figures_after(desk):
    done = upliftlab("plan", "small.yaml", *FIGURES, "--effect", "20%", cwd=desk)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "cannot  Can it be seen that spend changes by €2.00 per customer (20%)?"
    assert lines[1].startswith(
        "        This campaign cannot answer that question: a chance of 80% takes "
    )
    assert "and there are 1,000. It can see a change of €" in lines[1]
    assert re.search(r"none +20% +200 +— +— +— +— +—", done.stdout)
    assert re.search(r"\[red\]mail +80% +800 +[\d,]+ +[\d,]+ +\+€\d", done.stdout)
    assert re.search(r"pays for itself if revenue rises by +\+2\.5%", done.stdout)
    assert "· The baseline is given: a mean of €10.00 per customer." in lines
    assert "· Outcomes are complete 28 days after the first customer is contacted." in lines


def test_no_colour_where_none_is_wanted(desk):
    arguments = ("plan", "small.yaml", *FIGURES)
    bare = upliftlab(*arguments, cwd=desk, NO_COLOR="1", FORCE_COLOR="1").stdout
    assert "\x1b[3" not in bare
    assert max(len(line) for line in bare.splitlines() if "─" in line) <= 100


def test_an_arm_s_name_stays_whole(desk):
    text = YAML.replace('"[red]mail"', "email_voucher_of_ten")
    (desk / "small.yaml").write_text(text)
    done = upliftlab("plan", "small.yaml", *FIGURES, cwd=desk)
    assert re.search(r"^ email_voucher_of_ten +80% +800 ", done.stdout, re.MULTILINE)


def test_json_is_the_whole_outlook(desk):
    done = upliftlab("plan", "small.yaml", *FIGURES, "--json", cwd=desk)
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["schema"]) == (0, "", 1)
    assert found["customers"] == 1_000
    assert [answer["name"] for answer in found["answers"]] == ["effect", "pays", "roi"]
    assert [arm["customers"] for arm in found["arms"]] == [200, 800]
    assert len(found["curves"][0]["points"]) == 25


def test_a_page_is_written(desk):
    done = upliftlab("plan", "small.yaml", *FIGURES, "--html", "out/plan.html", cwd=desk)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "Page: out/plan.html"
    page = (desk / "out" / "plan.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    quiet = upliftlab(
        "plan", "small.yaml", *FIGURES, "--html", "zh.html", "--lang", "zh", "-q", cwd=desk
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert 'lang="zh' in (desk / "zh.html").read_text(encoding="utf-8")


def test_an_earlier_analysis_is_a_baseline(desk):
    observed = YAML.replace("arms:", "assignment: {observed: arm}\narms:")
    (desk / "winter.yaml").write_text(
        observed.replace("small", "winter").replace("customers.csv", "winter.csv")
    )
    arms = ["none"] * 80 + ["[red]mail"] * 320
    rows = "\n".join(f"{i},{arm},{i % 7}" for i, arm in enumerate(arms))
    (desk / "winter.csv").write_text(f"id,arm,spend\n{rows}\n")
    assert upliftlab("analyze", "winter.yaml", "--out", "w", cwd=desk).returncode == 0
    done = upliftlab("plan", "small.yaml", "--like", "w/analysis.json", "--json", cwd=desk)
    found = json.loads(done.stdout)
    assert found["baseline"]["origin"] == "earlier"
    assert found["baseline"]["mean"] == pytest.approx(sum(i % 7 for i in range(80)) / 80)
    wrong = upliftlab("plan", "small.yaml", "--like", "small.yaml", cwd=desk)
    assert (wrong.returncode, wrong.stderr[:5]) == (1, "UL602")


def test_where_the_past_tells_nothing_the_message_leads_on(desk):
    """An experiment that cannot be rehearsed is refused with commands, each of which works."""
    text = YAML.replace("arms:", "assignment: {observed: arm}\narms:")
    (desk / "small.yaml").write_text(text)
    arms = ["none"] * 200 + ["[red]mail"] * 800
    rows = "\n".join(f"{i},{arm},{i % 7}" for i, arm in enumerate(arms))
    (desk / "customers.csv").write_text(f"id,arm,spend\n{rows}\n")
    refused = upliftlab("plan", "small.yaml", cwd=desk)
    assert (refused.returncode, refused.stderr[:5]) == (1, "UL321")
    run, again, like, figures = re.findall(r"'upliftlab ([^']+)'", refused.stderr)
    assert like == "plan small.yaml --like ANALYSIS.json"
    assert upliftlab(*figures.split(), cwd=desk).returncode == 0
    assert upliftlab(*run.split(), "-q", cwd=desk).returncode == 0
    done = upliftlab(*again.split(), "--json", cwd=desk)
    found = json.loads(done.stdout)
    assert (done.returncode, found["baseline"]["origin"]) == (0, "earlier")
    assert found["baseline"]["mean"] == pytest.approx(sum(i % 7 for i in range(200)) / 200)
    assert found["notes"][0]["template"].startswith("This experiment has run before")
    written = desk / "upliftlab-report" / "small" / "analysis.json"
    numbers = json.loads(written.read_text(encoding="utf-8"))
    numbers["verdict"]["code"] = "NOT FINAL"
    written.write_text(json.dumps(numbers), encoding="utf-8")
    assert upliftlab("plan", "small.yaml", cwd=desk).stderr[:5] == "UL321"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "UL321 'spend' is a column of the customers' table"),
        ((*FIGURES, "--effect", "0.4 points"), "UL320 points are of shares"),
        (("--rate", "2%", "--icc", "10%"), "UL322 --household-size and --icc have no part"),
        ((*FIGURES, "--html", "customers.csv/plan.html"), "UL601"),
    ],
)
def test_faults_are_one_line_each_and_exit_with_1(desk, arguments, expected):
    done = upliftlab("plan", "small.yaml", *arguments, cwd=desk)
    assert done.returncode == 1
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--effect", "5x"),
        ("--effect", "-5%"),
        ("--power", "120%"),
        ("--power", "0"),
        ("--rate", "0%"),
        ("--customers", "0"),
        ("--baseline-sd", "3"),
        ("--rate", "2%", "--baseline-mean", "3"),
        ("--icc", "0.1"),
        ("--like", "customers.csv", "--rate", "2%"),
    ],
)
def test_wrong_usage_exits_with_2(desk, arguments):
    done = upliftlab("plan", "small.yaml", *arguments, cwd=desk)
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_a_plan_without_customers_to_draw_is_refused_with_the_way_on(desk):
    done = upliftlab("plan", "small.yaml", *FIGURES, "--simulate", "50", cwd=desk)
    assert done.returncode == 1
    assert "UL325" in done.stderr
    assert "leave out --simulate" in done.stderr
    assert upliftlab("plan", "small.yaml", *FIGURES, "--simulate", "3", cwd=desk).returncode == 2
