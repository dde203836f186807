"""What can go wrong, said once: a code, a place, the fault and its remedy.

Everything raises `UpliftLabError`; only `cli` turns it into text and an exit code.
Codes: UL0xx reading YAML · UL1xx rules across fields · UL2xx data · UL3xx analysis ·
UL4xx assignment and ledger · UL5xx engines · UL6xx files written, and learning
whom to target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from upliftlab.errors.agreement import agreed

Severity = Literal["error", "warning", "notice"]
"""An error is refused, a warning is told; a notice says what is taken, and `check` alone tells."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a fault lies: a file and, where known, its 1-based line and column.

    >>> str(Place("configs/channels.yaml", 7, 5))
    'configs/channels.yaml:7:5'
    """

    file: str
    line: int | None = None
    column: int | None = None
    there: str | None = field(default=None, compare=False, repr=False)
    """The value, key or sign that stands there, letter by letter, where it is of one line."""

    def __str__(self) -> str:
        parts = (self.file, self.line, self.column)
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Repair:
    """What to write in the place of what stands there."""

    place: Place
    instead: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong, in words its reader can act on.

    >>> print(Diagnostic("UL012", "unknown key 'x'", "remove it", Place("a.yaml", 2, 1)))
    a.yaml:2:1: UL012 unknown key 'x'; remove it
    """

    code: str
    message: str
    remedy: str = ""
    place: Place | None = None
    severity: Severity = "error"
    repair: Repair | None = field(default=None, compare=False, repr=False)
    """What mends the file, where one thing does and no other: `check --fix` writes it."""
    shares: Mapping[str, float] | None = field(default=None, compare=False, repr=False)
    """For programs: by column, the share of rows that it speaks of."""

    def __post_init__(self) -> None:
        """Say `1 row has`, whoever wrote `{n} rows have`."""
        object.__setattr__(self, "message", agreed(self.message))
        object.__setattr__(self, "remedy", agreed(self.remedy))

    def __str__(self) -> str:
        head = f"{self.place}: " if self.place else ""
        tail = f"; {self.remedy}" if self.remedy else ""
        return f"{head}{self.code} {self.message}{tail}"


class UpliftLabError(Exception):
    """Anything upliftlab refuses to do, with every independent reason found."""

    def __init__(self, faults: Diagnostic | Iterable[Diagnostic]) -> None:
        self.faults: tuple[Diagnostic, ...] = (
            (faults,) if isinstance(faults, Diagnostic) else tuple(faults)
        )
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigError(UpliftLabError):
    """The YAML cannot be read as an experiment, or contradicts itself."""


class DataError(UpliftLabError):
    """The data cannot be read, or are not what the experiment says they are."""


class EngineError(UpliftLabError):
    """An engine cannot be reached, or refused a query."""


class OutputError(UpliftLabError):
    """A file cannot be written."""
