"""What if in Chromium: the page's script says what Python says; what was measured comes back."""

import json
import random
import re

import pytest
from chromium import violations
from scipy.special import stdtrit
from worlds import analysed, assigned

from upliftlab.money.what_if import changed, what_if
from upliftlab.report.export import rounded, to_json
from upliftlab.report.render import render, shipped_text
from upliftlab.results.analysis import VerdictCode
from upliftlab.results.costs import RATED
from upliftlab.text.language import Language

browsing = pytest.mark.browser
COSTS = [
    {"key": step.line.key, "per": step.line.per.value, "factor": step.line.factor} for step in RATED
]
CHANGE = (
    "const [term, arm, value] = arguments;"
    "const input = [...document.querySelectorAll('#what-if input')]"
    "  .find(i => i.dataset.term === term && i.dataset.arm === arm);"
    "input.value = value; input.dispatchEvent(new Event('input', {bubbles: true}));"
)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    return rounded(analysed(assigned(tmp_path_factory.mktemp("page"))))


@pytest.fixture(scope="module")
def pages(analysis):
    return {lang: render(analysis, lang=lang) for lang in ("en", "zh")}


def shown(browser):
    """The page once the section is there."""
    ready = "return document.getElementById('what-if-answer').textContent !== ''"
    for _ in range(400):
        if browser.execute_script(ready):
            return browser
        browser.execute_async_script("setTimeout(arguments[0], 25)")
    raise AssertionError("the section does not come")


def settings(analysis, seed=5, count=100):
    draw = random.Random(seed)
    arms = [arm.arm for arm in analysis.arms if not arm.control]
    for _ in range(count):
        yield {
            "margin": draw.random(),
            "hurdle": draw.choice([0.0, 0.2, draw.random()]),
            "customers": draw.randrange(1, 10**6),
            "cost_per_contact": {arm: draw.random() for arm in arms},
            "cost_per_redemption": {arm: 30 * draw.random() for arm in arms},
            "commission": draw.choice([0.0, 0.1 * draw.random()]),
            "service_cost": {draw.choice(arms): draw.random() / 10},
            "fixed_cost": {draw.choice(arms): 2000 * draw.random()},
        }


def for_script(terms):
    """The terms as the script takes them."""
    rates = {step.line.key: {arm: own[step] for arm, own in terms.arms.items()} for step in RATED}
    margin = next(iter(terms.arms.values())).margin
    asked = {"margin": margin, "hurdle": terms.hurdle, "customers": terms.customers}
    return {**asked, "rates": rates}


def alike(one, other, scale=0.0):
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * (abs(other) + scale)


@browsing
def test_the_script_says_what_python_says(browser, analysis):
    asked = [changed(analysis, setting) for setting in settings(analysis)]
    browser.get("about:blank")
    script = shipped_text("what_if.js") + (
        "const answer = asker(JSON.parse(arguments[0]), arguments[1]);"
        "return arguments[2].map(answer);"
    )
    told = browser.execute_script(
        script, to_json(analysis).decode(), COSTS, [for_script(terms) for terms in asked]
    )
    codes = set()
    for terms, found in zip(asked, told, strict=True):
        expected = what_if(analysis, terms)
        codes.add(expected.code)
        assert (found["code"], found["arm"]) == (expected.code, expected.arm)
        for one, other in zip(found["arms"], expected.arms, strict=True):
            assert one["code"] == other.code
            width = abs((other.high or 0) - (other.low or 0))
            assert all(alike(one[e], getattr(other, e), width) for e in ("value", "low", "high")), (
                one,
                other,
            )
            place = next(
                p for p in found["places"] if p["arm"] == other.arm and p["dimension"] is None
            )
            for end in ("estimate", "low", "high"):
                rollout = getattr(other.rollout, end)
                assert alike(place["rollout"][end], rollout, terms.customers * 1e-3)
        for one, other in zip(found["places"], expected.places, strict=True):
            assert (one["arm"], one["dimension"], one["level"]) == (
                other.arm,
                other.dimension,
                other.level,
            )
            for name in ("profit", "roi"):
                was = getattr(other, name)
                width = abs((was.high or 0) - (was.low or 0))
                ends = ("estimate", "low", "high")
                assert all(alike(one[name][e], getattr(was, e), width) for e in ends), (one, other)
    assert codes == {VerdictCode.ship, VerdictCode.inconclusive, VerdictCode.stop}


@browsing
def test_students_quantile_is_scipys(browser):
    degrees = [1, 1.5, 2, 3.7, 5, 10, 29.3, 79, 80, 81, 300, 2047.6, 6095, 49999, 50001, 2.5e6]
    tails = [0.4, 0.1, 0.025, 0.0125, 0.005, 1e-4, 1e-8]
    grid = [[p, df] for df in degrees for p in tails]
    browser.get("about:blank")
    script = shipped_text("what_if.js")
    found = browser.execute_script(
        f"{script}; return arguments[0].map(([p, df]) => studentQuantile(p, df))", grid
    )
    for (p, df), value in zip(grid, found, strict=True):
        expected = -float(stdtrit(df, p))
        assert value == pytest.approx(expected, rel=1e-12), (p, df)


@browsing
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_numbers_are_written_as_the_page_writes_them(browser, lang):
    draw = random.Random(2)
    values = [draw.uniform(-1, 1) * 10 ** draw.randrange(-7, 9) for _ in range(300)]
    values += [0.0, 0.125, 1.005, 2.5, -0.5, 99.995, 100.0, 1e-9, -0.0004, 123456789.5]
    language = Language(lang)
    signs = {"minus": "\u2212", "group": ",", "decimal": "."}
    script = shipped_text("what_if.js") + (
        "const [values, signs] = arguments;"
        "return values.map(v => ["
        "  decimal(v, moneyDigits(2, [v]), signs).join(''),"
        "  decimal(v, percentDigits([v]), signs, 2).join('')]);"
    )
    browser.get("about:blank")
    for value, (money, percent) in zip(
        values, browser.execute_script(script, values, signs), strict=True
    ):
        plain = language.money(value, "EUR").replace("\u20ac", "").replace("-", "\u2212")
        assert (money, f"{percent}%") == (plain, language.percent(value).replace("-", "\u2212"))


@browsing
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_other_terms_change_cards_and_map_and_the_measured_come_back(see, pages, analysis, lang):
    browser = shown(see(pages[lang]))
    cell = "return document.querySelector('#roi-map td[data-place=\"||email_voucher\"]').outerHTML"
    before = browser.execute_script(cell)
    browser.execute_script(CHANGE, "cost_per_redemption", "email_voucher", "30")
    terms = changed(analysis, {"cost_per_redemption": {"email_voucher": 30}})
    expected = what_if(analysis, terms)
    place = next(p for p in expected.places if (p.arm, p.dimension) == ("email_voucher", None))
    language = Language(lang)
    now = browser.execute_script(cell)
    said = language.money(place.profit.estimate, "EUR").replace("-", "\u2212")
    assert said in now
    assert "data-what-if" in now
    assert said in browser.find_element("id", "what-if-arms").text
    label = language.gettext(expected.code.value)
    assert label in browser.find_element("id", "what-if-answer").text
    link = browser.execute_script("return document.getElementById('what-if-link').href")
    browser.find_element("id", "what-if-reset").click()
    assert browser.execute_script(cell) == before
    assert "what-if-on" not in browser.execute_script(
        "return document.getElementById('roi-map').className"
    )
    browser.get("about:blank")
    browser.get(link)
    assert browser.execute_script(cell).count(said) or said in browser.execute_script(
        "return document.getElementById('what-if-arms').innerText"
    )
    kept = "return [...document.querySelectorAll('#what-if input.changed')].map(i => i.value)"
    assert browser.execute_script(kept) == ["30"]
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


@browsing
def test_a_term_that_cannot_be_is_marked_and_left_out(see, pages):
    browser = shown(see(pages["en"]))
    browser.execute_script(CHANGE, "margin", "", "140")
    assert "The terms are as measured." in browser.find_element("id", "what-if-answer").text
    bad = "return [...document.querySelectorAll('#what-if [aria-invalid=true]')].length"
    assert browser.execute_script(bad) == 1


@browsing
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_width_scrolls_sideways(see, pages, width, lang):
    browser = shown(see(pages[lang], width))
    browser.execute_script(CHANGE, "margin", "", "12.3456789")
    assert (
        browser.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        <= 0
    )


@browsing
@pytest.mark.parametrize("look", [(320, "light"), (1280, "light"), (1280, "dark")])
def test_axe_finds_no_violation(see, axe, pages, look):
    width, scheme = look
    browser = shown(see(pages["en"], width, {"prefers-color-scheme": scheme}))
    browser.execute_script(CHANGE, "margin", "", "10")
    browser.execute_script(CHANGE, "hurdle", "", "-3")
    assert violations(browser, axe) == []


def test_without_javascript_there_is_no_such_part(pages):
    assert re.search(r'<div id="what-if" class="what-if" hidden ', pages["en"])


def test_break_evens_are_told_with_their_keys(pages, analysis):
    document = json.loads(to_json(analysis))
    for i, each in enumerate(document["what_if"]["break_evens"]):
        for name in ("now", "pays", "settles"):
            key = f'data-key="/what_if/break_evens/{i}/{name}"'
            assert (key in pages["en"]) == (each[name] is not None)


def test_an_older_analysis_has_no_such_section(make_analysis):
    assert 'id="what_if"' not in render(make_analysis())
