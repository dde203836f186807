"""Plans to assign customers by."""

from __future__ import annotations

from typing import Any

from upliftlab.config.models import Program, Source
from upliftlab.config.models.experiment import ExperimentFile, Plan

TWO_ARMS: dict[str, Any] = {
    "holdout": {"control": True, "share": "20%"},
    "email": {"share": "80%", "channel": "email"},
}


def make_plan(
    name: str = "spring",
    *,
    arms: dict[str, Any] | None = None,
    customers: dict[str, Any] | None = None,
    program: dict[str, Any] | None = None,
    sources: dict[str, Any] | None = None,
    **more: Any,
) -> Plan:
    source = customers or {"file": "customers.parquet", "id": "id"}
    experiment = ExperimentFile.model_validate(
        {
            "schema": 1,
            "experiment": name,
            "customers": source,
            "arms": arms or TWO_ARMS,
            "metrics": {"primary": "spend"},
            **more,
        }
    )
    return Plan(
        experiment=experiment,
        customers=Source.model_validate(source),
        currency=None,
        arms=dict(experiment.arms),
        channels={},
        metrics={},
        segments={},
        sources={key: Source.model_validate(value) for key, value in (sources or {}).items()},
        program=Program.model_validate(program or {}),
    )
