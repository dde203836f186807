"""Integrity checks: one file per subject, with what is counted for it and how it is judged.

Every `CheckDefinition` that a file of this folder holds is asked. `registry.ORDER` says in which
order. Another package adds its own by an entry point of the group `upliftlab.checks`.
"""

from upliftlab.analysis.checks.definition import (
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.results.analysis import Severity

__all__ = (
    "CheckAnswer",
    "CheckDefinition",
    "CheckInputs",
    "Fact",
    "FactInputs",
    "Severity",
    "unasked",
)
