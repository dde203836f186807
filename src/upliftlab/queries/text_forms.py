"""In which ways texts can be read as numbers and times: those of `format`, each as a pattern."""
# ruff: noqa: S608 - columns are quoted by whoever asks, patterns pass through literal()

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from upliftlab.config.models import FileFormat
from upliftlab.config.models.time_patterns import parse_pattern
from upliftlab.engines.base import Engine
from upliftlab.queries.numbers import amount_shape, digits_shape, number_sql, time_sql
from upliftlab.queries.words import line_of
from upliftlab.results.inspection import ColumnMeaning, FormatChoice
from upliftlab.util.sql import literal, quote

_ORDERS: Final = (
    ("the day stands first", ("DD{}MM{}YYYY", "D{}M{}YYYY", "DD{}MM{}YY", "D{}M{}YY")),
    ("the month stands first", ("MM{}DD{}YYYY", "M{}D{}YYYY", "MM{}DD{}YY", "M{}D{}YY")),
    ("the year stands first", ("YYYY{}MM{}DD", "YYYY{}M{}D")),
)
"""Days in figures, by what stands first; those of two digits before those that admit one."""
_WORDED: Final = (
    *(f"D{sign}MMM{sign}{year}" for sign in "- ./" for year in ("YYYY", "YY")),
    "MMM D, YYYY",
    "MMM D YYYY",
    "D MMM, YYYY",
)
_CLOCKS: Final = ("HH:mm[:ss]", "H:mm[:ss]", "h:mm A", "h:mm:ss A", "h:mmA", "h:mm:ssA")
_COMPACT: Final = ("YYYYMMDDTHHmmss", "YYYYMMDDHHmmss", "YYYYMMDD HHmmss", "YYYYMMDDHHmm")
_ISO: Final = "YYYY-MM-DD"
_ALIKE: Final = {" ": "[ \u00a0\u202f\u2009]", "'": "['\u2019]"}
"""Signs between thousands that look alike."""
_FIRST: Final = 200
"""Rows that show already which forms a column is not written in."""


@dataclass(frozen=True)
class TextForm:
    """A way in which a column of texts may be written.

    Attributes:
        means: What its texts are then.
        form: What `format` says then.
        meaning: The same in words.
        signs: Signs of which each stands in some text, else it is no form of its own.
    """

    means: ColumnMeaning
    form: FileFormat
    meaning: str
    signs: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> str:
        """A regular expression that every text matches."""
        if self.means == "number":
            return amount_shape(digits_shape(self.form))
        shapes = (each.shape for each in parse_pattern(self._time, self._kind).variants)
        return "|".join(shapes)

    @property
    def declared(self) -> dict[str, str]:
        """What `format` says, as it is written."""
        return self.form.model_dump(exclude_unset=True)

    @property
    def choice(self) -> FormatChoice:
        """The line to write."""
        return FormatChoice(write=line_of((), self.declared), meaning=self.meaning)

    @property
    def custom(self) -> str:
        """What the forms of one file have in common: its point, or which part of a day is first."""
        if self.means == "number":
            return self.form.point
        return f"{re.sub('[A-Za-z]+', '', self._time)[:1]} {self.meaning}"

    @property
    def plain(self) -> bool:
        """Whether it is a number's usual form, which says nothing of a text without a point."""
        return self.declared == {"decimal": "."}

    def value(self, column: str) -> str:
        """SQL of a column of texts as what it means."""
        if self.means == "number":
            return number_sql(quote(column), "text", self.form)
        time = time_sql(column, {column: "text"}, form=self.form)
        return f"CAST({time} AS DATE)" if self.means == "day" else time

    @property
    def _kind(self) -> str:
        return "date" if self.means == "day" else "datetime"

    @property
    def _time(self) -> str:
        return self.declared[self._kind]


def _numbers() -> Iterator[TextForm]:
    for thousands, point in ((None, "."), (None, ","), (".", ","), (",", "."), (" ", "."),
                             (" ", ","), ("'", ".")):  # fmt: skip
        declared = (
            {"decimal": point} if thousands is None or (thousands, point) == (" ", ",") else {}
        )
        declared |= {"thousands": thousands} if thousands is not None else {}
        said = [f"'{point}' stands before decimals"] if "decimal" in declared else []
        said += [f"'{thousands}' stands between thousands"] if thousands is not None else []
        signs = tuple(declared.values()) if thousands or point == "," else ()
        yield TextForm("number", FileFormat.model_validate(declared), " and ".join(said), signs)


@cache
def times() -> tuple[TextForm, ...]:
    """The forms of days and times; they are many, and most files need none of them."""
    return tuple(_times())


def _times() -> Iterator[TextForm]:
    written = [
        (part.format(sign, sign), meaning)
        for sign in "./-"
        for meaning, parts in _ORDERS
        for part in parts
    ]
    written += [(each, "months are words") for each in _WORDED]
    for day, meaning in [*written, ("YYYYMMDD", "days are eight digits")]:
        if day != _ISO:  # as it is read without being declared
            yield TextForm("day", FileFormat(date=day), meaning)
        for clock in _CLOCKS:
            if (day, clock) != (_ISO, _CLOCKS[0]):
                for between in (" ", ", "):
                    yield TextForm("time", FileFormat(datetime=f"{day}{between}{clock}"), meaning)
    for each in _COMPACT:
        yield TextForm("time", FileFormat(datetime=each), "times are digits")


NUMBERS: Final = tuple(_numbers())
SIGNS: Final[tuple[str, ...]] = (".", ",", " ", "'")
"""Signs whose presence tells forms of numbers apart."""


def stands_sql(value: str, sign: str) -> str:
    """Whether a sign stands between two digits of a text."""
    between = _ALIKE.get(sign, re.escape(sign))
    return f"REGEXP_MATCHES({value}, {literal(f'[0-9]{between}[0-9]')})"


def forms_of(
    column: str, relation: str, engine: Engine, forms: Sequence[TextForm] | None = None
) -> list[TextForm]:
    """The forms in which every text of a column is written, without those that say no more.

    Args:
        column: Its name.
        relation: The FROM clause with its WHERE.
        engine: Where it lies.
        forms: Those that are looked for; by default all.
    """
    forms = (*NUMBERS, *times()) if forms is None else forms
    value = quote(column)
    first = f"SELECT {value} AS v FROM {relation}"
    sample = engine.query(f"SELECT v FROM ({first}) AS t WHERE v IS NOT NULL LIMIT {_FIRST}")
    texts = [str(row["v"]) for row in sample.to_pylist()]
    likely = [form for form in forms if all(re.search(form.pattern, text) for text in texts)]
    if not likely:
        return []
    asked = {f"f{at}": f"REGEXP_MATCHES({value}, {literal(form.pattern)})"
             for at, form in enumerate(likely)}  # fmt: skip
    asked |= {f"s{at}": stands_sql(value, sign) for at, sign in enumerate(SIGNS)}
    counts = ", ".join(
        f"COUNT(CASE WHEN {sql} THEN 1 END) AS {name}" for name, sql in asked.items()
    )
    row = engine.query(f"SELECT COUNT({value}) AS n, {counts} FROM {relation}").to_pylist()[0]
    found = {sign for at, sign in enumerate(SIGNS) if row[f"s{at}"]}
    return _without_doubles(
        form
        for at, form in enumerate(likely)
        if row[f"f{at}"] == row["n"] and found.issuperset(form.signs)
    )


def _without_doubles(forms: Iterator[TextForm]) -> list[TextForm]:
    """Of forms that come to the same, the first."""
    kept = dict[tuple[str, str], TextForm]()
    for form in forms:
        kept.setdefault((form.means, form.meaning), form)
    return [*kept.values()]


def settled(
    forms: Mapping[str, Sequence[TextForm]], point: str | None
) -> dict[str, list[TextForm]]:
    """The forms of a file's columns, without those that another of its columns contradicts.

    A file is written in one way: where one column shows that decimals stand behind a comma, a point
    in another stands between thousands.

    Args:
        forms: By column, in which ways it can be read.
        point: The sign before decimals in columns that can be read as they are, if there are any.
    """
    shown = {ways[0].custom for ways in forms.values() if len(ways) == 1 and not ways[0].plain}
    shown |= {point} if point else set()
    return {
        name: [each for each in ways if each.custom in shown] or [*ways]
        for name, ways in forms.items()
    }
