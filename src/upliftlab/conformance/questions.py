"""Queries of the kinds that upliftlab writes, each with its right answer.

They are in DuckDB's dialect, as all of upliftlab's are, and reach an engine of another dialect
translated.
"""
# ruff: noqa: S608 - only words of ours are joined

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from upliftlab.conformance.bench import (
    EMPTY,
    EVENTS,
    MANY,
    NUMBERS,
    ODD,
    ODD_NAMES,
    ODD_TEXTS,
    TIMES,
    WORDS,
    Bench,
    Case,
    Row,
)
from upliftlab.queries.clock import Span, converted, later, moved
from upliftlab.queries.numbers import number_sql, usable_sql
from upliftlab.util.sql import literal, quote


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class QueryCase:
    """A query, and its rows in their order."""

    name: str
    title: str
    sql: str
    right: Sequence[Row]

    def case(self) -> Case:
        """The question as a case of the suite."""

        def run(bench: Bench) -> Iterator[str]:
            yield from bench.asked(self.sql, self.right)

        return Case(self.name, self.title, run)


_YEAR: Final = Span(_time("2026-01-01"), _time("2027-01-01"))
_IN_BERLIN: Final = converted("t", "UTC", "Europe/Berlin", _YEAR)
_A_DAY_LATER: Final = moved("t", timedelta(days=1), "Europe/Berlin", _YEAR)
_HOURS_LATER: Final = later("t", timedelta(hours=36))

_NUMBERS: Final = (
    QueryCase(
        "nulls",
        "Aggregates pass over NULL, and of nothing but NULL a sum is NULL",
        "SELECT COUNT(*) AS n, COUNT(small) AS known, SUM(small) AS total, AVG(small) AS mean,"
        f" SUM(CASE WHEN id = 4 THEN small END) AS none FROM {NUMBERS}",
        [(4, 3, 6, 2.0, None)],
    ),
    QueryCase(
        "null_conditions",
        "A condition on NULL is neither true nor false",
        "SELECT COUNT(CASE WHEN small = 1 THEN 1 END) AS one,"
        " COUNT(CASE WHEN small <> 1 THEN 1 END) AS others,"
        " COUNT(CASE WHEN NOT flag THEN 1 END) AS not_flag,"
        " COUNT(CASE WHEN flag OR small IS NULL THEN 1 END) AS either,"
        f" COUNT(CASE WHEN small NOT IN (1, 2) THEN 1 END) AS three FROM {NUMBERS}",
        [(1, 2, 1, 2, 1)],
    ),
    QueryCase(
        "not_a_number",
        "NaN and infinity are told from numbers, and from NULL",
        f"SELECT id, {usable_sql('wild')} AS usable FROM {NUMBERS} ORDER BY id",
        [(1, True), (2, False), (3, False), (4, None)],
    ),
    QueryCase(
        "whole_numbers",
        "Whole numbers beyond 2^53 keep their last digit, and division by // and % is whole",
        f"SELECT id, big, small // 2 AS half, small % 2 AS rest FROM {NUMBERS} ORDER BY id",
        [(1, 2**53 + 1, 0, 1), (2, 2**62, 1, 0), (3, 2**62, 1, 1), (4, -1, None, None)],
    ),
    QueryCase(
        "overflow",
        "A sum of doubles does not overflow where whole numbers would",
        f"SELECT SUM(CAST(big AS DOUBLE)) AS total, SUM({number_sql('real', 'number')}) AS real"
        f" FROM {NUMBERS}",
        [(float(2**62) * 2 + float(2**53), 1e300)],
    ),
    QueryCase(
        "big_sums",
        "A sum of ten thousand numbers is right to twelve digits",
        f"SELECT SUM(tenth) AS tenths, SUM(n) AS whole, COUNT(DISTINCT n) AS n FROM {MANY}",
        [(1000.0, 49_995_000, 10_000)],
    ),
    QueryCase(
        "decimals",
        "Decimals are added without rounding",
        f"SELECT SUM(exact) = CAST('0.30' AS DECIMAL(10, 2)) AS right FROM {NUMBERS}",
        [(True,)],
    ),
    QueryCase(
        "division",
        "A sum of doubles by a count is no whole number",
        f"SELECT SUM(CAST(small AS DOUBLE)) / COUNT(*) AS mean FROM {NUMBERS}",
        [(1.5,)],
    ),
    QueryCase(
        "booleans",
        "Booleans become 1 and 0, and stay NULL",
        f"SELECT id, {number_sql('flag', 'boolean')} AS flag FROM {NUMBERS} ORDER BY id",
        [(1, 1.0), (2, 0.0), (3, None), (4, 1.0)],
    ),
    QueryCase(
        "variances",
        "Sample variances and covariances are those of a book",
        "SELECT VAR_SAMP(CAST(n AS DOUBLE)) AS variance, STDDEV_SAMP(CAST(n AS DOUBLE)) AS spread,"
        " COVAR_SAMP(CAST(n AS DOUBLE), CAST(2 * n AS DOUBLE)) AS both"
        f" FROM {MANY} WHERE n < 5",
        [(2.5, 2.5**0.5, 5.0)],
    ),
)
_TEXTS: Final = (
    QueryCase(
        "texts",
        "Texts come back as they are, whatever signs they hold",
        f"SELECT id, word FROM {WORDS} ORDER BY id",
        [*enumerate(ODD_TEXTS)],
    ),
    QueryCase(
        "literals",
        "A text in a query is that text, whatever signs it holds",
        "SELECT id FROM ("
        + " UNION ALL ".join(
            f"SELECT id FROM {WORDS} WHERE word = {literal(text)}" for text in ODD_TEXTS
        )
        + ") AS found ORDER BY id",
        [(number,) for number in range(len(ODD_TEXTS))],
    ),
    QueryCase(
        "names",
        "A column's name is that name, whatever signs it holds",
        f"SELECT {', '.join(map(quote, ODD_NAMES))} FROM {ODD}",
        [tuple(range(len(ODD_NAMES)))],
    ),
    QueryCase(
        "order",
        "Texts are ordered byte by byte, not as a language has it",
        "SELECT w FROM (SELECT 'a' AS w UNION ALL SELECT 'B' UNION ALL SELECT 'é' UNION ALL"
        " SELECT 'b') AS words ORDER BY w COLLATE \"C\"",
        [("B",), ("a",), ("b",), ("é",)],
    ),
    QueryCase(
        "characters",
        "Length and parts of a text count characters",
        f"SELECT LENGTH(word) AS size, SUBSTR(word, 3, 1) AS third FROM {WORDS} WHERE id = 5",
        [(3, "ë")],
    ),
    QueryCase(
        "patterns",
        "Regular expressions find what they describe",
        "SELECT REGEXP_MATCHES('2026-03-02', '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') AS day,"
        " REGEXP_MATCHES('2026-3-2', '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') AS other",
        [(True, False)],
    ),
    QueryCase(
        "concatenation",
        "Texts are joined by ||, and with NULL are NULL",
        f"SELECT id, grade || '-' || CAST(small AS VARCHAR) AS both FROM {NUMBERS} ORDER BY id",
        [(1, "1.5-1"), (2, "2-2"), (3, "-3"), (4, None)],
    ),
)
_TIMES: Final = (
    QueryCase(
        "days",
        "Days, times and texts of times become times without zone",
        "SELECT id, CAST(day AS TIMESTAMP) AS day, moment, CAST(written AS TIMESTAMP) AS written"
        f" FROM {TIMES} ORDER BY id",
        [
            (1, _time("2026-03-02"), _time("2026-03-02 10:30:00"), _time("2026-03-02 10:30:00")),
            (2, _time("2024-02-29"), _time("1999-12-31 23:59:59"), _time("2026-03-02")),
            (3, None, None, None),
        ],
    ),
    QueryCase(
        "instants",
        "An instant becomes a time of day in UTC",
        f"SELECT CAST(instant AS TIMESTAMP) AS t FROM {TIMES} WHERE id = 1",
        [(_time("2026-03-29 01:30:00"),)],
    ),
    QueryCase(
        "clocks",
        "Clocks that are put forward show what they show in Berlin",
        f"SELECT {_IN_BERLIN} AS berlin, {_A_DAY_LATER} AS morrow, {_HOURS_LATER} AS hours"
        f" FROM (SELECT CAST(instant AS TIMESTAMP) AS t FROM {TIMES} WHERE id = 1) AS one",
        [
            (
                _time("2026-03-29 03:30:00"),
                _time("2026-03-30 01:30:00"),
                _time("2026-03-30 13:30:00"),
            )
        ],
    ),
    QueryCase(
        "windows_of_time",
        "Times are compared to the second, the end of a window left out",
        "SELECT COUNT(CASE WHEN moment >= CAST('2026-03-02 10:30:00' AS TIMESTAMP) THEN 1 END)"
        " AS low,"
        " COUNT(CASE WHEN moment < CAST('2026-03-02 10:30:00' AS TIMESTAMP) THEN 1 END) AS high"
        f" FROM {TIMES}",
        [(1, 1)],
    ),
)
_SHAPES: Final = (
    QueryCase(
        "empty",
        "Of an empty table a count is 0, a sum is NULL, and there are no groups",
        f"SELECT COUNT(*) AS n, SUM(amount) AS total, COUNT(DISTINCT id) AS ids FROM {EMPTY}",
        [(0, None, 0)],
    ),
    QueryCase(
        "no_groups", "An empty table has no groups", f"SELECT id FROM {EMPTY} GROUP BY id", []
    ),
    QueryCase(
        "groups",
        "NULL is a group of its own",
        f"SELECT kind, COUNT(*) AS n FROM {EVENTS} GROUP BY kind ORDER BY kind NULLS FIRST",
        [(None, 1), ("a", 3), ("b", 2)],
    ),
    QueryCase(
        "joins",
        "A left join keeps who has no events, and joins nobody by NULL",
        "SELECT n.id AS id, COUNT(e.rank) AS events, SUM(e.amount) AS amount"
        f" FROM {NUMBERS} AS n LEFT JOIN {EVENTS} AS e ON e.id = n.id GROUP BY n.id ORDER BY n.id",
        [(1, 3, 60.0), (2, 2, 4.0), (3, 0, None), (4, 0, None)],
    ),
    QueryCase(
        "filters",
        "An aggregate with a condition looks only at rows that meet it",
        "SELECT id, COUNT(*) FILTER (WHERE kind = 'b') AS b,"
        " SUM(amount) FILTER (WHERE kind = 'a') AS a,"
        " COUNT(DISTINCT rank) FILTER (WHERE amount > 0) AS ranks"
        f" FROM {EVENTS} WHERE id IS NOT NULL GROUP BY id ORDER BY id",
        [(1, 2, 10.0, 2), (2, 0, 4.0, 1)],
    ),
    QueryCase(
        "ranks",
        "Rows are numbered by time and then by value, equal ones ranked alike",
        "SELECT amount, ROW_NUMBER() OVER (PARTITION BY id, COALESCE(kind = 'b', FALSE)"
        " ORDER BY rank DESC, amount DESC) AS number, RANK() OVER (ORDER BY rank) AS place,"
        f" COUNT(*) OVER () AS n FROM {EVENTS} WHERE amount IS NOT NULL ORDER BY amount",
        [(4.0, 1, 4, 5), (10.0, 1, 3, 5), (20.0, 2, 1, 5), (30.0, 1, 1, 5), (99.0, 1, 5, 5)],
    ),
    QueryCase(
        "nulls_first",
        "NULL is ranked where the query says",
        "SELECT RANK() OVER (ORDER BY small NULLS FIRST) AS place,"
        f" RANK() OVER (ORDER BY small DESC NULLS LAST) AS back FROM {NUMBERS} ORDER BY id",
        [(2, 3), (3, 2), (4, 1), (1, 4)],
    ),
    QueryCase(
        "distinct_rows",
        "Rows that are alike are one, also where they hold NULL",
        "SELECT COUNT(*) AS n FROM (SELECT DISTINCT kind, rank FROM (SELECT kind, rank FROM"
        f" {EVENTS} UNION ALL SELECT kind, rank FROM {EVENTS}) AS twice) AS once",
        [(5,)],
    ),
    QueryCase(
        "grouping_sets",
        "Groups of several kinds are counted in one statement",
        f"SELECT kind, id, COUNT(*) AS n FROM {EVENTS} WHERE id IS NOT NULL AND kind IS NOT NULL"
        " GROUP BY GROUPING SETS ((), (kind), (id)) ORDER BY kind NULLS FIRST, id NULLS FIRST",
        [(None, None, 4), (None, 1, 3), (None, 2, 1), ("a", None, 2), ("b", None, 2)],
    ),
)

QUESTIONS: Final = tuple(question.case() for question in (*_NUMBERS, *_TEXTS, *_TIMES, *_SHAPES))
"""All of them as cases."""
