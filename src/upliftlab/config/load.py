"""An experiment file and its workspace → a plan, or every reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from upliftlab.config.document import Document, read_document
from upliftlab.config.environment import environment_faults
from upliftlab.config.extends import with_base, without_base
from upliftlab.config.independence import independent
from upliftlab.config.mapping import read_mapping
from upliftlab.config.models.experiment import ExperimentFile, Plan
from upliftlab.config.resolve import ReadExperiment, resolve
from upliftlab.config.respelling import respelt
from upliftlab.config.rules.registry import plan_faults, shared_faults
from upliftlab.config.scope import Scope
from upliftlab.config.shape import FILES
from upliftlab.config.shared import Shared, read_shared
from upliftlab.config.translate import read_model
from upliftlab.config.workspace import Workspace, find_workspace, shown
from upliftlab.errors import ConfigError, Diagnostic, Place
from upliftlab.util.nearest import closest


@dataclass(frozen=True, slots=True)
class Loaded:
    """An experiment that can be run, with what its `configs/` declare."""

    scope: Scope
    workspace: Workspace
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def plan(self) -> Plan:
        """What was asked, with nothing left to look up."""
        return self.scope.plan


@dataclass(frozen=True, slots=True)
class Examined:
    """An experiment file with what is wrong in it; no scope where it could not be read."""

    scope: Scope | None
    faults: tuple[Diagnostic, ...]


def load(path: Path, *, data: Path | None = None) -> Loaded:
    """The plan of an experiment file.

    Args:
        path: The experiment's YAML file.
        data: The folder that holds its data, if not the workspace's own.

    Raises:
        ConfigError: the file, or one of `configs/`, cannot be used; it holds every fault found.
    """
    workspace = find_workspace(path, data)
    shared = read_shared(workspace, path)
    return _loaded(examine(path, workspace, shared, path), shared, workspace)


def load_values(
    values: Mapping[str, object],
    configs: Mapping[str, Mapping[str, object]],
    workspace: Workspace,
) -> Loaded:
    """The plan of an experiment in Python values, by the rules of a file.

    Args:
        values: What an experiment's file would hold.
        configs: What the files of `configs/` would hold, by stem such as `metrics`; those of the
            workspace's folder hold where a stem is absent.
        workspace: Where data and ledger lie.

    Raises:
        ConfigError: as `load`; the place of a fault is the way to its value, such as
            `arms.email.share`. UL031, there is no such file in `configs/`.
    """
    if unknown := next((stem for stem in configs if stem not in FILES), None):
        near = closest(str(unknown), list(FILES), cutoff=0.6)
        remedy = f"did you mean '{near}'?" if near else f"there are {', '.join(FILES)}"
        message = f"configs has no part '{str(unknown)[:60]}'"
        raise ConfigError(Diagnostic("UL031", message, remedy, Place("configs")))
    given = {
        stem: read_mapping(content, f"configs.{stem}", f"configs.{stem}")
        for stem, content in configs.items()
    }
    shared = read_shared(workspace, workspace.configs, given)
    own = without_base(read_mapping(values, "experiment"))
    return _loaded(_examined(own, shared), shared, workspace)


def _loaded(examined: Examined, shared: Shared, workspace: Workspace) -> Loaded:
    faults = in_order([*shared_faults(shared), *examined.faults])
    if examined.scope is None or any(fault.severity == "error" for fault in faults):
        raise ConfigError(faults)
    return Loaded(examined.scope, workspace, faults)


def examine(path: Path, workspace: Workspace, shared: Shared, given: Path) -> Examined:
    """One experiment file against what its workspace declares.

    Args:
        path: The experiment's file.
        workspace: Where it lies.
        shared: What the workspace's `configs/` declares.
        given: A path the user gave, so that messages name files alike.
    """
    own = read_document(path, workspace.root, shown(path, given))
    return examine_document(own, path, workspace, shared, given)


def examine_document(
    own: Document, path: Path, workspace: Workspace, shared: Shared, given: Path
) -> Examined:
    """As `examine`, of what the file holds or shall hold."""
    document = with_base(own, path, workspace, given)
    examined = _examined(document, shared)
    if document is own or ("extends",) in document.faulty:
        return examined
    target = path.parent / str(own.get("extends"))
    base = shown(target, given)
    inherited = [each for each in examined.faults if each.place and each.place.file == base]
    if not inherited:
        return examined
    alone = _examined(read_document(target, workspace.root, base), shared).faults
    here = own.at("extends")
    moved = {each: _told_at(each, here) for each in inherited if each not in alone}
    return replace(examined, faults=tuple(moved.get(each, each) for each in examined.faults))


def _told_at(fault: Diagnostic, place: Place) -> Diagnostic:
    """What is wrong with an inherited value only here: its own place may be right by itself."""
    return replace(
        fault, message=f"{fault.message} (inherited from {fault.place})", place=place, repair=None
    )


def _examined(document: Document, shared: Shared) -> Examined:
    faults = [*document.faults, *environment_faults(document)]
    if not document.values:
        return Examined(None, tuple(faults))
    document, misspelt = respelt(ExperimentFile, document)
    read = read_model(ExperimentFile, document)
    faults += [*misspelt, *read.faults]
    if read.model is None:
        return Examined(None, tuple(faults))
    resolution = resolve(ReadExperiment(document, read.model), shared)
    scope = Scope(resolution.plan, document, shared)
    told = {fault.place for fault in faults}
    every = (*resolution.faults, *plan_faults(scope))
    broken = [fault for fault in every if fault.place not in told]
    if read.without:
        return Examined(None, (*faults, *independent(broken, document, read.without)))
    return Examined(scope, (*faults, *broken))


def in_order(faults: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each fault once, by file, line, column and code."""

    def position(fault: Diagnostic) -> tuple[str, int, int, str, str]:
        place = fault.place
        if place is None:
            return ("", 0, 0, fault.code, fault.message)
        return (place.file, place.line or 0, place.column or 0, fault.code, fault.message)

    return tuple(sorted(dict.fromkeys(faults), key=position))
