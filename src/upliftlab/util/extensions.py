"""What other installed packages add: engines, checks, metric kinds and output formats.

A package says so in its own metadata, as an entry point of one of the `GROUPS`. Nothing is looked
for before somebody asks for a name that is not ours, or for all there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from upliftlab.errors import ConfigError, Diagnostic

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENGINES: Final = "upliftlab.engines"
CHECKS: Final = "upliftlab.checks"
METRIC_KINDS: Final = "upliftlab.metric_kinds"
FORMATS: Final = "upliftlab.formats"
GROUPS: Final = (ENGINES, CHECKS, METRIC_KINDS, FORMATS)
"""The groups of entry points that are read."""


def installed(group: str) -> dict[str, EntryPoint]:
    """What installed packages offer in a group, by name and in the order of names.

    Raises:
        ConfigError: UL028, two packages offer different things under one name.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - 20 ms that few need

    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda each: each.name):
        before = found.setdefault(point.name, point)
        if before.value != point.value:
            packages = " and ".join(sorted(_package(each) for each in (before, point)))
            message = f"'{point.name}' of {group} is offered by {packages}"
            raise ConfigError(Diagnostic("UL028", message, "uninstall one of them"))
    return found


def loaded(point: EntryPoint) -> object:
    """The object that an entry point names.

    Raises:
        ConfigError: UL029, its package cannot be imported or has no such object.
    """
    try:
        return point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        message = f"'{point.name}' of {point.group} cannot be loaded from {_package(point)}"
        remedy = f"mend or uninstall that package ({type(error).__name__}: {error})"
        raise ConfigError(Diagnostic("UL029", message, remedy)) from error


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
