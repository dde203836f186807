"""The way from revenue to profit as a table, each line drawn where the one before it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.report.axis import Axis, Limits, Reference, Strip, axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, Stretch
from upliftlab.report.index import Index
from upliftlab.report.interval import label
from upliftlab.results.analysis import Bridge, BridgeLine, Message, Note, Scalar, Subsidy
from upliftlab.results.costs import CostStep, Per
from upliftlab.text.language import N_, digits_of

_SHARE: Final = Message(template=N_("{margin:percent} of revenue, before marketing"))
_OF_MARGIN: Final = N_("{part} of the added margin")
_ANYWAY: Final = N_(
    "Of {redemptions:count} redemptions added at least {estimate:count} ({low:count} to "
    "{high:count}) were by customers who would have bought anyway, for {cost:money}: no more than "
    "the {conversions:count} conversions added can have come of them, as a redemption is a "
    "purchase and a voucher keeps nobody from buying."
)
_UNTOLD: Final = N_(
    "How many of {redemptions:count} redemptions added were by customers who would have bought "
    "anyway cannot be told: as many conversions may have come of them ({conversions:count} were "
    "added)."
)
_ABSENT: Final = N_(
    "How many of {redemptions:count} redemptions added were by customers who would have bought "
    "anyway is not told: {reason}."
)
_FROM_ZERO: Final = (CostStep.revenue, CostStep.margin, CostStep.profit)
_MONEY: Final = FigureFormat("money")
_WIDTH: Final = 300


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount drawn from where it starts to where it ends, with its interval there."""

    width: int
    left: float
    right: float
    whisker: Strip | None
    """The interval; None where there is none."""
    zero: float


@dataclass(frozen=True, slots=True)
class BridgeRow:
    """One line: what it is, how much, its interval or why there is none."""

    title: str
    total: bool
    """Whether it stands for the lines above it."""
    amount: Figure
    low: Figure | None
    high: Figure | None
    note: str
    hint: Sentence = ()
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The lines of one arm."""

    arm: str
    axis: Axis | None
    rows: tuple[BridgeRow, ...]
    anyway: Sentence = ()
    """How many redemptions were by customers who would have bought anyway."""


def waterfalls(index: Index, formatter: Formatter) -> tuple[Waterfall, ...]:
    """One for each arm that has a profit."""
    return tuple(
        _waterfall(one.arm, (f"/bridges/{i}", one), index, formatter)
        for i, one in enumerate(index.analysis.bridges)
        if one.arm is not None and one.lines
    )


def subsidies(index: Index, formatter: Formatter) -> Iterator[tuple[str, Sentence]]:
    """Of each arm, by its title, what is told of customers who would have bought anyway."""
    for i, one in enumerate(index.analysis.bridges):
        if one.arm is not None and one.subsidy is not None:
            yield index.called(one.arm), _anyway(one.subsidy, f"/bridges/{i}/subsidy", formatter)


def _waterfall(
    arm: str, found: tuple[str, Bridge], index: Index, formatter: Formatter
) -> Waterfall:
    key, bridge = found
    placed = list(_placed(bridge))
    scale = axis([at for _, at in placed], (Reference(0.0),), label(_MONEY, formatter), _WIDTH)
    rows = tuple(
        replace(
            _row(line, f"{key}/lines/{i}", bridge.decimals, formatter),
            hint=_told(line, f"{key}/lines/{i}", index, formatter),
            bar=None if scale is None else _bar(scale, *where),
        )
        for i, (line, where) in enumerate(zip(bridge.lines, placed, strict=True))
    )
    told = () if bridge.subsidy is None else _anyway(bridge.subsidy, f"{key}/subsidy", formatter)
    return Waterfall(index.called(arm), scale, rows, told)


def _anyway(found: Subsidy, key: str, formatter: Formatter) -> Sentence:
    values: dict[str, Scalar] = {
        "redemptions": found.redemptions,
        "conversions": found.conversions,
    }
    if found.estimate is None or found.low is None or found.high is None:
        reason = formatter.text((found.note or Note.few_purchases).value)
        return formatter.words(Message(template=_ABSENT, values={**values, "reason": reason}), key)
    if found.low <= 0:
        return formatter.words(Message(template=_UNTOLD, values=values), key)
    values |= {name: getattr(found, name) for name in ("estimate", "low", "high", "cost")}
    return formatter.words(Message(template=_ANYWAY, values=values), key)


def _placed(bridge: Bridge) -> Iterator[tuple[float, Limits]]:
    """Where each line starts, and where it ends with its interval."""
    reached = margin = 0.0
    for line in bridge.lines:
        start = (
            0.0 if line.kind in _FROM_ZERO else margin if line.kind is CostStep.cost else reached
        )
        low, high = (None if end is None else start + end for end in (line.low, line.high))
        reached = start + line.estimate
        margin = reached if line.kind is CostStep.margin else margin
        yield start, (reached, low, high)


def _bar(scale: Axis, start: float, at: Limits) -> Bar:
    left, right = sorted((scale.x(start), scale.x(at[0] or 0.0)))
    return Bar(scale.width, left, right, scale.strip(at), scale.x(0.0))


def _row(line: BridgeLine, key: str, decimals: int, formatter: Formatter) -> BridgeRow:
    """The amount to the cent; the ends of its interval as finely as its width deserves."""
    finest = max(0, decimals)
    ends: tuple[Figure | None, ...] = (None, None)
    known = {"low": line.low, "high": line.high}
    reach = [abs(end - line.estimate) for end in known.values() if end is not None]
    if reach:
        usual = digits_of(_MONEY.kind, (2 * sum(reach) / len(reach),), formatter.currency) or 0
        ends = tuple(
            None
            if end is None
            else formatter.figure(end, f"{key}/{name}", _MONEY, min(usual, finest))
            for name, end in known.items()
        )
    return BridgeRow(
        title=formatter.text(line.kind.line.title),
        total=line.kind.line.per is Per.total,
        amount=formatter.figure(line.estimate, f"{key}/estimate", _MONEY, finest),
        low=ends[0],
        high=ends[1],
        note="" if line.note is None else formatter.text(line.note.value),
    )


def _told(line: BridgeLine, key: str, index: Index, formatter: Formatter) -> Sentence:
    """What a line is, and how much of the added margin it takes, or profit keeps."""
    hint = _hint(line, index, formatter)
    if line.of_margin is None:
        return hint
    part = formatter.figure(line.of_margin, f"{key}/of_margin", FigureFormat("percent"))
    said = formatter.composed(_OF_MARGIN, {"part": part})
    return (*hint, Stretch("; "), *said) if hint else said


def _hint(line: BridgeLine, index: Index, formatter: Formatter) -> Sentence:
    terms = index.analysis.terms
    if line.kind is CostStep.margin and terms is not None and terms.margin_metric is None:
        share = _SHARE.model_copy(update={"values": {"margin": terms.margin}})
        return formatter.words(share, "/terms")
    named = line.kind is CostStep.margin or line.kind.line.per is Per.metric
    if named and line.metric is not None:
        metric = index.metric(line.metric)
        name = line.metric if metric is None else metric.title
        return (Stretch(name, is_name=True),)
    hint = line.kind.line.hint
    return (Stretch(formatter.text(hint)),) if hint else ()
