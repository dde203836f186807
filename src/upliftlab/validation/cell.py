"""A cell: a scenario with its name, and how it is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from upliftlab.validation.measurement import Replication


class Design(Protocol):
    """What is true in a cell."""

    @property
    def units(self) -> tuple[int, int]:
        """Treated units and those of the control."""
        ...

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        ...


@dataclass(frozen=True, slots=True)
class NamedScenario:
    """A scenario with its name.

    Attributes:
        name: What tells it from others, by dimension, such as split, outcome and unit; the word
            `study` comes first where it is not of the main grid.
        scenario: What is true.
        trial: Draws an experiment and analyses it; a function of a module, so that other processes
            know it.
    """

    name: dict[str, str]
    scenario: Design
    trial: Callable[[np.random.Generator, Any], Replication]

    @property
    def title(self) -> str:
        """Its name as one text."""
        return " · ".join(self.name.values())
