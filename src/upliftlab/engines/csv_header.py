"""The first line of CSV files: their separator and the names of their columns."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from upliftlab.engines.place import opened
from upliftlab.engines.whole import is_gzip
from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.personal import are_values

_LONGEST = 1 << 16
"""Bytes of a first line at most."""


def csv_headers(paths: Sequence[Path]) -> tuple[str, list[str]]:
    """The separator and columns that CSV files have in common.

    Raises:
        DataError: UL202 a file cannot be read or differs from the first, UL203 only some are
            compressed.
    """
    first = csv_header(paths[0])
    for path in paths[1:]:
        if csv_header(path) != first:
            message = f"{path.name} and {paths[0].name} differ in their first line"
            raise DataError(
                Diagnostic("UL202", message, "give all files of a source the same columns")
            )
        if is_gzip(path) is not is_gzip(paths[0]):
            message = f"only one of {path.name} and {paths[0].name} is compressed"
            raise DataError(Diagnostic("UL203", message, "compress all files of a source, or none"))
    return first


def csv_header(path: Path) -> tuple[str, list[str]]:
    """The separator of a CSV file (the commonest candidate in its first line) and its columns."""
    try:
        line = _first_line(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the first line of {path.name} is no text in UTF-8"
        raise DataError(Diagnostic("UL202", message, "save it as UTF-8")) from error
    if not line.strip():
        raise DataError(
            Diagnostic("UL202", f"{path.name} is empty", "its first line names the columns")
        )
    outside = re.sub(r'"[^"]*"', "", line)
    delimiter = max(",;\t|", key=outside.count)
    names = next(csv.reader([line], delimiter=delimiter))
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        if are_values(names):
            message = f"{path.name} begins with values, not with the names of its columns"
            raise DataError(Diagnostic("UL202", message, "add a first line that names them"))
        raise DataError(
            Diagnostic("UL202", f"{path.name} has two columns '{twice[0]}'", "rename one")
        )
    return delimiter, names


def _first_line(path: Path) -> bytes:
    """A file's first line, decompressed no further than to its end.

    Raises:
        DataError: UL202 the file cannot be read, UL226 it is damaged, UL228 the line is too long.
    """
    with opened(path) as file:
        plain = gzip.GzipFile(fileobj=file) if is_gzip(path) else file
        try:
            line = plain.readline(_LONGEST + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            message = f"{path.name} is damaged, or not compressed by gzip"
            raise DataError(
                Diagnostic("UL226", message, "fetch or write the file again")
            ) from error
    if len(line) > _LONGEST:
        message = f"the first line of {path.name} has more than {_LONGEST:,} bytes"
        raise DataError(
            Diagnostic("UL228", message, "it names the columns, and ends in a line break")
        )
    return line
