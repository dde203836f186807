"""An assignment before it is on the record: examined, counted, and cut into parts."""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from upliftlab.assignment.decided import nobody
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import Diagnostic
from upliftlab.ledger.records import AssignmentCount, AssignmentPart
from upliftlab.ledger.scratch import Scratch, parquet
from upliftlab.util.sql import literal, quote

COLUMNS = ("arm", "h", "bucket", "stratum", "wave", "reason", "channel", "ghost")
"""What an assignment holds beside the id."""


@dataclass(frozen=True, slots=True)
class Staged:
    """An assignment in one Parquet file, beside what earlier generations hold.

    Args:
        scratch: Where queries over it run.
        file: The assignment.
        id: The column that identifies a customer.
        earlier: Parts of earlier generations whose customers hold an arm.
    """

    scratch: Scratch
    file: Path
    id: str
    earlier: Sequence[Path] = ()

    def faults(self, plan: Plan, population: int) -> list[Diagnostic]:
        """Why the assignment must not go on the record; empty where it may."""
        columns = self._columns(self._rows)
        if lacking := [name for name in (self.id, *COLUMNS) if name not in columns]:
            return [Diagnostic("UL454", f"the assignment lacks the column {', '.join(lacking)}")]
        if self.earlier and self._is_text(columns) != self._is_text(
            self._columns(parquet(self.earlier))
        ):
            remedy = "read the ids as they were read before, all as text or all as numbers"
            return [Diagnostic("UL458", f"'{self.id}' was text before or is now, not both", remedy)]
        return self._misfits(plan, population) or self._nobody()

    def kept(self) -> int:
        """How many customers hold an arm since an earlier generation."""
        if not self.earlier:
            return 0
        return self.scratch.number(f"SELECT count(*) FROM {self._rows} WHERE {self._known}")

    def cells(self) -> tuple[AssignmentCount, ...]:
        """New decisions counted by arm, stratum, wave and reason."""
        names = ("arm", "stratum", "wave", "reason", "customers")
        rows = self.scratch.rows(
            "SELECT arm, CAST(stratum AS VARCHAR), CAST(wave AS INTEGER), reason, count(*)"
            f" FROM {self._fresh} GROUP BY ALL ORDER BY ALL"
        )
        return tuple(
            AssignmentCount.model_validate(dict(zip(names, row, strict=True))) for row in rows
        )

    def ghosts(self) -> int:
        """How many new customers of the control would have been contacted."""
        return self.scratch.number(f"SELECT count(*) FROM {self._fresh} AND ghost")

    def split(self, folder: Path, plan: Plan, today: date) -> tuple[AssignmentPart, ...]:
        """Write the new decisions as one part or more per arm and wave, and one of the excluded."""
        groups = _groups(self.cells(), plan)
        aside = folder.with_name("split")
        key = "part" + "_" * max(len(self.id), 1)
        cases = " ".join(
            f"WHEN arm = {literal(arm)} AND wave IS NOT DISTINCT FROM {_sql(wave)} THEN {number}"
            for number, (arm, wave) in enumerate(groups, start=1)
        )
        which = f"CASE {cases} ELSE 0 END" if cases else "0"
        self.scratch.rows(
            f"COPY (SELECT *, {which} AS {quote(key)} FROM {self._fresh})"
            f" TO {literal(str(aside))}"
            f" (FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({quote(key)}))"
        )
        parts: list[AssignmentPart] = []
        for number, (arm, wave) in enumerate([(None, None), *groups]):
            for file in sorted((aside / f"{key}={number}").glob("*.parquet")):
                target = folder / f"part-{len(parts) + 1:04}.parquet"
                file.rename(target)
                target.chmod(0o600)
                rows = self.scratch.number(f"SELECT count(*) FROM {parquet([target])}")
                parts.append(_part(target, rows, (arm, wave), plan, today))
        return tuple(parts)

    @property
    def _rows(self) -> str:
        return f"{parquet([self.file])} AS now"

    @property
    def _before(self) -> str:
        """Customers who hold an arm, with ids as text: a new file may type them otherwise."""
        column = f"CAST({quote(self.id)} AS VARCHAR)"
        return f"SELECT {column} AS id, arm FROM {parquet(self.earlier)}"

    @property
    def _known(self) -> str:
        return f"CAST(now.{quote(self.id)} AS VARCHAR) IN (SELECT id FROM ({self._before}))"

    @property
    def _fresh(self) -> str:
        """A relation with a condition, for more to be added by AND."""
        return f"{self._rows} WHERE {f'NOT {self._known}' if self.earlier else 'true'}"

    def _columns(self, relation: str) -> dict[str, str]:
        """Columns and their types."""
        rows = self.scratch.rows(f"DESCRIBE SELECT * FROM {relation}")
        return {str(name): str(kind) for name, kind, *_ in rows}

    def _is_text(self, columns: dict[str, str]) -> bool:
        return columns.get(self.id) == "VARCHAR"

    def _misfits(self, plan: Plan, population: int) -> list[Diagnostic]:
        """Rows that are not exactly one decision per customer."""
        arms = ", ".join(literal(arm) for arm in plan.arms)
        control = literal(plan.control)
        waves = len(plan.experiment.waves)
        rows, ids, nameless, undecided, strangers, timeless, haunted = self.scratch.rows(
            f"SELECT count(*), count(DISTINCT {quote(self.id)}),"
            f" count(*) FILTER ({quote(self.id)} IS NULL),"
            " count(*) FILTER ((arm IS NULL) = (reason IS NULL)),"
            f" count(*) FILTER (arm NOT IN ({arms})),"
            f" count(*) FILTER (arm IS NOT NULL AND {_outside(waves)}),"
            f" count(*) FILTER (ghost AND arm IS DISTINCT FROM {control})"
            f" FROM {self._rows}"
        )[0]
        twice = rows - nameless - ids
        checks = (
            ("UL454", rows - population, f"{rows} rows decide over {population} customers"),
            ("UL458", nameless, f"{nameless} customers have no id"),
            ("UL458", twice, f"{twice} rows repeat an id"),
            ("UL454", undecided, "customers have an arm and a reason, or neither"),
            ("UL454", strangers, "customers have an arm that is not the plan's"),
            ("UL454", timeless, "customers have a wave that is not the plan's"),
            ("UL454", haunted, "customers outside the control are ghosts"),
        )
        return [Diagnostic(code, message) for code, number, message in checks if number]

    def _nobody(self) -> list[Diagnostic]:
        """That nobody holds an arm, and why: such a record could never be analysed."""
        if self.earlier:
            return []
        excluded = dict[str, int]()
        for cell in self.cells():
            if cell.arm is not None:
                return []
            excluded[str(cell.reason)] = excluded.get(str(cell.reason), 0) + cell.customers
        return [nobody(excluded)]

    def movers(self) -> list[Diagnostic]:
        """Customers whom the new assignment would take out of their arm."""
        if not self.earlier:
            return []
        moved = self.scratch.number(
            f"SELECT count(*) FROM {self._rows} JOIN ({self._before}) AS before"
            f" ON CAST(now.{quote(self.id)} AS VARCHAR) = before.id WHERE now.arm <> before.arm"
        )
        remedy = "restore the plan's arms, salt and shares, or start a new experiment"
        message = f"{moved} customers would change their arm"
        return [Diagnostic("UL455", message, remedy)] if moved else []

    def joiners(self, plan: Plan) -> list[Diagnostic]:
        """Customers who cannot join."""
        if not self.earlier or plan.experiment.assignment.method != "blocked":
            return []
        joiners = self.scratch.number(f"SELECT count(*) FROM {self._fresh} AND arm IS NOT NULL")
        if joiners:
            remedy = "start a new experiment for them, or use 'method: hash'"
            message = f"{joiners} customers cannot join: a blocked assignment's shares are complete"
            return [Diagnostic("UL456", message, remedy)]
        return []


def _groups(cells: Sequence[AssignmentCount], plan: Plan) -> list[tuple[str, int | None]]:
    """The arms and waves that hold customers, in the order of the file."""
    found = {(cell.arm, cell.wave) for cell in cells}
    waves = [None, *range(1, max(len(plan.experiment.waves), 1) + 1)]
    order = [(arm, wave) for arm in plan.arms for wave in waves]
    return [group for group in order if group in found]


def _outside(waves: int) -> str:
    """The condition that a wave is not the plan's; one without waves has the first or none."""
    missing = "wave IS NULL OR " if waves else ""
    return f"({missing}wave NOT BETWEEN 1 AND {max(waves, 1)})"


def _sql(number: int | None) -> str:
    return "NULL" if number is None else str(number)


def _part(
    file: Path, rows: int, group: tuple[str | None, int | None], plan: Plan, today: date
) -> AssignmentPart:
    arm, wave = group
    asked = plan.arms[arm] if arm is not None else None
    reached = asked if asked and not asked.control else None
    waves = plan.experiment.waves
    start = waves[wave - 1].start if wave and waves else today
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return AssignmentPart(
        file=file.name,
        arm=arm,
        wave=wave,
        start=start if arm is not None else None,
        channel=reached.channel if reached else None,
        offer=reached.offer if reached else None,
        rows=rows,
        sha256=digest,
    )
