"""The sections of effects: money and metrics per arm, then per contact channel and segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from upliftlab.report.bridge import Waterfall, waterfalls
from upliftlab.report.figure import Formatter
from upliftlab.report.index import CONTACT, Index, Quantity, RowKey
from upliftlab.report.remark import ArmNote, remarks
from upliftlab.report.table import Outline, RowSlot, Table, table
from upliftlab.results.analysis import Message, MetricInfo, Scalar, SegmentInfo
from upliftlab.results.estimands import EstimandKind, kinds_of
from upliftlab.text.language import N_

_MANY_ROWS: Final = 40
"""Longer tables are folded on the screen."""
_ROLES: Final = {
    "primary": N_("primary metric"),
    "secondary": N_("secondary metric"),
    "guardrail": N_("guardrail"),
    "money": N_("money"),
}
_RANDOMISED: Final = N_(
    "How customers were contacted. Chance decided who was contacted in which way, so these rows "
    "may be compared with one another."
)
_DESCRIPTIVE: Final = N_(
    "What customers are. Within each row the campaign caused the effect, because chance decided "
    "who was treated; differences between rows only describe, because these customers differ in "
    "other ways too."
)
_OWN_CHANNEL: Final = N_(
    "This is the channel customers use themselves, not the one through which they were contacted."
)


_JOINED: Final = N_(
    "Levels with fewer than {smallest:count} customers in an arm are shown together as "
    "{joined}, so that no number tells what a single customer did. Others that would give them "
    "away are with them."
)
_JOINED_HOMES: Final = N_(
    "Levels with fewer than {smallest:count} households in an arm are shown together as "
    "{joined}, so that no number tells what a single household did. Others that would give them "
    "away are with them."
)
_OTHER: Final = N_("other ({count:count} levels)")


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric per arm: the numbers to go by, and those without covariates beside them."""

    table: Table
    plain: Table | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One dimension: its table and how it may be read."""

    title: str
    randomised: bool
    notes: tuple[str, ...]
    table: Table
    plain: Table | None
    """The same without covariates, where the table is adjusted for some."""
    remarks: tuple[ArmNote, ...]
    folded: bool


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """All dimensions, and which signs of their tables must be explained here."""

    dimensions: tuple[Breakdown, ...]
    money: bool
    """Whether the section of money, which explains the drawings, stands above."""
    shrunken: bool
    """Whether any row has a shrunken estimate beside its own."""


@dataclass(frozen=True, slots=True)
class MoneyView:
    """Profit and return per arm, and the way from revenue to profit."""

    table: Table
    waterfalls: tuple[Waterfall, ...]
    adjusted: bool
    """Whether profit and return are adjusted for covariates."""
    sharpened: bool
    """Whether profit is of arms made alike in what was known before: adjusted, or by strata."""


def money(index: Index, formatter: Formatter) -> MoneyView | None:
    """Profit, ROI and their kin per arm; None where no money was declared."""
    made = _money_table(index, formatter)
    if made is None:
        return None
    used = [finding.method for finding in index.analysis.findings]
    return MoneyView(
        table=made,
        waterfalls=waterfalls(index, formatter),
        adjusted=any(method.startswith("lin") for method in used),
        sharpened=any("lin" in method or "strata" in method for method in used),
    )


def _money_table(index: Index, formatter: Formatter) -> Table | None:
    caption = formatter.text(N_("Profit and return per arm"))
    outline = Outline(caption, (_arm(formatter),), _overall(index))
    return table(outline, [Quantity(kind) for kind in kinds_of("money")], index, formatter)


def metrics(index: Index, formatter: Formatter) -> tuple[MetricView, ...]:
    """For each metric a table of differences and relative changes per arm."""
    tables = (_metric(metric, index, formatter) for metric in index.analysis.metrics)
    return tuple(one for one in tables if one is not None)


def compared(index: Index, formatter: Formatter) -> tuple[MetricView, ...]:
    """Arms against each other: money, then each metric; empty where that was not declared."""
    pairs = Index(index.analysis, "compared")
    heads = (formatter.text(N_("Arms compared")),)
    slots = tuple(RowSlot((_pair(p, formatter),), p) for p in pairs.places(None))
    caption = formatter.text(N_("Profit and return, arm against arm"))
    earned = [Quantity(kind) for kind in kinds_of("money")]
    made = table(Outline(caption, heads, slots), earned, pairs, formatter)
    own = sorted(_asked("metric"), key=lambda kind: kind.estimand.unit != "metric")
    views = [] if made is None else [MetricView(made, None)]
    for metric in index.analysis.metrics:
        outline = Outline(metric.title, heads, slots, formatter.text(_ROLES[metric.role]))
        asked = [Quantity(kind, metric.name) for kind in own]
        if (made := table(outline, asked, pairs, formatter)) is not None:
            plain = _plain(outline, asked, pairs, formatter)
            views.append(MetricView(_untitled(made, metric), plain and _untitled(plain, metric)))
    return tuple(views)


def _pair(place: RowKey, formatter: Formatter) -> str:
    values: dict[str, Scalar] = {"arm": place.arm, "other": place.control}
    message = Message(template=N_("{arm} against {other}"), values=values)
    return formatter.language.say(message, formatter.currency)


def breakdowns(index: Index, formatter: Formatter) -> Breakdowns | None:
    """One for each dimension that was found; None where none was."""
    made = (_breakdown(name, index, formatter) for name in index.dimensions)
    found = tuple(one for one in made if one is not None)
    if not found:
        return None
    return Breakdowns(
        dimensions=found,
        money=_money_table(index, formatter) is not None,
        shrunken=any(one.table.shrunken for one in found),
    )


def _metric(metric: MetricInfo, index: Index, formatter: Formatter) -> MetricView | None:
    own = sorted(_asked("metric", "primary"), key=lambda kind: kind.estimand.unit != "metric")
    quantities = [Quantity(kind, metric.name) for kind in own]
    role = formatter.text(_ROLES[metric.role])
    outline = Outline(metric.title, (_arm(formatter),), _overall(index), role)
    made = table(outline, quantities, index, formatter)
    if made is None:
        return None
    plain = _plain(outline, quantities, index, formatter)
    return MetricView(_untitled(made, metric), plain and _untitled(plain, metric))


def _asked(*of: Literal["metric", "primary"]) -> tuple[EstimandKind, ...]:
    """The kinds of a metric's columns; an adjusted one stands in its plain one's."""
    return tuple(kind for kind in kinds_of(*of) if kind.plain is kind)


def _plain(
    outline: Outline, quantities: Sequence[Quantity], index: Index, formatter: Formatter
) -> Table | None:
    """A table without covariates; None where nothing was adjusted."""
    role = formatter.text(N_("without covariates"))
    beside = [replace(quantity, beside=True) for quantity in quantities]
    return table(replace(outline, role=role), beside, index, formatter)


def _untitled(made: Table, metric: MetricInfo) -> Table:
    """A metric's table, whose columns need not name it."""
    columns = tuple(
        replace(c, title=c.title.removeprefix(f"{metric.title}: ")) for c in made.columns
    )
    return replace(made, columns=columns)


def _breakdown(name: str, index: Index, formatter: Formatter) -> Breakdown | None:
    info = next((s for s in index.analysis.segments if s.name == name), None)
    randomised = name == CONTACT or (info is not None and info.randomised)
    title = name if info is None else info.title
    title = formatter.text(N_("Contact channel")) if name == CONTACT else title
    primary = [(kind, index.primary.name) for kind in _asked("metric") if index.primary]
    asked = [*((kind, None) for kind in kinds_of("money")), *primary]
    columns = [Quantity(*each) for each in asked if each[0].estimand.everywhere]
    joined = None if info is None else _joined(info, formatter)
    outline = _levels((title, name), joined, index, formatter)
    made = table(outline, columns, index, formatter)
    if made is None:
        return None
    notes = tuple(formatter.text(note) for note in _notes(name, randomised=randomised))
    if joined is not None:
        notes = (*notes, _said(joined[1], index, formatter))
    lead = EstimandKind.incremental_profit if index.analysis.terms else EstimandKind.difference
    return Breakdown(
        title=title,
        randomised=randomised,
        notes=notes,
        table=made,
        plain=_plain(outline, columns, index, formatter),
        remarks=remarks(name, lead, index, formatter),
        folded=len(made.rows) > _MANY_ROWS,
    )


def _joined(info: SegmentInfo, formatter: Formatter) -> tuple[str, str] | None:
    """What levels are called that are shown together, in the JSON and on the page."""
    if info.joined is None:
        return None
    message = Message(template=_OTHER, values={"count": info.joined_levels})
    return info.joined, formatter.language.say(message, formatter.currency)


def _said(joined: str, index: Index, formatter: Formatter) -> str:
    """Why some levels are shown together."""
    analysis = index.analysis
    template = _JOINED if analysis.unit == "customer" else _JOINED_HOMES
    values: dict[str, Scalar] = {"smallest": analysis.smallest_cell, "joined": joined}
    return formatter.language.say(Message(template=template, values=values), formatter.currency)


def _levels(
    named: tuple[str, str], joined: tuple[str, str] | None, index: Index, formatter: Formatter
) -> Outline:
    title, name = named
    places = _by_level(index.places(name))
    unknown, pooled = formatter.text(N_("not known")), formatter.text(N_("all arms"))
    by_arm = len({place.arm for place in places}) > 1
    heads = (title, _arm(formatter)) if by_arm else (title,)
    shown = dict([joined] if joined else [])
    slots = (
        RowSlot((shown.get(p.level or "", p.level or unknown), p.arm or pooled)[: len(heads)], p)
        for p in places
    )
    return Outline(title, heads, tuple(slots))


def _notes(name: str, *, randomised: bool) -> tuple[str, ...]:
    if randomised:
        return (_RANDOMISED,)
    own = "channel" in name.split("\N{MULTIPLICATION SIGN}")
    return (_DESCRIPTIVE, _OWN_CHANNEL) if own else (_DESCRIPTIVE,)


def _overall(index: Index) -> tuple[RowSlot, ...]:
    return tuple(RowSlot((arm,), RowKey(arm)) for arm in index.treated)


def _by_level(places: tuple[RowKey, ...]) -> tuple[RowKey, ...]:
    """Rows of one level together, levels and arms in the order found."""
    levels = {level: i for i, level in enumerate(dict.fromkeys(p.level for p in places))}
    arms = {arm: i for i, arm in enumerate(dict.fromkeys(p.arm for p in places))}
    return tuple(sorted(places, key=lambda p: (levels[p.level], arms[p.arm])))


def _arm(formatter: Formatter) -> str:
    return formatter.text(N_("Arm"))
