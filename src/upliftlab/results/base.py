"""What all published values have in common: frozen, tables for frames, a few lines for people.

Nothing here is said in a language or rounded for a page: `text` and `report` do that. What is shown
where a value stands at the end of a notebook's cell is English, short, and escaped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from html import escape
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict

from upliftlab.errors import DataError, Diagnostic

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Scalar = str | int | float | None
R = TypeVar("R", bound="Result")
_LONGEST: Final = 300
"""Characters of a text that a few lines show."""
_PLAIN: Final = 1000
"""From here on a number is shown without decimals."""
_LEFT: Final = "text-align:left;padding:2px 12px 2px 0"
_RIGHT: Final = "text-align:right;padding:2px 12px 2px 0"


class Result(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Note(StrEnum):
    """Why a number is absent, or how to read it: a fixed list, so that each can be translated."""

    few_treated = "fewer than two treated customers"
    few_control = "fewer than two control customers"
    no_variation = "no variation within either group, so there is no interval"
    zero_control = "the control's mean is zero"
    zero_cost = "the arm costs no more than the control, so there is no return on cost"
    cost_unclear = "cost is too close to zero to say"
    denominator_unclear = "the denominator is too close to zero to say"
    no_conversions = "no incremental conversions to divide by"
    not_adjusted = "too few units, or covariates that do not vary, to adjust for them"
    few_events = "too few customers with it, or without it, in a group to adjust for covariates"
    no_denominator = "nothing to divide by in one of the groups"
    few_denominators = "too few customers with something to divide by in one of the groups"
    level_unreached = "too early, or too few draws, for an interval at this level"
    few_expected = (
        "too few purchases or other events in all, or hardly one to be expected in a group: "
        "no interval holds"
    )
    few_purchases = "too few purchases or other events to tell"
    at_least = "no upper end: too few purchases or other events to tell"
    at_most = "no lower end: too few purchases or other events to tell"
    several_redemptions = "customers redeem more than once, and conversions count them once"
    few_beyond = "fewer than ten units above the quantile, or below it, in a group"
    tied = "the quantile lies among many equal values in a group: no interval holds"
    mixed_shares = (
        "arms had other shares in some strata or times: quantiles of all customers together would "
        "mislead"
    )
    unknown_spread = "not told by the totals that were given: it needs products of two metrics"
    prior_contradicted = "the prior and the data contradict each other: hardly any value is of both"
    few_units = "fewer than two units, so there is no interval"
    constant_score = "the score is the same for everybody, so it puts nobody first"
    same_for_all = "the same for everybody, so there is no interval"
    few_levels = "fewer than two levels with customers enough to compare"
    own_slopes = "each level is adjusted for covariates with slopes of its own"
    guardrail = "a guardrail is exceeded"
    invalid = "not shown: a critical check failed"


class Message(Result):
    """A sentence as a template and the values put in, so that it can be said in any language.

    Placeholders are `{name}` (text as it is) or `{name:kind}` with kind one of money, percent,
    number, count, p (see `language.py`).
    """

    template: str
    values: dict[str, Scalar] = {}


class Summary(NamedTuple):
    """A result in a few lines."""

    headline: str
    """The answer."""
    context: str
    """What it is of."""
    columns: tuple[str, ...]
    """The heads of a table; the first two are texts."""
    rows: tuple[tuple[str, ...], ...]


class Published(Result, ABC):
    """A result as a whole: what a command publishes as JSON."""

    tables: ClassVar[tuple[str, ...]] = ()
    """The names of its tables, the one that is meant where none is named first."""

    def to_arrow(self, table: str | None = None) -> pa.Table:
        """One of `tables` as an Arrow table, which polars and others take without a copy.

        Raises:
            DataError: UL620, there is no such table.
        """
        import pyarrow as pa  # noqa: PLC0415 - costs start-up, and few ask for it

        entries = self._entries(self._named(table))
        rows = [{**beside, **_flat(item)} for beside, item in entries]
        kinds: dict[str, str] = {}
        for beside, item in entries:
            kinds |= dict.fromkeys(beside, "text") | _kinds(type(item), item)
        types: dict[str, pa.DataType] = {
            "text": pa.string(),
            "whole": pa.int64(),
            "number": pa.float64(),
            "truth": pa.bool_(),
        }
        columns = {
            name: pa.array([row.get(name) for row in rows], types[kind])
            for name, kind in kinds.items()
        }
        return pa.table(columns)

    def to_frame(self, table: str | None = None) -> pd.DataFrame:
        """One of `tables` as a pandas frame, one row for each of its entries.

        Raises:
            DataError: UL620, there is no such table.
        """
        made: Any = self.to_arrow(table)
        return made.to_pandas()

    @abstractmethod
    def summary(self) -> Summary:
        """The answer in a few lines."""

    def __repr__(self) -> str:
        told = self.summary()
        lines = [_shown(told.headline), _shown(told.context)]
        widths = [max(map(len, column)) for column in zip(told.columns, *told.rows, strict=True)]
        for row in (told.columns, *told.rows) if told.rows else ():
            cells = (
                cell.ljust(width) if at < _TEXTS else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(map(_shown, row), widths, strict=True))
            )
            lines.append(f"  {'  '.join(cells)}".rstrip())
        return "\n".join(lines)

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """The same for a notebook: no script, no colour of its own, everything escaped."""
        told = self.summary()
        context = f'<span style="opacity:.7">{_escaped(told.context)}</span>'
        parts = [f"<p><strong>{_escaped(told.headline)}</strong><br>{context}</p>"]
        if told.rows:
            head = "".join(_cells("th", told.columns))
            body = "".join(f"<tr>{''.join(_cells('td', row))}</tr>" for row in told.rows)
            parts.append(
                '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
                f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        return f"<div>{''.join(parts)}</div>"

    def _entries(self, table: str) -> Sequence[tuple[Mapping[str, str | None], Result]]:
        """The entries of one of `tables`, each with texts that stand beside it."""
        return [({}, item) for item in getattr(self, table)]

    def _named(self, table: str | None) -> str:
        name = self.tables[0] if table is None else table
        if name in self.tables:
            return name
        message = f"there is no table '{name[:60]}' in this result"
        raise DataError(Diagnostic("UL620", message, f"there are {', '.join(self.tables)}"))


_TEXTS: Final = 2
"""How many columns of a summary are texts."""


def matching(items: Iterable[R], asked: Mapping[str, object]) -> tuple[R, ...]:
    """The entries whose fields are what is asked for.

    Raises:
        DataError: UL621, they have no such field.
    """
    found = list[R]()
    for item in items:
        if odd := next((name for name in asked if name not in type(item).model_fields), None):
            known = ", ".join(type(item).model_fields)
            message = f"what is found has no field '{odd[:60]}'"
            raise DataError(Diagnostic("UL621", message, f"there are {known}"))
        if all(getattr(item, name) == value for name, value in asked.items()):
            found.append(item)
    return tuple(found)


def short(value: float | None) -> str:
    """A number in few signs.

    >>> short(12345.6), short(0.76982), short(None)
    ('12,346', '0.7698', '—')
    """
    if value is None:
        return "—"
    return f"{value:,.0f}" if abs(value) >= _PLAIN else f"{value:.4g}"


def interval(low: float | None, high: float | None) -> str:
    """An interval in few signs, without an end where there is none.

    >>> interval(0.4853, None), interval(None, None)
    ('[0.4853, ∞)', '')
    """
    if low is None and high is None:
        return ""
    left = "(−∞" if low is None else f"[{short(low)}"
    return f"{left}, {'∞)' if high is None else f'{short(high)}]'}"


def _shown(text: str) -> str:
    """A text in one line in which nothing is hidden."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in cut)


def _escaped(text: str) -> str:
    return escape(_shown(text))


def _cells(tag: str, row: Iterable[str]) -> Iterator[str]:
    for at, cell in enumerate(row):
        yield f'<{tag} style="{_LEFT if at < _TEXTS else _RIGHT}">{_escaped(cell)}</{tag}>'


def _flat(item: Result, before: str = "") -> dict[str, Any]:
    """The fields of a value, those of values in it beside; lists and sentences are left out."""
    found: dict[str, Any] = {}
    for name in type(item).model_fields:
        value = getattr(item, name)
        if isinstance(value, Message | tuple):
            continue
        if isinstance(value, Result):
            found |= _flat(value, f"{before}{name}_")
        elif isinstance(value, dict):
            found |= {f"{before}{name}_{key}": inner for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType] - names of arms
        else:
            found[f"{before}{name}"] = value.value if isinstance(value, Enum) else value
    return found


def _kinds(model: type[Result], item: Result | None, before: str = "") -> dict[str, str]:
    """What each column of `_flat` holds, also where no row has a value."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        choices = [kind for kind in _choices(field.annotation) if kind is not NoneType]
        first, value = choices[0], None if item is None else getattr(item, name)
        if isinstance(first, type) and issubclass(first, Result):
            if not issubclass(first, Message):
                found |= _kinds(first, value, f"{before}{name}_")
        elif get_origin(first) is dict:
            found |= {f"{before}{name}_{key}": _kind([get_args(first)[1]]) for key in value or ()}
        elif get_origin(first) is not tuple:
            found[f"{before}{name}"] = _kind(choices)
    return found


def _choices(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type in any form
    """The alternatives of a union; of any other type that type."""
    args = get_args(annotation)
    return args if args and NoneType in args else (annotation,)


def _kind(choices: Sequence[Any]) -> str:
    kinds = {bool: "truth", int: "whole", float: "number"}
    return kinds.get(choices[0], "text") if len(choices) == 1 else "text"
