"""The verb `plan`: from a plan and a baseline to an Outlook, before anybody is contacted.

It orchestrates and computes nothing: the rehearsal measures, the expected experiment is analysed as
a real one would be, and the answers say what the campaign can find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.analysis.population import CUSTOMERS
from upliftlab.assignment.assign import prepare
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import ConfigError, DataError, Diagnostic, UpliftLabError
from upliftlab.planning.assumptions import Assumptions, refuse_contradictions
from upliftlab.planning.baseline import (
    Baseline,
    from_earlier,
    in_figures,
    known_covariates,
    needed_plan,
)
from upliftlab.planning.decisions import guarded_spec, guardrail_outlooks, with_decisions
from upliftlab.planning.design_inputs import DesignInputs, outlook, prospect
from upliftlab.planning.pre_period import (
    PLANNED,
    PrePeriodPopulation,
    population,
    rehearse,
    rehearsed,
    untreated_units,
)
from upliftlab.planning.variants import for_longer, measurable, measured_otherwise
from upliftlab.planning.ways import Variant
from upliftlab.queries.computed import attach_table
from upliftlab.results.analysis import Analysis, Message
from upliftlab.results.plan import BaselineOrigin, DecisionOutlook, PowerReport
from upliftlab.stats.moments import Array
from upliftlab.text.language import N_
from upliftlab.util.sql import quote

_WITHOUT_ROWS: Final = (
    "plan from data that reach back one outcome window, or leave out --simulate; "
    "'upliftlab validate EXPERIMENT --customers N' draws from a distribution of the same moments"
)
Progress = Callable[[str], None]
"""Told what is being done, for people who wait."""


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """What planning needs beside its plan.

    Attributes:
        now: The moment of planning, with its time zone.
        engine: Where the data lie; None where none are read.
        earlier: The analysis of an earlier campaign, whose control is the baseline.
        own: An analysis of this experiment itself, whose control is the baseline where the
            customers' time before tells none.
        progress: Told of each step.
    """

    now: datetime
    engine: Engine | None = None
    earlier: Analysis | None = None
    progress: Progress = lambda _step: None
    own: Analysis | None = None


Further = Callable[[PowerReport, DesignInputs, PlanningContext], PowerReport]
"""What else is found out of a plan: its report with that in it."""


def plan(asked: Plan, assumed: Assumptions, setting: PlanningContext) -> PowerReport:
    """What an experiment can be expected to tell.

    Args:
        asked: The experiment.
        assumed: What is taken for granted.
        setting: Clock, data and listener.

    Raises:
        ConfigError: UL320 the effect cannot be, UL322 figures contradict or are missing, UL324 the
            earlier analysis does not fit.
        DataError: UL321 the customers' past tells no baseline, UL241 it is of too few; UL2xx, the
            data are not what the plan says they are.
    """
    return weigh(foresee(asked, assumed, setting), setting)


def weigh(known: DesignInputs, setting: PlanningContext) -> PowerReport:
    """What an experiment that is foreseen can be expected to tell; raises what `plan` does."""
    setting.progress("Weighing the design")
    created = setting.now.astimezone(UTC).isoformat(timespec="seconds")
    report = outlook(known, created, lambda: tuple(_variants(known, setting)))
    return with_decisions(report, _guarded(known, setting))


def _guarded(known: DesignInputs, setting: PlanningContext) -> tuple[DecisionOutlook, ...]:
    """What the guardrails take, each with its own baseline from where the primary metric's is."""
    if not known.plan.experiment.metrics.guardrails:
        return ()
    engine, origin = setting.engine, known.baseline.origin
    if origin is BaselineOrigin.before and engine is not None:
        setting.progress("Weighing the guardrails")
        with engine.reading():
            cast = _cast(known.plan, engine, setting.now)
            return tuple(guardrail_outlooks(known, lambda one: rehearse(_reduced(one), cast)))
    earlier = setting.earlier or setting.own

    def told(asked: Plan) -> Baseline:
        if origin is BaselineOrigin.given or earlier is None:
            message = "a baseline in figures is of the primary metric alone"
            raise ConfigError(Diagnostic("UL322", message, ""))
        return from_earlier(asked, guarded_spec(known, asked), earlier)

    return tuple(guardrail_outlooks(known, told))


def _reduced(asked: Plan) -> Plan:
    """What is rehearsed of a plan."""
    return rehearsed(needed_plan(asked))


def _variants(known: DesignInputs, setting: PlanningContext) -> Iterator[Variant]:
    """What else the campaign could measure, as far as the customers' past tells."""
    engine = setting.engine
    if engine is None or not measurable(known):
        return
    setting.progress("Looking for what would make it answerable")
    with engine.reading():
        cast = _cast(known.plan, engine, setting.now)
        for tell in (measured_otherwise, for_longer):
            try:
                yield from tell(known, cast)
            except DataError as error:
                if error.faults[0].code != "UL321":  # nothing tells of it: no way to name
                    raise


def untreated(known: DesignInputs, setting: PlanningContext) -> tuple[Array, Array]:
    """The units that the baseline was measured on, those that are alike together.

    Args:
        known: An experiment with its baseline.
        setting: Clock, data and listener.

    Returns:
        Values over the spec's columns, shape (kinds, p), and how many units are of each kind.

    Raises:
        ConfigError: UL325, the baseline was not measured on the customers' own time before, what
            covariates explain was given, or there are too many kinds.
        DataError: as `plan`.
    """
    engine = setting.engine
    if engine is None or known.baseline.origin is not BaselineOrigin.before:
        message = "the baseline is figures or an earlier campaign's sums: no customers to draw"
        raise ConfigError(Diagnostic("UL325", message, _WITHOUT_ROWS))
    if known.assumed.explained is not None:
        message = "what covariates explain is given as a figure, and a simulation measures it"
        raise ConfigError(Diagnostic("UL325", message, "leave out --explained"))
    setting.progress("Reading the customers to draw")
    with engine.reading():
        cast = _cast(known.plan, engine, setting.now)
        found = untreated_units(rehearsed(needed_plan(known.plan)), cast)
    if found is None:
        message = "there are more than a million kinds of customers, too many to hold in memory"
        raise ConfigError(Diagnostic("UL325", message, _WITHOUT_ROWS))
    return found


def foresee(asked: Plan, assumed: Assumptions, setting: PlanningContext) -> DesignInputs:
    """An experiment with its baseline and what is assumed; raises what `plan` does."""
    refuse_contradictions(asked, assumed)
    with setting.engine.reading() if setting.engine else nullcontext():
        spec, baseline = _baseline(asked, assumed, setting)
    if baseline.customers is not None and baseline.customers < asked.smallest_cell:
        message = f"the baseline is that of {baseline.customers:,} customers: it would tell of them"
        remedy = f"{asked.smallest_cell} or more can be told of; check 'eligible'"
        raise DataError(Diagnostic("UL241", message, remedy))
    return prospect(asked, spec, baseline, assumed)


def _baseline(
    asked: Plan, assumed: Assumptions, setting: PlanningContext
) -> tuple[EstimationSpec, Baseline]:
    """What is compared, and what untreated units do, from wherever that is known."""
    reduced = needed_plan(asked)
    spec = known_covariates(estimation_spec(reduced), assumed)
    if assumed.given is not None:
        return spec, _counted(asked, in_figures(reduced, spec, assumed.given), setting)
    if setting.earlier is not None:
        return spec, _counted(asked, from_earlier(asked, spec, setting.earlier), setting)
    if setting.engine is None:
        message = "nothing tells what customers do without the campaign"
        raise ConfigError(Diagnostic("UL322", message, "name the data, or give --baseline-mean"))
    try:
        return _rehearsed(asked, assumed, setting, setting.engine)
    except DataError as error:
        baseline = _own((asked, spec), setting.own, error)
    return spec, _counted(asked, baseline, setting)


def _rehearsed(
    asked: Plan, assumed: Assumptions, setting: PlanningContext, engine: Engine
) -> tuple[EstimationSpec, Baseline]:
    """The baseline that the time before tells."""
    reduced = _reduced(asked)
    setting.progress("Rehearsing on the time before")
    baseline = rehearse(reduced, _cast(asked, engine, setting.now))
    return known_covariates(estimation_spec(reduced), assumed), baseline


def _own(asked: tuple[Plan, EstimationSpec], own: Analysis | None, refused: DataError) -> Baseline:
    """The experiment's own control, where it has run; else why the time before tells nothing."""
    if own is None or refused.faults[0].code != "UL321":
        raise refused
    try:
        baseline = from_earlier(*asked, own)
    except ConfigError:
        raise refused from None
    text = N_(
        "This experiment has run before, and its control group was taken: the time before tells "
        "nothing, as {reason}."
    )
    note = Message(template=text, values={"reason": refused.faults[0].message})
    return replace(baseline, notes=(*baseline.notes, note))


def _counted(asked: Plan, baseline: Baseline, setting: PlanningContext) -> Baseline:
    """The baseline with the customers there are, or with the reason why they were not counted."""
    if setting.engine is None:
        return baseline
    setting.progress("Counting the customers")
    try:
        cast = _cast(asked, setting.engine, setting.now)
        found = population(asked, cast)
    except UpliftLabError as error:
        text = N_("Customers were not counted: {reason}. Give --customers.")
        note = Message(template=text, values={"reason": error.faults[0].message})
        return replace(baseline, notes=(*baseline.notes, note))
    return replace(baseline, available=found, notes=(*baseline.notes, *cast.notes))


def _cast(asked: Plan, engine: Engine, now: datetime) -> PrePeriodPopulation:
    """Those whom an assignment of today would put into an arm, else those who are eligible."""
    today = now.astimezone(ZoneInfo(asked.program.time_zone)).date()
    if asked.experiment.assignment.observed is not None:
        attach_table(CUSTOMERS, asked.customers, engine, whole=False)
        return PrePeriodPopulation(engine, assigned=False, today=today)
    start: date | None = None if asked.experiment.waves else today
    reachable, notes = _without_policy_tables(asked, engine)
    query = prepare(reachable, engine, start=start)
    ids = f"SELECT {quote(query.columns[0])} AS id"
    engine.keep(PLANNED, f"{ids} FROM ({query.sql}) AS decided WHERE arm IS NOT NULL")
    return PrePeriodPopulation(engine, assigned=True, today=today, notes=notes)


def _without_policy_tables(asked: Plan, engine: Engine) -> tuple[Plan, tuple[Message, ...]]:
    """The plan without tables of its contact policy that are not there yet, and what to note.

    Before the first campaign nobody was contacted, and there is no table that says so.
    """
    policy = asked.program.contact_policy
    absent: dict[str, str] = {}
    for key in ("contacts", "complaints") if policy else ():
        name = getattr(policy, key)
        if name in asked.sources:
            try:
                engine.attach("policy_planned", asked.sources[name])
            except DataError as error:
                if error.faults[0].code != "UL201":
                    raise
                absent[key] = name
    if policy is None or not absent:
        return asked, ()
    text = N_(
        "There is no table {names} yet: the contact policy keeps nobody out because of what it "
        "would hold."
    )
    note = Message(template=text, values={"names": ", ".join(absent.values())})
    policy = policy.model_copy(update=dict.fromkeys(absent))
    program = asked.program.model_copy(update={"contact_policy": policy})
    return asked.model_copy(update={"program": program}), (note,)
