"""The language as JSON Schema draft-07 for editors, and as a reference for people.

Editors' YAML servers read draft-07; pydantic writes 2020-12. Descriptions are the docstrings under
the fields of `experiment.py` and `declarations/`, read from their source.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from upliftlab.config import models
from upliftlab.config.constraints import LIMITS, RELATIONS
from upliftlab.config.extends import WHOLE
from upliftlab.config.models import (
    aggregated,
    analysis,
    arms,
    channels,
    experiment,
    files,
    formats,
    metrics,
    model,
    planning,
    program,
    segments,
    sources,
    theme,
    uplift,
    values_by,
)
from upliftlab.config.shape import FILES

_CONFIGS = (model, formats, aggregated, sources, channels, metrics, segments, program, theme, files)
_MODULES = (*_CONFIGS, values_by, arms, analysis, uplift, planning, experiment)
_URI = "http://json-schema.org/draft-07/schema#"
_TEXT = ["string", "number", "boolean"]
_BASE_NEEDS = ("customers", "arms", "metrics")
_KEPT = (
    *("type", "enum", "const", "pattern", "format", "minimum", "maximum", "maxLength", "minItems"),
    *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "propertyNames"),
)
_NARROW = {"pattern", "enum"}

_TOPS = {"experiment": "ExperimentFile", "program": "Program"}

Schema = dict[str, Any]
Way = tuple[str, ...]


def json_schema(kind: str = "experiment") -> Schema:
    """The JSON Schema (draft-07) of an experiment, or of a file of `configs/`.

    Args:
        kind: `experiment`, or the stem of a file of `configs/`.

    >>> json_schema()["additionalProperties"]
    False
    """
    schema = declared_schema(kind)
    held = schema["definitions"] | {_TOPS.get(kind, kind): schema}
    whole = _below_top(schema) if kind == "experiment" else {}
    for name, definition in held.items():
        _limit(definition, LIMITS.get(name, {}))
        if name not in whole.values():
            definition["allOf"] = [*definition.get("allOf", ()), *RELATIONS.get(name, ())]
        if not definition.get("allOf", True):
            del definition["allOf"]
        _tell_in_choices(definition)
    if kind == "experiment":
        schema |= _unless_extended(schema, whole)
    return schema


def _tell_in_choices(definition: Schema) -> None:
    """Say of each way to write a value what its key means: editors show that of one way alone."""
    for value in definition.get("properties", {}).values():
        for choice in value.get("anyOf", ()):
            if "description" in choice:
                choice["description"] = f"{value['description']} {choice['description']}"


def _limit(definition: Schema, limits: Schema) -> None:
    """Add to what each value of a group holds."""
    for key, limit in limits.items():
        value = definition["properties"][key]
        value["allOf"] = [*value.get("allOf", ()), limit]


def _below_top(schema: Schema) -> dict[Way, str]:
    """Groups of an experiment that merge with those of the file it extends, and their models."""
    found: dict[Way, str] = {}
    todo: list[tuple[Way, Schema]] = [((), schema)]
    while todo:
        way, definition = todo.pop()
        for key, value in definition.get("properties", {}).items():
            here = (*way, key)
            refs = [str(part["$ref"]) for part in value.get("allOf", ())]
            if refs and here not in WHOLE:
                name = refs[0].rpartition("/")[2]
                found[here] = name
                todo.append((here, schema["definitions"][name]))
    return found


def _unless_extended(schema: Schema, whole: dict[Way, str]) -> Schema:
    """What a file that extends another may leave to it, asked of every other file."""
    needed: Schema = {"required": list(_BASE_NEEDS), "properties": {}}
    for way, name in whole.items():
        definition = schema["definitions"][name]
        asked: Schema = {"required": definition["required"]} if definition["required"] else {}
        asked |= {"allOf": list(RELATIONS[name])} if name in RELATIONS else {}
        definition["required"] = []
        here = needed
        for key in way if asked else ():
            here = here.setdefault("properties", {}).setdefault(key, {})
        here |= asked
    return {"if": {"required": ["extends"]}, "else": needed}


def declared_schema(kind: str = "experiment") -> Schema:
    """What each model of a file declares, key by key, without what holds among keys.

    Args:
        kind: As of `json_schema`.
    """
    model = experiment.ExperimentFile if kind == "experiment" else FILES[kind]
    raw = model.model_json_schema(by_alias=True, mode="validation")
    definitions = raw.pop("$defs", {})
    top = _record(raw, raw["title"])
    if kind == "experiment":
        top["properties"]["engine"] = _or_text(top["properties"]["engine"])
        top["required"] = [key for key in top["required"] if key not in _BASE_NEEDS]
    if kind == "program":
        top["properties"]["engine"] = _or_text(top["properties"]["engine"])
    named = {name: _definition(schema, name) for name, schema in sorted(definitions.items())}
    return {"$schema": _URI, "title": f"upliftlab {kind}", **top, "definitions": named}


def _or_text(schema: Schema) -> Schema:
    """A mapping for which its first key's value may stand alone."""
    description = schema.pop("description")
    return {"description": description, "anyOf": [schema, {"type": "string"}]}


def _definition(schema: Schema, name: str) -> Schema:
    return _record(schema, name) if "properties" in schema else _plain(schema)


def _record(schema: Schema, name: str) -> Schema:
    texts = descriptions().get(name, {})
    properties: Schema = {}
    for key, value in schema["properties"].items():
        below = _plain(value)
        if "$ref" in below:  # draft-07 ignores what stands beside a reference
            below = {"allOf": [below]}
        properties[key] = below | {"description": texts.get(key) or value.get("description", key)}
    return {
        "type": "object",
        "description": texts.get("", name),
        "additionalProperties": False,
        "required": list(schema.get("required", [])),
        "properties": properties,
    }


def _plain(schema: Schema) -> Schema:
    """One value's schema in draft-07, without nulls, titles and defaults."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("#/$defs/", "#/definitions/")}
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        kept = [_plain(choice) for choice in choices if choice.get("type") != "null"]
        said = {"description": schema["description"]} if "description" in schema else {}
        return said | (kept[0] if len(kept) == 1 else {"anyOf": kept})
    made = {key: schema[key] for key in (*_KEPT, "description", "minProperties") if key in schema}
    made |= _inside(schema)
    if made.get("type") in ("string", ["string", "number"]) and not made.keys() & _NARROW:
        made["type"] = _TEXT
    if made.get("const") == 1:
        made = {"enum": [1, "1"]}
    return made


def _inside(schema: Schema) -> Schema:
    """What lists and mappings hold."""
    if schema.get("type") == "object":
        if "patternProperties" in schema:  # keys of one form, such as days
            ((pattern, values),) = schema["patternProperties"].items()
            return {"additionalProperties": _plain(values), "propertyNames": {"pattern": pattern}}
        return {"additionalProperties": _plain(schema["additionalProperties"])}
    if schema.get("type") != "array":
        return {}
    if "prefixItems" in schema:
        items = [_plain(item) for item in schema["prefixItems"]]
        return {
            "items": items,
            "additionalItems": False,
            "minItems": len(items),
            "maxItems": len(items),
        }
    return {"items": _plain(schema["items"])}


@cache
def descriptions() -> dict[str, dict[str, str]]:
    """Per class of the language, its description (under '') and that of each key.

    >>> descriptions()["Wave"]["start"]
    "The day on which this wave's customers are contacted."
    """
    statements = [node for module in _MODULES for node in ast.parse(inspect.getsource(module)).body]
    classes = {node.name: node for node in statements if isinstance(node, ast.ClassDef)}
    return {name: _class_texts(name, classes) for name in classes if not name.startswith("_")}


def _class_texts(name: str, classes: dict[str, ast.ClassDef]) -> dict[str, str]:
    node = classes[name]
    texts: dict[str, str] = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            texts |= _class_texts(base.id, classes)
    model: Any = getattr(experiment, name, None) or getattr(models, name)
    fields: dict[str, Any] = getattr(model, "model_fields", {})
    texts |= {key: field.description for key, field in fields.items() if field.description}
    texts |= dict(_field_texts(node, fields))
    texts[""] = " ".join((ast.get_docstring(node) or "").split())
    return texts


def _field_texts(node: ast.ClassDef, fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for at, statement in enumerate(node.body[:-1]):
        after = node.body[at + 1]
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            key = statement.target.id
            alias = fields[key].alias if key in fields else None
            yield alias or key, " ".join(str(after.value.value).split())


def schema_text(kind: str = "experiment", schema: Schema | None = None) -> str:
    """The schema, or one that is made of it, as the text `upliftlab schema` prints."""
    return json.dumps(schema or json_schema(kind), indent=2, ensure_ascii=False) + "\n"
