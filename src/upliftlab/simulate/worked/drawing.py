"""The tables of a worked example, as a shop would have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from upliftlab.simulate.calendar import FIRST, WINDOW, Floats, Integers, Times, at_hours, spread_out
from upliftlab.simulate.people import factor
from upliftlab.simulate.responses import DELIVERED, MARGIN
from upliftlab.simulate.worked.behaviour import HABIT, Behaviour, Clientele, brought, kept

HISTORY: Final = 168
"""Days of purchases before the campaign."""
_AFTER: Final = 7
"""Days of purchases past the outcome window: the records go on."""
Orders = tuple[Integers, Times, Floats]
"""Whose each order is, when, and its mean amount."""


@dataclass(frozen=True, slots=True)
class InArms:
    """Customers in their arms.

    Attributes:
        kinds: Level numbers of each trait.
        habit: What each buys if left alone, over what their kind does.
        arms: Numbers of the arms.
    """

    kinds: dict[str, Integers]
    habit: Floats
    arms: Integers


@dataclass(frozen=True, slots=True)
class Draw(InArms):
    """Customers who were drawn, in their arms, and what they did.

    Attributes:
        orders: All their orders.
    """

    orders: pd.DataFrame


def draw(
    random: np.random.Generator,
    clientele: Clientele,
    behaviours: tuple[Behaviour, ...],
    customers: int,
) -> Draw:
    """Draw customers, their arms and their orders."""
    kinds = {
        name: random.choice(len(trait.levels), size=customers, p=trait.shares)
        for name, trait in clientele.traits.items()
    }
    habit = random.gamma(HABIT, 1 / HABIT, customers)
    shares = [behaviour.share for behaviour in behaviours]
    arms = random.choice(len(behaviours), size=customers, p=np.array(shares) / sum(shares))
    return respond(random, clientele, behaviours, InArms(kinds, habit, arms))


def respond(
    random: np.random.Generator,
    clientele: Clientele,
    behaviours: tuple[Behaviour, ...],
    people: InArms,
) -> Draw:
    """Draw what customers do who are in their arms already."""
    kinds, habit, arms = people.kinds, people.habit, people.arms
    alone, amount = clientele.alone(kinds) * habit, clientele.amount(kinds)
    parts = [
        _orders(random, alone * HISTORY / WINDOW, amount, (-HISTORY, HISTORY)),
        _orders(random, alone * _AFTER / WINDOW, amount, (WINDOW, _AFTER)),
    ]
    for number, behaviour in enumerate(behaviours):
        here, since = arms == number, (behaviour.day, WINDOW - behaviour.day)
        anyway = np.where(here, kept(clientele, behaviour, kinds) * habit, 0.0)
        more = np.where(here, brought(behaviour, kinds), 0.0)
        price = np.full(len(arms), behaviour.price) if behaviour.price is not None else amount
        parts.append(_orders(random, anyway, amount, (0, WINDOW)))
        parts.append(_orders(random, more, price, since))
    return Draw(kinds, habit, arms, _orders_table(random, parts, behaviours, arms))


def customers_table(
    clientele: Clientele, behaviours: tuple[Behaviour, ...], drawn: Draw
) -> pd.DataFrame:
    """What the shop knows of its customers, and the arm of each."""
    traits = {n: np.array(t.levels)[drawn.kinds[n]] for n, t in clientele.traits.items()}
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, len(drawn.arms) + 1),
            **traits,
            "arm": np.array([behaviour.arm for behaviour in behaviours])[drawn.arms],
            "starts": FIRST,
            "as_of": FIRST - timedelta(days=1),
        }
    )


def contacts_table(
    random: np.random.Generator, behaviours: tuple[Behaviour, ...], arms: Integers, name: str
) -> pd.DataFrame:
    """What was sent."""
    channels = np.array([behaviour.channel or "" for behaviour in behaviours])[arms]
    reached = np.flatnonzero((channels != "") & (random.random(len(arms)) < DELIVERED))
    days = np.array([behaviour.day for behaviour in behaviours])[arms[reached]]
    return pd.DataFrame(
        {
            "contact_id": np.arange(1, len(reached) + 1),
            "customer_id": reached + 1,
            "sent_at": at_hours(random, days),
            "campaign": name,
            "channel": channels[reached],
        }
    )


def redemptions_table(
    random: np.random.Generator, behaviours: tuple[Behaviour, ...], drawn: Draw, name: str
) -> pd.DataFrame:
    """Redeemed with the first order of the window, whether it would have come anyway or not."""
    orders = drawn.orders
    within = orders[_in_window(orders["ordered_at"])].drop_duplicates("customer_id")
    shares = np.array([behaviour.redeems for behaviour in behaviours])
    share = shares[drawn.arms[within["customer_id"].to_numpy() - 1]]
    redeemed = within[random.random(len(within)) < share]
    return pd.DataFrame(
        {
            "redemption_id": np.arange(1, len(redeemed) + 1),
            "customer_id": redeemed["customer_id"].to_numpy(),
            "redeemed_at": redeemed["ordered_at"].to_numpy(),
            "campaign": name,
            "order_id": redeemed["order_id"].to_numpy(),
        }
    )


def bought(drawn: Draw) -> tuple[Integers, Floats]:
    """How many orders each customer placed within the window, and what they spent."""
    inside = drawn.orders[_in_window(drawn.orders["ordered_at"])]
    whose, many = inside["customer_id"].to_numpy() - 1, len(drawn.arms)
    spent = np.bincount(whose, inside["amount"].to_numpy(), minlength=many)
    return np.bincount(whose, minlength=many), spent.astype(np.float64)


def _in_window(times: pd.Series) -> pd.Series:
    start = pd.Timestamp(FIRST)
    return (times >= start) & (times < start + pd.Timedelta(days=WINDOW))


def _orders(
    random: np.random.Generator, counts: Floats, amount: Floats, days: tuple[int, int]
) -> Orders:
    whose, when = spread_out(random, random.poisson(counts), days)
    return whose, when, amount[whose]


def _orders_table(
    random: np.random.Generator,
    parts: list[Orders],
    behaviours: tuple[Behaviour, ...],
    arms: Integers,
) -> pd.DataFrame:
    """Orders of all kinds, by time; before the campaign a partner gets what the control's does."""
    whose, when, mean = (np.concatenate(column) for column in zip(*parts, strict=True))
    sorting = np.argsort(when, kind="stable")
    whose, when, mean = whose[sorting], when[sorting], mean[sorting]
    amount = np.round(mean * factor(random, len(whose)), 2)
    during = _in_window(pd.Series(when)).to_numpy()
    terms = np.array([(each.through, each.commission) for each in behaviours])
    through, rate = terms[np.where(during, arms[whose], 0)].T
    partner = random.random(len(whose)) < through
    return pd.DataFrame(
        {
            "order_id": np.arange(1, len(whose) + 1),
            "customer_id": whose + 1,
            "ordered_at": when,
            "recorded_at": when,
            "amount": amount,
            "margin": np.round(amount * MARGIN, 2),
            "commission": np.round(np.where(partner, amount * rate, 0.0), 2),
            "currency": "EUR",
        }
    )
