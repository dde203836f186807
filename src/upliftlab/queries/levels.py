"""Segments in SQL: a column, bands, RFM quintiles, and the lifecycle of purchases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from upliftlab.config.models import Lifecycle, Rfm, Segment
from upliftlab.config.models.metric_kinds import COUNT, LAST_TIME, SUM
from upliftlab.queries.tallies import EventAggregate, Value, Window
from upliftlab.util.sql import literal

MISSING = "(missing)"
"""The level of customers of whom a segment's column says nothing."""
MIXED = "(mixed)"
"""The level of households whose customers are at different levels."""
STATES = ("new", "active", "declining", "lapsed", "no purchase")
"""What a lifecycle tells of a customer."""
_NEVER = timedelta(0)


def band_labels(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """How bands are named, lowest first.

    >>> band_labels((18.0, 30.0))
    ('below 18', '18 to below 30', '30 and above')
    """
    texts = [f"{bound:.15g}" for bound in bounds]
    middle = [f"{low} to below {high}" for low, high in pairwise(texts)]
    return (f"below {texts[0]}", *middle, f"{texts[-1]} and above")


def bands_sql(number: str, bounds: tuple[float, ...]) -> str:
    """The band of a number, NULL where there is none.

    >>> bands_sql("age", (18.0,))
    "CASE WHEN age IS NULL THEN NULL WHEN age < 18.0 THEN 'below 18' ELSE '18 and above' END"
    """
    labels = [literal(label) for label in band_labels(bounds)]
    cases = " ".join(
        f"WHEN {number} < {bound!r} THEN {label}"
        for bound, label in zip(bounds, labels, strict=False)
    )
    return f"CASE WHEN {number} IS NULL THEN NULL {cases} ELSE {labels[-1]} END"


def level_tallies(segment: Segment) -> tuple[EventAggregate, ...]:
    """The tallies that a segment needs; none where columns suffice."""
    if segment.lifecycle is not None:
        return _lifecycle_tallies(segment.lifecycle)
    return () if segment.rfm is None else _rfm_tallies(segment.rfm)


def _lifecycle_tallies(life: Lifecycle) -> tuple[EventAggregate, ...]:
    before = Window(None, _NEVER, "as_of")
    recent = Window(-life.active, _NEVER, "as_of")
    earlier = Window(-2 * life.active, -life.active, "as_of")
    known = Window(-life.lapsed, _NEVER, "as_of")
    return (
        EventAggregate(life.source, COUNT, before, None, life.where),
        EventAggregate(life.source, COUNT, known, None, life.where),
        EventAggregate(life.source, COUNT, recent, None, life.where),
        EventAggregate(life.source, COUNT, earlier, None, life.where),
    )


def lifecycle_sql(life: Lifecycle, value: Value) -> str:
    """The state of a customer's purchases as of the day before assignment.

    New: all purchases lie within `active`. Declining: fewer purchases within `active` than
    `decline` times those in the same time before it; or none at all within both, though the
    customer has not lapsed.
    """
    ever, known, recent, earlier = (value(tally) for tally in _lifecycle_tallies(life))
    cases = (
        (f"{ever} = 0", "no purchase"),
        (f"{known} = 0", "lapsed"),
        (f"{recent} = {ever}", "new"),
        (f"{recent} = 0 OR {recent} < {life.decline!r} * {earlier}", "declining"),
    )
    whens = " ".join(f"WHEN {when} THEN {literal(state)}" for when, state in cases)
    return f"CASE {whens} ELSE 'active' END"


def _rfm_tallies(rfm: Rfm) -> tuple[EventAggregate, ...]:
    if rfm.source is None:
        return ()
    before = Window(None, _NEVER, "as_of")
    counted = Window(None if rfm.over is None else -rfm.over, _NEVER, "as_of")
    return (
        EventAggregate(rfm.source, LAST_TIME, before, None, rfm.where),
        EventAggregate(rfm.source, COUNT, counted, None, rfm.where),
        EventAggregate(rfm.source, SUM, counted, rfm.amount),
    )


def rfm_sql(rfm: Rfm, value: Value, number: Callable[[str], str]) -> str:
    """Quintiles from 1 to 5, best; equal values share one, counted by those below them.

    Args:
        rfm: What is declared.
        value: The SQL of a tally.
        number: The SQL of a column of the customers' table as a number.
    """
    if rfm.source is not None:
        last, frequency, monetary = (value(tally) for tally in _rfm_tallies(rfm))
        ranked = {"recency": f"{last} NULLS FIRST", "frequency": frequency, "monetary": monetary}
    else:
        named = {"frequency": rfm.frequency, "monetary": rfm.monetary}
        ranked = {"recency": f"{number(rfm.recency or '')} DESC NULLS FIRST"}
        ranked |= {key: f"{number(column or '')} NULLS FIRST" for key, column in named.items()}
    shown = tuple(ranked) if rfm.show == "cell" else (rfm.show,)
    return " || '-' || ".join(_quintile(ranked[key]) for key in shown)


def _quintile(order: str) -> str:
    """By the share of customers that come before: `RANK` gives equal values the first's."""
    before = f"(RANK() OVER (ORDER BY {order}) - 1)"
    fifth = f"FLOOR(5 * CAST({before} AS DOUBLE) / COUNT(*) OVER ())"
    return f"CAST(CAST(1 + {fifth} AS INTEGER) AS VARCHAR)"
