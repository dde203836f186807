"""A file names a server; it gets none of the operator's secrets unless the operator says so."""

import os
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from upliftlab.cli import commands
from upliftlab.config.connection import (
    KEYS,
    ConnectionSettingError,
    MisplacedReferenceError,
    master_refusal,
    parse_connection,
)
from upliftlab.config.environment import allowed_environment, connection_parameters
from upliftlab.config.models import EngineSettings
from upliftlab.engines.postgres import Postgres
from upliftlab.errors import ConfigError, UpliftLabError
from upliftlab.util.masking import MASK, forget_secrets, keep_secret, masked

SECRET = "s3cr3t 'quo\\ted' & host=evil %41"
EXPERIMENT = """\
schema: 1
experiment: example
customers: {table: customers, id: id, known_after: [spent]}
assignment: {observed: arm}
arms: {none: {control: true}, email: {channel: email}}
metrics: {primary: spent}
engine: {name: ENGINE, connection: "CONNECTION"}
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("LAB_SECRET", SECRET)
    for name in [name for name in os.environ if name.startswith(("PG", "UPLIFTLAB_ENV"))]:
        monkeypatch.delenv(name)
    yield
    forget_secrets()


@contextmanager
def listening():
    """A port on which nobody answers, and what arrives there."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def listen():
            while not done.is_set():
                try:
                    caller, _ = server.accept()
                except TimeoutError:
                    continue
                with caller:
                    heard.append(caller.recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            done.set()
            thread.join()


def run(*arguments):
    result = CliRunner().invoke(commands, [*map(str, arguments)])
    return result.exit_code, result.stdout + result.stderr


def write(folder, connection, engine="postgres"):
    quoted = connection.replace("\\", "\\\\").replace('"', '\\"')
    text = EXPERIMENT.replace("CONNECTION", quoted).replace("ENGINE", engine)
    path = folder / "example.yaml"
    path.write_text(text)
    return path


MISPLACED = [
    "host=h user=${env:LAB_SECRET}",
    "host=${env:LAB_SECRET}",
    "host=h dbname=${env:LAB_SECRET}",
    "host=h hostaddr=${env:LAB_SECRET}",
    "host=h port=${env:LAB_SECRET}",
    "host=h application_name=${env:LAB_SECRET}",
    "host=h password=x${env:LAB_SECRET}",
    "host=h password='${env:LAB_SECRET} '",
    "host=h password=${env:LAB_SECRET}${env:LAB_SECRET}",
    "host=h password=${env:LAB SECRET}",
    "host=h password=${env:}",
    "host=h password=$\\{env:LAB_SECRET}",
    "postgresql://${env:LAB_SECRET}:x@h/db",
    "postgresql://${env:LAB_SECRET}@h/db",
    "postgresql://u:x${env:LAB_SECRET}@h/db",
    "postgresql://u:%24%7Benv:LAB_SECRET%7D@h/db",
    "postgresql://u@${env:LAB_SECRET}/db",
    "postgresql://u@h/${env:LAB_SECRET}",
    "postgresql://u@h/db?user=${env:LAB_SECRET}",
    "postgresql://u@h/db?application_name=${env:LAB_SECRET}",
    "host=h ${env:LAB_SECRET}=x",
    "${env:LAB_SECRET}",
]


@pytest.mark.parametrize("connection", MISPLACED)
def test_a_value_of_the_environment_is_the_password_or_refused(tmp_path, connection):
    path = write(tmp_path, connection)
    for extra in ((), ("--data", tmp_path, "--allow-env", "LAB_SECRET")):
        code, said = run("check", path, *extra)
        assert code == 1
        assert "UL016" in said or "UL025" in said
        assert "s3cr3t" not in said
    with allowed_environment(["LAB_SECRET"]), pytest.raises(ConfigError):
        connection_parameters(connection)


@pytest.mark.parametrize("engine", ["spark", "duckdb"])
def test_other_engines_take_no_value_of_the_environment(tmp_path, engine):
    code, said = run("check", write(tmp_path, "password=${env:LAB_SECRET}", engine))
    assert (code, "UL016" in said) == (1, True)


REFUSED = [
    *("passfile=/home/x/.pgpass", "service=prod", "servicefile=/etc/x", "sslkey=/k", "sslcert=/c"),
    *("options=-csearch_path=x", "sslrootcert=/etc/passwd", "requiressl=1", "krbsrvname=x"),
    *("gssencmode=require", "sslpassword=x", "sslcrl=/x", "sslkeylogfile=/x", "replication=on"),
    *("dbname='host=evil'", "dbname=postgres://evil", "host=h host=evil", "port=x", "port=-1"),
    *("connect_timeout=1e9", "host", "=x", "host='h", "client_encoding=SQL_ASCII", "HOST=h"),
    *("postgresql://h/db?passfile=/x", "postgresql://a@b@h/db", "postgresql://h/%ff"),
    *("postgresql://h/db?host=evil", "postgresql://[::1/db", "postgresql://h/%zz", "x://h"),
    "postgresql://h/db?sslkey=%2Froot%2Fkey",
]


@pytest.mark.parametrize("connection", REFUSED)
def test_settings_that_reach_beyond_the_server_are_refused(tmp_path, connection):
    code, said = run("check", write(tmp_path, connection))
    assert (code, "UL025" in said) == (1, True)
    with pytest.raises(ConfigError):
        connection_parameters(connection)


READ = {
    "": {},
    "host = h\tdbname='a b'": {"host": "h", "dbname": "a b"},
    r"user=a\ b dbname='it\'s'": {"user": "a b", "dbname": "it's"},
    "postgresql://": {},
    "postgres://u:p%40w@[::1]:5433/db": {
        "host": "::1",
        "port": "5433",
        "dbname": "db",
        "user": "u",
        "password": "p@w",
    },
    "postgresql://a:1,b:2/db?target_session_attrs=any": {
        "host": "a,b",
        "port": "1,2",
        "dbname": "db",
        "target_session_attrs": "any",
    },
    "postgresql:///db?host=/tmp/x": {"dbname": "db", "host": "/tmp/x"},
    "host=h sslmode=verify-full sslrootcert=system": {
        "host": "h",
        "sslmode": "verify-full",
        "sslrootcert": "system",
    },
}


@pytest.mark.parametrize("connection", READ)
def test_settings_are_read_as_the_driver_reads_them(connection):
    conninfo = pytest.importorskip("psycopg.conninfo")
    found = dict(parse_connection(connection).settings)
    assert found == READ[connection]
    assert {k: str(v) for k, v in conninfo.conninfo_to_dict(connection).items()} == found
    assert found.keys() <= set(KEYS)


@pytest.mark.parametrize(
    "value", [SECRET, "a b", "x' host='evil", "\\", "'", "a\nb=c", "", "ü€", "${env:HOME}", "%31"]
)
def test_a_value_cannot_be_read_as_another_setting(monkeypatch, value):
    conninfo = pytest.importorskip("psycopg.conninfo")
    monkeypatch.setenv("LAB_SECRET", value)
    for connection in ("host=h password=${env:LAB_SECRET}", "postgresql://:${env:LAB_SECRET}@h"):
        with allowed_environment(["LAB_SECRET"]):
            given = connection_parameters(connection)
        made = conninfo.make_conninfo("", **given)
        known = conninfo.conninfo_to_dict(made)
        assert known == {"host": "h", "password": value, "passfile": "/dev/null/none"}


def test_what_the_operator_did_not_allow_is_refused_before_anything_is_sent(tmp_path):
    with listening() as (port, heard):
        path = write(tmp_path, f"host=127.0.0.1 port={port} password=${{env:LAB_SECRET}}")
        for allowed in ((), ("--allow-env", "OTHER"), ("--allow-env", "LAB_SECRE")):
            code, said = run("check", path, "--data", tmp_path, *allowed)
            assert code == 1
            assert "UL026" in said
            assert "--allow-env LAB_SECRET" in said
        assert run("check", path)[0] == 0
        assert heard == []


def test_an_allowed_variable_is_taken_and_its_permission_ends_with_the_command(tmp_path):
    with listening() as (port, heard):
        path = write(tmp_path, f"host=127.0.0.1 port={port} password=${{env:LAB_SECRET}}")
        code, said = run("check", path, "--data", tmp_path, "--allow-env", "LAB_SECRET")
        assert (code, "UL513" in said) == (1, True)
        assert "s3cr3t" not in said
        assert heard
        assert "UL026" in run("check", path, "--data", tmp_path)[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",), ("analyze",), ("plan",), ("uplift",), ("target", "--customers", "x"),
        ("engine", "check"), ("assign",), ("lock",), ("validate",),
    ],
    ids=lambda given: given[0],
)  # fmt: skip
def test_every_command_that_connects_asks_for_permission(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, "host=127.0.0.1 port=1 password=${env:LAB_SECRET}")
    first = 2 if arguments[0] == "engine" else 1
    command = [*arguments[:first], path, *arguments[first:]]
    code, said = run(*command)
    if arguments != ("lock",):  # which warns, and locks all the same
        assert code == 1
    assert "UL026" in said
    code, said = run(*command, "--allow-env", "LAB_SECRET")
    assert "UL513" in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize("names", ["LAB_SECRET", "A,LAB_SECRET", " LAB_SECRET , B"])
def test_the_environment_itself_may_allow(monkeypatch, names):
    monkeypatch.setenv("UPLIFTLAB_ENV", names)
    assert connection_parameters("password=${env:LAB_SECRET}") == {"password": SECRET}


def test_the_operators_passwords_stay_at_home(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "operators")
    for connection in ("host=h", "hostaddr=1.2.3.4", "port=1", "postgresql://h/db"):
        given = connection_parameters(connection)
        assert (given["password"], given["passfile"]) == ("", "/dev/null/none")
        with allowed_environment(["PGPASSWORD"]):
            assert connection_parameters(connection)["password"] == "operators"
        with allowed_environment(["PGPASSFILE"]):
            assert "passfile" not in connection_parameters(connection)
    assert connection_parameters("dbname=crm user=lab") == {"dbname": "crm", "user": "lab"}


@pytest.mark.postgres
def test_a_hostile_server_that_asks_for_a_password_gets_none(tmp_path, monkeypatch):
    """It answers the start-up message by asking for a password in clear."""
    monkeypatch.setenv("PGPASSWORD", "operators")
    home = tmp_path / "pgpass"
    home.write_text("*:*:*:*:from-the-file\n")
    home.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(home))
    got = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def ask():
            caller, _ = server.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
                caller.settimeout(2)
                try:
                    got.append(caller.recv(4096))
                except OSError:
                    got.append(b"")

        thread = threading.Thread(target=ask)
        thread.start()
        setting = f"host=127.0.0.1 port={server.getsockname()[1]} user=u sslmode=disable"
        with pytest.raises(UpliftLabError, match="UL513"):
            Postgres(EngineSettings(name="postgres", connection=f"{setting} dbname=d"))
        thread.join()
    assert b"operators" not in got[0]
    assert b"from-the-file" not in got[0]


@pytest.mark.parametrize("secret", [SECRET, "päss wörd", "a+b/c=d%", "x\x1by\u202ez12", '"q"{}'])
def test_a_secret_is_masked_in_every_form(secret):
    import json
    from urllib.parse import quote, quote_plus

    keep_secret(secret)
    for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret),
                 json.dumps(secret), json.dumps(secret, ensure_ascii=False)):  # fmt: skip
        said = masked(f"before {form} after")
        assert MASK in said
        assert secret not in said


def test_short_secrets_do_not_spoil_the_text():
    keep_secret("ab")
    assert masked("abc ab") == "abc ab"


@pytest.mark.parametrize("name", ["local", "local[2]", "local[*]", "spark://h:7077", "yarn",
                                  "spark://a:1,b:2", "local[2,3]"])  # fmt: skip
def test_masters_of_spark(name):
    assert master_refusal(name) is None


@pytest.mark.parametrize(
    "name",
    ["k8s://https://evil", "mesos://evil", "spark://h?x=${env:A}", "local-cluster[1,1,1]", "x",
     "http://evil", "spark://", "${env:LAB_SECRET}", "local[2] --conf x=y"],
)  # fmt: skip
def test_no_masters_of_spark(tmp_path, name):
    assert master_refusal(name)
    code, said = run("check", write(tmp_path, name, "spark"))
    assert (code, "UL016" in said or "UL025" in said) == (1, True)


def test_hostile_settings_are_read_in_no_time():
    started = time.monotonic()
    for text in ("a=" + "\\" * 100_000, "'" * 100_000, "a='" + "x" * 100_000, "=" * 100_000,
                 "postgresql://" + "@" * 50_000, "postgresql://h/?" + "&" * 50_000):  # fmt: skip
        with pytest.raises((ConnectionSettingError, MisplacedReferenceError)):
            parse_connection(text + " passfile=x")
    assert time.monotonic() - started < 2
