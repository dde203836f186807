"""What the ledger refuses, and the codes of its refusals.

UL450 another process is writing · UL451 the plan changed · UL452 not locked · UL453 an amendment
without a reason or a change · UL454 the assignment does not reconcile · UL455 customers would
move · UL456 a blocked assignment is complete · UL457 nothing assigned · UL458 ids missing or
twice · UL459 a record is damaged · UL460 a name is taken · UL461 assigned elsewhere ·
UL462 arms amended after assignment · UL470 the disk refuses · UL471 DuckDB does ·
UL472 a path · UL48x exports.
"""

from __future__ import annotations

from pathlib import Path

from upliftlab.errors import Fault, Place, UpliftLabError


class LedgerError(UpliftLabError):
    """The ledger refuses: what is on the record would be lost, changed or contradicted."""


def refuse(code: str, message: str, remedy: str = "", where: Path | None = None) -> LedgerError:
    """A refusal with one fault."""
    return LedgerError(Fault(code, message, remedy, Place(str(where)) if where else None))


def unwritable(error: OSError, where: Path) -> LedgerError:
    """The refusal for a disk that does not write."""
    reason = error.strerror or str(error)
    return refuse(
        "UL470",
        f"cannot be written: {reason}",
        "make room or choose a folder you may write to, and run it again: nothing is half done",
        Path(str(error.filename)) if error.filename else where,
    )
