"""The section of quantiles: how far arms lie apart at each, and each arm's distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from upliftlab.report.axis import Axis, Limits, Reference, Strip, axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter
from upliftlab.report.index import Index
from upliftlab.report.interval import ROW, Scale, Value, draw, label
from upliftlab.report.quantity import metric_form
from upliftlab.report.table import ForestRow, IntervalColumn, Table, mean_form, units
from upliftlab.results.analysis import MetricInfo
from upliftlab.results.estimands import EstimandKind
from upliftlab.results.quantiles import MEDIAN, ArmQuantile, QuantileDifference, quantile_name
from upliftlab.text.language import N_

_DRAWN: Final = (0.1, MEDIAN, 0.9)
"""What is drawn of a distribution: from the first to the last of these, a dot at the other."""
_MOST_DRAWN: Final = 4
"""Of more arms than this there is no room to draw."""
_Row = tuple[int, QuantileDifference]
_Held = tuple[int, ArmQuantile]


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A quantile of an arm, or why there is none."""

    figure: Figure | None
    note: str


@dataclass(frozen=True, slots=True)
class ShownArm:
    """An arm of a distribution: how many it has, and where most of them lie."""

    title: str
    n: Figure
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """What shares of each arm stay below: a row for each share, a value for each arm."""

    caption: str
    units: str
    arms: tuple[ShownArm, ...]
    axis: Axis | None
    rows: tuple[tuple[Figure, tuple[HeldValue, ...]], ...]


@dataclass(frozen=True, slots=True)
class MetricQuantiles:
    """A metric's differences of quantiles, and its distribution in each arm."""

    table: Table
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class QuantilesView:
    """The section."""

    metrics: tuple[MetricQuantiles, ...]
    adjusted: bool
    """Whether means are adjusted for covariates, which quantiles are not."""


def quantiles(index: Index, formatter: Formatter) -> QuantilesView | None:
    """One part for each metric of which quantiles were declared; None where none were."""
    analysis = index.analysis
    asked = dict.fromkeys(found.metric for found in analysis.quantiles)
    if not asked:
        return None
    metrics = tuple(_of_metric(name, index, formatter) for name in asked)
    kinds = {finding.kind for finding in analysis.findings}
    return QuantilesView(metrics, EstimandKind.adjusted_difference in kinds)


def _of_metric(name: str, index: Index, formatter: Formatter) -> MetricQuantiles:
    analysis = index.analysis
    rows = [(i, each) for i, each in enumerate(analysis.quantiles) if each.metric == name]
    held = [(i, each) for i, each in enumerate(analysis.distribution) if each.metric == name]
    info = index.metric(name)
    caption = name if info is None else info.title
    return MetricQuantiles(
        _table((caption, info), rows, index, formatter),
        _distribution((caption, info), held, index, formatter),
    )


def _table(
    named: tuple[str, MetricInfo | None], rows: Sequence[_Row], index: Index, formatter: Formatter
) -> Table:
    caption, info = named
    values = [Value(q.estimate, q.low, q.high, q.note, f"/quantiles/{i}") for i, q in rows]
    drawn = draw(values, Scale(metric_form(info), (Reference(0.0),)), formatter)
    told = [_row(each, mean_form(info), index, formatter) for each in rows]
    starts = [True, *(one[1].share != other[1].share for one, other in pairwise(rows))]
    shown = zip(told, drawn.intervals, starts, strict=True)
    title, hint = N_("Difference"), N_("treated minus control")
    return Table(
        caption=caption,
        role=formatter.text(N_("quantiles")),
        heads=(formatter.text(N_("Quantile")), formatter.text(N_("Arm"))),
        columns=(IntervalColumn(formatter.text(title), formatter.text(hint), drawn.axis),),
        rows=tuple(replace(row, cells=(cell,), starts=start) for row, cell, start in shown),
        corrected=False,
        correction="",
        tested=False,
        against="",
        units=formatter.text(units(index.analysis)),
        groups=formatter.text(N_("treated / control")),
        hurdle=False,
        shrunken=False,
        means=(formatter.text(N_("Treated")), formatter.text(N_("Control"))),
    )


def _row(one: _Row, form: FigureFormat, index: Index, formatter: Formatter) -> ForestRow:
    """A quantile of an arm beside the control's, without what is drawn of it."""
    i, each = one
    key, count = f"/quantiles/{i}", FigureFormat("count")
    return ForestRow(
        heads=(_called(each.share, formatter), index.called(each.arm)),
        n_treated=formatter.figure(each.n_treated, f"{key}/n_treated", count),
        n_control=formatter.figure(each.n_control, f"{key}/n_control", count),
        cells=(),
        p=None,
        p_adjusted=None,
        means=(
            _figure(each.treated, f"{key}/treated", form, formatter),
            _figure(each.reference, f"{key}/reference", form, formatter),
        ),
    )


def _called(share: float, formatter: Formatter) -> str:
    """What a quantile is called: the median, or p90."""
    return formatter.text(N_("median")) if share == MEDIAN else quantile_name(share)


def _figure(
    value: float | None, key: str, form: FigureFormat, formatter: Formatter
) -> Figure | None:
    return None if value is None else formatter.figure(value, key, form)


def _distribution(
    named: tuple[str, MetricInfo | None], held: Sequence[_Held], index: Index, formatter: Formatter
) -> Distribution:
    caption, info = named
    arms = list(dict.fromkeys(each.arm for _, each in held))
    by_arm = [[one for one in held if one[1].arm == arm] for arm in arms]
    limits = [_limits(part) for part in by_arm]
    scale = axis(limits, (), label(metric_form(info), formatter), ROW)
    scale = scale if len(arms) <= _MOST_DRAWN else None
    count, form = FigureFormat("count"), mean_form(info)
    return Distribution(
        caption=caption,
        units=formatter.text(units(index.analysis)),
        arms=tuple(
            ShownArm(
                index.called(arm),
                formatter.figure(part[0][1].n, f"/distribution/{part[0][0]}/n", count),
                None if scale is None else scale.strip(ends),
            )
            for arm, part, ends in zip(arms, by_arm, limits, strict=True)
        ),
        axis=scale,
        rows=tuple(
            (
                formatter.declared(row[0][1].share, f"/distribution/{row[0][0]}/share"),
                tuple(_value(one, form, formatter) for one in row),
            )
            for row in zip(*by_arm, strict=True)
        ),
    )


def _limits(part: Sequence[_Held]) -> Limits:
    """The median, and the quantiles between which the middle four fifths of an arm lie."""
    values = {each.share: each.value for _, each in part}
    low, middle, high = (values.get(share) for share in _DRAWN)
    return (middle, low, high)


def _value(one: _Held, form: FigureFormat, formatter: Formatter) -> HeldValue:
    i, each = one
    note = "" if each.note is None else formatter.text(each.note.value)
    return HeldValue(_figure(each.value, f"/distribution/{i}/value", form, formatter), note)
