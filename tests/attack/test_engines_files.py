"""Damaged, replaced, odd and endless data files."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.flipped_files import outcomes

from upliftlab.config.models import EngineSettings, Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.place import LONGEST_LINE
from upliftlab.errors import DataError, EngineError, UpliftLabError

ALL = (
    "SELECT arm, COUNT(*) AS n, SUM(CAST(spend AS DOUBLE)) AS s, MIN(id) AS a, MAX(id) AS z"
    " FROM customers GROUP BY arm ORDER BY arm"
)
LONG = int(os.environ.get("UPLIFTLAB_FLIPS", "30"))
"""How many flips of a kind: `UPLIFTLAB_FLIPS=300 pytest tests/attack -k flipped` takes minutes."""


def _rows(count: int = 2000) -> list[tuple[str, float, str]]:
    drawn = random.Random(4)
    return [(f"c{i:05}", round(drawn.random() * 99, 2), drawn.choice("ab")) for i in range(count)]


def _csv(count: int = 2000) -> bytes:
    return "\n".join(["id,spend,arm", *(f"{a},{b},{c}" for a, b, c in _rows(count)), ""]).encode()


def _table() -> pa.Table:
    return pa.table(list(map(pa.array, zip(*_rows(), strict=True))), names=["id", "spend", "arm"])


def _read(path: Path, engine: Any = None, sql: str = ALL) -> list[dict[str, Any]]:
    """A table as one command reads it."""
    with contextlib.ExitStack() as stack:
        live = engine or stack.enter_context(DuckDB(Path, EngineSettings(threads=1)))
        with live.reading():
            live.attach("customers", Source(file=str(path)))
            return live.query(sql).to_pylist()


def _vouch(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    Path(f"{path}.sha256").write_text(f"{digest}  {path.name}\n")


MEMBERS = {"one member": 1, "three members": 3}


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_a_flipped_bit_in_gzip_is_never_another_table(tmp_path: Path, members: int):
    path, content = tmp_path / "x.csv.gz", _csv()
    cut = len(content) // members
    pieces = [content[i * cut : (i + 1) * cut] for i in range(members - 1)]
    pieces.append(content[(members - 1) * cut :])
    path.write_bytes(b"".join(gzip.compress(piece, mtime=0) for piece in pieces))
    found = outcomes(path, LONG, lambda: _read(path))
    assert found["other"] == 0
    assert found["refused"] > 0.9 * LONG


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet", "x.tsv"])
def test_a_flipped_bit_in_a_file_with_its_sha256_is_refused(tmp_path: Path, name: str):
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(_table(), path, compression="snappy")
    else:
        path.write_bytes(gzip.compress(_csv()) if name.endswith("gz") else _csv())
    _vouch(path)
    assert outcomes(path, LONG, lambda: _read(path)) == {"refused": LONG}


@pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
def test_a_flipped_bit_in_a_page_with_a_checksum_is_refused(tmp_path: Path, compression: str):
    path = tmp_path / "x.parquet"
    pq.write_table(_table(), path, compression=compression, write_page_checksum=True)
    found = outcomes(path, LONG, lambda: _read(path))
    assert found["other"] == 0


CUT = [1, 5, 17, 100, 1000, -1, -4, -8, -9]


@pytest.mark.parametrize("at", CUT)
def test_a_cut_gzip_is_refused(tmp_path: Path, at: int):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(_csv())[:at])
    with pytest.raises(DataError, match="UL226"):
        _read(path)


SECOND = gzip.compress(b"c1,1,a\n", mtime=0)[:-2]  # the same on every run, as tests are named by it


@pytest.mark.parametrize("tail", [b"x", bytes(512), b"\x1f\x8b", SECOND])
def test_what_follows_a_gzip_is_refused(tmp_path: Path, tail: bytes):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(_csv()) + tail)
    with pytest.raises(DataError, match="UL226"):
        _read(path)


def test_a_name_in_capitals_is_read(tmp_path: Path):
    path = tmp_path / "X.CSV.GZ"
    path.write_bytes(gzip.compress(_csv()))
    plain = tmp_path / "x.csv"
    plain.write_bytes(_csv())
    assert _read(path) == _read(plain)


def test_a_sha256_that_is_none_is_refused(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_bytes(_csv())
    Path(f"{path}.sha256").write_text("later")
    with pytest.raises(DataError, match="UL227"):
        _read(path)


def test_a_folder_with_sha256_of_some(tmp_path: Path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_bytes(_csv(number))
    _vouch(tmp_path / "1.csv")
    with DuckDB(lambda name: tmp_path / name) as engine, engine.reading():
        engine.attach("customers", Source(file="*"))
        assert engine.query("SELECT COUNT(*) AS n FROM customers").to_pylist() == [{"n": 3}]


def _replacing(path: Path, contents: tuple[bytes, bytes], done: threading.Event, *, place: bool):
    number = 0
    while not done.is_set():
        number += 1
        if place:
            path.write_bytes(contents[number % 2])
        else:
            aside = path.with_suffix(".aside")
            aside.write_bytes(contents[number % 2])
            aside.replace(path)
        time.sleep(random.Random(number).random() * 0.06)


@pytest.mark.parametrize("place", [False, True], ids=["renamed over", "written to"])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_a_file_replaced_while_it_is_read(tmp_path: Path, name: str, place: bool):
    path, contents = tmp_path / name, (_csv(2000), _csv(1000))
    if name.endswith("gz"):
        contents = (gzip.compress(contents[0]), gzip.compress(contents[1]))
    true = {hashlib.sha256(contents[0]).hexdigest(): 2000} | {
        hashlib.sha256(contents[1]).hexdigest(): 1000
    }
    path.write_bytes(contents[0])
    done = threading.Event()
    writer = threading.Thread(
        target=_replacing, args=(path, contents, done), kwargs={"place": place}
    )
    writer.start()
    refused = 0
    try:
        for _ in range(LONG // 3):
            refused += _consistent(path, true)
    finally:
        done.set()
        writer.join()
    assert refused


def _consistent(path: Path, true: dict[str, int]) -> int:
    """Read a table twice and fingerprint it; 1 where that is refused."""
    source, seen = Source(file=str(path)), set[int]()
    try:
        with DuckDB(Path, EngineSettings(threads=1)) as engine, engine.reading():
            for _ in range(2):
                engine.attach("customers", source)
                row = engine.query("SELECT COUNT(*) AS n FROM customers").to_pylist()[0]
                seen.add(row["n"])
            digest = engine.fingerprint(source)[1]
    except UpliftLabError:
        return 1
    assert seen == {true[digest]}
    return 0


def test_a_file_that_joins_a_folder_meanwhile(tmp_path: Path):
    (tmp_path / "1.csv").write_bytes(_csv(1))
    with DuckDB(lambda name: tmp_path / name) as engine, pytest.raises(DataError, match="UL232"):
        _meanwhile(engine, Source(file="*.csv"), lambda: (tmp_path / "2.csv").write_bytes(_csv(1)))


def test_between_two_readings_a_file_may_change(tmp_path: Path):
    path = tmp_path / "x.csv"
    with DuckDB(Path) as engine:
        for count in (3, 2):
            path.write_bytes(_csv(count))
            found = _read(path, engine, "SELECT COUNT(*) AS n FROM customers")
            assert found == [{"n": count}]


@pytest.mark.postgres
def test_a_server_shows_one_moment(postgres, desk):
    desk.run("DROP TABLE IF EXISTS moving; CREATE TABLE moving AS SELECT 1 AS id")
    source, count = Source(table="moving"), "SELECT COUNT(*) AS n FROM customers"
    with postgres.reading():
        postgres.attach("customers", source)
        first = postgres.fingerprint(source)
        desk.run("INSERT INTO moving SELECT generate_series(2, 9)")
        with pytest.raises(EngineError, match="UL502"):
            postgres.query("SELECT nothing FROM nowhere")
        assert postgres.query(count).to_pylist() == [{"n": 1}]
        assert postgres.fingerprint(source) == first
        postgres.keep("kept", "SELECT * FROM customers")
    assert postgres.query(count).to_pylist() == [{"n": 9}]
    assert postgres.fingerprint(source) != first


@pytest.mark.spark
def test_spark_holds_files_and_tables_to_what_they_were(spark, tmp_path: Path):
    from pyspark.sql import SparkSession

    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(_csv(5)))
    with pytest.raises(DataError, match="UL232"):
        _meanwhile(spark, Source(file=str(path)), lambda: path.write_bytes(gzip.compress(_csv(6))))
    path.write_bytes(gzip.compress(_csv(5))[:-1] + b"\x77")
    with pytest.raises(DataError, match="UL226"):
        _read(path, spark)
    catalogue = SparkSession.getActiveSession()
    assert catalogue is not None
    catalogue.sql("SELECT 1 AS id").createOrReplaceTempView("moving")
    with pytest.raises(DataError, match="UL232"):
        _meanwhile(
            spark,
            Source(table="moving"),
            lambda: catalogue.sql("SELECT 2 AS id").createOrReplaceTempView("moving"),
        )


def _meanwhile(engine: Any, source: Source, act: Callable[[], Any]) -> None:
    """Do something to a table after it was attached, before the reading ends."""
    with engine.reading():
        engine.attach("customers", source)
        act()


def _odd(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to("/proc/self/fd/0")


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "loop", "device", "descriptor"])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet", "x.duckdb"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str, name: str):
    _odd(tmp_path / name, kind)
    begun = time.monotonic()
    for asked in (name, "x.*"):
        with (
            DuckDB(lambda name: tmp_path / name) as engine,
            pytest.raises(DataError, match=r"UL229|UL231|UL201"),
        ):
            engine.attach("customers", Source(file=asked, table="t"))
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("where", ["first", "second"])
def test_an_endless_line_is_refused_in_little_memory(tmp_path: Path, compressed: bool, where: str):
    path = tmp_path / ("x.csv.gz" if compressed else "x.csv")
    with gzip.open(path, "wb", 1) if compressed else path.open("wb") as file:
        file.write(b"" if where == "first" else b"id,note\n1,")
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    before, begun = _peak(), time.monotonic()
    with pytest.raises(DataError, match="UL228"):
        _read(path, sql="SELECT COUNT(*) FROM customers")
    assert time.monotonic() - begun < 5
    assert _peak() - before < 150_000_000


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_long_line_is_read(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text(f"id,note\n1,{'x' * (LONGEST_LINE - 100)}\n")
    assert _read(path, sql="SELECT COUNT(*) AS n FROM customers") == [{"n": 1}]


@pytest.mark.parametrize("head", [b"id," + b"x" * 70_000, b"," * 70_000, b'"' + b"y" * 200_000])
def test_a_header_is_refused_and_not_cut(tmp_path: Path, head: bytes):
    path = tmp_path / "x.csv"
    path.write_bytes(head + b"\n1,2\n")
    with pytest.raises(DataError, match="UL228"):
        _read(path)


UNREADABLE = """
import os, sys
from pathlib import Path
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError
DuckDB(Path).close()  # all that it imports
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
root = Path(sys.argv[1])
for asked in sys.argv[2:]:
    try:
        with DuckDB(lambda name: root / name) as engine:
            engine.attach("customers", Source(file=asked))
    except DataError as error:
        print(error)
"""


def test_no_permission_is_said_with_the_path():
    root = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    try:
        root.chmod(0o755)
        (root / "closed").mkdir()
        for name in ("x.csv", "closed/y.csv", "closed/z.parquet"):
            (root / name).write_bytes(_csv(1))
        (root / "x.csv").chmod(0)
        (root / "closed").chmod(0)
        asked = ["x.csv", "closed/y.csv", "closed", "closed/*.csv", "**/*.csv"]
        told = subprocess.run(
            [sys.executable, "-c", UNREADABLE, str(root), *asked],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    finally:
        (root / "closed").chmod(0o755)
        shutil.rmtree(root)
    assert len(told) == len(asked)
    assert all("UL230" in line and str(root) in line for line in told)


FULL = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
from upliftlab.config.models import EngineSettings
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import EngineError
rows = "SELECT i, md5(i::text) AS m FROM range(3000000) AS r(i)"
with DuckDB(Path, EngineSettings(threads=1, memory_limit="60MB")) as engine:
    for act in (
        lambda: engine.keep("kept", rows),
        lambda: engine.write(rows, Path(sys.argv[1]) / "x.parquet"),
    ):
        try:
            act()
        except EngineError as error:
            print(error)
"""


def test_a_full_disk_says_so(tmp_path: Path):
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(told) == 2
    assert all("UL507 the disk is full" in line for line in told)


VALUES = ["alice@example.com", "O'Brien-4711", "line\nbreak-4711", 'say "4711"', "a\x1b[31m4711"]
CASTS = ["CAST(v AS DOUBLE)", "CAST(v AS DATE)", "CAST(v AS TIMESTAMP)", "CAST(v AS BOOLEAN)"]


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("value", VALUES)
def test_no_message_quotes_a_value(tmp_path: Path, value: str, cast: str):
    pq.write_table(pa.table({"v": [value]}), tmp_path / "x.parquet")
    _silent(lambda: _read(tmp_path / "x.parquet", sql=f"SELECT {cast} FROM customers"))


@pytest.mark.postgres
@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("value", VALUES)
def test_no_message_of_a_server_quotes_a_value(postgres, desk, value: str, cast: str):
    desk.publish("spoken", pa.table({"v": [value]}))
    postgres.attach("customers", Source(table="odd.spoken"))
    _silent(lambda: postgres.query(f"SELECT {cast} FROM customers"))


@pytest.mark.spark
@pytest.mark.parametrize("value", VALUES)
def test_no_message_of_spark_quotes_a_value(spark, tmp_path: Path, value: str):
    pq.write_table(pa.table({"v": [value]}), tmp_path / "x.parquet")
    _silent(lambda: _read(tmp_path / "x.parquet", spark, "SELECT CAST(v AS DOUBLE) FROM customers"))


def _silent(act: Any) -> None:
    with pytest.raises(UpliftLabError) as caught:
        act()
    told = str(caught.value)
    assert told.isprintable()
    assert not any(part in told for part in ("alice", "example", "4711", "Brien", "break"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1xxxxPAR1", b"\xff" * 9])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes):
    for name in ("1.parquet", "2.parquet"):
        (tmp_path / name).write_bytes(content)
    for asked in ("1.parquet", "*.parquet", "."):
        with (
            DuckDB(lambda name: tmp_path / name) as engine,
            pytest.raises(DataError, match=r"UL202|UL226"),
        ):
            engine.attach("customers", Source(file=asked))


def test_a_flipped_bit_in_a_database_is_never_another_table(tmp_path: Path):
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as made:
        table = _table()
        made.register("given", table)
        made.execute("CREATE TABLE t AS SELECT * FROM given")

    def read() -> list[dict[str, Any]]:
        with DuckDB(Path, EngineSettings(threads=1)) as engine, engine.reading():
            engine.attach("customers", Source(file=str(path), table="t"))
            return engine.query(ALL).to_pylist()

    assert outcomes(path, LONG // 3, read)["other"] == 0
