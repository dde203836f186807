"""The pages of an experiment as one folder: each links to the others and to no page that is not."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest
from chromium import asked, violations
from lists import listed
from outlooks import outlook
from page_reader import Reader
from responses import make_responses
from shown_numbers import resolve, shown

from upliftlab.errors import OutputError
from upliftlab.report.site import FILES, SiteContent, pages
from upliftlab.results.analysis import Message
from upliftlab.text.language import Language
from upliftlab.util.folders import write_folder

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


def whole(make_analysis, **changes):
    content = {"responses": make_responses(), "plan": outlook(), "targets": listed()}
    return SiteContent(make_analysis(), **(content | changes))


def links(html: bytes) -> list[str]:
    found = [a["href"] for tag, a in Reader(html.decode()).tags if tag == "a"]
    return [link for link in found if not link.startswith(("#", "data:"))]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_number_of_every_page_is_the_value_of_its_key(make_analysis, lang):
    for name, html in pages(whole(make_analysis), lang).items():
        reader = Reader(html.decode())
        document = reader.document
        currency = document.get("currency", "EUR" if name == "plan.html" else "USD")
        assert len(reader.figures) >= (4 if name == "index.html" else 10), name
        for attributes, text in reader.figures:
            value = resolve(document, attributes["data-key"])
            money = "EUR" if attributes["data-key"].startswith("/plan/") else currency
            assert text == shown(value, attributes, Language(lang), money), (name, attributes)


def test_only_pages_that_are_there_are_linked(make_analysis):
    everything = pages(whole(make_analysis))
    assert set(everything) == FILES
    for name, html in everything.items():
        assert set(links(html)) == FILES, name
        nav = html.decode().partition('<nav class="pages"')[2].partition("</nav>")[0]
        assert f'<a href="{name}" aria-current="page">' in nav
    absent = {"uplift": Message(template="The plan names no features to learn from.")}
    some = pages(SiteContent(make_analysis(), plan=outlook(), absent=absent))
    assert set(some) == {"index.html", "report.html", "plan.html"}
    for html in some.values():
        assert set(links(html)) == set(some)
    assert "The plan names no features to learn from." in some["index.html"].decode()


def test_a_page_alone_links_to_nothing(make_analysis):
    from upliftlab.report.render import render

    assert links(render(make_analysis()).encode()) == []


def test_names_stay_text_on_the_index_and_the_list(make_analysis):
    content = whole(
        make_analysis,
        targets=listed(HOSTILE, title=HOSTILE, excluded={HOSTILE: 3}, customers=HOSTILE),
        responses=make_responses(arms=(HOSTILE, "b"), title=HOSTILE),
    )
    for html in pages(content).values():
        reader = Reader(html.decode())
        assert [tag for tag, _ in reader.tags].count("script") == 1 or b"gzip" in html
        assert not {"img", "iframe", "object"} & {tag for tag, _ in reader.tags}
        assert "alert(1)" not in "".join(reader.inside["script"])


def test_a_list_that_is_none_says_so(make_analysis):
    none = listed(
        abstained=True,
        arms=(),
        sentence_parts=Message(template="There is no evidence that targeting pays."),
    )
    html = pages(whole(make_analysis, targets=none))["list.html"].decode()
    assert "NO LIST" in html
    assert "Who gets what" not in html
    forced = pages(whole(make_analysis, targets=listed(forced=True)))["list.html"].decode()
    assert "FORCED" in forced
    assert "Nothing shows that this list pays." in forced


def test_the_folder_is_replaced_as_a_whole(tmp_path):
    site = tmp_path / "results" / "site"
    write_folder(site, {"index.html": b"1", "plan.html": b"2"}, FILES)
    write_folder(site, {"index.html": b"3"}, FILES)
    assert {path.name: path.read_bytes() for path in site.iterdir()} == {"index.html": b"3"}
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_a_folder_with_something_else_is_not_replaced(tmp_path):
    site = tmp_path / "site"
    write_folder(site, {"index.html": b"1"}, FILES)
    (site / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match="UL680"):
        write_folder(site, {"index.html": b"2"}, FILES)
    assert (site / "index.html").read_bytes() == b"1"
    assert (site / "mine.txt").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_cannot_be_renamed_leaves_the_old_folder(tmp_path, monkeypatch):
    site = tmp_path / "site"
    write_folder(site, {"index.html": b"1"}, FILES)
    real = os.rename

    def refusing(source, target, **more):
        if target == "site" and refusals:
            refusals.pop()
            raise OSError(28, "No space left on device")
        real(source, target, **more)

    refusals = [1]
    monkeypatch.setattr(os, "rename", refusing)
    with pytest.raises(OutputError, match="UL601"):
        write_folder(site, {"index.html": b"2"}, FILES)
    assert (site / "index.html").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_a_writer_that_died_left_aside_goes_and_a_link_is_not_followed(tmp_path):
    left = tmp_path / ".site.0123456789abcdef.aside"
    left.mkdir()
    (left / "index.html").write_text("half")
    write_folder(tmp_path / "site", {"index.html": b"1"}, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "linked").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="UL463"):
        write_folder(tmp_path / "linked", {"index.html": b"1"}, FILES)
    assert list(elsewhere.iterdir()) == []


@pytest.fixture
def site(make_analysis, tmp_path) -> Path:
    folder = tmp_path / "site"
    write_folder(folder, pages(whole(make_analysis)), FILES)
    return folder


@pytest.mark.browser
def test_the_links_lead_from_page_to_page_from_files(browser, site):
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get((site / "index.html").as_uri())
    names = [link.text for link in browser.find_elements("css selector", "nav.pages a")]
    assert names == ["Overview", "Did it pay?", "Whom to contact", "Plan", "Next list"]
    seen = []
    for name in [*names[1:], names[0]]:
        browser.find_element("link text", name).click()
        current = browser.find_element("css selector", "nav.pages a[aria-current]")
        assert current.text == name
        policy = browser.find_element("css selector", "meta[http-equiv]").get_attribute("content")
        assert policy.startswith("default-src 'none';")
        seen.append(browser.current_url.rpartition("/")[2])
    assert seen == ["report.html", "uplift.html", "plan.html", "list.html", "index.html"]
    card = browser.find_element("css selector", ".cards a[href='plan.html']")
    card.click()
    assert browser.current_url.endswith("/plan.html")
    loaded = [url for url in asked(browser) if not url.startswith("data:")]
    assert {url.rpartition("/")[0] for url in loaded} == {site.as_uri()}
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", "list.html"])
@pytest.mark.parametrize("look", [(320, "light"), (390, "dark"), (768, "light"), (1280, "dark")])
def test_axe_finds_no_violation_and_nothing_scrolls_sideways(see, axe, site, name, look):
    width, scheme = look
    html = (site / name).read_text(encoding="utf-8")
    browser = see(html, width, {"prefers-color-scheme": scheme})
    wide = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    assert violations(browser, axe) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", sorted(FILES))
def test_each_page_prints_on_a4_without_a_table_cut_at_the_edge(browser, site, name):
    browser.get((site / name).as_uri())
    made = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(made["data"]))) >= 1
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 695, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    wide, shown_nav = browser.execute_script(
        "return [document.documentElement.scrollWidth - document.documentElement.clientWidth,"
        "getComputedStyle(document.querySelector('nav.pages')).display]"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert (wide <= 0, shown_nav) == (True, "none")
