"""Columns of 0 and 1: their cubes are not summed, and what is no flag is found in time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from upliftlab.analysis.aggregation import cells_of
from upliftlab.engines.duckdb import DuckDB
from upliftlab.queries.moments import SAMPLE, MomentsQuery, moments_sql, sample_sql, tuned
from upliftlab.stats.moments import Moments

N = SAMPLE + 400


def cells(values):
    """The cells of the query as tuned by a sample, and what it asks for."""
    numbers = f"{values} AS x0, (i % 97) * (i % 97) * 0.5 AS x1"
    table = f"(SELECT 'a' AS arm, {numbers} FROM range({N}) AS t(i) ORDER BY i)"
    query = MomentsQuery(table, ("x", "y"), ())
    with DuckDB(Path) as engine:
        asked = moments_sql(tuned(query, engine.query(sample_sql(query))))
        (cell,) = cells_of(query, engine)[()]
    whole = np.array(duckdb.sql(f"SELECT x0, x1 FROM {table}").fetchall(), dtype=float)
    return asked, cell, Moments.of(whole)


@pytest.mark.parametrize(
    ("values", "cubes", "flag"),
    [
        ("(i % 3 = 0)::DOUBLE", False, True),
        ("(i % 1000 > 0)::DOUBLE", True, True),
        (f"CASE WHEN i < {SAMPLE} THEN i % 2 ELSE 3 END::DOUBLE", False, False),
        (
            f"(CASE WHEN i < {SAMPLE} THEN i % 2 ELSE 3 * (i % 2) - 1 END)::DOUBLE",
            False,
            False,
        ),
        (f"CASE WHEN i < {SAMPLE} THEN 0 ELSE 7 END::DOUBLE", True, False),
        ("(i * 0)::DOUBLE", True, True),
    ],
    ids=["flag", "nearly all", "later no flag", "below 0", "later some", "nothing"],
)
def test_third_moments_are_those_of_the_values(values, cubes, flag):
    asked, cell, expected = cells(values)
    assert ("t0" in asked) is cubes
    assert ("x" in cell.flags) is flag
    assert cell.moments.n == N
    for found, known in ((cell.moments.mean, expected.mean), (cell.moments.m2, expected.m2)):
        assert found == pytest.approx(known, rel=1e-9)
    assert cell.moments.m3 == pytest.approx(expected.m3, rel=1e-9, abs=1e-3)
