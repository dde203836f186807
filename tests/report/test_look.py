"""What pages wear: every page wears it, nothing else about them changes, and a browser agrees."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from chromium import asked, violations
from click.testing import CliRunner
from lists import listed
from outlooks import outlook
from page_reader import Reader
from programs import program
from responses import make_responses

from upliftlab.api import look_around, read_analysis
from upliftlab.cli import commands
from upliftlab.errors import ConfigError
from upliftlab.planning.portfolio import portfolio
from upliftlab.report import portfolio as portfolio_page
from upliftlab.report.export import to_json
from upliftlab.report.look import PLAIN, Look, wearing
from upliftlab.report.render import render
from upliftlab.report.site import SiteContent, pages

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 24">'
    b'<rect width="60" height="24" fill="%s"/></svg>'
)
WORN = Look(
    house="Sample & <House>",
    logos={
        "light": ("image/svg+xml", SVG % b"#5b2c83"),
        "dark": ("image/svg+xml", SVG % b"#c9a7f5"),
    },
    light={"accent": "#5b2c83", "brand": "#5b2c83"},
    dark={"accent": "#c9a7f5", "brand": "#a37bd6"},
    typeface=("DejaVu Serif", "serif"),
)
THEME = """\
house: Sample House
logo: {light: brand/logo.svg}
accent: {light: "#5b2c83", dark: "#c9a7f5"}
typeface: DejaVu Serif
"""


def every_page(found, together):
    made = {name: content.decode() for name, content in pages(found).items()}
    return made | {"portfolio": portfolio_page.render(together)}


@pytest.fixture
def house(tmp_path, make_analysis):
    """A workspace with a theme and a result in it."""
    for file, content in {
        "configs/theme.yaml": THEME.encode(),
        "brand/logo.svg": SVG % b"#5b2c83",
        "results/spring/analysis.json": to_json(make_analysis()),
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    return tmp_path


def test_every_page_wears_it_and_says_the_same(make_analysis):
    found = SiteContent(make_analysis(), make_responses(), outlook(), listed())
    together = portfolio(program(5, 9).analyses)
    plain = every_page(found, together)
    with wearing(WORN):
        worn = every_page(found, together)
    again = every_page(found, together)
    assert [name for name in plain if plain[name] != again[name]] == []
    assert len(worn) == 6
    for name, html in worn.items():
        reader = Reader(html)
        logos = [attributes for tag, attributes in reader.tags if tag == "img"]
        assert [each["alt"] for each in logos] == ["Sample & <House>"] * 2, name
        assert [each["class"] for each in logos] == ["light", "dark"]
        for each, (_, content) in zip(logos, WORN.logos.values(), strict=True):
            assert base64.b64decode(each["src"].partition("base64,")[2]) == content
        style = "".join(reader.inside["style"])
        assert ":root { --accent: #5b2c83; --brand: #5b2c83; }" in style
        assert 'body { font-family: "DejaVu Serif", serif, system-ui, sans-serif; }' in style
        policy = next(a["content"] for _, a in reader.tags if "http-equiv" in a)
        assert "default-src 'none'" in policy
        assert "img-src data:;" in policy
        assert "img-src" not in plain[name]
        assert reader.visible.split() == Reader(plain[name]).visible.split()


def test_without_a_logo_no_picture_is_permitted_and_the_name_is_text(make_analysis):
    with wearing(Look(house="Sample & <House>")):
        html = render(make_analysis())
    assert '<p class="house"><bdi>Sample &amp; &lt;House&gt;</bdi></p>' in html
    assert "img-src" not in html


def test_a_result_wears_what_lies_around_it(house):
    read = read_analysis(house / "results/spring/analysis.json")
    page = read.report(house / "page.html").read_text(encoding="utf-8")
    assert "--accent: #5b2c83" in page
    assert 'alt="Sample House"' in page
    assert look_around(house / "results/spring/analysis.json") == look_around(house / "x.json")
    assert look_around(Path("/nowhere/analysis.json")) is PLAIN


@pytest.mark.parametrize("words", [["report"], ["portfolio", "--out", "program"]])
def test_commands_let_pages_wear_it(house, monkeypatch, words):
    monkeypatch.chdir(house)
    command, *options = words
    done = CliRunner().invoke(commands, [command, "results/spring/analysis.json", *options])
    assert done.exit_code == 0, done.output
    (page,) = house.glob("*/**/*.html")
    assert "--accent: #5b2c83" in page.read_text(encoding="utf-8")


def test_another_workspace_can_be_named(house, tmp_path_factory, make_analysis):
    away = tmp_path_factory.mktemp("away") / "analysis.json"
    away.write_bytes(to_json(make_analysis()))
    for options, expected in (([], False), (["--workspace", str(house)], True)):
        done = CliRunner().invoke(commands, ["report", str(away), *options])
        assert done.exit_code == 0, done.output
        assert ("#5b2c83" in (away.parent / "report.html").read_text("utf-8")) is expected


def test_a_broken_theme_is_told_and_other_files_are_not_looked_at(house):
    (house / "configs/metrics.yaml").write_text("metrics: [", encoding="utf-8")
    file = house / "results/spring/analysis.json"
    assert look_around(file).house == "Sample House"
    (house / "configs/theme.yaml").write_text('accent: {light: "#ffffff", dark: "#c9a7f5"}')
    with pytest.raises(ConfigError, match="UL170 #ffffff"):
        look_around(file)
    done = CliRunner().invoke(commands, ["report", str(file)])
    assert (done.exit_code, "UL170" in done.output) == (1, True)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_the_logo_of_its_scheme_and_axe_finds_nothing(
    see, axe, make_analysis, scheme, width
):
    with wearing(WORN):
        html = render(make_analysis())
    browser = see(html, width, {"prefers-color-scheme": scheme})
    seen = browser.execute_script(
        "return [...document.images].filter(i => i.checkVisibility())"
        ".map(i => [i.className, i.naturalWidth > 0])"
    )
    assert seen == [[scheme, True]]
    accent = {"light": "rgb(91, 44, 131)", "dark": "rgb(201, 167, 245)"}[scheme]
    badge = browser.execute_script(
        "const s = getComputedStyle(document.querySelector('.badge.ship'));"
        "return [s.backgroundColor, getComputedStyle(document.body).fontFamily]"
    )
    assert badge == [accent, '"DejaVu Serif", serif, system-ui, sans-serif']
    assert violations(browser, axe) == []
    away = [url for url in asked(browser) if not re.match(r"data:|file:", url)]
    assert away == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
