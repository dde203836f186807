"""What a policy is worth: the mean of doubly robust scores over what it chooses for each customer.

With Γ_a the AIPW score of arm a (`scores`; Robins, Rotnitzky & Zhao 1994), the mean of Σ_a π_a Γ_a
estimates without bias what choosing arms with probabilities π would have brought (Dudík, Langford &
Li 2011; Athey & Wager 2021), if neither π nor the models behind Γ_a have seen the customer's
outcome. The scores may be of profit, Γ of value less Γ of cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.uplift.clusters import estimates
from upliftlab.uplift.sample import CONTROL

_SUM = 1e-9
"""How far a customer's probabilities may add up to anything but 1."""


@dataclass(frozen=True, slots=True, eq=False)
class TargetingPolicy:
    """Who gets what, and what it costs to offer it at all.

    Attributes:
        choice: The arm of each customer, shape (n,), or the probability of each arm for each,
            shape (n, arms).
        lump: Fixed costs per customer of the arms in use, taken off the policy's value.
    """

    choice: np.ndarray
    lump: float = 0.0

    @classmethod
    def using(cls, choice: np.ndarray, fixed: Array) -> Self:
        """A policy that pays the fixed costs of the arms it uses for anybody.

        Args:
            choice: As above.
            fixed: Fixed cost of each arm, the control's first, in money per customer: the amount
                divided by the customers among whom is chosen; shape (arms,).

        >>> TargetingPolicy.using(np.array([0, 2, 2]), np.array([0.0, 0.5, 0.2])).lump
        0.2
        """
        if choice.ndim == 1:
            used = np.bincount(choice, minlength=len(fixed)) > 0
        else:
            used = (choice > 0).any(axis=0)
        return cls(choice, float(np.asarray(fixed)[used].sum()))


def policy_value(
    scores: Array,
    policy: TargetingPolicy | np.ndarray,
    cluster: np.ndarray,
    confidence: float,
) -> Effect:
    """What a policy gains over treating nobody, per customer.

    Standard error by cluster, Student's t with one degree of freedom less than clusters.

    Args:
        scores: Doubly robust scores of each arm, the control's first, shape (n, arms).
        policy: Who gets what.
        cluster: A number per randomised unit, shape (n,).
        confidence: Level of the interval, such as 0.95.

    Raises:
        ValueError: A score is not finite, or a choice is none of the arms.

    >>> scores = np.array([[0.0, 2.0], [1.0, 0.0], [0.0, 4.0], [2.0, 2.0]])
    >>> found = policy_value(scores, np.array([1, 0, 1, 1]), np.arange(4), 0.95)
    >>> found.estimate, round(found.se, 4)
    (1.5, 0.9574)
    """
    return paired(scores, policy, np.full(len(scores), CONTROL), cluster, confidence)


def paired(
    scores: Array,
    policy: TargetingPolicy | np.ndarray,
    other: TargetingPolicy | np.ndarray,
    cluster: np.ndarray,
    confidence: float,
) -> Effect:
    """What a policy gains over another for the same customers, per customer.

    Customers for whom both choose alike add nothing to the standard error.

    Args:
        scores: Doubly robust scores of each arm, the control's first, shape (n, arms).
        policy: Who gets what.
        other: Who gets what otherwise.
        cluster: A number per randomised unit, shape (n,).
        confidence: Level of the interval, such as 0.95.

    Raises:
        ValueError: A score is not finite, or a choice is none of the arms.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if bad := int((~np.isfinite(scores)).sum()):
        raise ValueError(f"{bad} of {scores.size} scores are not finite numbers")
    one, two = (
        each if isinstance(each, TargetingPolicy) else TargetingPolicy(each)
        for each in (policy, other)
    )
    gained = score_of(scores, one.choice) - score_of(scores, two.choice)
    return _mean(gained, one.lump - two.lump, cluster, confidence)


def score_of(scores: Array, choice: np.ndarray) -> Array:
    """Each customer's score of what is chosen, shape (n,).

    Args:
        scores: Shape (n, arms).
        choice: As `TargetingPolicy.choice`.

    Raises:
        ValueError: A choice is none of the arms.
    """
    n, arms = scores.shape
    if choice.shape == (n, arms):
        if (choice < -_SUM).any() or (np.abs(choice.sum(axis=1) - 1) > _SUM).any():
            raise ValueError("probabilities of arms must be 0 or more and add up to 1")
        return np.einsum("na,na->n", choice, scores)
    if choice.shape != (n,) or choice.dtype.kind not in "iub":
        raise ValueError(f"a choice must be arms ({n},) or probabilities ({n}, {arms})")
    arm = choice.astype(np.int64)
    if n and not (arm.min() >= 0 and arm.max() < arms):
        raise ValueError(f"arms must be numbered from 0 to {arms - 1}")
    return scores[np.arange(n), arm]


def _mean(gained: Array, lump: float, cluster: np.ndarray, confidence: float) -> Effect:
    """The mean with its error by cluster, a known amount taken off."""
    if not len(gained):
        return Effect(None, note=Note.few_units)
    mean = float(gained.mean())
    if np.ptp(gained) == 0:
        return Effect(mean - lump, 0.0, note=Note.same_for_all)
    rows = (gained - mean)[:, None] / len(gained)
    [effect] = estimates(np.array([mean - lump]), rows, cluster, confidence)
    return effect


def everybody(n: int, arm: int) -> np.ndarray:
    """The same arm for all, shape (n,), int64; arm 0 treats nobody."""
    return np.full(n, arm, dtype=np.int64)


def at_random(choice: np.ndarray, costs: Array) -> Array:
    """The policy that spends the same on customers taken at random; probabilities, (n, arms).

    It offers the arms in the proportions in which the policy does, to so many customers that the
    mean cost is the policy's; to no more than all, though, even if that spends less. Where the
    arms cost nothing on average, it treats as many as the policy does.

    Args:
        choice: The arm of each customer, shape (n,).
        costs: Cost of each arm for each customer, the control's first, as predicted or as scored;
            shape (n, arms).

    >>> costs = np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 3.0], [0.0, 5.0]])
    >>> at_random(np.array([1, 0, 0, 0]), costs)[0].round(4)
    array([0.9167, 0.0833])
    """
    n, arms = costs.shape
    share = np.bincount(choice, minlength=arms)[1:] / n
    extra = costs - costs[:, [CONTROL]]
    mean, spent = float(share @ extra.mean(axis=0)[1:]), float(extra[np.arange(n), choice].mean())
    factor = max(0.0, spent / mean) if mean > 0 else 1.0
    treated = share * min(factor, 1 / max(share.sum(), 1e-300))
    row = np.concatenate([[1 - treated.sum()], treated])
    return np.broadcast_to(np.maximum(row, 0.0), (n, arms))
