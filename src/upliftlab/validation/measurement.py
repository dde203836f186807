"""What one trial measured: numbers beside what is true of them, and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect

Method = Literal["product", "welch"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number that was found, or whether a test spoke.

    Attributes:
        measure: Which number; several of one trial may have the same name.
        effect: What was found.
        truth: What should have been found; None where nothing is true of it, or it is a test alone.
        null: Whether what is tested is true.
        method: How it was found.
        at_most: Share of true nulls that may be rejected; None where an interval's promise says it.
    """

    measure: str
    effect: Effect
    truth: float | None = None
    null: bool = False
    method: Method = "product"
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Replication:
    """What one trial came to.

    Attributes:
        measured: All it measured; every trial of a scenario measures the same.
        calibrated: Whether units were divided anew.
    """

    measured: tuple[Measurement, ...]
    calibrated: bool = False


def of_test(measure: str, p: float | None, at_most: float, note: Note | None = None) -> Measurement:
    """A test of what is true.

    Args:
        measure: Which test.
        p: Its p-value; None where it was withheld.
        at_most: Share of trials in which it may reject.
        note: Why it was withheld.
    """
    return Measurement(measure, Effect(None, p=p, note=note), null=True, at_most=at_most)


def of_event(measure: str, *, it: bool, at_most: float) -> Measurement:
    """What may happen in so many trials only, such as a wrong SHIP: a test that rejects.

    Args:
        measure: What it is.
        it: Whether it happened.
        at_most: Share of trials in which it may.
    """
    return of_test(measure, 0.0 if it else 1.0, at_most)
