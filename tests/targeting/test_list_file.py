"""The list is whole or not at all, private, and runs nothing in a spreadsheet."""

import csv
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from upliftlab.errors import DataError, OutputError
from upliftlab.targeting.list_file import write_list

SCHEMA = pa.schema([("customer", pa.string()), ("arm", pa.string()), ("cost", pa.float64())])
HOSTILE = ["=1+1", "+49 170", "-5", "-x", "@cmd", "\t=1", '"a",b', "a\nb", "\uff1d1", "7", ""]


def tables():
    rows = len(HOSTILE)
    yield pa.table({"customer": HOSTILE, "arm": ["=mail"] * rows, "cost": [-0.5] * rows}, SCHEMA)
    yield pa.table({"customer": ["z"], "arm": [None], "cost": [1.0]}, SCHEMA)


def test_a_spreadsheet_runs_nothing(tmp_path):
    written = write_list(tmp_path / "list.csv", SCHEMA, tables(), {})
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["customer", "arm", "cost"]
    assert [row[0] for row in rows[1:]] == [
        *(
            "'=1+1",
            "'+49 170",
            "-5",
            "'-x",
            "'@cmd",
            "'\t'=1",
            '"a",b',
            "a\nb",
            "'\uff1d1",
            "7",
            "",
        ),
        "z",
    ]
    assert rows[1][1:] == ["'=mail", "-0.5"]
    assert rows[-1] == ["z", "", "1.0"]
    assert (written.rows, written.path.stat().st_mode & 0o777) == (len(HOSTILE) + 1, 0o600)


def test_parquet_keeps_everything_and_says_what_it_is(tmp_path):
    path = tmp_path / "new" / "list.parquet"
    write_list(path, SCHEMA, tables(), {"upliftlab": b'{"forced":true}'})
    found = pq.read_table(path)
    assert found["customer"].to_pylist() == [*HOSTILE, "z"]
    assert found.schema.metadata == {b"upliftlab": b'{"forced":true}'}
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_empty_list_has_its_columns(tmp_path):
    for name in ("list.csv", "list.parquet"):
        assert write_list(tmp_path / name, SCHEMA, [], {}).rows == 0
    assert (tmp_path / "list.csv").read_bytes() == b"customer,arm,cost\r\n"
    assert pq.read_schema(tmp_path / "list.parquet").names == SCHEMA.names


def test_other_kinds_of_file_are_refused(tmp_path):
    with pytest.raises(DataError, match="UL640"):
        write_list(tmp_path / "list.xlsx", SCHEMA, [], {})


def test_a_fault_on_the_way_leaves_the_old_list_and_nothing_aside(tmp_path):
    path = tmp_path / "list.parquet"
    path.write_bytes(b"old")

    def broken():
        yield next(tables())
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"UL601.*No space left"):
        write_list(path, SCHEMA, broken(), {})
    assert [file.name for file in tmp_path.iterdir()] == ["list.parquet"]
    assert path.read_bytes() == b"old"


WRITER = """
    import os, signal, sys
    from pathlib import Path
    import pyarrow as pa
    from upliftlab.targeting import list_file

    path, when = Path(sys.argv[1]), sys.argv[2]
    die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    schema = pa.schema([("customer", pa.int64())])

    def rows():
        for number in range(3):
            yield pa.table({"customer": [number] * 10}, schema)
            if when == "rows" and number == 1:
                die()

    if when == "before":
        list_file.publish = die
    if when == "after":
        kept = list_file.publish
        list_file.publish = lambda *paths: (kept(*paths), die())
    list_file.write_list(path, schema, rows(), {})
"""


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
@pytest.mark.parametrize(("when", "new"), [("rows", False), ("before", False), ("after", True)])
def test_killed_it_leaves_the_old_list_or_the_new_one(tmp_path, name, when, new):
    path = tmp_path / name
    path.write_bytes(b"old")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), when]
    done = subprocess.run(command, check=False, timeout=60, env=environment)
    assert done.returncode == -signal.SIGKILL
    assert (path.read_bytes() == b"old") != new
    write_list(path, SCHEMA, tables(), {})  # who comes next tidies up
    assert [file.name for file in tmp_path.iterdir()] == [name]
