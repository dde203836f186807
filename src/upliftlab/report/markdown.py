"""An analysis as a Markdown summary: for a pull request, a chat, a wiki.

What the page's first screen says, in its words and figures: the verdict, what next, the map of
segments by arms, what vouchers bought of no use, and the checks that ask for attention.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upliftlab.report.bridge import subsidies
from upliftlab.report.export import rounded
from upliftlab.report.figure import Formatter, Sentence, formatter_of
from upliftlab.report.index import Index
from upliftlab.report.interval import Interval
from upliftlab.report.roi_map import MapCell, RoiMap
from upliftlab.report.trust import trust
from upliftlab.report.verdict import VerdictView, answer
from upliftlab.results.analysis import Analysis
from upliftlab.text.language import N_, Code
from upliftlab.util.markdown import escaped

_LOUD = ("critical", "warning")


def markdown(analysis: Analysis, lang: Code) -> str:
    """The summary; the same text for the same analysis and language."""
    published = rounded(analysis, lang)
    formatter = formatter_of(published, lang)
    index = Index(published)
    told = answer(index, formatter)
    parts = (
        _head(published, told),
        _numbers(told),
        _steps(told, formatter),
        () if told.map is None else _map(told.map, formatter),
        _anyway(index, formatter),
        _checks(published, formatter),
    )
    return "\n\n".join("\n".join(part) for lines in parts if (part := tuple(lines))) + "\n"


def _said(sentence: Sentence) -> str:
    """A sentence: its words and figures as they are, names from the data escaped."""
    return "".join(escaped(word.text) if word.is_name else word.text for word in sentence)


def _head(analysis: Analysis, told: VerdictView) -> Iterator[str]:
    yield f"## {told.label}: {escaped(analysis.title)}"
    yield ""
    yield f"**{_said(told.sentence)}**"


def _numbers(told: VerdictView) -> Iterator[str]:
    for headline in told.headlines:
        yield f"- {escaped(headline.title)}: {_interval(headline.interval)}"


def _interval(interval: Interval) -> str:
    if interval.estimate is None:
        return f"— ({interval.note})"
    ends = [end.text for end in (interval.low, interval.high) if end is not None]
    shown = f"**{interval.estimate.text}**"
    return f"{shown} ({' … '.join(ends)})" if ends else shown


def _steps(told: VerdictView, formatter: Formatter) -> Iterator[str]:
    yield f"**{formatter.text(N_('What next'))}**"
    yield ""
    for sentence in (told.next_action, *told.steps):
        yield f"- {_said(sentence)}"


def _map(roi_map: RoiMap, formatter: Formatter) -> Iterator[str]:
    yield f"**{escaped(roi_map.caption)}**"
    yield ""
    yield _row([formatter.text(N_("Segment")), *(escaped(c.title) for c in roi_map.columns)])
    yield "|---|" + "---:|" * len(roi_map.columns)
    for group in roi_map.groups:
        for row in group.rows:
            head = f"{group.title}: {row.head}" if group.title else row.head
            yield _row([escaped(head), *map(_cell, row.cells)])
    yield ""
    yield formatter.text(N_("▲ ▼: beyond chance after correction."))


def _anyway(index: Index, formatter: Formatter) -> Iterator[str]:
    """How many vouchers went to customers who would have bought anyway."""
    for arm, sentence in subsidies(index, formatter):
        yield f"- {escaped(arm)}{formatter.text(N_(': '))}{_said(sentence)}"


def _cell(cell: MapCell) -> str:
    """A cell's figures, with its mark where it survives the correction."""
    figures = [figure.text for figure in (cell.lead, cell.amount) if figure is not None]
    mark = {"gain": "▲ ", "loss": "▼ "}.get(cell.tone.direction, "") if cell.tone.survives else ""
    return mark + " · ".join(figures) if figures else "—"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _checks(analysis: Analysis, formatter: Formatter) -> Iterator[str]:
    """The checks that failed or warn, and how many others there were."""
    told = trust(analysis, formatter)
    yield f"**{formatter.text(N_('Can these numbers be trusted?'))}** {told.summary}"
    loud = [check for check in (*told.checks, *told.passed) if check.state in _LOUD]
    if loud:
        yield ""
    for check in loud:
        yield f"- {check.label}: {escaped(check.title)}. {_said(check.message)}"
