"""The findings by what they are about, each with its place in the JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from upliftlab.report.interval import Value
from upliftlab.results.analysis import (
    Analysis,
    EstimandKind,
    Finding,
    Heterogeneity,
    MetricInfo,
    Reconciliation,
)

CONTACT = "contact_channel"
"""The dimension customers were randomised to: how an arm contacts."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """A row of a table: an arm (None: pooled) in a cell (None: overall)."""

    arm: str | None
    dimension: str | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column of a table: what is estimated, of which metric (None: whichever it has)."""

    kind: EstimandKind
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and its place in the JSON."""

    finding: Finding
    key: str

    @property
    def value(self) -> Value:
        """Its estimate and interval."""
        found = self.finding
        ends = found.low, found.high
        return Value(found.estimate, *ends, found.note, self.key, shrunken=found.shrunken)


@dataclass(frozen=True)
class Index:
    """An analysis that can be asked for its findings."""

    analysis: Analysis

    @cached_property
    def _found(self) -> dict[tuple[Quantity, RowKey], Found]:
        known: dict[tuple[Quantity, RowKey], Found] = {}
        for i, finding in enumerate(self.analysis.findings):
            place = RowKey(finding.arm, finding.dimension, finding.level)
            found = Found(finding, f"/findings/{i}")
            for metric in (finding.metric, None):
                known.setdefault((Quantity(finding.kind, metric), place), found)
        return known

    def get(self, quantity: Quantity, place: RowKey) -> Found | None:
        """The finding, where there is one."""
        return self._found.get((quantity, place))

    def heterogeneity(
        self, dimension: str, kind: EstimandKind
    ) -> dict[str | None, tuple[int, Heterogeneity]]:
        """By arm, whether levels differ in a kind of effect; each with its place in the list."""
        tests = enumerate(self.analysis.heterogeneity)
        return {t.arm: (i, t) for i, t in tests if (t.dimension, t.kind) == (dimension, kind)}

    def reconciliations(self, dimension: str) -> dict[str | None, tuple[int, Reconciliation]]:
        """By arm, how a segment's levels add up; each with its place in the list."""
        sums = enumerate(self.analysis.reconciliations)
        return {one.arm: (i, one) for i, one in sums if one.dimension == dimension}

    def places(self, dimension: str | None) -> tuple[RowKey, ...]:
        """The rows of a dimension, each once, in the order found."""
        rows = (
            RowKey(finding.arm, finding.dimension, finding.level)
            for finding in self.analysis.findings
            if finding.dimension == dimension
        )
        return tuple(dict.fromkeys(rows))

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Every dimension found: contact channels first, then as declared."""
        declared = [segment.name for segment in self.analysis.segments]
        found = [f.dimension for f in self.analysis.findings if f.dimension is not None]
        held = set(found)
        ordered = [name for name in (CONTACT, *declared, *found) if name in held]
        return tuple(dict.fromkeys(ordered))

    @cached_property
    def primary(self) -> MetricInfo | None:
        """The metric the experiment is judged by."""
        return next((m for m in self.analysis.metrics if m.role == "primary"), None)

    @cached_property
    def treated(self) -> tuple[str, ...]:
        """The arms compared with the control."""
        return tuple(arm.arm for arm in self.analysis.arms if not arm.control)

    def metric(self, name: str) -> MetricInfo | None:
        """A metric by its name."""
        return next((m for m in self.analysis.metrics if m.name == name), None)
