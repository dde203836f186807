"""Does targeting keep its promises? Customers whose responses are known, learned from many times.

Prints how often intervals of a policy's value hold the truth, how often the gate opens where nobody
responds differently, and how much of what an oracle gains over random contact the model gains.
`benchmarks/README.md` says how to run it and what was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import get_args

import numpy as np

from upliftlab.targeting.evaluation import EvaluationInputs, gates
from upliftlab.targeting.policies import PolicyConstraints, Rules, by_cost, policies
from upliftlab.uplift.bases import Base
from upliftlab.uplift.cost_curve import CostCurve
from upliftlab.uplift.learners import Name
from upliftlab.validation.responding import CONTACT, SPREAD, crossfitted, experiment, world

ARMS = ("nobody", "mail", "text")
BUDGET = 0.15
"""What may be spent, per customer of all."""
CONFIDENCE = 0.95
LEAST = np.array(CONTACT[1:])
"""What contacting a customer costs at least, under each arm."""


@dataclass(frozen=True, slots=True)
class Held:
    """Of one experiment: by policy, whether its interval held the truth, and missed below or above.

    Attributes:
        missed: By policy: 0 if the interval holds the true gain, -1 if it lies below, 1 if above.
        opened: Whether any gate opened.
    """

    missed: dict[str, int]
    opened: bool


def trial(seed: int, n: int, members: int, *, varies: bool) -> Held:
    """One experiment, learned from and judged."""
    truth = world(n, seed, varies=varies, members=members)
    found = crossfitted(*experiment(truth, seed))
    tested = gates([found], EvaluationInputs(ARMS[1:], CONFIDENCE, "linear"))
    opened = any(gate.open for gate in tested)
    terms = PolicyConstraints(BUDGET * n, 1.0, np.zeros(3), (False, True, True), LEAST)
    rules = Rules(ARMS, terms, CONFIDENCE, (3,))
    chosen = {
        "budget": by_cost(found, terms, terms.budget),
        "return": by_cost(found, terms, None),
        "all mail": np.full(n, 1),
    }
    told = {policy.name: policy for policy in policies([found], rules) if policy.arm != "text"}
    told["all mail"] = told.pop("treat_all")
    missed = dict[str, int]()
    for name, arms in chosen.items():
        gain = truth.profit[np.arange(n), arms].mean() - truth.profit[:, 0].mean()
        value = told[name].value
        missed[name] = int(value.low > gain) - int(value.high < gain)
    return Held(missed, opened)


def oracle(n: int, seed: int, name: Name, base: Base, spread: float) -> float:
    """Of what an oracle gains over random contact within the budget, the share a learner gains.

    It learns from one experiment and spends on customers it has not seen.
    """
    truth, others = world(n, seed), world(n, seed + 1)
    sample, encoding = experiment(truth, seed, spread=spread)
    from upliftlab.uplift.learners import learner  # noqa: PLC0415 - slow to import

    made = learner(name, base, encoding, 1)
    features = encoding.encode(others.features).values
    value, cost = (made.fit(sample, outcome).effects(features) for outcome in (0, 1))
    gained = others.profit - others.profit[:, [0]]
    spent, rows = others.cost - others.cost[:, [0]], np.arange(n)

    def worth(arms: np.ndarray) -> float:
        """True gain of a choice, its true cost scaled to the budget if it spends more."""
        over = max(1.0, spent[rows, arms].sum() / (BUDGET * n))
        return float(gained[rows, arms].mean() / over)

    model = CostCurve.fit(np.maximum(cost, LEAST), value).choose(BUDGET * n, 1.0)
    extra = others.value - others.value[:, [0]]
    best = CostCurve.fit(spent[:, 1:], extra[:, 1:]).choose(BUDGET * n, 1.0)
    means = CostCurve.fit(spent[:, 1:].mean(axis=0)[None], extra[:, 1:].mean(axis=0)[None])
    random = float(means.shares(BUDGET, 1.0)[0] @ gained.mean(axis=0))
    return (worth(model) - random) / (worth(best) - random)


@dataclass(frozen=True, slots=True)
class Listed:
    """What was expected of customers not seen before, per customer of all, and what is true.

    Attributes:
        open: Whether any gate opened, so that there would be a list.
        foretold: Profit as the model foretells it of those it chooses.
        expected: The same as far as predictions came true in the experiment.
        true: What these customers bring.
        missed: 0 if the interval of what is expected holds that, -1 if below it, 1 if above.
    """

    open: bool
    foretold: float
    expected: float
    true: float
    missed: int


def listed(seed: int, n: int, spread: float) -> Listed:
    """A list within the budget by the default learner, as if all gates were open."""
    from upliftlab.uplift.learners import learner  # noqa: PLC0415 - slow to import

    name, base = "two_models_ddr_control", "boosting"
    truth, others = world(n, seed), world(n, seed + 1_000_000)
    sample, encoding = experiment(truth, seed, spread=spread)
    found = crossfitted(sample, encoding, name, base)
    opened = any(gate.open for gate in gates([found], EvaluationInputs(ARMS[1:], CONFIDENCE, base)))
    terms = PolicyConstraints(BUDGET * n, 1.0, np.zeros(3), (False, True, True), LEAST)
    told = {each.name: each for each in policies([found], Rules(ARMS, terms, CONFIDENCE, (3,)))}
    known = told["budget"].realised
    made = learner(name, base, encoding, 1)
    features = encoding.encode(others.features).values
    value, cost = (made.fit(sample, outcome).effects(features) for outcome in (0, 1))
    cost = np.maximum(cost, LEAST)
    arms, rows = CostCurve.fit(cost, value).choose(BUDGET * n, 1.0), np.arange(n)
    foretold = float(np.column_stack([np.zeros(n), value - cost])[rows, arms].mean())
    true = float((others.profit[rows, arms] - others.profit[:, 0]).mean())
    missed = int(known.low * foretold > true) - int(known.high * foretold < true)
    return Listed(opened, foretold, known.estimate * foretold, true, missed)


def compared(name: str, found: list[Listed]) -> str:
    """A line of what was expected beside what came."""
    if not found:
        return f"{name:<44} none"
    foretold, expected, true = (
        sum(getattr(each, one) for each in found) for one in ("foretold", "expected", "true")
    )
    missed = np.array([each.missed for each in found])
    return (
        f"{name:<44} {len(found):>4}   foretold / true {foretold / true:.2f}"
        f"   expected / true {expected / true:.2f}   holds the truth {(missed == 0).mean():.1%}"
        f"   above it {(missed > 0).mean():.1%}   below it {(missed < 0).mean():.1%}"
    )


def report(name: str, found: list[Held]) -> Iterator[str]:
    """Lines of a table."""
    opened = sum(held.opened for held in found) / len(found)
    yield f"{name:<34} gate open in {opened:6.1%}"
    for policy in found[0].missed:
        sides = np.array([held.missed[policy] for held in found])
        yield (
            f"    {policy:<10} holds the truth {(sides == 0).mean():6.1%}"
            f"   above it {(sides > 0).mean():5.1%}   below it {(sides < 0).mean():5.1%}"
        )


def main() -> None:
    """Run all of it; one process a core."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--rows", type=int, default=6_000, help="customers of an experiment")
    parser.add_argument("--oracle", type=int, default=200_000, help="customers of the oracle's")
    parser.add_argument("--draws", type=int, default=1, help="how often the oracle is asked")
    parser.add_argument("--base", default="boosting", choices=get_args(Base))
    parser.add_argument("--learners", nargs="+", default=get_args(Name), choices=get_args(Name))
    parser.add_argument("--lists", type=int, default=100, help="lists to hold against the truth")
    parser.add_argument("--list-rows", type=int, default=20_000, help="customers of such a list")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    seeds = range(1, chosen.replications + 1)
    with ProcessPoolExecutor(chosen.processes) as pool:
        for name, varies, members in (
            ("customers who differ", True, 1),
            ("households of 2 who differ", True, 2),
            ("nobody responds differently", False, 1),
            ("the same, households of 2", False, 2),
        ):
            if not chosen.replications:
                break
            run = partial(trial, n=chosen.rows, members=members, varies=varies)
            print("\n".join(report(name, list(pool.map(run, seeds, chunksize=10)))), flush=True)
        for spread in (SPREAD, 1.0) if chosen.lists else ():
            run = partial(listed, n=chosen.list_rows, spread=spread)
            lists = list(pool.map(run, range(1, chosen.lists + 1)))
            name = f"lists, amounts with sigma {spread}"
            print(compared(name, lists), flush=True)
            opened = [each for each in lists if each.open]
            print(compared(f"{name}, gate open", opened), flush=True)
    for name, spread in product(chosen.learners if chosen.oracle else (), (SPREAD, 1.0)):
        draws = range(1, chosen.draws + 1)
        shares = [oracle(chosen.oracle, seed, name, chosen.base, spread) for seed in draws]
        told = f"{np.mean(shares):.1%} of the oracle's gain over random contact"
        print(f"{name}, sigma {spread}: {told}", flush=True)


if __name__ == "__main__":
    main()
