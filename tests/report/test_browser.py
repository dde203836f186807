"""The page in Chromium: nothing is asked for, it reads at every width, and axe finds nothing."""

import json
from itertools import product

import pytest
from chromium import violations
from selenium.webdriver.support.wait import WebDriverWait

from upliftlab.report.render import render
from upliftlab.results.analysis import VerdictCode

pytestmark = pytest.mark.browser
A4 = 695
"""Width of A4 less its margins, in CSS pixels."""
LONG = {
    "Mens E-Mail": "Mens" + "x" * 110,
    "1) $0 - $100": "L" * 120,
    "Web": "\u202e\u0645\u0631\u062d\u0628\u0627 " * 12,
}
CASES = [VerdictCode.ship, VerdictCode.not_final, VerdictCode.invalid]


def asked(browser) -> list[str]:
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def overflow(browser) -> int:
    return browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def test_nothing_is_asked_for_and_the_verdict_is_shown(see, make_analysis):
    browser = see(render(make_analysis()))
    assert browser.execute_script("return document.getElementById('sentence').innerText") == (
        "Mens E-Mail pays: incremental profit $4,430 ($2,004 to $6,857), ROI 208%."
    )
    assert browser.execute_script("return getComputedStyle(document.body).maxWidth") == "1472px"
    assert [url for url in asked(browser) if url != browser.current_url] == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


def test_the_index_marks_where_the_reader_is_also_after_a_jump(see, make_analysis):
    browser = see(render(make_analysis()))
    browser.set_window_size(1280, 900)
    seen = browser.execute_async_script(
        """
        const done = arguments[0], seen = [];
        const frame = () => new Promise((then) => requestAnimationFrame(then));
        (async () => {
          for (const id of ["metrics", "decision", "money", "metrics"]) {
            const top = document.getElementById(id).getBoundingClientRect().top;
            scrollTo({ top: scrollY + top + 40, behavior: "instant" });
            for (const _ of [1, 2, 3]) await frame();
            const marked = document.querySelectorAll("nav.index [aria-current]");
            seen.push([marked.length, marked[0].getAttribute("href"), "#" + id]);
          }
          done(seen);
        })();
        """
    )
    assert all(number == 1 for number, _, _ in seen)
    assert [href for _, href, _ in seen] == [wanted for _, _, wanted in seen]


def test_it_reads_without_javascript(see, browser, make_analysis):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        see(render(make_analysis()))
        tree = browser.execute_cdp_cmd("DOM.getDocument", {"depth": -1})
        found = browser.execute_cdp_cmd(
            "DOM.querySelector", {"nodeId": tree["root"]["nodeId"], "selector": "#sentence"}
        )
        box = browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": found["nodeId"]})
        assert box["model"]["height"] > 0
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("width", [320, 390, 768, 1060, 1280])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_width_scrolls_sideways(see, make_analysis, rename, width, lang):
    browser = see(render(rename(make_analysis(nothing=True), LONG), lang=lang), width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert overflow(browser) <= 0


def test_a_narrow_page_folds_what_is_asked_for_less_often(see, make_analysis):
    browser = see(render(make_analysis()), 390)
    folds = "return [...document.querySelectorAll('details.brief')].map(d => d.open)"
    assert set(browser.execute_script(folds)) == {False}
    browser.execute_script(
        "document.querySelector('details.brief > :not(summary)').id = 'inside';"
        "location.hash = 'inside'"
    )
    opened = "return document.getElementById('inside').closest('details').open"
    WebDriverWait(browser, 10).until(lambda b: b.execute_script(opened))
    wide = see(render(make_analysis()), 1280)
    assert set(wide.execute_script(folds)) == {True}
    assert wide.execute_script(
        "return [...document.querySelectorAll('details.brief > summary')]"
        ".every(s => !s.checkVisibility())"
    )


@pytest.mark.parametrize("look", list(product([320, 768, 1280], ["light", "dark"])))
@pytest.mark.parametrize("code", CASES)
def test_axe_finds_no_violation(see, axe, make_analysis, look, code):
    width, scheme = look
    analysis = make_analysis(code, nothing=code is VerdictCode.not_final)
    browser = see(render(analysis), width, {"prefers-color-scheme": scheme})
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(browser, axe) == []


def test_print_leaves_folded_what_is_folded_and_fits_the_paper(see, make_analysis, rename):
    browser = see(render(rename(make_analysis(nothing=True), LONG)), A4)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = browser.execute_script(
        "return [...document.querySelectorAll('details:not(.brief) > :not(summary)')]"
        ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).length"
    )
    index = browser.execute_script(
        "return getComputedStyle(document.querySelector('nav.index')).display"
    )
    wide = overflow(browser)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert (wide <= 0, shown, index) == (True, 0, "none")
