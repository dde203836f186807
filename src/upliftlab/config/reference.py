"""The field reference of `docs/yaml.md`, written from the schema.

`python -m upliftlab.config.reference docs/yaml.md` brings the page up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from upliftlab.config.schema import declared_schema
from upliftlab.config.shape import FILES

START = "<!-- reference: written by upliftlab.config.reference -->"
END = "<!-- end of reference -->"


def reference() -> str:
    """Every key of every file, as Markdown tables."""
    parts = [_section("An experiment", declared_schema())]
    seen: set[str] = set()
    schemas = {"experiment": declared_schema(), **{stem: declared_schema(stem) for stem in FILES}}
    parts += [_section(f"configs/{stem}.yaml", schemas[stem]) for stem in FILES]
    for schema in schemas.values():
        for name, definition in schema["definitions"].items():
            if "properties" in definition and name not in seen:
                seen.add(name)
                parts.append(_section(_plain(name), definition))
    return "\n\n".join(parts) + "\n"


def _section(title: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = ["| key | value | meaning |", "|---|---|---|"]
    for key, value in schema["properties"].items():
        star = " *" if key in required else ""
        rows.append(f"| `{key}`{star} | {_kind(value)} | {value['description']} |")
    table = "\n".join(rows)
    return f"### {title}\n\n{schema['description']}\n\n{table}"


def _kind(schema: dict[str, Any]) -> str:
    """What a value looks like, in few words."""
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "enum" in schema:
        return " or ".join(f"`{_word(value)}`" for value in _shown(schema["enum"]))
    if "anyOf" in schema:
        kinds = [_kind(choice) for choice in schema["anyOf"] if choice.get("type") != "number"]
        return " or ".join(dict.fromkeys(kinds))
    return _structure(schema)


def _plain(name: str) -> str:
    """What a section of the YAML is called: as its key, not as the class that holds it.

    >>> _plain("EngineSettings"), _plain("TodayRule")
    ('Engine', 'Today')
    """
    return name.removesuffix("Settings").removesuffix("Rule")


def _shown(values: list[Any]) -> list[Any]:
    """The values to show: `true` once, not also as the text "true"."""
    typed = [value for value in values if not isinstance(value, str)]
    return typed or values


def _word(value: Any) -> str:  # noqa: ANN401 - any value of an enumeration
    return value if isinstance(value, str) else json.dumps(value)


def _structure(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _plain(str(schema["$ref"]).rpartition("/")[2])
    if schema.get("type") == "object":
        keys = "/".join(schema.get("propertyNames", {}).get("enum", ["name"]))
        return f"{keys}: {_kind(schema['additionalProperties'])}"
    if schema.get("type") == "array":
        items: Any = schema["items"]
        pair = "maxItems" in schema
        return f"`[{_kind(items[0])}, {_kind(items[1])}]`" if pair else f"list of {_kind(items)}"
    if schema.get("pattern") == "^[A-Z]{3}$":
        return "currency"
    return str(schema.get("format", "text"))


def main(path: str) -> None:
    """Write the reference into a page between its two marks."""
    page = Path(path)
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{START}\n\n{reference()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
