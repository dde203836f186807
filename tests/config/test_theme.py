"""A theme: colours are seen and say nothing else, a logo only draws, faults name the way on."""

from __future__ import annotations

import re
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upliftlab.config.logo import LARGEST
from upliftlab.config.rules.theme import APART, GROUNDS, MEANT, NEEDED, palettes
from upliftlab.util.colours import contrast, distance, nearest, normal

GOOD = '{light: "#0a58a8", dark: "#7db8f5"}'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
HREF = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href'
GREYS = [f"#{n:02x}{n:02x}{n:02x}" for n in range(0, 256, 5)]
ASK = re.compile(r"UL\d{3}")


def codes(faults):
    return [ASK.search(fault)[0] for fault in faults]


def pair(part, colours):
    return f'{part}: {{light: "{colours["light"]}", dark: "{colours["dark"]}"}}'


def png(wide=4, high=4):
    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\0" * wide) * high)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_the_product_keeps_its_own_rules():
    for palette in palettes().values():
        assert min(contrast(palette["accent"], palette[each]) for each in GROUNDS) >= 4.5
        assert min(distance(palette["accent"], palette[each]) for each in MEANT) >= APART


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000", "#fff", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast_is_that_of_the_guidelines(one, other, expected):
    assert round(contrast(one, other), 2) == pytest.approx(expected, abs=0.005)
    assert contrast(one, other) == contrast(other, one)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@given(colour=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
@settings(max_examples=10, deadline=None)
def test_the_nearest_that_passes_passes_and_no_step_nearer_does(scheme, colour):
    palette = palettes()[scheme]

    def passes(each):
        return all(contrast(each, palette[ground]) >= 4.5 for ground in GROUNDS)

    found = nearest(colour, passes)
    assert passes(found)
    best = min(distance(colour, grey) for grey in GREYS if passes(grey))
    assert distance(colour, found) <= best + 0.02


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("part", NEEDED)
def test_what_a_fault_offers_is_taken(space, scheme, part):
    wrong = {"light": "#f7dc6f", "dark": "#2c3e50"} | {scheme: palettes()[scheme]["gain"]}
    told = space.check("", theme=pair(part, wrong))
    assert sorted(codes(told)) == ["UL170", "UL171"]
    for fault in told:
        side = "light" if wrong["light"] in fault else "dark"
        wrong[side] = re.search(r'passes is "(#[0-9a-f]{6})"', fault)[1]
    assert space.check("", theme=pair(part, wrong)) == []


def test_a_fault_names_the_place_the_ground_and_what_is_needed(space):
    (told,) = space.check("", theme='accent: {light: "#7db8f5", dark: "#7db8f5"}')
    assert told == (
        "configs/theme.yaml:1:17: UL170 #7db8f5 has a contrast of 1.95 to the light ground "
        "#f5f7f9, and 'accent' needs 4.5; the nearest that passes is "
        f'"{nearest("#7db8f5", _accent_passes)}"'
    )


def _accent_passes(colour):
    palette = palettes()["light"]
    return all(contrast(colour, palette[each]) >= 4.5 for each in GROUNDS) and all(
        distance(colour, palette[each]) >= APART for each in MEANT
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("accent: {light: red, dark: blue}", "UL014"),
        ("accent: {light: '#0a58a8'}", "UL013"),
        ("accent:\n  light: #0a58a8\n  dark: '#7db8f5'", "UL009"),
        ("logo: {light: brand/logo.svg}", "UL015"),
        ("typeface: ['a\"; } body { x: url(//y)']", "UL014"),
        ("typeface: [a;b]", "UL014"),
        ("acent: {}", "UL012"),
    ],
)
def test_what_is_no_theme_is_refused_by_code(space, text, code):
    assert code in codes(space.check("", theme=text))


def test_colours_are_written_as_people_write_them():
    assert [normal(text) for text in ("ABC", "#0A58a8")] == ["#aabbcc", "#0a58a8"]


@pytest.mark.parametrize(
    "content",
    [
        SVG.format('<defs><linearGradient id="a"/></defs><rect fill="url(#a)" width="9"/>'),
        SVG.format("<style>.a { fill: #123456 }</style><path class='a' d='M0 0h9'/>"),
        SVG.format(f'<use {HREF}="#a"/><title>Sample</title>'),
        '<?xml version="1.0"?>\n<!-- drawn by hand -->\n' + SVG.format("<g><circle r='4'/></g>"),
        png(),
        png(4096, 1),
    ],
)
def test_a_logo_that_only_draws_is_taken(space, content):
    space.write("brand/logo", content)
    assert space.check("", theme="house: Sample\nlogo: {light: brand/logo}") == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (SVG.format("<script>alert(1)</script>"), "it holds <script>"),
        (SVG.format("<SCRIPT>alert(1)</SCRIPT>"), "it holds <SCRIPT>"),
        (SVG.format("<g onload='alert(1)'/>"), "it holds the script 'onload'"),
        (SVG.format("<foreignObject/>"), "it holds <foreignObject>"),
        (SVG.format("<x:script xmlns:x='http://www.w3.org/1999/xhtml'/>"), "it holds <script>"),
        (SVG.format("<animate attributeName='href'/>"), "it holds <animate>"),
        (SVG.format("<a href='https://example.com'><path/></a>"), "it holds <a>"),
        (SVG.format(f"<use {HREF}='https://example.com/a.svg#b'/>"), "elsewhere in 'href'"),
        (SVG.format("<metadata><script>alert(1)</script></metadata>"), "it holds <script>"),
        (
            SVG.format("<metadata><h:script xmlns:h='http://www.w3.org/1999/xhtml'/></metadata>"),
            "it holds <script>",
        ),
        (SVG.format("<g>" * 5_000 + "<script/>" + "</g>" * 5_000), "it holds <script>"),
        (SVG.format("<image href='//example.com/a.png'/>"), "elsewhere in 'href'"),
        (SVG.format("<image href='data:image/svg+xml;base64,AA'/>"), "elsewhere in 'href'"),
        (SVG.format("<rect fill='url(https://example.com/#a)'/>"), "elsewhere in 'fill'"),
        (SVG.format("<rect style='fill: URL( \"//example.com/#a\")'/>"), "elsewhere in 'style'"),
        (SVG.format("<rect style='fill: u\\72l(//example.com)'/>"), "elsewhere in 'style'"),
        (SVG.format("<style>@import 'https://example.com/a.css';</style>"), "elsewhere in <style>"),
        ('<?xml-stylesheet href="a.css"?>' + SVG.format(""), "it holds declarations"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;"), "it holds declarations"),
        ("<html xmlns='http://www.w3.org/1999/xhtml'/>", "neither PNG nor SVG"),
        ("GIF89a", "neither PNG nor SVG"),
        (SVG.format("")[:-3], "neither PNG nor SVG"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "the PNG is damaged"),
        (png()[:-4], "the PNG is damaged"),
        (png(5000, 1), "it is 5000 by 1 dots"),
        (SVG.format("<!--" + "a" * LARGEST + "-->"), "more than 64 KiB"),
    ],
)
def test_a_logo_that_does_more_is_refused(space, content, why):
    space.write("brand/logo", content)
    (told,) = space.check("", theme="house: Sample\nlogo: {light: brand/logo}")
    assert told.startswith("configs/theme.yaml:2:15: UL172 the logo 'brand/logo' cannot be shown: ")
    assert why in told


def test_a_logo_lies_in_the_workspace(space, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "logo.svg"
    outside.write_text(SVG.format(""), encoding="utf-8")
    (space.root / "link.svg").symlink_to(outside)
    for file in ("link.svg", str(outside), "../logo.svg", "nowhere.svg", "experiments"):
        told = space.check("", theme=f"house: Sample\nlogo: {{light: {file}}}")
        assert codes(told) == ["UL172"], told


def test_a_theme_that_lies_elsewhere_is_known_by_what_it_holds(space):
    space.write("experiments/look.yaml", f"house: Sample\naccent: {GOOD}\n")
    (told,) = space.check()
    assert told.startswith("experiments/look.yaml: UL021 nothing reads this file")
    assert "configs/theme.yaml" in told


def test_no_plan_depends_on_the_theme(space):
    from upliftlab.config import load

    space.write("configs/program.yaml", "time_zone: UTC\n")
    plain = load(space.root / "experiments/example.yaml").plan
    space.write("configs/theme.yaml", f"house: Sample\naccent: {GOOD}\n")
    assert load(space.root / "experiments/example.yaml").plan == plain
