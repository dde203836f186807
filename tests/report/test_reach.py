"""The page for those who see, steer or load it otherwise: zoom, keys, forced colours, no script."""

import pytest
from selenium.webdriver.common.keys import Keys

from upliftlab.report.render import render

pytestmark = pytest.mark.browser
FOCUSED = """
const e = document.activeElement, box = e.getBoundingClientRect(), s = getComputedStyle(e);
return [e.tagName, e.getAttribute('href') || e.id || e.textContent.trim().slice(0, 30),
        box.width > 0 && box.height > 0, s.outlineStyle !== 'none' || s.boxShadow !== 'none'];
"""
FAINT = """
const light = css => {
  const [r, g, b] = css.match(/[\\d.]+/g).slice(0, 3)
    .map(n => css.startsWith('color(') ? +n : n / 255)
    .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
const paper = light(getComputedStyle(document.body).backgroundColor);
const drawn = '.strip :is(path, rect, circle):not([fill="none"][stroke="none"])';
const marks = [...document.querySelectorAll(drawn)].filter(e => e.checkVisibility());
const told = e => ['stroke', 'fill'].some(part => {
  const colour = getComputedStyle(e)[part];
  return colour !== 'none' && ratio(light(colour), paper) >= 3;
});
return [marks.length, marks.filter(e => !told(e)).map(e => e.outerHTML).slice(0, 5)];
"""


@pytest.fixture(scope="module", params=["en", "zh"])
def lang(request):
    return request.param


def test_twice_the_size_does_not_scroll_sideways(see, make_analysis, lang):
    """200 % of 1280 pixels leaves 640 CSS pixels."""
    browser = see(render(make_analysis(), lang=lang), 640)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(wide) <= 0


def test_the_keyboard_reaches_all_in_order_and_shows_where_it_is(see, make_analysis, lang):
    """Tab from the top: every link, field and fold-out that is shown, once each, as it is read."""
    browser = see(render(make_analysis(), lang=lang))
    wanted = browser.execute_script(
        "return [...document.querySelectorAll('a[href], button, input, select, summary')]"
        ".filter(e => e.checkVisibility({contentVisibilityAuto: true}) && !e.disabled"
        " && e.tabIndex >= 0).length"
    )
    stops = []
    for _ in range(wanted + 5):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        stop = browser.execute_script(FOCUSED)
        if stop[0] == "BODY" or (stops and stop == stops[0]):
            break
        stops.append(stop)
    assert stops[0][0] == "A"
    assert [stop for stop in stops if not (stop[2] and stop[3])] == []
    assert len(stops) == wanted


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_every_mark_to_be_told(see, make_analysis, lang, scheme):
    """Each mark of a picture has a line or a body at 3:1 or more against what lies behind."""
    features = {"forced-colors": "active", "prefers-color-scheme": scheme}
    page = see(render(make_analysis(), lang=lang), features=features)
    assert page.execute_script("return matchMedia('(forced-colors: active)').matches")
    marks, faint = page.execute_script(FAINT)
    assert marks > 100
    assert faint == []


def test_without_script_headline_map_and_forests_are_there(see, browser, make_analysis, lang):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        see(render(make_analysis(), lang=lang))
        root = browser.execute_cdp_cmd("DOM.getDocument", {"depth": 1})["root"]["nodeId"]
        for selector in ("#sentence", ".headlines", "#roi-map", "table.levels svg"):
            asked = {"nodeId": root, "selector": selector}
            node = browser.execute_cdp_cmd("DOM.querySelector", asked)["nodeId"]
            assert node, selector
            box = browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": node})["model"]
            assert box["height"] > 0, selector
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
