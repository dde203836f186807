"""What a list's holdout tells of what `target` promised for the list, as plain frozen values."""

from __future__ import annotations

from typing import Literal

from upliftlab.results.base import Message, Result

TargetPolicy = Literal["model", "everybody", "today", "tree"]
"""Whom a list is made of: those a model chooses, everybody who may be contacted, those whom the
plan's rule of today chooses, or those whom the readable tree does."""


class KeptArm(Result):
    """One arm of a list: what was promised of those who were contacted, and what came."""

    arm: str
    customers: int
    """Those who were contacted, by the list."""
    held_out: int
    """Those who would have been, and were left alone."""
    promised: float
    """Incremental profit."""
    promised_low: float | None
    """Lower end of its interval; None of one arm among several, which have one together."""
    promised_high: float | None
    """Upper end."""
    realised: float | None
    """Incremental profit by the list's holdout; None where it cannot be compared."""
    realised_low: float | None
    """Lower end of its interval."""
    realised_high: float | None
    """Upper end."""
    sentence: str
    """In English; `sentence_parts` says it in any language."""
    sentence_parts: Message


class KeptPromise(Result):
    """What `target` promised for the list that an experiment was run on, beside what came."""

    experiment: str
    """What the list was made from."""
    day: str
    """The day of contact that it was made for."""
    policy: TargetPolicy
    """Who chose: a model or its tree, today's rule, or everybody was to get the same arm."""
    forced: bool
    """Whether nothing showed that the list would pay."""
    arms: tuple[KeptArm, ...]
    """Those of its arms that the experiment has."""
