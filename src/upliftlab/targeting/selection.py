"""The rows of the list: customers scored in batches, who gains most per unit of money first."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.assignment.hashing import BEYOND, DIGITS, cuts
from upliftlab.config.models.experiment import Plan
from upliftlab.targeting.budget import NOBODY, BudgetAllocation, Prospects, first_return
from upliftlab.targeting.candidates import CandidateBatch
from upliftlab.targeting.crossfit import Expecting
from upliftlab.uplift.encoding import Encoding

_WHOLE = 16**DIGITS


@dataclass(frozen=True, slots=True)
class Seen:
    """Next month's customers in numbers.

    Attributes:
        customers: How many the table holds.
        candidates: Those who may be contacted.
        excluded: Those who may not, by reason.
        unseen: By feature the candidates with a category that no model was shown.
    """

    customers: int
    candidates: int
    excluded: Mapping[str, int]
    unseen: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Those who may be contacted, with what is expected of them.

    Attributes:
        ids: Their ids by batch, of the table's own type; `selection.select` takes them out.
        prospects: What is expected of them, batch by batch.
        seen: All customers in numbers.
    """

    ids: deque[pa.Array[Any]]
    prospects: tuple[Prospects, ...]
    seen: Seen

    def __len__(self) -> int:
        return self.seen.candidates


@dataclass(frozen=True, slots=True)
class Scorer:
    """What scores a batch.

    Attributes:
        encoding: Turns features into what models were shown, and refuses what does not fit; None
            where everybody is expected the same.
        forecast: What is expected of customers.
        holdout: The share that is left alone, drawn by hash.
        by_rule: Whether nothing is expected of those whom today's rule does not choose, so that
            they are not chosen.
        alike: The return that all who are chosen are taken to have, as a rule chooses them; None
            where each has its own.
    """

    encoding: Encoding | None
    forecast: Expecting
    holdout: Fraction
    by_rule: bool = False
    alike: float | None = None

    def expect(self, batch: CandidateBatch) -> tuple[np.ndarray, np.ndarray, Mapping[str, int]]:
        """Value and cost of each arm for those who may be contacted, and categories not known."""
        chosen = batch.eligible
        if self.encoding is None:
            value, cost = self.forecast.expect(np.empty((int(chosen.sum()), 0)))
            if self.by_rule and batch.today is not None:
                value = np.where(batch.today[chosen, None], value, 0)
            return value, cost, {}
        encoded = self.encoding.encode(batch.features.filter(pa.array(chosen)))
        return *self.forecast.expect(encoded.values), encoded.unseen


def score(
    batches: Iterable[CandidateBatch], scorer: Scorer, progress: Callable[[str], None]
) -> Scored:
    """Score everybody who may be contacted, and count the others.

    Raises:
        DataError: UL605 a feature is absent, UL606 it holds something else than was learned from.
    """
    ids: deque[pa.Array[Any]] = deque()
    prospects: list[Prospects] = []
    excluded, unseen = Counter[str](), Counter[str]()
    seen = 0
    end = _end(scorer.holdout)
    for batch in batches:
        seen += len(batch.ids)
        excluded.update(_left_out(batch))
        chosen = pa.array(batch.eligible)
        place = places(batch.place.filter(chosen))
        value, cost, unknown = scorer.expect(batch)
        unseen.update(unknown)
        ids.append(batch.ids.filter(chosen))
        prospects.append(Prospects(value, cost, place, place < end, scorer.alike))
        progress(f"Scoring customers: {seen:,}")
    told = Seen(
        customers=seen,
        candidates=sum(map(len, prospects)),
        excluded=dict(sorted(excluded.items())),
        unseen=dict(sorted(unseen.items())),
    )
    return Scored(ids, tuple(prospects), told)


def places(hashes: pa.Array[Any]) -> np.ndarray:
    """Places of 15 hex digits as whole numbers, in the same order; shape (n,), uint64.

    >>> places(pa.array(["00000000000000a", "fffffffffffffff"])).tolist()
    [10, 1152921504606846975]
    """
    if not len(hashes):
        return np.zeros(0, np.uint64)
    text = _bytes(hashes)
    digit = np.where(text >= ord("a"), text - (ord("a") - 10), text - ord("0")).astype(np.uint64)
    found = np.zeros(len(text), np.uint64)
    for column in digit.T:
        found = (found << np.uint64(4)) | column
    return found


def _bytes(hashes: pa.Array[Any]) -> np.ndarray:
    """The signs of texts of equal length, shape (n, digits), uint8."""
    joined = "".join(str(each) for each in hashes.to_pylist())
    return np.frombuffer(joined.encode(), np.uint8).reshape(len(hashes), DIGITS)


def _end(share: Fraction) -> np.uint64:
    """Where a share ends: places below it are in it."""
    [cut] = cuts([share])
    return np.uint64(_WHOLE if cut == BEYOND else int(cut, 16))


def _left_out(batch: CandidateBatch) -> Counter[str]:
    return Counter(str(each) for each in batch.reason.drop_null().to_pylist())


CUSTOMER = "customer"
COLUMNS = {
    "arm": pa.string(),
    "offer": pa.string(),
    "channel": pa.string(),
    "day": pa.date32(),
    "intended": pa.string(),
    "expected_incremental_profit": pa.float64(),
    "expected_cost": pa.float64(),
    "reason": pa.string(),
}
"""Columns behind the first one, `customer`, which has the type of the customers' ids."""
HELD_OUT = "holdout, to measure the next campaign"
_ROWS = 100_000
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Wording:
    """How arms are called and money is named in the list.

    Attributes:
        control: The control's name, which those who are held out get.
        arms: The treatments' names, in the order of their numbers from 1.
        offers: Each treatment's offer.
        channels: Each treatment's channel.
        ranked: Whether each treatment's customers are told apart, its gate being open.
        money: One unit of money, such as `EUR`.
        day: The day of contact.
        averaged: Of whom the average is expected of each, where they are not told apart.
    """

    control: str
    arms: tuple[str, ...]
    offers: tuple[str | None, ...]
    channels: tuple[str | None, ...]
    ranked: tuple[bool, ...]
    money: str
    day: date
    averaged: str = "all customers"


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Those who are chosen.

    Attributes:
        ids: Their ids by batch, of the table's own type.
        arm: The number of the arm each gets, or would have got; shape (n,), uint8.
        held: Who is left alone; shape (n,), bool.
        value: What the arm is expected to add before its cost; shape (n,), float32.
        cost: What it is expected to cost; shape (n,), float32.
        rank: In which per cent of those who may be contacted each is, from 1; shape (n,), uint8.
        order: Their order in the list, kept apart so that ids are never held twice.
    """

    ids: tuple[pa.Array[Any], ...]
    arm: np.ndarray
    held: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    rank: np.ndarray
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.arm)

    @property
    def kind(self) -> pa.DataType:
        """The type of the ids."""
        return self.ids[0].type if self.ids else pa.string()

    def taken(self, part: slice) -> Selection:
        """A part of the list, in its order."""
        rows = self.order[part]
        return Selection(
            ids=(_gathered(self.ids, rows),),
            arm=self.arm[rows],
            held=self.held[rows],
            value=self.value[rows],
            cost=self.cost[rows],
            rank=self.rank[rows],
            order=np.arange(len(rows)),
        )


def select(scored: Scored, spending: BudgetAllocation, arms: Sequence[bool]) -> Selection:
    """Those who are chosen, by the return of their first step; equals by their place.

    Ids leave `scored` one batch after the other, so that they are never held twice.
    """
    batches, choice = scored.prospects, spending.choice
    returns = [first_return(batch, arms) for batch in batches]
    rows = [np.flatnonzero(chosen != NOBODY) for chosen in choice]
    first = _picked(returns, rows, np.float32)
    place = _picked([batch.place for batch in batches], rows, np.uint64)
    chosen = [each[row] for each, row in zip(choice, rows, strict=True)]
    return Selection(
        ids=tuple(scored.ids.popleft().take(_indices(row)) for row in rows),
        arm=np.concatenate([np.zeros(0, np.uint8), *chosen]),
        held=_picked([batch.held for batch in batches], rows, np.bool_),
        value=_of_arm([batch.value for batch in batches], rows, chosen),
        cost=_of_arm([batch.cost for batch in batches], rows, chosen),
        rank=_ranks(returns, first),
        order=np.lexsort((place, -first)),
    )


def _gathered(parts: Sequence[pa.Array[Any]], rows: np.ndarray) -> pa.Array[Any]:
    """Some rows of parts that follow one another, without joining all of the parts."""
    starts = np.cumsum([0, *map(len, parts)])
    part = np.searchsorted(starts, rows, side="right") - 1
    by_part = np.argsort(part, kind="stable")
    used, first = np.unique(part[by_part], return_index=True)
    pieces: list[pa.Array[Any]] = []
    for number, inside in zip(map(int, used), np.split(rows[by_part], first[1:]), strict=True):
        pieces += [parts[number].take(_indices(inside - starts[number]))]
    return pa.concat_arrays(pieces).take(_indices(np.argsort(by_part)))


def table_batches(selection: Selection, wording: Wording) -> Iterator[pa.Table]:
    """The list's rows, so many at a time."""
    schema = list_schema(selection.kind)
    for start in range(0, len(selection), _ROWS):
        part = selection.taken(slice(start, start + _ROWS))
        columns = _columns(part, wording)
        arrays = [pa.array(columns[name], kind) for name, kind in COLUMNS.items()]
        yield pa.Table.from_arrays([part.ids[0], *arrays], schema=schema)


def list_schema(kind: pa.DataType) -> pa.Schema:
    """The list's columns, with ids of a type."""
    return pa.schema([(CUSTOMER, kind), *COLUMNS.items()])


def wording(plan: Plan, ranked: Sequence[bool], day: date) -> Wording:
    """How a plan calls its arms and its money, and the day of contact."""
    arms = [plan.arms[name] for name in plan.treatments]
    return Wording(
        control=plan.control,
        arms=plan.treatments,
        offers=tuple(arm.offer for arm in arms),
        channels=tuple(arm.channel for arm in arms),
        ranked=tuple(map(bool, ranked)),
        money=plan.currency or "unit of money",
        day=day,
    )


def _indices(rows: np.ndarray) -> pa.Int64Array:
    return pa.array(rows.astype(np.int64), pa.int64())


def _picked(
    parts: Sequence[np.ndarray], rows: Sequence[np.ndarray], kind: type[np.generic] = np.float32
) -> np.ndarray:
    found = [part[row] for part, row in zip(parts, rows, strict=True)]
    return np.concatenate([np.zeros(0, kind), *found]).astype(kind, copy=False)


def _of_arm(
    numbers: Sequence[np.ndarray], rows: Sequence[np.ndarray], arms: Sequence[np.ndarray]
) -> np.ndarray:
    """Each chosen customer's number of the arm chosen."""
    found = [
        part[row, arm.astype(np.intp) - 1]
        for part, row, arm in zip(numbers, rows, arms, strict=True)
    ]
    return np.concatenate([np.zeros(0, np.float32), *found])


def _ranks(returns: Sequence[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """The per cent of all customers within which each one's return is, ties at their worst."""
    everybody = np.sort(np.concatenate([np.zeros(0, np.float32), *returns]))
    ahead = len(everybody) - np.searchsorted(everybody, chosen, side="left")
    return np.ceil(ahead * _PERCENT / max(1, len(everybody))).astype(np.uint8)


def _columns(part: Selection, wording: Wording) -> Mapping[str, list[Any]]:
    numbers: list[int] = part.arm.tolist()
    arm, held = [number - 1 for number in numbers], part.held
    cost = part.cost.astype(np.float64)
    profit = part.value.astype(np.float64) - cost
    names = [wording.arms[each] for each in arm]
    given = [wording.control if out else name for name, out in zip(names, held, strict=True)]
    return {
        "arm": given,
        "offer": _unless(held, [wording.offers[each] for each in arm]),
        "channel": _unless(held, [wording.channels[each] for each in arm]),
        "day": [wording.day] * len(numbers),
        "intended": names,
        "expected_incremental_profit": np.where(held, 0.0, profit).tolist(),
        "expected_cost": np.where(held, 0.0, cost).tolist(),
        "reason": _reasons(part, (profit, cost), wording),
    }


def _unless(held: np.ndarray, names: Sequence[str | None]) -> list[str | None]:
    return [None if out else name for name, out in zip(names, held, strict=True)]


def _reasons(part: Selection, money: tuple[np.ndarray, np.ndarray], wording: Wording) -> list[str]:
    """Why each customer is in the list, in words."""
    columns = (part.arm, part.held, *money, part.rank)
    return [
        HELD_OUT if held else _reason(gain, price, rank, (wording, arm - 1))
        for arm, held, gain, price, rank in zip(*(c.tolist() for c in columns), strict=True)
    ]


def _reason(profit: float, cost: float, rank: int, arm: tuple[Wording, int]) -> str:
    wording, number = arm
    if cost > 0:
        said = f"expected profit per {wording.money} {profit / cost:,.2f}"
    else:
        said = f"expected profit {profit:,.2f} {wording.money} at no cost"
    if not wording.ranked[number]:
        return f"{said}, the average of {wording.averaged}"
    return f"{said}; among the first {rank} %"
