"""The page about responses in Chromium: it reads at every width, on paper, and axe is content."""

import pytest
from chromium import violations
from responses import CASES, MENS, make_responses

from upliftlab.report.uplift import render

pytestmark = pytest.mark.browser
A4 = 695
"""Width of A4 less its margins, in CSS pixels."""


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_width_scrolls_sideways(see, width, lang):
    long = ("mail" + "x" * 110, MENS)
    browser = see(render(make_responses(arms=long), lang=lang), width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert overflow(browser) <= 0
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


def test_it_fits_the_paper_with_everything_unfolded(see):
    browser = see(render(make_responses()), A4)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    heights = browser.execute_script(
        "return [...document.querySelectorAll('main details > :not(summary)')]"
        ".map(e => e.getBoundingClientRect().height)"
    )
    wide = overflow(browser)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert wide <= 0
    assert min(heights) > 0


@pytest.mark.parametrize(
    ("case", "width", "scheme"),
    [
        ("open", 320, "light"),
        ("open", 1280, "dark"),
        ("half", 320, "dark"),
        ("shut", 1280, "light"),
        ("gaps", 1280, "light"),
    ],
)
def test_axe_finds_no_violation(see, axe, case, width, scheme):
    browser = see(render(CASES[case]()), width, {"prefers-color-scheme": scheme})
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(browser, axe) == []


def overflow(browser) -> int:
    return browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
