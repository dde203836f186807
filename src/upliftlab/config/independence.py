"""Faults of rules beside values that are refused: told where they have nothing to do with these.

A rule that is broken only because a value is absent would be told about a file in which the value
is there, if wrongly written. So whatever stands in the same part of the file, or speaks of what was
refused, waits until that is mended.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, cast

from upliftlab.config.document import Document, Key
from upliftlab.errors import Diagnostic

_WORD: Final = re.compile(r"\w+")


def independent(
    faults: Iterable[Diagnostic], document: Document, without: Collection[Key]
) -> tuple[Diagnostic, ...]:
    """Those of an experiment's faults that would be there if refused values were right.

    Args:
        faults: What rules tell of the experiment without these values.
        document: The experiment's file.
        without: The ways to the values.
    """
    parts = {path[0] for path in without}
    names = {name for path in without for name in _names(document, path)}
    places = {
        (place.file, place.line, place.column): path[0]
        for table in (document.values, document.keys)
        for path, place in table.items()
        if path
    }
    return tuple(fault for fault in faults if _stands_alone(fault, parts, names, places))


def _stands_alone(
    fault: Diagnostic,
    parts: Collection[str | int],
    names: set[str],
    places: dict[tuple[str, int | None, int | None], str | int],
) -> bool:
    place = fault.place
    if place is None:
        return False
    part = places.get((place.file, place.line, place.column))
    said: list[str] = _WORD.findall(f"{fault.message} {fault.remedy}".casefold())
    return part is not None and part not in parts and not names & set(said)


def _names(document: Document, path: Key) -> Iterator[str]:
    """The words on the way to a value, and those that it declares."""
    yield from _words(path)
    yield from _below(document.get(*path))


def _below(value: Any) -> Iterator[str]:  # noqa: ANN401 - YAML holds text, lists and mappings
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _words((key,))
            yield from _below(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _below(item)
    else:
        yield from _words((str(value),))


def _words(steps: Iterable[str | int]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, str):
            yield from _WORD.findall(step.casefold())
