"""What an engine does beside answering: columns, batches, keeping, writing, reading, refusing."""
# ruff: noqa: S608 - only words of ours are joined

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.assignment.vectors import verify
from upliftlab.config.models import Source
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
    differences,
    refusal,
    rows_of,
    write_table,
)
from upliftlab.engines.dialect import converts_texts, transpile
from upliftlab.errors import DataError, EngineError, UpliftLabError
from upliftlab.queries.computed import attach_table
from upliftlab.queries.numbers import number_sql

_KEPT: Final = "conformance_kept"
_LOADED: Final = "conformance_loaded"
_PLACED: Final = "conformance_placed"
_COMPUTED: Final = {
    "product": "q * r",
    "remainder": "r % 4",
    "quotient": "q / z",
    "half": "round(q / 2)",
    "large": "product > 49",
    "tag": "coalesce(lower(word), 'none')",
}
_CSV = 'id;word;amount\n1;"a;b";1.5\n2;;\n3;"say ""no""";0\n'


def _hashes(bench: Bench) -> Iterator[str]:
    yield from (fault.message for fault in verify(bench.engine))


def _described(bench: Bench) -> Iterator[str]:
    said = bench.engine.description
    if not said or not said.isprintable():
        yield f"is described as {said!r}"
    if not transpile('SELECT "a" AS "b"', bench.engine.dialect):
        yield f"has the dialect {bench.engine.dialect!r}"


def _columns(bench: Bench) -> Iterator[str]:
    expected = {
        NUMBERS: [*["number"] * 6, "boolean", "text"],
        WORDS: ["number", "text"],
        TIMES: ["number", "date", "time", "instant", "text"],
        EMPTY: ["number", "number"],
        ODD: ["number"] * len(ODD_NAMES),
    }
    for name, kinds in expected.items():
        found = list(bench.engine.columns(name).values())
        if found != kinds:
            yield f"the columns of {name} are {found}"
    if list(bench.engine.columns(ODD)) != list(ODD_NAMES):
        yield f"columns are called {list(bench.engine.columns(ODD))}"


def _texts_as_numbers(bench: Bench) -> Iterator[str]:
    if converts_texts(bench.engine.dialect):
        sql = f"SELECT id, {number_sql('grade', 'text')} AS grade FROM {NUMBERS} ORDER BY id"
        yield from bench.asked(sql, [(1, 1.5), (2, 2.0), (3, None), (4, -300.0)])


def _batches(bench: Bench) -> Iterator[str]:
    seen = list[object]()
    for batch in bench.engine.batches(f"SELECT n FROM {MANY} ORDER BY n DESC", 3000):
        if batch.num_rows > 3000:  # noqa: PLR2004 - as asked
            yield f"a batch has {batch.num_rows} rows instead of at most 3000"
        seen += batch.column(0).to_pylist()
    if seen != list(range(9_999, -1, -1)):
        yield f"{len(seen)} rows came, not all of them in the order of the query"
    batches = iter(bench.engine.batches(f"SELECT n FROM {MANY} ORDER BY n", 10))
    next(batches)
    batches.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - a generator
    yield from bench.asked(f"SELECT COUNT(*) AS n FROM {MANY}", [(10_000,)])
    empty = [b.num_rows for b in bench.engine.batches(f"SELECT id FROM {EMPTY}", 10) if b.num_rows]
    if empty:
        yield "an empty result has rows"


def _keeping(bench: Bench) -> Iterator[str]:
    ask = f"SELECT id, word FROM {_KEPT} ORDER BY id"
    bench.engine.keep(_KEPT, f"SELECT id, word FROM {WORDS} WHERE id < 2")
    yield from bench.asked(ask, [(0, "O'Brien"), (1, 'say "no"')])
    bench.engine.keep(_KEPT, "SELECT 9 AS id, 'x' AS word")
    yield from bench.asked(ask, [(9, "x")])
    bench.engine.keep(_KEPT, f"SELECT id, word FROM {WORDS} WHERE id < 0")
    yield from bench.asked(ask, [])
    quoted = 'SELECT "a""b" AS "a""b", "two words" AS "two words" FROM ' + ODD
    bench.engine.keep(_KEPT, quoted)
    yield from bench.asked(f'SELECT "a""b", "two words" FROM {_KEPT}', [(1, 3)])


def _writing(bench: Bench) -> Iterator[str]:
    file = bench.folder / "written.parquet"
    sql = f"SELECT id, word, CAST(id AS DOUBLE) / 2 AS half FROM {WORDS} ORDER BY id"
    rows = bench.engine.write(sql, file)
    found = _table(file)
    if rows != found.num_rows:
        yield f"{rows} rows are said to be written, {found.num_rows} are"
    right = [(number, word, number / 2) for number, word in enumerate(ODD_TEXTS)]
    yield from differences(sorted(rows_of(found), key=lambda row: int(str(row[0]))), right)
    kinds = [str(kind) for kind in found.schema.types]
    if kinds[1:] != ["string", "double"]:
        yield f"a text and a double are written as {' and '.join(kinds[1:])}"
    empty = bench.folder / "empty.parquet"
    if bench.engine.write(f"SELECT id, amount FROM {EMPTY}", empty) != 0:
        yield "an empty result is said to have rows"
    if _table(empty).column_names != ["id", "amount"]:
        yield "an empty result is written without its columns"


def _table(file: Path) -> pa.Table:
    with pq.ParquetFile(file) as opened:
        return opened.read()  # pyright: ignore[reportUnknownMemberType]


def _loading(bench: Bench) -> Iterator[str]:
    files = [
        write_table(bench.folder, f"part{n}", pa.table({"n": [n], "word": ["ä"]})) for n in (1, 2)
    ]
    bench.engine.load(_LOADED, files)
    yield from bench.asked(f"SELECT n, word FROM {_LOADED} ORDER BY n", [(1, "ä"), (2, "ä")])
    folder = bench.folder / "loaded"
    folder.mkdir(exist_ok=True)
    write_table(folder, "only", pa.table({"n": [7]}))
    bench.engine.load(_LOADED, [folder])
    yield from bench.asked(f"SELECT * FROM {_LOADED}", [(7,)])


def _placing(bench: Bench) -> Iterator[str]:
    """Two sources under one name, one after the other."""
    for number in (1, 2):
        source = bench.place(f"placed{number}", pa.table({"id": [number], "word": ["顾客"]}))
        bench.engine.attach(_PLACED, source)
        yield from bench.asked(f"SELECT id, word FROM {_PLACED}", [(number, "顾客")])


def _computing(bench: Bench) -> Iterator[str]:
    """Columns that are computed: each of a type that is known, and of a value that is right."""
    if not hasattr(bench.engine, "define"):
        return
    small = {"q": [200, 7, 0], "r": [255, 7, None], "z": [0, 2, 4]}
    columns = {name: pa.array(values, pa.uint8()) for name, values in small.items()}
    table = pa.table({"id": [1, 2, 3], **columns, "word": ["A b", None, "c"]})
    source = bench.place("computed", table)
    source = source.model_copy(update={"columns": _COMPUTED})
    found = attach_table(_PLACED, source, bench.engine)
    kinds = {name: found[name] for name in _COMPUTED}
    right = ["number"] * 4 + ["boolean", "text"]
    if list(kinds.values()) != right:
        yield f"computed columns are {kinds}"
    rows = [
        (1, 51000.0, 3.0, None, 100.0, True, "a b"),
        (2, 49.0, 3.0, 3.5, 4.0, False, "none"),
        (3, None, None, 0.0, 0.0, None, "c"),
    ]
    listed = ", ".join(_COMPUTED)
    yield from bench.asked(f"SELECT id, {listed} FROM {_PLACED} ORDER BY id", rows)
    plain = source.model_copy(update={"columns": {}})
    attach_table(_PLACED, plain, bench.engine)
    if set(bench.engine.columns(_PLACED)) & set(_COMPUTED):
        yield "a table that is attached again keeps what was computed"


def _fingerprints(bench: Bench) -> Iterator[str]:
    content = pa.table({"id": [1, 2, 3], "word": ["a", "b", None]})
    found = list[tuple[str, str]]()
    for table in (content, content, content.slice(0, 2)):
        with bench.open() as engine:
            found.append(engine.fingerprint(bench.place("printed", table)))
    (place, first), (_, again), (_, other) = found
    if not re.fullmatch("[0-9a-f]{64}", first):
        yield f"the digest is {first!r}, no sha256"
    if first != again:
        yield "the same content has two digests"
    if first == other:
        yield "a row fewer has the same digest"
    if str(bench.folder) in place:
        yield "the place holds the path of this machine"


def _reading(bench: Bench) -> Iterator[str]:
    source = bench.place("read", pa.table({"id": [1]}))
    with bench.engine.reading(), bench.engine.reading():
        bench.engine.attach(_PLACED, source)
        yield from bench.asked(f"SELECT id FROM {_PLACED}", [(1,)])
        bench.engine.confirm()
    yield from bench.asked(f"SELECT id FROM {_PLACED}", [(1,)])


def _changing(bench: Bench) -> Iterator[str]:
    """A table that changes between two questions: refused, or not seen to have changed."""
    first, second = (pa.table({"id": list(range(size))}) for size in (3, 400))
    for confirms in (False, True):
        source = bench.place("changed", first)
        counts = list[int]()
        try:
            with bench.engine.reading():
                for each in (first, second):
                    if each is second:
                        source = bench.place("changed", second)
                    bench.engine.attach(_PLACED, source)
                    counts += bench.engine.query(f"SELECT COUNT(*) AS n FROM {_PLACED}")[
                        "n"
                    ].to_pylist()
                if confirms:
                    bench.engine.confirm()
        except DataError as error:
            if error.faults[0].code not in ("UL226", "UL232"):
                yield f"a change is refused by {error.faults[0].code} instead of UL232"
        else:
            if counts != [3, 3]:
                yield f"a table of 3 rows that becomes one of 400 is counted as {counts}"


def _missing(bench: Bench) -> Iterator[str]:
    source = bench.place("there", pa.table({"id": [1]}))
    gone = (
        source.model_copy(update={"file": "nowhere.parquet"})
        if source.file
        else source.model_copy(update={"table": "nowhere_to_be_found"})
    )
    code = "UL201" if source.file else "UL204"
    yield from refusal(lambda: bench.engine.attach(_PLACED, gone), DataError, code)
    yield from refusal(lambda: bench.engine.fingerprint(gone), DataError, code)


def _damaged(bench: Bench) -> Iterator[str]:
    source = bench.place("broken", pa.table({"id": list(range(1000))}))
    if source.file is None:
        return
    file = bench.folder / source.file
    content = file.read_bytes()
    for what, damaged in (("cut", content[:-40]), ("no Parquet file", b"PAR1 not really PAR1")):
        file.write_bytes(damaged)

        def read() -> None:
            with bench.engine.reading():
                bench.engine.attach(_PLACED, source)
                bench.engine.query(f"SELECT SUM(id) AS n FROM {_PLACED}")

        yield from (f"a file that is {what} {wrong}" for wrong in refusal(read, DataError))


def _csv(bench: Bench) -> Iterator[str]:
    if bench.place("csv", pa.table({"id": [1]})).file is None:
        return
    (bench.folder / "read.csv").write_text(_CSV, encoding="utf-8")
    bench.engine.attach(_PLACED, Source(file="read.csv"))
    kinds = bench.engine.columns(_PLACED)
    if kinds != {"id": "text", "word": "text", "amount": "text"}:
        yield f"the columns of a CSV file are {kinds}, not texts"
    right = [("1", "a;b", "1.5"), ("2", None, None), ("3", 'say "no"', "0")]
    yield from bench.asked(f"SELECT id, word, amount FROM {_PLACED} ORDER BY id", right)


def _refusals(bench: Bench) -> Iterator[str]:
    for sql in ("SELECT FROM WHERE", "SELECT nowhere FROM nothing", f"SELECT nowhere FROM {MANY}"):

        def ask(sql: str = sql) -> object:
            return bench.engine.query(sql)

        yield from (f"{sql!r} {wrong}" for wrong in refusal(ask, EngineError))
    yield from bench.asked(f"SELECT COUNT(*) AS n FROM {EVENTS}", [(6,)])


def _discretion(bench: Bench) -> Iterator[str]:
    """A refusal repeats no value of the data."""
    try:
        bench.engine.query(f"SELECT SUM(CAST(word AS INTEGER)) AS n FROM {WORDS} WHERE id = 0")
    except UpliftLabError as error:
        if "Brien" in str(error):
            yield "a refusal repeats a value of the data"
    else:
        yield "a text that is no number is taken for one"


def _closing(bench: Bench) -> Iterator[str]:
    file = write_table(bench.folder, "closing", pa.table({"n": [5]}))
    with bench.open() as first:
        first.load("conformance_closed", [file])
        first.keep("conformance_closed_too", "SELECT n FROM conformance_closed")
    with bench.open() as second:
        for name in ("conformance_closed", "conformance_closed_too"):

            def ask(name: str = name) -> object:
                return second.query(f"SELECT n FROM {name}")

            wrong = refusal(ask, EngineError)
            yield from (f"a table of an engine that was closed {each}" for each in wrong)


BEHAVIOUR: Final = (
    Case("description", "It says its name, version and dialect", _described),
    Case("hashes", "It hashes and compares as published, so that it may assign", _hashes),
    Case("columns", "Columns are told apart by the families of their types", _columns),
    Case("texts_as_numbers", "A text that is a number becomes one, others NULL", _texts_as_numbers),
    Case("batches", "Batches are small, complete and in the order of the query", _batches),
    Case("keep", "A result is kept under a name, and replaced under it", _keeping),
    Case("write", "A result is written as one Parquet file, also an empty one", _writing),
    Case("load", "Parquet files, and folders of them, are one table", _loading),
    Case("attach", "A source is attached, and replaced under its name", _placing, places=True),
    Case("define", "A view computes columns of a table", _computing, places=True),
    Case("fingerprint", "A digest tells contents apart", _fingerprints, places=True),
    Case("reading", "A block of reading may lie within another", _reading, places=True),
    Case("changes", "A table that changes while it is read is noticed", _changing, places=True),
    Case("missing", "A table that is not there is refused", _missing, places=True),
    Case("damaged", "A damaged file is refused", _damaged, places=True),
    Case("csv", "A CSV file's columns are texts, its empty cells NULL", _csv, places=True),
    Case("refusals", "A query that cannot be run is refused, and the next one answered", _refusals),
    Case("discretion", "A refusal repeats no value of the data", _discretion),
    Case("closing", "An engine that is closed leaves no table behind", _closing),
)
"""All of them as cases."""
