"""A result in batches: the whole of it, no batch too large, whatever the engine."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from upliftlab.errors import EngineError
from upliftlab.util.sql import literal


def collected(engine, sql, rows):
    found = list(engine.batches(sql, rows))
    assert all(0 < batch.num_rows <= rows for batch in found)
    return pa.Table.from_batches(found) if found else None


@pytest.fixture(
    params=[
        "duck",
        pytest.param("spark", marks=pytest.mark.spark),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def engine(request):
    return request.getfixturevalue(request.param)


def numbers(engine, size):
    engine.keep("numbers", " UNION ALL ".join(f"SELECT {n} AS n" for n in range(size)))
    return (
        "SELECT n, CAST(n AS DOUBLE) / 4 AS x, CASE WHEN n <> 3 THEN 'é' END AS name FROM numbers"
    )


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_nothing_is_lost_and_no_batch_is_too_large(engine, rows):
    table = collected(engine, numbers(engine, 60), rows).sort_by("n")
    assert table["n"].to_pylist() == list(range(60))
    assert table["x"].to_pylist() == [n / 4 for n in range(60)]
    assert table["name"].to_pylist() == [None if n == 3 else "é" for n in range(60)]


def test_no_rows_are_no_batches(engine):
    assert collected(engine, numbers(engine, 3) + " WHERE n > 9", 5) is None


def test_the_engine_answers_again_once_a_reader_is_closed(engine):
    reader = iter(engine.batches(numbers(engine, 60), 7))
    next(reader)
    reader.close()
    assert engine.query("SELECT COUNT(*) AS n FROM numbers").to_pylist() == [{"n": 60}]
    day = f"SELECT CAST({literal('2026-03-02')} AS DATE) AS day"
    assert collected(engine, day, 5).to_pylist() == [{"day": dt.date(2026, 3, 2)}]


def test_a_query_that_is_refused(engine):
    with pytest.raises(EngineError, match="UL502"):
        list(engine.batches("SELECT nothing FROM nowhere", 5))


def test_memory_is_bounded_by_the_batch(duck):
    """Five million rows of 60 bytes: a batch of them is all that is ever held."""
    before = pa.total_allocated_bytes()
    total = 0
    sql = "SELECT range AS n, md5(CAST(range AS VARCHAR)) AS h FROM range(2000000)"
    for batch in duck.batches(sql, 50_000):
        total += batch.num_rows
        assert pa.total_allocated_bytes() - before < 20_000_000
    assert total == 2_000_000
