"""A forest table: rows of intervals in figures and drawn, a scale for each column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from upliftlab.report.axis import Axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter
from upliftlab.report.index import Found, Index, Quantity, RowKey
from upliftlab.report.interval import Interval, draw
from upliftlab.report.quantity import named, scale, title
from upliftlab.report.tone import NO_TONE, Tone, tone
from upliftlab.results.analysis import Analysis, MetricInfo
from upliftlab.results.estimands import Estimand
from upliftlab.text.language import N_

_CORRECTIONS: Final = {
    "confirmatory": N_("Holm, over arms"),
    "secondary": N_("Holm, over arms and secondary metrics"),
    "guardrail": N_("Holm, over arms"),
    "channels": N_("Holm, over contact channels"),
    "compared": N_("Holm, over pairs of arms"),
    "exploratory": N_("Benjamini–Hochberg"),
}


_AGAINST: Final = {True: N_("of the first column, against zero"), False: N_("of the first column")}


_MEANS: Final = {
    "findings": (N_("Treated mean"), N_("Control mean")),
    "compared": (N_("First arm's mean"), N_("Second arm's mean")),
}

_MEAN_FORMS: Final = {
    "money": FigureFormat("money"),
    "share": FigureFormat("percent"),
    "number": FigureFormat("number"),
}


@dataclass(frozen=True, slots=True)
class IntervalColumn:
    """A column of intervals: its heading and scale."""

    title: str
    hint: str
    axis: Axis | None


@dataclass(frozen=True, slots=True)
class ForestRow:
    """What is compared, on how many customers, and what was found."""

    heads: tuple[str, ...]
    n_treated: Figure | None
    n_control: Figure | None
    cells: tuple[Interval | None, ...]
    p: Figure | None
    p_adjusted: Figure | None
    means: tuple[Figure | None, Figure | None] = (None, None)
    """What the treated and the control did on average."""
    tone: Tone = NO_TONE
    """Gain or loss, and whether it survives the correction for many looks."""
    word: str = ""
    """The same in words."""
    starts: bool = True
    """Whether its first heading differs from the row before."""


@dataclass(frozen=True, slots=True)
class Table:
    """A forest table."""

    caption: str
    role: str
    heads: tuple[str, ...]
    columns: tuple[IntervalColumn, ...]
    rows: tuple[ForestRow, ...]
    corrected: bool
    """Whether adjusted p-values are shown."""
    correction: str
    """How they were adjusted."""
    tested: bool
    """Whether p-values are shown."""
    against: str
    """What they test."""
    units: str
    """What every n counts."""
    groups: str
    """Which two groups the numbers of units are of."""
    hurdle: bool
    """Whether a hurdle is drawn beside break-even."""
    shrunken: bool
    """Whether any interval has a shrunken estimate beside it."""
    means: tuple[str, str] | None
    """Headings of the groups' means, where those are shown."""


@dataclass(frozen=True, slots=True)
class RowSlot:
    """A row to be: its headings and where its findings are."""

    heads: tuple[str, ...]
    place: RowKey


@dataclass(frozen=True, slots=True)
class Outline:
    """A table to be: what it is called and its rows."""

    caption: str
    heads: tuple[str, ...]
    slots: tuple[RowSlot, ...]
    role: str = ""
    means: str | None = None
    """The metric whose means are shown beside its effects."""


def table(
    outline: Outline, quantities: Sequence[Quantity], index: Index, formatter: Formatter
) -> Table | None:
    """Rows and columns with what was found; None, or no column, where nothing was."""
    found = {q: [index.get(q, slot.place) for slot in outline.slots] for q in quantities}
    kept = [q for q in quantities if any(f is not None for f in found[q])]
    drawn = {q: draw([f and f.value for f in found[q]], scale(q, index), formatter) for q in kept}
    if not kept:
        return None
    told = (index, formatter)
    rows = tuple(
        _row(slot, [found[q][i] for q in kept], [drawn[q].intervals[i] for q in kept], told)
        for i, slot in enumerate(outline.slots)
    )
    if outline.means is not None:
        rows = tuple(
            replace(row, means=_means(outline.means, slot.place, told))
            for row, slot in zip(rows, outline.slots, strict=True)
        )
    starts = [True, *(b.heads[0] != a.heads[0] for a, b in pairwise(rows))]
    columns = tuple(
        IntervalColumn(
            title(q, index, formatter, found[q]),
            formatter.text(_hint(named(q.kind, found[q]), index)),
            drawn[q].axis,
        )
        for q in kept
    )
    return Table(
        caption=outline.caption,
        role=outline.role,
        heads=outline.heads,
        columns=columns,
        rows=tuple(replace(row, starts=start) for row, start in zip(rows, starts, strict=True)),
        corrected=any(row.p_adjusted is not None for row in rows),
        correction=formatter.text(_correction(found[q] for q in kept)),
        tested=any(row.p is not None for row in rows),
        against=formatter.text(_AGAINST[kept[0].kind.estimand.null == 0]),
        units=formatter.text(units(index.analysis)),
        groups=formatter.text(
            N_("first / second arm") if index.between_arms else N_("treated / control")
        ),
        hurdle=any(c.axis is not None and len(c.axis.references) > 1 for c in columns),
        means=(formatter.text(_MEANS[index.part][0]), formatter.text(_MEANS[index.part][1]))
        if any(mean is not None for row in rows for mean in row.means)
        else None,
        shrunken=any(c is not None and c.shrunken is not None for row in rows for c in row.cells),
    )


def _hint(estimand: Estimand, index: Index) -> str:
    """What stands below an estimand's name."""
    return (index.between_arms and estimand.between) or estimand.hint


def units(analysis: Analysis) -> str:
    """What every n on the page counts."""
    return N_("Households") if analysis.unit == "household" else N_("Customers")


def _correction(columns: Iterable[Sequence[Found | None]]) -> str:
    """How the p-values of these findings were adjusted."""
    families = (f.finding.family for column in columns for f in column if f is not None)
    return next((_CORRECTIONS[name] for name in families if name in _CORRECTIONS), "")


def _row(
    slot: RowSlot,
    found: Sequence[Found | None],
    cells: Sequence[Interval | None],
    told: tuple[Index, Formatter],
) -> ForestRow:
    index, formatter = told
    lead = next((one for one in found if one is not None), None)
    if lead is None:
        return ForestRow(slot.heads, None, None, tuple(cells), None, None)
    finding, shades = lead.finding, tone(lead, index)
    return ForestRow(
        heads=slot.heads,
        n_treated=formatter.figure(
            finding.n_treated, f"{lead.key}/n_treated", FigureFormat("count")
        ),
        n_control=formatter.figure(
            finding.n_control, f"{lead.key}/n_control", FigureFormat("count")
        ),
        cells=tuple(cells),
        p=_p(finding.p, f"{lead.key}/p", formatter),
        p_adjusted=_p(finding.p_adjusted, f"{lead.key}/p_adjusted", formatter),
        tone=shades,
        word=formatter.text(shades.word) if shades.word else "",
    )


def _means(
    metric: str, place: RowKey, told: tuple[Index, Formatter]
) -> tuple[Figure | None, Figure | None]:
    """What the treated and those they are compared with did on average."""
    index, formatter = told
    form = mean_form(index.metric(metric))
    found: list[Figure | None] = []
    for arm in (place.arm, place.control or index.control):
        i, mean = index.mean(metric, arm or "")
        found.append(None if mean is None else formatter.figure(mean, f"/means/{i}/mean", form))
    return found[0], found[1]


def mean_form(metric: MetricInfo | None) -> FigureFormat:
    """How a metric's own values are shown, such as means."""
    return _MEAN_FORMS["number" if metric is None else metric.unit]


def _p(value: float | None, key: str, formatter: Formatter) -> Figure | None:
    return None if value is None else formatter.figure(value, key, FigureFormat("p"))
