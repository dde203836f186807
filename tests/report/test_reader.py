"""What a finance director asks: each answer is found in the index, under its heading, at one click.

Of the bundled campaign. A question names the section where a reader looks for it and the number, by
its key, that answers it; the number has to be seen once the section is gone to, or one fold-out in
it is opened.
"""

import re

import pytest
from selenium.webdriver.common.by import By
from worlds import analysed, assigned

from upliftlab.report.render import render

pytestmark = pytest.mark.browser
EMAIL, SMS = "email_voucher", "sms_voucher"
SEEN = """
const [section, key] = arguments, part = document.getElementById(section).closest('section');
const found = [...part.querySelectorAll('[data-key]')].filter(e => e.dataset.key === key);
const shown = e => e.checkVisibility();
if (found.some(shown)) return 'seen';
for (const fold of part.querySelectorAll('details:not([open])')) {
  fold.open = true; // as its summary does when clicked
  if (found.some(shown)) return 'opened';
}
return found.length ? 'hidden' : 'absent';
"""


def place(document, name, **wanted):
    """The place of the first entry of a list that has these fields."""
    entries = document
    for step in name.split("/"):
        entries = entries[step]
    found = [
        at
        for at, entry in enumerate(entries)
        if all(entry.get(field) == value for field, value in wanted.items())
    ]
    assert found, (name, wanted)
    return f"/{name}/{found[0]}"


def finding(document, kind, arm, level=None, dimension=None):
    return place(document, "findings", kind=kind, arm=arm, level=level, dimension=dimension)


def cost_of(document, kind):
    lines = document["bridges"][0]["lines"]
    return next(f"/bridges/0/lines/{j}" for j, line in enumerate(lines) if line["kind"] == kind)


QUESTIONS = {
    "Did the e-mail pay, and how sure is that?": (
        "verdict",
        lambda d: place(d, "verdict/findings", kind="incremental_profit", arm=EMAIL) + "/low",
    ),
    "What did the rule ask, after the hurdle?": ("decision", lambda _: "/verdict/arms/0/value"),
    "And of the other arm?": ("decision", lambda _: "/verdict/arms/1/value"),
    "What profit did SMS add in all?": (
        "money",
        lambda d: finding(d, "incremental_profit", SMS) + "/estimate",
    ),
    "What return did each unit of cost bring?": (
        "money",
        lambda d: finding(d, "roi", EMAIL) + "/estimate",
    ),
    "What is one customer worth?": (
        "money",
        lambda d: finding(d, "profit_per_customer", EMAIL) + "/estimate",
    ),
    "What did winning one purchase cost?": (
        "money",
        lambda d: finding(d, "cost_per_conversion", EMAIL) + "/estimate",
    ),
    "Where did revenue go before it was profit?": (
        "money",
        lambda d: cost_of(d, "incentive") + "/estimate",
    ),
    "When did it pay back?": (
        "over_time",
        lambda d: (
            place(d, "time_course/curves", kind="incremental_profit", arm=EMAIL) + "/positive_from"
        ),
    ),
    "What may a voucher cost at most?": (
        "what_if",
        lambda d: place(d, "what_if/break_evens", arm=EMAIL, term="cost_per_redemption") + "/pays",
    ),
    "Below which margin does it lose?": (
        "what_if",
        lambda d: place(d, "what_if/break_evens", arm=EMAIL, term="margin") + "/pays",
    ),
    "How likely is it that it pays at all?": ("beliefs", lambda _: "/beliefs/0/pays"),
    "What if we are wrong to adopt it?": ("beliefs", lambda _: "/beliefs/0/loss_adopted"),
    "What did SMS add among customers of low value, and how sure is that?": (
        "breakdowns",
        lambda d: finding(d, "incremental_profit", SMS, "low", "value_band") + "/low",
    ),
    "What do customers spend without the campaign?": (
        "metrics",
        lambda d: place(d, "means", metric="revenue", arm="holdout") + "/mean",
    ),
    "Did more of them unsubscribe?": (
        "metrics",
        lambda d: (
            place(d, "findings", kind="difference", metric="unsubscribed", arm=EMAIL) + "/estimate"
        ),
    ),
    "How many customers took no part?": ("verdict", lambda _: "/design/left_out"),
    "And why?": ("flow", lambda _: "/enrollment/1/without_arm"),
    "How many were not reached?": ("verdict", lambda _: f"/design/unreached/{EMAIL}"),
    "How large was each arm, and should it have been?": (
        "trust",
        lambda d: place(d, "arms", arm=EMAIL) + "/n",
    ),
    "What was put in for the margin?": ("methods", lambda _: "/terms/margin"),
    "Which tables was it made of?": ("provenance", lambda _: "/data/0/rows"),
}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    return analysed(assigned(tmp_path_factory.mktemp("campaign")))


@pytest.fixture(scope="module")
def page(analysis):
    return render(analysis), analysis.model_dump(mode="json", by_alias=True)


def test_every_answer_is_one_click_away(see, page):
    html, document = page
    assert len(QUESTIONS) >= 20
    browser = see(html)
    found = {}
    for question, (section, key) in QUESTIONS.items():
        (link,) = browser.find_elements(By.CSS_SELECTOR, f"nav.index a[href='#{section}']")
        heading = browser.find_element(By.ID, section)
        assert heading.tag_name == "h2", question
        browser.execute_script("arguments[0].click()", link)
        assert heading.is_displayed(), question
        found[question] = browser.execute_script(SEEN, section, key(document))
    lost = {question: how for question, how in found.items() if how not in ("seen", "opened")}
    assert lost == {}
    assert sum(how == "seen" for how in found.values()) >= len(found) - 6


@pytest.mark.parametrize("term", ["redemption", "margin", "Customers", "Hurdle", "Fixed cost"])
def test_what_if_has_a_field_for_each_term(see, page, term):
    """What if the voucher cost 5 €, the margin were thinner, or 100,000 were contacted?"""
    browser = see(page[0])
    fields = browser.find_elements(By.CSS_SELECTOR, ".what-if-form input")
    named = [field.accessible_name for field in fields]
    assert all(named)
    assert any(re.search(term, name, re.IGNORECASE) for name in named), named
