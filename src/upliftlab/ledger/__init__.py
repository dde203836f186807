"""What was planned, changed and assigned, on a record that is never rewritten."""

from upliftlab.ledger.difference import Difference, differences
from upliftlab.ledger.faults import LedgerError
from upliftlab.ledger.ledger import Assignment, Ledger
from upliftlab.ledger.records import Amendment, Lock, Manifest, Origin, OutcomesRead, PlanEntry
from upliftlab.ledger.shelf import Generation
from upliftlab.ledger.writer import Draft, Locked, Recorded, Writer

__all__ = [
    "Amendment",
    "Assignment",
    "Difference",
    "Draft",
    "Generation",
    "Ledger",
    "LedgerError",
    "Lock",
    "Locked",
    "Manifest",
    "Origin",
    "OutcomesRead",
    "PlanEntry",
    "Recorded",
    "Writer",
    "differences",
]
