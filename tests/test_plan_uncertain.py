"""Table values with standard errors: a plan takes them as certain, and says so."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from shops import Shop

from upliftlab.config.models.limits import Tolerance
from upliftlab.engines.duckdb import DuckDB
from upliftlab.planning.assumptions import Assumptions
from upliftlab.planning.plan import PlanningContext, plan

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMPAIGN = """\
arms: {none: {share: 50%, control: true}, mail: {share: 50%, channel: email}}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics: {primary: worth_of}
"""
METRICS = "  worth_of: {from: states, last: worth, better: higher, unit: money}\n"


def planned(root, monthly):
    rng = np.random.default_rng(3)
    with DuckDB(lambda file: root / "data" / file) as engine:
        made = Shop(root, engine)
        made.table("customers", {"id": np.arange(2_000)})
        states = {
            "id": rng.choice(2_000, 600, replace=False),
            "at": [date(2026, 2, 25)] * 600,
            "state": rng.choice(["monthly", "yearly"], 600),
        }
        values = {"monthly": monthly, "yearly": 240}
        columns = {"worth": {"by": "state", "values": values}}
        made.table("states", states, time="at", columns=columns)
        assumed = Assumptions(effect=Tolerance(value=0.2, kind="relative"))
        return plan(made.plan(CAMPAIGN, METRICS), assumed, PlanningContext(NOW, engine))


def test_the_power_is_that_of_certain_values(tmp_path):
    certain, uncertain = (
        planned(tmp_path / name, monthly)
        for name, monthly in (("a", 90), ("b", {"value": 90, "se": 8}))
    )
    assert certain.arms[1].power > 0.3
    assert uncertain.arms[1].power == pytest.approx(certain.arms[1].power)
    assert uncertain.needed == certain.needed
    said = [any("taken as certain" in n.template for n in p.notes) for p in (certain, uncertain)]
    assert said == [False, True]
