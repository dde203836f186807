"""Small experiments with faults, for `check --data` and the analysis to agree on.

The long run draws as many experiments and prints those of which one says what the other does not:

    PYTHONPATH=src:tests/support python tests/support/agreeing.py 2000 --seed 1

A world is a few features that leave it sound, and a few faults; both are functions below, so that a
failing example shrinks to the fewest.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config import load
from upliftlab.config.checking import check as check_files
from upliftlab.data_checks.examine import Within, examine
from upliftlab.data_checks.fit import require_fit
from upliftlab.data_checks.integrity import CODES, OTHER, STILL_COMING, checks_of
from upliftlab.engines.open import open_engine
from upliftlab.errors import Diagnostic, UpliftLabError
from upliftlab.ledger import Ledger, campaign
from upliftlab.results.analysis import Analysis

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MARK = "Qx7"
"""What every text cell holds that is no arm, and nobody may be told."""
JARGON = re.compile(
    "struct_pack|No function matches|state machine|TRY_CAST|read_csv|Binder Error|Conversion Error"
    "|union_by_name|Traceback|Parser Error|Invalid Input|Catalog Error|duckdb|Candidate|pyarrow"
    "|pydantic",
    re.IGNORECASE,
)
N = 48


def _at(*parts: int) -> datetime:
    return datetime(*parts)  # noqa: DTZ001 - a time without zone, as shops write them


Columns = dict[str, list[Any]]


@dataclass
class World:
    """An experiment, its configs and its tables, before they are written.

    Attributes:
        rng: What is drawn of it.
        experiment: The experiment's YAML.
        configs: By stem, those of configs/.
        tables: Columns by table.
        kinds: The suffix of each table's file.
        texts: By table, what is done to the text of its file at last.
        extended: Whether half of the experiment stands in another file, which it extends.
        chosen: The table and column that faults of one column are of; by chance where absent.
    """

    rng: random.Random
    experiment: dict[str, Any]
    configs: dict[str, dict[str, Any]]
    tables: dict[str, Columns]
    kinds: dict[str, str]
    texts: dict[str, list[Callable[[bytes], bytes]]] = field(default_factory=dict)
    extended: bool = False
    chosen: tuple[str, str] | None = None

    @property
    def sources(self) -> dict[str, Any]:
        return self.configs["sources"]["sources"]

    @property
    def metrics(self) -> dict[str, Any]:
        return self.configs["metrics"]["metrics"]

    def second(self, name: str) -> None:
        """A further metric of the experiment."""
        listed = self.experiment["metrics"].setdefault("secondary", [])
        if name not in listed:
            listed.append(name)

    def events(self) -> None:
        """Metrics over events need a start and a window."""
        self.experiment.setdefault("outcome_window", "14 days")
        if "waves" not in self.experiment and "start" not in self.experiment["assignment"]:
            self.experiment["waves"] = [{"start": "2026-03-02", "share": "100%"}]
        self.metrics.setdefault("orders_n", {"from": "orders", "count": True})
        self.second("orders_n")

    def write(self, folder: Path) -> Path:
        """The experiment's file, with all that it names."""
        (folder / "configs").mkdir(parents=True)
        (folder / "data").mkdir()
        for stem, content in self.configs.items():
            _yaml(folder / "configs" / f"{stem}.yaml", content)
        for name, columns in self.tables.items():
            suffix = self.kinds[name]
            content = _WRITERS[suffix](columns)
            for change in self.texts.get(name, ()) if suffix != "parquet" else ():
                content = change(content)
            (folder / "data" / f"{name}.{suffix}").write_bytes(content)
        path, own = folder / "spring.yaml", self.experiment
        if self.extended:
            moved = [key for at, key in enumerate(own) if at % 2 and key not in _OWN]
            _yaml(folder / "base.yaml", {"schema": 1, **{key: own[key] for key in moved}})
            own = {key: value for key, value in own.items() if key not in moved}
            own["extends"] = "base.yaml"
        _yaml(path, own)
        return path


_OWN = ("schema", "experiment")
"""What the child of an `extends` says itself."""


def _yaml(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _parquet(columns: Columns) -> bytes:
    into = io.BytesIO()
    pq.write_table(pa.table({name: _array(values) for name, values in columns.items()}), into)
    return into.getvalue()


def _array(values: list[Any]) -> pa.Array:
    """Cells of one type; as texts where they are of several."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and kinds:
        return pa.array(
            [None if v is None else float(v) for v in values] if float in kinds else values
        )
    if len(kinds) > 1:
        values = [None if value is None else _cell(value) for value in values]
    return pa.array(values, pa.string() if kinds == {str} or len(kinds) > 1 else None)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _delimited(sign: str) -> Callable[[Columns], bytes]:
    def write(columns: Columns) -> bytes:
        into = io.StringIO()
        writer = csv.writer(into, delimiter=sign, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([*map(_cell, row)] for row in zip(*columns.values(), strict=True))
        return into.getvalue().encode()

    return write


def _lines(columns: Columns) -> bytes:
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    plain = (
        {k: _cell(v) if isinstance(v, datetime) else v for k, v in row.items()} for row in rows
    )
    return "".join(json.dumps(_finite(row)) + "\n" for row in plain).encode()


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


_WRITERS = {
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "parquet": _parquet,
    "jsonl": _lines,
}


def sound(seed: int, kinds: tuple[str, str] = ("csv", "csv")) -> World:
    """An experiment without faults."""
    rng, start = random.Random(seed), _at(2026, 3, 2)
    ids = [f"{MARK}c{number:03}" for number in range(N)]
    customers: Columns = {
        "id": ids,
        "arm": [("none", "mail")[number % 2] for number in range(N)],
        "spend": [round(rng.uniform(1, 90), 2) for _ in ids],
        "visits": [rng.randrange(9) for _ in ids],
        "before": [round(rng.uniform(1, 90), 2) for _ in ids],
        "age": [rng.randrange(18, 80) for _ in ids],
        "region": [f"{MARK}{('north', 'south', 'east')[number // 2 % 3]}" for number in range(N)],
        "tier": [f"{MARK}{('gold', 'iron')[number // 4 % 2]}" for number in range(N)],
        "member": [number // 3 % 2 == 0 for number in range(N)],
        "house": [f"{MARK}h{number // 4 * 2 + number % 2:03}" for number in range(N)],
        "begun": [start + timedelta(days=number // 2 % 3) for number in range(N)],
        "known": ["2026-02-20"] * N,
    }
    orders: Columns = {"order": [], "id": [], "amount": [], "at": [], "code": [], "trial": []}
    orders |= {"seen": [], "kind": []}
    for number in range(6 * N):
        at = _at(2026, 2, 1, 9) + timedelta(hours=rng.randrange(24 * 60) // 24 * 24 + number % 9)
        row = (f"{MARK}o{number:04}", rng.choice(ids), round(rng.uniform(2, 60), 2), at, "EUR")
        row += ("spring", at + timedelta(days=1), f"{MARK}{rng.choice(('shoe', 'hat'))}")
        for column, value in zip(orders.values(), row, strict=True):
            column.append(value)
    for number in range(20):  # the table goes on after the last window
        row = (
            f"{MARK}p{number:04}",
            ids[number],
            5.0,
            _at(2026, 4, 2 + number // 2, 10),
            "EUR",
        )
        row += ("spring", _at(2026, 5, 20), f"{MARK}shoe")
        for column, value in zip(orders.values(), row, strict=True):
            column.append(value)
    files = dict(zip(("customers", "orders"), kinds, strict=True))
    return World(
        rng,
        {
            "schema": 1,
            "experiment": "spring",
            "customers": "customers",
            "currency": "EUR",
            "assignment": {"observed": "arm"},
            "arms": {"none": {"control": True}, "mail": {"channel": "email"}},
            "metrics": {"primary": "spend"},
        },
        {
            "sources": {
                "sources": {
                    "customers": {"file": f"customers.{kinds[0]}", "id": "id"},
                    "orders": {"file": f"orders.{kinds[1]}", "id": "id", "time": "at"},
                }
            },
            "metrics": {"metrics": {"visits": {"column": "visits"}}},
            "segments": {"segments": {"ages": {"column": "age", "bands": [30, 50]}}},
            "channels": {"channels": {"email": {"cost_per_contact": 0.1}}},
            "program": {"time_zone": "UTC", "smallest_cell": 2, "layers": {"main": {}}},
        },
        {"customers": customers, "orders": orders},
        files,
    )


Change = Callable[[World], None]
FEATURES: dict[str, Change] = {}
FAULTS: dict[str, Change] = {}


def feature(made: Change) -> Change:
    FEATURES[made.__name__] = made
    return made


def fault(made: Change) -> Change:
    FAULTS[made.__name__] = made
    return made


@feature
def assigned_here(world: World) -> None:
    del world.experiment["assignment"]["observed"]


@feature
def extended(world: World) -> None:
    world.extended = True


@feature
def blocked(world: World) -> None:
    assigned_here(world) if "observed" in world.experiment["assignment"] else None
    world.experiment["assignment"] |= {"method": "blocked", "strata": ["region"]}


@feature
def more_metrics(world: World) -> None:
    world.second("visits")
    world.second("age")


@feature
def inline_metric(world: World) -> None:
    world.experiment["metrics"].setdefault("define", {})["calls"] = {"column": "visits"}
    world.second("calls")


@feature
def flag_metric(world: World) -> None:
    world.second("member")


@feature
def computed(world: World) -> None:
    world.experiment["columns"] = {"double": "spend * 2"}
    world.second("double")


@feature
def segments(world: World) -> None:
    world.experiment["segments"] = ["region", "ages"]


@feature
def recency(world: World) -> None:
    rfm = {"recency": "age", "frequency": "visits", "monetary": "before"}
    world.configs["segments"]["segments"]["value"] = {"rfm": {**rfm, "show": "monetary"}}
    world.experiment["segments"] = ["value"]


@feature
def lifecycle(world: World) -> None:
    world.events()
    states = {"from": "orders", "active": "10 days", "lapsed": "20 days", "where": "amount > 1"}
    world.configs["segments"]["segments"]["life"] = {"lifecycle": states}
    world.experiment["segments"] = ["life"]


@feature
def covariates(world: World) -> None:
    world.experiment.setdefault("analysis", {})["covariates"] = ["before"]


@feature
def covariate_of_events(world: World) -> None:
    world.events()
    world.experiment.setdefault("analysis", {})["covariates"] = ["orders_n_before"]


@feature
def waves(world: World) -> None:
    world.experiment["waves"] = [
        {"start": "2026-03-02", "share": "50%"},
        {"start": "2026-03-04", "share": "50%"},
    ]
    if "observed" in world.experiment["assignment"]:
        world.experiment["assignment"]["start"] = "begun"


@feature
def start_column(world: World) -> None:
    world.experiment["assignment"]["start"] = "begun"


@feature
def event_metrics(world: World) -> None:
    world.events()
    world.metrics["revenue"] = {"from": "orders", "sum": "amount", "unit": "money"}
    world.metrics["hats"] = {"from": "orders", "sum": "amount", "where": f"kind <> '{MARK}'"}
    world.metrics["last"] = {"from": "orders", "last": "amount"}
    world.second("revenue")
    world.second("hats")


@feature
def event_condition(world: World) -> None:
    world.events()
    world.metrics["big"] = {"from": "orders", "any": True, "where": "amount > 20 and code = 'EUR'"}
    world.second("big")


@feature
def eligible(world: World) -> None:
    world.experiment["eligible"] = "age >= 20 and tier <> 'x'"


@feature
def exclude(world: World) -> None:
    world.experiment["exclude"] = "age > 78"


@feature
def ignore_arms(world: World) -> None:
    if "observed" in world.experiment["assignment"]:
        world.experiment["assignment"]["ignore_arms"] = ["letter"]
        world.tables["customers"]["arm"][-2:] = ["letter"] * 2


@feature
def labels(world: World) -> None:
    if "observed" in world.experiment["assignment"]:
        world.experiment["arms"]["mail"]["observed"] = ["M"]
        arms = world.tables["customers"]["arm"]
        arms[1:9:2] = ["M"] * 4


@feature
def key(world: World) -> None:
    world.events()
    world.sources["orders"]["key"] = ["order"]


@feature
def repeats(world: World) -> None:
    key(world)
    world.sources["orders"]["repeats"] = world.rng.choice(("once", "each"))


@feature
def currency(world: World) -> None:
    event_metrics(world)
    world.sources["orders"] |= {"currency": "code", "amounts": {"amount": "EUR"}}


@feature
def zone(world: World) -> None:
    world.events()
    world.sources["orders"]["zone"] = "Europe/Berlin"


@feature
def recorded(world: World) -> None:
    world.events()
    world.sources["orders"]["recorded"] = "seen"


@feature
def own_events(world: World) -> None:
    world.events()
    world.sources["orders"]["experiment"] = "trial"


@feature
def known_after(world: World) -> None:
    world.sources["customers"]["known_after"] = ["visits"]


@feature
def attributes(world: World) -> None:
    world.sources["customers"]["attributes"] = {"region": "demographic", "tier": "behavioural"}


@feature
def as_of(world: World) -> None:
    world.sources["customers"]["as_of"] = "known"


@feature
def weight(world: World) -> None:
    world.sources["customers"]["weight"] = "heads"
    world.sources["customers"].pop("id", None)
    world.tables["customers"]["heads"] = [1 + number // 2 % 2 for number in range(N)]


@feature
def totals(world: World) -> None:
    customers, spend = world.tables["customers"], world.tables["customers"]["spend"]
    customers["heads"] = [10 + number // 2 % 3 for number in range(N)]
    customers["total"] = [round(v * n, 4) for v, n in zip(spend, customers["heads"], strict=True)]
    customers["squares"] = [
        round(v * v * n * 1.5, 4) for v, n in zip(spend, customers["heads"], strict=True)
    ]
    sums = {"n": "heads", "sum": {"spend": "total"}, "sum_sq": {"spend": "squares"}}
    world.sources["customers"]["aggregated"] = sums
    world.sources["customers"].pop("id", None)


@feature
def households(world: World) -> None:
    world.sources["customers"]["household"] = "house"
    world.experiment["assignment"]["unit"] = "house"


@feature
def household_named(world: World) -> None:
    world.sources["customers"]["household"] = "region"


@feature
def german(world: World) -> None:
    """Commas before decimals, declared; only in files of texts."""
    if world.kinds["customers"] in ("csv", "tsv"):
        world.sources["customers"]["format"] = {"decimal": ",", "missing": ["NA"]}
        for name in ("spend", "before"):
            values = world.tables["customers"][name]
            world.tables["customers"][name] = [f"{value:.2f}".replace(".", ",") for value in values]


@feature
def missing(world: World) -> None:
    world.metrics["visits"]["missing"] = world.rng.choice(("zero", "drop"))
    world.tables["customers"]["visits"][3:7] = [None] * 4
    world.second("visits")


@feature
def winsorized(world: World) -> None:
    world.experiment.setdefault("analysis", {})["winsorize"] = {"spend": "99%"}


@feature
def looks(world: World) -> None:
    if not any(name in world.metrics for name in ("orders_n",)):
        world.events()
    world.experiment["metrics"] = {"primary": "orders_n"}
    world.experiment.setdefault("analysis", {})["looks"] = ["7 days"]


@feature
def money(world: World) -> None:
    event_metrics(world)
    world.experiment["money"] = {"revenue": "revenue", "margin": "40%"}
    world.experiment["metrics"]["primary"] = "profit"


@feature
def layer(world: World) -> None:
    if "observed" not in world.experiment["assignment"]:
        world.experiment["assignment"]["layer"] = "main"


@feature
def policy(world: World) -> None:
    world.configs["program"]["contact_policy"] = {
        "cool_down": "3 days",
        "complaints": "orders",
        "opt_out": "age > 79",
    }


@feature
def delivered(world: World) -> None:
    if "observed" not in world.experiment["assignment"]:
        world.experiment["assignment"]["delivered"] = "arm"


def _columns(world: World, table: str | None = None) -> tuple[str, str]:
    """A column that the YAML names, of some table."""
    named = set(re.findall(r"\w+", yaml.safe_dump([world.experiment, world.configs])))
    found = [
        (name, column)
        for name, columns in world.tables.items()
        for column in columns
        if column in named and table in (None, name)
    ]
    return world.chosen or world.rng.choice(sorted(found))


def _mark(column: str) -> str:
    """What a new text of a column begins with; arms of several customers may be named."""
    return "" if column == "arm" else MARK


def _some(world: World, table: str, column: str, make: Callable[[Any], Any], few: int = 3) -> None:
    values = world.tables[table][column]
    for at in world.rng.sample(range(len(values)), min(few, len(values))):
        values[at] = make(values[at])


@fault
def column_gone(world: World) -> None:
    table, column = _columns(world)
    del world.tables[table][column]


@fault
def column_renamed(world: World) -> None:
    table, column = _columns(world)
    columns = world.tables[table]
    world.tables[table] = {c if c != column else f"{c}_x": v for c, v in columns.items()}


@fault
def stray_text(world: World) -> None:
    table, column = _columns(world)
    _some(world, table, column, lambda _: f"{_mark(column)}stray text")


@fault
def dashes(world: World) -> None:
    _some(world, *_columns(world), lambda _: "-")


@fault
def empty_cells(world: World) -> None:
    _some(world, *_columns(world), lambda _: None)


@fault
def all_empty(world: World) -> None:
    table, column = _columns(world)
    world.tables[table][column] = [None] * len(world.tables[table][column])


@fault
def all_text(world: World) -> None:
    table, column = _columns(world)
    many = len(world.tables[table][column])
    world.tables[table][column] = [f"{_mark(column)}t{number % 5}" for number in range(many)]


@fault
def own_text_each(world: World) -> None:
    table, column = _columns(world)
    many = len(world.tables[table][column])
    world.tables[table][column] = [f"{_mark(column)}own{number}" for number in range(many)]


@fault
def all_numbers(world: World) -> None:
    table, column = _columns(world)
    many = len(world.tables[table][column])
    world.tables[table][column] = [number % 4 for number in range(many)]


@fault
def all_times(world: World) -> None:
    table, column = _columns(world)
    many = len(world.tables[table][column])
    world.tables[table][column] = [_at(2026, 2, 1 + at % 20) for at in range(many)]


@fault
def all_flags(world: World) -> None:
    table, column = _columns(world)
    many = len(world.tables[table][column])
    world.tables[table][column] = [at % 3 == 0 for at in range(many)]


@fault
def not_numbers(world: World) -> None:
    bad = world.rng.choice((math.nan, math.inf, 1e300))
    table, column = _columns(world)
    values = world.tables[table][column]
    if all(isinstance(value, int | float) for value in values if value is not None):
        world.tables[table][column] = [None if v is None else float(v) for v in values]
        _some(world, table, column, lambda _: bad)


@fault
def tiny_numbers(world: World) -> None:
    table, column = _columns(world)
    world.tables[table][column] = [1e-160] * len(world.tables[table][column])


@fault
def thousands(world: World) -> None:
    table, column = world.rng.choice((("customers", "spend"), ("orders", "amount")))
    if column in world.tables[table]:
        many = len(world.tables[table][column])
        world.tables[table][column] = [f"{1 + number % 7}.234" for number in range(many)]


@fault
def with_currency(world: World) -> None:
    _some(world, "customers", _columns(world, "customers")[1], lambda value: f"{value} USD", 40)


@fault
def repeated_rows(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    for values in world.tables[table].values():
        values.extend(values[:3])


@fault
def two_arms(world: World) -> None:
    customers = world.tables["customers"]
    for name, values in customers.items():
        values.extend(["mail", "none"] if name == "arm" else values[:2])


@fault
def unknown_arms(world: World) -> None:
    if "arm" in world.tables["customers"]:
        label = world.rng.choice(("letter", " mail", "Mail", "none "))
        world.tables["customers"]["arm"][:3] = [label] * 3


@fault
def no_arm(world: World) -> None:
    if "arm" in world.tables["customers"]:
        world.tables["customers"]["arm"][:3] = [None] * 3


@fault
def one_arm(world: World) -> None:
    world.tables["customers"]["arm"] = ["mail"] * len(world.tables["customers"]["id"])


@fault
def uneven_arms(world: World) -> None:
    many = len(next(iter(world.tables["customers"].values())))
    world.tables["customers"]["arm"] = [("none", "mail")[at % 8 > 0] for at in range(many)]


_TIMES = (("customers", "begun"), ("customers", "known"), ("orders", "at"), ("orders", "seen"))


@fault
def bad_dates(world: World) -> None:
    table, column = world.rng.choice(_TIMES)
    text = world.rng.choice(("2026-02-30", "0000-00-00", "soon", "03/04/2026", "31.12.2026"))
    if column in world.tables[table]:
        _some(world, table, column, lambda _: text)


@fault
def mixed_offsets(world: World) -> None:
    table, column = world.rng.choice(_TIMES)
    if column in world.tables[table]:
        _some(world, table, column, lambda value: f"{_cell(value)[:10]} 10:00:00+02:00", 5)


@fault
def known_late(world: World) -> None:
    _some(world, "customers", "known", lambda _: "2026-05-01")


@fault
def other_currency(world: World) -> None:
    _some(world, "orders", "code", lambda _: "USD", 9)


@fault
def no_rows(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.tables[table] = {name: [] for name in world.tables[table]}


@fault
def ends_early(world: World) -> None:
    orders = world.tables["orders"]
    kept = [at for at, t in enumerate(orders["at"]) if isinstance(t, datetime) and t.month < 3]
    world.tables["orders"] = {name: [values[at] for at in kept] for name, values in orders.items()}


@fault
def begins_late(world: World) -> None:
    orders = world.tables["orders"]
    kept = [at for at, t in enumerate(orders["at"]) if isinstance(t, datetime) and t.month > 2]
    world.tables["orders"] = {name: [values[at] for at in kept] for name, values in orders.items()}


@fault
def strangers(world: World) -> None:
    _some(world, "orders", "id", lambda value: f"{value}9", world.rng.choice((9, 400)))


@fault
def spaced_ids(world: World) -> None:
    _some(world, "orders", "id", lambda value: f"{value} ", 60)


@fault
def float_ids(world: World) -> None:
    ids = world.tables["customers"]["id"]
    ids[:] = [float(2**53 + at) for at in range(len(ids))]


@fault
def latin(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.texts.setdefault(table, []).append(
        lambda text: text.replace(MARK.encode(), f"{MARK}ü".encode("latin-1"))
    )


@fault
def ragged(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.texts.setdefault(table, []).append(lambda text: text + f"{MARK}a,{MARK}b\n".encode())


@fault
def longer_row(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    extra = f",{MARK}q" * 30
    world.texts.setdefault(table, []).append(lambda text: text + f"{MARK}a{extra}\n".encode())


@fault
def open_quote(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.texts.setdefault(table, []).append(lambda text: text + f'"{MARK}a,1\n'.encode())


@fault
def no_header(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.texts.setdefault(table, []).append(lambda text: text.partition(b"\n")[2])


@fault
def cut_file(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.texts.setdefault(table, []).append(lambda text: text[: len(text) // 2])


@fault
def nothing_in_it(world: World) -> None:
    table = world.rng.choice(sorted(world.tables))
    world.texts.setdefault(table, []).append(lambda _: b"")


@fault
def file_gone(world: World) -> None:
    del world.tables[world.rng.choice(sorted(world.tables))]


Way = tuple[str | int, ...]


def _leaves(value: Any, way: Way = ()) -> list[Way]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in [(*way, k), *_leaves(v, (*way, k))]]
    if isinstance(value, list):
        return [leaf for k, v in enumerate(value) for leaf in _leaves(v, (*way, k))]
    return [way]


def _anywhere(world: World) -> tuple[Any, str | int]:
    """Some value of the YAML as what holds it and under which key."""
    documents = {"experiment": world.experiment, **world.configs}
    ways = [way for way in _leaves(documents) if len(way) > 1]
    *above, last = world.rng.choice(ways)
    here: Any = documents
    for step in above:
        here = here[step]
    return here, last


@fault
def misspelt(world: World) -> None:
    """A text of the YAML with a letter too many."""
    here, last = _anywhere(world)
    if isinstance(here[last], str):
        here[last] += "e"


@fault
def another_type(world: World) -> None:
    here, last = _anywhere(world)
    here[last] = world.rng.choice(([1], {"a": 1}, -3, "abc", True, None, 1e9, "2026-02-31"))


@fault
def another_column(world: World) -> None:
    """Some column in the place of another."""
    here, last = _anywhere(world)
    table, _ = _columns(world)
    every = [*world.tables[table]]
    if isinstance(here[last], str) and any(here[last] in t for t in world.tables.values()):
        here[last] = world.rng.choice(every)


@fault
def key_gone(world: World) -> None:
    here, last = _anywhere(world)
    if isinstance(here, dict):
        del here[last]


@fault
def key_misspelt(world: World) -> None:
    here, last = _anywhere(world)
    if isinstance(here, dict):
        here[f"{last}x"] = here.pop(last)


@fault
def undeclared_layer(world: World) -> None:
    world.experiment.setdefault("assignment", {})["layer"] = "retention"


@fault
def unknown_source(world: World) -> None:
    world.experiment["customers"] = "clients"


@fault
def absent_attribute(world: World) -> None:
    world.sources["customers"].setdefault("attributes", {})["shoe_size"] = "demographic"


@fault
def absent_outcome(world: World) -> None:
    world.sources["customers"]["known_after"] = ["shoe_size"]


@fault
def uncomparable(world: World) -> None:
    world.experiment["eligible"] = world.rng.choice(
        ("region > 3", "spend = 'x'", "begun > age", "tier", "not age", "spend > visits * region")
    )


@fault
def nobody_eligible(world: World) -> None:
    world.experiment["eligible"] = "age > 500"


@fault
def numbers_asked_of_texts(world: World) -> None:
    name = world.rng.choice(("region", "tier", "begun", "house", "id"))
    way = world.rng.randrange(3)
    if way == 0:
        world.second(name)
    elif way == 1:
        world.experiment.setdefault("analysis", {})["covariates"] = [name]
    else:
        world.configs["segments"]["segments"]["odd"] = {"column": name, "bands": [1, 2]}
        world.experiment["segments"] = ["odd"]


@fault
def segment_of_persons(world: World) -> None:
    world.experiment["segments"] = [world.rng.choice(("id", "spend", "house"))]


ALONE = {"weight", "totals"}
"""Rows of several customers, which most other features do not go with."""
GROUPED = {*ALONE, "computed", "segments", "eligible", "exclude", "labels", "ignore_arms", "as_of"}
_FEW = 0.08


@dataclass(frozen=True)
class Asked:
    """What is drawn: which features and faults, of which seed, in which files."""

    features: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    seed: int = 0
    kinds: tuple[str, str] = ("csv", "csv")

    def world(self) -> World:
        """The world with its features and then its faults, as far as they go together."""
        made = sound(self.seed, self.kinds)
        named = [FEATURES[each] for each in FEATURES if each in self.features]
        for change in [*named, *(FAULTS[each] for each in self.faults)]:
            try:
                change(made)
            except (KeyError, IndexError, TypeError, AttributeError):
                continue  # an earlier fault took away what this one would change
        return made


@dataclass
class Answers:
    """What was said of one experiment.

    Attributes:
        checked: By `check` and `check --data`.
        raised: By the analysis (and the assignment before it); empty where it came to an end.
        analysis: What it came to.
        stage: Which step raised.
    """

    checked: tuple[Diagnostic, ...]
    raised: tuple[Diagnostic, ...]
    analysis: Analysis | None
    stage: str

    @property
    def errors(self) -> list[Diagnostic]:
        return [each for each in self.checked if each.severity == "error"]

    @property
    def failed(self) -> list[str]:
        """The checks that make the analysis INVALID, as far as they can be asked before."""
        if self.analysis is None:
            return []
        asked = {check.name for check in checks_of(drafted=self.stage == "assigned")}
        return [
            kind
            for check in self.analysis.checks
            if check.severity == "critical"
            and check.passed is False
            and (kind := check.name.partition(":")[0]) in asked
        ]

    @property
    def wrong(self) -> str | None:
        """In what they do not agree."""
        codes = {each.code for each in self.checked}
        if silent := [each for each in self.failed if CODES.get(each, OTHER) not in codes]:
            return f"run is INVALID by {silent}, check --data says {sorted(codes)}"
        refused = bool(self.raised) or any(each not in STILL_COMING for each in self.failed)
        if refused != bool(self.errors):
            own = [f"{each.code} {each.message}" for each in self.raised] or self.failed
            said = [f"{each.code} {each.message}" for each in self.errors]
            return f"run refuses {own}, check --data {said}"
        for each in (*self.checked, *self.raised):
            text = f"{each.message} {each.remedy}"
            if MARK in text:
                return f"tells a cell: {each}"
            if found := JARGON.search(text):
                return f"tells '{found[0]}': {each}"
        return None


def answers(path: Path, folder: Path) -> Answers:
    """What `check`, `check --data` and the analysis say of an experiment."""
    checked = check_files([path])
    if not any(each.severity == "error" for each in checked):
        checked = (*checked, *examine(path, NOW, Within(path.parent / "data", path)))
    analysis, raised, stage = None, (), "loading"
    try:
        loaded = load(path, data=path.parent / "data")
        drawn = loaded.plan.experiment.assignment.observed is None
        ledger = Ledger(folder / "ledger")
        with open_engine(loaded.plan.engine, loaded.workspace.locate, [ledger.folder]) as engine:
            record = None
            if not drawn:
                stage = "analysing"
            else:
                stage = "assigning"
                require_fit(loaded.scope, engine)
                campaign.assign(ledger, loaded.plan, engine, NOW)
                record = campaign.open_record(ledger, loaded.plan)
                stage = "assigned"
            analysis = analyze(loaded.plan, AnalysisContext(engine, NOW, record=record))
    except UpliftLabError as error:
        raised = error.faults
    return Answers(checked, raised, analysis, stage)


def tried(asked: Asked, folder: Path) -> Answers:
    """What is said of a drawn experiment."""
    here = Path(tempfile.mkdtemp(dir=folder))
    try:
        return answers(asked.world().write(here), here)
    finally:
        shutil.rmtree(here)


def drawn(rng: random.Random) -> Asked:
    """An experiment by chance."""
    known = GROUPED if rng.random() < _FEW else set(FEATURES) - ALONE
    features = rng.sample(sorted(known), rng.randrange(6))
    faults = rng.sample(sorted(FAULTS), rng.choice((0, 1, 1, 1, 2)))
    kinds = (rng.choice(("csv", "csv", "parquet", "jsonl", "tsv")), rng.choice(("csv", "parquet")))
    return Asked(tuple(sorted(features)), tuple(faults), rng.randrange(1_000), kinds)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("rounds", type=int, nargs="?", default=2_000)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    rng, counts, codes = random.Random(options.seed), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            one = drawn(rng)
            try:
                said = tried(one, Path(folder))
                wrong, stage = said.wrong, "analysed" if said.analysis else said.stage
                codes.update({each.code for each in said.checked})
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                wrong, stage = f"raises {error!r}"[:300], "fault"
            counts[stage if wrong is None else "WRONG"] += 1
            if wrong:
                print(f"{number} {one}\n    {wrong}", flush=True)  # noqa: T201 - a command
    print(dict(counts))  # noqa: T201
    print(f"{len(codes)} codes: {dict(codes.most_common())}")  # noqa: T201
    sys.exit(1 if counts["WRONG"] else 0)


if __name__ == "__main__":
    main()
