"""The schema of a workspace: that of the language, with the names its `configs/` declares.

Where only a declared name is read, as of a channel, others are refused. Where a column may stand as
well, as in the place of a metric, the names are offered and nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from upliftlab.config.constraints import Schema
from upliftlab.config.models import Source
from upliftlab.config.models.experiment import PROFIT
from upliftlab.config.schema import json_schema, schema_text
from upliftlab.config.shape import FILES
from upliftlab.config.shared import Shared, read_shared
from upliftlab.config.windows import BEFORE
from upliftlab.config.workspace import workspace_at
from upliftlab.util.files import write_together

FOLDER: Final = ".schemas"
"""Where `init` puts schemas, and an editor's settings find them."""
KINDS: Final = ("experiment", *FILES)

_NAMED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "channels": (("Arm", "channel"),),
    "offers": (("Arm", "offer"),),
    "sources": (
        *(("ExperimentFile", "customers"), ("Metric", "from"), ("Rfm", "from")),
        *(("Lifecycle", "from"), ("ContactPolicy", "contacts"), ("ContactPolicy", "complaints")),
    ),
}
"""What names a declared thing, by model and key."""
_OFFERED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "goals": (("Metrics", "primary"), ("Decision", "metric"), ("Uplift", "metric")),
    "metrics": (
        *(("Metrics", "secondary"), ("Metrics", "contacted")),
        *(("MoneyTerms", "revenue"), ("MoneyTerms", "contacts"), ("MoneyTerms", "redemptions")),
        *(("MoneyTerms", "conversions"), ("MoneyTerms", "costs")),
        *(("Metric", "ratio"), ("Metric", "minus"), ("Metric", "only")),
        *(("Metric", "unless"), ("Metrics", "guardrails"), ("AnalysisSettings", "winsorize")),
    ),
    "segments": (("ExperimentFile", "segments"),),
    "covariates": (("AnalysisSettings", "covariates"),),
    "columns": (
        *(("Uplift", "features"), ("Uplift", "categorical"), ("Segment", "column")),
        *(("AssignmentSettings", "strata"), ("Metric", "column"), ("Metric", "sum")),
    ),
}
"""What names a declared thing or a column."""


def schema_file(kind: str) -> str:
    """The name of a kind's schema in `FOLDER`."""
    return f"{kind}.schema.json"


def workspace_schema(kind: str, shared: Shared) -> Schema:
    """The schema of a kind of file, with what a workspace declares.

    Args:
        kind: As of `json_schema`.
        shared: What it declares; of a file that cannot be read nothing is known.
    """
    schema = json_schema(kind)
    held = {**schema["definitions"], "ExperimentFile": schema if kind == "experiment" else {}}
    names = _names(shared)
    for told, places in (*_NAMED.items(), *_OFFERED.items()):
        known = names[told]
        for model, key in places if known else ():
            properties: Schema = held.get(model, {}).get("properties", {})
            if (value := properties.get(key)) is not None:
                properties[key] = (
                    _restricted(value, known) if told in _NAMED else _offering(value, known)
                )
    return schema


def write_schemas(root: Path) -> tuple[Path, ...]:
    """Write the schema of every kind of file of a workspace; their paths.

    Raises:
        OutputError: they cannot be written.
    """
    shared = read_shared(workspace_at(root), root)
    texts = {
        root / FOLDER / schema_file(kind): schema_text(kind, workspace_schema(kind, shared))
        for kind in KINDS
    }
    write_together({path: text.encode() for path, text in texts.items()}, root)
    return tuple(texts)


def _names(shared: Shared) -> dict[str, list[str]]:
    metrics, segments = list(shared.metrics or {}), list(shared.segments or {})
    columns = sorted(
        {name for source in (shared.sources or {}).values() for name in _columns(source)}
    )
    return {
        "channels": list(shared.channels or {}),
        "offers": list(shared.offers or {}),
        "sources": list(shared.sources or {}),
        "goals": [*metrics, PROFIT],
        "metrics": metrics,
        "segments": segments,
        "covariates": [*(f"{name}{BEFORE}" for name in metrics), *columns],
        "columns": columns,
    }


def _columns(source: Source) -> Iterator[str]:
    """The columns that a source names: a table has more."""
    single = (source.id, source.household, source.time, source.as_of, source.weight)
    yield from (name for name in single if name is not None)
    yield from (*source.amounts, *source.attributes, *source.columns)
    yield from (*source.known_after, *source.known_before)


def _named(names: Iterable[str]) -> Schema:
    return {"enum": [form for name in names for form in _forms(name)]}


def _restricted(value: Schema, names: Iterable[str]) -> Schema:
    """A value that is one of some names, or a place where one may stand for its name."""
    one = _named(names)
    told = {"anyOf": [one, {"type": "object"}]} if "anyOf" in value else one
    return {**value, "allOf": [*value.get("allOf", ()), told]}


def _offering(value: Schema, names: Iterable[str]) -> Schema:
    """A value that is as free as before, with names that an editor offers.

    It offers what stands under `enum`, also where a neighbour admits everything, and keys that
    stand under `properties`.
    """
    if "anyOf" in value:
        return {**value, "anyOf": [_offering(each, names) for each in value["anyOf"]]}
    if value.get("type") == "array":
        if isinstance(value["items"], list):
            each = cast("list[Schema]", value["items"])
            return {**value, "items": [_offering(item, names) for item in each]}
        return {**value, "items": _offering(value["items"], names)}
    if value.get("type") == "object":
        return {**value, "properties": dict.fromkeys(names, value["additionalProperties"])}
    said = {"description": value["description"]} if "description" in value else {}
    free = {key: each for key, each in value.items() if key != "description"}
    return {**said, "anyOf": [_named(names), free]}


def _forms(name: str) -> Iterator[Any]:
    """A name as YAML reads it without quotes as well."""
    yield name
    if name.isdecimal():
        yield int(name)
