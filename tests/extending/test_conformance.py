"""The suite of `engine check`: every engine passes it, and a faulty one does not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from upliftlab.config.models import EngineSettings, Source
from upliftlab.config.models.sources import settings_model
from upliftlab.conformance import CASES, conform, run_case
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.open import open_engine


def opener(name, **settings):
    chosen = settings_model(name).model_validate({"name": name, **settings})
    return lambda locate, folders: open_engine(chosen, locate, folders)


def wrong(results):
    return {each.case.name: each.wrong for each in results if each.wrong}


def left_out(results):
    return [each.case.name for each in results if each.left_out]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_embedded_engine(case, tmp_path):
    result = run_case(case, opener("duckdb", threads=2), tmp_path)
    assert (result.wrong, result.status) == ((), "ok")


@pytest.mark.usefixtures("spark")
def test_spark(tmp_path):
    results = conform(opener("spark"), tmp_path)
    assert (wrong(results), left_out(results)) == ({}, [])


def test_postgresql(server, desk, tmp_path):
    made = set[str]()

    def publish(name: str, table: pa.Table) -> Source:
        if name in made:  # a transaction may be reading it: its rows change, and it stays
            desk.publish(f"{name}_new", table)
            again = f"DELETE FROM odd.{name}; INSERT INTO odd.{name} TABLE odd.{name}_new"
            desk.run(f"BEGIN; {again}; COMMIT")
        else:
            desk.publish(name, table)
            made.add(name)
        return Source(table=f"odd.{name}", id="id")

    results = conform(opener("postgres", connection=server), tmp_path, publish)
    assert (wrong(results), left_out(results)) == ({}, [])


def test_a_server_s_own_tables_are_left_alone(server, tmp_path):
    results = conform(opener("postgres", connection=server), tmp_path)
    assert wrong(results) == {}
    assert left_out(results) == [case.name for case in CASES if case.places]


@pytest.mark.usefixtures("lake")
def test_another_package_s_engine(tmp_path):
    results = conform(opener("lake", compression="snappy"), tmp_path)
    assert (wrong(results), left_out(results)) == ({}, [])


@pytest.mark.usefixtures("lake")
def test_it_runs_without_being_installed(tmp_path):
    """What a package's own tests do: they open the engine themselves."""
    from shop_lake.engine import LakeSettings, open_lake

    for case in CASES:
        folder = tmp_path / case.name
        folder.mkdir()
        result = run_case(case, lambda *place: open_lake(LakeSettings(), *place), folder)
        assert result.wrong == (), case.name


class Careless(DuckDB):
    """What an engine gets wrong whose author did not read the protocol."""

    def batches(self, sql, _rows):
        yield from self.query(sql).to_batches()

    def keep(self, name, _sql):
        raise KeyError(name)

    def write(self, sql, destination):
        return super().write(f"SELECT * FROM ({sql}) LIMIT 1", destination) + 1

    def confirm(self):
        return None

    def fingerprint(self, _source):
        return str(Path.cwd()), "0" * 64


def test_a_faulty_engine_fails(tmp_path):
    def careless(locate, folders):
        return Careless(locate, EngineSettings(threads=2), folders=folders)

    found = wrong(conform(careless, tmp_path))
    assert set(found) == {"batches", "keep", "write", "fingerprint", "missing", "closing"}
    assert "raised KeyError at" in found["keep"][0]
