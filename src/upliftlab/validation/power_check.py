"""A plan's power held against the plan itself, played many times on the customers' past."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from upliftlab.analysis.look import look_times
from upliftlab.config.models.experiment import PROFIT
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.planning.baseline import needed_plan
from upliftlab.planning.design_inputs import DesignInputs
from upliftlab.planning.plan import Further, PlanningContext, untreated
from upliftlab.planning.primary_metric import effect_of
from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.plan import ArmMoney, ArmOutlook, PowerReport, PowerSimulation, SimulatedArm
from upliftlab.stats.moments import Array
from upliftlab.stats.sequential import Declared
from upliftlab.stats.shares import wilson
from upliftlab.text.language import N_
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.counts import ReplicationCounts
from upliftlab.validation.customers import (
    ANY,
    SEEN,
    SHIPS,
    CustomerEffect,
    CustomerTrial,
    decides,
    measure,
    play,
)
from upliftlab.validation.pool import blocks, run
from upliftlab.validation.sample import SimulatedUnits

_TOLD: Final = 0.95
"""Level of the intervals of shares of trials."""
_APART: Final = 0.9973
"""Three standard errors: beyond, the formula and the simulation disagree."""
_FEW: Final = 0.01
_HEAVY: Final = 0.25
"""The hundredth of units with the largest values is told of where it has so much of the total."""
_EXPECTED, _NONE = "expected", "none"


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """How a plan is played.

    Attributes:
        trials: Experiments with the expected effect, and as many without any.
        seed: Of all chance.
        seconds: No trial begins later; fewer trials are told of as such.
        progress: Told of trials done.
    """

    trials: int = 400
    seed: int = 1
    seconds: float = 180.0
    progress: Callable[[str], None] = lambda _step: None


def simulated(trials: int = 400, seed: int = 1) -> Further:
    """What plays a plan, for `Experiment.plan(further=…)`.

    Args:
        trials: Experiments with the expected effect, and as many without any.
        seed: Of all chance.
    """

    def further(report: PowerReport, known: DesignInputs, setting: PlanningContext) -> PowerReport:
        drawn = untreated(known, setting)
        asked = SimulationSettings(trials, seed, progress=setting.progress)
        return with_simulation(report, known, drawn, asked)

    return further


def with_simulation(
    report: PowerReport,
    known: DesignInputs,
    drawn: tuple[Array, Array],
    setting: SimulationSettings,
) -> PowerReport:
    """A plan's report with its power as it is where the plan is played.

    Args:
        report: What the formula says.
        known: The experiment with its baseline.
        drawn: The untreated units (`planning.plan.untreated`).
        setting: How often, from which seed, for how long.

    Raises:
        ConfigError: UL322, an arm would have fewer than two units.
    """
    scenario = scenario_of(known, SimulatedUnits(*drawn))
    found, trials = _played(scenario, setting)
    arms = tuple(_arm(report, arm, found, trials) for arm in scenario.spec.treatments)
    none = _share(found[_NONE], measure(SEEN, ANY), trials)
    assert none is not None  # noqa: S101 - every trial says it
    units = int(scenario.pool.counts.sum())
    simulation = PowerSimulation(
        described=_described(setting, trials, units),
        trials=trials,
        asked=setting.trials,
        seed=setting.seed,
        customers=known.customers or 0,
        units=units,
        arms=arms,
        false_positives=none[0],
        false_positives_low=none[1],
        false_positives_high=none[2],
        top_share=(top := top_share(scenario)),
        doubts=(
            *_too_often(found[_NONE], trials, 1 - known.spec.confidence),
            *_doubts(known, scenario, arms, top),
        ),
    )
    return report.model_copy(update={"simulation": simulation})


def scenario_of(known: DesignInputs, pool: SimulatedUnits) -> CustomerTrial:
    """The experiment as it is played; raises UL322 where an arm would have too few units."""
    spec, expected = known.spec, known.expectation
    lead, roles = expected.lead, spec.roles
    customers = known.customers or 0
    sizes = {
        arm: round(expected.in_arm(arm, customers) / expected.size)
        for arm in (spec.control, *spec.treatments)
    }
    if min(sizes.values()) < 2:  # noqa: PLR2004 - a variance needs two
        message = f"{customers:,} customers leave an arm with fewer than two units"
        raise ConfigError(Diagnostic("UL322", message, "give more --customers"))
    money = roles is not None and bool(known.judged)
    change = effect_of(lead, expected.mean, known.assumed.effect)
    effect = CustomerEffect(
        lead,
        change,
        lift := expected.lift(change) or 0.0,
        spreads=_spreads(known, pool, lift),
        rates=known.redemptions,
    )
    if roles is not None and money:
        amounts = tuple(sorted({roles.revenue, roles.earned} - {lead.place.above}))
        effect = replace(
            effect, amounts=amounts, contacts=roles.contacts, redemptions=roles.redemptions
        )
    plan = needed_plan(known.plan)
    metrics = (lead.info.name,)
    spec = replace(spec, metrics=metrics, channels={}, segments=(), compared=())
    if not money:
        spec = replace(spec, roles=None, terms={})
    times = look_times(plan)
    look = None
    if len(times) > 1:
        look = Declared(tuple(each / times[-1] for each in times), "obrien_fleming")
    asked = decides(plan, lead, money=money)
    return CustomerTrial(plan, spec, pool, sizes, effect, look, decides=asked)


def _spreads(known: DesignInputs, pool: SimulatedUnits, lift: float) -> bool:
    """Whether the effect comes from more customers who answer alike, as the formula has it."""
    expected = known.expectation
    place, mean = expected.lead.place, expected.mean
    if place.below not in {None, known.spec.size} or mean <= 0:
        return False
    active = pool.counts[pool.values[:, place.above] != 0].sum() / pool.counts.sum()
    room = active < 1 and lift * active <= 1 - active and lift >= -1
    raw = replace(expected, unit=known.baseline.unit)
    return bool(room and (expected.lead.share or raw.variance_of(place) > mean**2))


def top_share(scenario: CustomerTrial) -> float | None:
    """What the hundredth of units with the largest values has of the lead metric's total."""
    pool, column = scenario.pool, scenario.effect.lead.place.above
    order = np.argsort(-pool.values[:, column], kind="stable")
    values, counts = pool.values[order, column], pool.counts[order]
    total = float(values @ counts)
    if total <= 0:
        return None
    few = _FEW * float(counts.sum())
    before = np.cumsum(counts) - counts
    return float(values @ np.clip(few - before, 0, counts)) / total


def _played(
    scenario: CustomerTrial, setting: SimulationSettings
) -> tuple[Mapping[str, ReplicationCounts], int]:
    """What trials with and without the effect came to, and how many of each there were."""
    none = replace(scenario, effect=scenario.effect.none)
    cells = [
        NamedScenario({"effect": name}, each, play)
        for name, each in ((_EXPECTED, scenario), (_NONE, none))
    ]
    todo = sorted(blocks(cells, setting.trials, setting.seed), key=lambda block: block.number)
    found, begun = dict[str, ReplicationCounts](), time.monotonic()
    setting.progress("Playing the plan on the customers' past")
    for block, counted in run(todo, 1):
        name = block.cell.name["effect"]
        found[name] = found[name] + counted if name in found else counted
        if name == _NONE:
            done = found[name].replications
            spent = time.monotonic() - begun
            left = min(spent * (setting.trials / done - 1), setting.seconds - spent)
            setting.progress(
                f"{done:,} of {setting.trials:,} experiments played, {max(left, 0):.0f} s left"
            )
            if spent > setting.seconds:
                break
    return found, found[_NONE].replications


def _share(
    counts: ReplicationCounts, name: str, trials: int, level: float = _TOLD
) -> tuple[float, float, float] | None:
    """A share of trials with its interval; None where that was not asked."""
    seen = next((each for (_, what), each in counts.counts.items() if what == name), None)
    if seen is None:
        return None
    return seen.rejected / trials, *wilson(seen.rejected, trials, level)


def _arm(
    report: PowerReport, arm: str, found: Mapping[str, ReplicationCounts], trials: int
) -> SimulatedArm:
    """How often an arm was found, and what the formula says."""
    told: ArmOutlook = next(each for each in report.arms if each.arm == arm)
    money: ArmMoney | None = next((each for each in report.money if each.arm == arm), None)
    seen = _share(found[_EXPECTED], measure(SEEN, arm), trials)
    false = _share(found[_NONE], measure(SEEN, arm), trials)
    wide = _share(found[_EXPECTED], measure(SEEN, arm), trials, _APART)
    assert seen is not None and false is not None and wide is not None  # noqa: S101, PT018 - every trial says it
    ships = _share(found[_EXPECTED], measure(SHIPS, arm), trials) or (None, None, None)
    false_ships = _share(found[_NONE], measure(SHIPS, arm), trials) or (None, None, None)
    agrees = None if told.power is None else wide[1] <= told.power <= wide[2]
    return SimulatedArm(
        arm=arm,
        power=told.power,
        simulated=seen[0],
        simulated_low=seen[1],
        simulated_high=seen[2],
        agrees=agrees,
        false_positives=false[0],
        false_positives_low=false[1],
        false_positives_high=false[2],
        ships=None if money is None or ships[0] is None else money.ships,
        simulated_ships=ships[0],
        simulated_ships_low=ships[1],
        simulated_ships_high=ships[2],
        false_ships=false_ships[0],
        sentence=_sentence(arm, told.power, seen, agrees=agrees),
    )


def _sentence(
    arm: str, power: float | None, seen: tuple[float, float, float], *, agrees: bool | None
) -> Message:
    values: dict[str, Scalar] = {"arm": arm, "share": seen[0], "low": seen[1], "high": seen[2]}
    text = N_(
        "In {arm} the expected effect was found in {share:percent} of experiments (between "
        "{low:percent} and {high:percent})."
    )
    if agrees is None:
        return Message(template=text, values=values)
    values["power"] = power
    text = N_(
        "In {arm} the expected effect was found in {share:percent} of experiments (between "
        "{low:percent} and {high:percent}), and the formula says {power:percent}: no "
        "difference beyond chance."
    )
    if not agrees:
        text = N_(
            "In {arm} the expected effect was found in {share:percent} of experiments (between "
            "{low:percent} and {high:percent}), but the formula says {power:percent}: go by the "
            "simulation."
        )
    return Message(template=text, values=values)


def _described(setting: SimulationSettings, trials: int, units: int) -> Message:
    values: dict[str, Scalar] = {"trials": trials, "units": units}
    if trials < setting.trials:
        text = N_(
            "Played {trials:count} times with the expected effect and as often without any, on "
            "{units:count} units drawn from the time before; {asked:count} were asked for, and "
            "time ran out."
        )
        return Message(template=text, values={**values, "asked": setting.trials})
    text = N_(
        "Played {trials:count} times with the expected effect and as often without any, on "
        "{units:count} units drawn from the time before."
    )
    return Message(template=text, values=values)


def _too_often(none: ReplicationCounts, trials: int, alpha: float) -> Iterator[Message]:
    """A warning where more is found than there may be, without any effect."""
    found = _share(none, measure(SEEN, ANY), trials, _APART)
    if found is not None and found[1] > alpha:
        text = N_(
            "Without any effect one is found in {share:percent} of experiments, where "
            "{alpha:percent} are promised: on these customers the test is too quick to find one."
        )
        yield Message(template=text, values={"share": found[0], "alpha": alpha})


def _doubts(
    known: DesignInputs,
    scenario: CustomerTrial,
    arms: tuple[SimulatedArm, ...],
    top: float | None,
) -> Iterator[Message]:
    """What explains a disagreement, and what the simulation leaves out."""
    title = scenario.effect.lead.info.title
    if any(arm.agrees is False for arm in arms) and top is not None and top >= _HEAVY:
        text = N_(
            "The largest hundredth of units has {share:percent} of all {metric}: with such heavy "
            "tails the formula is only roughly right."
        )
        yield Message(template=text, values={"share": top, "metric": title})
    if sum(scenario.sizes.values()) > scenario.pool.counts.sum():
        text = N_(
            "There are more customers than had a time before: units are drawn with replacement."
        )
        yield Message(template=text)
    if scenario.look is not None:
        text = N_("Of the declared looks only the last is played.")
        yield Message(template=text)
    if known.plan.experiment.metrics.guardrails:
        yield Message(template=N_("Guardrails are not played: none stops an arm here."))
    if not scenario.decides and known.plan.decided_by == PROFIT:
        yield Message(template=N_("The chance of SHIP is not played, as money is left out."))
