"""What targeting promises, on customers whose responses are known (`benchmarks/targeting.py`)."""

import numpy as np
import pytest

from upliftlab.targeting.evaluation import EvaluationInputs, gates
from upliftlab.targeting.policies import PolicyConstraints, Rules, by_cost, policies
from upliftlab.validation.responding import crossfitted, experiment, world

ARMS = ("nobody", "mail", "text")
N, TRIALS = 1_000, 60


@pytest.fixture(scope="module", params=[1, 2], ids=["customers", "households"])
def trials(request):
    """By trial: whether the interval of the model's value holds the truth."""
    found = []
    for seed in range(TRIALS):
        truth = world(N, seed, members=request.param)
        crossfit = crossfitted(*experiment(truth, seed))
        terms = PolicyConstraints(0.15 * N, 1.0, np.zeros(3), (False, True, True))
        arms = by_cost(crossfit, terms, terms.budget)
        told = policies([crossfit], Rules(ARMS, terms, 0.95, (3,)))
        value = next(policy.value for policy in told if policy.name == "budget")
        gain = (truth.profit[np.arange(N), arms] - truth.profit[:, 0]).mean()
        found.append(value.low <= gain <= value.high)
    return found


def test_intervals_of_a_policys_value_hold_the_truth(trials):
    assert sum(trials) >= 52  # 57 of 60 are expected; fewer come in 1 of 100


def test_the_gate_stays_shut_where_nobody_responds_differently():
    opened = 0
    for seed in range(TRIALS):
        crossfit = crossfitted(*experiment(world(N, seed, varies=False), seed))
        opened += any(
            gate.open for gate in gates([crossfit], EvaluationInputs(ARMS[1:], 0.95, "linear"))
        )
    assert opened <= 7  # 3 of 60 are allowed; more than 7 come in 1 of 100


def test_what_an_arm_adds_is_foretold_where_customers_are_many():
    truth = world(60_000, 1)
    crossfit = crossfitted(*experiment(truth, 1), "doubly_robust")
    mail = truth.value[:, 1] - truth.value[:, 0]
    assert np.corrcoef(crossfit.predicted["doubly_robust"][:, 0, 0], mail)[0, 1] > 0.5
    assert any(gate.open for gate in gates([crossfit], EvaluationInputs(ARMS[1:], 0.95, "linear")))
