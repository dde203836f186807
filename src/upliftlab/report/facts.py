"""The facts in a line: when the campaign was, what counts, and how many customers it is about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, escape
from upliftlab.report.index import Index
from upliftlab.results.analysis import DesignFacts
from upliftlab.text.language import N_

_COUNT: Final = FigureFormat("count")
_WAVES: Final = N_("{waves} waves from {first} to {last}")
_DAYS: Final = N_("starts from {first} to {last}")
_DAY: Final = N_("start on {first}")
_WINDOW: Final = N_("outcomes of {days} days count")
_PART: Final = N_("{population} customers, of whom {left_out} take no part: {analysed} analysed")
_ALL: Final = N_("{analysed} customers analysed, none left out")
_UNREACHED: Final = N_("not reached: {count} of {arm}")


def facts(index: Index, formatter: Formatter) -> tuple[Sentence, ...]:
    """What a reader asks first, each by itself; nothing of what older versions wrote."""
    found = index.analysis.design
    if found is None:
        return ()
    return (
        *_starts(found, formatter),
        *_window(found, formatter),
        _customers(found, formatter),
        *_unreached(found, index, formatter),
    )


def _starts(found: DesignFacts, formatter: Formatter) -> Iterator[Sentence]:
    if found.first_start is None or found.last_start is None:
        return
    first, last = map(formatter.language.date, (found.first_start, found.last_start))
    parts: dict[str, Figure | str] = {"first": first, "last": last}
    if found.waves > 1:
        parts["waves"] = formatter.figure(found.waves, "/design/waves", _COUNT)
        yield formatter.composed(_WAVES, parts)
    else:
        yield formatter.composed(_DAY if first == last else _DAYS, parts)


def _window(found: DesignFacts, formatter: Formatter) -> Iterator[Sentence]:
    if found.window_days is not None:
        days = found.window_days
        form, digits = FigureFormat("number"), 0 if days == int(days) else 1
        told = formatter.figure(days, "/design/window_days", form, digits)
        yield formatter.composed(_WINDOW, {"days": told})


def _customers(found: DesignFacts, formatter: Formatter) -> Sentence:
    parts = {
        name: formatter.figure(getattr(found, name), f"/design/{name}", _COUNT)
        for name in ("population", "left_out", "analysed")
    }
    return formatter.composed(_PART if found.left_out else _ALL, parts)


def _unreached(found: DesignFacts, index: Index, formatter: Formatter) -> Iterator[Sentence]:
    for arm, count in found.unreached.items():
        told = formatter.figure(count, f"/design/unreached/{escape(arm)}", _COUNT)
        yield formatter.composed(_UNREACHED, {"count": told, "arm": index.called(arm)})
