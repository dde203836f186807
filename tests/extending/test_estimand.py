"""A new estimand is one entry: findings, JSON, spreadsheet and page follow."""

import csv
import io
import json
from html import unescape

import numpy as np
import pytest
from extended import asked, changed, extended

ENTRIES = """
    revenue_per_contact = (
        "revenue_per_contact",
        Estimand(
            label="Revenue per contact",
            hint="revenue added per contact made",
            formula="revenue per contact = added revenue ÷ added contacts",
            meaning="What one more contact brings.",
            ask=lambda asked: asked.ratio(CostStep.revenue, Per.contact),
            of="money",
            everywhere=True,
            needs=Per.contact,
            sheet="revenue per contact",
            draws="revenue",
            null=None,
            family="confirmatory",
            unit="money",
        ),
    )
    ratio_of_means = (
        "ratio_of_means",
        Estimand(
            label="Ratio of means",
            hint="treated over control",
            formula="ratio of means = mean of the treated ÷ mean of the control",
            meaning="One where nothing changed.",
            ask=lambda asked: asked.relative_change().shifted(1.0),
            pair="plain",
            null=1.0,
            unit="number",
            reference=(1.0,),
        ),
    )

"""
SCRIPT = """
import json
from pathlib import Path
from shops import Shop
from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.render import render
from upliftlab.results.analysis import Analysis

columns = json.loads(Path("columns.json").read_text())
with DuckDB(lambda file: Path("data") / file) as engine:
    found = Shop(Path(), engine).analysed(columns, Path("asked.yaml").read_text())
again = Analysis.model_validate_json(to_json(found))
page = {lang: render(again, lang=lang) for lang in ("en", "zh")}
page |= {"json": json.loads(to_json(found)), "csv": to_csv(found).decode("utf-8-sig")}
print(json.dumps(page))
"""
ASKED = """
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 1}}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 50%, contacts: contacts}
segments: [region]
"""


def columns():
    rng, n = np.random.default_rng(3), 800
    arm = np.repeat(["none", "mail"], n // 2)
    contacts = np.where(arm == "mail", rng.integers(0, 3, n), 0)
    spend = np.round(rng.normal(50, 10, n) + 2 * contacts, 2)
    region = np.where(np.arange(n) % 3 > 0, "north", "south")
    named = {"arm": arm, "contacts": contacts, "spend": spend, "region": region}
    return {name: values.tolist() for name, values in named.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extended")
    root = extended(folder, "results/estimands.py", "\n\ndef kinds_of(", ENTRIES.rstrip("\n"))
    assert changed(root) == ["results/estimands.py"]
    (folder / "columns.json").write_text(json.dumps(columns()))
    (folder / "asked.yaml").write_text(ASKED)
    return asked(root, SCRIPT, folder)


def picked(found, kind, level=None):
    """The arm's finding of revenue, overall or in a region."""
    wanted = {"kind": kind, "arm": "mail", "metric": "spend", "level": level}
    (one,) = (f for f in found["json"]["findings"] if wanted.items() <= f.items())
    return one


def test_it_is_a_finding_and_right(found):
    rows = {name: np.array(values) for name, values in columns().items()}
    for level in (None, "north", "south"):
        inside = (rows["region"] == level) | (level is None)
        treated, control = (inside & (rows["arm"] == arm) for arm in ("mail", "none"))
        more = {
            name: rows[name][treated].mean() - rows[name][control].mean()
            for name in ("spend", "contacts")
        }
        one = picked(found, "revenue_per_contact", level)
        assert one["estimate"] == pytest.approx(more["spend"] / more["contacts"], rel=1e-9)
        assert one["low"] < one["estimate"] < one["high"]
        assert (one["method"], one["p"], one["family"]) == ("fieller", None, None)
    lift, ratio = picked(found, "relative_lift"), picked(found, "ratio_of_means")
    assert ratio["estimate"] == pytest.approx(1 + lift["estimate"], rel=1e-9)
    assert (ratio["se"], ratio["p"], ratio["family"]) == (lift["se"], lift["p"], lift["family"])
    assert ratio["low"] == pytest.approx(1 + lift["low"], rel=1e-9)


def test_it_is_in_the_spreadsheet_and_on_the_page(found):
    rows = csv.DictReader(io.StringIO(found["csv"]))
    assert {r["metric"] for r in rows if r["kind"] == "revenue_per_contact"} == {
        "revenue per contact"
    }
    for lang in ("en", "zh"):
        page = unescape(found[lang])
        for text in ("Revenue per contact", "added revenue ÷ added contacts", "Ratio of means"):
            assert text in page
    per_contact = f"€{picked(found, 'revenue_per_contact')['estimate']:.2f}"
    assert per_contact in found["en"]


def test_it_comes_behind_what_was_there(found):
    arm = [f for f in found["json"]["findings"] if (f["arm"], f["dimension"]) == ("mail", None)]
    kinds = list(dict.fromkeys(f["kind"] for f in arm))
    assert kinds[:3] == ["difference", "relative_lift", "ratio_of_means"]
    last = ["incremental_profit", "roi", "iroas", "profit_per_customer", "revenue_per_contact"]
    assert kinds[-5:] == last
