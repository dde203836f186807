"""The findings by what they are about, each with its place in the JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from upliftlab.report.figure import Formatter
from upliftlab.report.interval import Value
from upliftlab.results.analysis import (
    Analysis,
    BridgeLine,
    EstimandKind,
    Finding,
    Heterogeneity,
    Message,
    MetricInfo,
    Note,
    Reconciliation,
    Scalar,
)
from upliftlab.results.costs import CostStep
from upliftlab.text.language import N_

CONTACT = "contact_channel"
"""The dimension customers were randomised to: how an arm contacts."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """A row of a table: an arm (None: pooled) in a cell (None: overall)."""

    arm: str | None
    dimension: str | None = None
    level: str | None = None
    control: str | None = None
    """What the arm is compared with, where that is another arm and not the control."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column of a table: what is estimated, of which metric (None: whichever it has).

    Of a kind that is adjusted where it can be, the number to go by is meant; `beside` means the one
    of the groups as they are, where that is another.
    """

    kind: EstimandKind
    metric: str | None = None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and its place in the JSON."""

    finding: Finding
    key: str
    note: Note | None = None
    """Why a number is absent, or why it is not adjusted where others are."""

    @property
    def value(self) -> Value:
        """Its estimate and interval."""
        found = self.finding
        ends = found.low, found.high
        return Value(found.estimate, *ends, self.note, self.key, shrunken=found.shrunken)


@dataclass(frozen=True)
class Index:
    """An analysis that can be asked for its findings."""

    analysis: Analysis
    part: Literal["findings", "compared"] = "findings"
    """Which of its lists: arms against the control, or against each other."""

    @property
    def between_arms(self) -> bool:
        """Whether arms stand against each other, and the control aside."""
        return self.part == "compared"

    @cached_property
    def _findings(self) -> tuple[tuple[Finding, RowKey], ...]:
        """The findings of the list, each with its row."""
        chosen = self.analysis.compared if self.between_arms else self.analysis.findings
        return tuple(
            (f, RowKey(f.arm, f.dimension, f.level, f.control if self.between_arms else None))
            for f in chosen
        )

    def named(self, quantity: Quantity, arm: str) -> Found | None:
        """What the verdict tells of the arm it names, where it was chosen among several."""
        for i, finding in enumerate(self.analysis.verdict.findings):
            metric = quantity.metric in (None, finding.metric)
            if metric and (finding.kind.plain, finding.arm) == (quantity.kind, arm):
                return Found(finding, f"/verdict/findings/{i}", finding.note)
        return None

    def line(self, arm: str, step: CostStep) -> tuple[str, BridgeLine] | None:
        """A line from an arm's revenue to its profit, with its place in the JSON."""
        for i, bridge in enumerate(self.analysis.bridges):
            for j, line in enumerate(bridge.lines):
                if (bridge.arm, bridge.dimension, line.kind) == (arm, None, step):
                    return f"/bridges/{i}/lines/{j}", line
        return None

    @cached_property
    def _found(self) -> dict[tuple[Quantity, RowKey], Found]:
        known: dict[tuple[Quantity, RowKey], Found] = {}
        for i, (finding, place) in enumerate(self._findings):
            kind = finding.kind
            if not finding.headline and kind.plain is not kind:
                continue
            note = finding.note or self._unadjusted.get((kind, finding.metric, place))
            found, beside = Found(finding, f"/{self.part}/{i}", note), not finding.headline
            for metric in (finding.metric, None):
                known.setdefault((Quantity(kind.plain, metric, beside), place), found)
        return known

    @cached_property
    def _unadjusted(self) -> dict[tuple[EstimandKind, str, RowKey], Note | None]:
        """Why numbers to go by are not adjusted."""
        return {
            (f.kind.plain, f.metric, place): f.note
            for f, place in self._findings
            if f.kind.plain is not f.kind and not f.headline
        }

    def get(self, quantity: Quantity, place: RowKey) -> Found | None:
        """The finding, where there is one."""
        return self._found.get((quantity, place))

    def heterogeneity(
        self, dimension: str, kind: EstimandKind
    ) -> dict[str | None, tuple[int, Heterogeneity]]:
        """By arm, whether levels differ in a kind of effect; each with its place in the list.

        It is asked of the numbers to go by: adjusted ones where that test could be made.
        """
        known: dict[str | None, tuple[int, Heterogeneity]] = {}
        for i, test in enumerate(self.analysis.heterogeneity):
            if (test.dimension, test.kind.plain) != (dimension, kind):
                continue
            if test.arm not in known or test.p is not None:
                known[test.arm] = (i, test)
        return known

    def reconciliations(self, dimension: str) -> dict[str | None, tuple[int, Reconciliation]]:
        """By arm, how a segment's levels add up; each with its place in the list."""
        sums = enumerate(self.analysis.reconciliations)
        return {one.arm: (i, one) for i, one in sums if one.dimension == dimension}

    def places(self, dimension: str | None) -> tuple[RowKey, ...]:
        """The rows of a dimension, each once, in the order found."""
        rows = (place for finding, place in self._findings if finding.dimension == dimension)
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

    @cached_property
    def control(self) -> str | None:
        """The arm the others are compared with."""
        return next((arm.arm for arm in self.analysis.arms if arm.control), None)

    @cached_property
    def _means(self) -> dict[tuple[str, str], tuple[int, float | None]]:
        means = enumerate(self.analysis.means)
        return {(one.metric, one.arm): (i, one.mean) for i, one in means}

    def mean(self, metric: str, arm: str) -> tuple[int, float | None]:
        """A metric's mean in an arm, with its place in the list."""
        return self._means.get((metric, arm), (0, None))

    def metric(self, name: str) -> MetricInfo | None:
        """A metric by its name."""
        return next((m for m in self.analysis.metrics if m.name == name), None)

    @cached_property
    def names(self) -> dict[str, str]:
        """What arms are called for people, where that was declared."""
        return {arm.arm: arm.title for arm in self.analysis.arms if arm.title is not None}

    def called(self, arm: str) -> str:
        """What an arm is called for people."""
        return self.names.get(arm, arm)

    def dimension_title(self, name: str, formatter: Formatter) -> str:
        """What a dimension is called."""
        if name == CONTACT:
            return formatter.text(N_("Contact channel"))
        return next((s.title for s in self.analysis.segments if s.name == name), name)

    def level_title(self, dimension: str, level: str | None, formatter: Formatter) -> str:
        """What a level is called; several that are shown together by how many they are."""
        info = next((s for s in self.analysis.segments if s.name == dimension), None)
        if info is not None and info.joined is not None and level == info.joined:
            values: dict[str, Scalar] = {"count": info.joined_levels}
            message = Message(template=N_("other ({count:count} levels)"), values=values)
            return formatter.language.say(message, formatter.currency)
        return formatter.text(N_("not known")) if level is None else level
