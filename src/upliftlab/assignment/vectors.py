"""Whether a live engine hashes and compares as published."""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from upliftlab.assignment.hashing import VECTORS
from upliftlab.assignment.places_sql import bucket_sql, hash_sql
from upliftlab.engines.base import Engine
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import Diagnostic, EngineError
from upliftlab.util.sql import literal


def vectors_sql() -> str:
    """The published test vectors as a query, in DuckDB's dialect.

    Beside each place its bucket, and how many of the vectors' places sort after it: a server that
    sorts text by a language's rules would give itself away there.
    """
    rows = " UNION ALL ".join(
        f"SELECT {number} AS vector, {hash_sql(salt, _text(unit))} AS h"
        for number, (salt, unit, _) in enumerate(VECTORS)
    )
    after = " + ".join(f"CASE WHEN h < {literal(h)} THEN 1 ELSE 0 END" for _, _, h in VECTORS)
    return (
        f"SELECT vector, h, {bucket_sql('h')} AS bucket, {after} AS later"
        f" FROM ({rows}) AS vectors ORDER BY vector"
    )


def verify(engine: Engine) -> tuple[Diagnostic, ...]:
    """Ask a live engine for the published test vectors; what it gets wrong, empty if nothing."""
    try:
        found = engine.query(vectors_sql()).to_pydict()
    except EngineError as error:
        return (_fault(engine, f"the test vectors cannot be asked for: {error}"),)
    answers = zip(found["h"], found["later"], strict=True)
    places = [h for _, _, h in VECTORS]
    faults = list[Diagnostic]()
    for (salt, unit, right), (h, later) in zip(VECTORS, answers, strict=True):
        if h != right:
            faults.append(_fault(engine, f"md5 of '{salt}:{unit}' begins with {h}, not {right}"))
        elif later != sum(h < place for place in places):
            faults.append(_fault(engine, f"texts are not compared byte by byte, such as {h}"))
    return tuple(faults)


def require_hashes(engine: Engine) -> None:
    """Refuse an engine that hashes otherwise; the embedded one is held to it by our own tests.

    Raises:
        EngineError: UL515.
    """
    if not isinstance(engine, DuckDB) and (faults := verify(engine)):
        raise EngineError(faults)


def _fault(engine: Engine, wrong: str) -> Diagnostic:
    remedy = "do not assign on this engine; a database that is not UTF-8 is the usual cause"
    return Diagnostic("UL515", f"{engine.description}: {wrong}", remedy)


def _text(unit: int | str) -> str:
    value = literal(unit) if isinstance(unit, str) else f"CAST({literal(str(unit))} AS BIGINT)"
    return f"CAST({value} AS VARCHAR)"
