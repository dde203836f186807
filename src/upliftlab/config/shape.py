"""What the language allows where: its models seen as a tree of keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from upliftlab.config import models
from upliftlab.config.models import Declaration
from upliftlab.config.models.experiment import ExperimentFile

Kind = Literal["record", "table", "list", "scalar"]

FILES: dict[str, type[Declaration]] = {
    "sources": models.SourcesFile,
    "metrics": models.MetricsFile,
    "channels": models.ChannelsFile,
    "segments": models.SegmentsFile,
    "program": models.Program,
    "theme": models.Theme,
}
"""The files of `configs/` by their stem."""


_GROUPS = ("channels", "offers", "metrics", "segments", "sources", "arms", "layers", "columns")


@dataclass(frozen=True, slots=True)
class Shape:
    """A record has known keys, a table has names of the writer's own, a list has entries."""

    kind: Kind
    model: type[Declaration] | None = None
    item: Any = None

    @property
    def keys(self) -> dict[str, Any]:
        """A record's keys, as they are written in YAML, and what each holds."""
        return {} if self.model is None else _keys(self.model)

    def child(self, step: str | int) -> Shape:
        """The shape of what lies under one key or at one position."""
        if self.kind == "record":
            return _SCALAR if self.model is None else _child(self.model, str(step))
        return shape(self.item)


_SCALAR = Shape("scalar")


@cache
def _keys(model: type[Declaration]) -> dict[str, Any]:
    fields = model.model_fields
    return {field.alias or name: field.annotation for name, field in fields.items()}


@cache
def _child(model: type[Declaration], key: str) -> Shape:
    return shape(_keys(model).get(key))


def shape(annotation: Any) -> Shape:  # noqa: ANN401 - a type annotation has no narrower type
    """The shape of an annotation."""
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, Declaration):
            return Shape("record", model=part)
        origin, args = get_origin(part), get_args(part)
        if origin is dict:
            return Shape("table", item=args[1])
        if origin is tuple:
            return Shape("list", item=args[0])
    return _SCALAR


def _parts(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for arg in get_args(annotation):
            yield from _parts(arg)
    else:
        yield annotation


def shape_at(model: type[BaseModel], path: tuple[str | int, ...]) -> Shape:
    """The shape at `path` of a file that `model` describes.

    >>> sorted(shape_at(ExperimentFile, ("waves", 0)).keys)
    ['share', 'start']
    """
    here = shape(model)
    for step in path:
        here = here.child(step)
    return here


@cache
def homes() -> dict[str, tuple[str, ...]]:
    """Every key of the language and where it may stand.

    >>> homes()["strata"]
    ("under 'assignment'",)
    """
    found: dict[str, list[str]] = {}
    _collect(shape(ExperimentFile), "", "at the top of the experiment", found)
    for stem, model in FILES.items():
        _collect(shape(model), f" of configs/{stem}.yaml", f"in configs/{stem}.yaml", found)
    return {key: tuple(dict.fromkeys(places)) for key, places in found.items()}


def _collect(here: Shape, suffix: str, place: str, found: dict[str, list[str]]) -> None:
    for key, annotation in here.keys.items():
        found.setdefault(key, []).append(place)
        below = shape(annotation)
        where = f"under '{key}'{suffix}"
        if below.kind in ("table", "list"):
            below, where = shape(below.item), f"under each of '{key}'{suffix}"
        if below.kind == "record":
            _collect(below, suffix, where, found)


def naming(path: tuple[str | int, ...]) -> str:
    """What the writer would call the thing at `path`.

    >>> naming(("channels", "email")), naming(("waves", 0)), naming(("assignment",))
    ("channel 'email'", "entry 1 of 'waves'", "'assignment'")
    """
    if not path:
        return "this file"
    *before, last = path
    if isinstance(last, int):
        return f"entry {last + 1} of '{before[-1]}'"
    plural = str(before[-1]) if before else ""
    if last in ("primary", "secondary", "guardrails", "define"):  # of an experiment's 'metrics'
        return f"'{last}'"
    if plural == "define":
        return f"metric '{last}'"
    if plural in _GROUPS:
        return f"{plural.removesuffix('s')} '{last}'"
    if plural == "guardrails":
        return f"guardrail '{last}'"
    return f"'{last}'"
