"""The Python API: frames of any library give a file's findings, values break a file's rules."""

from __future__ import annotations

import doctest
import importlib
import json
import math
import pkgutil
import re
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from pathlib import Path

import duckdb
import nbformat
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from commands import upliftlab as command
from nbclient import NotebookClient

import upliftlab as ul
from upliftlab import results
from upliftlab.config.checking import check as check_files
from upliftlab.config.load import load, load_values
from upliftlab.config.workspace import workspace_at
from upliftlab.engines.frames import frame_table
from upliftlab.results.base import Published
from upliftlab.results.validation import MeasuredCoverage, ScenarioResult, SimulationResult
from upliftlab.simulate import simulate

ROOT = Path(__file__).resolve().parents[1]
HILLSTROM = ROOT / "experiments" / "hillstrom_email.yaml"
PLAIN = {
    "schema": 1,
    "experiment": "plain",
    "customers": {"table": "customers"},
    "assignment": {"observed": "arm"},
    "arms": {"none": {"control": True}, "email": {}},
    "metrics": {"primary": "spend"},
}


@pytest.fixture(scope="module")
def file(hillstrom):
    return ul.Experiment.from_yaml(HILLSTROM).analyze(hillstrom)


@pytest.fixture(scope="module")
def rows(hillstrom):
    return pd.read_csv(hillstrom / "hillstrom.csv.gz")


def people(n=400):
    """Customers with an arm, a spend and a segment."""
    at = np.arange(n)
    spend = np.random.default_rng(5).gamma(2.0, 10.0, n) + (at % 2)
    return pd.DataFrame({"arm": np.where(at % 2, "email", "none"), "spend": spend})


def plain(frame, **changes):
    return ul.Experiment.from_dict(PLAIN | changes).analyze(frame)


def same(one, other):
    """Whether two analyses found the same, but for where data came from and when."""
    for mine, theirs in zip(one.findings, other.findings, strict=True):
        left, right = mine.model_dump(), theirs.model_dump()
        for name, value in left.items():
            expected = right[name]
            if isinstance(value, float) and expected is not None:
                assert math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12), (mine, name)
            else:
                assert value == expected, (mine, name)
    assert one.verdict.code == other.verdict.code
    return True


CATEGORIES = {"segment": "category", "zip_code": "category", "newbie": "Int64", "visit": "boolean"}
LIBRARIES = {
    "pandas": lambda rows: rows,
    "pandas categories and nullable": lambda rows: rows.astype(CATEGORIES),
    "pandas objects": lambda rows: rows.astype({"segment": object, "zip_code": object}),
    "pandas float32 flag": lambda rows: rows.astype({"conversion": "float32"}),
    "pandas shuffled": lambda rows: rows.sample(frac=1, random_state=1),
    "polars": pl.from_pandas,
    "polars categories": lambda rows: pl.from_pandas(rows).with_columns(
        pl.col("segment", "channel").cast(pl.Categorical)
    ),
    "polars in pieces": lambda rows: pl.concat(
        [pl.from_pandas(rows[:20_000]), pl.from_pandas(rows[20_000:])], rechunk=False
    ),
    "pyarrow": pa.Table.from_pandas,
    "pyarrow batch": pa.RecordBatch.from_pandas,
    "pyarrow reader": lambda rows: pa.Table.from_pandas(rows).to_reader(),
    "DuckDB": lambda rows: duckdb.from_arrow(pa.Table.from_pandas(rows)),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_frame_gives_what_the_file_gives(file, rows, library):
    found = ul.Experiment.from_yaml(HILLSTROM).analyze(LIBRARIES[library](rows))
    assert same(found, file)
    [read] = found.data
    assert (read.source, read.rows) == ("customers", 64_000)
    assert re.fullmatch(r"(pandas|polars|pyarrow|duckdb) \w+", read.file)
    assert re.fullmatch("[0-9a-f]{64}", read.sha256)


def test_a_path_stands_for_the_customers(file, hillstrom):
    path = hillstrom / "hillstrom.csv.gz"
    experiment = ul.Experiment.from_yaml(HILLSTROM)
    for data in (path, str(path), {"customers": path}):
        found = experiment.analyze(data)
        assert same(found, file)
        assert found.data == file.data
        assert found.plan_sha256 == file.plan_sha256


def test_values_are_the_plan_of_their_file(hillstrom, file):
    values = {
        "schema": 1,
        "experiment": "hillstrom_email",
        "title": {"en": "Do the two e-mails pay?", "zh": "两种电子邮件划算吗\uff1f"},
        "customers": {
            "file": "hillstrom.csv.gz",
            "known_after": ["visit", "conversion", "spend"],
        },
        "assignment": {"observed": "segment"},
        "arms": {
            "No E-Mail": {"control": True},
            "Mens E-Mail": {"channel": "email", "cost_per_contact": Decimal("0.10")},
            "Womens E-Mail": {"channel": "email", "cost_per_contact": "0.10"},
        },
        "currency": "USD",
        "metrics": {"primary": "spend", "secondary": ("visit", "conversion")},
        "money": {"revenue": "spend", "margin": 0.4},
        "segments": ["history_segment", "zip_code", "newbie", "channel"],
        "uplift": {
            "features": ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"],
            "metric": "visit",
        },
    }
    experiment = ul.Experiment.from_dict(values, folder=ROOT)
    assert experiment.resolved.sha256 == file.plan_sha256
    found = experiment.analyze(hillstrom)
    assert same(found, file)
    assert found.data == file.data


def test_configs_in_values_are_those_of_files(tmp_path):
    configs = {"metrics": {"schema": 1, "metrics": {"spend": {"column": "spend", "unit": "money"}}}}
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metrics.yaml").write_text(json.dumps(configs["metrics"]))
    (tmp_path / "plain.yaml").write_text(json.dumps(PLAIN))
    by_values = ul.Experiment.from_dict(PLAIN, configs, folder=tmp_path / "elsewhere")
    assert by_values.resolved.sha256 == load(tmp_path / "plain.yaml").plan.sha256
    assert ul.Experiment.from_dict(PLAIN, folder=tmp_path).resolved.sha256 == (
        by_values.resolved.sha256
    )


FAULTY = {
    "unknown key": {"owners": "crm"},
    "missing key": {"metrics": {}},
    "share of 150 %": {"arms": {"none": {"control": True, "share": 1.5}, "email": {"share": 0.5}}},
    "shares beyond 100 %": {"arms": {"none": {"control": True, "share": 0.6}, "b": {"share": 1}}},
    "two controls": {"arms": {"none": {"control": True}, "email": {"control": True}}},
    "one arm": {"arms": {"none": {"control": True}}},
    "no value": {"owner": None},
    "no such channel": {"arms": {"none": {"control": True}, "email": {"channel": "emial"}}},
    "a list for a text": {"title": ["plain"]},
    "a text for a mapping": {"metrics": "spend"},
    "an environment value": {"title": "${env:HOME}"},
    "a hidden character": {"title": "fam\u200bily"},
    "a condition that computes": {"eligible": "read_csv('x') = 1"},
    "a negative cost": {"arms": {"none": {"control": True}, "email": {"cost_per_contact": -1}}},
    "a file elsewhere": {"customers": {"file": "../customers.csv"}},
    "a bad rule": {"decision": {"ship_if": "lower >> 0"}},
    "a number that is none": {"money": {"revenue": "spend", "margin": float("nan")}},
    "too deep": {"title": reduce(lambda inner, _: [inner], range(40), "x")},
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTY)
def test_values_break_the_rules_of_a_file(tmp_path, fault):
    values = PLAIN | FAULTY[fault]
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "channels.yaml").write_text("schema: 1\nchannels: {email: {}}\n")
    path = tmp_path / "plain.yaml"
    path.write_text(json.dumps(values))
    of_file = [fault.code for fault in check_files([path]) if fault.severity == "error"]
    with pytest.raises(ul.ConfigError) as caught:
        ul.Experiment.from_dict(values, folder=tmp_path)
    errors = [each for each in caught.value.faults if each.severity == "error"]
    assert sorted(each.code for each in errors) == sorted(of_file) != []
    assert all(each.place.line is None for each in errors)


def test_the_place_of_a_fault_is_the_way_to_its_value(tmp_path):
    arms = {"none": {"control": True}, "email": {"share": 1.5}}
    configs = {
        "metrics": {"schema": 1, "metrics": {"spend": {"column": "spend", "units": "money"}}}
    }
    with pytest.raises(ul.ConfigError) as caught:
        ul.Experiment.from_dict(PLAIN | {"arms": arms}, configs, folder=tmp_path)
    told = {fault.place.file: fault.code for fault in caught.value.faults}
    assert told == {"arms.email.share": "UL014", "configs.metrics.metrics.spend.units": "UL012"}


@pytest.mark.parametrize(
    ("values", "configs", "code", "place"),
    [
        (PLAIN | {"owner": {1, 2}}, {}, "UL030", "owner"),
        (PLAIN | {"outcome_window": timedelta(minutes=90)}, {}, "UL030", "outcome_window"),
        (PLAIN, {"metric": {}}, "UL031", "configs"),
        (PLAIN | {"extends": "other.yaml"}, {}, "UL018", "extends"),
        (PLAIN | {"arms": {1: {}, "email": {}}}, {}, "UL010", "arms"),
        ([PLAIN], {}, "UL011", "experiment"),
    ],
)
def test_values_that_no_file_holds_are_refused(tmp_path, values, configs, code, place):
    with pytest.raises(ul.ConfigError) as caught:
        ul.Experiment.from_dict(values, configs, folder=tmp_path)
    assert (code, place) in [(fault.code, fault.place.file) for fault in caught.value.faults]


def test_values_of_every_type_are_read_as_written(tmp_path):
    waves = [{"start": date(2026, 3, 2), "share": Fraction(1, 2)}]
    waves += [{"start": datetime(2026, 3, 9, tzinfo=UTC).date(), "share": np.float64(0.5)}]
    arms = {"none": {"control": np.bool_(True)}, "email": {"cost_per_contact": np.int64(2)}}  # noqa: FBT003
    asked = PLAIN | {"waves": waves, "arms": arms, "outcome_window": timedelta(days=7)}
    plan = load_values(asked, {}, workspace_at(tmp_path)).plan
    assert plan.experiment.outcome_window == timedelta(days=7)
    assert [wave.share for wave in plan.experiment.waves] == [Fraction(1, 2)] * 2
    assert plan.arms["none"].control
    assert plan.arms["email"].cost_per_contact.amount == 2


def test_kinds_of_columns_are_what_they_are():
    frame = people().assign(
        flag=lambda f: f.spend > 20,
        band=lambda f: pd.Categorical(np.where(f.spend > 15, "high", "low")),
        whole=pd.array([1, 2] * 200, dtype="Int64"),
        seen=pd.Timestamp("2026-03-02 10:00"),
        there=pd.Timestamp("2026-03-02 10:00", tz="Europe/Berlin"),
        day=date(2026, 3, 2),
        price=[Decimal("1.50"), Decimal("2.25")] * 200,
    )
    from upliftlab.config.models import Source
    from upliftlab.engines.duckdb import DuckDB
    from upliftlab.engines.frames import TableOverrides, location_of

    source = Source(table="customers")
    overrides = TableOverrides({location_of(source): frame_table(frame, "customers")})
    with DuckDB(Path, overrides=overrides) as engine:
        engine.attach("customers", source)
        kinds = engine.columns("customers")
    assert kinds == {
        "arm": "text",
        "spend": "number",
        "flag": "boolean",
        "band": "text",
        "whole": "number",
        "seen": "time",
        "there": "instant",
        "day": "date",
        "price": "number",
    }
    metrics = {"primary": "spend", "secondary": ["flag", "whole", "price"]}
    found = plain(frame, metrics=metrics, segments=["band"], eligible="seen < '2026-04-01'")
    counted = {each.metric: each.estimate for each in found.find(kind="difference", dimension=None)}
    treated = frame.arm == "email"
    assert counted["price"] == pytest.approx(0.75)
    assert counted["flag"] == pytest.approx(
        frame.flag[treated].mean() - frame.flag[~treated].mean()
    )
    assert {each.level for each in found.findings} == {None, "high", "low"}


@pytest.mark.parametrize("library", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
def test_a_number_that_is_missing_is_refused_as_in_a_file(tmp_path, library):
    frame = people()
    frame.loc[3, "spend"] = np.nan
    frame.to_csv(tmp_path / "customers.csv", index=False)
    codes = []
    for data in (library(frame), tmp_path / "customers.csv"):
        with pytest.raises(ul.DataError) as caught:
            plain(data)
        codes.append([fault.code for fault in caught.value.faults])
    assert codes[0] == codes[1]


def test_a_nan_meets_no_condition_whatever_holds_it():
    frame = people().assign(age=lambda f: np.where(np.arange(len(f)) < 100, np.nan, 40.0))
    counts = {
        name: sum(arm.n for arm in plain(make(frame), eligible="age < 50").arms)
        for name, make in LIBRARIES.items()
        if name in ("pandas", "polars", "pyarrow")
    }
    assert counts == {"pandas": 300, "polars": 300, "pyarrow": 300}


SECRET = "jane.doe@example.com"
REFUSED = {
    "mixed": (lambda: people().assign(mixed=[1, SECRET] * 200), "UL616", r"'mixed'.*astype"),
    "objects": (lambda: people().assign(odd=[object()] * 400), "UL616", "'odd'"),
    "polars objects": (
        lambda: pl.DataFrame({"arm": ["none"], "odd": [object()]}), "UL616", "'odd'",
    ),
    "two columns": (lambda: people().set_axis(["spend", "spend"], axis=1), "UL617", "two columns"),
    "case": (lambda: people().assign(Spend=1.0), "UL617", "two columns 'Spend'"),
    "number as name": (lambda: people().rename(columns={"arm": 0}), "UL617", "rename"),
    "no name": (lambda: people().rename(columns={"arm": ""}), "UL617", "name of its own"),
    "named index": (lambda: people().set_index("arm"), "UL618", r"reset_index\(\)"),
    "arrow twice": (
        lambda: pa.table([pa.array(["none"]), pa.array([1.0])], names=["a", "a"]), "UL617", "'a'",
    ),
    "no columns": (pd.DataFrame, "UL616", "no columns"),
    "a series": (lambda: people().spend, "UL616", "columns"),
    "lazy": (lambda: pl.from_pandas(people()).lazy(), "UL614", "LazyFrame"),
    "a list": (lambda: [{"arm": "none", "spend": SECRET}], "UL614", "list"),
    "wrong name": (lambda: {"people": people()}, "UL613", "no table 'people'"),
    "wrong value": (lambda: {"customers": 5}, "UL614", "int"),
    "no such file": (lambda: "nowhere.parquet", "UL201", "nowhere"),
    "lacks a column": (lambda: people()[["arm"]], "UL205", "spend"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_with_the_way_on(case, capfd):
    made, code, words = REFUSED[case]
    with pytest.raises(ul.DataError, match=words) as caught:
        plain(made())
    assert caught.value.faults[0].code == code
    assert caught.value.faults[0].remedy
    shown = f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"
    assert SECRET not in shown
    assert capfd.readouterr() == ("", "")


def test_an_index_without_a_name_is_left_out():
    frame = people()
    assert same(plain(frame.set_axis(range(1000, 1400))), plain(frame))
    assert same(plain(frame.set_axis([f"c{n}" for n in range(400)])), plain(frame))


def test_an_empty_frame_is_refused_as_an_empty_file(tmp_path):
    frame = people().iloc[:0]
    frame.to_csv(tmp_path / "customers.csv", index=False)
    told = []
    for data in (frame, tmp_path / "customers.csv"):
        with pytest.raises(ul.DataError) as caught:
            plain(data)
        told.append([(fault.code, fault.message) for fault in caught.value.faults])
    assert told[0] == told[1]


def test_a_table_that_is_not_given_is_told(tmp_path):
    with pytest.raises(ul.DataError, match="in Python give a frame") as caught:
        ul.Experiment.from_dict(PLAIN, folder=tmp_path).analyze()
    assert caught.value.faults[0].code == "UL203"


def test_frames_are_not_read_by_a_server():
    asked = PLAIN | {"engine": {"name": "spark"}}
    with pytest.raises(ul.ConfigError, match="UL619"):
        ul.Experiment.from_dict(asked).analyze(people())


def test_a_fingerprint_is_of_the_content_alone():
    frame = people().assign(band=lambda f: np.where(f.spend > 15, "größer", None), n=range(400))

    def digest(made):
        return frame_table(made, "customers").fingerprint()

    whole = pa.Table.from_pandas(frame)
    cut = pa.concat_tables([whole[:7], whole[7:300], whole[300:]])
    behind = pa.concat_tables([whole[:50], whole])[50:]
    assert digest(frame) == digest(whole) == digest(cut) == digest(behind)
    polars = pl.from_pandas(frame)
    assert digest(polars) == digest(pl.concat([polars[:7], polars[7:]], rechunk=False))
    seen = {digest(whole), digest(polars), digest(whole[:399]), digest(whole.select([1, 0, 2, 3]))}
    seen |= {digest(frame.rename(columns={"n": "m"})), digest(frame.astype({"n": "int32"}))}
    seen |= {digest(frame.assign(n=frame.n.where(frame.n != 7, 8))), digest(frame[::-1])}
    seen |= {digest(frame.assign(band=frame.band.fillna("")))}
    seen |= {digest(frame.astype({"band": "category"}))}
    assert len(seen) == 10


def test_a_missing_value_hides_nothing_in_a_fingerprint():
    values = np.array([1.0, 2.0, 3.0])
    one, other = (
        pa.array(v, mask=np.array([False, True, False])) for v in (values, [1.0, 9.0, 3.0])
    )
    tables = [frame_table(pa.table({"a": each}), "t") for each in (one, other)]
    assert tables[0].fingerprint() == tables[1].fingerprint()


def test_text_in_chunks_of_dictionaries_is_one_content():
    first = pa.array(["a", "b"]).dictionary_encode()
    second = pa.array(["b", "a"]).dictionary_encode()
    cut = pa.chunked_array([first, second])
    whole = pa.chunked_array([pa.array(["a", "b", "b", "a"]).dictionary_encode()])
    digests = [frame_table(pa.table({"a": each}), "t").fingerprint() for each in (cut, whole)]
    assert digests[0] == digests[1]


def test_results_become_tables_and_a_few_lines(file):
    frame = file.to_frame()
    assert len(frame) == len(file.findings)
    assert frame.estimate.dtype == "float64"
    assert frame.dimension.isna().sum() == sum(f.dimension is None for f in file.findings)
    polars = pl.from_arrow(file.to_arrow("arms"))
    assert polars["n"].sum() == 64_000
    course = sum(len(curve.points) for curve in file.time_course.curves)
    for name in file.tables:
        rows = course if name == "time_course" else len(getattr(file, name))
        assert len(file.to_frame(name)) == rows
    with pytest.raises(ul.DataError, match=r"UL620.*findings"):
        file.to_frame("finding")
    [roi] = file.find(kind="roi", arm="Mens E-Mail", dimension=None)
    assert roi.estimate == pytest.approx(2.0793086)
    levels = {each.level for each in file.find(kind="roi", arm="Mens E-Mail", dimension="channel")}
    assert levels == {"Phone", "Web", "Multichannel"}
    assert file.find(arm="Mans E-Mail") == ()
    with pytest.raises(ul.DataError, match=r"UL621.*no field 'kinds'"):
        file.find(kinds="roi")
    lines = repr(file).splitlines()
    assert lines[0].startswith("SHIP: Mens E-Mail pays")
    assert len(lines) == 9
    assert "[0.4851, 1.055]" in lines[3]


def test_html_is_escaped_and_runs_nothing():
    hostile = "<img src=x onerror=alert(1)>"
    arms = {"none": {"control": True}, hostile: {}}
    frame = people().replace({"arm": {"email": hostile}})
    shown = plain(frame, arms=arms)._repr_html_()
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    assert not re.search(r"<script|<style|color:|javascript:", shown)


def test_control_characters_do_not_reach_a_terminal():
    cell = ScenarioResult(
        name={"shape": "red\x1b[31m"}, treated=9, control=9, confidence=0.95, replications=5,
        calibrated=0.0,
        measured=(MeasuredCoverage(
            measure="roi", method="product", coverage=0.95, below=0.02, above=0.03, unbounded=0.0,
            rejected=0.05, null=True, error=0.01, holds=True,
        ),),
    )  # fmt: skip
    found = SimulationResult(
        version="1", experiment=None, seed=1, replications=5, cells=(cell,), holds=True
    )
    assert "\x1b" not in repr(found) + found._repr_html_()
    assert "95.0%" in repr(found)
    assert found.to_frame().coverage.tolist() == [0.95]
    assert found.find(measure="roi") == cell.measured


def test_a_report_is_the_page_of_the_command(hillstrom, file, tmp_path):
    done = command("run", HILLSTROM, "--data", hillstrom, "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    mine = file.report(tmp_path / "mine.html").read_text(encoding="utf-8")
    theirs = (tmp_path / "report.html").read_text(encoding="utf-8")
    read = ul.read_analysis(tmp_path / "analysis.json")
    assert _timeless(mine) == _timeless(theirs)
    stamp = read.provenance.model_copy(update={"created": file.provenance.created})
    assert read.model_copy(update={"provenance": stamp}).to_json() == file.to_json()
    assert read.report(tmp_path / "again.html").read_bytes() == theirs.encode()
    assert file.report(str(tmp_path / "zh.html"), lang="zh").exists()
    assert file.to_csv().startswith(b"\xef\xbb\xbfkind,metric")


def _timeless(page):
    """A page without the moments that it names, and without what embeds them."""
    page = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", page)
    page = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "", page)
    return re.sub(r"[A-Z][a-z]+ \d+, \d{4} \d\d:\d\d UTC", "", page)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """The simulated campaign, assigned by the API."""
    made = simulate(tmp_path_factory.mktemp("campaign"), customers=8_000)
    experiment = ul.Experiment.from_yaml(made.experiment)
    return experiment, experiment.assign(), made.data


def test_assigning_again_changes_nothing(campaign):
    experiment, recorded, _ = campaign
    assert recorded.new
    assert not experiment.assign().new
    manifest = recorded.manifest
    assert sum(manifest.arms.values()) + sum(manifest.excluded.values()) == 8_000


def test_a_frame_is_assigned_and_one_customer_gets_the_same_arm(tmp_path):
    values = {key: value for key, value in PLAIN.items() if key != "assignment"}
    asked = values | {"customers": {"table": "customers", "id": "id"}}
    experiment = ul.Experiment.from_dict(asked, folder=tmp_path)
    recorded = ul.assign(experiment, pl.DataFrame({"id": range(300), "spend": [1.0] * 300}))
    assert recorded.manifest.population == 300
    rows = pl.concat([pl.read_parquet(file) for file in recorded.generation.files]).to_dicts()
    assert len(rows) == 300
    assert all(experiment.assign_one(row["id"]) == row["arm"] for row in rows)
    assert all(ul.assign_one(experiment.resolved, row["id"]) == row["arm"] for row in rows)


def test_a_plan_is_locked_amended_and_its_lists_exported(tmp_path, monkeypatch):
    values = {key: value for key, value in PLAIN.items() if key != "assignment"}
    values |= {"customers": {"table": "customers", "id": "id"}}
    email = {"share": "50%", "channel": "email"}
    values |= {"arms": {"holdout": {"control": True, "share": "50%"}, "email": email}}
    shared = {"channels": {"schema": 1, "channels": {"email": {"title": "E-mail"}}}}
    frame = pl.DataFrame({"id": range(300), "age": [40] * 300, "spend": [1.0] * 300})

    def asked(**changed):
        return ul.Experiment.from_dict(values | changed, shared, folder=tmp_path)

    with pytest.raises(ul.UpliftLabError, match="UL452"):
        asked().amend("nothing is locked")
    with pytest.raises(ul.UpliftLabError, match="UL414"):
        asked(eligible="age > 50").lock(frame)
    assert asked().lock(frame).new
    assert not asked().lock(frame).new
    with pytest.raises(ul.UpliftLabError, match="UL453"):
        asked().amend("nothing has changed")
    changed = asked(title="Spring").amend("it has a title now")
    assert (changed.kind, changed.number, changed.changes[0].path) == ("amendment", 1, "title")

    experiment = asked(title="Spring")
    with pytest.raises(ul.UpliftLabError, match="UL457"):
        experiment.export(tmp_path / "lists")
    treated = experiment.assign(frame).manifest.arms["email"]
    (written,) = experiment.export(tmp_path / "lists").lists
    assert (written.channel, written.rows) == ("email", treated)
    monkeypatch.setenv("LISTS", "1234")
    with pytest.raises(ul.UpliftLabError, match="UL480"):
        experiment.export(tmp_path / "lists", pseudonyms="LISTS")
    monkeypatch.setenv("LISTS", "f3a9c07b5d184e26")
    (hidden,) = experiment.export(tmp_path / "hidden", pseudonyms="LISTS").lists
    assert hidden.path.read_text().startswith("pseudonym,arm")


def test_events_come_from_frames_and_files_alike(campaign):
    experiment, _, data = campaign
    whole = experiment.analyze()
    given = {"customers": pl.read_parquet(data / "customers.parquet")}
    given |= {"orders": pd.read_parquet(data / "orders.parquet")}
    given |= {"redemptions": data / "redemptions.parquet"}
    steps = []
    mixed = experiment.analyze(given, progress=steps.append)
    assert same(mixed, whole)
    assert "Estimating effects" in steps
    kinds = {each.source: each.file for each in mixed.data}
    assert kinds["customers"] == "polars DataFrame"
    assert kinds["orders"] == "pandas DataFrame"
    assert kinds["redemptions"] == "redemptions.parquet"
    assert kinds["contacts"] == "contacts.parquet"


def test_the_tables_are_checked(campaign):
    experiment, _, data = campaign
    assert experiment.check() == experiment.warnings
    assert not [fault for fault in experiment.check(data) if fault.severity == "error"]
    orders = pd.read_parquet(data / "orders.parquet").drop(columns="amount")
    codes = {fault.code for fault in experiment.check({"orders": orders})}
    assert "UL205" in codes
    assert ul.check(ROOT / "experiments", ROOT / "configs") == ()
    assert {fault.code for fault in ul.check("nowhere.yaml")} == {"UL001"}


def test_planning_by_values_and_by_figures(campaign):
    experiment, _, _ = campaign
    told = ul.plan(experiment, baseline_mean=10, baseline_sd=30, customers=100_000, effect="3%")
    assert told.assumed.effect == pytest.approx(0.3)
    assert set(told.to_frame("points").arm) <= {arm.arm for arm in told.arms}
    assert told.find(control=False)[0].needed > 0
    assert "100,000" in repr(told)
    assert "<table" in told._repr_html_()
    for wrong in ({"power": 1.2}, {"rate": 0.1, "baseline_mean": 1}, {"icc": 0.1}, {"effect": "x"}):
        with pytest.raises(ul.ConfigError, match=r"UL(622|320)"):
            experiment.plan(**wrong)


def test_learning_and_targeting(campaign, tmp_path):
    experiment, _, data = campaign
    learned = experiment.learn(save=tmp_path / "model.json")
    assert {"name", "value_estimate", "value_low"} <= set(learned.to_frame())
    assert len(learned.to_frame("curves")) == sum(len(curve.points) for curve in learned.curves)
    assert learned.sentence in repr(learned)
    assert learned.report(tmp_path / "uplift.html").exists()
    frame = pl.read_parquet(data / "customers.parquet")
    asked = {"budget": "5000 EUR", "model": tmp_path / "model.json", "force": True}
    asked |= {"day": date(2026, 7, 1)}
    lists = {}
    for name, customers in (("file", "customers.parquet"), ("frame", frame)):
        lists[name] = experiment.target(customers, output=tmp_path / f"{name}.csv", **asked)
    assert lists["frame"].data[-1].file == "polars DataFrame"
    assert lists["frame"].expected_cost <= 5000
    chosen = lists["frame"].to_frame()
    assert chosen.customers.sum() == lists["frame"].targeted
    assert lists["file"].seen == lists["frame"].seen == 8_000
    with pytest.raises(ul.ConfigError, match="UL637"):
        experiment.target(frame, budget="much", output=tmp_path / "x.csv")
    over = data / "customers.parquet"
    with pytest.raises(ul.DataError, match="UL641"):
        experiment.target("customers.parquet", output=over, **asked)
    given = {"orders": data / "orders.parquet"}
    with pytest.raises(ul.DataError, match="UL641"):
        experiment.target(frame, given, output=data / "orders.parquet", **asked)


def test_no_customer_is_named_where_a_result_is_shown(campaign):
    experiment, recorded, data = campaign
    ids = pl.read_parquet(data / "customers.parquet")["customer_id"].cast(pl.String).to_list()
    shown = repr(experiment) + repr(experiment.analyze()) + repr(recorded.manifest.arms)
    words = set(re.findall(r"\w+", shown))
    assert not words & {each for each in ids if len(each) > 4}


def test_threads_may_ask_at_once():
    frame, found = people(), {}

    def ask(number):
        found[number] = plain(frame)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(same(found[0], each) for each in found.values())


def test_public_names_are_there_and_nothing_is_loaded_before():
    assert set(ul.__all__) <= set(dir(ul))
    assert all(getattr(ul, name) is not None for name in ul.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ul.nothing
    code = (
        "import sys, upliftlab; upliftlab.UpliftLabError; before = set(sys.modules)\n"
        "print(sorted({'pandas', 'numpy', 'pyarrow', 'duckdb', 'pydantic', 'scipy'} & before))\n"
        "upliftlab.Experiment; print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"]


def test_every_published_result_has_tables_and_is_told():
    for module in pkgutil.iter_modules(results.__path__):
        importlib.import_module(f"{results.__name__}.{module.name}")
    kinds = [
        kind
        for kind in Published.__subclasses__()
        if kind.__module__.startswith("upliftlab.results")
    ]
    assert len(kinds) == 7
    assert all(kind.tables and "summary" in vars(kind) and "find" in vars(kind) for kind in kinds)


def test_the_page_of_the_docs_is_as_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "python.md"
    with pd.option_context("display.width", 80):
        told = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert told.attempted > 10
    assert told.failed == 0


BOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_notebook_runs_and_holds_no_outputs(book, hillstrom, tmp_path, monkeypatch):
    content = book.read_text(encoding="utf-8")
    cells = nbformat.reads(content, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert not re.search(r"/(home|tmp|work|root|Users)/", content)
    (tmp_path / "hillstrom.csv.gz").symlink_to(hillstrom / "hillstrom.csv.gz")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    client = NotebookClient(
        nbformat.reads(content, as_version=4),
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    done = client.execute()
    shown = [out for cell in done.cells for out in cell.get("outputs", ())]
    assert not [out for out in shown if out.output_type in ("stream", "error")]
    assert any("<table" in out.get("data", {}).get("text/html", "") for out in shown)
    assert (tmp_path / f"{book.stem}.html").exists()


def test_both_notebooks_are_there():
    assert [book.stem for book in BOOKS] == ["campaign", "hillstrom"]
