"""In which ways texts can be read as numbers and days: those of `format`, each as a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.config.models import FileFormat
from upliftlab.queries.numbers import number_sql, time_sql
from upliftlab.results.inspection import ColumnMeaning, FormatChoice
from upliftlab.util.sql import literal, quote

_CURRENCY: Final = r"([A-Z]{3}|[€$£])"
_CLOCKS: Final = {
    "HH:mm[:ss]": "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?",
    "H:mm[:ss]": "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?",
}
_DAY: Final = {"DD": "(0[1-9]|[12][0-9]|3[01])", "D": "(0?[1-9]|[12][0-9]|3[01])"}
_MONTH: Final = {"MM": "(0[1-9]|1[0-2])", "M": "(0?[1-9]|1[0-2])"}
_YEAR: Final = "[12][0-9]{3}"
_ALIKE: Final = {" ": "[ \u00a0\u202f]", "'": "['\u2019]"}
"""Signs between thousands that look alike."""


@dataclass(frozen=True, slots=True)
class TextForm:
    """A way in which a column of texts may be written.

    Attributes:
        means: What its texts are then.
        pattern: A regular expression that every text matches.
        signs: Signs of which each stands in some text, else it is no form of its own.
        declared: What `format` says then.
        meaning: The same in words.
    """

    means: ColumnMeaning
    pattern: str
    signs: tuple[str, ...]
    declared: Mapping[str, str]
    meaning: str

    @property
    def choice(self) -> FormatChoice:
        """The line to write."""
        said = ", ".join(f'{key}: "{value}"' for key, value in self.declared.items())
        return FormatChoice(write=f"format: {{{said}}}", meaning=self.meaning)

    @property
    def point(self) -> str:
        """The sign before decimals, of a number."""
        return self.declared.get("decimal") or ("," if "." in self.declared.values() else ".")

    @property
    def custom(self) -> str:
        """What the forms of one file have in common: its point, or which part of a day is first."""
        return self.point if self.means == "number" else f"{self.signs[0]} {self.meaning}"

    @property
    def plain(self) -> bool:
        """Whether it is a number's usual form, which says nothing of a text without a point."""
        return self.declared == {"decimal": "."}

    def value(self, column: str) -> str:
        """SQL of a column of texts as what they mean, as an analysis would read them."""
        form = FileFormat.model_validate(dict(self.declared))
        if self.means == "number":
            return number_sql(quote(column), "text", form)
        time = time_sql(column, {column: "text"}, form=form)
        return f"CAST({time} AS DATE)" if self.means == "day" else time


def _numbers() -> Iterator[TextForm]:
    for thousands, point in ((None, "."), (None, ","), (".", ","), (",", "."), (" ", "."),
                             (" ", ","), ("'", ".")):  # fmt: skip
        whole, between = "[0-9]+", ""
        if thousands is not None:
            between = _sign(thousands)
            whole = f"([1-9][0-9]{{0,2}}({between}[0-9]{{3}})+|[0-9]+)"
        amount = f"[+-]?{whole}({re.escape(point)}[0-9]+)?"
        declared = (
            {"decimal": point} if thousands is None or (thousands, point) == (" ", ",") else {}
        )
        declared |= {"thousands": thousands} if thousands is not None else {}
        said = [f"'{point}' stands before decimals"] if "decimal" in declared else []
        said += [f"'{thousands}' stands between thousands"] if thousands is not None else []
        signs = tuple(declared.values()) if thousands or point == "," else ()
        yield TextForm(
            "number",
            f"^({_CURRENCY}[ \u00a0]?)?{amount}([ \u00a0]?{_CURRENCY})?$",
            signs,
            declared,
            " and ".join(said),
        )


def _days() -> Iterator[TextForm]:
    orders: tuple[tuple[Sequence[str], str], ...] = (
        (("DD", "MM", "YYYY"), "the day stands first"),
        (("D", "M", "YYYY"), "the day stands first"),
        (("MM", "DD", "YYYY"), "the month stands first"),
        (("M", "D", "YYYY"), "the month stands first"),
        (("YYYY", "MM", "DD"), "the year stands first"),
    )
    shapes = {**_DAY, **_MONTH, "YYYY": _YEAR}
    for sign in "./-":
        for parts, meaning in orders:
            if sign == "-" and parts[0] == "YYYY":  # as it is read without being declared
                continue
            day = re.escape(sign).join(shapes[part] for part in parts)
            written = sign.join(parts)
            yield TextForm("day", f"^{day}$", (sign,), {"date": written}, meaning)
            for clock, shape in _CLOCKS.items():
                declared = {"datetime": f"{written} {clock}"}
                yield TextForm("time", f"^{day} {shape}$", (sign, ":"), declared, meaning)


def _sign(sign: str) -> str:
    """A sign as a regular expression."""
    return _ALIKE.get(sign, re.escape(sign))


FORMS: Final = (*_numbers(), *_days())
SIGNS: Final[tuple[str, ...]] = (".", ",", " ", "'", "/", "-", ":")
"""Signs whose presence tells forms apart."""


def stands_sql(value: str, sign: str) -> str:
    """Whether a sign stands between two digits of a text."""
    return f"REGEXP_MATCHES({value}, {literal(f'[0-9]{_sign(sign)}[0-9]')})"


def fitting(counts: Sequence[int], signs: Mapping[str, int], rows: int) -> list[TextForm]:
    """The forms in which every text of a column is written, without those that say no more.

    Args:
        counts: How many texts match each of `FORMS`.
        signs: In how many texts each of `SIGNS` stands.
        rows: How many texts there are.
    """
    found = [
        form
        for form, count in zip(FORMS, counts, strict=True)
        if count == rows and all(signs[sign] for sign in form.signs)
    ]
    kept = list[TextForm]()
    for form in found:  # the two-digit patterns come before those that also admit one digit
        if not any((each.means, each.meaning) == (form.means, form.meaning) for each in kept):
            kept.append(form)
    return kept


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
