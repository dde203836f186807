"""Cells: the levels of a dimension side by side, for one kind of effect.

Levels of a segment hold different customers, so their effects are independent. Contact channels,
and arms, are compared with one control, and their effects vary with it together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from upliftlab.analysis.contrasts import CHANNEL, Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.measures import MONEY
from upliftlab.results.analysis import EstimandKind, Finding, Heterogeneity, Note
from upliftlab.results.costs import CostStep
from upliftlab.stats.adjust import holm
from upliftlab.stats.effects import LinearContrast, TwoSample
from upliftlab.stats.heterogeneity import (
    OwnError,
    heterogeneity,
    pooled_over_groups,
    shared_control,
    shrunken,
)
from upliftlab.stats.moments import Array

FEWEST = 50
"""Units that both groups of a cell must have to be compared with other cells."""


class FindingSlice(NamedTuple):
    """What a finding is about."""

    kind: EstimandKind
    metric: str
    arm: str | None
    dimension: str | None
    level: str | None

    @classmethod
    def of(cls, finding: Finding) -> FindingSlice:
        """What a finding is about."""
        named = finding.dimension, finding.level
        return cls(finding.kind, finding.metric, finding.arm, *named)


@dataclass(frozen=True, slots=True)
class SliceComparison:
    """What cells say together.

    Attributes:
        tests: Whether levels differ, one test per dimension, arm and kind.
        shrunken: What each cell's effect is best taken for, in the unit of its finding.
    """

    tests: tuple[Heterogeneity, ...]
    shrunken: Mapping[FindingSlice, float]


@dataclass(frozen=True, slots=True)
class _Row:
    """One kind of effect in all levels of a dimension."""

    dimension: str | None
    arm: str | None
    kind: EstimandKind
    metric: str
    contrasts: tuple[Contrast, ...]

    @property
    def shares_control(self) -> bool:
        """Whether all levels are compared with one control."""
        return self.dimension in (None, CHANNEL)

    @property
    def step(self) -> CostStep | None:
        """The column of money in which cells are compared; None where it is the metric."""
        levels = self.kind.estimand.levels
        return levels if isinstance(levels, CostStep) else None

    def pair(self, contrast: Contrast) -> TwoSample:
        """What a cell's effect is read off."""
        if self.kind.estimand.levels == "metric":
            adjusted = self.kind.estimand.pair == "adjusted"
            return contrast.compared(self.metric) if adjusted else contrast.pair
        return contrast.sharp

    def skewed(self, contrast: Contrast) -> bool:
        """Whether a cell's difference is too skewed for Student's t."""
        what, draws = self.kind.estimand.pair, self.kind.estimand.draws
        compared = (what, self.metric) if self.step is None else (MONEY, draws)
        return compared in contrast.draws or compared in contrast.skewness

    def form(self, contrast: Contrast) -> LinearContrast:
        """The effect per customer."""
        pair, spec = self.pair(contrast), contrast.spec
        step, first = self.step, len(spec.columns)
        column = spec.place(self.metric, pair) if step is None else first + step.column
        return LinearContrast.difference(len(pair.treated.mean), {column: 1.0})


def compare(spec: EstimationSpec, primary: str, contrasts: Iterable[Contrast]) -> SliceComparison:
    """Compare the levels of every segment for each arm, the contact channels, and the arms.

    Asked of the primary metric and of profit, per customer. A dimension with one level is not
    compared with anything, nor are arms of which each has a channel of its own: they are the
    channels. p-values are adjusted by Holm's method within a kind.

    Args:
        spec: What is compared.
        primary: The primary metric; none is asked of it where it is profit.
        contrasts: Every treated group in every place.
    """
    found = [_compared(row) for row in _rows(spec, primary, contrasts)]
    values = {cell: value for _, shrunk in found for cell, value in shrunk.items()}
    return SliceComparison(_adjusted([test for test, _ in found]), values)


def shrunken_arms(
    contrasts: Sequence[Contrast], metric: str | None, hurdle: float = 0.0
) -> tuple[float, ...] | None:
    """What arms' effects are best taken for, given each other's, in the order and unit given.

    Args:
        contrasts: Arms with one control, each as a whole.
        metric: What is compared; None where it is profit above the hurdle, of all treated.
        hurdle: ROI that profit is asked for above.

    Returns:
        One value an arm; None where an arm has no estimate or variance, or there is one arm only.
    """
    named = [_judged(contrast, metric, hurdle) for contrast in contrasts]
    pairs, forms = [pair for pair, _ in named], [form for _, form in named]
    if len(pairs) < 2 or any(pair.unusable is not None for pair in pairs):  # noqa: PLR2004
        return None
    covariance = shared_control(pairs, forms[0])
    if covariance is None:
        return None
    covariance = covariance + _tables([form.moved(pair) for pair, form in named])
    each = [form.value(pair) for pair, form in named]
    found = shrunken(np.array(each), covariance)
    if found is None or np.isnan(found.values).any():
        return None
    units = [1.0 if metric else pair.treated.n * pair.size for pair in pairs]
    return tuple(float(value) * n for value, n in zip(found.values, units, strict=True))


def _judged(
    contrast: Contrast, metric: str | None, hurdle: float
) -> tuple[TwoSample, LinearContrast]:
    """The pair and the form, per customer, by which an arm is judged."""
    if metric is None:
        question = contrast.question()
        return question.pair, question.form_above(hurdle)
    pair = contrast.compared(metric)
    column = contrast.spec.place(metric, pair)
    return pair, LinearContrast.difference(len(pair.treated.mean), {column: 1.0})


def _rows(spec: EstimationSpec, primary: str, contrasts: Iterable[Contrast]) -> Iterator[_Row]:
    asked = tuple(_asked(spec, primary))
    levels: dict[tuple[str | None, str | None], list[Contrast]] = defaultdict(list)
    for contrast in contrasts:
        dimension = contrast.place.dimension
        arm = None if dimension in (None, CHANNEL) else contrast.arm
        levels[dimension, arm].append(contrast)
    if len(spec.channels) == len(spec.treatments):
        levels.pop((None, None), None)
    for (dimension, arm), members in levels.items():
        if len(members) > 1:
            for kind, metric in asked:
                yield _Row(dimension, arm, kind, metric, tuple(members))


def _asked(spec: EstimationSpec, primary: str) -> Iterator[tuple[EstimandKind, str]]:
    """The kinds that levels are compared in, each with its metric."""
    for kind in EstimandKind:
        estimand = kind.estimand
        known = estimand.needs != "covariates" or bool(spec.covariates)
        if estimand.levels == "metric" and known and primary in spec.metrics:
            yield kind, primary
        elif isinstance(estimand.levels, CostStep) and spec.roles is not None:
            yield kind, spec.columns[spec.roles.revenue]


def _compared(row: _Row) -> tuple[Heterogeneity, Mapping[FindingSlice, float]]:
    kept = [contrast for contrast in row.contrasts if _usable(row, contrast)]
    empty = Heterogeneity(
        dimension=row.dimension, arm=row.arm, kind=row.kind, metric=row.metric, levels=len(kept)
    )
    if not kept:
        return empty.model_copy(update={"note": Note.few_levels}), {}
    errors = (_common if row.shares_control else _independent)(row, kept)
    if errors is None or not _answered(row, kept):
        return empty.model_copy(update={"note": Note.not_adjusted}), {}
    covariance, own = errors
    covariance = covariance + _tables([row.form(s).moved(row.pair(s)) for s in kept])
    estimates = np.array([row.form(contrast).value(row.pair(contrast)) for contrast in kept])
    test, found = heterogeneity(estimates, covariance, own), shrunken(estimates, covariance)
    if test is None or found is None:
        return empty.model_copy(update={"note": Note.few_levels}), {}
    numbers = {"q": test.q, "df": test.df, "p": test.p, "tau": found.tau2**0.5}
    if row.dimension is None:
        return empty.model_copy(update=numbers), {}
    values = zip(kept, found.values, strict=True)
    return empty.model_copy(update=numbers), {_cell(row, s): _total(row, s, v) for s, v in values}


def _answered(row: _Row, kept: Sequence[Contrast]) -> bool:
    """Whether some level is adjusted where that is asked; the others are taken as they are."""
    adjusted = row.kind.estimand.pair == "adjusted"
    return not adjusted or not kept or any(contrast.adjusted(row.metric) for contrast in kept)


def _usable(row: _Row, contrast: Contrast) -> bool:
    """Whether a cell's effect has a variance that can be relied on.

    Levels have that of both their groups together, so that one of these may hold nobody who bought.
    """
    pair = row.pair(contrast)
    if min(contrast.units(row.metric)) < FEWEST:
        return False
    form = row.form(contrast)
    columns = [int(column) for column in np.flatnonzero(form.treated)]
    if pair.absent(*columns) or min(pair.counted(form)) < FEWEST:
        return False
    treated, control, _ = form.covariance(form, pair)
    varies = treated > 0 and control > 0 if row.shares_control else treated + control > 0
    return bool(varies)


_Errors = tuple[Array, OwnError]
"""The effects' sampling covariance, and what of it was estimated of each cell alone."""


def _independent(row: _Row, kept: Sequence[Contrast]) -> _Errors:
    """Levels hold different customers; their variances are pooled over both their groups."""
    sizes, parts = _sizes(row, kept), _parts(row, kept)
    varied = pooled_over_groups(parts[:, :2] * sizes, sizes)
    return np.diag(varied + parts[:, 2]), OwnError(varied, sizes.sum(axis=1) - 2)


def _common(row: _Row, kept: Sequence[Contrast]) -> _Errors | None:
    """Arms with one control; None where it was adjusted in several ways.

    Where a treated group is skewed its variance is that of all of them together: its own would go
    with its mean.
    """
    pairs, forms = [row.pair(s) for s in kept], [row.form(s) for s in kept]
    covariance = shared_control(pairs, forms[0]) if kept else np.zeros((0, 0))
    if covariance is None:
        return None
    sizes, treated = _sizes(row, kept)[:, 0], _parts(row, kept)[:, 0]
    if any(row.skewed(contrast) for contrast in kept):
        together = (treated * sizes * (sizes - 1)).sum() / (sizes - 1).sum() / sizes
        covariance, treated = covariance + np.diag(together - treated), together
    return covariance, OwnError(treated, sizes - 1)


def _tables(moved: Sequence[Array]) -> Array:
    """What cells' errors have in common by one table of values; their variances have it already."""
    together = np.stack(moved) @ np.stack(moved).T
    return np.asarray(together - np.diag(np.diag(together)))


def _sizes(row: _Row, kept: Sequence[Contrast]) -> Array:
    """Units of both groups of each cell, shape (cells, 2)."""
    found = [contrast.units(row.metric) for contrast in kept]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _parts(row: _Row, kept: Sequence[Contrast]) -> Array:
    """The parts of each cell's sampling variance: treated, control and shared; shape (cells, 3)."""
    found = [row.form(s).covariance(row.form(s), row.pair(s)) for s in kept]
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _cell(row: _Row, contrast: Contrast) -> FindingSlice:
    place, kind = contrast.place, row.kind
    if kind.estimand.pair == "adjusted" and not contrast.adjusted(row.metric):
        kind = kind.plain
    return FindingSlice(kind, row.metric, contrast.arm, place.dimension, place.level)


def _total(row: _Row, contrast: Contrast, value: float) -> float:
    """An effect per customer in the unit of its finding: profit is of all treated customers."""
    pair = row.pair(contrast)
    return float(value) * (1.0 if row.step is None else pair.treated.n * pair.size)


def _adjusted(tests: Sequence[Heterogeneity]) -> tuple[Heterogeneity, ...]:
    """Holm's correction within a kind, over dimensions and arms."""
    result = list(tests)
    for kind in dict.fromkeys(test.kind for test in tests):
        asked = {i: t.p for i, t in enumerate(tests) if t.kind is kind and t.p is not None}
        for i, value in zip(asked, holm(list(asked.values())), strict=True):
            result[i] = tests[i].model_copy(update={"p_adjusted": value})
    return tuple(result)
