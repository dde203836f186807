"""The page of a plan: every number has its source, names stay text, the curve has its table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from plans import make_plan
from shown_numbers import resolve, shown

from upliftlab.config.models.limits import Tolerance
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, plan
from upliftlab.report.outlook import render
from upliftlab.text.language import Language

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
VOID = {"meta", "br", "path"}


class Reader(HTMLParser):
    """Numbers with their attributes, tags, and what stands in script, style, title and desc."""

    def __init__(self, html: str):
        super().__init__()
        self.figures: list[tuple[dict[str, str], str]] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, list[str]] = {}
        self.stack: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.stack.append((tag, attributes))

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tag, attributes = self.stack[-1] if self.stack else ("", {})
        self.inside.setdefault(tag, []).append(data)
        if "data-key" in attributes:
            self.figures.append((attributes, data))


def outlook(arm="mail", **changes):
    """20,000 customers who spend 10 ± 30 each; `changes` replace parts of the experiment."""
    content = {
        "arms": {
            "none": {"share": "20%", "control": "true"},
            arm: {"share": "50%", "cost_per_contact": "0.5"},
            "sms": {"share": "30%", "cost_per_contact": "0.8"},
        },
        "title": "Does it pay?",
        "currency": "EUR",
        "money": {"revenue": "spend", "margin": "40%", "hurdle": "20%"},
        **changes,
    }
    assumed = Assumptions(
        effect=Tolerance(value=0.2, kind="relative"), given=Given(10.0, 30.0), customers=20_000
    )
    return plan(make_plan(**content), assumed, PlanningContext(NOW))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("changes", [{}, {"money": None}, {"arm": "a/b~c"}])
def test_every_number_is_the_value_of_its_key(lang, changes):
    reader = Reader(render(outlook(**changes), lang=lang))
    document = json.loads("".join(reader.inside["script"]))
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


def test_names_stay_text():
    html = render(outlook(HOSTILE, title="</title><img src=x onerror=alert(1)>"))
    reader = Reader(html)
    assert not {"img", "link", "iframe", "object"} & {tag for tag, _ in reader.tags}
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert "49" not in "".join(reader.inside["bdi"])
    for _, attributes in reader.tags:
        assert not {"style", "src", "onclick", "onerror"} & set(attributes)
        if "href" in attributes:
            assert attributes["href"].startswith("data:application/json")


def test_the_page_says_why_there_is_no_money():
    page = render(outlook(money=None))
    assert "The plan declares no money." in page
    assert "Break-even" not in page


def test_the_same_outlook_gives_the_same_bytes():
    assert render(outlook()) == render(outlook())


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
