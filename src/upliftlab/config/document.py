"""YAML text → plain values that are still text, each with its place.

PyYAML's loaders read `no` as False, `010` as 8 and `1:30` as 90, and let the last duplicate key
win. Here only its parser is used: events become mappings, lists and text, nothing is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from upliftlab.config.yaml_words import in_plain_words
from upliftlab.errors import Fault, Place

Key = tuple[str | int, ...]
"""The way from the top of a document to a value: mapping keys and list positions."""

MAX_BYTES = 1 << 20
MAX_ALIASES = 50
MAX_DEPTH = 32
MAX_NODES = 20_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_VALUE = ("", "~", "null", "Null", "NULL")
_HIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Document:
    """One file's values and the places of all of them."""

    file: str
    value: dict[str, Any] = field(default_factory=dict[str, Any])
    values: Mapping[Key, Place] = field(default_factory=dict[Key, Place])
    keys: Mapping[Key, Place] = field(default_factory=dict[Key, Place])
    faults: tuple[Fault, ...] = ()
    faulty: frozenset[Key] = frozenset()
    """Where the values cannot be trusted, because a fault was found there."""

    def at(self, *path: str | int, key: bool = False) -> Place:
        """The place of a value (or of its key), or of the nearest thing that encloses it."""
        for end in range(len(path), 0, -1):
            here = path[:end]
            first, second = (self.keys, self.values) if key else (self.values, self.keys)
            if found := first.get(here) or second.get(here):
                return found
        return Place(self.file, 1, 1)

    def has(self, *path: str | int) -> bool:
        """Whether the file holds a value at `path`."""
        return path in self.values

    def get(self, *path: str | int) -> Any:  # noqa: ANN401 - YAML holds text, lists and mappings
        """The raw value at `path`, None where there is none."""
        if not self.has(*path):
            return None
        here: Any = self.value
        for step in path:
            here = here[step]
        return here


class _Refused(Exception):  # noqa: N818 - control flow within this module
    """The rest of the file cannot be read."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


@dataclass(slots=True, eq=False)
class _Node:
    place: Place
    content: str | list[_Node] | dict[str, tuple[_Node, _Node]] | None


def read_document(path: Path, name: str | None = None) -> Document:
    """The document in a file; `name` is what messages call the file."""
    name = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "its name is not a file's").lower()
        fault = Fault("UL001", f"cannot read the file: {reason}", "check its name", Place(name))
        return Document(name, faults=(fault,))
    return parse_document(data, name)


def parse_document(data: bytes, name: str) -> Document:
    """The document in bytes, with every fault found; never raises.

    >>> parse_document(b"{answer: no, zip: 01234}", "a.yaml").value
    {'answer': 'no', 'zip': '01234'}
    """
    try:
        text = _decode(data, name)
        reader = _Reader(name)
        root = reader.read(text)
        flat = _Flat(name)
        value = flat.top(root)
    except _Refused as refused:
        return Document(name, faults=(refused.fault,))
    faults = (*reader.faults, *flat.faults)
    document = Document(name, value, flat.values, flat.keys, faults)
    return replace(document, faulty=frozenset(flat.faulty))


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        message = "the file is larger than 1 MiB"
        raise _Refused(
            Fault("UL002", message, "an experiment is a page of text, not data", Place(name))
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_of(data[: error.start].decode("utf-8", "replace"), name)
        raise _Refused(
            Fault("UL003", "the file is not UTF-8 text", "save it as UTF-8", place)
        ) from None
    if hidden := _HIDDEN.search(text):
        message = f"the invisible character U+{ord(hidden[0]):04X} is not allowed"
        raise _Refused(
            Fault("UL003", message, "delete it", _place_of(text[: hidden.start()], name))
        )
    return text


def _place_of(before: str, name: str) -> Place:
    return Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _is_tab(text: str, mark: Any) -> bool:  # noqa: ANN401 - PyYAML's marks have two classes
    lines = text.splitlines()
    return mark.line < len(lines) and lines[mark.line][mark.column :][:1] == "\t"


class _Reader:
    """Parser events → nodes; aliases share their anchor's node."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self._anchors: dict[str, _Node] = {}
        self._open: set[str] = set()
        self._aliases = 0
        self._nodes = 0

    def read(self, text: str) -> _Node:
        try:
            events = yaml.parse(text, Loader=_LOADER)
            return self._document(events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self.name, mark.line + 1, mark.column + 1) if mark else Place(self.name)
            problem = "a tab" if mark and _is_tab(text, mark) else error.problem or ""
            message, remedy = in_plain_words(problem, error.context or "")
            raise _Refused(Fault("UL004", message, remedy, place)) from None
        except yaml.YAMLError as error:
            message, remedy = in_plain_words(str(error), "")
            raise _Refused(Fault("UL004", message, remedy, Place(self.name))) from None

    def _document(self, events: Iterator[yaml.Event]) -> _Node:
        root: _Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                remedy = "keep one experiment per file; remove the line '---'"
                raise _Refused(self._fault("UL007", "a second document begins here", remedy, event))
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        if root is None:
            message = "the file is empty"
            raise _Refused(
                Fault("UL011", message, "begin with 'schema: 1'", Place(self.name, 1, 1))
            )
        return root

    def _fault(self, code: str, message: str, remedy: str, event: yaml.Event) -> Fault:
        return Fault(code, message, remedy, self._at(event))

    def _at(self, event: yaml.Event) -> Place:
        mark: Any = event.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> _Node:
        self._bound(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")[:40]
            remedy = "remove it; values are read as they are written"
            self.faults.append(self._fault("UL006", f"the tag '{shown}' is refused", remedy, event))
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self._open.add(anchor)
        node = _Node(self._at(event), self._content(event, events, depth))
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = node
        return node

    def _bound(self, event: yaml.Event, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            what = f"{MAX_DEPTH} levels" if depth > MAX_DEPTH else f"{MAX_NODES:,} values"
            raise _Refused(
                self._fault("UL008", f"more than {what} are refused", "simplify the file", event)
            )

    def _content(
        self, event: yaml.Event, events: Iterator[yaml.Event], depth: int
    ) -> str | list[_Node] | dict[str, tuple[_Node, _Node]] | None:
        if isinstance(event, yaml.ScalarEvent):
            text: str = event.value
            plain = event.style in (None, "")
            return None if plain and text in _NO_VALUE else text
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[_Node] = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._node(item, events, depth + 1))
            return items
        return self._mapping(events, depth)

    def _mapping(self, events: Iterator[yaml.Event], depth: int) -> dict[str, tuple[_Node, _Node]]:
        entries: dict[str, tuple[_Node, _Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            name = self._key(event, key)
            if name is None:
                continue
            if name in entries:
                first = entries[name][0].place.line
                message = f"the key '{name}' appears twice; it is already in line {first}"
                self.faults.append(self._fault("UL005", message, "remove one of them", event))
            else:
                entries[name] = (key, value)
        return entries

    def _key(self, event: yaml.Event, key: _Node) -> str | None:
        text = key.content.strip() if isinstance(key.content, str) else ""
        if isinstance(event, yaml.ScalarEvent) and text and text != "<<":
            return text[:200]
        message = "a key is a name; lists, mappings and nothing are refused"
        remedy = "write 'name: value'; quote a name that begins with a special character"
        if text == "<<":
            message = "merging with '<<' is refused"
            remedy = "write the keys out, or use 'extends: other.yaml'"
        self.faults.append(self._fault("UL010", message, remedy, event))
        return None

    def _alias(self, event: yaml.AliasEvent) -> _Node:
        self._aliases += 1
        name: str = event.anchor or ""
        if name in self._open:
            message = f"the alias '*{name[:40]}' refers to itself"
            raise _Refused(self._fault("UL008", message, "write the value out", event))
        if name not in self._anchors:
            message = f"the alias '*{name[:40]}' has no anchor '&{name[:40]}' before it"
            remedy = "quote a text that begins with '*'"
            raise _Refused(self._fault("UL004", message, remedy, event))
        if self._aliases > MAX_ALIASES:
            message = f"more than {MAX_ALIASES} aliases are refused"
            raise _Refused(self._fault("UL008", message, "write the values out", event))
        return self._anchors[name]


class _Flat:
    """Nodes → values, with the place of each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.values: dict[Key, Place] = {}
        self.keys: dict[Key, Place] = {}
        self.faulty: set[Key] = set()

    def top(self, root: _Node) -> dict[str, Any]:
        if not isinstance(root.content, dict):
            message = "the file is not a list of keys and values"
            raise _Refused(Fault("UL011", message, "begin with 'schema: 1'", root.place))
        return self._value(root, ())

    def _value(self, node: _Node, path: Key) -> Any:  # noqa: ANN401 - text, lists and mappings
        self.values[path] = node.place
        if len(path) > MAX_DEPTH or len(self.values) > MAX_NODES:
            message = "the aliases unfold to more than can be read"
            raise _Refused(Fault("UL008", message, "write the values out", node.place))
        if isinstance(node.content, dict):
            return {name: self._entry(pair, (*path, name)) for name, pair in node.content.items()}
        if isinstance(node.content, list):
            return [self._value(item, (*path, at)) for at, item in enumerate(node.content)]
        if node.content is None:
            self._no_value(node, path)
            return ""
        return node.content

    def _entry(self, pair: tuple[_Node, _Node], path: Key) -> Any:  # noqa: ANN401 - as above
        self.keys[path] = pair[0].place
        return self._value(pair[1], path)

    def _no_value(self, node: _Node, path: Key) -> None:
        self.faulty.add(path)
        if not path:
            return
        last = path[-1]
        what = f"'{last}' has no value" if isinstance(last, str) else "this entry has no value"
        remedy = "write one, or remove the key; quote 'null' if the word itself is meant"
        self.faults.append(Fault("UL009", what, remedy, self.keys.get(path, node.place)))
