"""The verb `uplift`: from a plan and its data to Responses, and to what a list is made from.

It orchestrates and computes nothing: an analysis first, as nothing is learned from data that fail
its checks; then models that are judged on customers they were not shown; a gate, and behind an
open one policies, curves and descriptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Literal

import numpy as np

from upliftlab.analysis.analyze import AnalysisContext, analyze, now_of
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.errors import ConfigError, DataError, Diagnostic
from upliftlab.results.analysis import Analysis, Message, Provenance, VerdictCode
from upliftlab.results.uplift import FeatureInfo, HeterogeneityGate, UpliftResult
from upliftlab.targeting.choices import PolicyConstraints, best_constant, tree_of
from upliftlab.targeting.crossfit import Crossfit
from upliftlab.targeting.judgement import EvaluationInputs, gates, learners
from upliftlab.targeting.lesson import SEED, TrainingSet
from upliftlab.targeting.picture import cost_curve, deciles, gains, sleeping
from upliftlab.targeting.policies import Rules, TodayPolicy, policies
from upliftlab.targeting.profile import responders
from upliftlab.targeting.rows import TrainingRows, learning_rows
from upliftlab.targeting.told import answer, branch, english
from upliftlab.text.language import N_
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.learners import Learner
from upliftlab.uplift.sample import TrainingSample

Unit = Literal["number", "money", "share"]
_EARLY = N_("Outcomes are not complete yet: what is learned now may change.")
_SAMPLED = N_("{n:count} of {all:count} customers were drawn by their id to learn from.")
_FALLS = N_("Effects are by how much '{metric}' falls, as lower is better.")
_OVER = N_(
    "Numbers are means over {repeats:count} divisions into folds; cost curve, tree and what tells "
    "responders apart are of the first."
)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was found, and what it takes to go on from it.

    Attributes:
        responses: What was found.
        analysis: The analysis that came before.
        sample: The customers, with the first division into folds.
        encoding: What the columns of the features mean.
        judged: The learner that decides, not fitted.
    """

    responses: UpliftResult
    analysis: Analysis
    sample: TrainingSample
    encoding: Encoding
    judged: Learner


def learn(plan: Plan, setting: AnalysisContext, size: float | None = None) -> Learned:
    """Learn who responds to what, and whether targeting pays.

    Args:
        plan: What was asked.
        setting: Engine, clock, listener and record, as for an analysis.
        size: For how many customers budget and fixed costs are; those of the experiment by default.

    Raises:
        ConfigError: UL608, the plan names no features.
        DataError: UL609, a critical check failed; what `analyze`, `learning_rows`, `Encoding.fit`
            and a learner raise.
    """
    if plan.experiment.uplift is None:
        raise ConfigError(
            Diagnostic(
                "UL608", "the plan names nothing to learn from", "add 'uplift: {features: […]}'"
            )
        )
    with setting.engine.reading():
        return _learned(plan, setting, size)


def _learned(plan: Plan, setting: AnalysisContext, size: float | None) -> Learned:
    analysis = analyze(plan, setting)
    if analysis.verdict.code is VerdictCode.invalid:
        raise DataError(
            Diagnostic(
                "UL609", f"nothing is learned: {analysis.verdict.sentence}", "see the report"
            )
        )
    setting.progress("Reading what is known of customers")
    rows = learning_rows(plan, setting.engine, setting.record, now_of(plan, setting))
    setting.engine.confirm()
    lesson = TrainingSet(plan, rows, Encoding.fit(rows.table, plan.smallest_cell), size)
    crossfits = [
        lesson.crossfit(repeat, setting.progress) for repeat in range(lesson.asked.repeats)
    ]
    setting.progress("Judging models on customers they were not shown")
    return Learned(
        _responses(lesson, crossfits, analysis),
        analysis,
        crossfits[0].sample,
        lesson.encoding,
        lesson.learner(lesson.asked.learners[0]),
    )


def _responses(
    lesson: TrainingSet, crossfits: Sequence[Crossfit], analysis: Analysis
) -> UpliftResult:
    plan, rows = lesson.plan, lesson.rows
    asked = EvaluationInputs(
        plan.treatments, analysis.confidence, lesson.asked.base, plan.smallest_cell
    )
    found = gates(crossfits, asked)
    said = answer(found)
    money = plan.experiment.money
    learned = UpliftResult(
        experiment=analysis.experiment,
        title=analysis.title,
        plan_sha256=plan.sha256,
        metric=rows.metric,
        unit=_unit(rows, analysis),
        currency=plan.currency,
        confidence=analysis.confidence,
        randomised=analysis.unit,
        customers=len(rows.arm),
        sampled_from=rows.total,
        units=rows.units,
        control=plan.control,
        arms=plan.treatments,
        folds=lesson.asked.folds,
        repeats=lesson.asked.repeats,
        seed=SEED,
        budget=lesson.budget,
        hurdle=money.hurdle if money else 0.0,
        features=_features(lesson.encoding),
        open=any(gate.open for gate in found),
        sentence=english(said, plan.currency),
        sentence_parts=said,
        gates=found,
        learners=learners(crossfits, asked),
        policies=policies(crossfits, _rules(lesson, found, asked)),
        notes=_notes(lesson, analysis),
        data=analysis.data,
        provenance=_provenance(analysis),
    )
    return _pictured(lesson, crossfits, asked, learned) if learned.open else learned


def _pictured(
    lesson: TrainingSet,
    crossfits: Sequence[Crossfit],
    asked: EvaluationInputs,
    learned: UpliftResult,
) -> UpliftResult:
    """The same with what a ranking looks like, for the arms whose gate is open."""
    first, encoding = crossfits[0], lesson.encoding
    arms = [arm for arm, gate in enumerate(learned.gates, 1) if gate.open]
    names = dict(enumerate(asked.arms, 1))
    everybody = np.ones(len(first.sample), dtype=bool)
    tree = tree_of(first, encoding.categories, everybody, asked.smallest)
    curves = [curve for arm in arms for curve in gains(crossfits, asked, arm)]
    if first.money:
        best = best_constant(first, lesson.fixed)
        curves.append(cost_curve(crossfits, asked, _terms(lesson, learned.gates), best))
    harmed = [sleeping(crossfits, asked, arm) for arm in arms]
    return learned.model_copy(
        update={
            "deciles": tuple(each for arm in arms for each in deciles(crossfits, asked, arm)),
            "curves": tuple(curves),
            "tree": branch(tree.root, encoding, (lesson.plan.control, *asked.arms)),
            "responders": tuple(
                each for arm in arms for each in responders(first, encoding, arm, names[arm])
            ),
            "sleeping": tuple(each for each in harmed if each is not None),
        }
    )


def _rules(
    lesson: TrainingSet, found: Sequence[HeterogeneityGate], asked: EvaluationInputs
) -> Rules:
    plan, rows = lesson.plan, lesson.rows
    today = lesson.asked.today
    rule = None
    if today is not None and rows.today is not None:
        arm = plan.treatments.index(today.arm) + 1 if today.arm else 1
        rule = TodayPolicy(arm, today.where, rows.today)
    arms = (plan.control, *plan.treatments)
    terms = _terms(lesson, found)
    return Rules(arms, terms, asked.confidence, lesson.encoding.categories, rule)


def _terms(lesson: TrainingSet, found: Sequence[HeterogeneityGate]) -> PolicyConstraints:
    return replace(lesson.terms, open=(False, *(gate.open for gate in found)))


def _unit(rows: TrainingRows, analysis: Analysis) -> Unit:
    units: dict[str, Unit] = {metric.name: metric.unit for metric in analysis.metrics}
    return "money" if rows.metric == PROFIT else units[rows.metric]


def _provenance(analysis: Analysis) -> Provenance:
    """The analysis' own, with the libraries that learn."""
    own = analysis.provenance
    learning = {name: version(name) for name in ("scikit-learn", "scikit-uplift")}
    return own.model_copy(update={"libraries": own.libraries | learning})


def _features(encoding: Encoding) -> tuple[FeatureInfo, ...]:
    return tuple(
        FeatureInfo(name=each.name, kind=each.kind, missing=each.missing, levels=each.levels)
        for each in encoding.features
    )


def _notes(lesson: TrainingSet, analysis: Analysis) -> tuple[Message, ...]:
    found = [*lesson.encoding.notes]
    if lesson.rows.falls:
        found.append(Message(template=_FALLS, values={"metric": lesson.rows.metric}))
    if analysis.verdict.code is VerdictCode.not_final:
        found.append(Message(template=_EARLY))
    customers, every = len(lesson.rows.arm), lesson.rows.total
    if customers < every:
        found.append(Message(template=_SAMPLED, values={"n": customers, "all": every}))
    if lesson.asked.repeats > 1:
        found.append(Message(template=_OVER, values={"repeats": lesson.asked.repeats}))
    return tuple(found)
