"""Data files and settings that try to make an engine read what it was not given."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from upliftlab.config.models import EngineSettings, Source
from upliftlab.config.workspace import find_workspace
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.open import open_engine
from upliftlab.errors import ConfigError, DataError, EngineError, UpliftLabError
from upliftlab.ledger.scratch import scratch

SECRET = "a secret of this machine"
VIEWS = {
    "text": "CREATE VIEW t AS SELECT 1 AS id, content FROM read_text('{secret}')",
    "blob": "CREATE VIEW t AS SELECT 1 AS id, content FROM read_blob('{secret}')",
    "environment": "CREATE VIEW t AS SELECT 1 AS id, content FROM read_text('/proc/self/environ')",
    "glob": "CREATE VIEW t AS SELECT 1 AS id, file FROM glob('/*')",
    "csv": "CREATE VIEW t AS SELECT 1 AS id, * FROM read_csv('{secret}', header = false)",
    "bare path": "CREATE VIEW t AS SELECT 1 AS id, * FROM '{secret}'",
    "settings": "CREATE VIEW t AS SELECT 1 AS id, name, value FROM duckdb_settings()",
    "secrets": "CREATE VIEW t AS SELECT 1 AS id, name FROM duckdb_secrets()",
    "harmless": "CREATE VIEW t AS SELECT 1 AS id",
    "view of a view": "CREATE VIEW a AS FROM read_text('{secret}'); CREATE VIEW t AS FROM a",
    "table macro": "CREATE MACRO t() AS TABLE FROM read_text('{secret}')",
    "view of a macro": (
        "CREATE MACRO a() AS TABLE FROM read_text('{secret}'); CREATE VIEW t AS FROM a()"
    ),
    "computed": (
        "CREATE TABLE t (id INT, leak TEXT AS (current_setting('temp_directory')));"
        " INSERT INTO t VALUES (1)"
    ),
    "random": "CREATE TABLE t (id INT, spend DOUBLE AS (random())); INSERT INTO t VALUES (1)",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "secret.csv").write_text(SECRET)
    (tmp_path / "data").mkdir()
    return tmp_path


def _database(shop: Path, sql: str) -> Source:
    with duckdb.connect(str(shop / "data" / "shop.duckdb")) as made:
        made.execute(sql.replace("{secret}", str(shop / "secret.csv")))
    return Source(file="shop.duckdb", table="t")


def _opened(shop: Path, *folders: Path) -> DuckDB:
    return DuckDB(lambda file: shop / "data" / file, folders=folders)


@pytest.mark.parametrize("sql", VIEWS.values(), ids=VIEWS)
def test_a_database_file_computes_nothing(shop: Path, sql: str):
    source = _database(shop, sql)
    for engine in (_opened(shop), DuckDB(lambda file: shop / "data" / file)):
        with engine, pytest.raises(DataError, match=r"UL233|UL204") as caught:
            engine.attach("customers", source)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["t", "T", "main.t", "s.t", "MAIN.T", "duckdb_settings", "pg_catalog.pg_class"]
)
def test_only_its_base_tables_are_known(shop: Path, name: str):
    _database(shop, "CREATE TABLE t AS SELECT 1 AS id; CREATE SCHEMA s; CREATE VIEW s.t AS FROM t")
    with _opened(shop) as engine:
        if name.lower() in ("t", "main.t"):
            engine.attach("customers", Source(file="shop.duckdb", table=name))
            assert engine.query("SELECT * FROM customers").to_pylist() == [{"id": 1}]
            return
        with pytest.raises(DataError, match=r"UL233|UL204"):
            engine.attach("customers", Source(file="shop.duckdb", table=name))


def test_defaults_of_a_base_table_are_not_computed(shop: Path):
    source = _database(shop, "CREATE TABLE t (id INT DEFAULT (random())); INSERT INTO t VALUES (1)")
    with _opened(shop) as engine:
        engine.attach("customers", source)
        assert engine.query("SELECT id FROM customers").to_pylist() == [{"id": 1}]


def test_two_tables_of_one_file(shop: Path):
    _database(shop, "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE u AS SELECT 2 AS id")
    with _opened(shop) as engine:
        engine.attach("customers", Source(file="shop.duckdb", table="t"))
        engine.attach("orders", Source(file="shop.duckdb", table="u"))
        assert engine.query("SELECT o.id FROM customers, orders AS o").to_pylist() == [{"id": 2}]


SENTENCES = [
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM read_text('{data}/../secret.csv')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '{root}/out.csv'",
    "ATTACH '{root}/other.duckdb' AS other",
    "EXPORT DATABASE '{root}/all'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{root}/evil.duckdb_extension'",
    "SELECT * FROM read_csv('https://localhost/x.csv')",
    "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "CREATE PERSISTENT SECRET leak (TYPE s3)",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET temp_directory = '/'",
    "SET autoload_known_extensions = true",
    "SET python_enable_replacements = true",
]


@pytest.mark.parametrize("sql", SENTENCES)
def test_no_sentence_opens_a_door(shop: Path, sql: str):
    (shop / "data" / "link.csv").symlink_to(shop / "secret.csv")
    told = sql.format(secret=shop / "secret.csv", root=shop, data=shop / "data")
    before = sorted(shop.rglob("*"))
    with _opened(shop) as engine, pytest.raises(UpliftLabError) as caught:
        engine.query(told)
    assert SECRET not in str(caught.value)
    with scratch(None, within=[shop / "data"]) as session, pytest.raises(UpliftLabError):
        session.rows(told)
    assert sorted(shop.rglob("*")) == before


def test_a_link_out_of_the_data_is_no_way_in(shop: Path):
    (shop / "data" / "link.csv").symlink_to(shop / "secret.csv")
    with _opened(shop) as engine:
        for path in (shop / "data" / "link.csv", Path("/proc/self/fd/0")):
            with pytest.raises(UpliftLabError):
                engine.query(f"SELECT * FROM read_text('{path}')")


def test_variables_of_the_program_are_no_tables(shop: Path):
    leak = pa.table({"secret": [SECRET]})
    with _opened(shop) as engine, pytest.raises(EngineError, match="UL502"):
        engine.query("SELECT * FROM leak")
    assert leak.num_rows == 1


def test_the_ledger_is_read_and_written(shop: Path):
    ledger = shop / "ledger"
    with _opened(shop, ledger) as engine:
        ledger.mkdir()
        assert engine.write("SELECT 1 AS id", ledger / "part.parquet") == 1
        engine.load("known", [ledger])
        assert engine.query("SELECT * FROM known").to_pylist() == [{"id": 1}]
        with pytest.raises(UpliftLabError):
            engine.write("SELECT 1 AS id", shop / "part.parquet")


def test_a_database_that_was_not_closed_is_refused(shop: Path):
    source = _database(shop, "CREATE TABLE t AS SELECT 1 AS id")
    (shop / "data" / "shop.duckdb.wal").write_bytes(b"")
    with _opened(shop) as engine, pytest.raises(DataError, match="UL234"):
        engine.attach("customers", source)


@pytest.mark.parametrize("name", ["x.db", "x.duckdb"])
def test_another_kind_of_database_loads_no_extension(shop: Path, name: str):
    (shop / "data" / name).write_bytes(b"SQLite format 3\0" + bytes(4096))
    with _opened(shop) as engine, pytest.raises(DataError, match="UL202"):
        engine.attach("customers", Source(file=name, table="t"))


HOSTILE = ['"', "a'b", "a;DROP TABLE x", "\x1b[31m", "a\nb", "' || read_text('/etc/passwd') || '"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_hostile_names_of_columns_are_names(shop: Path, name: str, kind: str):
    path = shop / "data" / f"x.{kind}"
    meta = {"pandas": '{"columns": [{"name": "read_text"}]}', "ARROW:schema": "AAAA/////"}
    if kind == "parquet":
        table = pa.table({"id": [1], name: [2]}).replace_schema_metadata(meta)
        pq.write_table(table, path, store_schema=False)
    elif "\n" not in name:
        path.write_text('id,"' + name.replace('"', '""') + '"\n1,2\n')
    else:
        return
    with _opened(shop) as engine:
        engine.attach("customers", Source(file=path.name))
        assert list(engine.columns("customers")) == ["id", name]
        assert engine.query("SELECT * FROM customers").num_rows == 1


def test_a_linked_data_folder_must_be_named(tmp_path: Path):
    for folder in ("space/configs", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "elsewhere" / "x.csv").write_text("id\n1\n")
    (tmp_path / "space" / "data").symlink_to(tmp_path / "elsewhere")
    usual = find_workspace(tmp_path / "space" / "a.yaml")
    with pytest.raises(ConfigError, match=r"UL027.*--data"):
        usual.locate("x.csv")
    named = find_workspace(tmp_path / "space" / "a.yaml", tmp_path / "elsewhere")
    assert named.locate("x.csv").is_file()
    again = find_workspace(tmp_path / "space" / "a.yaml", tmp_path / "space" / "data")
    assert again.locate("x.csv").is_file()


def test_a_data_folder_linked_within_the_workspace_is_fine(tmp_path: Path):
    for folder in ("configs", "store"):
        (tmp_path / folder).mkdir()
    (tmp_path / "store" / "x.csv").write_text("id\n1\n")
    (tmp_path / "data").symlink_to("store")
    assert find_workspace(tmp_path / "a.yaml").locate("x.csv").is_file()


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"threads": 1_000_000}, "UL504"),
        ({"threads": 5000}, "UL504"),
        *(({"memory_limit": text}, "UL505") for text in ("99999 EB", "99999TB", "-1", "abc")),
        *(({"memory_limit": text}, "UL505") for text in ("0", "1KB", "none", "1e300GB", "2g -Xx")),
    ],
)
@pytest.mark.parametrize("name", ["duckdb", "spark"])
def test_absurd_settings_are_refused_at_once(name: str, settings: dict[str, object], code: str):
    with pytest.raises(EngineError, match=code):
        open_engine(EngineSettings.model_validate({"name": name, **settings}), Path)


@pytest.mark.parametrize(
    "connection",
    ["local[1000000]", "local[2] --conf x=y", "local[2]\nspark.x y", "-Dx=y", "/etc/passwd", ""],
)
def test_a_spark_master_is_an_address(connection: str):
    asked = EngineSettings.model_construct(name="spark", connection=connection)
    with pytest.raises(EngineError, match="UL506"):
        open_engine(asked, Path)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "setting",
    [
        "passfile=/etc/shadow",
        "service=x",
        "servicefile=/etc/passwd",
        "sslkey=/etc/shadow",
        "sslcert=/etc/shadow",
        "sslcrldir=/etc",
        "options='-c log_statement=all'",
        "replication=true",
    ],
)
def test_a_connection_names_no_file_and_commands_nothing(setting: str):
    for given in (f"host=127.0.0.1 {setting}", f"postgresql://127.0.0.1/x?{_as_address(setting)}"):
        with pytest.raises(ConfigError, match="UL025") as caught:
            open_engine(EngineSettings(name="postgres", connection=given), Path)
        assert "shadow" not in str(caught.value)


def _as_address(setting: str) -> str:
    key, _, value = setting.partition("=")
    return f"{key}={quote(value.strip(chr(39)), safe='')}"


@pytest.mark.postgres
@pytest.mark.parametrize(
    "name", ['x" AS y, pg_read_file', "pg_catalog.pg_authid; --", "a.b.c", '"']
)
def test_a_table_of_the_server_is_a_name(postgres, name: str):
    with pytest.raises(DataError, match="UL204"):
        postgres.attach("customers", Source(table=name))


@pytest.mark.spark
@pytest.mark.parametrize("kind", ["csv", "text", "parquet", "json", "orc", "binaryFile"])
def test_a_path_is_no_table_of_spark(spark, tmp_path: Path, kind: str):
    (tmp_path / "secret").write_text(SECRET)
    for table in (f"{kind}.{tmp_path}/secret", f"{kind}./etc/hostname", f"{kind}.`/etc/hostname`"):
        with pytest.raises(DataError, match="UL204") as caught:
            spark.attach("customers", Source(table=table))
        assert SECRET not in str(caught.value)


def test_nobody_looks_into_what_is_spilled(shop: Path):
    with _opened(shop) as engine:
        place = engine.query("SELECT current_setting('temp_directory') AS d").to_pylist()[0]["d"]
        assert os.stat(place).st_mode & 0o077 == 0  # noqa: PTH116 - the folder's mode
    assert not Path(place).exists()
