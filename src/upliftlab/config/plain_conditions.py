"""Conditions that need no parser: names compared with numbers and texts, joined by and, or.

Most are of this kind. sqlglot takes longer to import than all else that checks a file, so it is
asked only about others. What is plain here is right by the parser, too; a test holds both to it.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"([A-Za-z_][A-Za-z0-9_]*)"
_NUMBER: Final = r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?"
_TEXT: Final = r"'[A-Za-z0-9_. ]*'"
_ONE: Final = re.compile(
    rf"{_NAME}(?: *(?:>=|<=|<>|!=|=|<|>) *(?:{_NUMBER}|{_TEXT})"
    rf"| +between +{_NUMBER} +and +{_NUMBER}| +is +(?:not +)?null)?"
)
_JOINED: Final = re.compile(" +(?:and|or) +")
_LONGEST: Final = 300
_WORDS: Final = """
    alter analyze and any array as attach begin between cache call case comment commit connect
    connect_by_root copy create cross current_catalog current_date current_time
    current_timestamp current_user delete desc describe detach disconnect distinct drop else
    end except execute explain false fetch for force from glob grant having if ilike in inner
    insert install intersect into is isnull join kill lateral like list load localtime
    localtimestamp map merge not notnull null nullable object on only optimize or outer
    partitioned_by pivot pivot_wider positional pragma prepare qualify range regexp rename
    reset returning revoke rlike rollback row select session_user set show struct summarize
    table tablesample then true truncate uncache union unpivot update use using vacuum when
    where with xor
"""
RESERVED: Final = frozenset(_WORDS.split())
"""Words that a parser does not read as a column's name wherever a condition has one."""


def plain_columns(text: str) -> frozenset[str] | None:
    """The columns of a plain condition; None where a parser is to be asked.

    >>> sorted(plain_columns("recency between 90 and 365 and opt_in"))
    ['opt_in', 'recency']
    >>> plain_columns("lower(city) = 'bonn'") is None
    True
    """
    names: set[str] = set()
    at = 0
    while found := _ONE.match(text, at, _LONGEST):
        if found[1].casefold() in RESERVED:
            return None
        names.add(found[1])
        if found.end() == len(text):
            return frozenset(names)
        joined = _JOINED.match(text, found.end())
        if joined is None:
            return None
        at = joined.end()
    return None


def columns_of(text: str) -> frozenset[str]:
    """The columns of a condition that nothing is wrong with."""
    plain = plain_columns(text)
    if plain is not None:
        return plain
    from upliftlab.config.expressions import parse  # noqa: PLC0415 - sqlglot only where it is needed

    return parse(text).columns
