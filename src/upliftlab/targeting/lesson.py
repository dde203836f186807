"""The lesson: what is learned from, and how; all that depends on a plan's section 'uplift'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from upliftlab.analysis.estimation import amount, estimation_spec, terms_of
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.uplift import Uplift
from upliftlab.stats.moments import Array
from upliftlab.targeting.basis import least_of
from upliftlab.targeting.choices import PolicyConstraints
from upliftlab.targeting.crossfit import Crossfit
from upliftlab.targeting.rows import TrainingRows
from upliftlab.uplift.crossfit import crossfit
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import NUISANCE, Learner, Name, learner
from upliftlab.uplift.sample import TrainingSample
from upliftlab.uplift.scores import dr_scores

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
