"""The formats of `check` by name; the module of each is imported where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from upliftlab.config.checking import Checked

FORMATS: Final[Mapping[str, str]] = {
    "text": "a line a fault, for people",
    "json": "a list of faults, for programs",
    "github": "annotations of GitHub Actions",
    "gitlab": "Code Quality of GitLab",
    "junit": "JUnit XML, as Jenkins reads it",
    "markdown": "a table for a summary or a comment",
    "sarif": "SARIF 2.1.0, for code scanning",
}
"""What each is for. Its module bears its name and prints by `tell`."""


def teller(name: str) -> Callable[[Checked], None]:
    """What prints in a format."""
    module = import_module(f"{__package__}.{name}")
    return cast("Callable[[Checked], None]", module.tell)
