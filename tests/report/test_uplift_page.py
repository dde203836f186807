"""The page about responses: every number has its source, and a shut gate shows no ranking."""

from __future__ import annotations

import base64
import csv
import io
import re

import pytest
from page_reader import Reader
from responses import CASES, CONTROL, MENS, WOMENS, make_responses, with_gaps
from shown_numbers import resolve, shown

from upliftlab.report.estimates import to_csv
from upliftlab.report.export import rounded
from upliftlab.report.uplift import render, write
from upliftlab.results.uplift import Estimate, UpliftResult
from upliftlab.text.language import Language

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
RANKED = ("Effect by tenth", "Gain by share", "Learners compared", "Who stands first")


def keys(html):
    return {attributes["data-key"] for attributes, _ in Reader(html).figures}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("case", CASES)
def test_every_number_is_the_value_of_its_key(case, lang):
    reader = Reader(render(CASES[case](), lang=lang))
    document = reader.document
    assert len(reader.figures) > 30
    for attributes, text in reader.figures:
        value = resolve(document, attributes["data-key"])
        assert text == shown(value, attributes, Language(lang), document["currency"]), attributes


def test_every_estimate_of_an_open_gate_is_on_the_page():
    found = make_responses()
    shown = keys(render(found))
    wanted = [
        f"/gates/{i}/{name}" for i in (0, 1) for name in ("average", "slope", "autoc", "qini")
    ]
    wanted += [f"/deciles/{i}/effect" for i in range(20)]
    wanted += [f"/policies/{i}/value" for i in range(len(found.policies))]
    wanted += [f"/policies/{i}/beside_best" for i in (3, 4, 5, 6)]
    wanted += ["/policies/4/beside_random", *(f"/sleeping/{i}/effect" for i in (0, 1))]
    wanted += [f"/learners/{i}/autoc" for i in range(6)]
    assert {f"{key}/{end}" for key in wanted for end in ("estimate", "low", "high")} <= shown
    assert {"/gates/0/p_adjusted", "/budget", "/tree/yes/no/n", "/responders/7/difference"} <= shown


def test_a_shut_gate_shows_nothing_that_needs_an_order_and_says_why():
    found = make_responses(opened=(False, False), policies=make_responses().policies)
    html = render(found)
    assert "NO EVIDENCE" in html
    assert "No gate is open." in html
    assert not [text for text in RANKED if text in html]
    assert "upliftlab target" not in html
    shown = keys(html)
    assert not [k for k in shown if k.startswith(("/learners", "/deciles", "/curves", "/tree"))]
    assert {"/policies/1/value/estimate", "/gates/1/autoc/high"} <= shown
    assert "/policies/4/value/estimate" not in shown


def test_an_arm_whose_gate_is_shut_is_left_out_and_named():
    html = render(make_responses(opened=(True, False), money=False))
    assert f"their gate is shut: <bdi>{MENS}</bdi>." in html
    assert f"Learners compared: {WOMENS}" in html
    assert f"Learners compared: {MENS}" not in html
    assert not [k for k in keys(html) if k.startswith("/learners/3")]


def test_a_state_is_told_in_words_beside_its_colour():
    html = render(make_responses(opened=(True, False)))
    assert '<span class="badge small yes">open</span><span class="why">responses differ' in html
    assert '<span class="badge small no">shut</span><span class="why">no evidence that' in html
    assert ">contact does harm<" in html


@pytest.mark.parametrize(
    ("value", "beside", "says", "command"),
    [
        ((0.3, 0.5), (0.1, 0.2), "earned clearly more than the best rule", True),
        ((0.3, 0.5), (-0.1, 0.2), "not shown to earn more than the best", True),
        ((-0.1, 0.5), (-0.1, 0.2), "no gain over contacting nobody is shown", False),
        ((None, None), (-0.1, 0.2), "cannot be told yet", False),
    ],
)
def test_what_next_follows_from_the_intervals(value, beside, says, command):
    found = make_responses()
    ends = [Estimate(estimate=0.2, low=low, high=high) for low, high in (value, beside)]
    changed = found.policies[4].model_copy(update={"value": ends[0], "beside_best": ends[1]})
    policies = (*found.policies[:4], changed, *found.policies[5:])
    html = render(found.model_copy(update={"policies": policies}))
    assert says in html
    assert ("upliftlab target hillstrom_email.yaml --customers next_month" in html) is command


def test_without_money_nothing_pays_and_nothing_ships():
    for opened in ((True, True), (True, False), (False, False)):
        html = render(make_responses(money=False, opened=opened))
        visible = re.sub(r"<(style|script).*?</\1>|<[^>]*>", "", html, flags=re.DOTALL)
        text = visible.replace("There is no evidence that targeting pays", "")  # the sample's own
        assert not re.search(r"\bpays?\b|SHIP|upliftlab target", text)
        assert "beyond treating nobody" in text
    for money in (True, False):
        for opened in ((True, True), (False, False)):
            html = render(make_responses(money=money, opened=opened))
            assert not re.search(r'class="(badge|verdict)[^"]*(ship|stop)', html)


def test_the_simpler_rule_is_named_with_its_value():
    found = make_responses(opened=(False, False), money=False)
    html = render(found)
    rule = html.partition('<p id="rule">')[2].partition("</p>")[0]
    assert f"Everybody gets <bdi>{MENS}</bdi>" in rule
    assert keys(rule) == {f"/policies/2/value/{end}" for end in ("estimate", "low", "high")}
    unsure = found.policies[2].model_copy(
        update={"value": Estimate(estimate=0.05, low=-0.01, high=0.11)}
    )
    html = render(found.model_copy(update={"policies": (*found.policies[:2], unsure)}))
    assert "not shown to differ from contacting nobody" in html


def test_a_rule_that_the_budget_does_not_pay_for_is_not_the_best():
    beside = Estimate(estimate=0.02, low=-0.1, high=0.14)
    rules = {}
    for budget in (1e4, 1e6):
        found = make_responses(budget=budget)
        maybe = found.policies[4].model_copy(update={"beside_best": beside})
        policies = (*found.policies[:4], maybe, *found.policies[5:])
        html = render(found.model_copy(update={"policies": policies}))
        rules[budget] = html.partition('<p id="rule">')[2].partition("</p>")[0]
    assert "Nobody is contacted" in rules[1e4]
    assert MENS in rules[1e6]


def tenths_of(effects, half):
    found = make_responses(arms=(MENS,), opened=(True,))
    changed = [
        row.model_copy(update={"effect": Estimate(estimate=e, low=e - half, high=e + half)})
        for row, e in zip(found.deciles, effects, strict=True)
    ]
    html = render(found.model_copy(update={"deciles": tuple(changed)}))
    told = html.partition('<h3 id="order0">')[2].partition("<table")[0]
    return " ".join(re.sub(r"<[^>]*>", "", told).split()), keys(told)


def test_tenths_that_do_not_fall_are_told_and_whether_that_can_be_chance():
    falling = [1.0 - 0.1 * i for i in range(10)]
    swapped = [*falling[:6], falling[7] - 0.3, falling[6], *falling[8:]]
    assert tenths_of(falling, 0.3) == (MENS, set())
    told, shown = tenths_of(swapped, 0.6)
    assert "tenth 8 responded more than tenth 7, which stands before it" in told
    assert "this may be chance" in told
    assert shown == {"/deciles/6/decile", "/deciles/7/decile"}
    told, _ = tenths_of(swapped, 0.05)
    assert "wrong by more than chance" in told


def test_the_judged_learner_is_marked_and_definitions_of_qini_are_told_apart():
    html = render(make_responses(money=False))
    assert html.count(">the judged one</span>") == 2
    assert "the learner that the plan names first" in html
    assert "scikit-uplift, which is another" in html
    assert "Qini coefficient = n⁻¹" in html
    assert "scikit-uplift, which is another" not in render(make_responses())


def test_every_curve_has_a_title_a_description_and_a_table():
    reader = Reader(render(make_responses()))
    drawings = [attributes for tag, attributes in reader.tags if attributes.get("role") == "img"]
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(drawings) == 5
    for drawing in drawings:
        assert set(drawing["aria-labelledby"].split()) <= set(ids)
    assert {f"Gain by share contacted: {WOMENS}", "Gain by what is spent"} <= set(
        reader.inside["title"]
    )
    shown = [attributes["data-key"] for attributes, _ in reader.figures]
    for i in range(5):
        last = f"/curves/{i}/points/50"
        assert {f"{last}/{end}" for end in ("x", "y", "low", "high")} <= set(shown)
        assert f"/curves/{i}/reference/1/y" in shown


def test_a_number_that_is_absent_says_why():
    html = render(with_gaps(make_responses()))
    assert html.count('<span class="why">fewer than two treated customers</span>') >= 2
    assert "no variation within either group" in html
    assert 'class="band"' not in html


def test_names_stay_text():
    html = render(
        make_responses(arms=(HOSTILE, MENS), title="</title><img src=x onerror=alert(1)>")
    )
    reader = Reader(html)
    assert not {"img", "link", "iframe", "object"} & {tag for tag, _ in reader.tags}
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert "49" not in "".join(reader.inside["bdi"])
    for _, attributes in reader.tags:
        assert not {"style", "src", "onclick", "onerror"} & set(attributes)
        if "href" in attributes:
            assert attributes["href"].startswith(("data:", "#"))


def test_the_downloads_are_the_published_numbers():
    found = make_responses(money=False)
    links = {
        attributes["download"]: base64.b64decode(attributes["href"].partition("base64,")[2])
        for tag, attributes in Reader(render(found)).tags
        if tag == "a" and "download" in attributes
    }
    assert list(links) == ["hillstrom_email_uplift.csv", "hillstrom_email_uplift.json"]
    read = UpliftResult.model_validate_json(links["hillstrom_email_uplift.json"])
    assert read == rounded(found)
    assert links["hillstrom_email_uplift.csv"] == to_csv(found)


def test_the_spreadsheet_holds_every_estimate_and_no_formula():
    found = make_responses(arms=("=1+1", MENS))
    lines = list(csv.DictReader(io.StringIO(to_csv(found).decode("utf-8-sig"), newline="")))
    parts = {line["part"] for line in lines}
    assert parts == {"gate", "policy", "learner", "decile", "sleeping", "qini", "profit", "cost"}
    assert {line["arm"] for line in lines} == {"'=1+1", MENS, CONTROL, ""}
    tenth = next(line for line in lines if line["part"] == "decile" and line["x"] == "3")
    assert float(tenth["estimate"]) == rounded(found).deciles[2].effect.estimate
    band = [line for line in lines if line["part"] == "cost" and line["measure"] == "curve"]
    assert float(band[-1]["high"]) == rounded(found).curves[-1].points[-1].high


def test_the_same_responses_give_the_same_bytes_and_stay_small(tmp_path):
    found = make_responses()
    html = render(found)
    assert html == render(found)
    assert len(html.encode()) <= 400_000
    write(found, tmp_path / "uplift.zh.html", lang="zh")
    assert (tmp_path / "uplift.zh.html").read_text(encoding="utf-8") == render(found, lang="zh")
