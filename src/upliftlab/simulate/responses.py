"""What the campaign does to customers: chance draws from it, the truth averages it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.simulate.calendar import Floats, Integers
from upliftlab.simulate.people import People


@dataclass(frozen=True, slots=True)
class Treatment:
    """What an arm does to a customer within 28 days.

    Attributes:
        name: The arm.
        channel: How it contacts; None for the control.
        extra: Orders more than if left alone, by habit.
        affinity: Multiplies them, by preferred channel.
        redeems: Of customers who order, the share who redeem the voucher with their first order.
        unsubscribes: Times that a customer is expected to unsubscribe.
        complains: Expected complaints.
        cost_per_contact: In EUR.
        fixed_cost: In EUR.
    """

    name: str
    channel: str | None = None
    extra: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    affinity: tuple[float, ...] = (1.0, 1.0, 1.0)
    redeems: float = 0.0
    unsubscribes: float = 0.004
    complains: float = 0.008
    cost_per_contact: float = 0.0
    fixed_cost: float = 0.0


# Those who buy anyway redeem gladly: a subsidy. Those in decline can be won back, by e-mail more
# than by SMS, which costs more and drives more of them away.
ARMS = (
    Treatment("holdout"),
    Treatment(
        "email_voucher",
        "email",
        (0.01, 0.07, 0.18, 0.05, 0.06),
        (0.8, 1.2, 1.1),
        redeems=0.42,
        unsubscribes=0.006,
        complains=0.008,
        cost_per_contact=0.02,
        fixed_cost=500.0,
    ),
    Treatment(
        "sms_voucher",
        "sms",
        (0.01, 0.03, 0.06, 0.02, 0.03),
        (1.0, 0.8, 1.3),
        redeems=0.60,
        unsubscribes=0.010,
        complains=0.010,
        cost_per_contact=0.08,
    ),
)
CONTROL = 0
MARGIN = 0.35
COST_PER_REDEMPTION = 10.0
DELIVERED = 0.98
"""The share of messages that arrive."""


@dataclass(frozen=True, slots=True)
class AssignedArms:
    """Who was assigned to what.

    Attributes:
        arms: Numbers of `kinds` by customer, -1 for customers in no arm.
        starts: The day it begins for each, counted from the first wave's.
        kinds: What the arms do; the control's stands first.
    """

    arms: Integers
    starts: Integers
    kinds: tuple[Treatment, ...] = ARMS

    @property
    def treatments(self) -> Integers:
        """Numbers of `kinds`, the control's for customers in no arm: nothing is done to them."""
        return np.maximum(self.arms, CONTROL)


def extra_orders(people: People, arm: Treatment) -> Floats:
    """Orders that an arm brings each customer."""
    affinity = np.array(arm.affinity)[people.codes["preferred_channel"]]
    return np.array(arm.extra)[people.habit] * affinity


def buys(people: People, arm: Treatment) -> Floats:
    """Each customer's probability of ordering at least once."""
    return 1 - np.exp(-(people.expected_orders + extra_orders(people, arm)))


def buys_twice(people: People, arm: Treatment) -> Floats:
    """Each customer's probability of ordering at least twice."""
    rate = people.expected_orders + extra_orders(people, arm)
    return 1 - np.exp(-rate) * (1 + rate)
