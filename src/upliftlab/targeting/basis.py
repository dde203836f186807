"""The basis: what a model rests on, learned just now or taken from a file and fitted again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.results.analysis import DataFile
from upliftlab.results.costs import Per
from upliftlab.results.targets import TargetModel
from upliftlab.results.uplift import Estimate, PolicyValue, UpliftResult
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, VALUE
from upliftlab.targeting.forecast import Forecast, average_effects, least_costs
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.learners import Learner
from upliftlab.uplift.sample import TrainingSample


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """What a model rests on.

    Attributes:
        sample: The customers it is shown; outcomes are value before marketing cost, and cost.
        judged: The learner that decides, not fitted.
        data: Where the customers come from.
        opened: Whether each treatment's gate is open.
        gain: What the model's policy is worth beyond contacting nobody; None where not judged.
        realised: What came of each unit of profit that was foretold of those chosen; None where
            not judged.
        saved: The sha256 of the model's file; None where it was learned afresh.
        ready: The models, where they are fitted already.
    """

    sample: TrainingSample
    judged: Learner
    data: tuple[DataFile, ...]
    opened: tuple[bool, ...]
    gain: Estimate | None
    realised: Estimate | None = None
    saved: str | None = None
    ready: Forecast | None = None

    @property
    def encoding(self) -> Encoding:
        """What the model is given of each customer."""
        return self.judged.recipe.encoding

    @property
    def believed(self) -> float:
        """What is taken to come of each unit that is foretold: as much as came, if anything did."""
        known = None if self.realised is None else self.realised.estimate
        return known if known is not None and known > 0 else 1.0

    @property
    def told(self) -> TargetModel:
        """The basis as it is published."""
        recipe = self.judged.recipe
        return TargetModel(
            learner=self.judged.name,
            base=recipe.base,
            seed=recipe.seed,
            learned_from=len(self.sample),
            features=self.encoding.names,
            gain=self.gain or Estimate(estimate=None),
            realised=self.realised,
            saved=self.saved,
        )


def forecast(basis: FittedModel, study: EstimationSpec) -> Forecast:
    """Fit the models on all customers of the experiment, unless they are.

    Raises:
        DataError: UL607, an arm has too few customers.
    """
    if basis.ready is not None:
        return basis.ready
    ranked = any(basis.opened)
    return Forecast(
        value=basis.judged.fit(basis.sample, VALUE) if ranked else None,
        cost=basis.judged.fit(basis.sample, COST) if ranked else None,
        open=np.array(basis.opened, dtype=bool),
        average=average_effects(basis.sample),
        least=least_of(study),
        realised=basis.believed,
    )


def judged_policy(responses: UpliftResult) -> PolicyValue | None:
    """The model's policy that a list follows: within the budget, else without; None if neither."""
    found = {policy.name: policy for policy in responses.policies}
    return found.get("budget") or found.get("return")


def least_of(study: EstimationSpec) -> Array:
    """What each treatment costs at least beyond the control, shape (arms − 1,).

    What everybody in an arm costs, a contact as well unless contacts are counted: then not all are
    reached.
    """
    terms = [study.terms[arm] for arm in (study.control, *study.treatments)]
    everybody = study.roles is None or study.roles.contacts is None
    paid = (Per.customer, Per.contact) if everybody else (Per.customer,)
    return least_costs([sum(each.paid(per) for per in paid) for each in terms])
