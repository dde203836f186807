"""The files of `configs/`: read once for a workspace, each on its own."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from upliftlab.config.document import Document, read_document
from upliftlab.config.environment import environment_faults
from upliftlab.config.logo import LogoFile, read_logo
from upliftlab.config.mending import mending
from upliftlab.config.models import (
    Channel,
    ChannelsFile,
    Declaration,
    Metric,
    MetricsFile,
    Offer,
    Program,
    Segment,
    SegmentsFile,
    Source,
    SourcesFile,
    Theme,
)
from upliftlab.config.plain_conditions import plain_columns
from upliftlab.config.respelling import respelt
from upliftlab.config.shape import FILES
from upliftlab.config.translate import ReadModel, read_model
from upliftlab.config.workspace import Workspace, shown
from upliftlab.errors import ConfigError, Diagnostic, Place
from upliftlab.util.nearest import closest, surely

T = TypeVar("T", bound=Declaration)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the experiments of a workspace share; None where the file does not exist."""

    sources: Mapping[str, Source] | None = None
    metrics: Mapping[str, Metric] | None = None
    channels: Mapping[str, Channel] | None = None
    offers: Mapping[str, Offer] | None = None
    segments: Mapping[str, Segment] | None = None
    program: Program = field(default_factory=Program)
    theme: Theme | None = None
    logos: Mapping[str, LogoFile] = field(default_factory=dict[str, LogoFile])
    """The theme's, by the scheme they are for."""
    documents: Mapping[str, Document] = field(default_factory=dict[str, Document])
    broken: frozenset[str] = frozenset()
    """Files that exist but cannot be read: what they declare is unknown, not absent."""
    faults: tuple[Diagnostic, ...] = ()

    def at(self, stem: str, *path: str | int, key: bool = False) -> Place:
        """The place of a value in `configs/<stem>.yaml`."""
        document = self.documents.get(stem)
        return document.at(*path, key=key) if document else Place(f"configs/{stem}.yaml")


def config_files(folder: Path) -> dict[str, Path]:
    """The files of a `configs/` folder by stem, `.yaml` before `.yml`."""
    found: dict[str, Path] = {}
    for stem in FILES:
        for suffix in (".yaml", ".yml"):
            path = folder / f"{stem}{suffix}"
            if os.path.lexists(path):  # also a broken link or a pipe, which are faults
                found.setdefault(stem, path)
    return found


def read_shared(
    workspace: Workspace,
    given: Path,
    values: Mapping[str, Document] | None = None,
    only: Collection[str] = FILES.keys(),
) -> Shared:
    """What the workspace's `configs/` declares, with every fault of its files.

    Args:
        workspace: Where the files lie.
        given: A path the user gave, so that messages name files alike.
        values: Documents that stand in the place of files, by stem.
        only: The files to read, by stem.
    """
    files = config_files(workspace.configs)
    read = {
        stem: read_document(path, workspace.root, shown(path, given))
        for stem, path in files.items()
        if stem in only and stem not in (values or {})
    }
    return _with_logos(_declared({**read, **(values or {})}), workspace)


def _with_logos(shared: Shared, workspace: Workspace) -> Shared:
    """What is declared, with the pictures that the theme names."""
    logo = shared.theme and shared.theme.logo
    if logo is None:
        return shared
    logos: dict[str, LogoFile] = {}
    faults: list[Diagnostic] = []
    for scheme, file in (("light", logo.light), ("dark", logo.dark)):
        try:
            if file is not None:
                place = shared.at("theme", "logo", scheme)
                logos[scheme] = read_logo(workspace.root, file, place)
        except ConfigError as error:
            faults += error.faults
    return replace(shared, logos=logos, faults=(*shared.faults, *faults))


def _declared(documents: Mapping[str, Document]) -> Shared:
    """What documents declare, by stem, with every fault of theirs."""
    models: dict[str, Any] = {}
    meant: dict[str, Document] = {}
    faults: list[Diagnostic] = []
    for stem, document in documents.items():
        right, misspelt = respelt(FILES[stem], document)
        read: ReadModel[Declaration] = ReadModel(None)
        if document.values:
            read = read_model(FILES[stem], right)
        found = [*document.faults, *environment_faults(document), *read.faults]
        wrong = any(fault.severity == "error" for fault in found)
        models[stem] = None if wrong else read.model
        meant[stem] = right
        faults += [*misspelt, *found]
    broken = frozenset(stem for stem, model in models.items() if model is None)
    return _shared(models, meant, broken, tuple(faults))


def _shared(
    models: Mapping[str, Any],
    documents: Mapping[str, Document],
    broken: frozenset[str],
    faults: tuple[Diagnostic, ...],
) -> Shared:
    sources: SourcesFile | None = models.get("sources")
    metrics: MetricsFile | None = models.get("metrics")
    channels: ChannelsFile | None = models.get("channels")
    segments: SegmentsFile | None = models.get("segments")
    return Shared(
        sources=sources.sources if sources else None,
        metrics=metrics.metrics if metrics else None,
        channels=channels.channels if channels else None,
        offers=channels.offers if channels else None,
        segments=segments.segments if segments else None,
        program=models.get("program") or Program(),
        theme=models.get("theme"),
        documents=documents,
        broken=broken,
        faults=faults,
    )


def source_fault(
    name: str, shared: Shared, place: Place, *, events: bool = False
) -> Diagnostic | None:
    """Why `name` cannot be read as a source; None where it can or where that is not known.

    Args:
        name: The source.
        shared: What `configs/sources.yaml` declares.
        place: Where the source is named.
        events: The source must be a table of events, with customer id and time.
    """
    if "sources" in shared.broken:
        return None
    declared = shared.sources or {}
    if name not in declared:
        near = closest(name, list(declared))
        remedy = f"did you mean '{near}'?" if near else "declare it in configs/sources.yaml"
        fault = Diagnostic("UL106", f"the source '{name}' is not declared", remedy, place)
        return mending(fault, surely(name, declared))
    source = declared[name]
    absent = [key for key in ("id", "time") if getattr(source, key) is None]
    if events and absent:
        message = f"the events of source '{name}' need {' and '.join(repr(k) for k in absent)}"
        remedy = f"name the column in configs/sources.yaml under '{name}'"
        return Diagnostic("UL133", message, remedy, place)
    return None


def condition_fault(text: str | None, place: Place) -> Diagnostic | None:
    """Why `text` is refused as a condition, None where it is not."""
    if text is None or plain_columns(text) is not None:
        return None
    from upliftlab.config.expressions import ExpressionError, parse  # noqa: PLC0415 - sqlglot only where it is needed

    try:
        parse(text)
    except ExpressionError as error:
        message, _, remedy = str(error).partition("; ")
        remedy = remedy or "see 'Conditions' in docs/yaml.md"
        return mending(Diagnostic("UL020", message, remedy, place), error.instead)
    return None
