"""YAML as editors read it for a JSON Schema: by the core schema of YAML 1.2."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml


class _Loader(yaml.SafeLoader):
    """Only `true` and `false` are booleans, a date is a text, and `010` is ten."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


_KINDS = {
    "bool": "true|True|TRUE|false|False|FALSE",
    "null": "~|null|Null|NULL|",
    "int": "[-+]?[0-9]+",
    "float": r"[-+]?([.][0-9]+|[0-9]+([.][0-9]*)?)([eE][-+]?[0-9]+)?",
}
for kind, form in _KINDS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{form})$"), None)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))


def as_an_editor(text: str | bytes) -> Any:
    """What a text holds.

    Raises:
        yaml.YAMLError: it is no YAML, which the editor tells itself.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
