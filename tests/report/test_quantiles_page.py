"""The section of quantiles: its figures, its reasons, and in Chromium its width and colours."""

from html import unescape

import numpy as np
import pytest
from chromium import violations
from page_reader import Reader
from shops import Shop
from shown_numbers import resolve, shown

from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.export import rounded
from upliftlab.report.render import render
from upliftlab.results.analysis import Note, VerdictCode
from upliftlab.text.language import Language

TEXT = """\
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email}, call: {channel: call, title: Call us}}
currency: EUR
metrics: {primary: spent, secondary: [visits], quantiles: {spent: [p25, median, p90, p99.9]}}
money: {revenue: spent, margin: 40%}
"""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    root, rng, n = tmp_path_factory.mktemp("shop"), np.random.default_rng(3), 6_000
    arm = np.repeat(["none", "mail", "call"], n // 3)
    spent = rng.lognormal(4, 1, n) * np.where(arm == "mail", 1.5, 1) * (rng.random(n) < 0.7)
    table = {"arm": arm, "spent": np.round(spent, 2), "visits": rng.poisson(2, n)}
    table["before"] = rng.normal(0, 1, n)
    asked = TEXT + "analysis: {covariates: [before]}\n"
    with DuckDB(lambda file: root / "data" / file) as engine:
        return rounded(Shop(root, engine).analysed(table, asked, "smallest_cell: 5"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_quantile_is_told_from_its_place(analysis, lang):
    reader = Reader(render(analysis, lang=lang))
    told = {a["data-key"]: (a, text) for a, text in reader.figures}
    wanted = [
        f"/quantiles/{i}/{name}"
        for i, each in enumerate(analysis.quantiles)
        for name in ("estimate", "low", "high", "treated", "reference", "n_treated")
        if getattr(each, name) is not None
    ]
    wanted += [
        f"/distribution/{i}/value"
        for i, each in enumerate(analysis.distribution)
        if each.value is not None
    ]
    assert len(wanted) == 8 * 6 - 2 * 5 - 2 * 2 + 3 * 10
    for key in wanted:
        attributes, text = told[key]
        value = resolve(reader.document, key)
        assert text == shown(value, attributes, Language(lang), "EUR")


def test_it_says_what_it_is_and_why_it_is_not(analysis):
    page = unescape(render(analysis))
    section = page.partition('id="quantiles"')[2].partition("</section>")[0]
    assert "not adjusted for what was known before" in section
    assert Note.few_beyond.value in section
    assert Note.tied.value in section
    for word in ("median", "p90", "p99.9", "Call us", "99.9%", "Customers"):
        assert word in section
    assert "Quantiles lie at their rank" in page


def test_without_them_there_is_no_word_of_them(analysis):
    invalid = analysis.verdict.model_copy(update={"code": VerdictCode.invalid})
    for without in (
        analysis.model_copy(update={"quantiles": (), "distribution": ()}),
        analysis.model_copy(update={"verdict": invalid}),
    ):
        page = render(without)
        assert 'id="quantiles"' not in page
        assert "/distribution/" not in page
    plain = analysis.model_copy(update={"quantiles": (), "distribution": ()})
    assert "Quantiles" not in render(plain)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("look", [("en", "light"), ("zh", "dark")])
def test_it_reads_at_every_width(see, axe, analysis, look, width):
    lang, scheme = look
    browser = see(render(analysis, lang=lang), width, {"prefers-color-scheme": scheme})
    wide = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    assert violations(browser, axe, "document.getElementById('quantiles').parentElement") == []
