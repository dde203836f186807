"""The real command line uses what another package adds, and names the package that breaks."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import upliftlab
from extension import Extension, beside, install

from upliftlab.util.extensions import ENGINES, FORMATS, METRIC_KINDS

SOURCES = """sources:
  people: {file: people.parquet, id: id}
  orders: {file: orders.parquet, id: id, time: at}
"""
METRICS = """metrics:
  typical: {from: orders, median: amount}
  span: {from: orders, days_active: true}
"""
SPRING = """schema: 1
experiment: spring
customers: people
engine: lake
assignment: {observed: arm}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 28 days
arms: {none: {control: true}, mail: {channel: email}}
metrics: {primary: typical, secondary: [span]}
"""


PEOPLE = ["mail", "none", "none", "mail", "none", "mail"] * 66 + ["mail", "none"] * 2


def events(size: int) -> list[tuple[int, float, int]]:
    """By customer: amount and day of each order; every fourth customer has none."""
    numbers = np.random.default_rng(5)
    return [
        (customer, float(numbers.integers(1, 90)), int(numbers.integers(0, 27)))
        for customer in range(size)
        for _ in range(customer % 4)
    ]


@pytest.fixture
def shop(tmp_path):
    """A workspace of 400 customers, half of them treated."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    for name, text in (("sources", SOURCES), ("metrics", METRICS)):
        (tmp_path / f"configs/{name}.yaml").write_text(text)
    (tmp_path / "spring.yaml").write_text(SPRING)
    people = {"id": list(range(400)), "arm": PEOPLE}
    pq.write_table(pa.table(people), tmp_path / "data/people.parquet")
    customers, amounts, days = zip(*events(400), strict=True)
    start = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - a time without zone
    at = [start + timedelta(days=day) for day in days]
    table = pa.table({"id": customers, "amount": amounts, "at": pa.array(at, pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "data/orders.parquet")
    return tmp_path


def expected() -> dict[str, float]:
    """The two differences by hand."""
    by = {customer: [e[1:] for e in events(400) if e[0] == customer] for customer in range(400)}
    treated = {customer: PEOPLE[customer] == "mail" for customer in by}
    medians, spans = {True: [], False: []}, {True: [], False: []}
    for customer, found in by.items():
        amounts, days = zip(*found, strict=True) if found else ((), ())
        medians[treated[customer]].append(np.median(amounts) if found else 0.0)
        if found:
            spans[treated[customer]].append(max(days) - min(days))
    return {
        name: float(np.mean(values[True]) - np.mean(values[False]))
        for name, values in (("typical", medians), ("span", spans))
    }


def test_engine_kinds_and_format_in_one_analysis(shop, lake_site):
    said = beside(lake_site)
    assert upliftlab("check", "spring.yaml", cwd=shop, **said).returncode == 0
    done = upliftlab("analyze", "spring.yaml", "--json", cwd=shop, **said)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["provenance"]["engine"].startswith("Shop Lake on pyarrow")
    estimates = {
        f["metric"]: f["estimate"]
        for f in found["findings"]
        if f["kind"] == "difference" and f["dimension"] is None
    }
    assert estimates == pytest.approx(expected())
    titles = {metric["name"]: metric["unit"] for metric in found["metrics"]}
    assert titles == {"typical": "number", "span": "number"}
    out = ("--format", "markdown", "--output", "new/found.md")
    written = upliftlab("analyze", "spring.yaml", *out, cwd=shop, **said)
    assert written.returncode == 0, written.stderr
    text = (shop / "new/found.md").read_text()
    assert text.startswith("<!-- en -->\n| metric | arm | estimate |")
    assert "| typical | mail |" in text


def test_the_embedded_engine_computes_the_same_kinds(shop, lake_site):
    text = SPRING.replace("engine: lake\n", "")
    (shop / "spring.yaml").write_text(text)
    done = upliftlab("analyze", "spring.yaml", "--json", cwd=shop, **beside(lake_site))
    found = {
        f["metric"]: f["estimate"]
        for f in json.loads(done.stdout)["findings"]
        if f["kind"] == "difference" and f["dimension"] is None
    }
    assert found == pytest.approx(expected())


def test_the_names_of_the_two_totals_may_be_taken(shop, lake_site):
    """The customers' own metric of that name stays what it is."""
    taken = "  'span (total)': {from: orders, count: true}\n"
    (shop / "configs/metrics.yaml").write_text(METRICS + taken)
    (shop / "spring.yaml").write_text(SPRING.replace("[span]", "[span, 'span (total)']"))
    done = upliftlab("analyze", "spring.yaml", "--json", cwd=shop, **beside(lake_site))
    found = {
        f["metric"]: f["estimate"]
        for f in json.loads(done.stdout)["findings"]
        if f["kind"] == "difference" and f["dimension"] is None
    }
    orders = {True: [], False: []}
    for customer, arm in enumerate(PEOPLE):
        orders[arm == "mail"].append(customer % 4)
    difference = float(np.mean(orders[True]) - np.mean(orders[False]))
    assert found == pytest.approx(expected() | {"span (total)": difference})


def test_columns_of_a_package_s_kind_are_checked(shop, lake_site):
    wrong = METRICS.replace("median: amount", "median: amounts").replace(
        "days_active: true", "days_active: true, where: amuont > 3"
    )
    (shop / "configs/metrics.yaml").write_text(wrong)
    done = upliftlab("check", "spring.yaml", "--data", "data", cwd=shop, **beside(lake_site))
    assert re.findall(
        r"metrics.yaml:(\d):\d+: (UL205) .* no column '(\w+)' \(metric '(\w+)'\)",
        done.stdout + done.stderr,
    ) == [
        ("2", "UL205", "amounts", "typical"),
        ("3", "UL205", "amuont", "span"),
    ]


def test_a_report_in_any_format(shop, lake_site):
    said = beside(lake_site)
    analysis = shop / "upliftlab-report/spring/analysis.json"
    assert upliftlab("analyze", "spring.yaml", cwd=shop, **said).returncode == 0
    for name, begins in (
        ("markdown", b"<!-- zh -->"),
        ("csv", b"\xef\xbb\xbfkind,"),
        ("html", b"<!doctype html>"),
        ("json", b'{"'),
    ):
        output = shop / f"found.{name}"
        arguments = ("--format", name, "--output", output, "--lang", "zh")
        done = upliftlab("report", analysis, *arguments, cwd=shop, **said)
        assert done.returncode == 0, done.stderr
        assert output.read_bytes().lower().startswith(begins)


def test_engine_check_by_name_and_by_experiment(shop, lake_site):
    said = beside(lake_site)
    done = upliftlab("engine", "check", "lake", cwd=shop, **said)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"Shop Lake on pyarrow [0-9.]+: \d+ ok, 0 failed, 0 left out", done.stdout)
    done = upliftlab("engine", "check", "spring.yaml", "--json", cwd=shop, **said)
    cases = json.loads(done.stdout)["cases"]
    assert {case["status"] for case in cases} == {"ok"}
    unknown = upliftlab("engine", "check", "lak", cwd=shop, **said)
    assert unknown.returncode == 1
    assert "UL516 there is no engine 'lak'; did you mean 'lake'?" in unknown.stderr


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "engine: lake",
            "engine: {name: lake, compresion: zstd}",
            "UL012 unknown key 'compresion' in 'engine'; did you mean 'compression'?",
        ),
        (
            "engine: lake",
            "engine: {name: lake, compression: zip}",
            "UL014 'compression': 'zip' is not one of zstd, snappy",
        ),
        (
            "engine: lake",
            "engine: laki",
            "'laki' is not one of duckdb, spark, postgres, lake; did you mean 'lake'?",
        ),
        (
            "median: amount",
            "medain: amount",
            "UL012 unknown key 'medain' in metric 'typical'; did you mean 'median'?",
        ),
        (
            "median: amount",
            "median: amount, sum: amount",
            "UL015 metric 'typical': a metric is defined by exactly one of column, present, count,",
        ),
        (
            "days_active: true",
            "days_active: true, only: typical",
            "UL015 metric 'span': 'days_active' excludes only and unless",
        ),
        (
            "{from: orders, median: amount}",
            "{median: amount}",
            "UL015 metric 'typical': 'median' needs 'from': a table of events",
        ),
    ],
)
def test_what_is_written_wrongly(shop, lake_site, old, new, expected):
    path = shop / ("spring.yaml" if old in SPRING else "configs/metrics.yaml")
    path.write_text(path.read_text().replace(old, new))
    done = upliftlab("check", "spring.yaml", cwd=shop, **beside(lake_site))
    assert (done.returncode, expected in done.stdout + done.stderr) == (1, True), done


def test_a_key_that_nobody_offers(shop):
    (shop / "spring.yaml").write_text(SPRING.replace("engine: lake\n", ""))
    done = upliftlab("check", "spring.yaml", cwd=shop)
    assert "UL012 unknown key 'median' in metric 'typical'" in done.stdout + done.stderr


KIND = """from upliftlab.config.models.metric_kinds import *
from upliftlab.config.models.metric_kinds import COUNT
def sql(numbers, written):
    {body}
kind = MetricKind({key!r}, "A kind of a test.", {takes!r}, {aggregates}, sql)
"""
GOOD = {"key": "median", "takes": "column", "aggregates": "(SUM,)", "body": "return numbers[0]"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import nowhere\n", "UL029 'median' of upliftlab.metric_kinds cannot be loaded from odd"),
        ("1 / 0\n", "UL474 'median' of upliftlab.metric_kinds fails: odd raised ZeroDivisionError"),
        ("kind = 7\n", "UL473 'median' of upliftlab.metric_kinds from odd is no MetricKind"),
        (KIND.format(**GOOD | {"key": "other"}), "UL473 .* from odd has the key 'other'"),
        (KIND.format(**GOOD | {"takes": "rows"}), "UL473 .* from odd takes 'rows'"),
        (KIND.format(**GOOD | {"takes": "flag"}), "UL473 .* from odd looks at a column"),
        (KIND.format(**GOOD | {"aggregates": "()"}), "UL473 .* from odd needs aggregates"),
        (KIND.format(**GOOD | {"body": "return 7"}), "UL473 .* from odd gives no SQL"),
        (
            KIND.format(**GOOD | {"body": "return numbers[5]"}),
            "UL474 the metric kind 'median' fails: odd raised IndexError at odd_kind.py:4",
        ),
        (
            KIND.replace("numbers, written", "numbers").format(**GOOD),
            "UL474 the metric kind 'median' fails: odd raised TypeError",
        ),
    ],
)
def test_a_kind_that_breaks_names_its_package(shop, text, expected):
    (shop / "spring.yaml").write_text(SPRING.replace("engine: lake\n", ""))
    site = install(
        shop, Extension("odd", {"odd_kind.py": text}, {METRIC_KINDS: {"median": "odd_kind:kind"}})
    )
    done = upliftlab("check", "spring.yaml", cwd=shop, **beside(site))
    assert done.returncode == 1
    assert re.search(expected, done.stdout + done.stderr), done


ENGINE = """from upliftlab.engines.base import EngineKind
from upliftlab.engines.duckdb import DuckDB
class Odd(DuckDB):
    {body}
def make(settings, locate, folders):
    {make}
engine = EngineKind(make)
"""
MAKE = "return Odd(locate, settings, folders=folders)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("engine = print\n", "UL473 'odd' of upliftlab.engines from odd has no settings"),
        (
            ENGINE.replace("settings, locate, folders", "settings").format(body="", make=MAKE),
            "UL474 the engine 'odd' fails: odd raised TypeError",
        ),
        (ENGINE.format(body="", make="return 7"), "UL473 the engine 'odd' of odd has no '"),
        (
            ENGINE.format(body="def query(self, sql): return {}['Anna']", make=MAKE),
            "UL474 the engine 'odd' fails: odd raised KeyError at odd_engine.py:4; tell",
        ),
    ],
)
def test_an_engine_that_breaks_names_its_package(shop, text, expected):
    """The body of a class must not be empty."""
    text = text.replace("class Odd(DuckDB):\n    \n", "class Odd(DuckDB):\n    pass\n")
    (shop / "spring.yaml").write_text(SPRING.replace("engine: lake", "engine: odd"))
    (shop / "configs/metrics.yaml").write_text("metrics: {typical: {from: orders, sum: amount}}\n")
    text_of = (shop / "spring.yaml").read_text().replace(", secondary: [span]", "")
    (shop / "spring.yaml").write_text(text_of)
    site = install(
        shop, Extension("odd", {"odd_engine.py": text}, {ENGINES: {"odd": "odd_engine:engine"}})
    )
    done = upliftlab("analyze", "spring.yaml", cwd=shop, **beside(site))
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Anna" not in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("form = 7\n", "UL473 'odd' of upliftlab.formats from odd is no OutputFormat"),
        (
            "form = OutputFormat('.odd', lambda a: b'')\n",
            "UL474 the format 'odd' fails: odd raised",
        ),
        (
            "form = OutputFormat('.odd', lambda a, l: 'x')\n",
            "UL473 the format 'odd' of odd gives no",
        ),
    ],
)
def test_a_format_that_breaks_names_its_package(shop, lake_site, text, expected):
    text = f"from upliftlab.report.formats import OutputFormat\n{text}"
    odd = Extension("odd", {"odd_format.py": text}, {FORMATS: {"odd": "odd_format:form"}})
    said = beside(install(shop, odd))
    said["PYTHONPATH"] += f":{lake_site}"
    done = upliftlab("analyze", "spring.yaml", "--format", "odd", cwd=shop, **said)
    assert done.returncode == 1
    assert expected in done.stderr


def test_names_that_are_taken(shop, lake_site):
    twice = Extension("twice", {"twice.py": "x = 1\n"}, {ENGINES: {"lake": "twice:x"}})
    said = beside(install(shop, twice))
    said["PYTHONPATH"] += f":{lake_site}"
    done = upliftlab("check", "spring.yaml", cwd=shop, **said)
    assert "UL028 'lake' of upliftlab.engines is offered by shop-lake and twice" in (
        done.stdout + done.stderr
    )
    own = Extension("own", {"own.py": "x = 1\n"}, {FORMATS: {"csv": "own:x"}})
    (shop / "apart").mkdir()
    said = beside(install(shop / "apart", own))
    (shop / "spring.yaml").write_text(SPRING.replace("engine: lake\n", ""))
    done = upliftlab("analyze", "spring.yaml", "--format", "cvs", cwd=shop, **said)
    assert "UL028 'csv' of upliftlab.formats is upliftlab's own, and offered by own" in done.stderr


def test_formats_that_nobody_offers(shop):
    (shop / "spring.yaml").write_text(SPRING.replace("engine: lake\n", ""))
    done = upliftlab("analyze", "spring.yaml", "--format", "cvs", cwd=shop)
    assert "UL479 there is no format 'cvs'; did you mean 'csv'?" in done.stderr
    done = upliftlab("analyze", "spring.yaml", "--output", "found.csv", cwd=shop)
    assert (done.returncode, "--output needs --format" in done.stderr) == (2, True)


def test_nothing_is_looked_for_with_names_of_our_own(shop):
    """A package that breaks at once does no harm to whoever does not use it."""
    (shop / "spring.yaml").write_text(SPRING.replace("engine: lake\n", ""))
    (shop / "configs/metrics.yaml").write_text(
        "metrics: {typical: {from: orders, sum: amount}, span: {from: orders, count: true}}\n"
    )
    odd = Extension("odd", {"odd_all.py": "1 / 0\n"}, {ENGINES: {"duckdb": "odd_all:x"}})
    site = install(shop, odd)
    done = upliftlab("analyze", "spring.yaml", "--json", cwd=shop, **beside(site))
    assert done.returncode == 0, done.stderr
