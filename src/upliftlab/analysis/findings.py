"""Findings: every number with its interval, and p-values adjusted within their families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from upliftlab.analysis.cube import OVERALL, Cube, Place
from upliftlab.analysis.study import Study
from upliftlab.experiment import Plan
from upliftlab.results import Finding, Kind, Note
from upliftlab.stats.adjust import benjamini_hochberg, holm
from upliftlab.stats.effects import Effect, Form, Pair, welch
from upliftlab.stats.ratio import fieller

CHANNEL = "contact_channel"
"""The dimension of the channels through which arms contact; customers are randomised to them."""
CONFIRMATORY = "confirmatory"
SECONDARY = "secondary"
GUARDRAIL = "guardrail"
EXPLORATORY = "exploratory"
CHANNELS = "channels"
_LINEAR = (Kind.difference, Kind.adjusted_difference, Kind.incremental_profit)
"""Kinds whose interval is Welch's; the others' is Fieller's."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """A treated group against the control in one place."""

    place: Place
    arm: str | None
    pair: Pair
    sharp: Pair
    """Adjusted for the covariates, where there are some."""

    @property
    def wide(self) -> bool:
        """Whether every kind of number is asked: overall and per contact channel."""
        return self.place.dimension in (None, CHANNEL)


def find(plan: Plan, study: Study, cube: Cube) -> tuple[Finding, ...]:
    """All findings of a study.

    Args:
        plan: The roles of metrics.
        study: What is compared.
        cube: The projected cube (`Study.projected`).
    """
    found = [
        finding
        for subject in _subjects(study, cube)
        for finding in (*_metric_findings(plan, study, subject), *_money_findings(study, subject))
    ]
    return _adjusted(found)


def _subjects(study: Study, cube: Cube) -> Iterator[_Subject]:
    for arm in study.treatments:
        yield _subject(study, OVERALL, arm, study.pair(cube[OVERALL], (arm,)))
    for channel, arms in study.channels.items():
        yield _subject(study, Place(CHANNEL, channel), None, study.pair(cube[OVERALL], arms))
    for place, groups in cube.items():
        if place != OVERALL:
            for arm in study.treatments:
                yield _subject(study, place, arm, study.pair(groups, (arm,)))


def _subject(study: Study, place: Place, arm: str | None, pair: Pair) -> _Subject:
    return _Subject(place, arm, pair, study.sharpened(pair))


def _metric_findings(plan: Plan, study: Study, subject: _Subject) -> Iterator[Finding]:
    asked = plan.experiment.metrics
    for name in study.metrics:
        index = study.place(name, subject.pair)
        family = _family(plan, subject, name)
        effect = difference(subject.pair, index, study.confidence)
        yield _finding(study, subject, (Kind.difference, name, family), effect)
        if study.covariates and (subject.wide or name == asked.primary):
            sharp = adjusted_difference(subject.sharp, index, study.confidence)
            yield _finding(study, subject, (Kind.adjusted_difference, name, family), sharp)
        if subject.wide or name == asked.primary:
            lift = relative_lift(subject.pair, index, study.confidence)
            yield _finding(study, subject, (Kind.relative_lift, name, family), lift)


def _money_findings(study: Study, subject: _Subject) -> Iterator[Finding]:
    if study.roles is None:
        return
    question = study.question(subject.sharp)
    revenue = study.columns[study.roles.revenue]
    family = _looking(subject) if subject.place.dimension else CONFIRMATORY
    asked: list[tuple[Kind, str, Callable[[], Effect]]] = [
        (Kind.incremental_profit, revenue, question.incremental_profit),
        (Kind.roi, revenue, question.roi),
    ]
    if subject.wide:
        asked.append((Kind.iroas, revenue, question.iroas))
        if study.roles.conversions is not None:
            conversions = study.columns[study.roles.conversions]
            asked.append((Kind.cost_per_conversion, conversions, question.cost_per_conversion))
    for kind, metric, ask in asked:
        yield _finding(study, subject, (kind, metric, family), ask())


def difference(pair: Pair, column: int, confidence: float) -> Effect:
    """Treated mean less control mean."""
    if column in pair.undefined and pair.unusable is None:
        return Effect(None, note=Note.no_denominator)
    return welch(pair, Form.difference(len(pair.treated.mean), {column: 1.0}), confidence)


def adjusted_difference(pair: Pair, column: int, confidence: float) -> Effect:
    """The difference of an adjusted pair; absent where the pair could not be adjusted."""
    if pair.pooled is None and pair.unusable is None:
        return Effect(None, note=Note.not_adjusted)
    return difference(pair, column, confidence)


def relative_lift(pair: Pair, column: int, confidence: float) -> Effect:
    """The difference over the size of the control's mean: from −10 to −5 is +50 %."""
    if column in pair.undefined and pair.unusable is None:
        return Effect(None, note=Note.no_denominator)
    control = float(pair.control.mean[column])
    if pair.unusable is None and control == 0:
        return Effect(None, note=Note.zero_control)
    size = len(pair.treated.mean)
    weights = np.zeros(size)
    weights[column] = 1.0 if control > 0 else -1.0
    numerator = Form.difference(size, {column: 1.0})
    return fieller(pair, numerator, Form(np.zeros(size), weights), confidence)


def _family(plan: Plan, subject: _Subject, metric: str) -> str:
    asked = plan.experiment.metrics
    if subject.place.dimension:
        return _looking(subject)
    if metric == asked.primary:
        return CONFIRMATORY
    return GUARDRAIL if metric in asked.guardrails else SECONDARY


def _looking(subject: _Subject) -> str:
    """Customers are drawn into contact channels, but segments are looked through for effects."""
    return CHANNELS if subject.place.dimension == CHANNEL else EXPLORATORY


def _finding(
    study: Study, subject: _Subject, named: tuple[Kind, str, str], effect: Effect
) -> Finding:
    kind, metric, family = named
    return Finding(
        kind=kind,
        metric=metric,
        arm=subject.arm,
        control=study.control,
        dimension=subject.place.dimension,
        level=subject.place.level,
        n_treated=subject.pair.treated.n,
        n_control=subject.pair.control.n,
        estimate=effect.estimate,
        se=effect.se,
        low=effect.low,
        high=effect.high,
        p=effect.p,
        family=None if effect.p is None else family,
        method=_method(study, subject, kind, metric),
        confidence=study.confidence,
        note=effect.note,
    )


def _method(study: Study, subject: _Subject, kind: Kind, metric: str) -> str:
    """Welch's interval where means of units are compared; of quotients, by the delta method."""
    if kind not in _LINEAR:
        return "fieller"
    if kind is not Kind.difference and subject.sharp.pooled is not None:
        return "lin"
    return "delta" if study.size is not None or metric in study.ratios else "welch"


def _adjusted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Adjust p-values: Benjamini–Hochberg where one explores, Holm elsewhere.

    A family is one kind of number: of the primary metric (and of money) over the arms, of all
    secondary metrics over the arms, of each guardrail over the arms, of one metric over the
    contact channels; exploring, of one metric over every level of every segment and the arms.
    """
    families: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, finding in enumerate(findings):
        if finding.p is not None and finding.family is not None:
            metric = "" if finding.family == SECONDARY else finding.metric
            families[finding.family, finding.kind, metric].append(index)
    result = list(findings)
    for key, members in families.items():
        values = [p for index in members if (p := findings[index].p) is not None]
        adjust = benjamini_hochberg if key[0] == EXPLORATORY else holm
        for index, value in zip(members, adjust(values), strict=True):
            result[index] = findings[index].model_copy(update={"p_adjusted": value})
    return tuple(result)
