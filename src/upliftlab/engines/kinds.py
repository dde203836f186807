"""What kind of file a name says: texts of rows, packed or not, Parquet, databases."""

from __future__ import annotations

from pathlib import Path

TEXTS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".zip")
"""Names of texts of rows; a .zip holds one."""
DATABASES = (".duckdb", ".db")


def is_gzip(path: Path) -> bool:
    """Whether a file's name says that it is compressed by gzip."""
    return path.name.lower().endswith(".gz")


def is_zip(path: Path) -> bool:
    """Whether a file's name says that it is an archive."""
    return path.name.lower().endswith(".zip")


def is_text(name: str) -> bool:
    """Whether a file's name says that it is a text of rows, of which every column is text.

    >>> is_text("a.CSV.gz"), is_text("a.tsv"), is_text("a.parquet")
    (True, True, False)
    """
    return name.lower().endswith(TEXTS)
