"""Names and texts as SQL: the only two ways a value of ours enters a query."""

from __future__ import annotations


def quote(name: str) -> str:
    """A name as an SQL identifier.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
