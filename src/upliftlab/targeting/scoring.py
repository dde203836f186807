"""Scoring: customers in batches, each kept as its id and a few bytes per arm."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.assignment.hashing import BEYOND, DIGITS, cuts
from upliftlab.targeting.candidates import CandidateBatch
from upliftlab.targeting.forecast import Forecast
from upliftlab.targeting.spending import Prospects
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
        encoding: Turns features into what models were shown, and refuses what does not fit.
        forecast: What is expected of customers.
        holdout: The share that is left alone, drawn by hash.
    """

    encoding: Encoding
    forecast: Forecast
    holdout: Fraction


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
        excluded.update(_reasons(batch))
        chosen = pa.array(batch.eligible)
        features = batch.features.filter(chosen)
        place = places(batch.place.filter(chosen))
        encoded = scorer.encoding.encode(features)
        unseen.update(encoded.unseen)
        value, cost = scorer.forecast.expect(encoded.values)
        ids.append(batch.ids.filter(chosen))
        prospects.append(Prospects(value, cost, place, place < end))
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


def _reasons(batch: CandidateBatch) -> Counter[str]:
    return Counter(str(each) for each in batch.reason.drop_null().to_pylist())
