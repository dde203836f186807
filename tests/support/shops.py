"""A shop's tables in a workspace, read by any engine: what a test says in a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from upliftlab.analysis.aggregation import unit_table
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.population import population_of, timed
from upliftlab.config import load
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.results.analysis import Analysis

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ARMS = "arms: {none: {control: true}, mail: {channel: email}}"
SMALL = "time_zone: UTC\nsmallest_cell: 2"
"""Tables made by hand are small: cells of two are shown unless a test says otherwise."""


class Shop:
    """Tables and a plan over them; with a desk, the tables lie on a PostgreSQL server."""

    def __init__(self, root: Path, engine: Engine, desk: Any = None) -> None:
        self.root = root
        self.engine = engine
        self._desk = desk
        self._sources: dict[str, dict[str, Any]] = {}
        (root / "data").mkdir(parents=True, exist_ok=True)

    def locate(self, file: str) -> Path:
        return self.root / "data" / file

    def table(self, name: str, columns: dict[str, Any], /, **declared: Any) -> None:
        """A table of the shop, and what configs/sources.yaml says of it."""
        table = pa.table(columns)
        if self._desk is None:
            pq.write_table(table, self.locate(f"{name}.parquet"))
            place = {"file": f"{name}.parquet"}
        else:
            self._desk.publish(f"shop_{name}", table)
            place = {"table": f"odd.shop_{name}"}
        said = {"id": "id", **place, **declared}
        self._sources[name] = {key: value for key, value in said.items() if value is not None}

    def analysed(self, columns: dict[str, Any], text: str, program: str = "") -> Analysis:
        """What is found of customers who are these columns, numbered from 0."""
        self.table("customers", {"id": np.arange(len(columns["arm"])), **columns})
        return analyze(self.plan(text, program=program), AnalysisContext(self.engine, NOW))

    def plan(
        self,
        text: str,
        metrics: str = "",
        segments: str = "",
        program: str = "",
        name: str = "spring",
    ) -> Plan:
        """The plan of an experiment over the customers `customers`."""
        configs = {
            "sources": yaml.safe_dump({"sources": self._sources}),
            "metrics": f"metrics:\n{metrics}" if metrics else "",
            "segments": f"segments:\n{segments}" if segments else "",
            "program": program or SMALL,
        }
        (self.root / "configs").mkdir(exist_ok=True)
        for stem, content in configs.items():
            file = self.root / "configs" / f"{stem}.yaml"
            file.unlink(missing_ok=True)
            if content:
                file.write_text(content, encoding="utf-8")
        path = self.root / "experiment.yaml"
        head = f"schema: 1\nexperiment: {name}\ncustomers: customers\n"
        path.write_text(head + text, encoding="utf-8")
        return load(path).plan

    def units(self, plan: Plan) -> dict[str, dict[str, Any]]:
        """The unit table by arm: in these tests every customer has an arm of their own."""
        frame = timed(plan, population_of(plan, self.engine, None), self.engine)
        table, _ = unit_table(plan, frame, self.engine)
        names = {f"x{i}": name for i, name in enumerate(table.columns)}
        names |= {f"s{i}": name for i, name in enumerate(plan.segments)}
        rows = self.engine.query(table.sql()).to_pylist()
        return {row["arm"]: {name: row[column] for column, name in names.items()} for row in rows}


def each_own_arm(ids: Iterable[Any]) -> tuple[dict[str, Any], str]:
    """A customers' table in which everybody has an arm, and the arms of the plan."""
    known = list(ids)
    arms = [f"arm {key}" for key in known]
    listed = ", ".join(
        f"{arm}: {{control: true}}" if not at else f"{arm}: {{channel: email}}"
        for at, arm in enumerate(arms)
    )
    return {"id": known, "arm": arms}, f"arms: {{{listed}}}\n"
