"""The field reference of `docs/yaml.md`, written from the schema.

`python -m upliftlab.config.reference docs/yaml.md` brings the page up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from upliftlab.config.schema import json_schema
from upliftlab.config.shape import FILES

START = "<!-- reference: written by upliftlab.config.reference -->"
END = "<!-- end of reference -->"


def reference() -> str:
    """Every key of every file, as Markdown tables."""
    parts = [_section("An experiment", json_schema())]
    seen: set[str] = set()
    schemas = {"experiment": json_schema(), **{stem: json_schema(stem) for stem in FILES}}
    for stem in FILES:
        parts.append(_section(f"configs/{stem}.yaml", schemas[stem]))
    for schema in schemas.values():
        for name, definition in schema["definitions"].items():
            if "properties" in definition and name not in seen:
                seen.add(name)
                parts.append(_section(name, definition))
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
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "enum" in schema:
        return ", ".join(
            f"`{value}`" for value in schema["enum"] if not isinstance(value, str)
        ) or (", ".join(f"`{value}`" for value in schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(choice) for choice in schema["anyOf"]))
    if schema.get("type") == "object":
        return f"name: {_kind(schema['additionalProperties'])}"
    if schema.get("type") == "array":
        items = schema["items"]
        return (
            f"pair of {_kind(items[0])}" if isinstance(items, list) else f"list of {_kind(items)}"
        )
    if schema.get("type") == "number":
        return "number"
    return _PATTERNS.get(str(schema.get("pattern", ""))[-12:], "text")


_PATTERNS: dict[str, str] = {}


def main(path: str) -> None:
    """Write the reference into a page between its two marks."""
    page = Path(path)
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{START}\n\n{reference()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
