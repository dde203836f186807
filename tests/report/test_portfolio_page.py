"""The page of a program: every number has its source, axe finds nothing, no width scrolls."""

from __future__ import annotations

import pytest
from chromium import violations
from page_reader import Reader
from programs import analysis, finding, program
from shown_numbers import resolve, shown

from upliftlab.planning.portfolio import portfolio
from upliftlab.report.portfolio import render
from upliftlab.text.language import Language


@pytest.fixture(scope="module")
def told():
    place = {"dimension": "region", "level": "north"}
    more = [finding("email", 900.0, 200.0, (400, 900), **place)]
    arms = {"email": ("email", 4_000.0, 900.0, 2_000)}
    regions = [analysis(name, arms, control=900, more=more) for name in ("north_a", "north_b")]
    whole = analysis("holdout", {"everybody": (None, 500.0, 2_000.0, 9_000)}, control=900)
    return portfolio([*regions, *program(5, 9).analyses], holdout=whole)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_number_is_the_value_of_its_key(told, lang):
    reader = Reader(render(told, lang=lang))
    document = reader.document
    assert len(reader.figures) > 100
    for attributes, text in reader.figures:
        value = resolve(document, attributes["data-key"])
        assert text == shown(value, attributes, Language(lang), document["currency"]), attributes


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_no_violation(told, see, axe, width, scheme):
    browser = see(render(told), width, {"prefers-color-scheme": scheme})
    assert violations(browser, axe) == []


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_scrolls_sideways(told, see, width, lang):
    browser = see(render(told, lang=lang), width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
