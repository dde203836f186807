"""Connection settings of a server, read as libpq reads them, and held to a short list of keys.

Whoever writes the YAML names a server; that must not make the operator's machine hand over what
is not meant for it. So a file says where a server is and who asks, never which of the operator's
files or further options are used, and a value of the environment can be the password only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

KEYS: Final = (
    *("host", "hostaddr", "port", "dbname", "user", "password", "connect_timeout"),
    *("sslmode", "sslrootcert", "channel_binding", "require_auth", "target_session_attrs"),
    "application_name",
)
_REFUSED: Final = (
    *("client_encoding", "fallback_application_name", "gssdelegation", "gssencmode", "gsslib"),
    *("keepalives", "krbsrvname", "load_balance_hosts", "options", "passfile", "replication"),
    *("requirepeer", "requiressl", "service", "servicefile", "sslcert", "sslcertmode", "sslcrl"),
    *("sslcrldir", "sslkey", "sslpassword", "sslcompression", "sslnegotiation", "sslsni"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "sslkeylogfile"),
)
"""Keys of libpq that are named when they are refused; any other may be a part of a password."""
REFERENCE: Final = "${env:"
_NAMED: Final = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_SPACE: Final = " \t\n\r\f\v"
_WHOLE: Final = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*")
_MASTER: Final = re.compile(
    r"yarn|local(\[(\*|[1-9][0-9]{0,3})(,\s*[0-9]{1,2})?\])?"
    r"|spark://[A-Za-z0-9._:\[\]-]+(,[A-Za-z0-9._:\[\]-]+)*"
)
_FORM: Final = "write host=… dbname=… user=… or postgresql://user@host/dbname"


class ConnectionSettingError(ValueError):
    """Settings that are refused; the text says why and, after a semicolon, the way on."""


class MisplacedReferenceError(ConnectionSettingError):
    """A value of the environment where none may be."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Settings by their key; a password is written out, or a variable that holds it is named."""

    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    variable: str | None = None

    @property
    def names_server(self) -> bool:
        """Whether the file, and not the operator's own settings, says where the server is."""
        return any(self.settings.get(key) for key in ("host", "hostaddr", "port"))


def parse_connection(text: str) -> Connection:
    """The settings in `text`, `key=value` pairs or an address.

    Raises:
        MisplacedReferenceError: a value of the environment is anything but the whole password.
        ConnectionSettingError: they cannot be read, or one of them is not allowed.

    >>> found = parse_connection("postgresql://lab:${env:LAB_PASSWORD}@db/crm")
    >>> dict(found.settings), found.variable
    ({'host': 'db', 'dbname': 'crm', 'user': 'lab'}, 'LAB_PASSWORD')
    """
    scheme, separator, rest = text.strip(_SPACE).partition("://")
    is_address = separator and scheme in ("postgresql", "postgres")
    pairs = _address(rest) if is_address else _pairs(text)
    settings: dict[str, str] = {}
    for key, value in pairs:
        _require_allowed(key, value)
        if key in settings:
            raise ConnectionSettingError(f"'{key}' is given twice; keep one")
        settings[key] = value
    named = _NAMED.fullmatch(settings.get("password", ""))
    if text.count(REFERENCE) != (named is not None):  # also what quoting or decoding makes one
        message = "a value of the environment is the whole password, never a part of it"
        raise MisplacedReferenceError(f"{message}; write password=${{env:NAME}}")
    if named is None:
        return Connection(MappingProxyType(settings))
    del settings["password"]
    return Connection(MappingProxyType(settings), named[1])


def master_refusal(text: str) -> str | None:
    """Why `text` is no address of Spark that a file may name; None where it is one."""
    if REFERENCE in text:
        return "Spark's connection takes no value of the environment; write local[4] or spark://…"
    if _MASTER.fullmatch(text):
        return None
    return "this is no address of Spark; write local, local[4], spark://host:7077 or yarn"


def _require_allowed(key: str, value: str) -> None:
    if key not in KEYS:
        what = f"the setting '{key}'" if key in _REFUSED else "a setting of that name"
        raise ConnectionSettingError(f"{what} is not allowed; allowed are {', '.join(KEYS)}")
    if REFERENCE in value and key != "password":
        message = f"a value of the environment is not allowed in '{key}', only as the password"
        raise MisplacedReferenceError(f"{message}; write '{key}' out")
    if "\0" in value:
        raise ConnectionSettingError(f"'{key}' holds an invisible character; remove it")
    if key == "dbname" and ("=" in value or "://" in value):
        raise ConnectionSettingError("'dbname' is a name only; write other settings beside it")
    if key == "sslrootcert" and value != "system":
        remedy = "write system, or let the operator set PGSSLROOTCERT"
        raise ConnectionSettingError(f"'sslrootcert' names no file of the machine; {remedy}")
    if key in ("port", "connect_timeout") and not _WHOLE.fullmatch(value):
        raise ConnectionSettingError(f"'{key}' is a whole number; write one")


def _pairs(text: str) -> list[tuple[str, str]]:
    """`key = value` pairs; a value is quoted or without space, a backslash goes before any sign."""
    pairs: list[tuple[str, str]] = []
    at = _past_space(text, 0)
    while at < len(text):
        start = at
        while at < len(text) and text[at] not in f"={_SPACE}":
            at += 1
        key = text[start:at]
        at = _past_space(text, at)
        if not key or at >= len(text) or text[at] != "=":
            raise ConnectionSettingError(f"the connection settings cannot be read; {_FORM}")
        value, at = _value(text, _past_space(text, at + 1))
        pairs.append((key, value))
        at = _past_space(text, at)
    return pairs


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at a position, and the position after it."""
    quoted = at < len(text) and text[at] == "'"
    ends = "'" if quoted else _SPACE
    kept: list[str] = []
    at += quoted
    while at < len(text) and text[at] not in ends:
        at += text[at] == "\\" and at + 1 < len(text)
        kept.append(text[at])
        at += 1
    if quoted and at >= len(text):
        raise ConnectionSettingError("a quotation mark of 'connection' is not closed; add it")
    return "".join(kept), at + quoted


def _address(rest: str) -> list[tuple[str, str]]:
    """The parts of `user:password@host:port,host:port/dbname?key=value&…`, each decoded."""
    place, _, query = rest.partition("?")
    place, _, name = place.partition("/")
    who, at, where = place.rpartition("@")
    if "@" in who or "/" in name:
        raise ConnectionSettingError(f"the server's address cannot be read; {_FORM}")
    user, colon, password = who.partition(":")
    hosts = [_host(each) for each in where.split(",")]
    pairs = [
        ("host", ",".join(host for host, _ in hosts)),
        ("port", ",".join(port for _, port in hosts)),
        ("dbname", name),
    ]
    pairs += [("user", user), *([("password", password)] if colon else [])] if at else []
    for each in query.split("&") if query else ():
        key, equals, value = each.partition("=")
        if not equals:
            raise ConnectionSettingError(f"the server's address cannot be read; {_FORM}")
        pairs.append((_decoded(key), value))
    return [(key, _decoded(value)) for key, value in pairs if value.strip(",")]


def _host(text: str) -> tuple[str, str]:
    """A host and its port; an address in brackets may hold colons."""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or port[:1] not in ("", ":"):
            raise ConnectionSettingError(f"the server's address cannot be read; {_FORM}")
        return host, port[1:]
    host, _, port = text.partition(":")
    return host, port


def _decoded(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ConnectionSettingError("a percent sign of an address is written %25; write it so")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise ConnectionSettingError("the server's address is not UTF-8; write it so") from None
