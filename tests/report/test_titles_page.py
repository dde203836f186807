"""Titles by language: each page says its own, and no number changes."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from lists import listed
from responses import MENS, WOMENS, make_responses

from upliftlab.cli import commands
from upliftlab.report import outlook, targets, uplift
from upliftlab.report.export import rounded
from upliftlab.report.markdown import markdown
from upliftlab.report.render import render
from upliftlab.report.workbook import workbook
from upliftlab.results.plan import PowerReport

ASKED = {"en": "Do the two e-mails pay?", "zh": "两封邮件划算吗"}
SPEND = {"en": "Spend", "zh": "消费金额"}
PAST = {"en": "Past spend", "zh": "以往消费"}
MEN = {"en": "Letter to men", "zh": "男士信件"}

EXPERIMENT = """
schema: 1
experiment: letters
title: {en: Does a letter pay?, zh: 信件划算吗}
customers: {file: customers.csv, id: id, known_after: [spend]}
assignment: {observed: arm}
arms:
  none: {control: true}
  letter: {title: {en: Letter, zh: 信件}, cost_per_contact: 0.1}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 40%}
"""


@pytest.fixture
def named(make_analysis):
    analysis = make_analysis()
    arms = tuple(
        arm.model_copy(update={"title": MEN["en"]}) if arm.arm == "Mens E-Mail" else arm
        for arm in analysis.arms
    )
    return analysis.model_copy(update={"arms": arms, "titles": (ASKED, SPEND, PAST, MEN)})


def test_each_page_says_its_own_titles(named):
    for lang, other in (("en", "zh"), ("zh", "en")):
        for told in (render(named, lang=lang), markdown(named, lang)):
            shown = told.partition("<script>")[0]
            assert MEN[lang] in shown
            assert MEN[other] not in shown
        page = render(named, lang=lang)
        assert f"<title>{ASKED[lang]} " in page
        assert SPEND[lang] in page
        assert PAST[lang] in page
    assert workbook(named, "zh") != workbook(named, "en")


def test_what_is_said_in_one_language_can_be_said_in_the_other(named):
    chinese = rounded(named, "zh")
    assert chinese.title == ASKED["zh"]
    assert chinese.findings == rounded(named).findings
    assert rounded(chinese, "en") == rounded(named, "en") == rounded(named)


def test_a_capped_metric_is_called_by_its_title_and_its_cap(named):
    cut = named.metrics[0].model_copy(update={"title": "Spend ≤ 500", "cap": 500.0})
    capped = named.model_copy(update={"metrics": (cut, *named.metrics[1:])})
    assert rounded(capped, "zh").metrics[0].title == "消费金额 ≤ 500"


def test_titles_come_from_the_yaml(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{i},{('none', 'letter')[i % 2]},{i * 7 % 13 if i % 3 == 0 else 0}" for i in range(600)
    ]
    (tmp_path / "customers.csv").write_text("\n".join(["id,arm,spend", *rows]), encoding="utf-8")
    (tmp_path / "letters.yaml").write_text(EXPERIMENT, encoding="utf-8")
    for asked in (
        ["analyze", "letters.yaml", "--format", "json", "--output", "found.json"],
        ["report", "found.json", "--format", "md", "--lang", "zh", "--output", "letters.md"],
    ):
        done = CliRunner().invoke(commands, asked)
        assert done.exit_code == 0, done.output
    told = (tmp_path / "letters.md").read_text(encoding="utf-8")
    assert "信件划算吗" in told.splitlines()[0]
    assert "Letter" not in told


SHOWN = re.compile(r"<script.*?</script>|(?<=;base64,)[^\"]*|data-key=\"[^\"]*\"", re.DOTALL)
"""What is no text of a page."""
WOMEN = {"en": "Letter to women", "zh": "女士信件"}
CALLED = {
    "titles": (MEN, WOMEN),
    "arm_titles": {MENS: MEN["en"], WOMENS: WOMEN["en"]},
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("page", ["uplift", "shut", "list"])
def test_arms_are_called_by_their_titles_on_the_other_pages(page, lang):
    html = {
        "uplift": lambda: uplift.render(make_responses(**CALLED), lang=lang),
        "shut": lambda: uplift.render(make_responses(opened=(True, False), **CALLED), lang=lang),
        "list": lambda: targets.render(listed(MENS, **CALLED), lang=lang),
    }[page]()
    shown = SHOWN.sub("", html)
    assert MEN[lang] in shown
    assert [name for name in (MENS, WOMENS) if name in shown] == []


def test_a_plan_calls_arms_by_the_titles_of_the_yaml(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{('none', 'post_2')[i % 2]},{i * 7 % 13}" for i in range(600)]
    (tmp_path / "customers.csv").write_text("\n".join(["id,arm,spend", *rows]), encoding="utf-8")
    text = EXPERIMENT.replace("letter:", "post_2:")
    (tmp_path / "letters.yaml").write_text(text, encoding="utf-8")
    figures = ["--baseline-mean", "6", "--baseline-sd", "4", "--customers", "600"]
    asked = ["plan", "letters.yaml", *figures, "--effect", "20%", "--json"]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.output
    found = PowerReport.model_validate_json(done.stdout)
    assert found.arm_titles == {"post_2": "Letter"}
    for lang, title in (("en", "Letter"), ("zh", "信件")):
        shown = SHOWN.sub("", outlook.render(found, lang=lang))
        assert title in shown
        assert "post_2" not in shown


def test_a_list_by_a_rule_promises_of_those_it_chooses():
    arm = listed(MENS).arms[0].model_copy(update={"gate_open": False})
    for policy, said in (
        ("everybody", "of everybody"),
        ("today", "of those whom the rule chooses"),
    ):
        page = targets.render(listed(MENS, policy=policy, arms=(arm,), model=None))
        assert f"{said}, the average" in page
