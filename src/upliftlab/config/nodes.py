"""PyYAML's parser events → nodes with places, within bounds; nothing is resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import yaml

from upliftlab.config.syntax import SyntaxFault, dashed, located, odd_space
from upliftlab.config.yaml_words import in_plain_words
from upliftlab.errors import Diagnostic, Place, Repair
from upliftlab.util.visible import first_hidden

MAX_ALIASES = 50
MAX_DEPTH = 32
MAX_NODES = 20_000

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_VALUE = ("", "~", "null", "Null", "NULL")
_NUMBERED = re.compile(r"[ \t]+(#\d\S*)")
"""Behind a text: the beginning of a comment that reads like a part of it, such as '#3'."""


class Refused(Exception):  # noqa: N818 - control flow within `document.py`
    """The rest of the file cannot be read."""

    def __init__(self, fault: Diagnostic) -> None:
        self.fault = fault


@dataclass(slots=True, eq=False)
class YamlNode:
    """Text, a list or a mapping from name to key and value; None where nothing is written."""

    place: Place
    content: Content
    refused: bool = False
    """What it was meant to be is not known, and has been told."""


Entries = dict[str, tuple[YamlNode, YamlNode]]
Content = str | list[YamlNode] | Entries | None


def key_text(text: str) -> str | None:
    """A key without spaces around it; None where it is no name in one line.

    >>> key_text(" email "), key_text(" "), key_text("<<")
    ('email', None, None)
    """
    name = text.strip()
    one_line = not ("\n" in name or "\t" in name)
    return name[:200] if one_line and name and name != "<<" else None


def _too_deep(text: str) -> yaml.Event | None:
    """The first value that lies deeper than is read, in text that the parser has given up.

    Before a parser says that '[' opens a list, it looks ahead for the ':' that would make a key of
    it, and libyaml 0.2.6 gives up within as soon as it has seen 1,000 of them. PyYAML's own scanner
    has no such bound, but is slow: it is asked where enough brackets are for it to matter.
    """
    if text.count("[") + text.count("{") < MAX_DEPTH:
        return None
    depth = 0
    with suppress(yaml.YAMLError):  # the caller has one already
        for event in islice(yaml.parse(text, Loader=yaml.SafeLoader), 2 * MAX_NODES):
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.NodeEvent) and depth >= MAX_DEPTH:
                return event
            depth += isinstance(event, yaml.CollectionStartEvent)
    return None


class Reader:
    """Parser events → nodes; aliases share their anchor's node."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Diagnostic] = []
        self._anchors: dict[str, YamlNode] = {}
        self._open: set[str] = set()
        self._lines: list[str] = []
        self._aliases = 0
        self._nodes = 0

    def read(self, text: str) -> YamlNode:
        """The root of the one document in `text`."""
        self._lines = re.split("\r\n|[\r\n]", text)
        if odd := odd_space(self._lines):
            raise Refused(self._syntax(odd))
        try:
            events = yaml.parse(text, Loader=LOADER)
            return self._document(events)
        except yaml.MarkedYAMLError as error:
            if event := _too_deep(text):
                raise Refused(self._beyond(f"{MAX_DEPTH} levels", event)) from None
            raise Refused(self._syntax(located(self._lines, error))) from None
        except yaml.YAMLError as error:
            message, remedy = in_plain_words(str(error), "")
            raise Refused(Diagnostic("UL004", message, remedy, Place(self.name))) from None

    def _document(self, events: Iterator[yaml.Event]) -> YamlNode:
        root: YamlNode | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                remedy = "keep one experiment per file; remove the line '---'"
                raise Refused(self._fault("UL007", "a second document begins here", remedy, event))
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        if root is None:
            message = "the file is empty"
            raise Refused(
                Diagnostic("UL011", message, "begin with 'schema: 1'", Place(self.name, 1, 1))
            )
        return root

    def _fault(self, code: str, message: str, remedy: str, event: yaml.Event) -> Diagnostic:
        return Diagnostic(code, message, remedy, self._at(event))

    def _syntax(self, found: SyntaxFault) -> Diagnostic:
        place = Place(self.name, found.line, found.column)
        repair = None
        if change := found.change:
            column = found.column if change.column is None else change.column
            at = Place(self.name, found.line, column, change.there)
            repair = Repair(at, change.instead)
        return Diagnostic("UL004", found.message, found.remedy, place, repair=repair)

    def _at(self, event: yaml.Event) -> Place:
        start: Any = event.start_mark
        end: Any = event.end_mark
        line: int = start.line
        column: int = start.column
        last: int = end.line
        behind: int = end.column
        of_one_line = isinstance(event, yaml.ScalarEvent) and line == last < len(self._lines)
        there = self._lines[line][column:behind] if of_one_line else None
        return Place(self.name, line + 1, column + 1, there)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> YamlNode:
        self._bound(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")[:40]
            remedy = "remove it; values are read as they are written"
            if tag == f"!{tag[1:]}" and key_text(tag[1:]):
                remedy = f"quote a text that begins with '!'; a condition says 'not {tag[1:40]}'"
            fault = self._fault("UL006", f"the tag '{shown}' is refused", remedy, event)
            self.faults.append(replace(fault, repair=self._untagged(event)))
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self._open.add(anchor)
        told = len(self.faults)
        content = self._content(event, events, depth)
        node = YamlNode(self._at(event), content, content in (None, {}) and self._told(tag, told))
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = node
        return node

    def _untagged(self, event: yaml.Event) -> Repair | None:
        """A value without the tag of a type, which no value needs."""
        mark: Any = event.start_mark
        number: int = mark.line
        line = self._lines[number] if number < len(self._lines) else ""
        found = re.compile(r"!![a-z]+ +(?=[^\s#])").match(line, mark.column)
        return Repair(replace(self._at(event), there=found[0]), "") if found else None

    def _told(self, tag: str | None, before: int) -> bool:
        """Whether it is said already why a value is empty: for its tag, or for its only key."""
        return tag is not None or len(self.faults) > before

    def _bound(self, event: yaml.Event, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            what = f"{MAX_DEPTH} levels" if depth > MAX_DEPTH else f"{MAX_NODES:,} values"
            raise Refused(self._beyond(what, event))

    def _beyond(self, what: str, event: yaml.Event) -> Diagnostic:
        return self._fault("UL008", f"more than {what} are refused", "simplify the file", event)

    def _content(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Content:
        if isinstance(event, yaml.ScalarEvent):
            text: str = event.value
            self._seen(event, text)
            plain = event.style in (None, "")
            if plain and text:
                self._cut(event, text)
                mark: Any = event.start_mark
                if found := dashed(self._lines, mark.line, mark.column):
                    self.faults.append(self._syntax(found))
            return None if plain and text in _NO_VALUE else text
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[YamlNode] = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._node(item, events, depth + 1))
            return items
        return self._mapping(events, depth)

    def _cut(self, event: yaml.Event, text: str) -> None:
        """UL047: behind a space '#' begins a comment, also in 'Offer #3'."""
        mark: Any = event.end_mark
        line: int = mark.line
        column: int = mark.column
        rest = self._lines[line][column:] if line < len(self._lines) else ""
        if found := _NUMBERED.match(rest):
            message = f"the text ends before '{found[1][:40]}', which is read as a comment"
            remedy = f"quote it: '{text[:60]} {found[1][:40]}'; or put a space behind '#'"
            self.faults.append(
                replace(self._fault("UL047", message, remedy, event), severity="warning")
            )

    def _seen(self, event: yaml.Event, text: str) -> None:
        """Refuse what the file's text hides by an escape in double quotes."""
        if hidden := first_hidden(text):
            message = f"the invisible character U+{ord(hidden[0]):04X} is not allowed"
            remedy = "remove the escape, or write a backslash in single quotes"
            raise Refused(self._fault("UL003", message, remedy, event))

    def _mapping(self, events: Iterator[yaml.Event], depth: int) -> Entries:
        entries: Entries = {}
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

    def _key(self, event: yaml.Event, key: YamlNode) -> str | None:
        text = key.content if isinstance(key.content, str) else ""
        name = key_text(text) if isinstance(event, yaml.ScalarEvent) else None
        if name is not None:
            return name
        message = "a key is a name in one line; lists, mappings and nothing are refused"
        remedy = "write 'name: value'; quote a name that begins with a special character"
        if isinstance(key.content, dict):
            message = "'{{ }}' is a placeholder of a template, and there is no template here"
            remedy = "write the value itself"
        if text.strip() == "<<":
            message = "merging with '<<' is refused"
            remedy = "write the keys out, or use 'extends: other.yaml'"
        self.faults.append(self._fault("UL010", message, remedy, event))
        return None

    def _alias(self, event: yaml.AliasEvent) -> YamlNode:
        self._aliases += 1
        name: str = event.anchor or ""
        if name in self._open:
            message = f"the alias '*{name[:40]}' refers to itself"
            raise Refused(self._fault("UL008", message, "write the value out", event))
        if name not in self._anchors:
            message = f"the alias '*{name[:40]}' has no anchor '&{name[:40]}' before it"
            remedy = "quote a text that begins with '*'"
            raise Refused(self._fault("UL004", message, remedy, event))
        if self._aliases > MAX_ALIASES:
            message = f"more than {MAX_ALIASES} aliases are refused"
            raise Refused(self._fault("UL008", message, "write the values out", event))
        return self._anchors[name]
