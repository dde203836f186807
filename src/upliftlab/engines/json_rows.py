"""JSON files of rows: an object a line, or one list of objects. Types are those of all rows."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, cast

import duckdb

from upliftlab.engines.closed import interruptible
from upliftlab.engines.held import require_names, unreadable
from upliftlab.engines.kinds import is_gzip
from upliftlab.engines.place import opened
from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.sql import literal

JsonType = Literal["BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "JSON"]
"""What a column of JSON can be; `JSON` is what is nested."""
_TYPES: Final[Mapping[str, JsonType]] = {
    "BIGINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
}
_HEAD: Final = 4096
_FAULT: Final = re.compile(
    r"(?P<kind>Malformed|JSON transform|Expected).* in file \"(?P<file>.*?)\"(, | *)"
    r"(?P<where>[^:]*)(: (?P<why>[^.\n]*))?"
)
"""DuckDB's words for a file of JSON that it cannot read; what follows may be of the data."""


def json_arguments(paths: Sequence[Path]) -> str:
    """The files, and how DuckDB is told to read them."""
    listed = ", ".join(literal(str(path)) for path in paths)
    form = "array" if is_list(paths[0]) else "newline_delimited"
    packed = "gzip" if is_gzip(paths[0]) else "uncompressed"
    return f"[{listed}], format = {literal(form)}, compression = {literal(packed)}"


def is_list(path: Path) -> bool:
    """Whether a file is one list, and not an object a line.

    Raises:
        DataError: UL226, it is not compressed although its name says so.
    """
    with opened(path) as file:
        plain = gzip.GzipFile(fileobj=file) if is_gzip(path) else file
        try:
            return plain.read(_HEAD).lstrip().startswith(b"[")
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            message = f"{path.name} is damaged, or not compressed by gzip"
            remedy = "fetch or write the file again"
            raise DataError(Diagnostic("UL226", message, remedy)) from error


def json_types(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[str, JsonType]:
    """The columns of JSON files: every key that any row has.

    A column of numbers and texts is one of texts; a text stays one whatever it looks like.

    Args:
        connection: What reads them.
        paths: The files.

    Raises:
        DataError: UL202 they are damaged or empty, or two keys differ in case only, UL270 they are
            no rows of named values.
    """
    asked = "SELECT json_group_structure(json)::VARCHAR FROM read_json_objects("
    try:
        with interruptible():
            found = connection.execute(f"{asked}{json_arguments(paths)})").fetchone()
    except duckdb.Error as error:
        raise json_fault(error) or unreadable(paths[0], "it is damaged, or no JSON") from error
    if found is None or found[0] is None:
        raise unreadable(paths[0], "it holds no rows", "every row is an object")
    structure: object = json.loads(found[0])
    if not isinstance(structure, dict):
        raise _no_rows(paths[0].name)
    keys = cast("dict[str, object]", structure)
    types: dict[str, JsonType] = {name: _type(kind) for name, kind in keys.items()}
    if "JSON" in types.values() and len(types) == 1:
        raise _no_rows(paths[0].name)
    require_names(list(types), paths[0].name)
    return types


def _type(kind: object) -> JsonType:
    """What a column is read as, by what DuckDB found all of its values to be."""
    if not isinstance(kind, str):
        return "JSON"
    return _TYPES.get(kind, "VARCHAR")


def _no_rows(name: str) -> DataError:
    message = f"{name} holds no rows of named values"
    remedy = "write a list of objects, or an object a line (.jsonl)"
    return DataError(Diagnostic("UL270", message, remedy))


def json_fault(error: duckdb.Error) -> DataError | None:
    """What DuckDB's refusal of a JSON file means, without a word of what is in it.

    None where it is none of JSON.
    """
    found = _FAULT.search(str(error))
    if found is None:
        return None
    name = Path(found["file"]).name
    if found["kind"] == "Expected":
        return _no_rows(name)
    if re.search("byte order mark|UTF-(16|32)", found["why"] or ""):
        message = f"{name} begins with a mark of its encoding, or is no UTF-8"
        return DataError(Diagnostic("UL202", message, "save it as UTF-8 without a byte order mark"))
    reason = found["why"] if found["kind"] == "Malformed" else "a value or a key does not fit"
    message = f"{name} cannot be read {found['where']}: {reason}"
    return DataError(Diagnostic("UL202", message, "write an object a line, or one list of objects"))
