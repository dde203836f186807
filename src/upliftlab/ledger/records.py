"""What the ledger writes down, as frozen models: plans, amendments, assignments and promises.

Records hold counts and digests, never a customer's id.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from upliftlab.config.models.experiment import Plan
from upliftlab.results.promises import TargetPolicy
from upliftlab.util.personal import free_name


class RecordEntry(BaseModel):
    """A record of one file: JSON with sorted keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1, 2] = 2
    """Version of this record's shape; 1 knows no journal."""
    before: str | None = None
    """Hex digest of the journal's last entry when this was written; null if it was empty."""
    experiment: str
    time: AwareDatetime

    def content(self) -> bytes:
        """The record's file, byte for byte."""
        shape = self.model_dump(mode="json", exclude={"before"} if self.format == 1 else None)
        return (json.dumps(shape, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()

    @property
    def sha256(self) -> str:
        """Hex digest of the record's file."""
        return hashlib.sha256(self.content()).hexdigest()


class PlanEntry(RecordEntry):
    """A plan as it was frozen."""

    upliftlab: str
    """Version of the software that froze it."""
    plan: dict[str, Any]
    """The canonical form."""
    plan_sha256: str
    """Hex digest of the canonical form."""

    @property
    def canonical(self) -> str:
        """The canonical form as `Plan.canonical()` writes it."""
        return json.dumps(self.plan, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def intact(self) -> bool:
        """Whether the plan is the one its digest was taken of."""
        return hashlib.sha256(self.canonical.encode()).hexdigest() == self.plan_sha256


class Lock(PlanEntry):
    """The plan as it was first frozen."""

    after_outcomes: bool = False
    """Whether outcomes had been read before there was a plan."""


class PlanChange(BaseModel):
    """One value of the plan that an amendment changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    before: str
    after: str


class Amendment(PlanEntry):
    """A change of the plan, and why."""

    number: int
    """1 for the first."""
    kind: Literal["amendment", "deviation"]
    """A deviation was made after outcomes had been read."""
    why: str
    changes: tuple[PlanChange, ...]
    previous: str
    """Hex digest of the record before this one."""


class OutcomesRead(RecordEntry):
    """When outcomes were first read."""

    plan_sha256: str | None
    """The plan that was in force, if there was one."""


class SourceOrigin(BaseModel):
    """A table as it was when it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    place: str
    sha256: str


class AssignmentCount(BaseModel):
    """How many customers share an arm, stratum, wave and reason; see `pooled`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    arm: str | None
    stratum: str | None
    wave: int | None
    reason: str | None
    customers: int


def pooled(cells: Sequence[AssignmentCount], smallest: int) -> tuple[AssignmentCount, ...]:
    """Cells as a record holds them: strata of too few customers are one without their names."""
    sizes = Counter[str]()
    for cell in cells:
        if cell.stratum is not None:
            sizes[cell.stratum] += cell.customers
    other = free_name(sizes)
    counted = Counter[tuple[str | None, str | None, int | None, str | None]]()
    for cell in cells:
        small = cell.stratum is not None and sizes[cell.stratum] < smallest
        stratum = other if small else cell.stratum
        counted[cell.arm, stratum, cell.wave, cell.reason] += cell.customers
    return tuple(
        AssignmentCount(arm=arm, stratum=stratum, wave=wave, reason=reason, customers=n)
        for (arm, stratum, wave, reason), n in counted.items()
    )


class AssignmentPart(BaseModel):
    """One Parquet file: the customers of one arm and wave, or the excluded."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    arm: str | None
    """None for customers who take no part."""
    wave: int | None
    start: date | None
    """The day on which these customers start."""
    channel: str | None
    """The channel through which they are contacted; None where they are not."""
    offer: str | None
    rows: int
    sha256: str


class Manifest(RecordEntry):
    """One generation of an assignment, in figures."""

    generation: int
    """1 for the first; a later one holds the customers who joined since."""
    plan_sha256: str
    salt: str
    method: Literal["hash", "blocked"]
    id: str
    """The column that identifies a customer."""
    unit: str
    """The column whose values were randomised."""
    sources: dict[str, SourceOrigin]
    """The tables that were read."""
    engine: str
    upliftlab: str
    population: int
    """Customers in the table: those kept, excluded and in an arm."""
    kept: int
    """Customers who hold an arm since an earlier generation."""
    excluded: dict[str, int]
    """Customers who take no part, by reason."""
    arms: dict[str, int]
    """Customers who got an arm in this generation, in the order of the file."""
    ghosts: int
    """Customers of the control who would have been contacted."""
    cells: tuple[AssignmentCount, ...]
    parts: tuple[AssignmentPart, ...]
    previous: str | None
    """Hex digest of the manifest before this one."""

    @property
    def reconciles(self) -> bool:
        """Whether every customer is counted exactly once, in cells and in files alike."""
        decided = sum(self.excluded.values()) + sum(self.arms.values())
        cells = sum(cell.customers for cell in self.cells)
        rows = sum(part.rows for part in self.parts)
        return self.population - self.kept == decided == cells == rows


class PromisedArm(BaseModel):
    """What a list promises of one arm."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    arm: str
    customers: int
    """Those who are contacted."""
    held_out: int
    expected_profit: float


class Promise(RecordEntry):
    """What `target` promised for a list, before anybody on it was contacted."""

    upliftlab: str
    list_sha256: str
    """Hex digest of the list's file."""
    rows: int
    customers: str
    """The table that was chosen from, as it was named."""
    plan_sha256: str
    """The plan that was learned from."""
    day: str
    policy: TargetPolicy
    forced: bool
    currency: str | None
    expected_profit: float
    expected_low: float | None
    expected_high: float | None
    arms: tuple[PromisedArm, ...]


def frozen(plan: Plan) -> dict[str, Any]:
    """The fields of a `PlanEntry` that come from a plan."""
    return {
        "experiment": plan.experiment.experiment,
        "plan": json.loads(plan.canonical()),
        "plan_sha256": plan.sha256,
    }
