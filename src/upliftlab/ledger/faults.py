"""What the ledger refuses, and the codes of its refusals.

UL450 another process is writing · UL451 the plan changed · UL452 not locked · UL453 an amendment
without a reason or a change · UL454 the assignment does not reconcile · UL455 customers would
move · UL456 a blocked assignment is complete · UL457 nothing assigned · UL458 ids missing or
twice · UL459 a record is damaged · UL460 a name is taken · UL461 assigned elsewhere ·
UL462 assigned under other arms · UL463 a link · UL464 another device, or a workspace's ledger
outside it · UL465 no plain file or folder · UL466 not readable · UL467 not the ledger of a head ·
UL468 a head's signature · UL469 no head yet · UL470 the disk refuses · UL471 DuckDB does ·
UL472 a path · UL475 to UL478 amended after assignment · UL48x exports.
"""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from upliftlab.errors import Diagnostic, Place, UpliftLabError
from upliftlab.util.durable import reason

WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""Errors of writing alone."""


class LedgerError(UpliftLabError):
    """The ledger refuses: what is on the record would be lost, changed or contradicted."""


def refuse(code: str, message: str, remedy: str = "", where: Path | None = None) -> LedgerError:
    """A refusal with one fault."""
    return LedgerError(Diagnostic(code, message, remedy, Place(str(where)) if where else None))


def unreadable(error: OSError, where: Path) -> LedgerError:
    """The refusal of what may not be read: nothing is known to be damaged."""
    return refuse(
        "UL466",
        f"this cannot be read: {reason(error)}",
        "get permission to read it, and run it again",
        Path(str(error.filename)) if error.filename else where,
    )


@contextmanager
def reading(where: Path) -> Generator[None]:
    """Tell what may not be read from what was damaged.

    Raises:
        LedgerError: UL466 the system refuses to read, UL470 the disk is full.
    """
    try:
        yield
    except OSError as error:
        refused = unwritable if error.errno in WRITING else unreadable
        raise refused(error, where) from error


def unwritable(error: OSError, where: Path) -> LedgerError:
    """The refusal for a disk that does not write."""
    return refuse(
        "UL470",
        f"cannot be written: {reason(error)}",
        "make room or choose a folder you may write to, and run it again: nothing is half done",
        Path(str(error.filename)) if error.filename else where,
    )
