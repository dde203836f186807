"""What a code means, in words for whoever meets it: said once, beside what raises it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

COMMAND: Final = "a command"
"""What an example is a part of where it is no file: each line is a command."""
EXPERIMENT: Final = "experiments/example.yaml"


@dataclass(frozen=True, slots=True)
class Example:
    """What yields a code, and what does not.

    Attributes:
        wrong: A part of `file` that yields the code.
        right: The same part as it should be.
        file: Which file they are parts of; `COMMAND` where they are commands.
        beside: Other files that the example needs, by name.
        run: The commands that find the fault, one a line.
        told: Whether the example can only be told, because no file of a workspace shows it.
    """

    wrong: str
    right: str
    file: str = EXPERIMENT
    beside: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    run: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: what it means, and the way on where the meaning does not say it already."""

    code: str
    title: str
    meaning: str
    remedy: str = ""
    example: Example | None = None
