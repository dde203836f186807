"""What would change the answer: break-evens, and the terms that a reader may change in the page.

The page's script computes from the same numbers as `money.what_if`; what it needs to say them is
told here: labels, and how numbers are written in the page's language and currency.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from upliftlab.report.figure import Figure, FigureFormat, Formatter, typeset
from upliftlab.report.index import Index
from upliftlab.results.analysis import Analysis, MoneyTermsInfo, VerdictCode
from upliftlab.results.costs import RATED, CostStep, Per
from upliftlab.results.what_if import BreakEven, WhatIf
from upliftlab.text.language import N_
from upliftlab.text.precision import money_digits

_MARGIN = "margin"
_SCALED = N_("Margin, as a share of what it was measured to be")
_LABELS = {
    _MARGIN: N_("Contribution margin"),
    "hurdle": N_("Hurdle"),
    "customers": N_("Customers of a roll-out"),
}


@dataclass(frozen=True, slots=True)
class BreakEvenRow:
    """A term: as it is, where profit is nothing, where the verdict changes."""

    label: str
    now: Figure
    pays: Figure | None
    settles: Figure | None


@dataclass(frozen=True, slots=True)
class BreakEvenGroup:
    """An arm by its title, with its terms."""

    arm: str
    rows: tuple[BreakEvenRow, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """A term that can be changed: its input, and what it is without.

    Attributes:
        id: Of the input.
        term: `margin`, `hurdle`, `customers`, or the key of a rate.
        arm: Whose rate it is; empty of what holds for all.
        label: What it is called.
        value: As measured, as it is typed: shares in per cent.
        share: Whether it is one.
        unit: What stands behind the input.
        most: The largest it can be, as it is typed; empty without a limit.
        measured: As measured, as it is said.
    """

    id: str
    term: str
    arm: str
    label: str
    value: str
    share: bool
    unit: str
    most: str
    measured: str


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """Terms of all arms, or of one by its title."""

    title: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class WhatIfView:
    """The section.

    Attributes:
        settles: What the last column of the break-evens says.
        groups: Break-evens by arm.
        controls: What can be changed.
        words: What the script says and how it writes numbers, as JSON.
    """

    settles: str
    groups: tuple[BreakEvenGroup, ...]
    controls: tuple[ControlGroup, ...]
    words: str


def what_if(index: Index, formatter: Formatter) -> WhatIfView | None:
    """What would change the answer; None where nothing can be asked."""
    analysis = index.analysis
    block, terms = analysis.money_sums, analysis.terms
    if block is None or terms is None or not block.contrasts:
        return None
    decides = analysis.decision.metric == "profit"
    settles = N_("the verdict changes") if decides else N_("profit is certain")
    return WhatIfView(
        settles=formatter.text(settles),
        groups=tuple(_groups(block, terms, index, formatter)),
        controls=tuple(_controls(block, terms, index, formatter)),
        words=json.dumps(_words(index, formatter), ensure_ascii=False),
    )


def _groups(
    block: WhatIf, terms: MoneyTermsInfo, index: Index, formatter: Formatter
) -> Iterator[BreakEvenGroup]:
    numbered = list(enumerate(block.break_evens))
    for arm in dict.fromkeys(each.arm for each in block.break_evens):
        own = [(each, i) for i, each in numbered if each.arm == arm]
        rows = (_row(each, i, _label(each.term, terms), formatter) for each, i in own)
        yield BreakEvenGroup(index.called(arm), tuple(rows))


def _row(each: BreakEven, place: int, label: str, formatter: Formatter) -> BreakEvenRow:
    share, key = _is_share(each.term), f"/what_if/break_evens/{place}"
    form = FigureFormat("percent" if share else "money")

    def told(value: float | None, name: str) -> Figure | None:
        return None if value is None else formatter.figure(value, f"{key}/{name}", form)

    now = formatter.declared(each.now, f"{key}/now") if share else told(each.now, "now")
    assert now is not None  # noqa: S101 - a term always is
    return BreakEvenRow(
        label=formatter.text(label),
        now=now,
        pays=told(each.pays, "pays"),
        settles=told(each.settles, "settles"),
    )


def _step(term: str) -> CostStep | None:
    return next((step for step in RATED if step.line.key == term), None)


def _label(term: str, terms: MoneyTermsInfo) -> str:
    step = _step(term)
    if term == _MARGIN and terms.margin_metric is not None:
        return _SCALED
    return _LABELS[term] if step is None else step.line.term


def _is_share(term: str) -> bool:
    step = _step(term)
    return term in (_MARGIN, "hurdle") if step is None else step.line.per is Per.revenue


def _controls(
    block: WhatIf, terms: MoneyTermsInfo, index: Index, formatter: Formatter
) -> Iterator[ControlGroup]:
    common = {
        _MARGIN: terms.margin,
        "hurdle": terms.hurdle,
        "customers": sum(block.customers.values()),
    }
    made = (
        _control((term, _label(term, terms)), "", value, formatter)
        for term, value in common.items()
    )
    yield ControlGroup(formatter.text(N_("All arms")), tuple(made))
    asked = [s for s in RATED if not s.line.per.needs_count or s.line.per in block.columns]
    for arm in dict.fromkeys(each.arm for each in block.contrasts):
        rates = {step.line.key: terms.rates(step).get(arm, 0.0) for step in asked}
        made = (
            _control((term, _label(term, terms)), arm, value, formatter)
            for term, value in rates.items()
        )
        yield ControlGroup(index.called(arm), tuple(made))


def _control(called: tuple[str, str], arm: str, value: float, formatter: Formatter) -> Control:
    term, label = called
    language, share = formatter.language, _is_share(term)
    if share:
        said, unit = language.percent(value, digits=None if value else 0), "%"
    elif term == "customers":
        said, unit = language.count(value), ""
    else:
        said, unit = language.money(value, formatter.currency), formatter.currency or ""
    return Control(
        id="-".join(
            part for part in ("what-if", term, "".join(f"{ord(c):x}" for c in arm)) if part
        ),
        term=term,
        arm=arm,
        label=formatter.text(label),
        value=f"{value * 100 if share else value:.10g}",
        share=share,
        unit=unit,
        most="100" if share and term != "hurdle" and label != _SCALED else "",
        measured=typeset(said),
    )


def _words(index: Index, formatter: Formatter) -> dict[str, object]:
    """What the script says: a dictionary of its own names."""
    text, analysis = formatter.text, index.analysis
    return {
        "labels": {code.value: text(code.value) for code in VerdictCode},
        "arms": {arm.arm: index.called(arm.arm) for arm in analysis.arms},
        "profit": text(N_("Incremental profit")),
        "roi": text(N_("ROI")),
        "rollout": text(N_("Profit of the roll-out")),
        "verdict": text(N_("Verdict")),
        "colon": text(N_(": ")),
        "to": text(N_("to")),
        "atLeast": text(N_("at least")),
        "atMost": text(N_("at most")),
        "measured": text(N_("as measured")),
        "now": text(N_("With these terms")),
        "same": text(N_("The terms are as measured.")),
        "wrong": text(N_("A term is no number that it can be; the answer is that of the others.")),
        "mark": text(N_("What if: numbers with the terms changed below, not measured ones")),
        "none": text(N_("not computed")),
        "costs": [
            {"key": step.line.key, "per": step.line.per.value, "factor": step.line.factor}
            for step in RATED
        ],
        "money": _money(analysis, formatter),
        "number": _separators(formatter),
    }


def _money(analysis: Analysis, formatter: Formatter) -> dict[str, object]:
    """What stands before and behind an amount, and the currency's own decimals."""
    before, _, behind = formatter.language.money(0.0, analysis.currency, digits=0).partition("0")
    return {"before": before, "behind": behind, "digits": money_digits(analysis.currency, 0.0)}


def _separators(formatter: Formatter) -> dict[str, str]:
    """The signs in a number: between thousands, before decimals, before what is negative."""
    said = typeset(formatter.language.number(-1234.5, digits=1))
    return {"minus": said[0], "group": said[2], "decimal": said[-2]}
