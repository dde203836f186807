"""The page of a plan: every number has its source, names stay text, the curve has its table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from chromium import violations
from outlooks import outlook, played
from page_reader import Reader
from shown_numbers import resolve, shown

from upliftlab.report.outlook import render
from upliftlab.text.language import Language

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_was_played_stands_beside_the_formula(lang):
    reader = Reader(render(played(), lang=lang))
    document = reader.document
    for attributes, text in reader.figures:
        value = resolve(document, attributes["data-key"])
        assert text == shown(value, attributes, Language(lang), document["currency"]), attributes
    keys = {attributes["data-key"] for attributes, _ in reader.figures}
    assert {"/simulation/arms/0/power", "/simulation/arms/0/simulated_low"} <= keys
    assert {"/simulation/arms/1/false_positives", "/simulation/top_share"} <= keys


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("changes", [{}, {"money": None}, {"arm": "a/b~c"}])
def test_every_number_is_the_value_of_its_key(lang, changes):
    reader = Reader(render(outlook(**changes), lang=lang))
    document = reader.document
    assert len(reader.figures) > 60
    for attributes, text in reader.figures:
        value = resolve(document, attributes["data-key"])
        assert text == shown(value, attributes, Language(lang), document["currency"]), attributes


def test_every_curve_has_a_title_a_description_and_a_table():
    reader = Reader(render(outlook()))
    drawings = [attributes for tag, attributes in reader.tags if attributes.get("role") == "img"]
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    assert len(drawings) == 2
    for drawing in drawings:
        assert set(drawing["aria-labelledby"].split()) <= ids
    assert "Power by the size of the effect: mail" in reader.inside["title"]
    assert reader.inside["desc"][0].startswith("With 20,000 customers, the chance of finding")
    keys = [attributes["data-key"] for attributes, _ in reader.figures]
    for arm in (0, 1):
        assert [k for k in keys if k.startswith(f"/curves/{arm}/points/") and k.endswith("/power")]


def test_the_page_says_that_it_is_a_plan_and_what_to_do():
    html = render(outlook())
    assert '<h1 dir="auto"><span class="kind">Plan: </span>Does it pay?</h1>' in html
    assert "CANNOT ANSWER EVERYTHING" in html
    keys = [attributes["data-key"] for attributes, _ in Reader(html).figures]
    first = Reader(html.partition('id="next"')[2].partition("</p>")[0])
    assert {a["data-key"] for a, _ in first.figures} <= set(keys)
    assert first.figures
    assert {"/needed", "/customers", "/money/0/break_even", "/money/0/ships"} <= set(keys)


@pytest.mark.parametrize(("effect", "drawn"), [(0.2, True), (0.005, False)])
def test_break_even_and_the_hurdle_are_marked_on_the_curve(effect, drawn):
    html = render(outlook(effect=effect, customers=20_000 if drawn else 10**8))
    figure = html.partition("<figure>")[2].partition("</figure>")[0]
    keys = {attributes["data-key"] for attributes, _ in Reader(figure).figures}
    assert {"/money/0/break_even", "/money/0/break_even_hurdle"} <= keys
    picture = figure.partition("</svg>")[0]
    assert ('class="even"' in picture, 'class="hurdle"' in picture) == (drawn, drawn)
    assert ("(beyond what is drawn)" in figure) is not drawn


def test_names_stay_text():
    html = render(outlook(HOSTILE, title="</title><img src=x onerror=alert(1)>"))
    reader = Reader(html)
    assert not {"img", "link", "iframe", "object"} & {tag for tag, _ in reader.tags}
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert "49" not in "".join(reader.inside["bdi"])
    for _, attributes in reader.tags:
        assert not {"style", "src", "onclick", "onerror"} & set(attributes)
        if "href" in attributes:
            assert attributes["href"].startswith(("data:application/json", "#"))


def test_the_page_says_why_there_is_no_money():
    page = render(outlook(money=None))
    assert "The plan declares no money." in page
    assert "Break-even" not in page


def test_the_same_outlook_gives_the_same_bytes():
    assert render(outlook()) == render(outlook())


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]
)
def test_axe_finds_no_violation(see, axe, width, scheme):
    browser = see(render(outlook()), width, {"prefers-color-scheme": scheme})
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(browser, axe) == []


@pytest.mark.browser
def test_an_arm_is_found_and_gone_to(see):
    browser = see(render(outlook()))
    browser.find_element("tag name", "body").send_keys("/")
    field = browser.switch_to.active_element
    assert field.get_attribute("id") == "find"
    field.send_keys("SMS")
    links = browser.find_elements("css selector", "#found a")
    assert [link.text for link in links] == ["Customers and power: sms"]
    links[0].click()
    target = browser.execute_script("return document.querySelector(':target').textContent")
    assert target.startswith("sms")


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_width_scrolls_sideways(see, width, lang):
    browser = see(render(outlook("mail" + "x" * 110), lang=lang), width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
