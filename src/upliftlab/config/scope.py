"""What a rule looks at: a plan, and where in which file each of its values stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from upliftlab.config.document import Document
from upliftlab.config.models import Metric
from upliftlab.config.models.experiment import ExperimentFile, Plan
from upliftlab.config.shared import Shared
from upliftlab.errors import Place


@dataclass(frozen=True, slots=True)
class Scope:
    """One experiment as its rules see it."""

    plan: Plan
    document: Document
    shared: Shared

    def at(self, *path: str | int, key: bool = False) -> Place:
        """The place of a value of the experiment's file."""
        return self.document.at(*path, key=key)

    @property
    def declared(self) -> dict[str, Metric]:
        """Every metric that is declared: in `configs/metrics.yaml`, or by the experiment itself."""
        return declared_metrics(self.plan.experiment, self.shared)

    def metric_at(self, name: str, *path: str | int, key: bool = False) -> Place:
        """Where a metric is declared."""
        if name in self.plan.experiment.metrics.define:
            return self.at("metrics", "define", name, *path, key=key)
        return self.shared.at("metrics", "metrics", name, *path, key=key)

    @property
    def customers_known(self) -> bool:
        """Whether the customers' table is declared where it can be read."""
        given = self.plan.experiment.customers
        if "sources" in self.shared.broken:
            return False
        return not isinstance(given, str) or given in (self.shared.sources or {})

    @property
    def salt(self) -> str | None:
        """What this experiment's randomisation is drawn with; None where it was made elsewhere."""
        assignment = self.plan.experiment.assignment
        if assignment.observed is not None:
            return None
        return assignment.salt or self.plan.experiment.experiment

    @property
    def has_salt(self) -> bool:
        """Whether the file itself writes a salt."""
        return self.plan.experiment.assignment.salt is not None


def declared_metrics(experiment: ExperimentFile, shared: Shared) -> dict[str, Metric]:
    """The metrics that an experiment can name: the workspace's, and those it defines itself."""
    return {**(shared.metrics or {}), **experiment.metrics.define}


@dataclass(frozen=True, slots=True)
class MetricDeclarations:
    """The metrics that one file declares, as their rules see them.

    Attributes:
        metrics: By name.
        known: All that they may be made of, themselves among them.
        shared: The tables of events that they may be computed from.
        place: Where a value of one stands: its name, the way below it, and whether its key is
            meant.
    """

    metrics: Mapping[str, Metric]
    known: Mapping[str, Metric]
    shared: Shared
    place: Callable[..., Place]

    @classmethod
    def of_configs(cls, shared: Shared) -> MetricDeclarations:
        """Those of `configs/metrics.yaml`."""
        metrics = shared.metrics or {}
        return cls(metrics, metrics, shared, partial(shared.at, "metrics", "metrics"))

    @classmethod
    def of_experiment(cls, scope: Scope) -> MetricDeclarations:
        """Those of `metrics: {define: …}`."""
        own = scope.plan.experiment.metrics.define
        return cls(own, scope.declared, scope.shared, partial(scope.at, "metrics", "define"))

    def at(self, name: str, *path: str | int, key: bool = False) -> Place:
        """Where a value of a metric stands."""
        return self.place(name, *path, key=key)


@dataclass(frozen=True, slots=True)
class Siblings:
    """The experiments of one workspace, and what they share."""

    scopes: Sequence[Scope]
    shared: Shared
