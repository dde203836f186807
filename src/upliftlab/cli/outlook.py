"""How a terminal tells an outlook: the questions first, then the figures behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from upliftlab.cli.output import Styled, echo, echo_table
from upliftlab.cli.tables import table
from upliftlab.text.language import ABSENT, Language

if TYPE_CHECKING:
    from rich.table import Table

    from upliftlab.results.analysis import Message
    from upliftlab.results.plan import (
        ArmMoney,
        ArmOutlook,
        BudgetDesign,
        DecisionOutlook,
        PowerReport,
        PowerSimulation,
        SimulatedArm,
    )

_ENGLISH: Final = Language("en")
_WHOLE: Final = 24
"""Names up to so many letters are never broken: the columns beside them give way."""
_COLOURS: Final = {"yes": "green", "no": "red", "cannot": "yellow", "open": "cyan"}


def say(outlook: PowerReport) -> None:
    """Print an outlook."""
    _answers(outlook)
    echo_table(_arms(outlook))
    if outlook.money:
        echo_table(_money(outlook))
    elif outlook.money_absent is not None:
        echo(_said(outlook, outlook.money_absent))
        echo()
    if outlook.decisions:
        echo_table(_decisions(outlook))
        if outlook.binding is not None:
            echo(_said(outlook, outlook.binding))
            echo()
    if outlook.budget is not None:
        echo_table(_budget(outlook, outlook.budget))
        echo(_said(outlook, outlook.budget.described))
        echo()
    if outlook.simulation is not None:
        _simulation(outlook, outlook.simulation)
    basis = [outlook.baseline.described, *([outlook.length.described] if outlook.length else [])]
    limits = [part.described for part in outlook.decisions if part.name == "guardrail"]
    for message in (*basis, *limits, *outlook.notes):
        echo(f"· {_said(outlook, message)}")


def _said(outlook: PowerReport, message: Message) -> str:
    return _ENGLISH.say(message, outlook.currency)


def _answers(outlook: PowerReport) -> None:
    for answer in outlook.answers:
        mark = Styled(f"{answer.state:<8}", fg=_COLOURS[answer.state], bold=True)
        echo(mark, _said(outlook, answer.question))
        told = [answer.sentence, *([answer.instead] if answer.instead else [])]
        echo(f"        {' '.join(_said(outlook, message) for message in told)}")
        for way in answer.ways:
            echo(f"        → {_said(outlook, way)}")
        echo()


def _arms(outlook: PowerReport) -> Table:
    metric, currency = outlook.metric, outlook.currency
    kind = {"money": "money", "share": "points", "number": "number"}[metric.unit]

    def effect(value: float | None) -> str:
        if kind == "money":
            return _ENGLISH.money(value, currency, signed=True)
        if kind == "points":
            return _ENGLISH.points(value, signed=True)
        return _ENGLISH.number(value, signed=True)

    wanted = _ENGLISH.percent(outlook.assumed.power)
    expected = effect(outlook.assumed.effect)
    columns: list[tuple[str, Callable[[ArmOutlook], str]]] = [
        ("share", lambda arm: _ENGLISH.percent(arm.share)),
        ("there\nare", lambda arm: _ENGLISH.count(arm.customers)),
        (f"needed\nfor\n{wanted}", lambda arm: _ENGLISH.count(arm.needed)),
        ("in all\narms", lambda arm: _ENGLISH.count(arm.needed_campaign)),
        ("least\neffect", lambda arm: effect(arm.detectable)),
        ("of the\nmean", lambda arm: _ENGLISH.percent(arm.detectable_lift, signed=True)),
        (f"power\nat\n{expected}", lambda arm: _ENGLISH.percent(arm.power, digits=1)),
    ]
    rows = ((arm.arm, [tell(arm) for _, tell in columns]) for arm in outlook.arms)
    made = table(metric.title, [title for title, _ in columns], rows)
    made.columns[0].no_wrap = all(len(arm.arm) <= _WHOLE for arm in outlook.arms)
    return made


def _money(outlook: PowerReport) -> Table:
    """One row a figure, as there are more of them than arms."""

    def money(value: float | None) -> str:
        return _ENGLISH.money(value, outlook.currency)

    def rise(value: float | None) -> str:
        return _ENGLISH.percent(value, signed=True)

    def half(value: float | None, tell: Callable[[float | None], str]) -> str:
        return "" if value is None else f" ± {tell(value)}"

    def profit(arm: ArmMoney) -> str:
        return f"{money(arm.profit)}{half(arm.profit_half, money)}"

    def roi(arm: ArmMoney) -> str:
        return f"{_ENGLISH.percent(arm.roi)}{half(arm.roi_half, _ENGLISH.points)}"

    hurdle = _ENGLISH.percent(outlook.hurdle)
    lines: list[tuple[str, Callable[[ArmMoney], str]]] = [
        ("pays for itself if revenue rises by", lambda arm: rise(arm.break_even)),
        (f"reaches ROI of {hurdle} at", lambda arm: rise(arm.break_even_hurdle)),
        ("expected profit", profit),
        ("expected ROI", roi),
        ("holdout treated so would add", lambda arm: money(arm.holdout_price)),
        ("chance of SHIP", lambda arm: _ENGLISH.percent(arm.ships, digits=1)),
        ("customers for SHIP", lambda arm: _ENGLISH.count(arm.ships_needed)),
        ("customers for ROI as exact as wanted", lambda arm: _ENGLISH.count(arm.roi_needed)),
    ]
    told = [(title, [tell(arm) for arm in outlook.money]) for title, tell in lines]
    kept = [(title, cells) for title, cells in told if any(cell != ABSENT for cell in cells)]
    if not outlook.hurdle:
        kept = [line for line in kept if not line[0].startswith("reaches ROI")]
    return table("Money", [arm.arm for arm in outlook.money], kept)


def _decisions(outlook: PowerReport) -> Table:
    """What each part of the verdict takes, in the arm where it takes most."""

    def size(part: DecisionOutlook, value: float | None) -> str:
        if part.unit == "money":
            return _ENGLISH.money(value, outlook.currency, signed=True)
        tell = {
            "percent": _ENGLISH.percent,
            "points": _ENGLISH.points,
            "number": _ENGLISH.number,
        }[part.unit]
        return tell(value, signed=True)

    def called(part: DecisionOutlook) -> str:
        if part.name == "pays":
            return f"SHIP of {part.arm}"
        return part.title if part.limit is None else f"{part.title} within {size(part, part.limit)}"

    rows = [
        (
            called(part),
            [
                _ENGLISH.count(part.needed),
                _ENGLISH.percent(part.chance, digits=1),
                size(part, part.smallest),
            ],
        )
        for part in outlook.decisions
    ]
    wanted = _ENGLISH.percent(outlook.assumed.power)
    return table("The verdict", ["needed\nin all", "chance", f"least\nwith {wanted}"], rows)


def _simulation(outlook: PowerReport, found: PowerSimulation) -> None:
    """Power and false positives as they were where the plan was played."""

    def share(value: float | None) -> str:
        return _ENGLISH.percent(value, digits=1)

    def between(value: float | None, low: float | None, high: float | None) -> str:
        return ABSENT if value is None else f"{share(value)} ({share(low)} to {share(high)})"

    lines: list[tuple[str, Callable[[SimulatedArm], str]]] = [
        ("power by the formula", lambda arm: share(arm.power)),
        ("power simulated",
         lambda arm: between(arm.simulated, arm.simulated_low, arm.simulated_high)),
        ("found though there is no effect",
         lambda arm: between(
             arm.false_positives, arm.false_positives_low, arm.false_positives_high)),
        ("chance of SHIP by the formula", lambda arm: share(arm.ships)),
        ("chance of SHIP simulated",
         lambda arm: between(
             arm.simulated_ships, arm.simulated_ships_low, arm.simulated_ships_high)),
        ("SHIP though there is no effect", lambda arm: share(arm.false_ships)),
    ]  # fmt: skip
    told = [(title, [tell(arm) for arm in found.arms]) for title, tell in lines]
    kept = [(title, cells) for title, cells in told if any(cell != ABSENT for cell in cells)]
    echo_table(table("Simulated", [arm.arm for arm in found.arms], kept))
    for message in (found.described, *(arm.sentence for arm in found.arms), *found.doubts):
        echo(f"· {_said(outlook, message)}")
    echo()


def _budget(outlook: PowerReport, found: BudgetDesign) -> Table:
    """The best design under the budget, beside the one declared."""

    def money(value: float | None) -> str:
        return _ENGLISH.money(value, outlook.currency)

    declared = {arm.arm: arm.share for arm in outlook.arms}
    rows = [
        (
            arm.arm,
            [
                _ENGLISH.percent(declared[arm.arm]),
                _ENGLISH.percent(arm.share),
                _ENGLISH.count(arm.customers),
                money(arm.cost),
            ],
        )
        for arm in found.arms
    ]
    whole = [
        ("expected cost", [money(found.declared_cost), money(found.cost), "", ""]),
        ("standard error of profit", [money(found.declared_se), money(found.se), "", ""]),
        (
            "least power",
            [
                *(_ENGLISH.percent(p, digits=1) for p in (found.declared_power, found.power)),
                "",
                "",
            ],
        ),
    ]
    heads = ["declared", "best", "customers", "cost"]
    return table(f"For {money(found.budget)}", heads, [*rows, *whole])
