"""Misspelt keys: told once each, and read as they were meant so that nothing else seems missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from upliftlab.config.document import Document, Key
from upliftlab.config.mending import mending
from upliftlab.config.models import Declaration, EngineSettings, Metric
from upliftlab.config.models.metrics import further_kinds
from upliftlab.config.models.sources import settings_model
from upliftlab.config.shape import Shape, homes, naming, shape
from upliftlab.errors import Diagnostic
from upliftlab.util.nearest import closest, surely

_NEAR = 0.65
"""How alike two words are of which one is the other misspelt; 'pre' and 'per' are just so."""


class _Meant(NamedTuple):
    """A key that another was to be, and whether it could be no third."""

    name: str
    sure: bool


def respelt(
    model: type[Declaration], document: Document
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """The document with each key called what it was meant to be, and a fault for each of them.

    A key is taken for the nearest that may stand there and does not yet. Others stay as they are.
    """
    faults: list[Diagnostic] = []
    for path, meant in tuple(_misspelt(document.value, shape(model), ())):
        fault = unknown_key(document, path, f"did you mean '{meant.name}'?")
        faults.append(mending(fault, meant.name if meant.sure else None))
        document = document.renamed(path, meant.name)
    return document, tuple(faults)


def _misspelt(value: Any, here: Shape, path: Key) -> Iterator[tuple[Key, _Meant]]:  # noqa: ANN401 - YAML holds text, lists and mappings
    """Each misspelt key, those below first, so that the ways to others stay right."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        for at, item in enumerate(items):
            yield from _misspelt(item, here.child(at), (*path, at))
    if not isinstance(value, dict):
        return
    entries = cast("dict[str, Any]", value)
    known = known_keys(here, entries) if here.kind == "record" else list(entries)
    taken = set(entries)
    for key, item in entries.items():
        meant = None if key in known else _nearest(key, set(known) - taken)
        taken |= {meant.name} if meant else set()
        yield from _misspelt(item, here.child(meant.name if meant else key), (*path, key))
        if meant:
            yield (*path, key), meant


def _nearest(key: str, free: set[str]) -> _Meant | None:
    """The key that is meant: the one most alike, or the only one of which it is a part."""
    if near := closest(key, free, cutoff=_NEAR):
        return _Meant(near, sure=surely(key, free, cutoff=_NEAR) == near)
    parts = [name for name in free if key in name.split("_")]
    return _Meant(parts[0], sure=True) if len(parts) == 1 else None


def known_keys(here: Shape, value: dict[str, Any]) -> list[str]:
    """The keys that may stand there; where others do, also those that installed packages add."""
    keys = list(here.keys)
    if not value.keys() <= set(keys):
        if here.model is Metric:
            return [*keys, *further_kinds()]
        if here.model is EngineSettings:
            return list(settings_model(str(value.get("name"))).model_fields)
    return keys


def unknown_key(document: Document, path: Key, remedy: str) -> Diagnostic:
    """UL012 of the key at the end of `path`."""
    where = f" in {naming(path[:-1])}" if path[1:] else ""
    message = f"unknown key '{str(path[-1])[:60]}'{where}"
    return Diagnostic("UL012", message, remedy, document.at(*path, key=True))


def suggestion(word: str, siblings: list[str]) -> str:
    """What to do about a key that is near to none of those that may stand there."""
    if (near := closest(word, siblings)) is not None:
        return f"did you mean '{near}', which is there already? Keep one of them"
    parts = [name for name in siblings if word in name.split("_")]
    if parts:
        return f"did you mean {' or '.join(repr(name) for name in parts)}?"
    elsewhere = homes()
    known = word if word in elsewhere else closest(word, list(elsewhere), cutoff=0.85)
    if known is not None:
        return f"'{known}' belongs {elsewhere[known][0]}"
    return f"remove it; keys here are {', '.join(sorted(siblings))}"
