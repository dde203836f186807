"""Columns as numbers and times in SQL, whatever type they have and however texts are written.

The plain form of a text is tried first; what else can be said of it is only worked out where that
is none. How a file writes numbers and times is declared in its `format`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from upliftlab.config.models import FileFormat
from upliftlab.config.models.time_patterns import TimePattern, parse_pattern
from upliftlab.engines.base import ColumnType
from upliftlab.util.sql import literal, quote

LARGEST: Final = "1e30"
"""No campaign earns more of anything."""
SMALLEST: Final = 1e-30
"""Variation below this is none: its products leave what a double can hold."""
SYMBOLS: Final = {"€": "EUR", "£": "GBP", "$": "USD"}
"""Signs that stand beside amounts, and their currency's code."""
_SIGNS: Final = "".join(SYMBOLS)
_SPACES: Final = " \u00a0\u202f\u2009"
"""A space, and those that keep a number in one line."""
_APOSTROPHES: Final = "'\u2019"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MINUS: Final = "\u2212-"
"""Signs of what is below nothing: within brackets of a regular expression the hyphen stands for
itself, as the last one."""
_YES: Final = ("true", "yes")
_NO: Final = ("false", "no")
_YEAR: Final = "([0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})"
_DAY: Final = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_MOMENT: Final = f"{_DAY}[ T]{_CLOCK}"
OFFSET: Final = " ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
"""How a time says how far its clock is from UTC."""


def number_sql(value: str, kind: ColumnType, form: FileFormat | None = None) -> str:
    """A value as a double, NULL where it is none.

    Of texts, words for yes and no are 1 and 0; an amount may have a currency beside it, and be
    below nothing as ledgers write it: `12.50-` or `(12.50)`.

    Args:
        value: The value in SQL.
        kind: The type of its column.
        form: How the file writes texts, where that is declared.

    >>> number_sql('"paid"', "boolean")
    'CASE WHEN "paid" THEN 1.0 WHEN NOT "paid" THEN 0.0 END'
    """
    if kind == "boolean":
        return f"CASE WHEN {value} THEN 1.0 WHEN NOT {value} THEN 0.0 END"
    if kind != "text":
        return f"CAST({value} AS DOUBLE)"
    amount = f"REGEXP_MATCHES({value}, {literal(amount_shape(digits_shape(form)))})"
    below = f"CASE WHEN REGEXP_MATCHES({value}, '[(]|[{_MINUS}]') THEN -1.0 ELSE 1.0 END"
    return (
        f"COALESCE({plain_sql(value, form)}, {flag_sql(value, form)},"
        f" CASE WHEN {amount} THEN {below} * {plain_sql(_bare(value), form)} END)"
    )


def capped_sql(number: str, limit: float | None) -> str:
    """A number that counts as the limit where it is larger; as it is where there is none."""
    if limit is None:
        return number
    return f"CASE WHEN {number} > {limit!r} THEN {limit!r} ELSE {number} END"


def plain_sql(value: str, form: FileFormat | None = None) -> str:
    """A text of digits as a double, NULL where it is none.

    >>> plain_sql('"n"')
    'TRY_CAST("n" AS DOUBLE)'
    """
    if form is None or not form.numbers_declared:
        return f"TRY_CAST({value} AS DOUBLE)"
    bare = value
    for sign in _grouping(form):
        bare = f"REPLACE({bare}, {literal(sign)}, '')"
    if form.point != ".":
        bare = f"REPLACE({bare}, {literal(form.point)}, '.')"
    shape = literal(f"^ *[+-]?{digits_shape(form)}([eE][+-]?[0-9]+)? *$")
    return f"CASE WHEN REGEXP_MATCHES({value}, {shape}) THEN TRY_CAST({bare} AS DOUBLE) END"


def flag_sql(value: str, form: FileFormat | None = None) -> str:
    """A text that says yes or no as 1 or 0, NULL where it says neither."""
    cases = " ".join(
        f"WHEN LOWER(TRIM({value})) IN ({_listed(words)}) THEN {number}"
        for words, number in (
            ((form and form.true) or _YES, 1.0),
            ((form and form.false) or _NO, 0.0),
        )
    )
    return f"CASE {cases} END"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(literal(word.lower()) for word in words)


def has_currency_sql(value: str, form: FileFormat | None = None) -> str:
    """Whether a text is an amount with a currency beside it."""
    amount = f"REGEXP_MATCHES({value}, {literal(amount_shape(digits_shape(form)))})"
    return f"({amount} AND REGEXP_MATCHES({value}, '[A-Z{_SIGNS}]'))"


def amount_shape(digits: str) -> str:
    """An amount as bookkeepers write it, as a regular expression.

    A currency may stand on one side; below nothing is what has a minus before it, before its
    currency or behind it, or stands in brackets.

    Args:
        digits: A number without its sign, as a regular expression.

    >>> [bool(re.search(amount_shape("[0-9]+"), text)) for text in ("-$5", "5- EUR", "(5)", "--5")]
    [True, True, True, False]
    """
    code, space, sign = f"([A-Z]{{3}}|[{_SIGNS}])", f"[{_SPACES}]?", f"[+{_MINUS}]"
    before, behind = f"{code}{space}", f"{space}{code}"
    one = f"({before}{digits}|{digits}({behind})?)"
    last = f"({before}{digits}{space}[{_MINUS}]|{digits}{space}[{_MINUS}]({behind})?)"
    return f"^({sign}?{space}{one}|{before}{sign}{space}{digits}|{last}|[(]{one}[)])$"


def currency_sql(value: str) -> str:
    """The currency that stands beside an amount, without the amount."""
    return f"TRANSLATE({value}, {literal(f'0123456789.,()+{_MINUS}_{_SPACES}{_APOSTROPHES}')}, '')"


def _bare(value: str) -> str:
    """An amount without its sign, its currency and the spaces around them."""
    ends = f"TRANSLATE({value}, '{_LETTERS}{_SIGNS}()+{_MINUS}', '')"
    return f"TRIM({ends}, '{_SPACES}')"


def _grouping(form: FileFormat) -> str:
    """Every sign that may stand between thousands."""
    return {" ": _SPACES, "'": _APOSTROPHES}.get(form.thousands or "", form.thousands or "")


def digits_shape(form: FileFormat | None) -> str:
    """A number without its sign, as a regular expression."""
    if form is None:
        return "([0-9]+([.][0-9]*)?|[.][0-9]+)"
    point = re.escape(form.point)
    whole = "[0-9]+"
    if form.thousands:
        whole = f"([1-9][0-9]{{0,2}}([{_grouping(form)}][0-9]{{3}})+|[0-9]+)"
    return f"({whole}({point}[0-9]*)?|{point}[0-9]+)"


def missing_sql(value: str, kind: ColumnType, words: Iterable[str] = ()) -> str:
    """Whether there is no value: NULL, an empty text, or NaN, which pandas writes for it.

    Args:
        value: The value in SQL.
        kind: The type of its column.
        words: Of texts, words for no value that are not declared; declared ones are NULL as read.

    >>> missing_sql('"paid"', "boolean")
    '("paid" IS NULL)'
    """
    if kind == "text":
        given = "".join(f" OR {value} = {literal(word)}" for word in words)
        return f"({value} IS NULL OR LOWER(TRIM({value})) IN ('', 'nan'){given})"
    if kind == "number":
        return f"({value} IS NULL OR {nan_sql(f'CAST({value} AS DOUBLE)')})"
    return f"({value} IS NULL)"


def nan_sql(value: str) -> str:
    """Whether a double is NaN.

    It is not said by ISNAN: DuckDB trusts the limits that Parquet files give for a column, which
    leave out NaN, and answers no without looking.
    """
    return f"(NOT ISFINITE({value}) AND ABS({value}) <> CAST('Infinity' AS DOUBLE))"


def usable_sql(value: str) -> str:
    """Whether a double is a number that can be reckoned with; NULL where there is none.

    Beyond `LARGEST` the products that moments and their errors are made of leave what a double
    can hold, and would be taken for groups without any variation.
    """
    return f"(ISFINITE({value}) AND ABS({value}) <= {LARGEST})"


def time_sql(
    column: str,
    columns: Mapping[str, ColumnType],
    table: str = "",
    form: FileFormat | None = None,
    *,
    zoned: bool = False,
) -> str:
    """A column's time without zone, an instant's in UTC; NULL where a text is no time.

    Args:
        column: The column.
        columns: The types of the table's columns.
        table: What stands before its name, as in `c.`.
        form: How the file writes texts, where that is declared.
        zoned: Whether the column's texts name their offset to UTC, and so are instants.
    """
    value = f"{table}{quote(column)}"
    if columns[column] != "text":
        return f"CAST({value} AS TIMESTAMP)"
    if form is None or not (form.date or form.datetime):
        return iso_sql(value, zoned=zoned)
    cases = "".join(
        f" WHEN REGEXP_MATCHES({value}, {literal(variant.shape)})"
        f" THEN TRY_STRPTIME({value}, {literal(variant.directives)})"
        for pattern in _declared(form)
        for variant in pattern.variants
    )
    default = _iso_shape(zoned=zoned, days=not form.date, moments=not form.datetime)
    if default is not None:
        cases += f" WHEN REGEXP_MATCHES({value}, {default}) THEN {iso_sql(value, zoned=zoned)}"
    return f"CASE{cases} END"


def readable_time_sql(value: str, form: FileFormat | None = None, *, zoned: bool = False) -> str:
    """Whether a text looks like a time; engines read other forms each in its own way."""
    shape = _iso_shape(
        zoned=zoned, days=not (form and form.date), moments=not (form and form.datetime)
    )
    shapes = [v.shape for pattern in _declared(form) for v in pattern.variants]
    found = [f"REGEXP_MATCHES({value}, {literal(each)})" for each in shapes]
    found += [f"REGEXP_MATCHES({value}, {shape})"] if shape else []
    return f"COALESCE({' OR '.join(found)}, FALSE)"


def _declared(form: FileFormat | None) -> list[TimePattern]:
    found = list[TimePattern]()
    if form and form.datetime:
        found.append(parse_pattern(form.datetime, "datetime"))
    if form and form.date:
        found.append(parse_pattern(form.date, "date"))
    return found


def _iso_shape(*, zoned: bool, days: bool, moments: bool) -> str | None:
    """How a time looks where nothing else is declared, as an SQL literal."""
    if zoned:
        return literal(f"^{_MOMENT}{OFFSET}$") if moments else None
    shapes = [*([_DAY] if days else []), *([_MOMENT] if moments else [])]
    return literal(f"^({'|'.join(shapes)})$") if shapes else None


def iso_sql(value: str, *, zoned: bool) -> str:
    """A text in the usual form as a time without zone, an instant's in UTC; NULL where it is none.

    Args:
        value: The text in SQL.
        zoned: Whether it names its offset to UTC.
    """
    if not zoned:
        return f"TRY_CAST({value} AS TIMESTAMP)"
    # Engines want no space before an offset, and do not know all of its names.
    apart = f"({value} LIKE '%:% %' OR {value} LIKE '%UTC')"
    clock, offset = f"SUBSTR({value}, 1, 16)", f"REPLACE(SUBSTR({value}, 17), ' ', '')"
    offset = f"REPLACE({offset}, 'UTC', 'Z')"
    # Spark wants seconds before an offset.
    ways = (value, f"{clock} || {offset}", f"{clock} || ':00' || {offset}")
    first, *others = (f"TRY_CAST({way} AS TIMESTAMPTZ)" for way in ways)
    moment = f"COALESCE(CASE WHEN NOT {apart} THEN {first} END, {', '.join(others)})"
    return f"CAST({moment} AS TIMESTAMP)"
