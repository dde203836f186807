"""The evidence: what a simulation study measured, as plain frozen values.

The JSON they serialise to is documented in docs/validation.md and versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from upliftlab.results.base import Published, Result, Scalar, Summary, matching

SCHEMA: Literal[1] = 1


class MeasuredCoverage(Result):
    """One kind of number by one method, in one cell; shares of replications."""

    measure: Literal["difference", "profit", "roi"]
    method: Literal["product", "welch"]
    coverage: float | None
    """Intervals that hold the truth; None where none had two ends."""
    below: float | None
    """Intervals wholly below the truth."""
    above: float | None
    """Intervals wholly above the truth."""
    unbounded: float
    """Intervals without two ends; they are left out of the three shares above."""
    rejected: float | None
    """Tests with p < 1 − confidence."""
    null: bool
    """Whether what is tested is true: `rejected` is then the type-I error, else power."""
    error: float | None
    """Monte Carlo standard error of `coverage`, were it as promised."""
    holds: bool | None
    """Whether coverage and tails are as promised; None where nothing was measured."""


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
                "—" if each.coverage is None else f"{each.coverage:.1%}",
                f"{cell.confidence:.0%}",
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
