"""100,000 ids of all kinds have the same place and bucket on every engine."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crowds import number_ids, text_ids

from upliftlab.assignment.hashing import bucket, digest
from upliftlab.assignment.places_sql import bucket_sql, hash_sql, text_sql

SALT = "été '26 \\"


@cache
def ids() -> pa.Table:
    return pa.table({"word": text_ids(50_000, 1), "number": number_ids(50_000, 2)})


@cache
def places() -> tuple[dict[object, str], dict[object, str]]:
    words, numbers = (ids()[name].to_pylist() for name in ("word", "number"))
    return {w: digest(SALT, w) for w in words}, {n: digest(SALT, n) for n in numbers}


def check(engine, folder):
    path = folder / "ids.parquet"
    pq.write_table(ids(), path)
    engine.load("many", [path])
    both = ", ".join(f"{hash_sql(SALT, text_sql(name))} AS {name}_h" for name in ids().column_names)
    found = engine.query(
        f"SELECT word, number, word_h, number_h, {bucket_sql('word_h')} AS b"
        f" FROM (SELECT word, number, {both} FROM many) AS hashed"
    ).to_pydict()
    words, numbers = places()
    assert dict(zip(found["word"], found["word_h"], strict=True)) == words
    assert dict(zip(found["number"], found["number_h"], strict=True)) == numbers
    assert found["b"] == [bucket(h) for h in found["word_h"]]


def test_duckdb(duck, tmp_path):
    check(duck, tmp_path)


@pytest.mark.spark
def test_spark(spark, tmp_path):
    check(spark, tmp_path)


@pytest.mark.postgres
def test_postgres(postgres, tmp_path):
    check(postgres, tmp_path)
