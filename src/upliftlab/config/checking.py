"""Whole folders at once: every fault of every file, and what experiments do to one another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upliftlab.config.changes import Changes
from upliftlab.config.document import Document, parse_document, read_document
from upliftlab.config.file_kinds import kind_of
from upliftlab.config.load import examine_document, in_order
from upliftlab.config.rules.registry import cross_faults, notices, shared_faults
from upliftlab.config.scope import Scope, Siblings
from upliftlab.config.shape import FILES
from upliftlab.config.shared import config_files, read_shared
from upliftlab.config.workspace import Workspace, find_workspace, shown
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.nearest import closest

_SUFFIXES = (".yaml", ".yml")
NAMELESS = Path("<stdin>")
"""What a text is called that has no file's name."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong.

    Attributes:
        files: Every file's name, as faults name it.
        faults: In a fixed order.
        experiments: The experiments among the files, each with the path that led to it.
    """

    files: tuple[str, ...]
    faults: tuple[Diagnostic, ...]
    experiments: tuple[tuple[Path, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """A file outside of what `configs/` reads, with the path that led to it and what it holds."""

    path: Path
    given: Path
    document: Document


@dataclass(slots=True)
class _Space:
    """A workspace and those of its files that are to be checked."""

    workspace: Workspace
    given: Path
    configs: list[str] = field(default_factory=list[str])
    experiments: list[_Found] = field(default_factory=list[_Found])
    others: list[tuple[str, _Found]] = field(default_factory=list[tuple[str, _Found]])
    """Files that hold what belongs in `configs/`, with the stem that they should have there."""


def check(paths: Sequence[Path], *, notice: bool = False) -> tuple[Diagnostic, ...]:
    """Every fault of `check_files`, in a fixed order."""
    return check_files(paths, notice=notice).faults


def check_files(
    paths: Sequence[Path],
    *,
    notice: bool = False,
    since: str | None = None,
    readers: bool = True,
) -> Checked:
    """The given files and folders, with every fault.

    Files directly in a folder named `configs` are what experiments share, and so is what holds
    their keys elsewhere; all others are experiments, each checked against the `configs/` of its
    own workspace and against one another.

    Args:
        paths: Files, or folders that are searched for `*.yaml` and `*.yml`.
        notice: Tell also what is taken where nothing is declared, which is no fault.
        readers: Check beside a file of `configs/` also what reads it: all in `experiments/`.
        since: A revision of git: only what changed since then is told, with the experiments that
            extend a changed file or read a changed `configs/`.

    Raises:
        ConfigError: UL049 and UL050, what changed is not known.
    """
    changes = None if since is None else Changes.since(since, paths)
    files, faults = _collect(paths)
    files = _with_readers(files, changes) if readers else files
    told = [_check_space(space, changes, notice=notice) for space in _spaces(files)]
    return Checked(
        tuple(sorted({file for each in told for file in each.files})),
        in_order([*faults, *(fault for each in told for fault in each.faults)]),
        tuple(pair for each in told for pair in each.experiments),
    )


def experiments(paths: Sequence[Path]) -> tuple[tuple[Path, Path], ...]:
    """The experiments among the given files and folders, each with the path that led to it."""
    spaces = _spaces(_collect(paths)[0])
    return tuple((found.path, found.given) for space in spaces for found in space.experiments)


def check_text(data: bytes, path: Path = NAMELESS) -> Checked:
    """What is wrong in a text, as if it were the content of a file.

    Args:
        data: The text.
        path: The file, which need not exist; the workspace is the one around it.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    workspace, name = (
        workspace_of(absolute),
        str(path) if path == NAMELESS else shown(absolute, path),
    )
    found = _Found(absolute, path, parse_document(data, name))
    stem = kind_of(absolute, found.document)
    if stem is None:
        shared = read_shared(workspace, path)
        faults = examine_document(found.document, absolute, workspace, shared, path).faults
        faults = [each for each in faults if each.place is None or each.place.file == name]
    elif path == NAMELESS or (absolute.parent.name == "configs" and absolute.stem == stem):
        faults = _own_faults(stem, found, workspace)
    else:
        faults = _elsewhere(stem, found, workspace)
    return Checked((name,), in_order(faults))


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


def _with_readers(
    files: Sequence[tuple[Path, Path]], changes: Changes | None
) -> list[tuple[Path, Path]]:
    """Files, with the experiments that read those of `configs/` among them that changed."""
    found = dict(files)
    folders = {path.parent: given for path, given in files if path.parent.name == "configs"}
    for folder, given in folders.items():
        if changes is not None and not changes.hold_shared(Workspace(folder.parent, folder.parent)):
            continue
        for path in _walk(folder.parent / "experiments"):
            found.setdefault(path, given)
    return list(found.items())


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


def workspace_of(path: Path) -> Workspace:
    """The workspace of any file: a file of `configs/` lies in the one above."""
    if path.parent.name == "configs":
        return Workspace(path.parent.parent, path.parent.parent)
    return find_workspace(path)


def _spaces(files: Sequence[tuple[Path, Path]]) -> tuple[_Space, ...]:
    """The workspaces of files, with these where each is checked."""
    spaces: dict[Path, _Space] = {}
    for path, given in files:
        _enlist(path, given, spaces)
    return tuple(spaces.values())


def _enlist(path: Path, given: Path, spaces: dict[Path, _Space]) -> None:
    """Put a file where it is checked."""
    workspace = workspace_of(path)
    space = spaces.setdefault(workspace.root, _Space(workspace, given))
    in_configs = path.parent.name == "configs"
    if in_configs and (path in config_files(path.parent).values() or not os.path.lexists(path)):
        space.configs.append(shown(path, given))
        return
    found = _Found(path, given, read_document(path, workspace.root, shown(path, given)))
    stem = kind_of(path, found.document)
    if in_configs or stem is not None:
        space.others.append((stem or "", found))
    else:
        space.experiments.append(found)


def _check_space(space: _Space, changes: Changes | None, *, notice: bool) -> Checked:
    """What is told of one workspace."""
    whole = changes is None or changes.hold_shared(space.workspace)

    def is_told(found: _Found) -> bool:
        return whole or (changes is not None and changes.touch(found.path, found.document))

    told = [found for found in space.experiments if is_told(found)]
    others = [(stem, found) for stem, found in space.others if is_told(found)]
    faults = [fault for other in others for fault in _elsewhere(*other, space.workspace)]
    names = [found.document.file for found in (*told, *(found for _, found in others))]
    if told or (whole and space.configs):
        faults += _check_experiments(space, told, notice=notice)
        names += space.configs
    return Checked(tuple(names), tuple(faults), tuple((each.path, each.given) for each in told))


def _check_experiments(space: _Space, told: Sequence[_Found], *, notice: bool) -> list[Diagnostic]:
    """What is wrong in `configs/`, in experiments, and with any siblings because of these."""
    shared = read_shared(space.workspace, space.given)
    faults = shared_faults(shared)
    paths = {found.path for found in told}
    scopes: list[Scope] = []
    untold: list[Scope] = []
    for found in space.experiments:
        path, given = found.path, found.given
        examined = examine_document(found.document, path, space.workspace, shared, given)
        found_scopes = [examined.scope] if examined.scope else []
        scopes += found_scopes
        if path in paths:
            faults += examined.faults
            faults += [each for scope in found_scopes if notice for each in notices(scope)]
        else:
            untold += found_scopes
    without = set(cross_faults(Siblings(untold, shared)))
    crossed = cross_faults(Siblings(scopes, shared))
    return [*faults, *(fault for fault in crossed if fault not in without)]


def _elsewhere(stem: str, found: _Found, workspace: Workspace) -> list[Diagnostic]:
    """UL021: a file that nothing reads, for its name or its folder, and what is wrong in it."""
    path, file = found.path, found.document.file
    if path.parent.name != "configs":
        message = f"nothing reads this file: it holds what belongs in configs/{stem}.yaml"
        remedy = "move it there, where the experiments of the workspace find it"
        unread = Diagnostic("UL021", message, remedy, Place(file), "warning")
        return [unread, *_own_faults(stem, found, workspace)]
    known = ", ".join(f"{name}.yaml" for name in FILES)
    near = closest(path.stem, list(FILES), cutoff=0.6) or stem
    remedy = f"did you mean '{near}.yaml'?" if near else f"configs/ holds {known}"
    if near == path.stem:
        remedy = f"keep one of {near}.yaml and {near}.yml"
    message = f"nothing reads the file '{path.name}' of configs/"
    unread = Diagnostic("UL021", message, remedy, Place(file))
    return [unread, *(_own_faults(stem, found, workspace) if stem and stem != path.stem else ())]


def _own_faults(stem: str, found: _Found, workspace: Workspace) -> list[Diagnostic]:
    """What is wrong in a document, were it the file of `configs/` that it should be."""
    shared = read_shared(workspace, found.given, {stem: found.document})
    own = found.document.file
    return [each for each in shared_faults(shared) if each.place and each.place.file == own]
