"""The page of a plan: what the campaign can find out, decided before a template sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from upliftlab.report.curve import PowerCurve, power_curve
from upliftlab.report.export import rounded, to_json
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, escape
from upliftlab.report.methods import ProvenanceView
from upliftlab.report.plan_answers import answers
from upliftlab.report.published import WithJson
from upliftlab.report.quantity import metric_form
from upliftlab.report.render import framed
from upliftlab.report.sections import Download, Page, PageLink, Section, packed_download, shown
from upliftlab.results.plan import (
    ArmMoney,
    ArmOutlook,
    BudgetArm,
    DecisionOutlook,
    PowerReport,
    SimulatedArm,
)
from upliftlab.text.language import N_, Code, Language
from upliftlab.util.files import atomic_write, safe_name

_SHEETS: Final = ("report.css", "curve.css", "plan.css")
_SCRIPTS: Final = ("data.js", "report.js")
_MONEY: Final = FigureFormat("money")
_PERCENT: Final = FigureFormat("percent")
_CHANCES: Final = (
    *("power", "ships", "simulated", "simulated_low", "simulated_high", "false_positives"),
    *("simulated_ships", "false_ships"),
)
"""Shown with one decimal however small: nobody plans for a millionth."""
_CHANGE: Final = FigureFormat("percent", signed=True)
_COUNT: Final = FigureFormat("count")
_POINTS: Final = FigureFormat("points")


_ArmValues = ArmOutlook | ArmMoney | BudgetArm | SimulatedArm
_Fact = tuple[str, float | None, str, FigureFormat]
"""A title, a value with the key that leads to it, and how it is shown."""


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column of figures: its heading and what stands below it."""

    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class FigureCell:
    """A figure, and half of its interval where it has one."""

    figure: Figure
    half: Figure | None = None


@dataclass(frozen=True, slots=True)
class ArmRowOfFigures:
    """An arm's figures; None is a number that is not known, or that does not exist."""

    arm: str
    cells: tuple[FigureCell | None, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of one row an arm."""

    columns: tuple[FigureColumn, ...]
    rows: tuple[ArmRowOfFigures, ...]


@dataclass(frozen=True, slots=True)
class Assumed:
    """Something known or taken for granted."""

    title: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Reach:
    """What each arm can be told of: its figures, and its power curve."""

    arms: Sheet
    curves: tuple[PowerCurve, ...]


@dataclass(frozen=True, slots=True)
class ExpectedMoney:
    """What each arm is expected to earn, or why nothing is said of it."""

    sheet: Sheet | None
    absent: Sentence | None


@dataclass(frozen=True, slots=True)
class BudgetView:
    """The best design under a budget."""

    sheet: Sheet
    described: Sentence
    facts: tuple[Assumed, ...]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A part of the verdict; None is a number that is not known, or that does not exist."""

    title: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Decisions:
    """What each part of the verdict takes, and which takes most."""

    columns: tuple[FigureColumn, ...]
    rows: tuple[DecisionRow, ...]
    sentences: tuple[Sentence, ...]
    binding: Sentence | None


@dataclass(frozen=True, slots=True)
class SimulationView:
    """The plan played on the customers' past."""

    sheet: Sheet
    described: Sentence
    told: tuple[Sentence, ...]
    facts: tuple[Assumed, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What all of it rests on."""

    baseline: Sentence
    facts: tuple[Assumed, ...]
    notes: tuple[Sentence, ...]


def render(outlook: PowerReport, *, lang: Code = "en", beside: Sequence[PageLink] = ()) -> str:
    """The page as HTML: the same text for the same outlook and language."""
    published = rounded(outlook, lang)
    made = page(published, Formatter(Language(lang), published.currency, published.arm_titles))
    return framed(made, lang, _SHEETS, _SCRIPTS, beside)


def write(outlook: PowerReport, path: Path, lang: Code = "en") -> None:
    """Write the page.

    Raises:
        OutputError: UL601, where it cannot be written.
    """
    atomic_write(path, render(outlook, lang=lang).encode())


def page(outlook: PowerReport, formatter: Formatter) -> Page:
    """The page of an outlook whose numbers are already those to publish."""
    return Page(
        title=outlook.title,
        experiment=outlook.experiment,
        owner=outlook.owner,
        hypothesis=outlook.hypothesis,
        label=formatter.text(N_("Plan")),
        created=formatter.language.date(outlook.created),
        sections=tuple(shown(SECTIONS, outlook, formatter)),
        find=formatter.text(N_("Find an arm")),
        kind=formatter.text(N_("Plan")),
    )


def _reach(outlook: PowerReport, formatter: Formatter) -> Reach:
    curves = (power_curve(i, outlook, formatter) for i in range(len(outlook.curves)))
    return Reach(_arms(outlook, formatter), tuple(each for each in curves if each is not None))


def _expected_money(outlook: PowerReport, formatter: Formatter) -> ExpectedMoney:
    absent = outlook.money_absent
    return ExpectedMoney(
        _money(outlook, formatter) if outlook.money else None,
        None if absent is None else formatter.sentence(absent, "/money_absent"),
    )


def _budget(outlook: PowerReport, formatter: Formatter) -> BudgetView | None:
    """The best design under a budget; None where none was named."""
    found = outlook.budget
    if found is None:
        return None
    named = {
        "share": (N_("Share"), N_("of all customers"), _PERCENT),
        "customers": (N_("Customers"), N_("in this arm"), _COUNT),
        "cost": (N_("Cost"), N_("expected, fixed cost included"), _MONEY),
    }
    rows = [(arm.arm, f"/budget/arms/{i}", arm) for i, arm in enumerate(found.arms)]
    facts: list[tuple[str, str, FigureFormat]] = [
        (N_("Budget"), "budget", _MONEY),
        (N_("Expected cost"), "cost", _MONEY),
        (N_("Expected cost as declared"), "declared_cost", _MONEY),
        (N_("Standard error of profit per customer"), "se", _MONEY),
        (N_("Standard error as declared"), "declared_se", _MONEY),
        (N_("Least power of an arm"), "power", _PERCENT),
        (N_("Least power as declared"), "declared_power", _PERCENT),
    ]
    told = ((title, getattr(found, name), f"/budget/{name}", form) for title, name, form in facts)
    return BudgetView(
        _sheet(named, rows, formatter),
        formatter.sentence(found.described, "/budget/described"),
        tuple(_known(told, formatter)),
    )


def _decisions(outlook: PowerReport, formatter: Formatter) -> Decisions | None:
    """What the parts of the verdict take; None where there are no guardrails."""
    if not outlook.decisions:
        return None
    columns = (
        (N_("Needed in all"), N_("all arms together")),
        (N_("Chance"), N_("with the customers there are")),
        (N_("Smallest"), N_("effect, rise of revenue or limit with the wanted power")),
    )
    binding = outlook.binding
    return Decisions(
        tuple(FigureColumn(formatter.text(one), formatter.text(two)) for one, two in columns),
        tuple(_decision(part, f"/decisions/{i}", formatter) for i, part in _parts(outlook)),
        tuple(
            formatter.sentence(p.described, f"/decisions/{i}/described") for i, p in _parts(outlook)
        ),
        None if binding is None else formatter.sentence(binding, "/binding"),
    )


def _parts(outlook: PowerReport) -> Iterator[tuple[int, DecisionOutlook]]:
    yield from enumerate(outlook.decisions)


def _decision(part: DecisionOutlook, key: str, formatter: Formatter) -> DecisionRow:
    """A part's figures: customers, the chance, and the smallest that has the wanted one."""
    size = FigureFormat(part.unit, signed=True)
    title = part.title
    if part.name == "pays":
        title = f"{formatter.text(N_('Chance of SHIP'))}: {formatter.called(part.arm or '')}"

    def figure(name: str, form: FigureFormat, digits: int | None = None) -> Figure | None:
        value = getattr(part, name)
        return None if value is None else formatter.figure(value, f"{key}/{name}", form, digits)

    figures = (figure("needed", _COUNT), figure("chance", _PERCENT, 1), figure("smallest", size))
    return DecisionRow(title, figures)


def _simulation(outlook: PowerReport, formatter: Formatter) -> SimulationView | None:
    """The plan as it was played; None where it was not."""
    found = outlook.simulation
    if found is None:
        return None
    named = {
        "power": (N_("Power"), N_("by the formula"), _PERCENT),
        "simulated": (N_("Simulated"), N_("share of experiments that found it"), _PERCENT),
        "simulated_low": (N_("From"), N_("its 95 % interval, as trials are limited"), _PERCENT),
        "simulated_high": (N_("To"), N_("the same"), _PERCENT),
        "false_positives": (N_("False positives"), N_("found where there is none"), _PERCENT),
        "ships": (N_("Chance of SHIP"), N_("by the formula"), _PERCENT),
        "simulated_ships": (N_("SHIP, simulated"), N_("at the expected effect"), _PERCENT),
        "false_ships": (N_("False SHIP"), N_("where there is no effect"), _PERCENT),
    }
    kept = {
        name: told
        for name, told in named.items()
        if any(getattr(arm, name) is not None for arm in found.arms)
    }
    rows = [(arm.arm, f"/simulation/arms/{i}", arm) for i, arm in enumerate(found.arms)]
    arms = (
        formatter.sentence(arm.sentence, f"/simulation/arms/{i}/sentence")
        for i, arm in enumerate(found.arms)
    )
    doubts = (
        formatter.sentence(each, f"/simulation/doubts/{i}") for i, each in enumerate(found.doubts)
    )
    facts: list[_Fact] = [
        (N_("Experiments with the effect"), found.trials, "/simulation/trials", _COUNT),
        (N_("Customers in each"), found.customers, "/simulation/customers", _COUNT),
        (
            N_("False positives in any arm"),
            found.false_positives,
            "/simulation/false_positives",
            _PERCENT,
        ),
        (
            N_("Total that the largest hundredth has"),
            found.top_share,
            "/simulation/top_share",
            _PERCENT,
        ),
    ]
    return SimulationView(
        _sheet(kept, rows, formatter),
        formatter.sentence(found.described, "/simulation/described"),
        (*arms, *doubts),
        tuple(_known(facts, formatter)),
    )


def _basis(outlook: PowerReport, formatter: Formatter) -> Basis:
    return Basis(
        formatter.sentence(outlook.baseline.described, "/baseline/described"),
        tuple(_facts(outlook, formatter)),
        tuple(formatter.sentence(n, f"/notes/{i}") for i, n in enumerate(outlook.notes)),
    )


def _origin(outlook: PowerReport, formatter: Formatter) -> ProvenanceView:
    return ProvenanceView(
        created=formatter.language.date(outlook.created),
        software=(("upliftlab", outlook.version),),
        data=(),
        plan_sha256=outlook.plan_sha256,
        eligible=None,
    )


def _file(outlook: PowerReport, _formatter: Formatter) -> Download:
    name = f"{safe_name(outlook.experiment)}_plan.json"
    return packed_download(name, "application/json", to_json(outlook))


def _arms(outlook: PowerReport, formatter: Formatter) -> Sheet:
    effect = metric_form(outlook.metric)
    named = {
        "share": (N_("Share"), N_("of all customers"), _PERCENT),
        "customers": (N_("Customers"), N_("in this arm"), _COUNT),
        "needed": (N_("Needed in this arm"), N_("for the wanted power"), _COUNT),
        "needed_campaign": (N_("Needed in all"), N_("all arms together"), _COUNT),
        "detectable": (N_("Smallest effect"), N_("that is found with the wanted power"), effect),
        "detectable_lift": (N_("Smallest change"), N_("the same, as a share of the mean"), _CHANGE),
        "power": (N_("Power"), N_("at the expected effect"), _PERCENT),
    }
    rows = [(arm.arm, f"/arms/{i}", arm) for i, arm in enumerate(outlook.arms)]
    return _sheet(named, rows, formatter)


def _money(outlook: PowerReport, formatter: Formatter) -> Sheet:
    named = {
        "break_even": (N_("Break-even"), N_("rise of revenue that pays for it"), _CHANGE),
        "break_even_hurdle": (N_("Reaches the hurdle"), N_("rise of revenue"), _CHANGE),
        "profit": (N_("Expected profit"), N_("and half of its interval"), _MONEY),
        "roi": (N_("Expected ROI"), N_("and half of its interval"), _PERCENT),
        "holdout_price": (
            N_("Price of the holdout"),
            N_("profit it would add if treated like this arm; below zero, the loss it saves"),
            _MONEY,
        ),
        "ships": (N_("Chance of SHIP"), N_("at the expected effect"), _PERCENT),
        "ships_needed": (N_("Customers for SHIP"), N_("in all arms, wanted power"), _COUNT),
        "roi_needed": (N_("Customers for ROI"), N_("in all arms, as exact as wanted"), _COUNT),
    }
    if not outlook.hurdle:
        del named["break_even_hurdle"]
    kept = {
        name: told
        for name, told in named.items()
        if any(getattr(money, name) is not None for money in outlook.money)
    }
    rows = [(money.arm, f"/money/{i}", money) for i, money in enumerate(outlook.money)]
    return _sheet(kept, rows, formatter)


def _sheet(
    named: Mapping[str, tuple[str, str, FigureFormat]],
    rows: Iterable[tuple[str, str, _ArmValues]],
    formatter: Formatter,
) -> Sheet:
    """Columns by the name of their field; each row's arm, key and values."""

    def cell(values: _ArmValues, key: str, name: str) -> FigureCell | None:
        value, form = getattr(values, name), named[name][2]
        if value is None:
            return None
        half = getattr(values, f"{name}_half", None)
        spread = _POINTS if form.kind == "percent" else form
        digits = 1 if name in _CHANCES else None
        return FigureCell(
            formatter.figure(value, f"{key}/{name}", form, digits),
            None if half is None else formatter.figure(half, f"{key}/{name}_half", spread),
        )

    columns = (
        FigureColumn(formatter.text(title), formatter.text(hint))
        for title, hint, _ in named.values()
    )
    return Sheet(
        tuple(columns),
        tuple(
            ArmRowOfFigures(formatter.called(arm), tuple(cell(values, key, name) for name in named))
            for arm, key, values in rows
        ),
    )


def _known(facts: Iterable[_Fact], formatter: Formatter) -> Iterator[Assumed]:
    """Those of some facts that have a value."""
    for title, value, key, form in facts:
        if value is not None:
            yield Assumed(formatter.text(title), formatter.figure(value, key, form))


def _facts(outlook: PowerReport, formatter: Formatter) -> Iterator[Assumed]:
    """What is known of customers without the campaign, and what was taken for granted."""
    base, taken, unit = outlook.baseline, outlook.assumed, outlook.metric.unit
    kind = (
        FigureFormat("percent")
        if unit == "share"
        else FigureFormat("money" if unit == "money" else "number")
    )
    named: list[_Fact] = [
        (N_("Mean without the campaign"), base.mean, "/baseline/mean", kind),
        (N_("Standard deviation between units"), base.sd, "/baseline/sd", kind),
        (N_("Explained by covariates"), base.explained, "/baseline/explained", _PERCENT),
        (
            N_("Customers of an average unit"),
            base.unit_size,
            "/baseline/unit_size",
            FigureFormat("number"),
        ),
        (N_("Expected effect"), taken.effect, "/assumed/effect", metric_form(outlook.metric)),
        (N_("the same, as a share of the mean"), taken.lift, "/assumed/lift", _CHANGE),
        (N_("Wanted power"), taken.power, "/assumed/power", _PERCENT),
        (N_("Confidence of intervals"), outlook.confidence, "/confidence", _PERCENT),
        (N_("Level of each arm's test"), taken.alpha, "/assumed/alpha", _PERCENT),
        (N_("Wanted half of ROI's interval"), taken.roi_within, "/assumed/roi_within", _POINTS),
        (N_("Customers who arrive in a week"), taken.per_week, "/assumed/per_week", _COUNT),
    ]
    yield from _known(named, formatter)
    for arm, rate in taken.redemptions.items():
        title = f"{formatter.text(N_('Redemptions per treated customer'))}: {formatter.called(arm)}"
        key = f"/assumed/redemptions/{escape(arm)}"
        yield Assumed(title, formatter.figure(rate, key, _PERCENT))


SECTIONS: Final[tuple[Section[PowerReport], ...]] = (
    Section("plan/answers", answers, N_("What this campaign can find out")),
    Section("plan/arms", _reach, N_("Customers and power")),
    Section("plan/simulation", _simulation, N_("Played on your customers")),
    Section("plan/money", _expected_money, N_("Profit and return")),
    Section("plan/budget", _budget, N_("The best design for the budget")),
    Section("plan/decisions", _decisions, N_("What each part of the verdict takes")),
    Section("plan/basis", _basis, N_("What this rests on")),
    Section("provenance", _origin, N_("Provenance")),
    Section("plan/downloads", _file, N_("Downloads")),
)
"""The sections of the page, in their order."""


class PlanReport(WithJson, PowerReport):
    """What a campaign can find out, with its page."""

    def report(self, path: str | Path, *, lang: Code = "en") -> Path:
        """Write the page; raises as `AnalysisReport.report`."""
        return self._written(path, lambda: render(self, lang=lang))
