"""`hashing.py` in SQL: the place and bucket of an id."""

from __future__ import annotations

from upliftlab.assignment.hashing import BUCKET_DIGITS, DIGITS
from upliftlab.util.sql import literal, quote


def hash_sql(salt: str, text: str) -> str:
    r"""The place of a text expression: `hashing.digest` in SQL.

    >>> hash_sql("it's", "key")
    'SUBSTR(MD5(\'it\'\'s:\' || key), 1, 15) COLLATE "C"'
    """
    return f'SUBSTR(MD5({literal(salt + ":")} || {text}), 1, {DIGITS}) COLLATE "C"'


def bucket_sql(h: str) -> str:
    """The bucket of a place: `hashing.bucket` in SQL; `engines/dialect.py` knows this form."""
    return f"CAST('0x' || SUBSTR({h}, 1, {BUCKET_DIGITS}) AS INTEGER)"


def text_sql(column: str) -> str:
    """A column's value as text that compares byte by byte."""
    return f'CAST({quote(column)} AS VARCHAR) COLLATE "C"'
