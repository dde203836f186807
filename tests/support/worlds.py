"""The simulated world, assigned and analysed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config import Loaded, load
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.engines.duckdb import DuckDB
from upliftlab.ledger import Ledger, campaign
from upliftlab.results.analysis import Analysis
from upliftlab.simulate import simulate

ASSIGNED = datetime(2026, 3, 2, 5, tzinfo=UTC)
ANALYSED = datetime(2026, 6, 1, 9, tzinfo=UTC)


def assigned(folder: Path, customers: int = 5_000, seed: int = 7) -> Loaded:
    """A simulated world in a folder, its customers assigned in ledger/."""
    loaded = load(simulate(folder, customers=customers, seed=seed).experiment)
    with DuckDB(loaded.workspace.locate) as engine:
        campaign.assign(Ledger(folder / "ledger"), loaded.plan, engine, ASSIGNED)
    return loaded


def analysed(loaded: Loaded, engine: Engine | None = None, plan: Plan | None = None) -> Analysis:
    """The analysis of an assigned world, on the embedded engine unless another is given."""
    record = campaign.open_record(Ledger(loaded.workspace.root / "ledger"), loaded.plan)
    asked = loaded.plan if plan is None else plan
    if engine is not None:
        return analyze(asked, AnalysisContext(engine, ANALYSED, record=record))
    with DuckDB(loaded.workspace.locate) as embedded:
        return analyze(asked, AnalysisContext(embedded, ANALYSED, record=record))
