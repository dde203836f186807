"""YAML text → plain values that are still text, each with its place.

PyYAML's loaders read `no` as False, `010` as 8 and `1:30` as 90, and let the last duplicate key
win. Here only its parser is used: events become mappings, lists and text, nothing is resolved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from upliftlab.config.mending import mending
from upliftlab.config.models.decimals import rewritten
from upliftlab.config.nodes import MAX_DEPTH, MAX_NODES, Entries, Reader, Refused, YamlNode
from upliftlab.config.syntax import parted_entry
from upliftlab.errors import Diagnostic, Place, Repair
from upliftlab.util.files import read_regular, reason_of
from upliftlab.util.visible import first_hidden

Key = tuple[str | int, ...]
"""The way from the top of a document to a value: mapping keys and list positions."""

MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """One file's values and the places of all of them."""

    file: str
    value: dict[str, Any] = field(default_factory=dict[str, Any])
    values: Mapping[Key, Place] = field(default_factory=dict[Key, Place])
    keys: Mapping[Key, Place] = field(default_factory=dict[Key, Place])
    faults: tuple[Diagnostic, ...] = ()
    faulty: frozenset[Key] = frozenset()
    """Where the values cannot be trusted, because a fault was found there."""
    lined: bool = True
    """Whether places are lines of a file; else they are the ways to Python values."""

    def at(self, *path: str | int, key: bool = False) -> Place:
        """The place of a value (or of its key), or of the nearest thing that encloses it."""
        for end in range(len(path), 0, -1):
            here = path[:end]
            first, second = (self.keys, self.values) if key else (self.values, self.keys)
            if found := first.get(here) or second.get(here):
                return found
        return Place(self.file, 1, 1) if self.lined else Place(self.file)

    def has(self, *path: str | int) -> bool:
        """Whether the file holds a value at `path`."""
        return path in self.values

    def renamed(self, path: Key, name: str) -> Document:
        """As if the key at the end of `path` were called `name`, which is not there yet."""

        def moved(here: Key) -> Key:
            below = here[: len(path)] == path
            return (*path[:-1], name, *here[len(path) :]) if below else here

        value = deepcopy(self.value)
        parent: Any = value
        for step in path[:-1]:
            parent = parent[step]
        entries = [(name if key == path[-1] else key, item) for key, item in parent.items()]
        parent.clear()
        parent.update(entries)
        return replace(
            self,
            value=value,
            values={moved(at): place for at, place in self.values.items()},
            keys={moved(at): place for at, place in self.keys.items()},
            faulty=frozenset(map(moved, self.faulty)),
        )

    def get(self, *path: str | int) -> Any:  # noqa: ANN401 - YAML holds text, lists and mappings
        """The raw value at `path`, None where there is none."""
        if not self.has(*path):
            return None
        here: Any = self.value
        for step in path:
            here = here[step]
        return here


def read_document(path: Path, root: Path, name: str | None = None) -> Document:
    """The document in a file.

    Args:
        path: The file, which is regular and, links followed, inside `root`: what messages quote
            belongs to the workspace.
        root: The workspace's folder.
        name: What messages call the file.
    """
    name = name or str(path)
    real = os.path.realpath(path)
    if not Path(real).is_relative_to(os.path.realpath(root)):
        message = "the file is a link that leaves the workspace"
        remedy = "put the file itself there, or name the one it links to"
        return Document(name, faults=(Diagnostic("UL024", message, remedy, Place(name)),))
    try:
        given = _AS_IF.get().get(real)
        data = read_regular(Path(real), MAX_BYTES) if given is None else given
    except (OSError, ValueError) as error:
        message = f"cannot read the file: {reason_of(error)}"
        fault = Diagnostic("UL001", message, "check its name", Place(name))
        return Document(name, faults=(fault,))
    return parse_document(data, name)


_AS_IF: ContextVar[Mapping[str, bytes]] = ContextVar("as_if", default={})  # noqa: B039 - never changed


@contextmanager
def as_if(contents: Mapping[Path, bytes]) -> Generator[None]:
    """Within, files are read as if they held these contents, which nobody has written yet."""
    token = _AS_IF.set({os.path.realpath(path): data for path, data in contents.items()})
    try:
        yield
    finally:
        _AS_IF.reset(token)


def parse_document(data: bytes, name: str) -> Document:
    """The document in bytes, with every fault found; never raises.

    >>> parse_document(b"{answer: no, zip: 01234}", "a.yaml").value
    {'answer': 'no', 'zip': '01234'}
    """
    reader = Reader(name)
    return document_of(name, reader.faults, lambda: reader.read(_decode(data, name)))


def document_of(
    name: str, faults: Sequence[Diagnostic], read: Callable[[], YamlNode], *, lined: bool = True
) -> Document:
    """The document in nodes, with every fault found; never raises.

    Args:
        name: What messages call it.
        faults: Those that `read` finds on its way.
        read: Makes the nodes, or is `Refused`.
        lined: Whether places are lines of a file.
    """
    flat = _Flat(name)
    try:
        value = flat.top(read())
    except Refused as refused:
        return Document(name, faults=(refused.fault,), lined=lined)
    found = (*faults, *flat.faults)
    return Document(name, value, flat.values, flat.keys, found, frozenset(flat.faulty), lined)


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        message = "the file is larger than 1 MiB"
        raise Refused(
            Diagnostic("UL002", message, "an experiment is a page of text, not data", Place(name))
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_of(data[: error.start].decode("utf-8", "replace"), name)
        raise Refused(
            Diagnostic("UL003", "the file is not UTF-8 text", "save it as UTF-8", place)
        ) from None
    if hidden := first_hidden(text.replace("\r", " ")):
        message = f"the invisible character U+{ord(hidden[0]):04X} is not allowed"
        place = replace(_place_of(text[: hidden.start()], name), there=hidden[0])
        raise Refused(Diagnostic("UL003", message, "delete it", place, repair=Repair(place, "")))
    return text


def _after(place: Place, count: int) -> Place:
    return replace(place, column=(place.column or 0) + count, there=None)


def _place_of(before: str, name: str) -> Place:
    return Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Flat:
    """Nodes → values, with the place of each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Diagnostic] = []
        self.values: dict[Key, Place] = {}
        self.keys: dict[Key, Place] = {}
        self.faulty: set[Key] = set()

    def top(self, root: YamlNode) -> dict[str, Any]:
        if not isinstance(root.content, dict):
            message = "the file is not a list of keys and values"
            raise Refused(Diagnostic("UL011", message, "begin with 'schema: 1'", root.place))
        value: dict[str, Any] = self._value(root, ())
        return value

    def _value(self, node: YamlNode, path: Key) -> Any:  # noqa: ANN401 - text, lists and mappings
        self.values[path] = node.place
        if node.refused:
            self.faulty.add(path)
        if len(path) > MAX_DEPTH or len(self.values) > MAX_NODES:
            message = "the aliases unfold to more than can be read"
            raise Refused(Diagnostic("UL008", message, "write the values out", node.place))
        if isinstance(node.content, dict):
            entries = self._joined_numbers(self._parted(node.content), path)
            return {name: self._entry(pair, (*path, name)) for name, pair in entries.items()}
        if isinstance(node.content, list):
            return [self._value(item, (*path, at)) for at, item in enumerate(node.content)]
        if node.content is None:
            self._no_value(node, path)
            return ""
        return node.content

    def _entry(self, pair: tuple[YamlNode, YamlNode], path: Key) -> Any:  # noqa: ANN401 - as above
        self.keys[path] = pair[0].place
        return self._value(pair[1], path)

    def _parted(self, entries: Entries) -> Entries:
        """Entries, with those in braces parted whose key and value lack the colon or its space."""
        found: Entries = {}
        for name, (key, value) in entries.items():
            bare = value.content is None and value.place == _after(key.place, len(name))
            if not bare or (parted := parted_entry(name)) is None or parted.key in entries:
                found.setdefault(name, (key, value))
                continue
            place = _after(key.place, parted.column)
            before = replace(place, there=parted.there)
            repair = Repair(before, parted.instead)
            self.faults.append(
                Diagnostic("UL004", parted.message, parted.remedy, place, repair=repair)
            )
            found[parted.key] = (key, YamlNode(place, parted.value))
        return found

    def _joined_numbers(self, entries: Entries, path: Key) -> Entries:
        """UL014: in braces a decimal comma ends the value, and the rest becomes a key."""
        found = dict(entries)
        for (before, (first, value)), (name, (key, nothing)) in pairwise(entries.items()):
            whole = value.content
            if nothing.content is not None or not isinstance(whole, str):
                continue
            joined = _after(value.place, len(whole) + 1) == key.place
            if joined and (right := rewritten(f"{whole},{name}")):
                message = f"the comma of '{whole},{name}' ends the value here"
                place = replace(value.place, there=f"{whole},{name}")
                fault = Diagnostic("UL014", message, f"write {right}", place)
                self.faults.append(mending(fault, None if " or " in right else right))
                self.faulty.add((*path, name))
                found[before] = (first, YamlNode(value.place, right.partition(" or ")[0]))
                del found[name]
        return found

    def _no_value(self, node: YamlNode, path: Key) -> None:
        if not path or path in self.faulty:
            return
        self.faulty.add(path)
        last = path[-1]
        what = f"'{last}' has no value" if isinstance(last, str) else "this entry has no value"
        remedy = "write one, or remove the key; quote 'null' if the word itself is meant"
        self.faults.append(Diagnostic("UL009", what, remedy, self.keys.get(path, node.place)))
