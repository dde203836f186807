"""The same small shop on every engine."""

from __future__ import annotations

import pytest
from shops import Shop

from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark


@pytest.fixture(params=["duckdb", "spark", "postgres"])
def anywhere(request, tmp_path):
    """A shop on each engine in turn."""
    if request.param == "duckdb":
        with DuckDB(lambda file: tmp_path / "data" / file) as engine:
            yield Shop(tmp_path, engine)
    elif request.param == "postgres":
        engine, desk = (request.getfixturevalue(name) for name in ("postgres", "desk"))
        yield Shop(tmp_path, engine, desk)
    else:
        request.getfixturevalue("spark")  # the session that all tests share
        with Spark(lambda file: tmp_path / "data" / file) as engine:
            yield Shop(tmp_path, engine)
