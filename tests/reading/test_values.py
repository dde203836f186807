"""Texts become numbers, times and flags as their file means them, or are refused by name."""

# ruff: noqa: DTZ001 - times without zone, as engines give them

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upliftlab import Experiment
from upliftlab.analysis.aggregation import measure
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config import load
from upliftlab.config.models import FileFormat, Source, Uplift
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import ConfigError, DataError
from upliftlab.queries.numbers import number_sql, time_sql

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIZE = 4
BARE = {"schema": 1, "experiment": "spring", "customers": "customers"}
ARMS = {"none": {"control": True}, "mail": {"channel": "email"}}


class Desk:
    """CSV tables, and what an experiment over them counts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources: dict[str, dict] = {}

    def table(self, name: str, rows: list[str], **declared) -> None:
        (self.root / "data").mkdir(exist_ok=True)
        file = self.root / "data" / f"{name}.csv"
        file.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        self.sources[name] = {"file": file.name, "id": "id", **declared}

    def load(self, text: dict, metrics: dict | None = None, **program):
        (self.root / "configs").mkdir(exist_ok=True)
        program = {"time_zone": "UTC", "smallest_cell": 2, **program}
        files = {"sources": {"sources": self.sources}, "program": program}
        if metrics:
            files["metrics"] = {"metrics": metrics}
        for name, content in files.items():
            (self.root / "configs" / f"{name}.yaml").write_text(yaml.safe_dump(content))
        path = self.root / "experiment.yaml"
        path.write_text(yaml.safe_dump({**BARE, "arms": ARMS, **text}))
        return load(path).plan

    def spent(self, values: list[str], engine=None, currency=None, **declared) -> float:
        """The sum of a column of the customers' table."""
        rows = [f'{at},{("none", "mail")[at % 2]},"{each}"' for at, each in enumerate(values)]
        self.table("customers", ["id,arm,spent", *rows], known_after=["spent"], **declared)
        text = {"assignment": {"observed": "arm"}, "metrics": {"primary": "spent"}}
        return self._total(
            self.load({**text, **({"currency": currency} if currency else {})}), engine
        )

    def sold(self, rows: list[str], engine=None, metric=None, **declared) -> float:
        """The sum of amounts within 7 days of 2 March; rows are `id,at,amount`."""
        self.table(
            "customers", ["id,arm", *(f"{n},{('none', 'mail')[n % 2]}" for n in range(SIZE))]
        )
        zone = declared.pop("time_zone", "UTC")
        self.table("orders", ["id,at,amount,kind,seen", *rows], **{"time": "at", **declared})
        metric = metric or {"from": "orders", "sum": "amount"}
        text = {
            "assignment": {"observed": "arm"},
            "metrics": {"primary": "sales"},
            "outcome_window": "7 days",
            "waves": [{"start": date(2026, 3, 2), "share": "100%"}],
        }
        return self._total(self.load(text, {"sales": metric}, time_zone=zone), engine)

    def _total(self, plan, engine) -> float:
        def asked(place):
            cells = measure(plan, estimation_spec(plan), place).cells
            groups = next(iter(cells.values()))
            return sum(float(cell.moments.mean[0]) * cell.moments.n for cell in groups)

        if engine is not None:
            return asked(engine)
        with DuckDB(lambda file: self.root / "data" / file) as own:
            return asked(own)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(params=["duckdb", "spark"])
def engine(request, tmp_path):
    def locate(file):
        return tmp_path / "data" / file

    if request.param == "duckdb":
        with DuckDB(locate) as found:
            yield found
    else:
        request.getfixturevalue("spark")
        with Spark(locate) as found:
            yield found


def day(text: str) -> str:
    return f"0,{text},5,,"


READ = {
    "plain": (["1.5", "2", "0", "-1"], {}, 2.5),
    "exponent": (["1e2", "2.5E-1", "0", "0"], {}, 100.25),
    "flags": (["Yes", "no", "TRUE", "false"], {}, 2.0),
    "own_flags": (["ja", "Nein", "ja", "ja"], {"true": ["ja"], "false": ["nein"]}, 3.0),
    "code_behind": (["12.50 EUR", "0", "7.50 EUR", "1 EUR"], {}, 21.0),
    "code_before": (["EUR 12.50", "EUR 1", "EUR 7.50", "EUR0.5"], {}, 21.5),
    "symbol": (["€12.50", "€ 1", "7.50\u00a0€", "0.5€"], {}, 21.5),
    "comma": (["12,50", "1,234", "0", "-0,5"], {"decimal": ","}, 13.234),
    "german": (["1.234,50", "1.234", "7", "12.345.678,9"], {"thousands": "."}, 12348154.4),
    "point_said": (["1.234", "2.5", "7", "0"], {"decimal": "."}, 10.734),
    "english": (["1,234.50", "1,234", "7", "0"], {"thousands": ","}, 2475.5),
    "french": (
        ["1\u202f234,50", "1 234", "7", "1\u00a0000\u00a0000"],
        {"thousands": " ", "decimal": ","},
        1002475.5,
    ),
    "swiss": (["1'234.50", "1\u2019234", "7", "0"], {"thousands": "'"}, 2475.5),
    "german_money": (["1.234,50 €", "7 €", "7 €", "0"], {"thousands": "."}, 1248.5),
}


@pytest.mark.parametrize(("values", "form", "total"), READ.values(), ids=READ.keys())
def test_numbers_are_read_as_they_are_meant(desk, engine, values, form, total):
    declared = {"format": form} if form else {}
    assert desk.spent(values, engine, **declared) == pytest.approx(total, rel=1e-12)


REFUSED = {
    "points": (
        ["1.234", "2.500", "7", "0"],
        {},
        """UL255 the numbers of column 'spent' can be read in two ways, such as '9.999'; write \
under its source: 'format: {decimal: "."}' where '.' stands before decimals, or \
'format: {thousands: "."}' where '.' stands between thousands""",
    ),
    "millions": (
        ["1.234.567", "7", "7", "0"],
        {},
        "UL206 column 'spent' holds numbers that are no ",
    ),
    "commas": (["1,234", "7", "7", "0"], {}, "UL255"),
    "decimal_comma": (["12,50", "7", "7", "0"], {}, "'format: {decimal: \",\"}'"),
    "german": (["1.234,50", "7", "7", "0"], {}, "'format: {thousands: \".\"}'"),
    "swiss": (["1'234.50", "7", "7", "0"], {}, "'format: {thousands: \"'\"}'"),
    "not_as_declared": (["1.5", "7", "7", "0"], {"decimal": ","}, "UL206"),
    "groups_of_two": (["1.23,5", "7", "7", "0"], {"thousands": "."}, "UL206"),
    "flags_and_numbers": (
        ["yes", "no", "5", "0"],
        {},
        "UL256 column 'spent' mixes 2 words for yes and no with 2 numbers",
    ),
    "two_currencies": (
        ["5 EUR", "5 USD", "0", "0"],
        {},
        "UL223 column 'spent' has amounts in several currencies, such as EUR and USD",
    ),
    "half_named": (
        ["5 EUR", "5", "0", "0"],
        {},
        "UL223 column 'spent' has 1 amounts in EUR, and 1",
    ),
    "java": (["5d", "5", "0", "0"], {}, "UL206"),
    "words": (["5", "n/a", "0", "0"], {}, "hold text such as 'n/a'"),
    "huge": (["5", "1e100", "0", "0"], {}, "more than 1e30"),
    "infinite": (["5", "1.797e309", "0", "0"], {}, "more than 1e30"),
    "traces": (["3e-160", "1e-160", "2e-160", "0"], {}, "closer to 0 than 1e-30"),
}


@pytest.mark.parametrize(("values", "form", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_numbers_that_are_refused_name_the_line_to_write(desk, engine, values, form, said):
    with pytest.raises(DataError) as caught:
        desk.spent(values, engine, **({"format": form} if form else {}))
    (fault,) = caught.value.faults
    assert said in str(fault)


def test_a_fraction_below_one_shows_what_a_point_is(desk):
    assert desk.spent(["0.125", "1.250", "7", "0"]) == pytest.approx(8.375)


def test_a_code_that_contradicts_the_declared_currency_is_refused(desk):
    with pytest.raises(DataError, match=r"UL223 .* in USD, and is declared to be EUR"):
        desk.spent(["5 USD", "5 USD", "0", "0"], currency="EUR")
    with pytest.raises(DataError, match=r"UL223 .* in USD, and is declared to be EUR"):
        desk.spent(["$5", "$5", "0", "0"], amounts={"spent": "EUR"}, currency="EUR")
    assert desk.spent(["5 EUR", "€5", "3", "0"], currency="EUR") == 13.0


TIMES = {
    "day": ("2026-03-03", {}),
    "t": ("2026-03-03T10:00:00", {}),
    "fraction": ("2026-03-03 10:00:00.125", {}),
    "minutes": ("2026-03-03 10:00", {}),
    "zulu": ("2026-03-03T10:00:00Z", {}),
    "zulu_minutes": ("2026-03-03T10:00Z", {}),
    "offset": ("2026-03-03T10:00:00.5+02:00", {}),
    "german_day": ("03.03.2026", {"date": "DD.MM.YYYY"}),
    "german_short": ("3.3.26", {"date": "D.M.YY"}),
    "american": ("03/03/2026 01:05 PM", {"datetime": "MM/DD/YYYY hh:mm A"}),
    "american_short": ("3/3/2026 1:05 pm", {"datetime": "M/D/YYYY h:mm A"}),
    "compact": ("20260303", {"date": "YYYYMMDD"}),
    "seconds": ("03.03.2026 09:05:01", {"datetime": "DD.MM.YYYY HH:mm[:ss]"}),
    "no_seconds": ("03.03.2026 09:05", {"datetime": "DD.MM.YYYY HH:mm[:ss]"}),
    "chinese": ("2026年03月03日", {"date": "YYYY年MM月DD日"}),
    "iso_beside": ("2026-03-03 10:00:00", {"date": "DD.MM.YYYY"}),
}


@pytest.mark.parametrize(("text", "form"), TIMES.values(), ids=TIMES.keys())
def test_times_are_read_as_they_are_meant(desk, engine, text, form):
    assert desk.sold([day(text)], engine, **({"format": form} if form else {})) == 5.0


EXACT = {
    "2026-03-03T10:00:00+02:00": (True, {}, datetime(2026, 3, 3, 8)),
    "2026-03-03 10:00:00.25-0530": (True, {}, datetime(2026, 3, 3, 15, 30, 0, 250000)),
    "2026-03-03T10:00Z": (True, {}, datetime(2026, 3, 3, 10)),
    "12/31/26 12:30 AM": (False, {"datetime": "MM/DD/YY hh:mm A"}, datetime(2026, 12, 31, 0, 30)),
    "31.12.2026 23:59": (False, {"datetime": "D.M.YYYY HH:mm"}, datetime(2026, 12, 31, 23, 59)),
    "7.8.26": (False, {"date": "D.M.YY"}, datetime(2026, 8, 7)),
    "07.08.69": (False, {"date": "DD.MM.YY"}, None),
    "02.03.26": (False, {"date": "DD.MM.YYYY"}, None),
    "30.02.2026": (False, {"date": "DD.MM.YYYY"}, None),
    "13/31/2026": (False, {"date": "MM/DD/YYYY"}, None),
    "2026-13-02": (False, {"date": "YYYY-DD-MM"}, datetime(2026, 2, 13)),
    "2026-02-13": (False, {"date": "YYYY-DD-MM"}, None),
}  # fmt: skip


@pytest.mark.parametrize("text", EXACT)
def test_what_a_text_tells(desk, engine, text):
    zoned, form, expected = EXACT[text]
    desk.table("events", ["t", text])
    engine.attach("events", Source(file="events.csv"))
    sql = time_sql("t", {"t": "text"}, form=FileFormat(**form), zoned=zoned)
    assert engine.query(f"SELECT {sql} AS t FROM events").to_pylist() == [{"t": expected}]


def test_an_offset_is_allowed_for(desk):
    """23:30 in New York is 04:30 of the next day in UTC, when the window has begun."""
    early = "0,2026-03-01T23:30:00-05:00,5,,"
    assert desk.sold([early]) == 5.0
    assert desk.sold([early], time_zone="America/New_York") == 0.0
    late = "0,2026-03-08T23:30:00-04:00,5,,"
    assert desk.sold([late]) == 0.0
    assert desk.sold([late], time_zone="America/New_York") == 5.0


@pytest.mark.parametrize(
    "text",
    ["0000-00-00", "2026-02-30", "2026-03-03 24:61", "2026-03-03 24:00", "2026-3-3", "03.03.2026",
     "infinity", "2026-02-29", "0000-01-01"],
)  # fmt: skip
def test_a_day_that_no_calendar_has_is_counted_and_refused(desk, engine, text):
    said = r"UL218 1 event of orders has no time in 'at'"
    with pytest.raises(DataError, match=said):
        desk.sold([day("2026-03-03 10:00"), day(text)], engine)


def test_an_impossible_moment_of_recording_is_refused(desk, engine):
    rows = ["0,2026-03-03,5,,2026-03-04", "0,2026-03-03,5,,2026-02-30"]
    said = "UL218 1 event of orders has no time in 'seen', such as '9999-99-99'"
    with pytest.raises(DataError, match=said):
        desk.sold(rows, engine, recorded="seen")


def test_times_with_an_offset_and_without_are_refused(desk, engine):
    with pytest.raises(DataError, match="UL257 'at' mixes times"):
        desk.sold([day("2026-03-03T10:00:00Z"), day("2026-03-03T10:00:00")], engine)
    with pytest.raises(DataError, match="UL257 'at' mixes times"):
        desk.sold([day("2026-03-03T10:00:00"), day("2026-03-03T10:00:00+01:00")], engine)


@pytest.mark.parametrize("role", ["start", "as_of"])
@pytest.mark.parametrize("text", ["2026-02-30", "0000-00-00", "soon"])
def test_customers_times_are_valid_or_refused(desk, tmp_path, role, text):
    days = ["2026-03-01", text, "2026-03-01", "2026-03-01"]
    rows = [f"{n},{('none', 'mail')[n % 2]},{each}" for n, each in enumerate(days)]
    declared = {"as_of": "since"} if role == "as_of" else {}
    desk.table("customers", ["id,arm,since", *rows], **declared)
    desk.table("orders", ["id,at,amount", "0,2026-03-03,5"], time="at")
    start = {"start": "since"} if role == "start" else {}
    waves = {} if start else {"waves": [{"start": date(2026, 3, 2), "share": "100%"}]}
    asked = {"assignment": {"observed": "arm", **start}, "metrics": {"primary": "sales"}}
    plan = desk.load(
        {**asked, **waves, "outcome_window": "7 days"},
        {"sales": {"from": "orders", "sum": "amount"}},
    )
    said = rf"UL218 1 customer \({role}\) has no time in 'since'"
    with (
        DuckDB(lambda file: tmp_path / "data" / file) as engine,
        pytest.raises(DataError, match=said),
    ):
        analyze(plan, AnalysisContext(engine, NOW))


def test_events_amounts_are_read_and_refused_as_customers_are(desk, engine):
    assert desk.sold([day("2026-03-03"), "1,2026-03-04,7,,"], engine) == 12.0
    with pytest.raises(DataError, match="UL255 the numbers of 'amount' of orders"):
        desk.sold(["0,2026-03-03,1.234,,", "1,2026-03-03,5,,"], engine)
    with pytest.raises(DataError, match=r'UL206 .* write under its source: .format: .decimal: ","'):
        desk.sold(['0,2026-03-03,"12,50",,'], engine)
    total = desk.sold(['0,2026-03-03,"1.012,50",,'], engine, format={"thousands": "."})
    assert total == 1012.5
    with pytest.raises(DataError, match="UL223 'amount' of orders has amounts in several"):
        desk.sold(["0,2026-03-03,5 EUR,,", "1,2026-03-03,5 USD,,"], engine)


def test_only_rows_that_count_are_looked_at(desk):
    rows = ["0,2026-03-03,5.25,sold,", "1,2026-03-03,n/a,lost,", "2,2026-03-03,1 USD,lost,"]
    metric = {"from": "orders", "sum": "amount", "where": "kind = 'sold'"}
    assert desk.sold(rows, metric=metric) == 5.25


def test_sums_that_overflow_are_refused(desk):
    rows = [f"{n},2026-03-03,9e29,," for n in range(SIZE) for _ in range(9)]
    with pytest.raises(DataError, match="UL206 'sales' adds up to more than 1e30"):
        desk.sold(rows)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (
            (pa.timestamp("us"), pa.timestamp("us", "UTC")),
            "UL258 'at' holds times with a zone in b.parquet and times without zone in a.parquet",
        ),
        ((pa.string(), pa.int64()), "UL258 'at' holds numbers in b.parquet and texts in a.parquet"),
        ((pa.date32(), pa.timestamp("us")), "UL258 'at' holds times without zone in b.parquet"),
        ((pa.int32(), pa.float64()), None),
        ((pa.null(), pa.float64()), None),
        ((pa.timestamp("us", "UTC"), pa.timestamp("us", "Europe/Berlin")), None),
        ((pa.dictionary(pa.int32(), pa.string()), pa.large_string()), None),
    ],
    ids=["zones", "texts", "days", "sizes", "nothing", "instants", "categories"],
)
def test_files_of_one_source_hold_one_kind_of_values(tmp_path, kinds, said):
    for name, kind in zip("ab", kinds, strict=True):
        table = pa.table({"id": [1], "at": pa.nulls(1, kind)})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    with DuckDB(lambda file: tmp_path / file) as engine:
        if said is None:
            engine.attach("events", Source(file="*.parquet"))
            return
        with pytest.raises(DataError, match=said):
            engine.attach("events", Source(file="*.parquet"))


PATTERNS = {
    "dd.mm.yyyy": "write DD.mm.YYYY",
    "DD.MM": "tells no year",
    "DD.mm.YYYY": "tells no month; months are MM, minutes mm",
    "DD.MM.YYYY HH:mm": "write it as 'datetime'",
    "MMMM DD YYYY": "'MMMM', which stands for nothing",
    "DD[.MM].YYYY": "brackets elsewhere than at its end",
    "DD.DD.YYYY": "tells the day twice",
    "%d.%m.%Y": "'%', which stands for nothing",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_is_none_says_what_to_write(desk, pattern):
    desk.table("customers", ["id,arm,spent"], format={"date": pattern})
    text = {"assignment": {"observed": "arm"}, "metrics": {"primary": "spent"}}
    with pytest.raises(ConfigError) as caught:
        desk.load(text)
    assert PATTERNS[pattern] in str(caught.value)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"datetime": "DD.MM.YYYY"}, "tells no hour"),
        ({"datetime": "DD.MM.YYYY hh:mm"}, "needs both A and hh"),
        ({"decimal": ",", "thousands": ","}, "'decimal' and 'thousands' are both ','"),
        ({"true": ["x"], "false": ["X"]}, "'x' is among 'true' and 'false'"),
        ({"true": ["1"]}, "'1' is a number"),
    ],
    ids=["days", "half", "both", "same", "number"],
)
def test_a_format_that_contradicts_itself_is_refused(desk, form, said):
    desk.table("customers", ["id,arm,spent"], format=form)
    text = {"assignment": {"observed": "arm"}, "metrics": {"primary": "spent"}}
    with pytest.raises(ConfigError) as caught:
        desk.load(text)
    assert said in str(caught.value)


def test_currency_is_checked_on_the_rows_that_count(desk, tmp_path):
    people = [f"{n},{('none', 'mail')[n % 2]}" for n in range(40)]
    desk.table("customers", ["id,arm", *people])
    orders = [f"{n},2026-03-{3 + n % 6:02},{n % 7 + 1},sold,EUR" for n in range(40)]
    orders += ["3,2026-03-04,9,gift,USD", "4,2026-03-04,9,gift,CHF"]
    desk.table(
        "orders", ["id,at,amount,kind,money", *orders], time="at", currency="money",
    )  # fmt: skip
    text = {
        "assignment": {"observed": "arm"},
        "metrics": {"primary": "sales"},
        "outcome_window": "7 days",
        "waves": [{"start": date(2026, 3, 2), "share": "100%"}],
        "currency": "EUR",
    }
    found = {}
    for name, where in (("sold", {"where": "kind = 'sold'"}), ("all", {})):
        metric = {"from": "orders", "sum": "amount", **where}
        plan = desk.load(text, {"sales": metric})
        with DuckDB(lambda file: tmp_path / "data" / file) as engine:
            checks = analyze(plan, AnalysisContext(engine, NOW)).checks
        found[name] = next(c for c in checks if c.name.startswith("currency"))
    assert found["sold"].passed is True
    assert found["all"].passed is False
    assert found["all"].message == "2 events of orders are in another currency: CHF, USD."


@pytest.mark.parametrize(
    ("rows", "form", "expected"),
    [
        (["0,04.03.2026", "1,02.03.2026"], {"date": "DD.MM.YYYY"}, ["cool_down", None]),
        (["0,2026-03-04", "1,2026-03-02T10:00"], {}, ["cool_down", None]),
        (["0,2026-02-30"], {}, "UL218 1 row of log has no time in 'day'"),
        (["0,04.03.2026"], {}, "UL218 1 row of log has no time in 'day'"),
    ],
    ids=["german", "plain", "impossible", "undeclared"],
)
def test_contacts_are_dated_alike(desk, duck, rows, form, expected):
    from assigning import make_plan

    from upliftlab.assignment.assign import prepare

    desk.table("people", ["id", "0", "1"])
    desk.table("log", ["id,day", *rows])
    people, log = (str(desk.root / "data" / f"{name}.csv") for name in ("people", "log"))
    declared = {"file": log, "id": "id", "time": "day", **({"format": form} if form else {})}
    plan = make_plan(
        customers={"file": people, "id": "id"},
        sources={"log": declared},
        program={"contact_policy": {"cool_down": "7 days", "contacts": "log"}},
    )
    if isinstance(expected, str):
        with pytest.raises(DataError, match=expected):
            prepare(plan, duck, start=date(2026, 3, 10))
        return
    prepared = prepare(plan, duck, start=date(2026, 3, 10))
    found = duck.query(prepared.sql).to_pylist()
    assert [row["reason"] for row in sorted(found, key=lambda row: row["id"])] == expected


def test_learning_reads_the_same_numbers(tmp_path):
    """Every command that looks at outcomes refuses what the analysis refuses."""
    for folder in ("experiments", "configs"):
        (tmp_path / folder).mkdir()
    rows = "".join(
        f"{n},{('none', 'mail')[n % 2]},{'1e100' if n == 3 else n % 5},{n % 9}.125\n"
        for n in range(400)
    )
    (tmp_path / "data.csv").write_text(f"id,arm,spent,age\n{rows}")
    path = tmp_path / "experiments" / "example.yaml"
    path.write_text(
        "schema: 1\nexperiment: example\n"
        "customers: {file: data.csv, id: id, known_after: [spent]}\n"
        "assignment: {observed: arm}\narms: {none: {control: true}, mail: {channel: email}}\n"
        "metrics: {primary: spent}\nuplift: {features: [age]}\n"
    )
    for call in (
        lambda: Experiment.from_yaml(path).analyze(),
        lambda: Experiment.from_yaml(path).learn(),
    ):
        with pytest.raises(DataError, match=r"UL206 column 'spent' .* more than 1e30"):
            call()


def test_a_feature_that_can_be_read_in_two_ways_is_refused(tmp_path):
    from upliftlab.queries.features import features_of

    lines = "".join(f"{n},{1 + n}.500\n" for n in range(5))
    (tmp_path / "data.csv").write_text(f"id,income\n{lines}")
    with DuckDB(lambda file: tmp_path / file) as engine:
        source = Source(file="data.csv")
        engine.attach("people", source)
        with pytest.raises(DataError, match="UL255 the numbers of the feature 'income'"):
            features_of(Uplift(features=("income",)), "people", source, engine)
        said = Source(file="data.csv", format=FileFormat(thousands="."))
        features = features_of(Uplift(features=("income",)), "people", said, engine)
        (sql,) = features.sql().values()
        total = engine.query(f"SELECT SUM({sql}) AS n FROM people").to_pylist()[0]["n"]
        assert (features.kinds, total) == ({"income": "numeric"}, 17500.0)


FORMS = [
    FileFormat(decimal=decimal, thousands=thousands)
    for decimal in (".", ",")
    for thousands in (None, ".", ",", " ", "'", "_")
    if thousands != decimal
]


def written(cents: int, form: FileFormat) -> str:
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{whole:_}{form.point}{rest:02}".replace("_", form.thousands or "")


@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=8), st.sampled_from(FORMS))
def test_numbers_of_any_form_are_the_canonical_ones(law, cents, form):
    values = ", ".join(f"('{written(c, form).replace(chr(39), chr(39) * 2)}')" for c in cents)
    sql = number_sql("v", "text", form)
    found = law.query(f"SELECT {sql} AS n FROM (VALUES {values}) AS t(v)").to_pylist()
    assert [row["n"] for row in found] == [pytest.approx(c / 100, abs=1e-9) for c in cents]


DATETIMES = {
    "DD.MM.YYYY HH:mm[:ss]": "%d.%m.%Y %H:%M:%S",
    "MM/DD/YYYY hh:mm:ss A": "%m/%d/%Y %I:%M:%S %p",
    "YYYYMMDD HH:mm:ss": "%Y%m%d %H:%M:%S",
    "D-M-YY HH:mm:ss": "%d-%m-%y %H:%M:%S",
    "YYYY/MM/DDTHH:mm:ss": "%Y/%m/%dT%H:%M:%S",
}
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2068, 12, 31)).map(
    lambda t: t.replace(microsecond=0)
)


@given(st.lists(MOMENTS, min_size=1, max_size=8), st.sampled_from(sorted(DATETIMES)))
def test_times_of_any_form_are_the_canonical_ones(law, moments, pattern):
    texts = ", ".join(f"('{moment.strftime(DATETIMES[pattern])}')" for moment in moments)
    sql = time_sql("v", {"v": "text"}, form=FileFormat(datetime=pattern))
    found = law.query(f"SELECT {sql} AS t FROM (VALUES {texts}) AS t(v)").to_pylist()
    assert [row["t"] for row in found] == moments


@pytest.fixture(scope="module")
def law():
    with DuckDB(Path) as engine:
        yield engine


def test_what_a_server_holds_as_text(postgres):
    """PostgreSQL refuses a query for a text that it cannot read; only those that are read are."""
    texts = ["1.5", "Yes", "5 EUR", "1e999", "1,5", "x", "", None]
    values = ", ".join("(CAST(NULL AS VARCHAR))" if t is None else f"('{t}')" for t in texts)
    sql = f"SELECT {number_sql('v', 'text')} AS n FROM (VALUES {values}) AS t(v)"
    found = [row["n"] for row in postgres.query(sql).to_pylist()]
    assert found == [1.5, 1.0, 5.0, None, None, None, None, None]
    moments = ["2026-02-28", "2026-02-29", "2024-02-29 10:00", "0000-00-00", "2026-04-31", "24:61"]
    values = ", ".join(f"('{t}')" for t in moments)
    sql = time_sql("v", {"v": "text"})
    rows = postgres.query(f"SELECT {sql} AS t FROM (VALUES {values}) AS t(v)").to_pylist()
    good = [datetime(2026, 2, 28), None, datetime(2024, 2, 29, 10), None, None, None]
    assert [row["t"] for row in rows] == good
    sql = time_sql("v", {"v": "text"}, zoned=True)
    rows = postgres.query(
        f"SELECT {sql} AS t FROM (VALUES ('2026-03-03T10:00+02:00'), ('2026-02-30T10:00:00Z'))"
        " AS t(v)"
    ).to_pylist()
    assert [row["t"] for row in rows] == [datetime(2026, 3, 3, 8), None]
