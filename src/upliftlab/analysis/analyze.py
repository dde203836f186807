"""The verb `analyze`: from a plan and its data to an Analysis.

It orchestrates and computes nothing: the engine counts (`queries`), the statistics estimate
(`findings`), the checks judge the data (`checks`) and the rule decides (`verdict`).
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from upliftlab import __version__
from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice, roll_up
from upliftlab.analysis.aggregation import Aggregation, measure
from upliftlab.analysis.audience import for_public, published
from upliftlab.analysis.beliefs import beliefs
from upliftlab.analysis.bridge import bridges
from upliftlab.analysis.by_day import Parts
from upliftlab.analysis.caps import Caps
from upliftlab.analysis.checks.contamination import contacted
from upliftlab.analysis.checks.definition import CheckDefinition, CheckInputs, FactInputs, Facts
from upliftlab.analysis.checks.event_facts import events
from upliftlab.analysis.checks.registry import asked, counted, offered_checks, own_checks
from upliftlab.analysis.checks.shares import units_by_stratum
from upliftlab.analysis.contrasts import CHANNEL, Contrast, InferenceSettings, contrasts_of
from upliftlab.analysis.design import design
from upliftlab.analysis.disclosure import Shown, merged, shown
from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.analysis.findings import find, find_between, shrunk
from upliftlab.analysis.flow import delivery, enrollment, flow
from upliftlab.analysis.given_strata import within_given
from upliftlab.analysis.heterogeneity import compare
from upliftlab.analysis.means import means_of
from upliftlab.analysis.population import CUSTOMERS
from upliftlab.analysis.quantiles import QuantileInputs, quantiles
from upliftlab.analysis.reconciliation import reconciled
from upliftlab.analysis.record import Record
from upliftlab.analysis.rows import UnitSource, rows_of
from upliftlab.analysis.share_regimes import (
    ShareRegime,
    expected_shares,
    mixed_shares,
    realised_shares,
    thin_regime,
    within_regimes,
)
from upliftlab.analysis.time_course import CourseInputs, time_course
from upliftlab.analysis.verdict import VerdictInputs, decide
from upliftlab.analysis.what_if import what_if
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.margin import BY, shares
from upliftlab.config.titles import titles
from upliftlab.config.uncertain import tabled
from upliftlab.engines.base import Engine
from upliftlab.money.break_even import break_evens
from upliftlab.queries.numbers import flag_sql
from upliftlab.results.analysis import (
    CUT,
    Analysis,
    ArmCount,
    Audience,
    CellMoments,
    DataFile,
    DecisionRule,
    MetricInfo,
    MoneyTermsInfo,
    Note,
    Provenance,
    SegmentInfo,
    VerdictCode,
)
from upliftlab.results.costs import RATED
from upliftlab.stats.cubic import slight
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.strata import stratified
from upliftlab.util.sql import quote

Progress = Callable[[str], None]
"""Told what is being done, for people who wait."""


@dataclass(frozen=True, slots=True)
class AnalysisContext:
    """What an analysis needs beside its plan.

    Attributes:
        engine: Where the data lie.
        now: The moment of the analysis, with its time zone.
        progress: Told of each step.
        record: Who is in which arm, where upliftlab assigned them.
        audience: Who reads the analysis.
    """

    engine: Engine
    now: datetime
    progress: Progress = lambda _step: None
    record: Record | None = None
    audience: Audience = "internal"


def analyze(plan: Plan, setting: AnalysisContext) -> Analysis:
    """Analyse an experiment.

    Args:
        plan: What was asked.
        setting: Engine, clock and listener.

    Raises:
        DataError: UL2xx, the data are not what the plan says they are, or not the same throughout.
        DataError: UL3xx, the plan asks for what this version cannot analyse.
    """
    with setting.engine.reading():
        if setting.audience == "internal":
            return _analysed(plan, setting)
        return published(_analysed(for_public(plan), setting), plan)


def _analysed(plan: Plan, setting: AnalysisContext) -> Analysis:
    spec = estimation_spec(plan)
    setting.progress("Reading the customers")
    checks = (*own_checks(), *offered_checks())
    intake = measure(plan, spec, setting.engine, setting.record, now_of(plan, setting))
    facts, schedule = counted(checks, intake.data), intake.schedule
    told = shown(roll_up(intake.cells, tuple(plan.segments)), intake.tables, plan.smallest_cell)
    aggregates = told.aggregates
    setting.progress("Estimating effects")
    projected, reading = _estimable(plan, spec, intake, told, setting.engine)
    compared = contrasts_of(spec, projected, reading)
    beside = compare(spec, plan.judged(plan.experiment.metrics.primary), compared)
    findings = shrunk(find(plan, spec, compared), beside.shrunken)
    metrics = _metrics(plan, spec, reading.shares, intake.caps)
    setting.progress("Following effects over time")
    told_over_time = time_course(
        CourseInputs(spec, intake, _parts(intake, told, reading), reading, findings, setting.engine)
    )
    counts = {arm: group.n for arm, group in aggregates[OVERALL].items()}
    ordered = quantiles(QuantileInputs(plan, intake, counts, setting.engine, mixed=reading.regimes))
    setting.progress("Fingerprinting the data")
    data = _data(plan, facts, setting.engine)
    judged = asked(
        checks,
        CheckInputs(
            plan=plan,
            spec=spec,
            schedule=schedule,
            facts=facts,
            aggregates=aggregates,
            record=setting.record,
            customers=data[0],
            findings=findings,
            compared=compared,
            metrics=metrics,
        ),
    )
    look = schedule.info(spec.confidence)
    evidence = VerdictInputs(plan, spec, compared, judged, findings, metrics, look, beside.tests)
    verdict = decide(evidence)
    experiment = plan.experiment
    analysis = Analysis(
        experiment=experiment.experiment,
        title=experiment.title or experiment.experiment,
        titles=titles(plan),
        owner=experiment.owner,
        hypothesis=experiment.hypothesis,
        plan_sha256=plan.sha256,
        confidence=spec.confidence,
        look=look,
        currency=plan.currency,
        decision=DecisionRule(
            metric=verdict.metric, ship_if=experiment.decision.ship_if, hurdle=spec.hurdle
        ),
        eligible=experiment.eligible,
        unit="customer" if plan.households is None else "household",
        smallest_cell=plan.smallest_cell,
        data=data,
        verdict=verdict,
        checks=judged,
        arms=_arms(plan, aggregates, _expected(plan, setting.record, intake.data.regimes, facts)),
        flow=(steps := flow(plan, spec, facts, aggregates)),
        enrollment=(enrolled := tuple(enrollment(setting.record, steps))),
        delivery=tuple(delivery(spec, aggregates[OVERALL])),
        design=design(plan, schedule, (enrolled, steps), facts.of(contacted)),
        metrics=metrics,
        segments=_segments(plan, spec, told),
        terms=_terms(plan, spec),
        means=tuple(means_of(spec, projected[OVERALL])),
        findings=findings,
        compared=find_between(plan, _between(spec, projected, reading)),
        quantiles=ordered.differences,
        distribution=ordered.distribution,
        heterogeneity=beside.tests,
        reconciliations=reconciled(spec, projected, compared),
        bridges=bridges(spec, compared, plan.currency),
        beliefs=beliefs(compared, experiment.analysis.prior),
        time_course=told_over_time,
        what_if=what_if(spec, compared, projected, len(evidence.candidates)),
        columns=spec.columns,
        moments=_moments(aggregates),
        provenance=_provenance(setting),
    )
    if verdict.code is VerdictCode.invalid:
        return withheld(analysis, checks)
    if (sums := analysis.money_sums) is None:
        return analysis
    sums = sums.model_copy(update={"break_evens": break_evens(analysis)})
    return analysis.model_copy(update={"money_sums": sums})


def _estimable(
    plan: Plan, spec: EstimationSpec, intake: Aggregation, told: Shown, engine: Engine
) -> tuple[Aggregates, InferenceSettings]:
    """Aggregates with money's columns, within strata where there are any, and how to infer."""
    overall = told.aggregates[OVERALL]
    strata = tuple(intake.strata.values())
    within = stratified(strata, tuple(overall)) if strata else None
    regimes = _by_regime(plan, intake, told) or within_given(plan, intake.given, told)
    projected = spec.projected(regimes or {**told.aggregates, OVERALL: within or overall})
    look = intake.schedule.look(1 - spec.confidence)
    rows = None  # totals tell none
    if plan.customers.aggregated is None and not intake.given:
        source = UnitSource(intake.data.units, engine, intake.data.count)
        strictest = 1 - (1 - spec.confidence) / len(spec.treatments)
        most = slight(Level(strictest, look).nominal)
        names = tuple(intake.strata) if within else ()
        if regimes:
            names = tuple(regime.name for regime in intake.data.regimes)
        rows = rows_of(spec, replace(told, aggregates=projected), source, most, names)
    settings = InferenceSettings(
        rows,
        intake.flags,
        _shares(plan, spec, intake, overall.values()),
        look,
        stratified=within is not None,
        regimes=bool(regimes),
        given=bool(intake.given),
    )
    return projected, settings


def _parts(intake: Aggregation, told: Shown, reading: InferenceSettings) -> Parts:
    """All units in the strata, or the times of the same shares, within which arms are compared."""
    overall = told.aggregates[OVERALL]
    arms = tuple(overall)
    if reading.regimes:
        named = zip(intake.data.regimes, intake.regimes, strict=True)
        found = {regime.name: roll_up(cells, ())[OVERALL] for regime, cells in named}
        return Parts(found, lambda parts: within_regimes(parts, arms))
    if reading.stratified:
        return Parts(intake.strata, lambda parts: stratified(parts, arms))
    return Parts({"": overall}, lambda parts: parts[0])


def _by_regime(plan: Plan, intake: Aggregation, told: Shown) -> Aggregates:
    """Aggregates with arms compared within regimes in every place; empty where shares stayed.

    Where they cannot be, a level has no control, and so no effects.

    Raises:
        DataError: UL310, all customers together cannot be compared within regimes.
    """
    parts = [merged(roll_up(cells, tuple(plan.segments)), told.names) for cells in intake.regimes]
    if not parts:
        return {}
    found: dict[Slice, Mapping[str, Moments]] = {}
    for place, groups in told.aggregates.items():
        inside = [part.get(place, {}) for part in parts]
        within = within_regimes(inside, tuple(groups))
        if within is None and place == OVERALL:
            regimes = intake.data.regimes
            raise thin_regime(regimes, {r.name: p for r, p in zip(regimes, inside, strict=True)})
        treated = {arm: group for arm, group in groups.items() if arm != plan.control}
        found[place] = within or treated
    return found


def _between(
    spec: EstimationSpec, aggregates: Aggregates, reading: InferenceSettings
) -> tuple[Contrast, ...]:
    """The arms that are compared with each other, as a whole."""
    whole = {OVERALL: aggregates[OVERALL]}
    return tuple(c for each in spec.between for c in contrasts_of(each, whole, reading))


def _shares(
    plan: Plan, spec: EstimationSpec, intake: Aggregation, arms: Collection[Moments]
) -> frozenset[str]:
    """The columns that are shares of units: of 0 and 1 in every arm, and not 0 for want of any.

    Nothing but zeros may also be money that nobody spent, unless a share is what was declared.
    """
    arm_flags = intake.flags.values()
    flags = [name for name in spec.columns if all(name in flags for flags in arm_flags)]
    some = {name for i, name in enumerate(spec.columns) if any(arm.mean[i] > 0 for arm in arms)}
    return frozenset(name for name in flags if name in some or _declared(plan, name, intake.data))


def _declared(plan: Plan, name: str, data: FactInputs) -> bool:
    """Whether a column is said to be a share, or holds true and false, or words for them."""
    if (metric := plan.metrics.get(name)) is None:
        return False
    frame, column = data.population, metric.column or ""
    kind = frame.columns.get(column)
    if metric.unit == "share" or metric.kind.share or kind == "boolean":
        return True
    if kind != "text" or column in frame.plain:
        return False
    value = f"c.{quote(column)}"
    odd = f"COUNT({value}) - COUNT({flag_sql(value, frame.form)})"
    return not data.number(f"SELECT {odd} AS n FROM {frame.relation}")  # noqa: S608 - quoted


def now_of(plan: Plan, setting: AnalysisContext) -> datetime:
    """The moment of the analysis on the program's clock."""
    return setting.now.astimezone(ZoneInfo(plan.program.time_zone)).replace(tzinfo=None)


def withheld(analysis: Analysis, checks: Sequence[CheckDefinition]) -> Analysis:
    """The analysis without effects and moments: what a failed critical check leaves of it."""
    numbers = ("estimate", "se", "low", "high", "p", "p_adjusted", "shrunken")
    blank = {**dict.fromkeys(numbers), "note": Note.invalid}
    findings, compared = (
        tuple(finding.model_copy(update=blank) for finding in part)
        for part in (analysis.findings, analysis.compared)
    )
    tell = {check.name for check in checks if check.tells == "effects"}
    kept = tuple(c for c in analysis.checks if c.name.partition(":")[0] not in tell)
    gone: dict[str, object] = {"money_sums": None}
    gone |= dict.fromkeys(
        (
            "heterogeneity",
            "reconciliations",
            "bridges",
            "beliefs",
            "moments",
            "means",
            "quantiles",
            "distribution",
        ),
        (),
    )
    return analysis.model_copy(
        update={
            "time_course": None,
            "findings": findings,
            "compared": compared,
            "checks": kept,
            **gone,
        }
    )


def _data(plan: Plan, facts: Facts, engine: Engine) -> tuple[DataFile, ...]:
    """The customers, and every table of events that was looked at, with all their rows."""
    rows = engine.query(f"SELECT COUNT(*) AS n FROM {CUSTOMERS}")["n"][0].as_py()  # noqa: S608 - our own name
    read = {"customers": (plan.customers, int(rows))}
    tables = facts.of(events) or {}
    read |= {name: (plan.sources[name], found.total) for name, found in tables.items()}
    found: list[DataFile] = []
    for name, (source, rows) in read.items():
        place, digest = engine.fingerprint(source)
        found.append(DataFile(source=name, file=place, sha256=digest, rows=rows))
    return tuple(found)


def _expected(
    plan: Plan, record: Record | None, regimes: Sequence[ShareRegime], facts: Facts
) -> dict[str, float]:
    """The share of all customers that each arm was to have."""
    if plan.experiment.assignment.within_given and plan.shares_from(None) is None:
        return realised_shares(facts.of(units_by_stratum) or {}, plan.arms)
    if not regimes:
        return expected_shares(plan, record)
    return mixed_shares(regimes, facts.of(units_by_stratum) or {})


def _arms(plan: Plan, aggregates: Aggregates, shares: Mapping[str, float]) -> tuple[ArmCount, ...]:
    return tuple(
        ArmCount(
            arm=name,
            title=arm.title,
            control=arm.control,
            channel=arm.channel,
            channel_title=None if arm.channel is None else plan.channels[arm.channel].title,
            n=aggregates[OVERALL][name].n if name in aggregates[OVERALL] else 0,
            expected_share=shares[name],
        )
        for name, arm in plan.arms.items()
    )


def _metrics(
    plan: Plan, spec: EstimationSpec, shares: frozenset[str], caps: Caps
) -> tuple[MetricInfo, ...]:
    """How each metric is named and shown; one that is capped is judged in its own's place."""
    asked = plan.experiment.metrics
    cut = {plan.judged(name): name for name in caps}
    roles: Mapping[str, str] = {
        **dict.fromkeys(plan.measured, "money"),
        **({asked.contacted: "secondary"} if asked.contacted else {}),
        **dict.fromkeys(asked.guardrails, "guardrail"),
        **dict.fromkeys(asked.secondary, "secondary"),
        asked.primary: "primary" if asked.primary not in caps else "secondary",
        **({plan.judged(asked.primary): "primary"} if asked.primary in caps else {}),
    }
    found: list[MetricInfo] = []
    for name in spec.metrics:
        own = cut.get(name, name)
        metric, limit = plan.metrics[own], caps.get(own) if name in cut else None
        title = metric.title or own
        values = spec.columns[spec.ratios[own][0]] if metric.missing == "drop" else own
        found.append(
            MetricInfo.model_validate(
                {
                    "name": name,
                    "title": title if limit is None else f"{title}{CUT}{limit:,.10g}",
                    "unit": metric.unit or _unit(plan, values, flag=values in shares),
                    "better": metric.better,
                    "role": roles.get(name, roles[own]),
                    "cap": limit,
                    "table": tabled(plan, own),
                }
            )
        )
    return tuple(found)


def _unit(plan: Plan, name: str, *, flag: bool) -> str:
    """A share where a customer's number is 0 or 1 by its definition, or in a column of such."""
    kind = plan.metrics[name].kind
    return "share" if kind.share or (kind.takes == "field" and flag) else "number"


def _segments(plan: Plan, spec: EstimationSpec, told: Shown) -> tuple[SegmentInfo, ...]:
    own = tuple(_segment(name, segment.title, told) for name, segment in plan.segments.items())
    if not spec.channels:
        return own
    return (SegmentInfo(name=CHANNEL, title="Contact channel", randomised=True), *own)


def _segment(name: str, title: str | None, told: Shown) -> SegmentInfo:
    joined, count = told.joined(name) or (None, 0)
    return SegmentInfo(
        name=name, title=title or name, randomised=False, joined=joined, joined_levels=count
    )


def _terms(plan: Plan, spec: EstimationSpec) -> MoneyTermsInfo | None:
    money = plan.experiment.money
    if money is None:
        return None
    shared = {"revenue": money.revenue, "margin": money.factor, "hurdle": money.hurdle}
    table = money.margin if isinstance(money.margin, dict) else {}
    rates = {
        step.line.key: {name: terms[step] for name, terms in spec.terms.items()} for step in RATED
    }
    return MoneyTermsInfo.model_validate(
        {
            "currency": plan.currency,
            **shared,
            **rates,
            "costs": money.costs,
            "margin_metric": money.earned,
            "margin_by": table.get(BY),
            "margins": shares(table),
        }
    )


def _moments(aggregates: Aggregates) -> tuple[CellMoments, ...]:
    return tuple(
        CellMoments(
            arm=arm,
            dimension=place.dimension,
            level=place.level,
            n=group.n,
            mean=tuple(map(float, group.mean)),
            m2=tuple(
                None if math.isnan(group.m2[i, j]) else float(group.m2[i, j])
                for i in range(len(group.mean))
                for j in range(i, len(group.mean))
            ),
            m3=tuple(None if math.isnan(value) else float(value) for value in group.m3),
        )
        for place, groups in aggregates.items()
        for arm, group in groups.items()
    )


def _provenance(setting: AnalysisContext) -> Provenance:
    from importlib.metadata import version  # noqa: PLC0415 - costs start-up, needed once

    return Provenance(
        version=__version__,
        python=platform.python_version(),
        engine=setting.engine.description,
        created=setting.now.astimezone(UTC).isoformat(timespec="seconds"),
        libraries={name: version(name) for name in ("numpy", "scipy", "pyarrow")},
    )
