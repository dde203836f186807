"""Rules of the engine: its connection settings name a server, and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.connection import (
    REFERENCE,
    ConnectionSettingError,
    MisplacedReferenceError,
    master_refusal,
    parse_connection,
)
from upliftlab.config.models import EngineSettings
from upliftlab.config.rules.registry import rule, shared_judges
from upliftlab.config.scope import Scope
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic, Place

_PATH = ("engine", "connection")


@rule(
    "UL016",
    "Environment value where a number could depend on it",
    "${env:NAME} is for the whole password of a server's connection only.",
    wrong="engine: {name: postgres, connection: 'dbname=crm user=${env:CRM_USER}'}",
    right="engine: {name: postgres, connection: 'dbname=crm password=${env:CRM_PASSWORD}'}",
)
@rule(
    "UL025",
    "Connection setting not allowed",
    "A connection says where a server is and who asks; it names no file of the machine "
    "and no further option. Spark's is local, local[4], spark://host:7077 or yarn.",
    wrong="engine: {name: postgres, connection: 'host=db passfile=/home/me/.pgpass'}",
    right="engine: {name: postgres, connection: 'host=db dbname=crm user=lab sslmode=verify-full'}",
)
def connection(scope: Scope) -> Iterator[Diagnostic]:
    """UL016, UL025: an experiment's own connection settings."""
    if scope.document.has(*_PATH):
        yield from _faults(scope.plan.engine, scope.at(*_PATH))


@shared_judges
def shared_connection(shared: Shared) -> Iterator[Diagnostic]:
    """UL016, UL025: the program's connection settings."""
    if shared.program.engine is not None:
        yield from _faults(shared.program.engine, shared.at("program", *_PATH))


def _faults(engine: EngineSettings, place: Place) -> Iterator[Diagnostic]:
    reason, code = _refusal(engine)
    if reason:
        message, _, remedy = reason.partition("; ")
        yield Diagnostic(code, message, remedy, place)


def _refusal(engine: EngineSettings) -> tuple[str, str]:
    """Why the settings are refused, and the rule's code; nothing where they are not."""
    text = engine.connection or ""
    code = "UL016" if REFERENCE in text else "UL025"
    if engine.name == "postgres":
        try:
            parse_connection(text)
        except MisplacedReferenceError as error:
            return str(error), "UL016"
        except ConnectionSettingError as error:
            return str(error), "UL025"
        return "", code
    if engine.name == "spark":
        return (master_refusal(text) or "" if text else ""), code
    if engine.name == "duckdb" and REFERENCE in text:
        return "the embedded engine has no connection; name the engine: postgres", code
    return "", code
