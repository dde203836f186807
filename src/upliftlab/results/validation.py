"""The evidence: what a simulation study measured, as plain frozen values.

The JSON they serialise to is documented in docs/validation.md and versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from upliftlab.results.base import Published, Result, Scalar, Summary, matching

SCHEMA: Literal[1] = 1


class WithheldShare(Result):
    """Why some intervals, or tests, were not given."""

    reason: str
    share: float
    """Of all that were asked for."""


class MeasuredCoverage(Result):
    """One kind of number by one method, in one cell; shares of what was asked for."""

    measure: str
    """`difference`, `profit`, `roi`, or what else a study measures."""
    method: Literal["product", "welch"]
    coverage: float | None
    """1 less both tails; None where no interval had a lower end, or none an upper."""
    below: float | None
    """Intervals wholly below the truth, of those with an upper end."""
    above: float | None
    """Intervals wholly above the truth, of those with a lower end."""
    unbounded: float
    """Intervals without any end; they are left out of the three shares above."""
    rejected: float | None
    """Tests with p < 1 − confidence."""
    null: bool
    """Whether what is tested is true: `rejected` is then the type-I error, else power."""
    error: float | None
    """Monte Carlo standard error of `coverage`, or of a test's `rejected`, were it as promised."""
    holds: bool | None
    """Whether coverage, tails and `at_most` are as promised; None where nothing was measured."""
    one_sided: float = 0.0
    """Intervals with one end; they count in the tail that it bounds."""
    withheld: tuple[WithheldShare, ...] = ()
    """Why intervals without any end, and tests, were not given."""
    at_most: float | None = None
    """The share `rejected` that is promised of a test or an event; None where none is."""


class ScenarioResult(Result):
    """What one scenario came to."""

    name: dict[str, str]
    treated: int
    control: int
    confidence: float
    replications: int
    calibrated: float
    """Replications in which units were divided anew."""
    measured: tuple[MeasuredCoverage, ...]

    @property
    def holds(self) -> bool:
        """Whether the product keeps what is promised here."""
        return all(each.holds is not False for each in self.measured if each.method == "product")


class SimulationResult(Published):
    """Everything that a simulation study measured."""

    tables: ClassVar[tuple[str, ...]] = ("measured",)
    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    version: str
    experiment: str | None
    """The experiment whose shape was proved; None for the grid."""
    seed: int
    replications: int
    cells: tuple[ScenarioResult, ...]
    holds: bool
    notes: tuple[str, ...] = ()

    def find(self, **asked: Scalar) -> tuple[MeasuredCoverage, ...]:
        """What was measured in any scenario whose fields are what is asked for: `measure="roi"`.

        Raises:
            DataError: UL621, what was measured has no such field.
        """
        return matching((each for cell in self.cells for each in cell.measured), asked)

    def summary(self) -> Summary:
        """Whether intervals hold what they promise, and what the product covers where."""
        state = "hold" if self.holds else "DO NOT HOLD"
        headline = f"intervals {state} the truth as often as they say"
        context = (
            f"{self.experiment or 'the grid'}: {len(self.cells)} scenarios of "
            f"{self.replications:,} replications"
        )
        rows = tuple(
            (
                " ".join(cell.name.values()),
                each.measure,
                *_promised(each, cell.confidence),
            )
            for cell in self.cells
            for each in cell.measured
            if each.method == "product"
        )
        return Summary(headline, context, ("scenario", "measure", "coverage", "promised"), rows)

    def _entries(self, table: str) -> Sequence[tuple[Mapping[str, str | None], Result]]:
        """What was measured, each with the words that name its scenario."""
        if table != "measured":
            return super()._entries(table)
        return [({**cell.name}, each) for cell in self.cells for each in cell.measured]


def _promised(each: MeasuredCoverage, confidence: float) -> tuple[str, str]:
    """What was measured, and what is promised of it."""
    if each.at_most is not None and each.rejected is not None:
        return f"{each.rejected:.1%}", f"≤ {each.at_most:.0%}"
    covered = "—" if each.coverage is None else f"{each.coverage:.1%}"
    return covered, f"{confidence:.0%}"
