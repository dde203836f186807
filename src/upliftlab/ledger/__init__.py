"""What was planned, changed and assigned, on a record that is never rewritten."""

from upliftlab.ledger.difference import Difference, differences
from upliftlab.ledger.faults import LedgerError
from upliftlab.ledger.ledger import Ledger, RecordedAssignment
from upliftlab.ledger.record_store import Generation
from upliftlab.ledger.records import (
    Amendment,
    Lock,
    Manifest,
    OutcomesRead,
    PlanEntry,
    SourceOrigin,
)
from upliftlab.ledger.writer import AssignmentDraft, Locked, Recorded, Writer

__all__ = [
    "Amendment",
    "AssignmentDraft",
    "Difference",
    "Generation",
    "Ledger",
    "LedgerError",
    "Lock",
    "Locked",
    "Manifest",
    "OutcomesRead",
    "PlanEntry",
    "Recorded",
    "RecordedAssignment",
    "SourceOrigin",
    "Writer",
    "differences",
]
