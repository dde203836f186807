"""Whole folders at once: every fault of every file, and what experiments do to one another."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path

from upliftlab.config.load import examine, in_order
from upliftlab.config.scope import Scope
from upliftlab.config.shape import FILES, closest
from upliftlab.config.shared import Shared, config_files, read_shared
from upliftlab.config.shared_rules import shared_faults
from upliftlab.config.workspace import Workspace, find_workspace, shown
from upliftlab.errors import Diagnostic, Place

_SUFFIXES = (".yaml", ".yml")


def check(paths: Sequence[Path]) -> tuple[Diagnostic, ...]:
    """Every fault of the given files and folders, in a fixed order.

    Files directly in a folder named `configs` are what experiments share; all others are
    experiments, each checked against the `configs/` of its own workspace and against one another.

    Args:
        paths: Files, or folders that are searched for `*.yaml` and `*.yml`.
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
        faults += _check_workspace(workspace, given, experiments[root])
    return in_order(faults)


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
    workspace: Workspace, given: Path, experiments: Sequence[tuple[Path, Path]]
) -> list[Diagnostic]:
    shared = read_shared(workspace, given)
    faults = shared_faults(shared)
    scopes: list[Scope] = []
    for path, from_path in experiments:
        examined = examine(path, workspace, shared, from_path)
        faults += examined.faults
        if examined.scope is not None:
            scopes.append(examined.scope)
    return [*faults, *cross_faults(scopes, shared)]


def cross_faults(scopes: Sequence[Scope], shared: Shared) -> list[Diagnostic]:
    """What experiments of one workspace do to one another."""
    faults = [*_same_names(scopes), *_same_salts(scopes)]
    return [*faults, *_same_layer(scopes, shared)]


def _same_names(scopes: Sequence[Scope]) -> Iterator[Diagnostic]:
    """UL129: an experiment's name is its own."""
    first: dict[str, Scope] = {}
    for scope in scopes:
        name = scope.plan.experiment.experiment
        if name in first:
            message = f"the experiment '{name}' is already in {first[name].document.file}"
            remedy = "give each experiment a name of its own"
            yield Diagnostic("UL129", message, remedy, scope.at("experiment"))
        first.setdefault(name, scope)


def _same_salts(scopes: Sequence[Scope]) -> Iterator[Diagnostic]:
    """UL115: two experiments are drawn independently."""
    first: dict[str, Scope] = {}
    for scope in scopes:
        if (salt := scope.salt) is None:
            continue
        other = first.setdefault(salt, scope)
        name = scope.plan.experiment.experiment
        if other is scope or other.plan.experiment.experiment == name:
            continue  # a name given twice is reported as such
        message = f"the salt '{salt}' is also that of experiment '{_name(other)}'"
        place = scope.at("assignment", "salt") if scope.has_salt else scope.at("experiment")
        yield Diagnostic(
            "UL115", message, "choose another: equal salts draw the same people", place
        )


def _same_layer(scopes: Sequence[Scope], shared: Shared) -> Iterator[Diagnostic]:
    """UL114: experiments that run at one time share a layer out in ranges."""
    layers: dict[str, list[Scope]] = defaultdict(list)
    for scope in scopes:
        name = scope.plan.experiment.assignment.layer
        declared = shared.program.layers.get(name or "")
        if name and not (declared and declared.experiments):
            layers[name].append(scope)
    for name, claims in layers.items():
        for one, other in combinations(claims, 2):
            if _overlap(_period(one), _period(other)):
                message = f"'{_name(one)}' and '{_name(other)}' both claim the layer '{name}'"
                remedy = "give each a range in configs/program.yaml, or run them one after another"
                yield Diagnostic("UL114", message, remedy, other.at("assignment", "layer"))


def _name(scope: Scope) -> str:
    return scope.plan.experiment.experiment


def _period(scope: Scope) -> tuple[date, date] | None:
    """First and last day of an experiment, None where it is not known."""
    experiment = scope.plan.experiment
    if not experiment.waves or experiment.outcome_window is None:
        return None
    starts = [wave.start for wave in experiment.waves]
    return min(starts), max(starts) + experiment.outcome_window


def _overlap(one: tuple[date, date] | None, other: tuple[date, date] | None) -> bool:
    if one is None or other is None:
        return True
    return max(one[0], other[0]) < min(one[1], other[1])
