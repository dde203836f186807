"""What all tests share: one Spark session and one PostgreSQL server, and Hypothesis' examples."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings
from shops import Shop

from upliftlab.config.models import EngineSettings as Settings
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.postgres_types import copy_type
from upliftlab.util.sql import quote

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

settings.register_profile("fixed", derandomize=True, deadline=None)  # the same on every run
settings.load_profile("fixed")


def _missing(reason: str) -> None:
    """A missing part is a reason to skip, but not where everything is promised to be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def hillstrom() -> Path:
    """The folder with the real customers of the e-mail challenge."""
    if not (SHARED / "hillstrom.csv.gz").exists():
        pytest.skip("the shared data with hillstrom.csv.gz are not beside this checkout")
    return SHARED


@pytest.fixture
def duck() -> Iterator[DuckDB]:
    with DuckDB(Path, Settings(threads=2)) as engine:
        yield engine


_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For Spark's many small queries: compiling them well takes longer than running them so often."""


@pytest.fixture(scope="session")
def spark():
    if shutil.which("java") is None:
        _missing("Spark needs Java")
    try:
        from pyspark.sql import SparkSession

        from upliftlab.engines.spark import Spark
    except ImportError:
        _missing("pyspark is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", _JAVA)
        started = Spark(Path, Settings(name="spark", connection="local[2]", memory_limit="1g"))
    with started as engine:
        SparkSession.getActiveSession().conf.set("spark.sql.shuffle.partitions", 4)
        yield engine
    if session := SparkSession.getActiveSession():
        session.stop()


_GERMAN = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>de-DE</value></prop></item></oor:items>
"""
"""LibreOffice's own setting, so that the system needs no German locale."""


@pytest.fixture(scope="session")
def libreoffice(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """LibreOffice as a German has it: converts a file into a folder."""
    program = shutil.which("soffice")
    if program is None:
        _missing("LibreOffice is not installed")
    profile = tmp_path_factory.mktemp("profile")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(_GERMAN, encoding="utf-8")

    def convert(file: Path, kind: str, folder: Path, *more: str) -> None:
        own = f"-env:UserInstallation={profile.as_uri()}"
        command = [program, own, "--headless", *more, "--convert-to", kind, "--outdir", folder]
        subprocess.run([*map(str, command), file], check=True, capture_output=True, timeout=240)

    return convert


def _binaries() -> Path | None:
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return versions[-1].parent if versions else None


def _unprivileged() -> list[str]:
    """How to become somebody the server agrees to run as; root is not."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The connection string of a server that listens on a socket only."""
    binaries = _binaries()
    if binaries is None:
        _missing("PostgreSQL's server is not installed")
        return
    as_nobody = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        if as_nobody:
            os.chown(folder, 65534, 65534)
        data = f"{folder}/data"
        run = [*as_nobody, "env", "LC_ALL=C.UTF-8", f"HOME={folder}"]
        subprocess.run(
            [*run, binaries / "initdb", "-D", data, "-U", "lab", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = f"-c listen_addresses= -k {folder} -c fsync=off -c shared_buffers=64MB"
        control = [*run, binaries / "pg_ctl", "-D", data, "-l", f"{folder}/log", "-w"]
        subprocess.run(
            [*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=folder
        )
        try:
            yield f"host={folder} user=lab dbname=postgres"
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
            )


@pytest.fixture
def postgres(server: str):
    try:
        from upliftlab.engines.postgres import Postgres
    except ImportError:
        _missing("psycopg is not installed")
    with Postgres(Settings(name="postgres", connection=server)) as engine:
        yield engine


class Desk:
    """Somebody else's connection to the server, who owns the tables there."""

    def __init__(self, setting: str) -> None:
        import psycopg

        self.connection = psycopg.connect(setting, autocommit=True)

    def run(self, sql: str) -> None:
        self.connection.execute(sql)

    def publish(self, name: str, table: pa.Table) -> None:
        """Make a table in the schema `odd`."""
        columns = ", ".join(f"{quote(c.name)} {copy_type(c.type)}" for c in table.schema)
        self.run("CREATE SCHEMA IF NOT EXISTS odd")
        self.run(f"DROP TABLE IF EXISTS odd.{quote(name)} CASCADE")
        self.run(f"CREATE TABLE odd.{quote(name)} ({columns})")
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        copy = f"COPY odd.{quote(name)} FROM STDIN"
        with self.connection.cursor() as cursor, cursor.copy(copy) as writer:
            for row in rows:
                writer.write_row(row)


@pytest.fixture
def desk(server: str) -> Iterator[Desk]:
    owner = Desk(server)
    yield owner
    owner.connection.close()


@pytest.fixture
def shop(tmp_path):
    """A shop on the embedded engine."""
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


@pytest.fixture(params=["duckdb", "spark", "postgres"])
def anywhere(request, tmp_path):
    """A shop on each engine in turn."""
    if request.param == "duckdb":
        yield request.getfixturevalue("shop")
    elif request.param == "postgres":
        engine, desk = (request.getfixturevalue(name) for name in ("postgres", "desk"))
        yield Shop(tmp_path, engine, desk)
    else:
        request.getfixturevalue("spark")  # the session that all tests share
        from upliftlab.engines.spark import Spark

        with Spark(lambda file: tmp_path / "data" / file) as engine:
            yield Shop(tmp_path, engine)
