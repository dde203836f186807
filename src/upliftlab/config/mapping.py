"""Python values → a document, as if they had been written in YAML.

Nothing is typed here: numbers, days and durations become the text that a file would hold, so that
values and files go through the same models and rules, and break them with the same codes. The
place of a fault is the way to the value, such as `arms.email.share`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, Final, cast

from upliftlab.config.document import Document, Key, document_of
from upliftlab.config.models.values import format_duration
from upliftlab.config.nodes import MAX_DEPTH, MAX_NODES, Content, Refused, YamlNode, key_text
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.visible import first_hidden

_HOUR: Final = timedelta(hours=1)
"""Durations are of whole hours."""
_LONGEST: Final = 40
"""Characters of a key that a place shows."""


def read_mapping(values: object, name: str, prefix: str = "") -> Document:
    """The document in Python values, with every fault found; never raises.

    Args:
        values: A mapping of text to text, numbers, booleans, days, durations, lists and mappings.
        name: What messages call the whole.
        prefix: What every place begins with.

    >>> read_mapping({"share": 0.5, "control": True}, "experiment").value
    {'share': '0.5', 'control': 'true'}
    """
    reader = _Reader(name, prefix)
    return document_of(name, reader.faults, lambda: reader.node(values, ()), lined=False)


class _Reader:
    """Values → nodes, within the bounds that hold for files."""

    def __init__(self, name: str, prefix: str) -> None:
        self.faults: list[Diagnostic] = []
        self._name = name
        self._prefix = prefix
        self._nodes = 0

    def node(self, value: object, path: Key) -> YamlNode:
        self._nodes += 1
        place = self._at(path)
        if len(path) >= MAX_DEPTH or self._nodes > MAX_NODES:
            what = f"{MAX_DEPTH} levels" if len(path) >= MAX_DEPTH else f"{MAX_NODES:,} values"
            message = f"more than {what} are refused"
            raise Refused(Diagnostic("UL008", message, "simplify the experiment", place))
        return YamlNode(place, self._content(value, path))

    def _content(self, value: object, path: Key) -> Content:
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[object, object]", value), path)
        if isinstance(value, list | tuple):
            items = cast("list[object] | tuple[object, ...]", value)
            return [self.node(item, (*path, at)) for at, item in enumerate(items)]
        if value is None:
            return None
        text = _text(value)
        if text is None:
            message = f"a value of the type '{type(value).__name__}' is refused"
            remedy = "give text, a number, a boolean, a day, a duration, a list or a mapping"
            raise Refused(Diagnostic("UL030", message, remedy, self._at(path)))
        self._seen(text, path)
        return text

    def _mapping(
        self, entries: Mapping[object, object], path: Key
    ) -> dict[str, tuple[YamlNode, YamlNode]]:
        found: dict[str, tuple[YamlNode, YamlNode]] = {}
        for key, value in entries.items():
            name = key_text(key) if isinstance(key, str) else None
            if name is None or name in found:
                message = "a key is a name in one line, and no other is written like it"
                remedy = "write {'name': value}"
                self.faults.append(Diagnostic("UL010", message, remedy, self._at(path)))
                continue
            self._seen(name, path)
            here = (*path, name)
            found[name] = (YamlNode(self._at(here), name), self.node(value, here))
        return found

    def _seen(self, text: str, path: Key) -> None:
        if hidden := first_hidden(text):
            message = f"the invisible character U+{ord(hidden[0]):04X} is not allowed"
            raise Refused(Diagnostic("UL003", message, "delete it", self._at(path)))

    def _at(self, path: Key) -> Place:
        """The way to a value: `arms.email.share`, of entries with their number from 0."""
        steps = [self._prefix] if self._prefix else []
        return Place(".".join([*steps, *(str(step)[:_LONGEST] for step in path)]) or self._name)


def _text(value: Any) -> str | None:  # noqa: ANN401 - anything
    """A value as a file would hold it; None where none would.

    >>> _text(False), _text(1e-05), _text(date(2026, 3, 2)), _text(timedelta(days=28))
    ('false', '0.00001', '2026-03-02', '28 days')
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):  # NumPy's are none
        return str(bool(value)).lower()
    if isinstance(value, timedelta):
        return format_duration(value) if value % _HOUR == timedelta(0) else None
    if isinstance(value, Fraction | Integral):
        return str(value)
    if isinstance(value, Decimal | Real):
        return f"{value if isinstance(value, Decimal) else Decimal(repr(float(value))):f}"
    return value.isoformat() if isinstance(value, date) else None
