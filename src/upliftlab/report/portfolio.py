"""The page of a program: every campaign, what channels earn, and what to test next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from upliftlab.report.export import rounded, spreadsheet, to_json
from upliftlab.report.figure import FigureFormat, Formatter, Sentence, Stretch
from upliftlab.report.grid import (
    Grid,
    GridColumn,
    GridMark,
    RowHead,
    Titles,
    figures,
    grid,
    intervals,
    marks,
    named,
    optional,
    texts,
    valued,
)
from upliftlab.report.published import WithJson
from upliftlab.report.render import framed
from upliftlab.report.sections import Download, Page, Section, packed_download, shown
from upliftlab.report.tile import NumberTile
from upliftlab.results.analysis import VerdictCode
from upliftlab.results.base import Result
from upliftlab.results.portfolio import CampaignArm, CampaignInfo, ChannelEvidence, Portfolio
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
_CENT: Final = 0.01
"""What is worth less is worth no test."""
_ENOUGH: Final = 2
"""Campaigns that a mean of several is made of."""


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """The first screen."""

    sentence: Sentence
    tiles: tuple[NumberTile, ...]
    holdout: Sentence | None
    calibration: Sentence | None


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
    tiles = tuple(_tiles(program, formatter))
    return ProgramAnswer(told, tiles, _whole(program, formatter), _kept(program, formatter))


def _tiles(program: Portfolio, formatter: Formatter) -> Iterator[NumberTile]:
    if not program.arms:
        return
    yield _tile(N_("Incremental profit of all campaigns"), program.profit, "/profit", formatter)
    if program.adopted is None:
        return
    best = optional(program.adopted_shrunken, "/adopted_shrunken", _MONEY, formatter)
    beside = formatter.text(N_("best taken for")) if best else ""
    shipped = _tile(N_("Of what ships"), program.adopted, "/adopted", formatter)
    yield replace(shipped, beside_title=beside, beside=best)


def _tile(title: str, found: Estimate, key: str, formatter: Formatter) -> NumberTile:
    return NumberTile(
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


def _kept(program: Portfolio, formatter: Formatter) -> Sentence | None:
    """What came of what lists promised."""
    found = program.calibration
    if found is None or None in (found.estimate, found.low, found.high):
        return None
    parts = {
        name: formatter.figure(getattr(found, name), f"/calibration/{name}", _PERCENT)
        for name in ("estimate", "low", "high")
    }
    template = N_("Of the profit that lists promised, {estimate} came ({low} to {high}).")
    return formatter.composed(template, parts)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Entries of a table of the JSON that have a row, each with its place there."""

    table: str
    entries: Sequence[tuple[int, Result]]
    formatter: Formatter

    def figures(self, titles: Titles, name: str, form: FigureFormat) -> GridColumn:
        """A column of one of their fields."""
        cells = [
            optional(getattr(entry, name), f"/{self.table}/{i}/{name}", form, self.formatter)
            for i, entry in self.entries
        ]
        return figures(titles, cells, self.formatter)

    def intervals(self, titles: Titles, name: str) -> GridColumn:
        """A column of amounts with their intervals."""
        values = [
            valued(getattr(entry, name), f"/{self.table}/{i}/{name}") for i, entry in self.entries
        ]
        return intervals(titles, values, _MONEY, self.formatter)

    def verdicts(self, codes: Iterable[VerdictCode]) -> GridColumn:
        """A column of verdicts."""
        told = [GridMark(_KINDS.get(c, "open"), self.formatter.text(c.value)) for c in codes]
        return marks(Titles(N_("Verdict")), told, self.formatter)


def _arms(program: Portfolio, formatter: Formatter) -> Grid | None:
    """Every arm of every campaign that counts."""
    arms = program.arms
    if not arms:
        return None
    rows = _Rows("arms", tuple(enumerate(arms)), formatter)
    return grid(
        formatter.text(N_("Every arm of every campaign")),
        formatter.text(N_("Campaign and arm")),
        [_head(arm.experiment, arm.title or arm.arm, _channel(arm)) for arm in arms],
        [
            rows.verdicts(arm.code for arm in arms),
            rows.intervals(
                Titles(N_("Incremental profit"), N_("total, after all campaign costs")), "profit"
            ),
            rows.figures(
                Titles(N_("Best taken for"), N_("given all campaigns")), "shrunken", _MONEY
            ),
            rows.figures(Titles(N_("Incremental ROI")), "roi", _PERCENT),
            rows.figures(
                Titles(N_("Per customer"), N_("profit per treated customer")),
                "per_customer",
                _MONEY,
            ),
            rows.figures(Titles(N_("Customers"), N_("treated")), "customers", _COUNT),
            rows.figures(Titles(N_("Adjusted p"), N_("over all campaigns")), "p_program", _P),
        ],
    )


def _channel(arm: CampaignArm) -> str:
    """The channel, where the arm's name does not say it."""
    told = arm.channel_title or arm.channel
    return "" if told in (None, arm.title or arm.arm) else str(told)


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
    rows = _Rows("evidence", cells, formatter)
    return grid(
        formatter.text(caption),
        formatter.text(N_("Channel")),
        [_cell_head(cell, formatter) for _, cell in cells],
        [
            rows.intervals(
                Titles(N_("Profit per treated customer"), N_("mean of all campaigns")), "profit"
            ),
            rows.figures(
                Titles(N_("Next campaign, from"), N_("its truth lies between")), "next_low", _MONEY
            ),
            rows.figures(Titles(N_("to")), "next_high", _MONEY),
            rows.figures(
                Titles(N_("Differ by"), N_("standard deviation between campaigns")), "tau", _MONEY
            ),
            rows.figures(Titles(N_("Campaigns")), "campaigns", _COUNT),
        ],
    )


def _cell_head(cell: ChannelEvidence, formatter: Formatter) -> RowHead:
    if cell.dimension is None:
        return named(cell.channel_title or cell.channel)
    level = f"{cell.dimension_title or cell.dimension}{formatter.text(': ')}{cell.level}"
    return _head(cell.channel_title or cell.channel, level, "")


def _promises(program: Portfolio, formatter: Formatter) -> Grid | None:
    """What lists promised, and what their holdouts told."""
    kept = program.promises
    if not kept:
        return None
    rows = _Rows("promises", tuple(enumerate(kept)), formatter)
    return grid(
        formatter.text(N_("What lists promised, and what came")),
        formatter.text(N_("Campaign and arm")),
        [_head(each.experiment, each.arm, "") for each in kept],
        [
            rows.intervals(Titles(N_("Promised"), N_("incremental profit")), "promised"),
            rows.intervals(Titles(N_("Realised"), N_("against those held out")), "realised"),
            rows.figures(Titles(N_("Customers"), N_("contacted")), "customers", _COUNT),
            texts(Titles(N_("List of")), [each.made_from for each in kept], formatter),
            texts(
                Titles(N_("Forced"), N_("without evidence that it pays")),
                [formatter.text(N_("yes")) if each.forced else "—" for each in kept],
                formatter,
            ),
        ],
    )


def _next(program: Portfolio, formatter: Formatter) -> Grid | None:
    """Where the truth is worth most: unsure cells of many customers first."""
    cells = [
        (i, cell)
        for i, cell in enumerate(program.evidence)
        if cell.information and cell.information >= _CENT
    ]
    worth = sorted(cells, key=lambda each: -(each[1].information or 0.0))[:_MOST]
    if not worth:
        return None
    rows = _Rows("evidence", worth, formatter)
    return grid(
        formatter.text(N_("Where knowing the truth is worth most")),
        formatter.text(N_("Channel")),
        [_cell_head(cell, formatter) for _, cell in worth],
        [
            rows.figures(
                Titles(N_("Worth of knowing"), N_("for one campaign of the usual size")),
                "information",
                _MONEY,
            ),
            rows.figures(
                Titles(N_("Customers"), N_("of an average campaign")), "customers", _COUNT
            ),
        ],
    )


def _calendar(program: Portfolio, formatter: Formatter) -> Grid:
    """When every campaign ran, whether it counts, and which others ran meanwhile."""
    campaigns, beside = program.campaigns, defaultdict[str, list[str]](list)
    for overlap in program.overlaps:
        beside[overlap.first].append(overlap.second)
        beside[overlap.second].append(overlap.first)

    def told(titles: Titles, tell: Callable[[CampaignInfo], str | None]) -> GridColumn:
        return texts(titles, [tell(each) or "—" for each in campaigns], formatter)

    def day(text: str | None) -> str | None:
        return formatter.language.date(text) if text else None

    def counted(campaign: CampaignInfo) -> str:
        reason = campaign.reason
        return formatter.language.say(reason, None) if reason else formatter.text(N_("yes"))

    rows = _Rows("campaigns", tuple(enumerate(campaigns)), formatter)
    return grid(
        formatter.text(N_("Every campaign")),
        formatter.text(N_("Campaign")),
        [named(each.experiment, each.title) for each in campaigns],
        [
            rows.verdicts(each.verdict for each in campaigns),
            told(Titles(N_("Begins")), lambda each: day(each.first_start)),
            told(Titles(N_("Ends"), N_("its last outcome window")), lambda each: day(each.closes)),
            rows.figures(Titles(N_("Customers"), N_("or households")), "n", _COUNT),
            told(Titles(N_("At the same time")), lambda each: ", ".join(beside[each.experiment])),
            told(Titles(N_("Counted")), counted),
        ],
    )


def _file(program: Portfolio, _formatter: Formatter) -> Download:
    return packed_download("portfolio.json", "application/json", to_json(program))


SECTIONS: Final[tuple[Section[Portfolio], ...]] = (
    Section("portfolio/answer", _answer, N_("What the program added")),
    Section("portfolio/arms", _arms, N_("Campaign by campaign")),
    Section("portfolio/channels", _channels, N_("Channels")),
    Section("portfolio/levels", _levels, N_("By segment")),
    Section("portfolio/promises", _promises, N_("Promised and realised")),
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
        return self._written(path, lambda: render(self, lang=lang))
