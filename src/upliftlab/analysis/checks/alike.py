"""Are segments, and the features that models learn from, spread alike over the arms?

What a campaign itself changed, such as who opened its mail, would look like customers who respond.
Every segment and every feature is asked about; p is multiplied by their number (Bonferroni).
"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.analysis.population import CUSTOMERS, population_of, timed
from upliftlab.analysis.record import Record
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.features import features_of
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.queries.spread import Counted, spread_of, table_of
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.spread import LevelSpread, spread
from upliftlab.text.language import N_

_STRATUM = N_("Not asked: customers were assigned within each level of {segment}.")


@Fact
def segments_within(data: FactInputs) -> Mapping[str, Counted] | None:
    """Units by stratum, level and arm of every segment; None without strata."""
    if "stratum" not in data.population.own:
        return None
    found = dict[str, Counted]()
    for at, name in enumerate(data.spec.segments):
        rows = data.engine.query(
            f"SELECT CAST(arm AS VARCHAR) AS arm, stratum, CAST(s{at} AS VARCHAR) AS level,"
            f" {data.count} AS n FROM {data.units} GROUP BY 1, 2, 3"
        )
        found[name] = table_of(rows.to_pylist(), list(data.plan.arms)), None
    return found


@Fact
def features_by_arm(data: FactInputs) -> Mapping[str, Counted] | None:
    """Units by stratum, level and arm of every feature that is no segment.

    Of features that are not what they should be nothing is counted here: learning refuses them.
    """
    try:
        return _features(data.plan, data.population, data.engine)
    except DataError:
        return None


def _features(
    plan: Plan, frame: AnalysisPopulation, engine: Engine
) -> Mapping[str, Counted] | None:
    asked = plan.experiment.uplift
    if asked is None or plan.customers.group_size is not None:
        return None
    features = features_of(asked, CUSTOMERS, plan.customers, engine)
    kinds, arms = features.kinds, list(plan.arms)
    return {
        name: spread_of(frame, (sql, kinds[name]), arms, engine)
        for name, sql in zip(kinds, features.sql("c.").values(), strict=True)
        if not _same(plan, name)
    }


def _same(plan: Plan, feature: str) -> bool:
    """Whether a segment of the same name is the column itself, and so is asked about already."""
    segment = plan.segments.get(feature)
    return segment is not None and segment.column == feature and segment.bands is None


def spread_alike(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether every segment and every feature is spread alike over the arms."""
    within = inputs.facts.of(segments_within)
    features = inputs.facts.of(features_by_arm) or {}
    segments = {
        name: (within or {}).get(name) or _cells(inputs, name) for name in inputs.plan.segments
    }
    number = len(segments) + len(features)
    for name, counted in segments.items():
        tested = spread(*counted)
        if tested is None and name in inputs.plan.experiment.assignment.strata:
            yield unasked(_STRATUM, {"segment": name}, (name,))
        else:
            yield _segment(name, tested, number)
    for name, counted in features.items():
        subject = ("feature", name) if name in segments else (name,)
        yield _feature(name, spread(*counted), number, subject)


def _cells(inputs: CheckInputs, segment: str) -> Counted:
    """Units by level and arm, as they were counted for the estimates."""
    levels = [g for place, g in inputs.aggregates.items() if place.dimension == segment]
    arms = inputs.plan.arms
    counts = [[g[arm].n if arm in g else 0 for arm in arms] for g in levels]
    return np.array(counts, dtype=np.float64).reshape(1, len(levels), len(arms)), None


def _segment(name: str, tested: LevelSpread | None, number: int) -> CheckAnswer:
    about: dict[str, Scalar] = {"segment": name}
    if tested is None:
        text = N_("Not asked: {segment} has too few levels or too few customers in them.")
        return unasked(text, about, (name,))
    passed, p = _judged(tested, number)
    text = N_(
        "{segment} differs between the arms (p: {p:p}; a level's share by up to {apart:percent}): "
        "the campaign changed it, or customers were not drawn at random. Take {segment} as it was "
        "before the campaign, or leave it out of 'segments'."
    )
    if passed:
        text = N_("{segment} is spread alike over the arms (p: {p:p}).")
    return _answer(text, about, (name,), (tested, p))


def _feature(
    name: str, tested: LevelSpread | None, number: int, subject: tuple[str, ...]
) -> CheckAnswer:
    about: dict[str, Scalar] = {"feature": name}
    if tested is None:
        text = N_("Not asked: the feature {feature} is the same for nearly all customers.")
        return unasked(text, about, subject)
    passed, p = _judged(tested, number)
    text = N_(
        "The feature {feature} differs between the arms (p: {p:p}; a level's share by up to "
        "{apart:percent}): the campaign changed it, or customers were not drawn at random. Take "
        "{feature} as it was before the campaign, or leave it out of 'uplift: features'."
    )
    if passed:
        text = N_("The feature {feature} is spread alike over the arms (p: {p:p}).")
    return _answer(text, about, subject, (tested, p))


def _judged(tested: LevelSpread, number: int) -> tuple[bool, float]:
    """Whether nothing is wrong, and p adjusted for so many questions."""
    p = min(1.0, tested.p * number)
    return p >= IMPLAUSIBLE, p


def _answer(
    text: str,
    about: Mapping[str, Scalar],
    subject: tuple[str, ...],
    found: tuple[LevelSpread, float],
) -> CheckAnswer:
    tested, p = found
    values = {**about, "p": p, "apart": tested.apart}
    passed = p >= IMPLAUSIBLE
    return CheckAnswer(passed, text, values, subject, Severity.critical, tested.statistic, p)


def refuse_changed_features(plan: Plan, engine: Engine, record: Record | None) -> None:
    """Refuse to go on with a model of features that differ between the arms it learned from.

    Raises:
        DataError: UL623, naming each; what `population_of` and `features_of` raise.
    """
    frame, _ = timed(plan, population_of(plan, engine, record), engine)
    counted = _features(plan, frame, engine) or {}
    tested = {name: spread(*each) for name, each in counted.items()}
    number = len(counted) + len(plan.segments)
    faults = [
        Diagnostic(
            "UL623",
            f"the feature '{name}' differs between the arms that the model learned from",
            f"take '{name}' as it was before the campaign, or leave it out, and learn again",
        )
        for name, found in tested.items()
        if found is not None and not _judged(found, number)[0]
    ]
    if faults:
        raise DataError(faults)
