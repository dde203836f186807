"""Values at ranks, asked of every engine, against sorting."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.queries.quantiles import OrderedQuery, ordered_sql, read_ordered
from upliftlab.stats.quantiles import ranks_of


def sorted_here(values: np.ndarray, ranks: tuple[int, ...]) -> dict[int, tuple[float, int]]:
    ordered = np.sort(values)
    return {
        rank: (float(ordered[rank - 1]), int((values == ordered[rank - 1]).sum())) for rank in ranks
    }


def test_every_engine_finds_what_sorting_finds(anywhere):
    rng = np.random.default_rng(11)
    amounts = {
        "mail": np.round(rng.lognormal(3, 1, 700), 2) * (rng.random(700) < 0.6),
        "it's ours": np.round(rng.normal(0, 30, 123)),
        "aside": np.full(50, -1e9),
    }
    arms = [arm for arm, values in amounts.items() for _ in values]
    order = rng.permutation(len(arms))
    values = np.concatenate(list(amounts.values()))
    columns = {"arm": pa.array(arms).take(order), "x0": pa.array(values).take(order)}
    file = anywhere.root / "amounts.parquet"
    pq.write_table(pa.table(columns), file)
    engine = anywhere.engine
    engine.load("amounts", [file])
    asked = {
        "mail": ranks_of(0.9, 700, 0.95).whole,
        "it's ours": (1, 61, 62, 123),
    }
    query = OrderedQuery("amounts", 0, asked)
    result = engine.query(ordered_sql(query))
    assert result.num_rows == 2  # no unit is fetched, and no other arm
    found = read_ordered(query, result)
    assert found == {arm: sorted_here(amounts[arm], ranks) for arm, ranks in asked.items()}
