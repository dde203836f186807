"""Heads: one digest that stands for all that is on the record, to be kept elsewhere.

Whoever can write to a ledger can rewrite all of it, or take its last records away; a head that was
kept where they cannot write tells.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from upliftlab.ledger.faults import refuse
from upliftlab.ledger.journal import Journal

WHOLE = "*"
"""What the head of the whole ledger is called; no experiment's folder may be."""
_HEAD = re.compile(r"([0-9a-f]{64})(?::([0-9a-f]{64}))?")


@dataclass(frozen=True, slots=True)
class Head:
    """The digest of the journal's last entry, of one experiment or of all."""

    name: str
    number: int
    """How many entries lead up to it: those of the experiment, or all."""
    digest: str


def heads(journal: Journal) -> tuple[Head, ...]:
    """The head of every experiment by name, and that of the whole ledger last."""
    names = sorted({line.experiment for line in journal.lines})
    found = [Head(name, len(own := journal.of(name)), own[-1].digest) for name in names]
    if journal.head:
        found.append(Head(WHOLE, len(journal.lines), journal.head))
    return tuple(found)


def signed(digest: str, secret: bytes) -> str:
    """A head with its signature, HMAC-SHA256: only who knows the secret can make one."""
    return f"{digest}:{_signature(digest, secret)}"


def require_head(journal: Journal, kept: str, secret: bytes | None = None) -> int:
    """How many entries the journal has had since a head that was kept; refuse another ledger's.

    Raises:
        LedgerError: UL467 the journal does not hold it, UL468 its signature is missing or wrong.
    """
    found = _HEAD.fullmatch(kept.strip().casefold())
    if not found:
        raise refuse("UL468", "this is no head", "give what 'upliftlab ledger head' printed")
    digest, signature = found[1], found[2]
    if secret is not None and not (
        signature and hmac.compare_digest(signature, _signature(digest, secret))
    ):
        message = "the head was not signed with this secret"
        raise refuse("UL468", message, "find out who gave it to you, or name its own secret")
    numbers = {line.digest: line.number for line in journal.lines}
    if digest not in numbers:
        message = "this is neither the ledger of that head nor a continuation of it"
        remedy = "records were removed or rewritten, or it is another ledger: bring back a backup"
        raise refuse("UL467", message, remedy)
    return len(journal.lines) - numbers[digest]


def _signature(digest: str, secret: bytes) -> str:
    return hmac.digest(secret, f"upliftlab ledger head {digest}".encode(), "sha256").hex()
