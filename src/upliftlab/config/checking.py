"""Whole folders at once: every fault of every file, and what experiments do to one another."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from upliftlab.config.load import examine, in_order
from upliftlab.config.rules.registry import cross_faults, notices, shared_faults
from upliftlab.config.scope import Scope, Siblings
from upliftlab.config.shape import FILES
from upliftlab.config.shared import config_files, read_shared
from upliftlab.config.workspace import Workspace, find_workspace, shown
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.nearest import closest

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong.

    Attributes:
        files: Every file's name, as faults name it.
        faults: In a fixed order.
    """

    files: tuple[str, ...]
    faults: tuple[Diagnostic, ...]


def check(paths: Sequence[Path], *, notice: bool = False) -> tuple[Diagnostic, ...]:
    """Every fault of `check_files`, in a fixed order."""
    return check_files(paths, notice=notice).faults


def check_files(paths: Sequence[Path], *, notice: bool = False) -> Checked:
    """The given files and folders, with every fault.

    Files directly in a folder named `configs` are what experiments share; all others are
    experiments, each checked against the `configs/` of its own workspace and against one another.

    Args:
        paths: Files, or folders that are searched for `*.yaml` and `*.yml`.
        notice: Tell also what is taken where nothing is declared, which is no fault.
    """
    files, faults = _collect(paths)
    experiments: dict[Path, list[tuple[Path, Path]]] = defaultdict(list)
    workspaces: dict[Path, tuple[Workspace, Path]] = {}
    for path, given in files:
        workspace = find_workspace(path)
        if path.parent.name == "configs":
            faults += _misplaced(path, given)
            workspace = Workspace(path.parent.parent, path.parent.parent)
        else:
            experiments[workspace.root].append((path, given))
        workspaces.setdefault(workspace.root, (workspace, given))
    for root, (workspace, given) in workspaces.items():
        faults += _check_workspace(workspace, given, experiments[root], notice=notice)
    return Checked(tuple(shown(path, given) for path, given in files), in_order(faults))


def experiments(paths: Sequence[Path]) -> tuple[tuple[Path, Path], ...]:
    """The experiment files among the given files and folders, each with the path that led to it."""
    files, _ = _collect(paths)
    return tuple((path, given) for path, given in files if path.parent.name != "configs")


def _collect(paths: Sequence[Path]) -> tuple[list[tuple[Path, Path]], list[Diagnostic]]:
    """Every file, absolute, with the path that led to it; and paths that lead nowhere."""
    found: dict[Path, Path] = {}
    faults: list[Diagnostic] = []
    for given in paths:
        absolute = Path(os.path.abspath(given))  # noqa: PTH100 - resolve() would follow links
        if not absolute.is_dir():
            found.setdefault(absolute, given)
            continue
        inside = list(_walk(absolute))
        if not inside:
            place = Place(shown(absolute, given))
            message = "the folder holds no YAML file"
            faults.append(Diagnostic("UL022", message, "name a folder with *.yaml files", place))
        for path in inside:
            found.setdefault(path, given)
    return list(found.items()), faults


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        # A folder that is called like a file is told as one that cannot be read.
        named = [name for name in folders if name.endswith(_SUFFIXES)]
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in named
        )
        for name in sorted([*names, *named]):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(here, name)


def _misplaced(path: Path, given: Path) -> list[Diagnostic]:
    """UL021: a file of `configs/` that nothing reads."""
    if path in config_files(path.parent).values() or not os.path.lexists(path):
        return []
    known = ", ".join(f"{stem}.yaml" for stem in FILES)
    near = closest(path.stem, list(FILES), cutoff=0.6)
    remedy = f"did you mean '{near}.yaml'?" if near else f"configs/ holds {known}"
    if near == path.stem:
        remedy = f"keep one of {near}.yaml and {near}.yml"
    message = f"nothing reads the file '{path.name}' of configs/"
    return [Diagnostic("UL021", message, remedy, Place(shown(path, given)))]


def _check_workspace(
    workspace: Workspace,
    given: Path,
    experiments: Sequence[tuple[Path, Path]],
    *,
    notice: bool,
) -> list[Diagnostic]:
    shared = read_shared(workspace, given)
    faults = shared_faults(shared)
    scopes: list[Scope] = []
    for path, from_path in experiments:
        examined = examine(path, workspace, shared, from_path)
        faults += examined.faults
        if examined.scope is not None:
            scopes.append(examined.scope)
            faults += notices(examined.scope) if notice else ()
    return [*faults, *cross_faults(Siblings(scopes, shared))]
