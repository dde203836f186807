"""CSV and TSV files as people have them: the right rows, or a refusal with the way on."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upliftlab.config.models import EngineSettings, Source
from upliftlab.engines import text_file, text_tables
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError, EngineError, UpliftLabError

Table = tuple[list[str], list[tuple[str | None, ...]]]
JARGON = (
    *("state machine", "struct_pack", "No function matches", "TRY_CAST", "read_csv"),
    *("union_by_name", "Binder", "Invalid Input", "Original Line", "strict_mode", "ignore_errors"),
    *(
        "null_padding",
        "univocity",
        "Exception",
        "java",
        "spark.",
        "MALFORMED",
        "codec",
        "Traceback",
    ),
)
LF = b"id,spend\n1,5\n2,7\n"
RIGHT: Table = (["id", "spend"], [("1", "5"), ("2", "7")])


def zipped(*files: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return held.getvalue()


def german(encoding: str) -> bytes:
    return "id;größe\n1;ü€\n2;ß\n".encode(encoding)


GERMAN: Table = (["id", "größe"], [("1", "ü€"), ("2", "ß")])
BROKEN_NAME = (["id", "spend\nin EUR"], RIGHT[1])
READ: dict[str, tuple[str, bytes, dict[str, Any], Table]] = {
    "plain": ("x.csv", LF, {}, RIGHT),
    "no last line end": ("x.csv", LF[:-1], {}, RIGHT),
    "crlf": ("x.csv", LF.replace(b"\n", b"\r\n"), {}, RIGHT),
    "cr": ("x.csv", LF.replace(b"\n", b"\r"), {}, RIGHT),
    "mixed line ends": ("x.csv", b"id,spend\r\n1,5\n2,7\r", {}, RIGHT),
    "mixed further down": ("x.csv", b"id,spend\n1,5\n" * 1 + b"2,7\r\n", {}, RIGHT),
    "blank lines": ("x.csv", b"\n\nid,spend\n\n1,5\n\n2,7\n\n\n", {}, RIGHT),
    "blank lines crlf": ("x.csv", b"\r\nid,spend\r\n1,5\r\n\r\n2,7\r\n\r\n", {}, RIGHT),
    "blank line of another end": ("x.csv", b"id,spend\r\n1,5\r\n2,7\r\n\n", {}, RIGHT),
    "utf-8 with mark": ("x.csv", codecs.BOM_UTF8 + LF, {}, RIGHT),
    "two marks": ("x.csv", codecs.BOM_UTF8 * 2 + LF, {}, RIGHT),
    "header lf in crlf": ("x.csv", b'id,"spend\nin EUR"\r\n1,5\r\n2,7\r\n', {}, BROKEN_NAME),
    "header lf in lf": ("x.csv", b'id,"spend\nin EUR"\n1,5\n2,7\n', {}, BROKEN_NAME),
    "header crlf in lf": (
        "x.csv",
        b'id,"spend\r\nin EUR"\n1,5\n2,7\n',
        {},
        (["id", "spend\r\nin EUR"], RIGHT[1]),
    ),
    "header of three lines": (
        "x.csv",
        b'"i\n\nd","a;b"\r\n1,5\r\n2,7\r\n',
        {"delimiter": ","},
        (["i\n\nd", "a;b"], RIGHT[1]),
    ),
    "cell crlf in lf": (
        "x.csv",
        b'a,b\n1,"x\r\ny"\n2,7\n',
        {},
        (["a", "b"], [("1", "x\r\ny"), ("2", "7")]),
    ),
    "cell lf in crlf": ("x.csv", b'a,b\r\n1,"x\ny"\r\n', {}, (["a", "b"], [("1", "x\ny")])),
    "quote in unquoted cell": (
        "x.csv",
        b'a,b\n1,5" pipe\n2,"5"" pipe"\n',
        {},
        (["a", "b"], [("1", '5" pipe'), ("2", '5" pipe')]),
    ),
    "quote in unquoted name": ("x.csv", b'a,5" pipe\n1,2\n', {}, (["a", '5" pipe'], [("1", "2")])),
    "quoted with spaces around": ("x.csv", b'a,b\n1, "x,y" \n', {}, (["a", "b"], [("1", "x,y")])),
    "empty and quoted empty": (
        "x.csv",
        b'a,b\n"",1\n,2\n',
        {},
        (["a", "b"], [(None, "1"), (None, "2")]),
    ),
    "numbers as written": (
        "x.csv",
        b"a,b\n007,1.0\n#1, 2\n",
        {},
        (["a", "b"], [("007", "1.0"), ("#1", " 2")]),
    ),
    "windows-1252": ("x.csv", german("cp1252"), {"encoding": "windows-1252"}, GERMAN),
    "utf-16": ("x.csv", german("utf-16"), {}, GERMAN),
    "utf-16 big end": ("x.csv", codecs.BOM_UTF16_BE + german("utf-16-be"), {}, GERMAN),
    "utf-16 without mark": ("x.csv", german("utf-16-le"), {"encoding": "utf-16-le"}, GERMAN),
    "utf-8 declared": ("x.csv", german("utf-8-sig"), {"encoding": "UTF-8"}, GERMAN),
    "gz": ("x.csv.gz", gzip.compress(LF), {}, RIGHT),
    "gz windows-1252": (
        "x.csv.gz",
        gzip.compress(german("cp1252")),
        {"encoding": "cp1252"},
        GERMAN,
    ),
    "gz utf-16": ("x.tsv.gz", gzip.compress(german("utf-16").replace(b";", b"\t")), {}, GERMAN),
    "tsv": ("x.tsv", LF.replace(b",", b"\t"), {}, RIGHT),
    "semicolons": ("x.csv", b"id;spend\n1;5\n2;7\n", {}, RIGHT),
    "bars": ("x.csv", b"id|spend\n1|5\n2|7\n", {}, RIGHT),
    "delimiter declared": ("x.csv", b"id^spend\n1^5\n2^7\n", {"delimiter": "^"}, RIGHT),
    "tab declared": (
        "x.csv",
        b"id\tspend,x\n1\t5\n",
        {"delimiter": "tab"},
        (["id", "spend,x"], [("1", "5")]),
    ),
    "excel's sep": ("x.csv", b"sep=;\r\nid;spend\r\n1;5\r\n2;7\r\n", {}, RIGHT),
    "excel's sep, quoted": ("x.csv", b'"sep=^"\nid^spend\n1^5\n2^7\n', {}, RIGHT),
    "skip": ("x.csv", b'Report "May, 2026\n\nid,spend\n1,5\n2,7\n', {"skip": 2}, RIGHT),
    "skip crlf": ("x.csv", b"Report\r\nid,spend\r\n1,5\r\n2,7\r\n", {"skip": 1}, RIGHT),
    "skip, other line ends": ("x.csv", b"Report\nid,spend\r\n1,5\r\n2,7\r\n", {"skip": 1}, RIGHT),
    "missing words": (
        "x.csv",
        b'a,b\nNA,1\n-,"NA"\nna,2\n',
        {"missing": ["NA", "-"]},
        (["a", "b"], [(None, "1"), (None, None), ("na", "2")]),
    ),
    "pandas' index": ("x.csv", b",id,spend\n0,1,5\n1,2,7\n", {}, RIGHT),
    "pandas' index, out of a copy": ("x.csv", b",id,spend\r\n0,1,5\n1,2,7\n", {}, RIGHT),
    "trailing separator": ("x.csv", b"id,spend,\n1,5,\n2,7,\n", {}, RIGHT),
    "several trailing separators": ("x.csv", b"id;spend;;;\n1;5;;;\n2;7;;;\n", {}, RIGHT),
    "names with spaces": ("x.csv", b" id ,  spend\xc2\xa0\n1,5\n2,7\n", {}, RIGHT),
    "one column": ("x.csv", b"id\n1\n\n2\n\n", {}, (["id"], [("1",), ("2",)])),
    "one column crlf": ("x.csv", b'id\r\n1\r\n\r\n""\r\n', {}, (["id"], [("1",), (None,)])),
    "header only": ("x.csv", b"id,spend\n", {}, (RIGHT[0], [])),
    "header only, no line end": ("x.csv", b"id,spend", {}, (RIGHT[0], [])),
    "header only of two lines": ("x.csv", b'id,"spend\nin EUR"\r\n', {}, (BROKEN_NAME[0], [])),
    "zip": ("x.zip", zipped(("../../etc/orders.CSV", LF)), {}, RIGHT),
    "zip with what macOS adds": (
        "x.csv.zip",
        zipped(("o.tsv", LF.replace(b",", b"\t")), ("__MACOSX/._o.csv", b"\0"), ("notes/", b"")),
        {},
        RIGHT,
    ),
    "zip windows-1252": (
        "x.zip",
        zipped(("o.csv", german("cp1252"))),
        {"encoding": "cp1252"},
        GERMAN,
    ),
}
S = b"SECRET"
REFUSED: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "too few cells": (
        "x.csv",
        b"id,spend\n1,5\n\nSECRET\n",
        {},
        "UL262 line 4 of x.csv has 1 cell, and line 1 names 2 columns",
    ),
    "too many cells": (
        "x.csv",
        b'id,spend\n"1\n",5\n2,SECRET,7\n',
        {},
        "UL262 line 4 of x.csv has 3 cells, and line 1 names 2 columns; mend the line",
    ),
    "title above": (
        "x.csv",
        b"Report, SECRET\nid,spend,arm\n1,2,3\n",
        {},
        r"UL262 line 2 .* if line 2 names the columns, write format: \{skip: 1\}",
    ),
    "title of one cell": (
        "x.csv",
        b"Report SECRET\nid;spend\n1;2\n",
        {},
        r"UL264 .* line 2 holds ';'; .* format: \{skip: 1\}; .* \{delimiter: ';'\}",
    ),
    "value behind the last name": (
        "x.csv",
        b"id,spend,\n1,5,\n2,7,SECRET\n",
        {},
        "UL262 line 3 of x.csv has 3 cells, and line 1 names 2",
    ),
    "line of spaces": ("x.csv", b"id,spend\n1,5\n  \n", {}, "UL262 line 3 of x.csv has 1 cell"),
    "open quote": (
        "x.csv",
        b'id,spend\n1,5\n2,"SECRET\n3,4\n',
        {},
        'UL263 line 3 of x.csv: the quote sign " that begins cell 2 is not closed',
    ),
    "open quote in the header": (
        "x.csv",
        b'id,"spend\n1,SECRET\n',
        {},
        'UL263 line 1 of x.csv: the quote sign " that begins cell 2 is not closed',
    ),
    "text behind a quote": (
        "x.csv",
        b'id,spend\n1,"SEC"RET\n',
        {},
        "UL263 line 2 of x.csv: in cell 2 a quote sign",
    ),
    "backslash before a quote": (
        "x.csv",
        b'id,spend\n1,"SEC\\"RET"\n',
        {},
        "UL263 line 2 of x.csv: in cell 2 a quote sign",
    ),
    "windows-1252 undeclared": (
        "x.csv",
        german("cp1252") + S,
        {},
        r"UL261 line 1 of x.csv is no text in UTF-8; .* format: \{encoding: windows-1252\}",
    ),
    "wrong bytes in a column nobody reads": (
        "x.csv",
        b"id,spend,note\n1,5,SECRET\xfc\n",
        {},
        "UL261 line 2 of x.csv is no text in UTF-8",
    ),
    "cut letter": (
        "x.csv",
        b"id,spend\r1,5\r2,\xc3",
        {},
        "UL261 line 3 of x.csv is no text in UTF-8",
    ),
    "utf-16 undeclared": (
        "x.csv",
        german("utf-16-le"),
        {},
        r"UL261 line 1 of x.csv .* \{encoding: utf-16-le\}",
    ),
    "utf-16 of plain letters": (
        "x.csv",
        LF.decode().encode("utf-16-le"),
        {},
        r"UL261 line 1 of x.csv .* \{encoding: utf-16-le\}",
    ),
    "another encoding than declared": (
        "x.csv",
        german("utf-8"),
        {"encoding": "ascii"},
        "UL261 line 1 of x.csv is no text in ascii; mend 'encoding'",
    ),
    "odd utf-16": (
        "x.csv",
        german("utf-16") + b"S",
        {},
        "UL261 line 4 of x.csv is no text in utf-16",
    ),
    "no encoding": ("x.csv", LF, {"encoding": "ansi"}, "UL261 no encoding is called 'ansi'"),
    "no encoding of text": (
        "x.csv",
        LF,
        {"encoding": "rot13"},
        "UL261 no encoding is called 'rot13'",
    ),
    "zero byte": (
        "x.csv",
        b"id,spend\n1,5\n2,SECRET\0\n",
        {},
        "UL261 line 3 of x.csv holds a zero byte",
    ),
    "picture": ("x.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {}, "UL261 line 1 of x.csv is no text"),
    "gz of wrong bytes": (
        "x.csv.gz",
        gzip.compress(german("cp1252")),
        {},
        "UL261 line 1 of x.csv.gz",
    ),
    "empty": ("x.csv", b"", {}, "UL202 x.csv is empty"),
    "blank": ("x.csv", codecs.BOM_UTF8 + b"\n\r\n  \n", {}, "UL202 x.csv is empty"),
    "no names": ("x.csv", b",,\n1,2,3\n", {}, "UL202 line 1 of x.csv names no column"),
    "all skipped": (
        "x.csv",
        LF,
        {"skip": 3},
        "UL202 x.csv holds nothing below the 3 lines that are skipped",
    ),
    "one name twice": (
        "x.csv",
        b"id, spend,spend \n1,2,3\n",
        {},
        "UL202 x.csv has two columns 'spend'; rename one",
    ),
    "names that differ in case": (
        "x.csv",
        b"id,ID\n1,2\n",
        {},
        "UL202 x.csv has two columns 'ID' and 'id'; rename one; capital",
    ),
    "unnamed in the middle": (
        "x.csv",
        b"id,,spend\n1,2,3\n",
        {},
        "UL266 column 2 of x.csv has no name",
    ),
    "two candidates": (
        "x.csv",
        b"id;spend,EUR\n1;SECRET\n",
        {},
        r"UL264 .* as many of ',' and ';': .* \{delimiter: ','\} or format: \{delimiter: ';'\}",
    ),
    "100,000 columns": (
        "x.csv",
        b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
        {},
        "UL228 the first line of x.csv has more than",
    ),
    "endless line": (
        "x.csv",
        b"id,spend\n1," + b"x" * 2_000_001 + b"\n",
        {},
        "UL228 x.csv has a line of more than 2,000,000 bytes",
    ),
    "endless quoted cell": (
        "x.csv",
        b'id,spend\n1,"' + b"SECRET\n" * 300_000 + b'"\n',
        {},
        'UL263 line 2 of x.csv: the quote sign " that begins cell 2 is not closed',
    ),
    "txt": (
        "x.txt",
        LF,
        {},
        "UL203 x.txt is of no known kind; if its rows are lines, name it x.csv",
    ),
    "zip of two": (
        "x.zip",
        zipped(("a.csv", LF), ("b.csv", LF), ("c.txt", b"")),
        {},
        "UL265 x.zip holds 2 files that end in .csv or .tsv, of 3; .* unpack",
    ),
    "zip of none": ("x.zip", zipped(("a.parquet", LF)), {}, "UL265 x.zip holds 0 files that end"),
    "no zip": ("x.zip", LF, {}, "UL226 x.zip is damaged, or no zip archive"),
    "ragged in a zip": (
        "x.zip",
        zipped(("o.csv", b"id,spend\nSECRET\n")),
        {},
        "UL262 line 2 of x.zip has 1 cell",
    ),
}


def read(live: Any, folder: Path, name: str, content: bytes, form: dict[str, Any]) -> Table:
    """A file's columns and rows, sorted."""
    (folder / name).write_bytes(content)
    return table(live, Source.model_validate({"file": str(folder / name), "format": form}))


def table(live: Any, source: Source) -> Table:
    with live.reading():
        live.attach("t", source)
        found = live.query("SELECT * FROM t")
        rows = [tuple(row.values()) for row in found.to_pylist()]
        assert live.query("SELECT COUNT(*) AS n FROM t").to_pylist() == [{"n": len(rows)}]
        assert set(live.columns("t").values()) == {"text"}
        return found.column_names, sorted(rows, key=str)


def refused(live: Any, folder: Path, case: tuple[str, bytes, dict[str, Any], str]) -> None:
    name, content, form, expected = case
    with pytest.raises(UpliftLabError, match=expected) as caught:
        read(live, folder, name, content, form)
    discreet(str(caught.value))


def discreet(told: str) -> None:
    assert "SEC" not in told
    assert not [word for word in JARGON if word.lower() in told.lower()]
    assert len(told) < 400
    assert told.isprintable()


@pytest.fixture
def duck(tmp_path: Path):
    with DuckDB(Path, folders=[tmp_path]) as engine:
        yield engine


@pytest.mark.parametrize("case", READ.values(), ids=READ)
def test_a_file_is_read(tmp_path: Path, duck: Any, case: Any):
    name, content, form, (names, rows) = case
    assert read(duck, tmp_path, name, content, form) == (names, sorted(rows, key=str))


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused(tmp_path: Path, duck: Any, case: Any):
    refused(duck, tmp_path, case)


ON_SPARK = [
    *("plain", "mixed line ends", "header lf in crlf", "cell crlf in lf", "utf-16", "windows-1252"),
    *("gz", "tsv", "skip", "missing words", "pandas' index", "trailing separator", "one column"),
    *("header only", "zip", "numbers as written", "quoted with spaces around", "cr"),
]
NOT_ON_SPARK = [
    *("too few cells", "open quote", "text behind a quote", "windows-1252 undeclared", "txt"),
    *("wrong bytes in a column nobody reads", "zero byte", "empty", "zip of two", "endless line"),
]


@pytest.mark.spark
@pytest.mark.parametrize("name", ON_SPARK)
def test_spark_reads_the_same(tmp_path: Path, spark: Any, name: str):
    file, content, form, (names, rows) = READ[name]
    assert read(spark, tmp_path, file, content, form) == (names, sorted(rows, key=str))


@pytest.mark.spark
@pytest.mark.parametrize("name", NOT_ON_SPARK)
def test_spark_refuses_the_same(tmp_path: Path, spark: Any, name: str):
    refused(spark, tmp_path, REFUSED[name])


CELLS = st.text(
    st.sampled_from("ab1,;\t|'\" \n\r.ü€\u2028\x0b\x85日")
    | st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    max_size=8,
)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12)
WRITTEN = [("excel", "utf-8"), ("excel-tab", "utf-16"), ("unix", "utf-8-sig")]


@pytest.mark.parametrize("written", WRITTEN)
@given(rows=ROWS, names=st.lists(CELLS, min_size=2, max_size=2))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_written_is_read(
    tmp_path: Path, duck: Any, written: tuple[str, str], rows: Any, names: list[str]
):
    dialect, encoding = written
    header = ["id", f"a{names[0]}a", f"b{names[1]}b"]
    held = io.StringIO(newline="")
    csv.writer(held, dialect).writerows([header, *rows])
    sign = "\t" if dialect == "excel-tab" else ","
    found = read(duck, tmp_path, "x.csv", held.getvalue().encode(encoding), {"delimiter": sign})
    right = [tuple(cell or None for cell in row) for row in rows]
    assert found == (header, sorted(right, key=str))


@given(
    st.lists(
        st.sampled_from([*'ab,," \n\n', "\r\n", "\r", '"a"', ',"', '",', '"\n', "ü"]), max_size=16
    )
)
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_is_read_as_rfc_4180_has_it_or_refused(
    tmp_path: Path, duck: Any, parts: list[str]
):
    body = "".join(parts)
    try:
        _, found = read(duck, tmp_path, "x.csv", f"x,y\n{body}".encode(), {})
    except DataError as error:
        discreet(str(error))
        told, right = error.faults[0].code, _rows(body)
        assert (told in {"UL262", "UL263"}, right) == (True, None)
    else:
        right = _rows(body)
        assert right is None or found == sorted(right, key=str)


def _rows(body: str) -> list[tuple[str | None, ...]] | None:
    """What Python's reader makes of rows of two cells; None where it refuses, or has no rule.

    It has none for spaces around quote signs.
    """
    if '" ' in body or ' "' in body:
        return None
    try:
        rows = [row for row in csv.reader(io.StringIO(body, newline=""), strict=True) if row]
    except csv.Error:
        return None
    if any(len(row) < 2 or any(row[2:]) for row in rows):
        return None
    return [tuple(cell or None for cell in row[:2]) for row in rows]


@given(st.binary(max_size=60), st.integers(0, 30))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.zip"])
def test_any_bytes_are_read_or_refused_in_plain_words(
    tmp_path: Path, duck: Any, name: str, content: bytes, at: int
):
    whole = {"x.csv": LF * 3, "x.csv.gz": gzip.compress(LF), "x.zip": zipped(("o.csv", LF))}[name]
    try:
        read(duck, tmp_path, name, whole[:at] + content + whole[at + len(content) // 2 :], {})
    except UpliftLabError as error:
        told = str(error)
        assert not [word for word in JARGON if word.lower() in told.lower()]
        assert told.isprintable()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [1, 4, 70])
def test_an_open_quote_in_one_of_many_files_is_named(tmp_path: Path, count: int, threads: int):
    """Where DuckDB gives each thread files of its own it leaves such rows out and says nothing."""
    for number in range(count):
        (tmp_path / f"o{number:02}.csv").write_bytes(LF * 1)
    (tmp_path / "o00.csv").write_bytes(LF + b'3,"SECRET\n' + b"4,5\n" * 5)
    source = Source(file=str(tmp_path / "*.csv"))
    with (
        DuckDB(Path, EngineSettings(threads=threads), folders=[tmp_path]) as engine,
        pytest.raises(DataError, match=r"UL263 line 4 of o00\.csv: the quote sign") as caught,
    ):
        table(engine, source)
    discreet(str(caught.value))


@pytest.mark.parametrize("count", [3, 70])
def test_files_of_one_source_are_written_as_each_is(tmp_path: Path, duck: Any, count: int):
    ways = {
        "a.csv": b"id,spend\n1,5\n",
        "b.csv.gz": gzip.compress(b"spend;id\r\n6;2\r\n"),
        "c.zip": zipped(("c.csv", "id\tspend\n3\t7\n".encode("utf-16"))),
    }
    for number in range(3, count):
        (tmp_path / f"d{number:03}.csv").write_bytes(f'"id",spend\n{number},1\n'.encode())
    for name, content in ways.items():
        (tmp_path / name).write_bytes(content)
    names, rows = table(duck, Source(file=str(tmp_path / "*")))
    assert names == ["id", "spend"]
    assert rows == sorted(
        [("1", "5"), ("2", "6"), ("3", "7")] + [(str(n), "1") for n in range(3, count)], key=str
    )


def test_a_file_with_other_columns_is_named(tmp_path: Path, duck: Any):
    for name, content in (("a.csv", LF), ("b.csv", LF), ("c.csv", b"id,Spend\n")):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"UL202 c\.csv and a\.csv differ in their columns' names"):
        table(duck, Source(file=str(tmp_path / "*.csv")))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_breaks_in_quotes_where_two_threads_meet(tmp_path: Path, end: str):
    """DuckDB refuses such a file where it reads it by several threads."""
    note = f",{'x' * 200}{end}" * 20
    row = f'1,"{note}"{end}'
    count = 36_000_000 // len(row)
    path = tmp_path / "x.csv"
    path.write_bytes((f"id,note{end}" + row * count).encode())
    engine = DuckDB(Path, EngineSettings(threads=2), tmp_path / "spill", folders=[tmp_path])
    with engine, engine.reading():
        engine.attach("t", Source(file=str(path)))
        sql = "SELECT COUNT(*) AS n, SUM(LENGTH(note)) AS letters FROM t"
        assert engine.query(sql).to_pylist() == [{"n": count, "letters": count * len(note)}]
        assert list((tmp_path / "spill" / "texts").iterdir())


def test_batches_of_a_file_that_has_to_be_read_another_way(tmp_path: Path, duck: Any):
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,spend\n1,5\n2,7\r\n")
    duck.attach("t", Source(file=str(path)))
    batches = list(duck.batches("SELECT * FROM t", 10))
    assert sorted(row["id"] for batch in batches for row in batch.to_pylist()) == ["1", "2"]


def test_a_name_that_stands_for_something_else_stays_so(tmp_path: Path, duck: Any):
    (tmp_path / "x.csv").write_bytes(b"id,spend\n1,5\n2,7\r\n")
    (tmp_path / "y.csv").write_bytes(LF)
    for name in ("x", "y"):
        duck.attach("t", Source(file=str(tmp_path / f"{name}.csv")))
    duck.attach("u", Source(file=str(tmp_path / "x.csv")))
    assert duck.query("SELECT COUNT(*) AS n FROM u").to_pylist() == [{"n": 2}]
    assert duck.query("SELECT COUNT(*) AS n FROM t").to_pylist() == [{"n": 2}]


def test_a_fingerprint_is_of_the_bytes_that_lie_there(tmp_path: Path, duck: Any):
    import hashlib

    content = zipped(("o.csv", german("utf-16")))
    source = Source(file=str(tmp_path / "x.zip"))
    assert read(duck, tmp_path, "x.zip", content, {}) == (GERMAN[0], sorted(GERMAN[1], key=str))
    assert duck.fingerprint(source) == ("x.zip", hashlib.sha256(content).hexdigest())


def test_copies_are_private_and_gone_afterwards(tmp_path: Path):
    spill = tmp_path / "spill"
    with DuckDB(Path, folder=spill, folders=[tmp_path]) as engine:
        read(engine, tmp_path, "x.csv", german("utf-16"), {})
        (copy,) = (spill / "texts").iterdir()
        assert (spill / "texts").stat().st_mode & 0o777 == 0o700
        assert copy.read_text("utf-8") == "1;ü€\n2;ß\n"
    assert not (spill / "texts").exists()


def test_a_copy_leaves_room_on_the_disk(tmp_path: Path, duck: Any, monkeypatch: pytest.MonkeyPatch):
    """Whatever an archive expands to."""
    monkeypatch.setattr(text_tables, "_ROOM", 1 << 62)
    with pytest.raises(EngineError, match="UL507 the disk is full"):
        read(duck, tmp_path, "x.zip", zipped(("o.csv", LF)), {})


def test_an_encrypted_zip_is_refused(tmp_path: Path, duck: Any):
    content = bytearray(zipped(("o.csv", LF)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    with pytest.raises(DataError, match=r"UL265 x\.zip is encrypted; .* without a password"):
        read(duck, tmp_path, "x.zip", bytes(content), {})


def test_a_zip_with_another_checksum_is_refused(tmp_path: Path, duck: Any):
    content = bytearray(zipped(("o.csv", LF)))
    for mark, at in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        content[content.index(mark) + at] ^= 1
    with pytest.raises(DataError, match=r"UL226 x\.zip is damaged"):
        read(duck, tmp_path, "x.zip", bytes(content), {})


@pytest.mark.parametrize("sign", ["a", "1", '"', "'", ".", "\n", " ", "", ";;"])
def test_what_cannot_part_cells_is_refused(sign: str):
    with pytest.raises(ValueError, match="delimiter"):
        Source.model_validate({"file": "x.csv", "format": {"delimiter": sign}})


def test_wrong_bytes_are_found_across_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(text_file, "_PIECE", 3)
    path = tmp_path / "x.csv"
    for content, line in ((b"a\r\nb\r\nc\r\nd\xff", 4), (b"a\rb\rc\n\xc3", 4), (b"\xff", 1)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"UL261 line {line} of x.csv"):
            list(text_file.lines_of(path, text_file.UTF8))
