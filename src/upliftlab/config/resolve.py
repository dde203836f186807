"""An experiment and what it refers to → a plan in which nothing is left to look up.

Merging is by presence, never by truth: a cost of 0 that is written counts as written. What is
missing is reported and replaced by a neutral value, so that every other rule can still be checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from upliftlab.config.document import Document
from upliftlab.config.margins import with_margins
from upliftlab.config.mending import mending
from upliftlab.config.models import Channel, Costs, EngineSettings, Metric, Offer, Segment, Source
from upliftlab.config.models.experiment import ONE_EACH, PROFIT, Arm, ExperimentFile, Plan
from upliftlab.config.models.metrics import TOTALS, totals
from upliftlab.config.scope import declared_metrics
from upliftlab.config.shared import Shared, source_fault
from upliftlab.config.uncertain import with_uncertain
from upliftlab.config.windows import BEFORE, before, in_window, known_before
from upliftlab.errors import Diagnostic
from upliftlab.util.nearest import closest, surely

_COUNTED = ("contacts", "redemptions")
_MONEY_KEYS = ("revenue", *_COUNTED, "conversions")


@dataclass(frozen=True, slots=True)
class ReadExperiment:
    """An experiment file that could be read, before anything is looked up."""

    document: Document
    experiment: ExperimentFile


@dataclass(frozen=True, slots=True)
class Resolution:
    """A plan with what was missing on the way to it."""

    plan: Plan
    faults: tuple[Diagnostic, ...]


def resolve(draft: ReadExperiment, shared: Shared) -> Resolution:
    """The plan of an experiment in its workspace."""
    draft = _with_event_costs(draft, shared)
    work = _Work(draft, shared)
    experiment = draft.experiment
    customers = work.customers()
    metrics = work.metrics(customers)
    covariates = work.covariates(metrics, customers)
    segments = work.segments(customers)
    plan = Plan.model_construct(
        experiment=experiment,
        customers=customers,
        currency=experiment.currency or shared.program.currency,
        engine=_engine(experiment.engine, shared.program.engine),
        arms=work.arms(),
        channels=work.channels,
        metrics=metrics,
        covariates=covariates,
        segments=segments,
        sources=_sources((*metrics.values(), *covariates.values()), segments, shared),
        program=shared.program,
    )
    return Resolution(with_uncertain(with_margins(plan)), tuple(work.faults))


def named_metrics(experiment: ExperimentFile) -> list[tuple[str, tuple[str | int, ...]]]:
    """Every metric an experiment names, with the way to where it does."""
    metrics = experiment.metrics
    named: list[tuple[str, tuple[str | int, ...]]] = [(metrics.primary, ("metrics", "primary"))]
    named += [(name, ("metrics", "secondary", at)) for at, name in enumerate(metrics.secondary)]
    named += [(name, ("metrics", "guardrails", name)) for name in metrics.guardrails]
    named += [(metrics.contacted, ("metrics", "contacted"))] if metrics.contacted else []
    for key in _MONEY_KEYS if experiment.money else ():
        if name := getattr(experiment.money, key):
            named.append((name, ("money", key)))
    if experiment.money and isinstance(experiment.money.margin, str):
        named.append((experiment.money.margin, ("money", "margin")))
    costs = experiment.money.costs if experiment.money else ()
    named += [(name, ("money", "costs", at)) for at, name in enumerate(costs)]
    return [(name, path) for name, path in named if name != PROFIT]


def _with_event_costs(draft: ReadExperiment, shared: Shared) -> ReadExperiment:
    """Contacts and redemptions counted from events, where configs/ says how."""
    money = draft.experiment.money
    if money is None:
        return draft
    found: dict[str, str | None] = {}
    if _single_customers(draft.experiment, shared):
        declared = declared_metrics(draft.experiment, shared)
        over_events = {name for name in _COUNTED if name in declared and declared[name].source}
        found |= {name: name for name in over_events if getattr(money, name) is None}
    if money.contacts == ONE_EACH:  # as where nothing counts them
        found["contacts"] = None
    experiment = draft.experiment.model_copy(update={"money": money.model_copy(update=found)})
    return ReadExperiment(draft.document, experiment)


def _single_customers(experiment: ExperimentFile, shared: Shared) -> bool:
    """Whether customers are a source of configs/ with a row for each."""
    named = experiment.customers
    if not isinstance(named, str):
        return False
    customers = (shared.sources or {}).get(named)
    return customers is None or customers.group_size is None


@dataclass(slots=True)
class _Work:
    draft: ReadExperiment
    shared: Shared
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    faults: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @property
    def declared(self) -> dict[str, Metric]:
        return declared_metrics(self.draft.experiment, self.shared)

    def customers(self) -> Source:
        """The customers' table, with the columns that the experiment computes."""
        source, own = self._customers(), self.draft.experiment.columns
        return source.model_copy(update={"columns": {**source.columns, **own}}) if own else source

    def _customers(self) -> Source:
        given = self.draft.experiment.customers
        if isinstance(given, Source):
            return given
        place = self.draft.document.at("customers")
        if fault := source_fault(given, self.shared, place):
            self.faults.append(fault)
        return (self.shared.sources or {}).get(given) or Source(table=given)

    def arms(self) -> dict[str, Arm]:
        return {name: self._arm(name, arm) for name, arm in self.draft.experiment.arms.items()}

    def _arm(self, name: str, arm: Arm) -> Arm:
        layers: list[Costs] = []
        if arm.channel is not None:
            channel = self._declared("channel", arm.channel, self.shared.channels, name)
            self.channels[arm.channel] = channel or Channel()
            layers.append(self.channels[arm.channel])
        if arm.offer is not None:
            layers.append(self._declared("offer", arm.offer, self.shared.offers, name) or Offer())
        layers.append(arm)
        costs: dict[str, Any] = {}
        for layer in layers:
            written = layer.model_fields_set & Costs.model_fields.keys()
            costs |= {key: getattr(layer, key) for key in Costs.model_fields if key in written}
        return arm.model_copy(update=costs)

    def _declared(self, kind: str, name: str, declared: Mapping[str, Any] | None, arm: str) -> Any:  # noqa: ANN401 - a channel or an offer
        if declared is None or name in declared:
            return (declared or {}).get(name)
        near = closest(name, list(declared), cutoff=0.6)
        remedy = f"did you mean '{near}'?" if near else "declare it in configs/channels.yaml"
        code = {"channel": "UL104", "offer": "UL105"}[kind]
        place = self.draft.document.at("arms", arm, kind)
        message = f"arm '{arm}': the {kind} '{name}' is not declared"
        fault = Diagnostic(code, message, remedy, place)
        self.faults.append(mending(fault, surely(name, declared, cutoff=0.6)))
        return None

    def metrics(self, customers: Source) -> dict[str, Metric]:
        chosen: dict[str, Metric] = {}
        for name, path in named_metrics(self.draft.experiment):
            if name not in chosen:
                found = self._metric(name, path, customers)
                chosen |= {name: found} if found else {}
        todo = list(chosen.values())
        while todo:
            for part in todo.pop().parts:
                if part not in chosen:
                    chosen[part] = self._nearest(part, customers) or Metric(column=part)
                    todo.append(chosen[part])
        window = self.draft.experiment.outcome_window
        used = {name: in_window(self._typed(name, m), window) for name, m in chosen.items()}
        return {name: part for own in used for name, part in _apart(own, used)}

    def covariates(self, metrics: Mapping[str, Metric], customers: Source) -> dict[str, Metric]:
        """What was known before: metrics over the time before the start, else columns."""
        declared, window = self.declared, self.draft.experiment.outcome_window
        found: dict[str, Metric] = {}
        known = known_before(declared)
        for at, name in enumerate(self.draft.experiment.analysis.covariates):
            stem = name.removesuffix(BEFORE)
            metric = metrics.get(stem) or declared.get(stem)
            if stem != name and metric and metric.has_before:
                found[name] = before(in_window(metric, window))
            else:
                if name not in declared:
                    path = ("analysis", "covariates", at)
                    self._column_or_typo("covariate", name, path, (known, customers))
                found[name] = Metric(column=name)
        return found

    def _metric(self, name: str, path: tuple[str | int, ...], customers: Source) -> Metric | None:
        """A metric or a column; of a misspelt name the metric that is meant, None for profit."""
        if found := self._nearest(name, customers):
            return found
        declared = self.declared
        known: dict[str, Metric | None] = dict(declared)
        known |= {PROFIT: None} if self.draft.experiment.money else {}
        near = self._column_or_typo("metric", name, path, (known, customers))
        return Metric(column=name) if near is None else known[near]

    def _nearest(self, name: str, customers: Source) -> Metric | None:
        """A metric as it is declared; the customers' own table is nearer than configs/."""
        said = self.declared.get(name)
        if name not in customers.outcomes or name in self.draft.experiment.metrics.define:
            return said
        sums = customers.aggregated
        unit = "share" if sums is not None and name in sums.units_with else None
        if said is None:
            return Metric(column=name, unit=unit)
        if said.present == name:  # of that very column
            return said
        missing = said.missing if said.column == name else "fail"
        direction: dict[str, Any] = {"better": said.better} if said.has_direction else {}
        return Metric(
            column=name, missing=missing, unit=said.unit or unit, title=said.title, **direction
        )

    def _column_or_typo(
        self,
        kind: str,
        name: str,
        path: tuple[str | int, ...],
        known: tuple[Collection[str], Source],
    ) -> str | None:
        """An undeclared name is a column, unless it looks like a declared one misspelt.

        Without data the columns are not known; `check --data` has the last word on the rest.
        """
        declared, customers = known
        near = None if name in declared else closest(name, list(declared), cutoff=0.8)
        told = (*customers.outcomes, *customers.attributes, *customers.columns)
        told += customers.known_before
        if near is None or name in told:
            return None
        code, file = ("UL108", "segments") if kind == "segment" else ("UL107", "metrics")
        message = f"the {kind} '{name}' is not declared"
        remedy = f"did you mean '{near}'? If a column is meant, declare it in configs/{file}.yaml"
        place = self.draft.document.at(*path, key=path[-2:-1] == ("guardrails",))
        self.faults.append(Diagnostic(code, message, remedy, place))
        return near

    def _typed(self, name: str, metric: Metric) -> Metric:
        """The metric with what its use in the experiment tells: money, and which way is good."""
        experiment = self.draft.experiment
        update: dict[str, Any] = {}
        revenue = experiment.money is not None and name in experiment.money.amounts
        if metric.unit is None and revenue:
            update["unit"] = "money"
        guardrail = experiment.metrics.guardrails.get(name)
        if revenue and not metric.has_direction:
            update["better"] = "higher"
        elif guardrail and not metric.has_direction:
            update["better"] = "lower" if guardrail.max_increase is not None else "higher"
        return metric.model_copy(update=update) if update else metric

    def segments(self, customers: Source) -> dict[str, Segment]:
        declared = self.shared.segments or {}
        chosen: dict[str, Segment] = {}
        for at, name in enumerate(self.draft.experiment.segments):
            if name in declared:
                chosen[name] = declared[name]
                continue
            self._column_or_typo("segment", name, ("segments", at), (declared, customers))
            chosen[name] = Segment(column=name)
        return chosen


def _engine(chosen: EngineSettings | None, default: EngineSettings | None) -> EngineSettings:
    """The experiment's engine over the program's; another engine inherits nothing."""
    if chosen is None or default is None:
        return chosen or default or EngineSettings()
    if "name" in chosen.model_fields_set and chosen.name != default.name:
        return chosen
    written = {key: getattr(chosen, key) for key in chosen.model_fields_set}
    return default.model_copy(update=written)


def _apart(name: str, used: Mapping[str, Metric]) -> Iterator[tuple[str, Metric]]:
    """A metric by its name; one that leaves customers out is a ratio, after its two totals."""
    metric = used[name]
    if metric.kind.missing == "zero":
        yield name, metric
        return
    above, below = (f"{name}{suffix}" for suffix in TOTALS)
    while above in used or below in used:  # somebody's metric has that name
        above, below = f"{above}'", f"{below}'"
    yield from zip((above, below), totals(metric), strict=True)
    kept = {"better", "unit", "title", "missing"} & metric.model_fields_set
    shown = {key: getattr(metric, key) for key in sorted(kept)}
    yield name, Metric.model_construct(ratio=(above, below), **shown)


def _sources(
    metrics: Iterable[Metric], segments: Mapping[str, Segment], shared: Shared
) -> dict[str, Source]:
    names = [metric.source for metric in metrics]
    names += [segment.source for segment in segments.values()]
    if policy := shared.program.contact_policy:
        names += [policy.contacts, policy.complaints]
    declared = shared.sources or {}
    return {name: declared[name] for name in dict.fromkeys(names) if name in declared and name}
