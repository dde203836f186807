"""The one door through which records are read for use: as they were written, or not at all."""

from __future__ import annotations

import time
from pathlib import Path

from upliftlab.ledger.faults import LedgerError, reading, refuse
from upliftlab.ledger.journal import Journal, names, seen
from upliftlab.ledger.record_store import Contents, RecordStore, records_in
from upliftlab.ledger.verification import record_faults
from upliftlab.util.durable import names_in

_TRIES = 20
_PAUSE = 0.02


def trusted(ledger: Path, experiment: str, *, alone: bool = False) -> Contents:
    """One experiment's records, each as the journal knows it; whoever reads parts checks them.

    Args:
        ledger: The ledger's folder.
        experiment: Whose records.
        alone: Whether the caller holds the lock, so that nobody writes meanwhile.

    Raises:
        LedgerError: UL459 a record was changed, removed or put there, UL460 it is of another
            experiment, UL466 it may not be read.
        OutputError: UL463 to UL465, a folder or file is none of the ledger's own.
    """
    with reading(ledger):
        if alone:
            contents, journal = RecordStore(ledger, experiment).contents(), seen(ledger)
        else:
            contents, journal = snapshot(ledger, experiment)
        if faults := tuple(record_faults(contents, journal)):
            raise LedgerError(faults)
        if not journal.lines and contents.files:
            _refuse_lost_journal(ledger)
    return contents


def snapshot(ledger: Path, experiment: str) -> tuple[Contents, Journal]:
    """Records and journal of one moment, whoever may be writing."""
    store = RecordStore(ledger, experiment)
    for _ in range(_TRIES):
        before = names(ledger)
        found = store.contents(), seen(ledger)
        if names(ledger) == before:
            return found
        time.sleep(_PAUSE)
    return store.contents(), seen(ledger)


def _refuse_lost_journal(ledger: Path) -> None:
    """Refuse records older than journals where others say that there was one."""
    for name in names_in(ledger, ledger):
        if name.startswith(".") or not (ledger / name).is_dir():
            continue
        for file, content in records_in(ledger / name, ledger).items():
            if b'"format": 1' not in content:
                remedy = "bring it back from a backup"
                raise refuse("UL459", "the journal is gone, which this record names", remedy, file)
