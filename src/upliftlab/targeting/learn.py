"""From a plan and its data to an uplift result, and to what a list is made from.

It orchestrates and computes nothing: an analysis first, as nothing is learned from data that fail
its checks; then models that are judged on customers they were not shown; a heterogeneity test, and
behind a passed one policies, curves and descriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final, Literal

import numpy as np

from upliftlab.analysis.analyze import AnalysisContext, analyze, now_of
from upliftlab.analysis.estimation import amount, estimation_spec, terms_of
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.config.models.uplift import Uplift
from upliftlab.config.titles import arm_titles
from upliftlab.errors import ConfigError, DataError, Diagnostic
from upliftlab.results.analysis import Analysis, Message, Provenance, VerdictCode
from upliftlab.results.uplift import FeatureInfo, HeterogeneityGate, UpliftResult
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import Crossfit
from upliftlab.targeting.evaluation import (
    EvaluationInputs,
    cost_curve,
    deciles,
    gains,
    gates,
    learners,
    responders,
    sleeping,
)
from upliftlab.targeting.model import least_of
from upliftlab.targeting.narrative import answer, branch, english
from upliftlab.targeting.policies import (
    PolicyConstraints,
    Rules,
    TodayPolicy,
    best_constant,
    policies,
    tree_of,
)
from upliftlab.targeting.training_data import TrainingRows, learning_rows
from upliftlab.text.language import N_
from upliftlab.uplift.crossfit import crossfit
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import Learner, Name, learner
from upliftlab.uplift.sample import TrainingSample
from upliftlab.uplift.scores import NUISANCE, dr_scores
from upliftlab.uplift.tree import Tree

SEED: Final = 1
"""Of folds and models: the same plan and data give the same answer."""
_HALVING: Final = 0
"""Of the division into halves; folds have other seeds."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """What is learned from, and how.

    Attributes:
        plan: What was asked, with `uplift`.
        rows: The customers.
        encoding: What the columns of their features mean.
        size: For how many customers budget and fixed costs are; those of the experiment where it is
            None.
    """

    plan: Plan
    rows: TrainingRows
    encoding: Encoding
    size: float | None = None

    @property
    def asked(self) -> Uplift:
        """The plan's section."""
        assert self.plan.experiment.uplift is not None  # noqa: S101 - `learn` refuses it
        return self.plan.experiment.uplift

    def learner(self, name: Name) -> Learner:
        """A learner of the plan by its name."""
        return learner(name, self.asked.base, self.encoding, SEED)

    def crossfit(self, repeat: int, progress: Callable[[str], None]) -> Crossfit:
        """One division into folds, and what every learner says of customers it was not shown."""
        rows = self.rows
        sample = TrainingSample(
            self.encoding.encode(rows.table).values,
            rows.arm,
            rows.outcomes,
            rows.propensity,
            rows.cluster,
            fold_of(rows.cluster, self.asked.folds, SEED + repeat),
        )
        progress("Scoring outcomes")
        scores = dr_scores(sample, NUISANCE, self.encoding, SEED)
        predicted = dict[str, Array]()
        for name in self.asked.learners:
            progress(f"Learning with {name}")
            outcomes = range(sample.outcomes.shape[1])
            predicted[name] = crossfit(sample, self.learner(name), outcomes)
        judged = self.asked.learners[0]
        progress("Learning from halves")
        return Crossfit(sample, scores, predicted, judged, *halves(sample, self.learner(judged)))

    @property
    def budget(self) -> float | None:
        """The plan's, as much of it as falls to those learned from; None without one."""
        if self.asked.budget is None:
            return None
        return amount(self.asked.budget) * self._part

    @property
    def fixed(self) -> Array:
        """Fixed cost of each arm, the control's first, as much as falls to those learned from."""
        terms = terms_of(self.plan)
        costs = [terms[name].fixed if terms else 0.0 for name in self.rows.arms]
        return np.array(costs) * self._part

    @property
    def terms(self) -> PolicyConstraints:
        """What a policy has to keep to, as long as no gate is known to be open."""
        money = self.plan.experiment.money
        return PolicyConstraints(
            budget=self.budget,
            at_least=1.0 + max(0.0, money.hurdle if money else 0.0),
            fixed=self.fixed,
            open=(False,) * len(self.rows.arms),
            least=least_of(estimation_spec(self.plan)) if money else None,
        )

    @property
    def _part(self) -> float:
        return len(self.rows) / (self.size or self.rows.total)


def halves(sample: TrainingSample, learner: Learner) -> tuple[np.ndarray, tuple[Array, Array]]:
    """Which half each customer is in, and what a learner predicts that is shown one of them.

    Each half is divided into the same folds, so that nobody is predicted by who was shown them.
    """
    half = fold_of(sample.cluster, 2, _HALVING)
    outcomes = range(sample.outcomes.shape[1])
    one, two = (crossfit(sample, learner, outcomes, half == each) for each in (0, 1))
    return half, (one, two)


Unit = Literal["number", "money", "share"]
_EARLY = N_("Outcomes are not complete yet: what is learned now may change.")
_SAMPLED = N_("{n:count} of {all:count} customers were drawn by their id to learn from.")
_FALLS = N_("Effects are by how much '{metric}' falls, as lower is better.")
_TAKEN = N_("Taken as: higher '{metric}' is better, as nothing says which direction is good.")
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
        crossfits: Every division into folds, and what came of it.
        rules: How policies were compared.
        smallest: Customers that a group of the readable tree has at least.
    """

    responses: UpliftResult
    analysis: Analysis
    sample: TrainingSample
    encoding: Encoding
    judged: Learner
    crossfits: tuple[Crossfit, ...]
    rules: Rules
    smallest: int

    @property
    def tree(self) -> Tree:
        """The readable tree of all customers, as it is published behind an open gate."""
        return readable_tree(self.crossfits[0], self.encoding, self.smallest)

    @property
    def least(self) -> Array:
        """What contacting a customer costs at least, by treatment; shape (arms − 1,)."""
        known = self.rules.terms.least
        return np.zeros(len(self.rules.arms) - 1) if known is None else known


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
    training_set = TrainingSet(plan, rows, Encoding.fit(rows.table, plan.smallest_cell), size)
    crossfits = [
        training_set.crossfit(repeat, setting.progress)
        for repeat in range(training_set.asked.repeats)
    ]
    setting.progress("Judging models on customers they were not shown")
    responses, rules = _responses(training_set, crossfits, analysis)
    return Learned(
        responses,
        analysis,
        crossfits[0].sample,
        training_set.encoding,
        training_set.learner(training_set.asked.learners[0]),
        tuple(crossfits),
        rules,
        plan.smallest_cell,
    )


def readable_tree(first: Crossfit, encoding: Encoding, smallest: int) -> Tree:
    """The tree of all customers of the first division into folds."""
    return tree_of(first, encoding.categories, np.ones(len(first.sample), dtype=bool), smallest)


def _responses(
    training_set: TrainingSet, crossfits: Sequence[Crossfit], analysis: Analysis
) -> tuple[UpliftResult, Rules]:
    plan, rows = training_set.plan, training_set.rows
    asked = EvaluationInputs(
        plan.treatments, analysis.confidence, training_set.asked.base, plan.smallest_cell
    )
    found = gates(crossfits, asked)
    rules = _rules(training_set, found, asked)
    said = answer(found, money=rows.metric == PROFIT)
    money = plan.experiment.money
    learned = UpliftResult(
        experiment=analysis.experiment,
        title=analysis.title,
        titles=analysis.titles,
        arm_titles=arm_titles(plan),
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
        folds=training_set.asked.folds,
        repeats=training_set.asked.repeats,
        seed=SEED,
        budget=training_set.budget,
        hurdle=money.hurdle if money else 0.0,
        features=_features(training_set.encoding),
        open=any(gate.open for gate in found),
        sentence=english(said, plan.currency),
        sentence_parts=said,
        gates=found,
        learners=learners(crossfits, asked),
        policies=policies(crossfits, rules),
        notes=_notes(training_set, analysis),
        data=analysis.data,
        provenance=_provenance(analysis),
    )
    if learned.open:
        learned = _pictured(training_set, crossfits, asked, learned)
    return learned, rules


def _pictured(
    training_set: TrainingSet,
    crossfits: Sequence[Crossfit],
    asked: EvaluationInputs,
    learned: UpliftResult,
) -> UpliftResult:
    """The same with what a ranking looks like, for the arms whose gate is open."""
    first, encoding = crossfits[0], training_set.encoding
    arms = [arm for arm, gate in enumerate(learned.gates, 1) if gate.open]
    names = dict(enumerate(asked.arms, 1))
    tree = readable_tree(first, encoding, asked.smallest)
    curves = [curve for arm in arms for curve in gains(crossfits, asked, arm)]
    if first.money:
        best = best_constant(first, training_set.fixed)
        curves.append(cost_curve(crossfits, asked, _terms(training_set, learned.gates), best))
    harmed = [sleeping(crossfits, asked, arm) for arm in arms]
    return learned.model_copy(
        update={
            "deciles": tuple(each for arm in arms for each in deciles(crossfits, asked, arm)),
            "curves": tuple(curves),
            "tree": branch(tree.root, encoding, (training_set.plan.control, *asked.arms)),
            "responders": tuple(
                each for arm in arms for each in responders(first, encoding, arm, names[arm])
            ),
            "sleeping": tuple(each for each in harmed if each is not None),
        }
    )


def _rules(
    training_set: TrainingSet, found: Sequence[HeterogeneityGate], asked: EvaluationInputs
) -> Rules:
    plan, rows = training_set.plan, training_set.rows
    today = training_set.asked.today
    rule = None
    if today is not None and rows.today is not None:
        arm = plan.treatments.index(today.arm) + 1 if today.arm else 1
        rule = TodayPolicy(arm, today.where, rows.today)
    arms = (plan.control, *plan.treatments)
    terms = _terms(training_set, found)
    return Rules(arms, terms, asked.confidence, training_set.encoding.categories, rule)


def _terms(training_set: TrainingSet, found: Sequence[HeterogeneityGate]) -> PolicyConstraints:
    return replace(training_set.terms, open=(False, *(gate.open for gate in found)))


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


def _notes(training_set: TrainingSet, analysis: Analysis) -> tuple[Message, ...]:
    found = [*training_set.encoding.notes]
    if training_set.rows.falls:
        found.append(Message(template=_FALLS, values={"metric": training_set.rows.metric}))
    learned = training_set.plan.metrics.get(training_set.rows.metric)
    if learned is not None and not learned.has_direction:
        found.append(Message(template=_TAKEN, values={"metric": training_set.rows.metric}))
    if analysis.verdict.code is VerdictCode.not_final:
        found.append(Message(template=_EARLY))
    customers, every = len(training_set.rows.arm), training_set.rows.total
    if customers < every:
        found.append(Message(template=_SAMPLED, values={"n": customers, "all": every}))
    if training_set.asked.repeats > 1:
        found.append(Message(template=_OVER, values={"repeats": training_set.asked.repeats}))
    return tuple(found)
