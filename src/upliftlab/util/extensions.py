"""What other installed packages add: engines, checks, metric kinds and output formats.

A package says so in its own metadata, as an entry point of one of the `GROUPS`. Nothing is looked
for before somebody asks for a name that is not ours, or for all there are.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from upliftlab.errors import ConfigError, Diagnostic, UpliftLabError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from types import TracebackType

T = TypeVar("T")

ENGINES: Final = "upliftlab.engines"
CHECKS: Final = "upliftlab.checks"
METRIC_KINDS: Final = "upliftlab.metric_kinds"
FORMATS: Final = "upliftlab.formats"
GROUPS: Final = (ENGINES, CHECKS, METRIC_KINDS, FORMATS)
"""The groups of entry points that are read."""


def installed(group: str, own: Collection[str] = ()) -> dict[str, EntryPoint]:
    """What installed packages offer in a group, by name and in the order of names.

    Args:
        group: One of `GROUPS`.
        own: The names that upliftlab itself offers there.

    Raises:
        ConfigError: UL028, two packages offer different things under one name.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - 20 ms that few need

    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda each: each.name):
        before = found.setdefault(point.name, point)
        if point.name in own:
            message = f"'{point.name}' of {group} is upliftlab's own, and offered by"
            remedy = "uninstall that package, or let it choose another name"
            raise ConfigError(Diagnostic("UL028", f"{message} {package_of(point)}", remedy))
        if before.value != point.value:
            packages = " and ".join(sorted(package_of(each) for each in (before, point)))
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
        message = f"'{point.name}' of {point.group} cannot be loaded from {package_of(point)}"
        remedy = f"mend or uninstall that package ({type(error).__name__}: {error})"
        raise ConfigError(Diagnostic("UL029", message, remedy)) from error


def package_of(point: EntryPoint) -> str:
    """The package that offers it, as messages name it."""
    return point.dist.name if point.dist is not None else point.value


def offered(group: str, name: str, kind: type[T], own: Collection[str] = ()) -> tuple[T, str]:
    """What an installed package offers under a name, and the package's name.

    Args:
        group: One of `GROUPS`.
        name: A key of `installed(group)`.
        kind: What it must be.
        own: The names that upliftlab itself offers there.

    Raises:
        ConfigError: UL028 and UL029, as `installed` and `loaded`; UL473, it is something else.
    """
    point = installed(group, own)[name]
    with blaming(package_of(point), f"'{name}' of {group}"):
        found = loaded(point)
    if not isinstance(found, kind):
        raise misfit(point, f"is no {kind.__name__}")
    return found, package_of(point)


def misfit(point: EntryPoint, why: str) -> ConfigError:
    """The refusal of what does not fit where it is offered."""
    message = f"'{point.name}' of {point.group} from {package_of(point)} {why}"
    return ConfigError(Diagnostic("UL473", message, "mend or uninstall that package"))


@contextmanager
def blaming(package: str, what: str) -> Generator[None]:
    """Turn whatever somebody else's code raises into a refusal that names its package.

    The error's own text may hold a customer's value, so only its class and its line are told.

    Raises:
        ConfigError: UL474; what upliftlab refuses itself, and Ctrl-C, are left as they are.
    """
    try:
        yield
    except UpliftLabError:
        raise
    except Exception as error:
        where = _line(error.__traceback__)
        message = f"{what} fails: {package} raised {type(error).__name__}{where}"
        fault = Diagnostic("UL474", message, "tell its authors, or uninstall that package")
        raise ConfigError(fault) from error


def _line(trace: TracebackType | None) -> str:
    """The innermost line of an error, as its file's name and number."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
