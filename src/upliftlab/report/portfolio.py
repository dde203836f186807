"""The page of a program: every campaign, what channels earn, and what to test next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from upliftlab.report.export import rounded, spreadsheet, to_json
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, Stretch
from upliftlab.report.grid import (
    Grid,
    GridMark,
    RowHead,
    Titles,
    figures,
    grid,
    intervals,
    marks,
    optional,
    texts,
    valued,
)
from upliftlab.report.interval import Value
from upliftlab.report.published import WithJson, written
from upliftlab.report.render import framed
from upliftlab.report.sections import Download, Page, Section, packed_download, shown
from upliftlab.results.analysis import VerdictCode
from upliftlab.results.portfolio import CampaignArm, ChannelEvidence, Portfolio
from upliftlab.results.uplift import Estimate
from upliftlab.text.language import N_, Code, Language

_SHEETS: Final = ("report.css", "uplift.css")
_SCRIPTS: Final = ("data.js", "report.js")
_MONEY: Final = FigureFormat("money")
_PERCENT: Final = FigureFormat("percent")
_COUNT: Final = FigureFormat("count")
_P: Final = FigureFormat("p")
_KINDS: Final[Mapping[VerdictCode, Literal["yes", "no"]]] = {
    VerdictCode.ship: "yes",
    VerdictCode.stop: "no",
}
_MOST: Final = 10
"""How many tests are proposed."""
_ENOUGH: Final = 2
"""Campaigns that a mean of several is made of."""


@dataclass(frozen=True, slots=True)
class ProgramTile:
    """A number of the first screen, and the ends of its interval or what it is best taken for."""

    title: str
    figure: Figure
    low: Figure | None = None
    high: Figure | None = None
    beside_title: str = ""
    beside: Figure | None = None


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """The first screen."""

    sentence: Sentence
    tiles: tuple[ProgramTile, ...]
    holdout: Sentence | None


def render(program: Portfolio, *, lang: Code = "en") -> str:
    """The page as HTML: the same text for the same program and language."""
    published = rounded(program, lang)
    made = page(published, Formatter(Language(lang), published.currency))
    return framed(made, lang, _SHEETS, _SCRIPTS)


def page(program: Portfolio, formatter: Formatter) -> Page:
    """The page of a program whose numbers are already those to publish."""
    title = formatter.text(N_("All campaigns"))
    return Page(
        title=title,
        experiment=title,
        owner=None,
        hypothesis=None,
        label=formatter.text(N_("Program")),
        created=formatter.language.date(program.created),
        sections=tuple(shown(SECTIONS, program, formatter)),
        find=formatter.text(N_("Find a campaign")),
        kind=formatter.text(N_("Program")),
    )


def to_csv(program: Portfolio) -> bytes:
    """Every arm as a row, for a spreadsheet."""
    frame = program.to_arrow("arms")
    return spreadsheet(frame.column_names, frame.to_pylist())


def _answer(program: Portfolio, formatter: Formatter) -> ProgramAnswer:
    told = formatter.sentence(program.sentence_parts, "/sentence_parts")
    return ProgramAnswer(told, tuple(_tiles(program, formatter)), _whole(program, formatter))


def _tiles(program: Portfolio, formatter: Formatter) -> Iterator[ProgramTile]:
    if not program.arms:
        return
    yield _tile(N_("Incremental profit of all campaigns"), program.profit, "/profit", formatter)
    if program.adopted is None:
        return
    best = optional(program.adopted_shrunken, "/adopted_shrunken", _MONEY, formatter)
    shipped = _tile(N_("Of what ships"), program.adopted, "/adopted", formatter)
    yield ProgramTile(
        shipped.title,
        shipped.figure,
        shipped.low,
        shipped.high,
        formatter.text(N_("best taken for")) if best else "",
        best,
    )


def _tile(title: str, found: Estimate, key: str, formatter: Formatter) -> ProgramTile:
    return ProgramTile(
        formatter.text(title),
        formatter.figure(found.estimate or 0.0, f"{key}/estimate", _MONEY),
        optional(found.low, f"{key}/low", _MONEY, formatter),
        optional(found.high, f"{key}/high", _MONEY, formatter),
    )


def _whole(program: Portfolio, formatter: Formatter) -> Sentence | None:
    """What the universal holdout tells beside the sum."""
    beside = program.holdout
    if beside is None or beside.profit.estimate is None or beside.difference.estimate is None:
        return None
    parts = {
        "whole": formatter.figure(beside.profit.estimate, "/holdout/profit/estimate", _MONEY),
        "apart": formatter.figure(
            beside.difference.estimate, "/holdout/difference/estimate", _MONEY
        ),
    }
    ends = (beside.difference.low, beside.difference.high)
    if None in ends:
        template = N_(
            "Against the universal holdout the whole program added {whole}: {apart} beside the sum "
            "of its campaigns."
        )
        return formatter.composed(template, parts)
    for name, end in zip(("low", "high"), ends, strict=True):
        parts[name] = formatter.figure(end or 0.0, f"/holdout/difference/{name}", _MONEY)
    template = N_(
        "Against the universal holdout the whole program added {whole}: {apart} ({low} to {high}) "
        "beside the sum of its campaigns. Below zero, campaigns took from one another, or from "
        "what would have been sold later."
    )
    return formatter.composed(template, parts)


def _arms(program: Portfolio, formatter: Formatter) -> Grid | None:
    """Every arm of every campaign that counts."""
    arms = program.arms
    if not arms:
        return None

    def column(name: str, form: FigureFormat) -> list[Figure | None]:
        return [
            optional(getattr(arm, name), f"/arms/{i}/{name}", form, formatter)
            for i, arm in enumerate(arms)
        ]

    columns = [
        marks(Titles(N_("Verdict")), [_mark(arm.code, formatter) for arm in arms], formatter),
        intervals(
            Titles(N_("Incremental profit"), N_("total, after all campaign costs")),
            [_profit(arm, i) for i, arm in enumerate(arms)],
            _MONEY,
            formatter,
        ),
        figures(
            Titles(N_("Best taken for"), N_("given all campaigns")),
            column("shrunken", _MONEY),
            formatter,
        ),
        figures(Titles(N_("Incremental ROI")), column("roi", _PERCENT), formatter),
        figures(
            Titles(N_("Per customer"), N_("profit per treated customer")),
            column("per_customer", _MONEY),
            formatter,
        ),
        figures(Titles(N_("Customers"), N_("treated")), column("customers", _COUNT), formatter),
        figures(
            Titles(N_("Adjusted p"), N_("over all campaigns")), column("p_program", _P), formatter
        ),
    ]
    heads = [_head(arm.experiment, arm.title or arm.arm, _channel(arm)) for arm in arms]
    return grid(
        formatter.text(N_("Every arm of every campaign")),
        formatter.text(N_("Campaign and arm")),
        heads,
        columns,
    )


def _profit(arm: CampaignArm, at: int) -> Value:
    found = arm.profit
    key = f"/arms/{at}/profit"
    return Value(found.estimate, found.low, found.high, found.note, key)


def _channel(arm: CampaignArm) -> str:
    """The channel, where the arm's name does not say it."""
    told = arm.channel_title or arm.channel
    return "" if told in (None, arm.title or arm.arm) else str(told)


def _mark(code: VerdictCode, formatter: Formatter) -> GridMark:
    return GridMark(_KINDS.get(code, "open"), formatter.text(code.value))


def _head(first: str, second: str, hint: str) -> RowHead:
    words = (Stretch(first, is_name=True), Stretch(" · "), Stretch(second, is_name=True))
    return RowHead(words, hint)


def _channels(program: Portfolio, formatter: Formatter) -> Grid | None:
    """What each channel earns among all customers."""
    cells = [(i, cell) for i, cell in enumerate(program.evidence) if cell.dimension is None]
    return _cells(cells, N_("What channels earn"), formatter) if cells else None


def _levels(program: Portfolio, formatter: Formatter) -> Grid | None:
    """The same in levels of segments that several campaigns have."""
    several = [
        (i, cell)
        for i, cell in enumerate(program.evidence)
        if cell.dimension is not None and cell.campaigns >= _ENOUGH
    ]
    return _cells(several, N_("What channels earn by segment"), formatter) if several else None


def _cells(
    cells: Sequence[tuple[int, ChannelEvidence]], caption: str, formatter: Formatter
) -> Grid:
    def column(name: str, form: FigureFormat) -> list[Figure | None]:
        return [
            optional(getattr(cell, name), f"/evidence/{i}/{name}", form, formatter)
            for i, cell in cells
        ]

    return grid(
        formatter.text(caption),
        formatter.text(N_("Channel")),
        [_cell_head(cell, formatter) for _, cell in cells],
        [
            intervals(
                Titles(N_("Profit per treated customer"), N_("mean of all campaigns")),
                [valued(cell.profit, f"/evidence/{i}/profit") for i, cell in cells],
                _MONEY,
                formatter,
            ),
            figures(
                Titles(N_("Next campaign, from"), N_("its truth lies between")),
                column("next_low", _MONEY),
                formatter,
            ),
            figures(Titles(N_("to")), column("next_high", _MONEY), formatter),
            figures(
                Titles(N_("Differ by"), N_("standard deviation between campaigns")),
                column("tau", _MONEY),
                formatter,
            ),
            figures(Titles(N_("Campaigns")), column("campaigns", _COUNT), formatter),
        ],
    )


def _cell_head(cell: ChannelEvidence, formatter: Formatter) -> RowHead:
    if cell.dimension is None:
        return RowHead((Stretch(cell.channel_title or cell.channel, is_name=True),))
    level = f"{cell.dimension_title or cell.dimension}{formatter.text(': ')}{cell.level}"
    return _head(cell.channel_title or cell.channel, level, "")


def _next(program: Portfolio, formatter: Formatter) -> Grid | None:
    """Where the truth is worth most: unsure cells of many customers first."""
    worth = sorted(
        (
            (cell.information, i, cell)
            for i, cell in enumerate(program.evidence)
            if cell.information
        ),
        key=lambda each: -each[0],
    )[:_MOST]
    if not worth:
        return None
    return grid(
        formatter.text(N_("Where knowing the truth is worth most")),
        formatter.text(N_("Channel")),
        [_cell_head(cell, formatter) for _, _, cell in worth],
        [
            figures(
                Titles(N_("Worth of knowing"), N_("for one campaign of the usual size")),
                [
                    formatter.figure(value, f"/evidence/{i}/information", _MONEY)
                    for value, i, _ in worth
                ],
                formatter,
            ),
            figures(
                Titles(N_("Customers"), N_("of an average campaign")),
                [
                    formatter.figure(cell.customers, f"/evidence/{i}/customers", _COUNT)
                    for _, i, cell in worth
                ],
                formatter,
            ),
        ],
    )


def _calendar(program: Portfolio, formatter: Formatter) -> Grid:
    """When every campaign ran, whether it counts, and which others ran meanwhile."""
    campaigns = program.campaigns
    beside = {each.experiment: list[str]() for each in campaigns}
    for overlap in program.overlaps:
        beside[overlap.first].append(overlap.second)
        beside[overlap.second].append(overlap.first)

    def day(text: str | None) -> str:
        return formatter.language.date(text) if text else "—"

    return grid(
        formatter.text(N_("Every campaign")),
        formatter.text(N_("Campaign")),
        [RowHead((Stretch(each.experiment, is_name=True),), each.title) for each in campaigns],
        [
            marks(
                Titles(N_("Verdict")),
                [_mark(each.verdict, formatter) for each in campaigns],
                formatter,
            ),
            texts(Titles(N_("Begins")), [day(each.first_start) for each in campaigns], formatter),
            texts(
                Titles(N_("Ends"), N_("its last outcome window")),
                [day(each.closes) for each in campaigns],
                formatter,
            ),
            figures(
                Titles(N_("Customers")),
                [
                    formatter.figure(each.customers, f"/campaigns/{i}/customers", _COUNT)
                    for i, each in enumerate(campaigns)
                ],
                formatter,
            ),
            texts(
                Titles(N_("At the same time")),
                [", ".join(beside[each.experiment]) or "—" for each in campaigns],
                formatter,
            ),
            texts(
                Titles(N_("Counted")),
                [
                    formatter.text(N_("yes"))
                    if each.reason is None
                    else formatter.language.say(each.reason, program.currency)
                    for each in campaigns
                ],
                formatter,
            ),
        ],
    )


def _file(program: Portfolio, _formatter: Formatter) -> Download:
    return packed_download("portfolio.json", "application/json", to_json(program))


SECTIONS: Final[tuple[Section[Portfolio], ...]] = (
    Section("portfolio/answer", _answer, N_("What the program added")),
    Section("portfolio/arms", _arms, N_("Campaign by campaign")),
    Section("portfolio/channels", _channels, N_("What channels earn")),
    Section("portfolio/levels", _levels, N_("By segment")),
    Section("portfolio/next", _next, N_("What to test next")),
    Section("portfolio/calendar", _calendar, N_("Calendar")),
    Section("portfolio/downloads", _file, N_("Downloads")),
)
"""The sections of the page, in their order."""


class PortfolioReport(WithJson, Portfolio):
    """A program of campaigns, with its page."""

    def to_csv(self) -> bytes:
        """Every arm as a row, for a spreadsheet."""
        return to_csv(self)

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page; raises as `AnalysisReport.report`."""
        return written(path, render(self, lang=lang))
