"""Values of the environment: `password=${env:NAME}` of a connection, if the operator allows it.

A file cannot decide which of the operator's variables it is given: whoever runs the command
names them, by `--allow-env NAME` or in `UPLIFTLAB_ENV`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from upliftlab.config.connection import (
    REFERENCE,
    Connection,
    ConnectionSettingError,
    MisplacedReferenceError,
    parse_connection,
)
from upliftlab.config.document import Document, Key
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.util.masking import keep_secret

ALLOWED: Final = "UPLIFTLAB_ENV"
"""The variable that names allowed variables, separated by commas."""
_CONNECTION: Key = ("engine", "connection")
_NO_FILE: Final = "/dev/null/none"
"""A password file that cannot exist: libpq then looks for no other."""
_named: ContextVar[frozenset[str]] = ContextVar("allowed environment", default=frozenset())


@contextmanager
def allowed_environment(names: Iterable[str]) -> Generator[None]:
    """Let connections take these variables' values, as the operator says."""
    token = _named.set(frozenset(names))
    try:
        yield
    finally:
        _named.reset(token)


def connection_parameters(text: str) -> Mapping[str, str]:
    """The parameters of a connection that is about to be made, each a value of its own.

    Passwords that the operator keeps for servers (`PGPASSWORD`, the password file) are not sent
    to a server that the file names, unless the operator allows `PGPASSWORD` or `PGPASSFILE`.

    Raises:
        ConfigError: UL016, UL025 the settings are refused, UL017 a variable is not set, UL026 the
            operator did not allow it. It names the variable, never a value.

    >>> dict(connection_parameters("dbname=crm"))
    {'dbname': 'crm'}
    """
    found = _parsed(text)
    given = dict(found.settings)
    if found.variable is not None:
        given["password"] = _value_of(found.variable)
    if secret := given.get("password"):
        keep_secret(secret)
    if found.names_server:
        if "PGPASSWORD" in _allowed() and "password" not in given:
            given["password"] = os.environ.get("PGPASSWORD", "")
        given.setdefault("password", "")
        if "PGPASSFILE" not in _allowed():
            given["passfile"] = _NO_FILE
    return given


def _parsed(text: str) -> Connection:
    try:
        return parse_connection(text)
    except ConnectionSettingError as error:
        message, _, remedy = str(error).partition("; ")
        code = "UL016" if isinstance(error, MisplacedReferenceError) else "UL025"
        fault = Diagnostic(code, message, remedy)
    raise ConfigError(fault)  # outside the handler: a chained error would repeat the settings


def _allowed() -> frozenset[str]:
    said = os.environ.get(ALLOWED, "").split(",")
    return _named.get() | {name.strip() for name in said if name.strip()}


def _value_of(name: str) -> str:
    if name not in _allowed():
        message = f"the connection asks for the environment variable {name}, which is not allowed"
        remedy = f"if its value may go to this server, allow it by --allow-env {name}"
        raise ConfigError(Diagnostic("UL026", message, remedy))
    value = os.environ.get(name)
    if value is None:
        remedy = f"set {name} and try again"
        raise ConfigError(
            Diagnostic("UL017", f"the environment variable {name} is not set", remedy)
        )
    if any("\ud800" <= char <= "\udfff" for char in value):
        message = f"the environment variable {name} is not UTF-8 text"
        raise ConfigError(Diagnostic("UL017", message, "set it anew"))
    return value


def environment_faults(document: Document) -> list[Diagnostic]:
    """References to the environment anywhere but as the password of a connection."""
    message = "an environment value is refused here: what is analysed must not depend on it"
    remedy = "write the value itself; ${env:NAME} is for the password of a server's connection only"
    return [
        Diagnostic("UL016", message, remedy, document.at(*path))
        for path in document.values
        if path != _CONNECTION and _holds_reference(document, path)
    ]


def _holds_reference(document: Document, path: Key) -> bool:
    value = document.get(*path)
    if isinstance(value, str) and REFERENCE in value:
        return True
    return bool(path) and isinstance(path[-1], str) and REFERENCE in path[-1]
