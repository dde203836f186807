"""Hostile texts on every page, in Chromium: they are shown, and nothing else comes of them."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import itertools
import json
import os
import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chromium import asked, chromium, opened_at
from hostile import CALL, PAYLOADS, edited, kinds, planted
from plans import make_plan, run
from responses import make_responses
from selenium.common.exceptions import NoAlertPresentException

from upliftlab.config.models.limits import Tolerance
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, plan
from upliftlab.report import outlook, render, uplift
from upliftlab.report.estimates import to_csv as estimates_to_csv
from upliftlab.report.export import to_csv, to_json
from upliftlab.results.analysis import Check, Message, Severity

pytestmark = pytest.mark.browser
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MANY = list(PAYLOADS.values())
LONG = bool(os.environ.get("UPLIFTLAB_LONG"))
TURNS = range(len(MANY)) if LONG else (0, 13)
"""Every text carries every payload in the long run, in the short one two of them."""
OWN = ("#", "data:text/csv", "data:application/json", "data:application/gzip")
SHAPE = """
return [...document.querySelectorAll('*')].filter(e => e.localName !== 'wbr').map(e =>
  e.localName + ' ' +
  [...e.attributes]
    .filter(a => a.name !== 'hidden' && !(a.name === 'aria-current' && a.value === 'location'))
    .map(a => a.name).sort().join(' '))
"""
"""What elements there are, with which attributes; where a name may be broken, whether there is a
segment to be found, and where the reader is just now (`aria-current`), is no matter."""
HELD = """
const held = document.querySelector('script[type="application/json"]');
return held && JSON.parse(held.textContent)
"""
LINKS = "return [...document.querySelectorAll('[href]')].map(e => e.getAttribute('href'))"
TEXTS = "return document.documentElement.textContent"
IDS = "return [...document.querySelectorAll('[id]')].map(e => e.id)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    yield from chromium(tmp_path_factory.mktemp("chromium"))


def analysis(folder):
    """What is found of 400 customers by two segments, with money and a guardrail."""
    random, n = np.random.Generator(np.random.PCG64(3)), 400
    columns = {
        "arm": random.choice(["none", "mail", "sms"], n),
        "region": random.choice(["north", "south"], n),
        "shop": random.choice(["web", "phone"], n),
        "spend": random.gamma(2, 10, n),
        "complaints": random.integers(0, 2, n).astype(float),
    }
    pq.write_table(pa.table(columns), folder / "customers.parquet")
    asked_for = make_plan(
        title="Does it pay?",
        owner="crm@example.com",
        hypothesis="It does.",
        eligible="spend > 0",
        customers={"file": "customers.parquet"},
        arms={
            "none": {"control": "true"},
            "mail": {"channel": "email", "cost_per_contact": "0.1"},
            "sms": {"channel": "text", "cost_per_contact": "0.2"},
        },
        currency="EUR",
        money={"revenue": "spend", "margin": "40%"},
        metrics={"primary": "spend", "guardrails": {"complaints": {"max_increase": "90 points"}}},
        segments=["region", "shop"],
    )
    return amended(run(asked_for, folder))


def amended(found):
    """The analysis with a reason out of the ledger."""
    template = "The plan locked on {date:date} was amended before outcomes were read: {why}"
    parts = Message(template=template, values={"date": "2026-03-01", "why": "a reason"})
    check = Check(
        name="deviations", severity=Severity.info, passed=True, message="said", parts=parts
    )
    return found.model_copy(update={"checks": (*found.checks, check)})


def outlook_of():
    """What can be found out with 20,000 customers."""
    asked_for = make_plan(
        title="Does it pay?",
        owner="crm@example.com",
        hypothesis="It does.",
        arms={
            "none": {"share": "20%", "control": "true"},
            "mail": {"share": "50%", "cost_per_contact": "0.5"},
            "sms": {"share": "30%", "cost_per_contact": "0.8"},
        },
        currency="EUR",
        money={"revenue": "spend", "margin": "40%", "hurdle": "20%"},
    )
    effect = Tolerance(value=0.2, kind="relative")
    assumed = Assumptions(effect=effect, given=Given(10.0, 30.0), customers=20_000)
    return plan(asked_for, assumed, PlanningContext(NOW))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """By name: what was found, how its page is made, and its CSV where there is one."""
    return {
        "report": (analysis(tmp_path_factory.mktemp("data")), render.render, to_csv),
        "plan": (outlook_of(), outlook.render, None),
        "uplift": (make_responses(), uplift.render, estimates_to_csv),
        "shut": (make_responses(opened=(False, False)), uplift.render, estimates_to_csv),
    }


def see(browser, folder, html, *, guarded=True):
    """Open a page; `guarded` is whether its Content-Security-Policy counts."""
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": not guarded})
    (folder / "page.html").write_bytes(html.encode())
    return opened_at(browser, folder / "page.html")


def assert_quiet(browser):
    """Nothing ran, nothing was asked for, nothing was said, nothing was even tried."""
    browser.execute_script(
        "for (const e of document.querySelectorAll('*'))"
        " for (const name of ['mouseover', 'focus', 'error', 'load', 'click'])"
        "  if (e.localName !== 'a') e.dispatchEvent(new Event(name))"
    )
    assert browser.execute_script("return window.pwned") is None
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert.text
    assert [url for url in asked(browser) if url != browser.current_url] == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


def downloads(browser):
    """The files inside the page by the end of their names."""
    script = "return [...document.querySelectorAll('a[download]')].map(e => [e.download, e.href])"
    found = {}
    for name, address in browser.execute_script(script):
        content = base64.b64decode(address.partition("base64,")[2])
        packed = name.endswith(".gz")
        found[name.removesuffix(".gz").rpartition(".")[2]] = (
            gzip.decompress(content) if packed else content
        )
        assert all(c.isascii() and (c.isalnum() or c in "_.-% ~") for c in name), name
        assert not name.startswith(".")
    return found


@pytest.fixture(scope="module")
def harmless(browser, pages, tmp_path_factory):
    """The elements of a page whose names are harmless."""
    folder, known = tmp_path_factory.mktemp("harmless"), {}

    def shape(name, lang):
        if (name, lang) not in known:
            found, made, _ = pages[name]
            html = made(planted(found, ["name"]), lang=lang)
            known[name, lang] = see(browser, folder, html).execute_script(SHAPE)
        return known[name, lang]

    return shape


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize(
    ("name", "lang"), list(itertools.product(["report", "plan", "uplift", "shut"], ["en", "zh"]))
)
def test_hostile_names_are_text_and_nothing_else(  # noqa: PLR0913, PLR0917 - fixtures
    browser, pages, harmless, tmp_path, name, lang, turn
):
    found, made, _ = pages[name]
    usual = harmless(name, lang)
    hostile = planted(found, turned(turn))
    see(browser, tmp_path, made(hostile, lang=lang), guarded=bool(turn % 2))
    assert_quiet(browser)
    assert browser.execute_script(SHAPE) == usual
    shown = browser.execute_script(TEXTS)
    arms = hostile.arms if name in ("uplift", "shut") else [arm.arm for arm in hostile.arms]
    for text in (hostile.title, hostile.experiment, *arms):
        assert as_shown(text) in shown
    ids = browser.execute_script(IDS)
    assert len(ids) == len(set(ids))
    assert [url for url in browser.execute_script(LINKS) if not url.startswith(OWN)] == []


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["report", "plan", "uplift"])
def test_what_lies_inside_a_page_is_what_was_found(browser, pages, tmp_path, name, turn):
    found, made, sheet = pages[name]
    hostile = planted(found, turned(turn))
    see(browser, tmp_path, made(hostile))
    inside = downloads(browser)
    assert browser.execute_script(HELD) in (None, json.loads(to_json(hostile)))
    assert inside["json"] == to_json(hostile)
    if sheet is not None:
        assert inside["csv"] == sheet(hostile)
        rows = list(csv.reader(io.StringIO(inside["csv"].decode("utf-8-sig"), newline="")))
        assert len({len(row) for row in rows}) == 1
        held = {cell.replace("'", "") for row in rows for cell in row}
        arms = hostile.arms if name == "uplift" else [a.arm for a in hostile.arms if not a.control]
        assert {arm.replace("'", "") for arm in arms} <= held


@pytest.mark.parametrize("payload", MANY if LONG else MANY[:1])
@pytest.mark.parametrize("name", ["report", "plan", "uplift"])
def test_no_text_of_an_edited_result_becomes_more(  # noqa: PLR0913, PLR0917 - fixtures
    browser, pages, harmless, tmp_path, name, payload
):
    found, made, _ = pages[name]
    usual = set(harmless(name, "en"))
    for html in edits(found, made, payload):
        see(browser, tmp_path, html, guarded=False)
        assert_quiet(browser)
        assert set(browser.execute_script(SHAPE)) <= usual


def edits(found, made, payload):
    """Pages of results edited by hand: in the long run place by place, else all places at once."""
    last, count = made(found), 0
    for kind in kinds(found):
        changed = edited(found, kind, payload)
        try:
            last = made(changed) if changed else last
        except (ValueError, LookupError):  # it is no result: a date that is none, an arm unknown
            continue
        if changed and LONG:
            yield last
        elif changed:
            found, count = changed, count + 1
    if not LONG:
        assert count > len(kinds(found)) / 2
        yield last


@pytest.mark.parametrize(
    "planted_text",
    [
        f"<script>{CALL}</script>",
        f"<img src=x onerror={CALL}>",
        f"<svg onload={CALL}></svg>",
        f"<a id=link href='javascript:{CALL}'>x</a>",
        "<img src='https://pwned.example/x.png'>",
        "<link rel=stylesheet href='https://pwned.example/x.css'>",
        "<script src='https://pwned.example/x.js'></script>",
        "<style>body{background:url(https://pwned.example/x.png)}</style>",
        "<p style='background:url(https://pwned.example/x.png)'>x</p>",
        "<iframe src='https://pwned.example/'></iframe>",
        f"<iframe srcdoc='<script>parent.{CALL}</script>'></iframe>",
        "<object data='https://pwned.example/'></object>",
        "<base href='https://pwned.example/'><img src=x>",
        "<form id=form action='https://pwned.example/'><input name=x></form>",
    ],
)
@pytest.mark.parametrize("name", ["report", "plan", "uplift"])
def test_the_policy_stops_what_would_have_been_planted(
    browser, pages, tmp_path, name, planted_text
):
    found, made, _ = pages[name]
    html, planted_times = re.subn(r"<main\b[^>]*>", lambda tag: tag[0] + planted_text, made(found))
    assert planted_times == 1
    see(browser, tmp_path, html)
    browser.execute_script(
        "document.getElementById('link')?.click(); document.getElementById('form')?.submit()"
    )
    assert browser.execute_script("return window.pwned") is None
    sent = asked(browser, let_through=True)
    assert [url for url in sent if not url.startswith(("file:", "about:", "data:"))] == []
    assert browser.current_url.startswith("file:")


def test_the_policy_is_the_first_thing_that_could_be_obeyed(pages):
    for found, made, _ in pages.values():
        head = made(found).partition("Content-Security-Policy")[0]
        assert head.count("<") == 5  # doctype, html, head, the encoding, the policy itself
        assert "http-equiv=" in head[-30:]


def turned(turn: int) -> list[str]:
    """The payloads, beginning with another one."""
    return MANY[turn:] + MANY[:turn]


def as_shown(text: str) -> str:
    """A text as a browser's parser hands it on: lines end in one way, and NUL is no text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
