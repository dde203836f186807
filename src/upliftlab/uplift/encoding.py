"""The encoding: what a model is given of every customer, as floats, the same at every scoring.

It is fitted once, kept as JSON beside the model it belongs to, and refuses a table that does not
fit. A text becomes the place of its level, the most frequent first; a number stays what it is; a
date is days since 1970; yes and no are 1 and 0. What is missing is NaN, and so is a level that
the encoding does not know: one that was unseen in training, or too rare there: not among the
first hundred, or of so few customers that its name would tell of them. Numbers that are infinite,
or beyond 1e100, are missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from upliftlab.errors import DataError, Diagnostic
from upliftlab.results.analysis import Message, Result
from upliftlab.stats.moments import Array
from upliftlab.text.language import N_
from upliftlab.uplift import columns
from upliftlab.uplift.columns import Form
from upliftlab.util.personal import names_people

if TYPE_CHECKING:
    import pyarrow as pa

    Column = pa.ChunkedArray[Any]

MOST_LEVELS = 100
"""Levels of a category that a model knows; boosting takes at most 255."""
FARTHEST = 5.0
"""Standard deviations from the mean at which a linear model takes a number to end."""
_SOUGHT = {"number": "numbers", "date": "dates", "text": "texts"}


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A table as floats.

    Attributes:
        values: Numbers and codes of levels, NaN where missing; shape (n, features).
        unseen: Per category, how many customers have a level that the encoding does not know.
    """

    values: Array
    unseen: Mapping[str, int]


class Feature(Result):
    """One column: what it is, and what was seen in it."""

    name: str
    form: Form
    missing: int
    """Customers without a value."""
    levels: tuple[str, ...] = ()
    """Of a category, the most frequent first."""
    rare: int = 0
    """Customers with a level of too few, or beyond the first hundred: models take it as missing."""
    median: float | None = None
    """Of a number, as the mean and the standard deviation (with n) are; None for a category."""
    mean: float | None = None
    sd: float | None = None

    @property
    def kind(self) -> Literal["numeric", "categorical"]:
        """Whether models take it as a number or as a category."""
        return "categorical" if self.form == "text" else "numeric"

    @property
    def gaps(self) -> bool:
        """Whether models saw it missing."""
        return self.missing + self.rare > 0


class Encoding(Result):
    """What models are given of every customer.

    >>> import pyarrow as pa
    >>> table = pa.table({"age": [30, None, 50], "city": ["Rome", "Oslo", "Rome"]})
    >>> encoding = Encoding.fit(table)
    >>> encoding.encode(pa.table({"city": ["Oslo", "Bonn"], "age": ["41", " "]}))
    Encoded(values=array([[41.,  1.],
           [nan, nan]]), unseen={'city': 1})
    """

    customers: int
    """How many it was fitted on."""
    features: tuple[Feature, ...]
    notes: tuple[Message, ...] = ()
    """Columns that were left out, and why."""

    @classmethod
    def fit(cls, table: pa.Table, smallest: int = 1) -> Self:
        """Learn forms, levels and means from a table of features, one row per customer.

        Left out with a note: a column in which all customers are alike, and a text that says who
        a customer is rather than what they are like (all differ, or of more than a hundred levels
        one is held by fewer than two customers on average; or it looks so, see
        `personal.names_people`). The order of the rows does not matter.

        Args:
            table: One column per feature.
            smallest: How many customers have a level that is known by its name.

        Raises:
            DataError: UL603, a column is nothing a model can use, such as a list; UL604, no
                column is left.
        """
        read = [_read(name, table.column(name), smallest) for name in table.column_names]
        if faults := [found for found in read if isinstance(found, Diagnostic)]:
            raise DataError(faults)
        features = tuple(found for found in read if isinstance(found, Feature))
        notes = tuple(found for found in read if isinstance(found, Message))
        if not features:
            raise DataError(
                Diagnostic(
                    "UL604",
                    f"no feature is left of {', '.join(table.column_names) or 'none'}: "
                    "each is the same for all customers, or different for each",
                    "name columns that describe customers under 'features'",
                )
            )
        return cls(customers=table.num_rows, features=features, notes=notes)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of the encoded values."""
        return tuple(feature.name for feature in self.features)

    @property
    def categories(self) -> tuple[int, ...]:
        """Which of the encoded columns are codes of levels."""
        found = enumerate(self.features)
        return tuple(number for number, feature in found if feature.kind == "categorical")

    @property
    def sha256(self) -> str:
        """The sha256 of its JSON with sorted keys and no blanks; the same for equal encodings."""
        text = json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def encode(self, table: pa.Table) -> Encoded:
        """A table as floats; further columns, and the order of columns, do not matter.

        Raises:
            DataError: UL605, a column is absent; UL606, it holds something else than at fit.
        """
        values = np.full((table.num_rows, len(self.features)), np.nan)
        unseen, faults = dict[str, int](), list[Diagnostic]()
        for number, feature in enumerate(self.features):
            found = _encoded(feature, table)
            if isinstance(found, Diagnostic):
                faults.append(found)
                continue
            values[:, number], unknown = found
            if unknown:
                unseen[feature.name] = unknown
        if faults:
            raise DataError(faults)
        return Encoded(values, unseen)

    def linear(self, values: Array) -> Array:
        """Encoded values as a linear model takes them, shape (n, columns), nothing missing.

        A number is standardised and cut at `FARTHEST` standard deviations, so that a single
        customer sways nothing; where it is missing it is the median. A category has one column
        of 0 and 1 per level. A feature that had gaps at fit has a further column that marks them.

        Raises:
            ValueError: The values are not of as many columns as there are features.
        """
        if values.shape[1] != len(self.features):
            raise ValueError(f"{values.shape[1]} columns for {len(self.features)} features")
        made = list[Array]()
        for feature, column in zip(self.features, values.T, strict=True):
            gap = np.isnan(column)
            if feature.kind == "categorical":
                made.extend((column == code).astype(float) for code in range(len(feature.levels)))
            else:
                made.append(_standardised(feature, column, gap))
            if feature.gaps:
                made.append(gap.astype(float))
        return np.column_stack(made)


def _standardised(feature: Feature, column: Array, gap: np.ndarray) -> Array:
    filled = np.where(gap, feature.median or 0.0, column)
    z = (filled - (feature.mean or 0.0)) / (feature.sd or 1.0)
    return np.clip(z, -FARTHEST, FARTHEST)


def _read(name: str, column: Column, smallest: int) -> Feature | Message | Diagnostic:
    """What a column is at fit; a message where it is left out."""
    form = columns.form_of(column)
    if form is None:
        return Diagnostic(
            "UL603",
            f"feature '{name}' holds {columns.held(column)}, which no model can use",
            "name columns of numbers, dates, yes/no or text under 'features'",
        )
    if form == "text":
        return _category(name, column, smallest)
    values = columns.numbers(column, form)
    if values is None:
        raise ValueError(f"{name} does not read as {form}")
    return _number(name, form, values)


def _number(name: str, form: Form, values: Array) -> Feature | Message:
    given = np.sort(values[~np.isnan(values)])  # sums do not depend on the order of the rows
    missing = len(values) - len(given)
    if _alike(len(given) and int(given[0] < given[-1]) + 1, missing):
        return _left_out(name)
    median, mean, sd = (float(f(given)) for f in (np.median, np.mean, np.std))
    return Feature(name=name, form=form, missing=missing, median=median, mean=mean, sd=sd)


def _category(name: str, column: Column, smallest: int) -> Feature | Message:
    counts = columns.counts(column)
    given = sum(counts.values())
    missing = len(column) - given
    if _alike(len(counts), missing):
        return _left_out(name)
    if (
        len(counts) == given
        or (len(counts) > MOST_LEVELS and 2 * len(counts) > given)
        or names_people(counts, smallest)
    ):
        template = N_("'{feature}' says who a customer is, not what they are like: left out.")
        return Message(template=template, values={"feature": name})
    levels = sorted(counts, key=lambda level: (-counts[level], level))
    known = tuple(level for level in levels[:MOST_LEVELS] if counts[level] >= smallest)
    rare = given - sum(counts[level] for level in known)
    if _alike(len(known), missing + rare):
        return _left_out(name)
    return Feature(name=name, form="text", missing=missing, levels=known, rare=rare)


def _alike(distinct: int, missing: int) -> bool:
    """Whether all customers have the same value; having none is a value too."""
    return distinct + (missing > 0) < 2  # noqa: PLR2004 - it takes two to differ


def _left_out(name: str) -> Message:
    template = N_("'{feature}' is the same for all customers: left out.")
    return Message(template=template, values={"feature": name})


def _encoded(feature: Feature, table: pa.Table) -> tuple[Array, int] | Diagnostic:
    """One column as floats and how many of its levels are unknown."""
    if feature.name not in table.column_names:
        return Diagnostic(
            "UL605",
            f"feature '{feature.name}' is absent; found {', '.join(table.column_names) or 'none'}",
            f"add it: the model was fitted on it as {_SOUGHT[feature.form]}",
        )
    column = table.column(feature.name)
    if feature.form == "text":
        found = columns.codes(column, feature.levels)
    else:
        values = columns.numbers(column, feature.form)
        found = None if values is None else (values, 0)
    return _misfit(feature, column) if found is None else found


def _misfit(feature: Feature, column: Column) -> Diagnostic:
    return Diagnostic(
        "UL606",
        f"feature '{feature.name}' holds {columns.held(column)}, expected {_SOUGHT[feature.form]}",
        "score a table of the columns that the model was fitted on",
    )
