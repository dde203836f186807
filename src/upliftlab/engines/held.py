"""A table of a file that is taken into memory whole, as a frame is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.personal import are_values


@dataclass(frozen=True, slots=True, eq=False)
class HeldTable:
    """A table in memory.

    Attributes:
        table: Its columns.
        unusable: Columns that may be there as long as nobody asks for them, and what is said then.
    """

    table: pa.Table
    unusable: Mapping[str, Diagnostic] = field(default_factory=dict[str, Diagnostic])


def require_names(names: Sequence[str], what: str) -> None:
    """Refuse columns that are not told apart; case does not tell them apart.

    Args:
        names: The columns of a table.
        what: What messages call it.

    Raises:
        DataError: UL202.
    """
    counted = Counter(name.casefold() for name in names)
    twice = [name for name in names if counted[name.casefold()] > 1]
    if not twice:
        return
    if are_values(names):
        message = f"{what} begins with values, not with the names of its columns"
        raise DataError(Diagnostic("UL202", message, "add a first line that names them"))
    raise DataError(Diagnostic("UL202", f"{what} has two columns '{twice[0]}'", "rename one"))


def unreadable(path: Path, why: str, remedy: str = "fetch or write the file again") -> DataError:
    """The refusal of a file that cannot be read, without a word of what is in it."""
    return DataError(Diagnostic("UL202", f"{path.name} cannot be read: {why}", remedy))
