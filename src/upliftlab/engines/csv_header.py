"""The first line of CSV files: their separator and the names of their columns."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path

from upliftlab.errors import DataError, Fault
from upliftlab.personal import are_values


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
            raise DataError(Fault("UL202", message, "give all files of a source the same columns"))
        if path.suffix != paths[0].suffix:
            message = f"only one of {path.name} and {paths[0].name} is compressed"
            raise DataError(Fault("UL203", message, "compress all files of a source, or none"))
    return first


def csv_header(path: Path) -> tuple[str, list[str]]:
    """The separator of a CSV file (the commonest candidate in its first line) and its columns."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            line = file.readline(1 << 16).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(
            Fault("UL202", f"{path.name} cannot be read: {error}", "mend the file")
        ) from error
    if not line.strip():
        raise DataError(Fault("UL202", f"{path.name} is empty", "its first line names the columns"))
    outside = re.sub(r'"[^"]*"', "", line)
    delimiter = max(",;\t|", key=outside.count)
    names = next(csv.reader([line], delimiter=delimiter))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        if are_values(names):
            message = f"{path.name} begins with values, not with the names of its columns"
            raise DataError(Fault("UL202", message, "add a first line that names them"))
        raise DataError(Fault("UL202", f"{path.name} has two columns '{twice[0]}'", "rename one"))
    return delimiter, names
