"""Environment values: `${env:NAME}`, in connection settings only, expanded when a server is met."""

from __future__ import annotations

import os
import re

from upliftlab.config.document import Document, Key
from upliftlab.errors import ConfigError, Fault

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_BEGIN = "${env:"
_ALLOWED: Key = ("engine", "connection")


def expand_env(text: str) -> str:
    """`text` with every `${env:NAME}` replaced; for an engine that is about to connect.

    Raises:
        ConfigError: a variable is not set, or is misspelt. It names the variable, never a value.

    >>> expand_env("host=localhost")
    'host=localhost'
    """
    names = _REFERENCE.findall(text)
    absent = [name for name in dict.fromkeys(names) if name not in os.environ]
    faults = [
        Fault("UL017", f"the environment variable {name} is not set", f"set {name} and try again")
        for name in absent
    ]
    if text.count(_BEGIN) != len(names):
        remedy = "write ${env:NAME} with letters, digits and underscores"
        faults.append(Fault("UL017", "a reference to the environment is misspelt", remedy))
    if faults:
        raise ConfigError(faults)
    return _REFERENCE.sub(lambda found: os.environ[found[1]], text)


def environment_faults(document: Document) -> list[Fault]:
    """References to the environment outside connection settings."""
    message = "an environment value is refused here: what is analysed must not depend on it"
    remedy = "write the value itself; ${env:NAME} is for 'connection' under 'engine' only"
    return [
        Fault("UL016", message, remedy, document.at(*path))
        for path in document.values
        if path != _ALLOWED and _holds_reference(document, path)
    ]


def _holds_reference(document: Document, path: Key) -> bool:
    value = document.get(*path)
    if isinstance(value, str) and _BEGIN in value:
        return True
    return bool(path) and isinstance(path[-1], str) and _BEGIN in path[-1]
