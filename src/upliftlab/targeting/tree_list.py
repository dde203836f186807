"""A list by the readable tree: what it gives whom, and what that is expected to bring.

The tree is grown on all customers of the experiment, so what its groups gained among them flatters
it: it is the best of many for just these customers. What is expected of a group is therefore that
gain times what came true of trees that were grown in the same way without the customers whom they
were judged on. Those who are chosen are put in no order but that of chance, so that what a budget
leaves of them is a random part, of which the same is expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.results.analysis import DataFile, Message
from upliftlab.results.targets import TargetModel
from upliftlab.results.uplift import Estimate
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, Crossfit
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.sample import CONTROL
from upliftlab.uplift.tree import Tree


@dataclass(frozen=True, slots=True, eq=False)
class TreeForecast:
    """What is expected of customers by the group of a tree that they are in.

    Attributes:
        tree: Whom it gives what.
        cost: What each group's arm costs a customer beyond the control; 0 of the control's groups;
            shape (groups,).
        least: What contacting a customer costs at least, shape (arms − 1,).
        realised: What comes of each unit of profit that the tree foretells.
    """

    tree: Tree
    cost: Array
    least: Array
    realised: float

    @property
    def alike(self) -> float:
        """What a unit of money brings, whoever of those chosen it is spent on at random.

        Groups count by their customers in the experiment; without a cost it is infinite.
        """
        groups = self.tree.groups
        spent = sum(each.n * float(cost) for each, cost in zip(groups, self.cost, strict=True))
        gain = sum(each.n * each.value for each in groups)
        return 1 + self.realised * gain / spent if spent > 0 else np.inf

    def expect(self, features: Array) -> tuple[np.ndarray, np.ndarray]:
        """Expected value before cost, and cost, each of shape (n, arms − 1), float32.

        An arm that the tree does not give a customer adds nothing, so that it is not chosen.
        """
        groups = self.tree.groups
        cost = np.repeat(self.least[None, :], len(groups), axis=0)
        value = np.zeros_like(cost)
        for number, group in enumerate(groups):
            if group.arm is not None and group.arm != CONTROL:
                cost[number, group.arm - 1] = self.cost[number]
                value[number, group.arm - 1] = self.cost[number] + self.realised * group.value
        place = self.tree.group_of(features)
        return value[place].astype(np.float32), cost[place].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class TreeBasis:
    """What a list by the tree rests on.

    Attributes:
        data: Where the customers come from that it was grown on.
        opened: Whether each treatment's gate is open.
        encoding: What the tree is given of each customer.
        ready: What is expected of customers.
        told: The basis as it is published.
        why: Why it is not known that the list pays; None where it is.
    """

    data: tuple[DataFile, ...]
    opened: tuple[bool, ...]
    encoding: Encoding
    ready: TreeForecast
    told: TargetModel
    why: Message | None

    @property
    def realised(self) -> Estimate | None:
        """What came of each unit of profit that trees foretold of customers not shown to them."""
        return self.told.realised

    @property
    def believed(self) -> float:
        """What is taken to come of each unit that the tree foretells."""
        return self.ready.realised


def group_costs(tree: Tree, crossfit: Crossfit, least: Array) -> Array:
    """What each group's arm costs a customer of it beyond the control, shape (groups,).

    Means of doubly robust scores among the experiment's customers of the group, and not below what
    a contact costs; 0 of a group that is not contacted.

    Args:
        tree: Whom it gives what.
        crossfit: The customers, with their scores.
        least: What contacting a customer costs at least, shape (arms − 1,).
    """
    place, found = tree.group_of(crossfit.sample.features), np.zeros(len(tree.groups))
    for number, group in enumerate(tree.groups):
        if group.arm is not None and group.arm != CONTROL:
            costs = crossfit.scores[place == number][:, :, COST]
            added = float((costs[:, group.arm] - costs[:, CONTROL]).mean())
            found[number] = max(added, float(least[group.arm - 1]))
    return found
