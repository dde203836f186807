"""The sections of effects: money and metrics per arm, then per contact channel and segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from upliftlab.report.bridge import Waterfall, waterfalls
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.forest import LevelForest, level_forest
from upliftlab.report.index import CONTACT, Index, Quantity, RowKey
from upliftlab.report.levels import in_order
from upliftlab.report.remark import ArmNote, remarks
from upliftlab.report.roi_map import anchor
from upliftlab.report.table import Outline, RowSlot, Table, table
from upliftlab.results.analysis import Message, MetricInfo, Scalar
from upliftlab.results.estimands import EstimandKind, kinds_of
from upliftlab.text.language import N_

_MANY_METRICS: Final = 36
"""Of more rows in all, those of all metrics but the first are packed until they are asked for."""
_MANY_ROWS: Final = 100
"""Of more rows in all, the figures of levels are packed until they are asked for."""
_ROLES: Final = {
    "primary": N_("primary metric"),
    "secondary": N_("secondary metric"),
    "guardrail": N_("guardrail"),
    "money": N_("money"),
}
_RANDOMISED: Final = N_(
    "Contact channels are how customers were contacted. Chance decided who was contacted in "
    "which way, so these rows may be compared with one another."
)
_DESCRIPTIVE: Final = N_(
    "Segments are what customers are. Within each row the campaign caused the effect, because "
    "chance decided who was treated; differences between rows only describe, because these "
    "customers differ in other ways too."
)
_OWN_CHANNEL: Final = N_(
    "This is the channel customers use themselves, not the one through which they were contacted."
)


_PER_CUSTOMER: Final = N_(
    "{arm}: {estimate} of profit per treated customer ({low} to {high}), {thousand} per thousand "
    "of them."
)
_ALONE: Final = N_(
    "{arm}: {estimate} of profit per treated customer, {thousand} per thousand of them."
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


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric per arm: the numbers to go by, and those without covariates beside them."""

    table: Table
    plain: Table | None


@dataclass(frozen=True, slots=True)
class MetricViews:
    """Tables that are shown, and those that are unpacked only where they are asked for."""

    shown: tuple[MetricView, ...]
    packed: tuple[MetricView, ...]

    @property
    def plain(self) -> bool:
        """Whether some are told without covariates as well."""
        return any(one.plain for one in (*self.shown, *self.packed))


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One dimension: its table and how it may be read."""

    title: str
    anchor: str
    randomised: bool
    notes: tuple[str, ...]
    forest: LevelForest | None
    """Its levels with arms side by side; None where it is randomised to, whose rows are arms."""
    table: Table
    plain: Table | None
    """The same without covariates, where the table is adjusted for some."""
    remarks: tuple[ArmNote, ...]


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """All dimensions, and which signs of their tables must be explained here."""

    dimensions: tuple[Breakdown, ...]
    notes: tuple[str, ...]
    """How rows may be compared: those decided by chance, and those that describe."""
    hurdle: bool
    """Whether a hurdle is drawn beside break-even."""
    shrunken: bool
    """Whether any row has a shrunken estimate beside its own."""
    packed: bool
    """Whether figures are so many that they are unpacked only where they are asked for."""


@dataclass(frozen=True, slots=True)
class MoneyView:
    """Profit and return per arm, and the way from revenue to profit."""

    table: Table
    waterfalls: tuple[Waterfall, ...]
    adjusted: bool
    """Whether profit and return are adjusted for covariates."""
    per_customer: tuple[Sentence, ...]
    """What each arm earned a customer."""
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
        per_customer=tuple(_per_customer(index, formatter)),
        sharpened=any("lin" in method or "strata" in method for method in used),
    )


def _money_table(index: Index, formatter: Formatter) -> Table | None:
    caption = formatter.text(N_("Profit and return per arm"))
    outline = Outline(caption, (_arm(formatter),), _overall(index))
    return table(outline, _earned(), index, formatter)


def _earned() -> list[Quantity]:
    """Money's columns: what is told in a line beside them is none."""
    return [Quantity(kind) for kind in kinds_of("money") if not kind.estimand.aside]


def _per_customer(index: Index, formatter: Formatter) -> Iterator[Sentence]:
    """What a treated customer of each arm earned, and a thousand of them did."""
    for arm in index.treated:
        found = index.get(Quantity(EstimandKind.profit_per_customer), RowKey(arm))
        if found is None or (one := found.finding).estimate is None:
            continue
        form = FigureFormat("money")
        ends = {"estimate": one.estimate, "low": one.low, "high": one.high}
        digits = formatter.digits(form, list(ends.values()))
        parts: dict[str, Figure | str] = {
            name: formatter.figure(value, f"{found.key}/{name}", form, digits)
            for name, value in ends.items()
            if value is not None
        }
        parts["arm"] = index.called(arm)
        parts["thousand"] = formatter.multiple(
            one.estimate, 1_000, f"{found.key}/estimate", form.kind
        )
        yield formatter.composed(_PER_CUSTOMER if len(parts) == len(ends) + 2 else _ALONE, parts)


def metrics(index: Index, formatter: Formatter) -> MetricViews | None:
    """For each metric a table of differences and relative changes per arm; None without any."""
    tables = (_metric(metric, index, formatter) for metric in index.analysis.metrics)
    found = tuple(one for one in tables if one is not None)
    if sum(len(one.table.rows) for one in found) <= _MANY_METRICS:
        return MetricViews(found, ()) if found else None
    return MetricViews(found[:1], found[1:])


def compared(index: Index, formatter: Formatter) -> tuple[MetricView, ...]:
    """Arms against each other: money, then each metric; empty where that was not declared."""
    pairs = Index(index.analysis, "compared")
    heads = (formatter.text(N_("Arms compared")),)
    slots = tuple(RowSlot((_pair(p, pairs, formatter),), p) for p in pairs.places(None))
    caption = formatter.text(N_("Profit and return, arm against arm"))
    made = table(Outline(caption, heads, slots), _earned(), pairs, formatter)
    own = sorted(_asked("metric"), key=lambda kind: kind.estimand.unit != "metric")
    views = [] if made is None else [MetricView(made, None)]
    for metric in index.analysis.metrics:
        role = formatter.text(_ROLES[metric.role])
        outline = Outline(metric.title, heads, slots, role, metric.name)
        asked = [Quantity(kind, metric.name) for kind in own]
        if (made := table(outline, asked, pairs, formatter)) is not None:
            plain = _plain(outline, asked, pairs, formatter)
            views.append(MetricView(_untitled(made, metric), plain and _untitled(plain, metric)))
    return tuple(views)


def _pair(place: RowKey, index: Index, formatter: Formatter) -> str:
    arms = (place.arm or "", place.control or "")
    values: dict[str, Scalar] = {"arm": index.called(arms[0]), "other": index.called(arms[1])}
    message = Message(template=N_("{arm} against {other}"), values=values)
    return formatter.language.say(message, formatter.currency)


def breakdowns(index: Index, formatter: Formatter) -> Breakdowns | None:
    """One for each dimension that was found; None where none was."""
    asked = (name for name in index.dimensions if not (name == CONTACT and _repeated(index)))
    made = (_breakdown(name, index, formatter) for name in asked)
    found = tuple(one for one in made if one is not None)
    if not found:
        return None
    return Breakdowns(
        dimensions=found,
        notes=tuple(
            formatter.text(note)
            for note, chance in ((_RANDOMISED, True), (_DESCRIPTIVE, False))
            if any(one.randomised is chance for one in found)
        ),
        hurdle=any(one.table.hurdle for one in found),
        shrunken=any(one.table.shrunken for one in found),
        packed=sum(len(one.table.rows) for one in found) > _MANY_ROWS,
    )


def _repeated(index: Index) -> bool:
    """Whether each channel is that of one arm, so that its row says what the arm's does."""
    channels = [arm.channel for arm in index.analysis.arms if arm.channel is not None]
    return len(set(channels)) == len(channels)


def _metric(metric: MetricInfo, index: Index, formatter: Formatter) -> MetricView | None:
    own = sorted(_asked("metric", "primary"), key=lambda kind: kind.estimand.unit != "metric")
    quantities = [Quantity(kind, metric.name) for kind in own]
    role = formatter.text(_ROLES[metric.role])
    outline = Outline(metric.title, (_arm(formatter),), _overall(index), role, metric.name)
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
    return table(replace(outline, role=role, means=None), beside, index, formatter)


def _untitled(made: Table, metric: MetricInfo) -> Table:
    """A metric's table, whose columns need not name it."""
    columns = tuple(
        replace(c, title=c.title.removeprefix(f"{metric.title}: ")) for c in made.columns
    )
    return replace(made, columns=columns)


def _breakdown(name: str, index: Index, formatter: Formatter) -> Breakdown | None:
    info = next((s for s in index.analysis.segments if s.name == name), None)
    randomised = name == CONTACT or (info is not None and info.randomised)
    title = index.dimension_title(name, formatter)
    primary = [(kind, index.primary.name) for kind in _asked("metric") if index.primary]
    asked = [*_earned(), *(Quantity(*each) for each in primary)]
    columns = [each for each in asked if each.kind.estimand.everywhere]
    outline = _levels((title, name), index, formatter)
    made = table(outline, columns, index, formatter)
    if made is None:
        return None
    notes = tuple(formatter.text(note) for note in _notes(name))
    if info is not None and info.joined is not None:
        notes = (*notes, _said(index.level_title(name, info.joined, formatter), index, formatter))
    lead = EstimandKind.incremental_profit if index.analysis.terms else EstimandKind.difference
    return Breakdown(
        title=title,
        anchor=anchor(name),
        randomised=randomised,
        notes=notes,
        forest=None if name == CONTACT else level_forest(name, lead, index, formatter),
        table=made,
        plain=_plain(outline, columns, index, formatter),
        remarks=remarks(name, lead, index, formatter),
    )


def _said(joined: str, index: Index, formatter: Formatter) -> str:
    """Why some levels are shown together."""
    analysis = index.analysis
    template = _JOINED if analysis.unit == "customer" else _JOINED_HOMES
    values: dict[str, Scalar] = {"smallest": analysis.smallest_cell, "joined": joined}
    return formatter.language.say(Message(template=template, values=values), formatter.currency)


def _levels(named: tuple[str, str], index: Index, formatter: Formatter) -> Outline:
    title, name = named
    places = _by_level(index.places(name))
    pooled = formatter.text(N_("all arms"))
    by_arm = len({place.arm for place in places}) > 1
    heads = (title, _arm(formatter)) if by_arm else (title,)
    slots = (
        RowSlot(
            (
                index.level_title(name, p.level, formatter),
                pooled if p.arm is None else index.called(p.arm),
            )[: len(heads)],
            p,
        )
        for p in places
    )
    return Outline(title, heads, tuple(slots))


def _notes(name: str) -> Iterator[str]:
    """What is to be known of one dimension alone."""
    if name != CONTACT and "channel" in name.split("\N{MULTIPLICATION SIGN}"):
        yield _OWN_CHANNEL


def _overall(index: Index) -> tuple[RowSlot, ...]:
    return tuple(RowSlot((index.called(arm),), RowKey(arm)) for arm in index.treated)


def _by_level(places: tuple[RowKey, ...]) -> tuple[RowKey, ...]:
    """Rows of one level together, levels in their natural order, arms in the order found."""
    levels = {level: i for i, level in enumerate(in_order(p.level for p in places))}
    arms = {arm: i for i, arm in enumerate(dict.fromkeys(p.arm for p in places))}
    return tuple(sorted(places, key=lambda p: (levels[p.level], arms[p.arm])))


def _arm(formatter: Formatter) -> str:
    return formatter.text(N_("Arm"))
