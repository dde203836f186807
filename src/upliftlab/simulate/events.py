"""The tables of events that customers leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from upliftlab.simulate.calendar import (
    AFTER,
    FIRST,
    HISTORY,
    WINDOW,
    Integers,
    Times,
    at_hours,
    spread_out,
)
from upliftlab.simulate.people import TRAITS, People, factor, period_rates
from upliftlab.simulate.responses import (
    CONTROL,
    DELIVERED,
    MARGIN,
    AssignedArms,
    extra_orders,
)

Orders = tuple[Integers, Times, Integers]
"""Whose each order is, when, and the treatment that brought it: 0 where none did."""
_CATEGORIES = ("basics", "seasonal", "sports", "home")
_WEB = TRAITS["preferred_channel"].levels.index("web")
_COMMISSION = 0.04
"""Paid to portals for orders on the web."""
_QUESTIONS, _ANSWERS = 0.03, 0.03
"""Questions asked and surveys answered in 28 days."""
_NEWSLETTERS = 0.25
"""Contacts of other campaigns in 28 days."""


def orders_alone(random: np.random.Generator, people: People) -> Orders:
    """Orders of customers who are left alone."""
    parts = [
        spread_out(random, random.poisson(expected), (first, days))
        for first, days, expected in period_rates(people)
    ]
    whose = np.concatenate([part[0] for part in parts])
    when = np.concatenate([part[1] for part in parts])
    return whose, when, np.zeros(len(whose), dtype=np.int64)


def orders_more(random: np.random.Generator, people: People, campaign: AssignedArms) -> Orders:
    """Orders that the campaign brings."""
    arms, starts = campaign.treatments, campaign.starts
    expected = np.choose(arms, [extra_orders(people, arm) for arm in campaign.kinds])
    whose, when = spread_out(random, random.poisson(expected), (starts, WINDOW))
    return whose, when, arms[whose]


def orders_table(
    random: np.random.Generator, people: People, parts: Iterable[Orders]
) -> pd.DataFrame:
    """Orders of all kinds as the shop's table of orders, by time."""
    given = list(parts)
    whose = np.concatenate([part[0] for part in given])
    when = np.concatenate([part[1] for part in given])
    sorting = np.argsort(when, kind="stable")
    whose, when = whose[sorting], when[sorting]
    amount = np.round(people.mean_order[whose] * factor(random, len(whose)), 2)
    portals = np.where(people.codes["preferred_channel"] == _WEB, _COMMISSION, 0.0)
    lag = random.exponential(2 * 3600, len(whose)).astype("timedelta64[s]")
    return pd.DataFrame(
        {
            "order_id": np.arange(1, len(whose) + 1),
            "customer_id": whose + 1,
            "ordered_at": when,
            "recorded_at": when + lag,
            "amount": amount,
            "margin": np.round(amount * MARGIN, 2),
            "commission": np.round(amount * portals[whose], 2),
            "currency": "EUR",
            "category": np.array(_CATEGORIES)[random.integers(0, len(_CATEGORIES), len(whose))],
        }
    )


def contacts_table(
    random: np.random.Generator, people: People, campaign: AssignedArms, name: str
) -> pd.DataFrame:
    """What was sent: this campaign's messages, and other campaigns' before and beside them."""
    arms, starts = campaign.treatments, campaign.starts
    reached = np.flatnonzero((arms > 0) & (random.random(len(arms)) < DELIVERED))
    others, when = _evenly(random, people, _NEWSLETTERS * people.opted_in)
    channels = np.array([arm.channel or "" for arm in campaign.kinds])[arms[reached]]
    table = pd.DataFrame(
        {
            "customer_id": np.concatenate([reached, others]) + 1,
            "sent_at": np.concatenate([at_hours(random, starts[reached]), when]),
            "campaign": np.array([name] * len(reached) + ["newsletter"] * len(others)),
            "channel": np.concatenate([channels, np.full(len(others), "email")]),
        }
    )
    return _numbered(table, "contact_id", "sent_at")


def redemptions_table(
    random: np.random.Generator,
    orders: pd.DataFrame,
    campaign: AssignedArms,
    name: str,
) -> pd.DataFrame:
    """Vouchers, redeemed with the first order in the window, whether it would have come anyway."""
    arms, starts = campaign.treatments, campaign.starts
    whose = orders["customer_id"].to_numpy(dtype=np.int64) - 1
    when = orders["ordered_at"].to_numpy(dtype="datetime64[us]")
    day = (when - np.datetime64(FIRST, "us")) // np.timedelta64(1, "D")
    inside = (day >= starts[whose]) & (day < starts[whose] + WINDOW) & (arms[whose] > 0)
    buyers, places = np.unique(whose[inside], return_index=True)  # orders are sorted by time
    first = np.flatnonzero(inside)[places]
    redeems = (
        random.random(len(first)) < np.array([arm.redeems for arm in campaign.kinds])[arms[buyers]]
    )
    first = first[redeems]
    table = pd.DataFrame(
        {
            "customer_id": whose[first] + 1,
            "redeemed_at": when[first],
            "campaign": name,
            "order_id": first + 1,
        }
    )
    return _numbered(table, "redemption_id", "redeemed_at")


def tickets_table(
    random: np.random.Generator, people: People, campaign: AssignedArms
) -> pd.DataFrame:
    """Complaints and questions, and what it costs to deal with them."""
    provoked = _provoked(random, campaign, [arm.complains for arm in campaign.kinds])
    complaints = _evenly(random, people, np.full(len(people), campaign.kinds[CONTROL].complains))
    questions = _evenly(random, people, np.full(len(people), _QUESTIONS))
    kinds = [("complaint", provoked), ("complaint", complaints), ("question", questions)]
    table = pd.DataFrame(
        {
            "customer_id": np.concatenate([whose for _, (whose, _) in kinds]) + 1,
            "opened_at": np.concatenate([when for _, (_, when) in kinds]),
            "kind": np.concatenate([np.full(len(part[0]), kind) for kind, part in kinds]),
        }
    )
    table["handling_cost"] = np.round(random.gamma(4.0, 1.5, len(table)), 2)
    return _numbered(table, "ticket_id", "opened_at")


def unsubscribes_table(
    random: np.random.Generator, people: People, campaign: AssignedArms
) -> pd.DataFrame:
    """Who unsubscribed, of themselves or because of the campaign."""
    alone = _evenly(random, people, np.full(len(people), campaign.kinds[CONTROL].unsubscribes))
    provoked = _provoked(random, campaign, [arm.unsubscribes for arm in campaign.kinds])
    table = pd.DataFrame(
        {
            "customer_id": np.concatenate([alone[0], provoked[0]]) + 1,
            "unsubscribed_at": np.concatenate([alone[1], provoked[1]]),
        }
    )
    return _numbered(table, "unsubscribe_id", "unsubscribed_at")


def surveys_table(random: np.random.Generator, people: People) -> pd.DataFrame:
    """Would you recommend us, from 0 to 10, and what do you spend in a month altogether?"""
    whose, when = _evenly(random, people, np.full(len(people), _ANSWERS))
    score = np.clip(np.round(people.likes[whose] + random.normal(0, 1.5, len(whose))), 0, 10)
    table = pd.DataFrame(
        {
            "customer_id": whose + 1,
            "answered_at": when,
            "score": score.astype(np.int64),
            "total_spend": np.round(people.total_spend[whose] * factor(random, len(whose)), 2),
        }
    )
    return _numbered(table, "survey_id", "answered_at")


def _provoked(
    random: np.random.Generator, campaign: AssignedArms, expected: Sequence[float]
) -> tuple[Integers, Times]:
    """Events within the window that an arm brings about, beside those that come anyway.

    Args:
        random: The source of chance.
        campaign: Who was assigned to what.
        expected: Events within 28 days, by arm.
    """
    more = np.array(expected) - expected[CONTROL]
    counts = random.poisson(more[campaign.treatments])
    return spread_out(random, counts, (campaign.starts, WINDOW))


def _evenly(
    random: np.random.Generator, people: People, per_window: np.ndarray
) -> tuple[Integers, Times]:
    """Events that come evenly over a year before the campaign and until the end."""
    days = HISTORY // 2 + AFTER
    counts = random.poisson(per_window * days / WINDOW, len(people))
    return spread_out(random, counts, (-(HISTORY // 2), days))


def _numbered(table: pd.DataFrame, key: str, time: str) -> pd.DataFrame:
    """The table by time, with a key of its own."""
    ordered = table.sort_values(time, kind="stable", ignore_index=True)
    ordered.insert(0, key, np.arange(1, len(ordered) + 1))
    return ordered
