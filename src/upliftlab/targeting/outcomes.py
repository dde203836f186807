"""Outcomes: what models learn from, made of what is counted per customer.

With money, two columns: value, the contribution margin on revenue, and the sum of the cost lines.
What is paid for a whole arm is no part of either: it does not depend on who is contacted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.errors import DataError, Diagnostic
from upliftlab.money import Roles, projection
from upliftlab.results.costs import CostStep
from upliftlab.stats.moments import Array


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How outcomes come from the unit table.

    Attributes:
        metric: `profit`, or the metric's name.
        counted: The columns of the unit table that are needed, in order.
        weights: For profit, by arm: value and cost per unit of each; shape (2, counted).
        fixed: For profit, by arm: value and cost that every customer has; shape (2,).
        falls: Whether the metric is to fall, and so is turned round.
    """

    metric: str
    counted: tuple[str, ...]
    weights: Mapping[str, Array]
    fixed: Mapping[str, Array]
    falls: bool = False

    def of(self, arms: tuple[str, ...], arm: np.ndarray, counted: Array) -> Array:
        """Outcomes of customers.

        Of a metric that is to fall, 1 − y where all are 0 or 1, else −y: more is better, and
        effects are those on the metric with the sign changed.

        Args:
            arms: The names of the arms.
            arm: The number of each customer's arm, shape (n,).
            counted: What is counted of them, shape (n, counted).

        Returns:
            Shape (n, 2), value and cost, for profit; else (n, 1).
        """
        if not self.weights:
            if not self.falls:
                return counted
            flags = bool(np.isin(counted, (0.0, 1.0)).all())
            return 1.0 - counted if flags else -counted
        found = np.empty((len(arm), 2))
        for number, name in enumerate(arms):
            rows = arm == number
            found[rows] = counted[rows] @ self.weights[name].T + self.fixed[name]
        return found


def outcomes_of(plan: Plan) -> Outcomes:
    """The outcomes that a plan learns from.

    Raises:
        DataError: UL610, it is a ratio of totals, which no single customer has.
    """
    name, study = plan.learned, estimation_spec(plan)
    if name == PROFIT and study.roles is not None:
        return _profit(study, study.roles)
    metric = plan.metrics.get(name)
    if metric is None or metric.ratio is not None:
        what = "a ratio of totals" if metric else "not measured"
        message = f"models cannot learn from '{name}', which is {what}"
        raise DataError(Diagnostic("UL610", message, "name another by 'uplift: {metric: …}'"))
    return Outcomes(name, (name,), {}, {}, falls=metric.better == "lower")


def _profit(study: EstimationSpec, roles: Roles) -> Outcomes:
    size, own = len(study.columns), replace(roles, size=None)
    used = tuple(dict.fromkeys(own.columns))
    items = [size + step.column for step in (CostStep.margin, CostStep.cost)]
    weights: dict[str, Array] = {}
    fixed: dict[str, Array] = {}
    for arm, terms in study.terms.items():
        made = projection(size, own, terms.variable)
        weights[arm] = made.matrix[np.ix_(items, used)]
        fixed[arm] = made.offset[items]
    return Outcomes(PROFIT, tuple(study.columns[at] for at in used), weights, fixed)
