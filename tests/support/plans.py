"""Plans made by hand, for tests that start behind the YAML."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.models import Channel, Metric, Program, Segment, Source
from upliftlab.config.models.experiment import ExperimentFile, Plan
from upliftlab.engines.duckdb import DuckDB
from upliftlab.results.analysis import Analysis, Finding

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_plan(smallest_cell: int = 2, **changes: object) -> Plan:
    """A plan of two e-mails against none; `changes` replace parts of the experiment.

    Tables made by hand are small: cells of two units are shown unless a test says otherwise.
    """
    content: dict[str, object] = {
        "schema": "1",
        "experiment": "small",
        "customers": {"file": "customers.csv"},
        "assignment": {"observed": "arm"},
        "arms": {"none": {"control": "true"}, "mail": {"channel": "email"}},
        "metrics": {"primary": "spend"},
        **changes,
    }
    asked = ExperimentFile.model_validate({k: v for k, v in content.items() if v is not None})
    assert isinstance(asked.customers, Source)
    plan = Plan(
        experiment=asked,
        customers=asked.customers,
        currency=asked.currency,
        arms=asked.arms,
        channels={arm.channel: Channel() for arm in asked.arms.values() if arm.channel},
        metrics={},
        segments={name: Segment(column=name) for name in asked.segments},
        sources={},
        program=Program(smallest_cell=smallest_cell),
    )
    money = asked.money.revenue if asked.money else None
    metrics = {
        name: Metric(column=name, unit="money" if name == money else None) for name in plan.measured
    }
    return plan.model_copy(update={"metrics": metrics})


def run(plan: Plan, folder: Path, now: datetime = NOW) -> Analysis:
    """Analyse a plan on the files of a folder."""
    with DuckDB(lambda file: folder / file) as engine:
        return analyze(plan, AnalysisContext(engine, now))


def pick(analysis: Analysis, kind: str, arm: str | None = "mail", **where: str | None) -> Finding:
    """The only finding of a kind for an arm; `where` narrows metric, dimension or level."""
    wanted = {"dimension": None, "level": None, **where}
    found = [
        finding
        for finding in analysis.findings
        if finding.kind == kind
        and finding.arm == arm
        and all(getattr(finding, key) == value for key, value in wanted.items())
    ]
    assert len(found) == 1, f"{len(found)} findings {kind} {arm} {wanted}"
    return found[0]
