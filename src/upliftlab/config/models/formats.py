"""How values are written in a file: what nobody can tell from the file alone."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from upliftlab.config.models.model import Declaration, Names
from upliftlab.config.models.time_patterns import parse_pattern
from upliftlab.config.models.values import Count, Name

_NUMBER = re.compile(r"[+-]?[0-9.,]+")


def _date(text: str) -> str:
    parse_pattern(text, "date")
    return text


def _datetime(text: str) -> str:
    parse_pattern(text, "datetime")
    return text


def _delimiter(value: object) -> object:
    r"""The sign that is meant: a tab by its name, too.

    >>> _delimiter("tab"), _delimiter(";")
    ('\t', ';')
    """
    return _TABS.get(value, value) if isinstance(value, str) else value


_TABS = {"tab": "\t", "\\t": "\t"}
Delimiter = Annotated[
    str, BeforeValidator(_delimiter), Field(pattern=r"""^([^A-Za-z0-9"'.\s]|\t)$""")
]
"""A sign that parts two cells, and is no part of a number, a word or a quoted text."""


class FileFormat(Declaration):
    """How a file's texts are to be read; what is unambiguous is read without it."""

    encoding: Name | None = None
    """How letters are written as bytes, such as windows-1252; by default UTF-8, or UTF-16 where
    the file begins with its mark."""
    delimiter: Delimiter | None = None
    """The sign between two columns, or tab; by default the commonest of , ; tab and | in the first
    line."""
    decimal: Literal[".", ","] | None = None
    """The sign before the decimals of a number; by default a point, a comma beside points between
    thousands."""
    thousands: Literal[".", ",", " ", "'", "_"] | None = None
    """The sign between the thousands of a number; by default none."""
    date: Annotated[Name, AfterValidator(_date)] | None = None
    """How days are written, such as DD.MM.YYYY; by default YYYY-MM-DD."""
    datetime: Annotated[Name, AfterValidator(_datetime)] | None = None
    """How times are written, such as DD.MM.YYYY HH:mm[:ss] or MM/DD/YYYY hh:mm A; by default
    YYYY-MM-DD HH:mm:ss."""
    true: Names = ()
    """Words that mean yes; by default true and yes, in small or capital letters."""
    false: Names = ()
    """Words that mean no; by default false and no, in small or capital letters."""
    missing: Names = ()
    """Words that mean that there is no value, such as NA or -; an empty cell always does."""
    skip: Count = 0
    """Lines before the one that names the columns."""

    @property
    def numbers_declared(self) -> bool:
        """Whether it says how numbers are written."""
        return self.decimal is not None or self.thousands is not None

    @property
    def point(self) -> str:
        """The sign before decimals."""
        return self.decimal or ("," if self.thousands == "." else ".")

    @model_validator(mode="after")
    def _apart(self) -> FileFormat:
        if self.thousands is not None and self.thousands == self.point:
            raise ValueError(
                f"'decimal' and 'thousands' are both '{self.thousands}'; write the other one"
            )
        yes, no = ({word.casefold() for word in words} for words in (self.true, self.false))
        if both := sorted(yes & no):
            raise ValueError(f"'{both[0]}' is among 'true' and 'false'; remove it from one")
        if number := next((w for w in sorted(yes | no) if _NUMBER.fullmatch(w)), None):
            message = f"'{number}' is a number, and would be one no more in any column"
            raise ValueError(f"{message}; leave it out of 'true' and 'false'")
        return self
