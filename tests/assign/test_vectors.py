"""The published test vectors, on every engine."""

from __future__ import annotations

from fractions import Fraction
from hashlib import md5
from pathlib import Path
from uuid import UUID

import pytest

from upliftlab.assignment.assign import verify
from upliftlab.assignment.hashing import BEYOND, VECTORS, bucket, choose, cuts, digest
from upliftlab.assignment.vectors import vectors_sql
from upliftlab.config.models import EngineSettings
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.open import open_engine
from upliftlab.errors import ConfigError, DataError


@pytest.mark.parametrize(("salt", "unit", "place"), VECTORS)
def test_python_gives_the_published_place(salt, unit, place):
    assert digest(salt, unit) == place
    assert md5(f"{salt}:{unit}".encode()).hexdigest().startswith(place)


def buckets(engine):
    return engine.query(vectors_sql())["bucket"].to_pylist()


EXPECTED = [bucket(place) for _, _, place in VECTORS]


def test_duckdb_gives_the_published_places(duck: DuckDB):
    assert verify(duck) == ()
    assert buckets(duck) == EXPECTED


@pytest.mark.spark
def test_spark_gives_the_published_places(spark):
    assert verify(spark) == ()
    assert buckets(spark) == EXPECTED


@pytest.mark.postgres
def test_postgres_gives_the_published_places(postgres):
    assert verify(postgres) == ()
    assert buckets(postgres) == EXPECTED


@pytest.mark.postgres
def test_a_server_that_is_not_utf8_is_found_out(server, desk):
    desk.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    setting = server.replace("dbname=postgres", "dbname=latin")
    with open_engine(EngineSettings(name="postgres", connection=setting), Path) as latin:
        faults = verify(latin)
    assert {fault.code for fault in faults} == {"UL515"}


@pytest.mark.parametrize("unit", [None, True, 1.0, float("nan"), b"1", UUID(int=1)])
def test_other_ids_are_refused(unit):
    with pytest.raises(DataError, match="UL413"):
        digest("s", unit)


def test_a_text_that_is_no_unicode_is_refused():
    with pytest.raises(DataError, match="UL413"):
        digest("s", "\ud800")


def test_cuts_are_exact():
    third = Fraction(1, 3)
    assert cuts([third, third, third]) == ("555555555555556", "aaaaaaaaaaaaaab", BEYOND)
    assert cuts([Fraction(0), Fraction(1, 16**15)]) == ("0" * 15, "0" * 14 + "1")


def test_a_share_of_nothing_gets_nobody_and_a_whole_one_everybody():
    ends = cuts([Fraction(0), Fraction(1)])
    assert {choose(h, ends) for h in ("0" * 15, "8" * 15, "f" * 15)} == {1}


@pytest.mark.parametrize("shares", [[Fraction(2, 3), Fraction(1, 2)], [Fraction(-1, 2)]])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(ConfigError, match="UL407"):
        cuts(shares)


def test_the_documentation_lists_every_vector():
    text = (Path(__file__).parents[2] / "docs" / "assignment.md").read_text(encoding="utf-8")
    rows = text[text.index("| salt | id | place |") :].split("\n\n")[0].split("\n")[2:]
    listed = [
        f"| `{salt}` | number `{unit}` | `{place}` |"
        if isinstance(unit, int)
        else f'| `{salt}` | text `"{unit}"` | `{place}` |'
        for salt, unit, place in VECTORS
    ]
    assert rows == listed
