"""One experiment file on top of another: `extends: other.yaml`, one level deep.

Settings merge key by key. Lists, and groups whose keys are the writer's own names (arms,
guardrails, fixed costs, winsorized metrics) or that say where a table lies (customers), are
replaced whole. Computed columns and the metrics that an experiment defines are names that others
stay valid beside: they merge by name, and each definition is replaced whole.
The experiment's name and salt are never inherited: two experiments must not share them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from upliftlab.config.document import Document, Key, read_document
from upliftlab.config.workspace import Workspace, shown
from upliftlab.errors import Diagnostic, Place

OWN: frozenset[Key] = frozenset(
    {("schema",), ("experiment",), ("extends",), ("assignment", "salt")}
)
"""What is never inherited."""
WHOLE: frozenset[Key] = frozenset(
    {
        ("arms",),
        ("customers",),
        ("metrics", "guardrails"),
        ("money", "fixed_cost"),
        ("analysis", "winsorize"),
    }
)
"""What is replaced whole."""
_NAMED: Key = ("metrics", "define")
"""Definitions by name, each of which is replaced whole."""


def without_base(document: Document) -> Document:
    """A document that lies in no folder, so that nothing can be extended."""
    if not document.has("extends"):
        return document
    return _refused(
        document, "values extend no file: nothing lies beside them", document.at("extends")
    )


def with_base(document: Document, path: Path, workspace: Workspace, given: Path) -> Document:
    """`document` with the values of the file it extends, where it has none itself."""
    name = document.get("extends")
    if not isinstance(name, str) or ("extends",) in document.faulty:
        return document
    place = document.at("extends")
    target = path.parent / name
    reason = _refusal(name, target, path, workspace)
    if reason is None and not os.path.lexists(target):
        reason = f"there is no file '{name[:120]}' beside this one"
    if reason is not None:
        return _refused(document, reason, place)
    base = read_document(target, workspace.root, shown(target, given))
    if base.has("extends"):
        return _refused(document, f"'{name[:120]}' extends another file itself", place)
    return merge(document, base)


def _refusal(name: str, target: Path, path: Path, workspace: Workspace) -> str | None:
    if Path(name).is_absolute() or PurePosixPath(name).suffix not in (".yaml", ".yml"):
        return f"'{name[:120]}' is not a YAML file beside this one"
    if "\0" in name:
        return f"'{name[:120]}' is not a YAML file beside this one"
    real = os.path.realpath(target)
    if not Path(real).is_relative_to(os.path.realpath(workspace.root)):
        return f"'{name[:120]}' leaves the workspace"
    return "an experiment cannot extend itself" if real == os.path.realpath(path) else None


def _refused(document: Document, message: str, place: Place) -> Document:
    fault = Diagnostic(
        "UL018", message, "name one complete experiment of the same workspace", place
    )
    faults, faulty = (*document.faults, fault), document.faulty | {("extends",)}
    return replace(document, faults=faults, faulty=faulty)


def merge(over: Document, base: Document) -> Document:
    """The values of `over`, and those of `base` where `over` has none, with their places."""
    values, keys = dict(over.values), dict(over.keys)

    def take(path: Key) -> None:
        for source, target in ((base.values, values), (base.keys, keys)):
            below = {at: place for at, place in source.items() if at[: len(path)] == path}
            target.update({at: place for at, place in below.items() if at not in OWN})

    def join(mine: Mapping[str, Any], theirs: Mapping[str, Any], path: Key) -> dict[str, Any]:
        joined = dict(mine)
        for key, value in theirs.items():
            here = (*path, key)
            if here in OWN:
                continue
            if key not in mine:
                take(here)
                joined[key] = _without_own(value, here)
            elif isinstance(value, dict) and isinstance(mine[key], dict) and not _is_whole(here):
                joined[key] = join(mine[key], value, here)  # pyright: ignore[reportUnknownArgumentType] - YAML mappings have text keys
        return joined

    value = join(over.value, base.value, ())
    inherited = frozenset(path for path in base.faulty if values.get(path) == base.values.get(path))
    faults = (*over.faults, *base.faults)
    return Document(over.file, value, values, keys, faults, over.faulty | inherited)


def _is_whole(path: Key) -> bool:
    return path in WHOLE or path[:-1] == _NAMED


def _without_own(value: Any, path: Key) -> Any:  # noqa: ANN401 - text, lists and mappings
    if not isinstance(value, dict):
        return value
    return {key: below for key, below in value.items() if (*path, key) not in OWN}  # pyright: ignore[reportUnknownVariableType] - as above
