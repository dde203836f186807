"""How two plans differ, by the path a reader of the YAML knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

_MOST = 20
_RESOLVED = "configs."


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changed.

    >>> print(Difference("arms.email.share", "1/5", "1/4"))
    arms.email.share: 1/5 → 1/4
    """

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}: {self.before} → {self.after}"


def differences(before: str, after: str) -> tuple[Difference, ...]:
    """What changed between two plans in canonical form (`Plan.canonical()`).

    The values of the experiment's own file stand at the top, as in the file; what they refer to
    stands under `configs`, unless it says the same.
    """
    found = tuple(_compare("", _as_yaml(before), _as_yaml(after)))
    own = {(change.path, change.before, change.after) for change in found}
    return tuple(
        change
        for change in found
        if (change.path.removeprefix(_RESOLVED), change.before, change.after) not in own
        or not change.path.startswith(_RESOLVED)
    )


def listed(changes: tuple[Difference, ...]) -> str:
    """Changes in one line, the first twenty of them."""
    shown = "; ".join(str(change) for change in changes[:_MOST])
    more = len(changes) - _MOST
    return f"{shown}; and {more} more" if more > 0 else shown


def _as_yaml(canonical: str) -> dict[str, Any]:
    """The canonical form in the shape of the file: arms by name, and their order beside them."""
    plan: dict[str, Any] = json.loads(canonical)
    arms: list[list[Any]] = plan.pop("arms")
    own: dict[str, Any] = plan.pop("experiment")
    shape: dict[str, Any] = {f"{_RESOLVED}{key}": value for key, value in plan.items()}
    shape |= own
    shape["arms"] = dict(arms)
    shape["order of arms"] = [name for name, _ in arms]
    return shape


def _compare(path: str, before: object, after: object) -> Iterator[Difference]:
    if before == after:
        return
    old, new = _by_key(before), _by_key(after)
    if old is not None and new is not None:
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}{key}" if key.startswith("[") or not path else f"{path}.{key}"
            yield from _compare(inner, old.get(key), new.get(key))
    else:
        yield Difference(path, _shown(before), _shown(after))


def _by_key(value: object) -> dict[str, object] | None:
    """What a mapping or a list of mappings holds; None for anything else."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    if isinstance(value, list):
        items = cast("list[object]", value)
        if items and all(isinstance(item, dict) for item in items):
            return {f"[{number}]": item for number, item in enumerate(items, start=1)}
    return None


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
