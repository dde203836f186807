"""What is mailed holds no single customer: every output is searched for every id and rare value."""

import base64
import contextlib
import csv
import html
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from plans import make_plan, run
from shops import Shop
from targets import YAML, drawn, shop

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.cli.app import commands
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.queries.naming import naming_fault
from upliftlab.report.export import to_csv
from upliftlab.results.analysis import Analysis, Note, VerdictCode

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ID = "K7f3-{:06d}"
RARE = {"Huntington": 1, "Sanfilippo": 3, "mia.keller@secret.example": 1, "Erna Unikat": 2}
"""Levels of few customers, some of whom are named by them."""
AMOUNT = 61.8374
SECRETS = re.compile(
    r"K7f3-\d{6}|@secret\.example|Huntington|Sanfilippo|Unikat|61[.,]8374|\+49 170 \d+",
)
SECRET = "Erna.Unikat@secret.example"
PLAN = YAML.replace("[age, visits, city]", "[age, visits, city, clinic]") + (
    "segments: [clinic, city, tens, halves]\n"
    "analysis: {covariates: [visits], winsorize: {spend: 99.9%}}\n"
    "metrics: {primary: profit, secondary: [spend]}\n"
)
PLAN = PLAN.replace("metrics: {primary: profit}\n", "")
SEGMENTS = (
    "schema: 1\nsegments:\n  tens: {column: age, bands: [30, 50]}\n"
    "  halves: {column: age, bands: [30.5, 50]}\n"
)


def told(text):
    """A text with what is escaped or coded in it."""
    plain = html.unescape(text)
    coded = re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", text)
    for word in coded:
        with contextlib.suppress(ValueError):
            plain += base64.b64decode(word + "=" * (-len(word) % 4)).decode("latin-1")
    with contextlib.suppress(UnicodeDecodeError):
        plain += re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return plain


def leaks(text):
    return sorted(set(SECRETS.findall(told(text))))


def command(folder, *arguments):
    with contextlib.chdir(folder):
        done = CliRunner().invoke(commands, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def people(customers):
    """Customers of a shop with ids of a known form and some who are alone in what they are."""
    found = drawn(np.random.default_rng(3), customers)
    found["customer_id"] = [ID.format(number) for number in range(customers)]
    clinic = np.random.default_rng(4).choice(["north", "south"], customers).astype(object)
    at = 0
    for level, n in RARE.items():
        clinic[at : at + n] = level
        at += n
    found["clinic"] = clinic
    found["phone"] = [f"+49 170 {number:07d}" for number in range(customers)]
    found["mail"] = [f"c{number}@secret.example" for number in range(customers)]
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Everything that the commands write and print of a shop with rare customers."""
    folder = tmp_path_factory.mktemp("world")
    shop(folder)
    rng = np.random.default_rng(11)
    table = people(3_000)
    arm = rng.choice(3, len(table), p=[0.34, 0.33, 0.33])
    gain = np.clip((table["age"] - 40) / 3, -5, None)
    table["arm"] = np.array(["none", "mail", "call"])[arm]
    table["spend"] = (
        rng.normal(20, 3, len(table)) + gain * (arm == 1) + (1.2 * gain + 1) * (arm == 2)
    )
    table.loc[0, "spend"] = AMOUNT
    table["opt_in"] = True
    table.to_parquet(folder / "people.parquet")
    table.drop(columns=["arm", "spend"]).to_parquet(folder / "next.parquet")
    (folder / "configs" / "segments.yaml").write_text(SEGMENTS)
    (folder / "spring.yaml").write_text(PLAN)
    said = {}
    for name, arguments in {
        "check": ("check", "spring.yaml", "--data", "."),
        "plan": ("plan", "spring.yaml", "--json"),
        "plan page": ("plan", "spring.yaml", "--html", "plan.html"),
        "run": ("run", "spring.yaml"),
        "run zh": ("run", "spring.yaml", "--lang", "zh", "--out", "zh"),
        "analyze": ("analyze", "spring.yaml", "--json"),
        "uplift": ("uplift", "spring.yaml", "--save", "model.json"),
        "uplift json": ("uplift", "spring.yaml", "--json"),
        "target": ("target", "spring.yaml", "--customers", "next_month", "--json"),
    }.items():
        code, out, err = command(folder, *arguments)
        said[name] = (code, out, err)
    return folder, said


def test_every_command_did_its_work(world):
    _, said = world
    failed = {name: out + err for name, (code, out, err) in said.items() if code}
    assert failed.keys() <= {"plan", "plan page"}, failed  # they may say that it cannot be seen


def test_no_output_holds_an_id_or_a_rare_value(world):
    folder, said = world
    for name, (_, out, err) in said.items():
        assert leaks(out + err) == [], name
    inputs = {"people.parquet", "next.parquet"}
    lists = {path.name for path in folder.rglob("*targets*.parquet")}
    read = 0
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in inputs | lists:
            assert leaks(path.read_bytes().decode("utf-8", "replace")) == [], path
            read += 1
    assert lists, "the senders' list holds ids: that is what it is for"
    assert read >= 8


def test_rare_levels_are_one_and_add_up(world):
    _, said = world
    found = json.loads(said["analyze"][1])
    (clinic,) = (s for s in found["segments"] if s["name"] == "clinic")
    assert (clinic["joined"], found["smallest_cell"]) == ("(other)", 5)
    cells = [m for m in found["moments"] if m["dimension"] == "clinic"]
    overall = {m["arm"]: m for m in found["moments"] if m["dimension"] is None}
    for arm, whole in overall.items():
        own = [m for m in cells if m["arm"] == arm]
        assert sum(m["n"] for m in own) == whole["n"]
        at = found["columns"].index("spend")
        assert sum(m["n"] * m["mean"][at] for m in own) == pytest.approx(
            whole["n"] * whole["mean"][at]
        )
    assert min(m["n"] for m in found["moments"]) >= 5
    assert min(min(f["n_treated"], f["n_control"]) for f in found["findings"]) >= 5
    text = to_csv(Analysis.model_validate(found)).decode("utf-8-sig")
    assert leaks(text) == []
    rows = csv.DictReader(io.StringIO(text))
    assert {row["level"] for row in rows if row["dimension"] == "clinic"} <= {
        "(other)",
        "north",
        "south",
    }


def test_the_page_says_so(world):
    folder, _ = world
    page = next(folder.rglob("upliftlab-report/spring/*.html")).read_text(encoding="utf-8")
    assert "Levels with fewer than 5 customers in an arm are shown together as other (" in page
    assert "合并显示为其他" in next(folder.rglob("zh/*.html")).read_text(encoding="utf-8")


# Columns that say who customers are.


def crowd(n=150):
    rng = np.random.default_rng(1)
    return {
        "id": [ID.format(number) for number in range(n)],
        "arm": ["none", "mail"] * (n // 2),
        "spend": rng.integers(0, 90, n).astype(float),
        "region": ["north", "north", "south"] * (n // 3),
    }


def uuids(n):
    return [f"9b2e{number:04x}-1c3d-4e5f-8a9b-0c1d2e3f4a5b" for number in range(n)]


TELLING = {
    "a copy of the id": [ID.format(number) for number in range(150)],
    "e-mail": [f"c{number}@secret.example" for number in range(150)],
    "names and e-mail": [f"Erna Unikat <c{number}@secret.example>" for number in range(150)],
    "shared e-mail": ["team@secret.example", "other@secret.example", "x@secret.example"] * 50,
    "telephone": [f"+49 170 {number:07d}" for number in range(150)],
    "identifiers": uuids(150),
    "near-unique": [f"K7f3-{number // 4:06d}" for number in range(150)],
    "numbers": list(range(70_000, 70_150)),
    "mostly unique": [f"K7f3-{number:06d}" if number % 3 else "none" for number in range(150)],
}
FIVE = "time_zone: UTC"
ASKED = (
    "assignment: {observed: arm}\narms: {none: {control: true}, mail: {channel: email}}\n"
    "metrics: {primary: spend}\nsegments: [what]\n"
)


def as_text(caught):
    return "\n".join(map(str, caught.value.faults))


@pytest.fixture
def store(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


@pytest.mark.parametrize("kind", TELLING)
def test_columns_that_name_customers_are_no_segments(store, kind):
    with pytest.raises(UpliftLabError) as caught:
        store.analysed({**crowd(), "what": TELLING[kind]}, ASKED, FIVE)
    assert "UL240 the segment 'what'" in as_text(caught)
    assert leaks(as_text(caught)) == []
    code, out, err = command(store.root, "check", "--data", "data", "experiment.yaml")
    assert code == 1
    assert "UL240" in out + err
    assert leaks(out + err) == []
    for form in ("text", "json"):
        code, out, err = command(store.root, "inspect", "data/customers.parquet", "--format", form)
        assert (code, leaks(out + err)) == (0, [])


@pytest.fixture(params=["spark", "postgres"])
def elsewhere(request, tmp_path):
    """A shop on another engine."""
    if request.param == "postgres":
        engine, desk = (request.getfixturevalue(name) for name in ("postgres", "desk"))
        yield Shop(tmp_path, engine, desk)
        return
    from upliftlab.engines.spark import Spark

    request.getfixturevalue("spark")  # the session that all tests share
    with Spark(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def test_on_every_engine(elsewhere):
    for kind in ("e-mail", "near-unique"):
        with pytest.raises(UpliftLabError) as caught:
            elsewhere.analysed({**crowd(), "what": TELLING[kind]}, ASKED, FIVE)
        assert "UL240 the segment 'what'" in as_text(caught)
        elsewhere.engine.attach("customers", elsewhere.plan(ASKED).customers)
        fault = naming_fault("stratum", "what", "customers", elsewhere.engine, 5)
        assert fault is not None
        assert leaks(as_text(caught) + str(fault)) == []
    rare = ["north"] * 75 + ["south"] * 73 + ["Huntington"] * 2
    found = elsewhere.analysed({**crowd(), "what": rare}, ASKED, FIVE)
    assert leaks(found.model_dump_json()) == []
    assert min(m.n for m in found.moments) >= 5
    values = ["4"] * 149 + [SECRET]
    for asked in ('eligible: "what > 3"', "eligible: \"what >= date '2026-01-01'\""):
        elsewhere.table("customers", {**crowd(), "what": values})
        said = ""
        try:
            analyze(
                elsewhere.plan(f"{ASKED}{asked}\n", program=FIVE),
                AnalysisContext(elsewhere.engine, NOW),
            )
        except UpliftLabError as error:
            said = "\n".join(map(str, error.faults))
        assert leaks(said) == []


@pytest.mark.parametrize("part", ["segments: [ID]", "assignment: {strata: [id], method: blocked}"])
def test_declared_ids_are_refused_by_name(tmp_path, part):
    text = "schema: 1\nexperiment: small\ncustomers: {file: c.csv, id: id}\n" + part + "\n"
    arms = "arms: {none: {control: true}, mail: {channel: email}}\nmetrics: {primary: spend}\n"
    (tmp_path / "small.yaml").write_text(text + arms)
    code, out, err = command(tmp_path, "check", "small.yaml")
    assert code == 1
    assert "UL160" in out + err


def assigned(folder, column):
    table = pd.DataFrame({**crowd(), "what": column}).drop(columns=["arm"])
    table.to_parquet(folder / "c.parquet")
    (folder / "small.yaml").write_text(
        "schema: 1\nexperiment: small\ncustomers: {file: c.parquet, id: id}\n"
        "assignment: {strata: [what], method: blocked}\n"
        "arms: {none: {share: 50%, control: true}, mail: {share: 50%, channel: email}}\n"
        "metrics: {primary: spend}\n"
    )
    return command(folder, "assign", "small.yaml")


@pytest.mark.parametrize("kind", ["e-mail", "near-unique", "identifiers"])
def test_strata_do_not_name_customers_on_the_record(tmp_path, kind):
    code, out, err = assigned(tmp_path, TELLING[kind])
    assert code != 0
    assert "UL240 the stratum 'what'" in out + err
    assert leaks(out + err) == []


def test_rare_strata_are_counted_without_their_names(tmp_path):
    code, out, err = assigned(tmp_path, ["north"] * 147 + ["Huntington", "Sanfilippo", "Unikat"])
    assert code == 0, err
    assert leaks(out + err) == []
    records = list((tmp_path / "ledger").rglob("*.json"))
    assert records
    for path in records:
        assert leaks(path.read_text()) == [], path
    manifest = next(path for path in records if '"cells"' in path.read_text())
    cells = json.loads(manifest.read_text())["cells"]
    assert sum(cell["customers"] for cell in cells) == 150
    assert {cell["stratum"] for cell in cells} == {"north", "(other)"}


# Small arms, and what errors say.


@pytest.mark.parametrize("sizes", [(1, 60), (4, 60), (60, 4), (3, 3)])
def test_an_arm_of_few_is_not_told_of(tmp_path, sizes):
    rows = [("none", 3.5)] * sizes[0] + [("mail", 2.0)] * sizes[1]
    at = 0 if sizes[0] < 5 else len(rows) - 1
    rows[at] = (rows[at][0], AMOUNT)
    text = "arm,spend\n" + "".join(f"{arm},{spend}\n" for arm, spend in rows)
    (tmp_path / "customers.csv").write_text(text)
    found = run(make_plan(5, money={"revenue": "spend", "margin": "50%"}), tmp_path)
    assert found.verdict.code is VerdictCode.invalid
    assert (found.moments, found.bridges) == ((), ())
    assert {(f.estimate, f.note) for f in found.findings} == {(None, Note.invalid)}
    assert leaks(found.model_dump_json()) == []
    assert not any(check.name.startswith(("skewness", "balance")) for check in found.checks)


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ("metrics: {primary: what}\n", [SECRET, *["1"] * 149]),
        ("metrics: {primary: spend}\neligible: \"what >= date '2026-01-01'\"\n", [SECRET] * 150),
        ('metrics: {primary: spend}\neligible: "what > 3"\n', [SECRET, *["4"] * 149]),
        ("metrics: {primary: spend}\nassignment: {observed: what}\n", [SECRET] * 150),
        ("metrics: {primary: spend}\nassignment: {observed: arm, start: what}\n", [SECRET] * 150),
    ],
)
def test_errors_hold_no_value(store, asked, values):
    arms = "arms: {none: {control: true}, mail: {channel: email}}\n"
    text = arms + asked + ("" if "assignment" in asked else "assignment: {observed: arm}\n")
    store.table("customers", {**crowd(), "what": values})
    with pytest.raises(UpliftLabError) as caught:
        analyze(store.plan(text, program=FIVE), AnalysisContext(store.engine, NOW))
    assert leaks(as_text(caught)) == []
    code, out, err = command(store.root, "check", "--data", "data", "experiment.yaml")
    assert leaks(out + err) == [], code


@pytest.mark.parametrize(
    "row", [f"{SECRET},none,1,2", f"Erna Unikat,none,{AMOUNT},3", "1,none,1,7"]
)
def test_a_file_without_its_first_line_shows_no_row(tmp_path, row):
    (tmp_path / "customers.csv").write_text(f"{row}\nK7f3-000001,mail,3,4\n")
    with pytest.raises(UpliftLabError) as caught:
        run(make_plan(), tmp_path)
    assert leaks(as_text(caught)) == []
    assert "values" in as_text(caught)


def test_errors_of_events_hold_no_value(store):
    store.table(
        "orders",
        {
            "id": [ID.format(1)] * 3,
            "at": ["2026-03-03", "2026-03-04", SECRET],
            "sum": ["1", "2", SECRET],
        },
        time="at",
    )
    store.table("customers", crowd())
    text = (
        "arms: {none: {control: true}, mail: {channel: email}}\nmetrics: {primary: revenue}\n"
        "assignment: {observed: arm}\noutcome_window: 28 days\n"
        "waves: [{start: 2026-03-02, share: 100%}]\n"
    )
    metrics = "  revenue: {from: orders, sum: sum}\n"
    with pytest.raises(UpliftLabError) as caught:
        analyze(store.plan(text, metrics, program=FIVE), AnalysisContext(store.engine, NOW))
    assert "such as 'Aaaa.Aaaaaa@aaaaaa.aaaaaaa'" in as_text(caught)
    assert leaks(as_text(caught)) == []


def test_features_hold_no_value(world):
    """A month in which a number became an address, and one in which a text did."""
    folder, _ = world
    for column in ("age", "visits"):
        table = pd.read_parquet(folder / "next.parquet").astype({column: str})
        table[column] = table["mail"]
        table.to_parquet(folder / "odd.parquet")
        (folder / "configs" / "sources.yaml").write_text(
            "schema: 1\nsources:\n  next_month: {file: odd.parquet, id: customer_id}\n"
        )
        code, out, err = command(folder, "target", "spring.yaml", "--customers", "next_month")
        assert code != 0
        assert leaks(out + err) == []


def test_a_smaller_cell_than_two_is_refused(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "program.yaml").write_text("schema: 1\nsmallest_cell: 1\n")
    code, out, err = command(tmp_path, "check", "configs")
    assert code == 1
    assert "UL161" in out + err
    assert make_plan(0).smallest_cell == 2


def test_a_plan_that_was_locked_before_the_setting_keeps_its_digest():
    assert "smallest_cell" not in make_plan(5).canonical()
    assert make_plan(5).sha256 != make_plan(9).sha256


def test_no_path_is_left_out():
    """Where a new command writes files, this test should know it."""
    code, out, _ = command(Path.cwd(), "--help")
    assert code == 0
    known = set(re.findall(r"^  ([a-z]+)  ", out.partition("Commands:")[2], re.MULTILINE))
    without_data = {"amend", "engine", "explain", "lock", "report", "schema", "validate", "verify"}
    searched = {"check", "inspect", "plan", "run", "analyze", "uplift", "target", "assign"}
    assert known <= without_data | searched | {"export", "simulate", "ledger"}
