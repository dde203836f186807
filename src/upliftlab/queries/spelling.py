"""Ids that nearly match: of one customer, as anybody would read them, and yet not the same text.

Spreadsheets take leading zeros away, pandas adds '.0', shops and mail tools differ in capital
letters, exports in spaces and in the dashes of a UUID. Whoever is found by no id is looked for by
what is left of it without all that; an id that could be several customers' is nobody's.
"""
# ruff: noqa: S608 - relations and columns are of the house's own

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from upliftlab.engines.base import Engine
from upliftlab.text.language import N_

STRANGERS: Final = "strangers"
"""What the ids of nobody are kept as."""
CHANCE: Final = 0.001
"""A smaller share of all rows may be alike by chance."""
_SPELLINGS: Final[Mapping[str, str]] = {
    "spaces": "TRIM({})",
    "case": "LOWER({})",
    "decimals": "REGEXP_REPLACE({}, '[.]0$', '')",
    "signs": "REPLACE(REPLACE(REPLACE({}, '-', ''), '{{', ''), '}}', '')",
    "zeros": "LTRIM({}, '0')",
}
"""What an id is without what one table may write and another may not, one after the other."""
_SEVERAL: Final = "several"
SENTENCES: Final[Mapping[str, str]] = {
    "spaces": N_(
        "{count:count} events of {source} are of nobody, but would be of somebody without the "
        "spaces around the id: they are not counted."
    ),
    "case": N_(
        "{count:count} events of {source} are of nobody, but would be of somebody if ids did not "
        "differ in capital letters: they are not counted. Write ids in small letters in both "
        "tables."
    ),
    "decimals": N_(
        "{count:count} events of {source} are of nobody, but would be of somebody without the "
        "'.0' behind ids of {table}: they are not counted. Write ids there as text or as whole "
        "numbers."
    ),
    "zeros": N_(
        "{count:count} events of {source} are of nobody, but would be of somebody with the "
        "leading zeros that ids of {table} have lost: they are not counted. Keep ids there as "
        "text, not as numbers."
    ),
    "signs": N_(
        "{count:count} events of {source} are of nobody, but would be of somebody without the "
        "dashes or braces in ids of {table}: they are not counted. Write ids alike in both tables."
    ),
    _SEVERAL: N_(
        "{count:count} events of {source} are of nobody, but would be of somebody if ids were "
        "written alike, without spaces, capital letters, leading zeros, '.0' or dashes: they are "
        "not counted. Write ids as the same text in both tables."
    ),
}
"""What is said of events by what tells their ids from those of customers."""


@dataclass(frozen=True, slots=True)
class NearMatches:
    """Rows of nobody that nearly match somebody.

    Attributes:
        count: How many.
        spelling: What tells most of their ids from the right ones, a key of `SENTENCES`.
        customers: Whether the customers' ids are those to be mended, rather than the rows'.
    """

    count: int
    spelling: str
    customers: bool


def near_matches(engine: Engine, rows: str, customers: str) -> NearMatches | None:
    """The rows of nobody that nearly match one customer; None where there are none.

    Args:
        engine: Where both tables lie.
        rows: A query for the `id` of each row as text.
        customers: A query for the `id` of each customer as text.
    """
    unknown = f"NOT EXISTS (SELECT 1 FROM ({customers}) AS c WHERE c.id = r.id)"
    kept = f"SELECT r.id AS id, COUNT(*) AS n FROM ({rows}) AS r WHERE {unknown} GROUP BY r.id"
    engine.keep(STRANGERS, kept)
    count, _ = _matched(engine, customers, *_SPELLINGS)
    if not count:
        return None
    found = {name: _matched(engine, customers, name) for name in _SPELLINGS}
    spelling = max(found, key=lambda name: found[name])
    alone, written = found[spelling]
    if 2 * alone < count:
        return NearMatches(count, _SEVERAL, customers=False)
    theirs = 2 * written > alone
    return NearMatches(count, spelling, customers=theirs if spelling == "zeros" else not theirs)


def _matched(engine: Engine, customers: str, *spellings: str) -> tuple[int, int]:
    """The rows that match one customer by what is left of ids, and those that had to be changed."""
    left = "id"
    for spelling in spellings:
        left = _SPELLINGS[spelling].format(left)
    pairs = (
        f"SELECT s.id AS id, s.n AS n, s.left_over AS left_over FROM"
        f" (SELECT id, n, {left} AS left_over FROM {STRANGERS}) AS s"
        f" JOIN (SELECT {left} AS left_over FROM ({customers}) AS known) AS c"
        " ON c.left_over = s.left_over WHERE s.left_over <> ''"
        " GROUP BY s.id, s.n, s.left_over HAVING COUNT(*) = 1"
    )
    row = engine.query(
        "SELECT COALESCE(SUM(n), 0) AS n, COALESCE(SUM(CASE WHEN id <> left_over THEN n END), 0)"
        f" AS changed FROM ({pairs}) AS pairs"
    ).to_pylist()[0]
    return int(row["n"]), int(row["changed"])
