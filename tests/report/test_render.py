"""The page: every number has its source, hostile names stay text, invalid data show no effect."""

import base64
import gzip
import hashlib
import re

import pytest
from page_reader import Reader
from shown_numbers import resolve, shown

from upliftlab.errors import OutputError
from upliftlab.report.bridge import waterfalls
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.figure import Formatter
from upliftlab.report.index import Index
from upliftlab.report.render import render, write
from upliftlab.results.analysis import EstimandKind, Note, VerdictCode
from upliftlab.text.language import Language

KIBIBYTE = 1024
HOSTILE = {
    "Mens E-Mail": "<script>alert(1)</script>\"'&{{7*7}}",
    "Do the two e-mails pay?": "</title><img src=x onerror=alert(1)>",
    "Phone": "\u202e\u0645\u0631\u062d\u0628\u0627 <b>",
    "Web": "=HYPERLINK(1)",
    "Multichannel": "W" * 120,
    "hillstrom_email": "../../etc/<passwd>",
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("options", [{}, {"nothing": True}, {"money": False}])
def test_every_number_is_the_value_of_its_key(make_analysis, lang, options):
    reader = Reader(render(make_analysis(**options), lang=lang))
    document = reader.document
    assert len(reader.figures) > 100
    for attributes, text in reader.figures:
        value = resolve(document, attributes["data-key"])
        assert text == shown(value, attributes, Language(lang), document["currency"]), attributes


def test_every_finding_of_a_table_is_on_the_page(make_analysis):
    analysis = make_analysis()
    keys = {attributes["data-key"] for attributes, _ in Reader(render(analysis)).figures}
    for i, finding in enumerate(analysis.findings):
        if finding.dimension is None:
            assert {f"/findings/{i}/{name}" for name in ("estimate", "low", "high")} <= keys


def test_the_same_analysis_gives_the_same_bytes(make_analysis):
    assert render(make_analysis()) == render(make_analysis())


def test_the_page_permits_nothing_but_its_own_style_and_script(make_analysis):
    html = render(make_analysis())
    reader = Reader(html)
    policy = next(a["content"] for _, a in reader.tags if "http-equiv" in a)
    style, script = (
        base64.b64encode(hashlib.sha256("".join(reader.inside[tag]).encode()).digest()).decode()
        for tag in ("style", "script")
    )
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )
    for tag, attributes in reader.tags:
        assert tag not in ("link", "img", "iframe", "object", "base")
        assert not {"style", "src", "onclick", "onload"} & set(attributes)
        if "href" in attributes:
            assert attributes["href"].startswith(("data:", "#"))
    assert "url(" not in "".join(reader.inside["style"])
    assert "@import" not in "".join(reader.inside["style"])


def test_the_downloads_are_the_published_numbers(make_analysis):
    analysis = make_analysis()
    links = [a for tag, a in Reader(render(analysis)).tags if tag == "a" and "download" in a]
    contents = [base64.b64decode(link["href"].partition("base64,")[2]) for link in links]
    assert contents == [to_csv(analysis), to_json(analysis)]
    assert [a["download"] for a in links] == [
        "hillstrom_email_findings.csv",
        "hillstrom_email_analysis.json",
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_stay_text(make_analysis, rename, lang):
    html = render(rename(make_analysis(), HOSTILE), lang=lang)
    reader = Reader(html)
    document = reader.document
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in reader.tags}
    text = reader.visible
    assert HOSTILE["Mens E-Mail"] in text
    assert HOSTILE["Phone"] in text
    assert reader.document["title"] == HOSTILE["Do the two e-mails pay?"]
    names = [a["download"] for tag, a in reader.tags if "download" in a]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for name in names)
    for attributes, _ in reader.figures:
        resolve(document, attributes["data-key"])


def test_what_arms_are_called_for_people_stands_beside_their_sizes(make_analysis):
    found = make_analysis()
    named = {"title": "<Letter> to women", "channel_title": "Post & mail"}
    arms = (found.arms[0], found.arms[1].model_copy(update=named), *found.arms[2:])
    text = render(found.model_copy(update={"arms": arms}))
    assert "<bdi>&lt;Letter&gt; to women</bdi>" in text
    assert "<bdi>Post &amp; mail</bdi>" in text
    assert "Letter" not in render(found)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_invalid_data_show_no_effect_and_no_money(make_analysis, lang):
    analysis = make_analysis(VerdictCode.invalid)
    html = render(analysis, lang=lang)
    reader = Reader(html)
    text = reader.visible
    assert "$" not in text
    assert not any(a["data-key"].startswith(("/findings", "/bridges")) for a, _ in reader.figures)
    for finding in analysis.findings:
        assert str(finding.estimate) not in html
    assert "1,312" in text
    assert Language(lang).gettext("Find and mend the cause, then analyse again.") in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_absent_says_why(make_analysis, lang):
    text = Reader(render(make_analysis(nothing=True), lang=lang)).visible
    language = Language(lang)
    assert language.gettext(Note.zero_cost.value) in text
    assert language.gettext(Note.few_control.value) in text
    assert language.gettext(Note.denominator_unclear.value) in text


def test_the_two_meanings_of_channel_are_told_apart(make_analysis):
    html = render(make_analysis())
    contact = html.index("<bdi>Contact channel</bdi> <span")
    own = html.index("<bdi>Channel of purchase</bdi> <span")
    assert contact < own
    assert "comparable: decided by chance" in html[contact:own]
    assert "This is the channel customers use themselves" in html[own:]
    assert "This is the channel customers use themselves" not in html[contact:own]


def test_under_each_table_of_levels_stands_what_they_say_together(make_analysis):
    text = Reader(render(make_analysis())).visible
    text = text[text.index("Many rows are looked at here") :]
    past, new, own = (text.index(t) for t in ("Past spend", "New customer", "Channel of purchase"))
    assert (
        "Mens E-Mail: Levels differ in profit per customer (adjusted p: 0.0088)" in text[past:new]
    )
    assert "The levels' profits add up to $4,393; the total is $4,430." in text[past:new]
    assert "Womens E-Mail: No sign that levels differ" in text[new:own]
    assert "Whether levels differ cannot be told: fewer than two levels" in text[own:]
    assert text[own:].count("The levels' profits are not added up: each level is") == 1
    assert "shrunken" in text[past:new]
    one = Reader(render(make_analysis(arms=("Mens E-Mail",)))).visible
    assert "Mens E-Mail: " not in one[one.index("Many rows are looked at here") :]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_profit_can_be_traced_from_revenue_line_by_line(make_analysis, lang):
    analysis = make_analysis()
    reader = Reader(render(analysis, lang=lang))
    told = {a["data-key"]: text for a, text in reader.figures}
    cents = Language(lang)
    for i, bridge in enumerate(analysis.bridges):
        for j, line in enumerate(bridge.lines):
            text = cents.show("money", line.estimate, "USD", digits=2).replace("-", "\u2212")
            assert told[f"/bridges/{i}/lines/{j}/estimate"] == text
            assert (f"/bridges/{i}/lines/{j}/low" in told) == (line.low is not None)
    assert "bridges" in reader.document
    assert cents.gettext("From revenue to profit") in reader.visible
    bare = Reader(render(make_analysis(money=False), lang=lang)).visible
    assert cents.gettext("From revenue to profit") not in bare


def test_a_block_starts_where_the_one_before_it_ended(make_analysis):
    first = waterfalls(Index(make_analysis()), Formatter(Language("en"), "USD"))[0]
    revenue, margin, contacts, cost, profit = (row.bar for row in first.rows)
    assert revenue.left == margin.left == profit.left == profit.zero
    assert contacts.right == cost.right == margin.right
    assert contacts.left == cost.left == profit.right
    assert contacts.whisker is not None or first.rows[2].note


def test_numbers_that_are_not_final_are_stamped(make_analysis):
    assert 'class="stamp"' in render(make_analysis(VerdictCode.not_final))
    assert 'class="stamp"' not in render(make_analysis())


def test_one_arm_without_money_or_segments_is_a_page(make_analysis):
    analysis = make_analysis(arms=("Mens E-Mail",), segments={}, money=False)
    html = render(analysis)
    assert "Verdict per arm" not in html
    assert "Difference per customer" in html


def test_the_figures_of_many_rows_are_packed(make_analysis):
    many = {"region": [(f"R{i:02}", 0.02, 1.0) for i in range(60)]}
    html = render(make_analysis(segments=many))
    (script,) = re.findall(r'<script type="application/gzip">([^<]+)</script>', html)
    packed = Reader(gzip.decompress(base64.b64decode(script)).decode())
    assert len({a["data-key"] for a, _ in packed.figures}) > 60 * 2 * 9
    document = Reader(html).document
    for attributes, text in packed.figures:
        value = resolve(document, attributes["data-key"])
        assert text == shown(value, attributes, Language("en"), "USD"), attributes
    assert "application/gzip" not in render(make_analysis()).partition("<main")[2].partition(
        "<script>"
    )[0].replace("data:application/gzip", "")


def test_tables_have_captions_and_row_headers(make_analysis):
    html = render(make_analysis())
    assert html.count("<table") == html.count("<caption")
    assert html.count('<th scope="row">') > 30


def test_the_page_stays_small(make_analysis):
    assert len(render(make_analysis()).encode()) <= 400 * KIBIBYTE


def large(analysis):
    """Ten levels, five arms and ten metrics, every finding of each."""
    first = "Mens E-Mail"
    overall = [f for f in analysis.findings if f.dimension is None and f.arm == first]
    money = [
        f for f in overall if f.metric == "spend" or f.kind is EstimandKind.cost_per_conversion
    ]
    pair = [f for f in money if f.kind in (EstimandKind.difference, EstimandKind.relative_lift)]
    others = [f.model_copy(update={"metric": f"metric {i}"}) for f in pair for i in range(9)]
    places = [(None, None), *(("region", f"level {i}") for i in range(10))]
    arms = [f"arm {i}" for i in range(5)]
    names = [
        {"arm": arm, "dimension": dimension, "level": level}
        for dimension, level in places
        for arm in arms
    ]
    found = tuple(f.model_copy(update=name) for name in names for f in (*money, *others))
    counts = tuple(analysis.arms[1].model_copy(update={"arm": arm}) for arm in arms)
    ways = tuple(analysis.bridges[0].model_copy(update={"arm": arm}) for arm in arms)
    return analysis.model_copy(update={"findings": found, "arms": counts, "bridges": ways})


def test_a_large_analysis_can_still_be_mailed(make_analysis):
    analysis = large(make_analysis())
    assert len(analysis.findings) == 55 * (2 * 10 + 4)
    html = render(analysis)
    assert len(html.encode()) <= KIBIBYTE * KIBIBYTE
    assert "The whole analysis as JSON, for programs (compressed: .json.gz)" in Reader(html).visible
    assert "压缩文件" in render(analysis, lang="zh")
    small = make_analysis(arms=("Mens E-Mail",), segments={}, money=False)
    assert "compressed" not in Reader(render(small)).visible
    link = next(a for tag, a in Reader(html).tags if a.get("download", "").endswith(".json.gz"))
    content = gzip.decompress(base64.b64decode(link["href"].partition("base64,")[2]))
    assert content == to_json(analysis)


def wide(analysis):
    """Four treated arms and ten metrics, wherever one was found."""
    first = "Mens E-Mail"
    own = [f for f in analysis.findings if f.arm == first]
    spend = [f for f in own if f.dimension is None and f.metric == "spend"]
    names = [f"spend {i}" for i in range(10)]
    pair = [f for f in spend if f.kind in (EstimandKind.difference, EstimandKind.relative_lift)]
    own += [f.model_copy(update={"metric": name}) for name in names[1:] for f in pair]
    arms = [f"arm {i}" for i in range(4)]
    counts = [analysis.arms[1].model_copy(update={"arm": arm}) for arm in arms]
    infos = [
        analysis.metrics[0].model_copy(update={"name": name}) for name in ("spend", *names[1:])
    ]
    return analysis.model_copy(
        update={
            "findings": tuple(f.model_copy(update={"arm": arm}) for arm in arms for f in own),
            "arms": (analysis.arms[0], *counts),
            "metrics": tuple(infos),
            "heterogeneity": (),
            "reconciliations": (),
            "bridges": (),
        }
    )


def test_ten_segments_of_eight_levels_by_five_arms_can_be_mailed(make_analysis):
    levels = [(f"level {i}", 0.12, 1.0) for i in range(8)]
    segments = {f"segment {i}": levels for i in range(10)}
    analysis = wide(make_analysis(arms=("Mens E-Mail",), segments=segments))
    html = render(analysis)
    assert len(html.encode()) <= 900_000
    reader = Reader(html)
    told = {attributes["data-key"] for attributes, _ in reader.figures}
    earned = [i for i, f in enumerate(analysis.findings) if f.kind is EstimandKind.roi]
    assert len(earned) == 81 * 4
    assert {f"/findings/{i}/estimate" for i in earned} <= told, "without scripts too"
    assert html.count('class="packed"') > 0
    assert 'class="packed"' not in render(make_analysis())


def test_files_are_named_by_language(make_analysis, tmp_path):
    analysis = make_analysis()
    assert write(analysis, tmp_path).name == "report.html"
    path = write(analysis, tmp_path, "zh")
    assert path.name == "report.zh.html"
    assert path.read_text(encoding="utf-8") == render(analysis, lang="zh")
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError, match="UL601"):
        write(analysis, tmp_path / "taken")


@pytest.mark.parametrize("options", [{}, {"nothing": True}, {"money": False}])
def test_no_space_follows_a_full_width_colon(make_analysis, options):
    """The colon holds its own."""
    assert "\N{FULLWIDTH COLON} " not in Reader(render(make_analysis(**options), lang="zh")).visible
