"""The form of the catalogue's entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Example:
    """One code. `wrong` and `right` are parts of `file`; `beside` are other files they need."""

    code: str
    title: str
    rule: str
    wrong: str
    right: str
    file: str = "experiments/example.yaml"
    beside: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
