"""What reaches a terminal or a build server's log can be seen, and is no command."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from fuzzing import COMMAND, HIDDEN, fuzz

import upliftlab.cli
from upliftlab.cli import commands
from upliftlab.cli.formats.github import annotation
from upliftlab.cli.formats.json import faults_json
from upliftlab.cli.formats.registry import FORMATS
from upliftlab.cli.formats.told import told
from upliftlab.cli.output import console, echo, echo_json, shown
from upliftlab.cli.tables import table
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.masking import forget_secrets, keep_secret
from upliftlab.util.visible import first_hidden, visible, visible_json

SOURCE = Path(upliftlab.cli.__file__).parents[2]
NASTY = [
    *(
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x9b31m",
        "\x00",
        "\x07",
        "\x08\x08",
        "\r",
        "\n",
        "\t",
        "\x7f",
    ),
    *("\u202e", "\u2066", "\u200b", "\u200e", "\ufeff", "\u2028", "\u00ad", "\u3164", "\u115f"),
    *("\U000e0041", "\ud800", "a\u200db", "\u200c", "\x85", "\u061c", "\u180e", "\ufff9"),
]
FINE = [
    "Größe",
    "日本語",
    "العربية",
    "עברית",
    "ไทย",
    "हिन्दी क्‍ष",
    "👩‍👧",
    "❤️",
    "🇩🇪",
    "€ × – …",
    "می‌خواهم",
]
WORKFLOW = ["::error::x", "  ::set-output name=a::b", "##[group]x", "x ##[add-mask]y", "##vso[x]y"]


def run(*arguments):
    result = CliRunner().invoke(commands, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.parametrize("sign", NASTY, ids=ascii)
def test_what_cannot_be_seen_is_written_out(sign):
    said = visible(f"a{sign}b")
    assert said.isprintable()
    assert said.isascii()
    assert visible(said) == said


@pytest.mark.parametrize("text", FINE)
def test_letters_of_every_script_and_emoji_stay(text):
    assert visible(text) == text
    assert first_hidden(text) is None


@pytest.mark.parametrize("text", WORKFLOW)
def test_no_line_is_a_command_of_a_build_server(text):
    for said in (visible(text), shown(text), visible(f"\n{text}"), visible(f"\x1b{text}")):
        assert not COMMAND.search(said)
    assert not COMMAND.search(visible_json(json.dumps({"a": text})).replace('": "', ""))
    assert json.loads(visible_json(json.dumps({"a": text}))) == {"a": text}


@pytest.mark.parametrize("sign", [*NASTY, *FINE, *WORKFLOW], ids=ascii)
def test_json_stays_the_same_json(sign, capsys):
    value = {sign: [sign, 1.5, None], "x": f"“{sign}”\\"}
    echo_json(json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
              if "\ud800" not in sign else json.dumps(value))  # fmt: skip
    said = capsys.readouterr().out
    assert json.loads(said) == value
    assert not HIDDEN.search(said)


@pytest.mark.parametrize("sign", [*NASTY, *WORKFLOW, ",", ":", "%", "%0A", "::"], ids=ascii)
def test_an_annotation_is_one_command_and_says_all(sign):
    fault = Diagnostic("UL012", f"a{sign}b", f"c{sign}", Place(f"x{sign}y.yaml", 3, 4))
    said = str(annotation(told([fault])[0]))
    assert "\n" not in said
    assert not HIDDEN.search(said)
    found = re.fullmatch(r"::error file=([^:,]*),line=3,col=4,title=UL012::(.*)", said)
    assert found
    decoded = re.sub("%([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), found[2])
    assert decoded == shown(f"a{sign}b; c{sign}")


def test_tables_hold_no_hidden_signs_and_no_commands(capsys):
    rows = [(f"n{sign}", [f"c{sign}", f"[red]x[/red] [link=http://evil]{sign}"]) for sign in NASTY]
    rows += [(sign, [sign, sign]) for sign in WORKFLOW]
    rows += [("y" * at + "::error::x", ["1", "2"]) for at in range(0, 120, 7)]
    made = table("h\x1b[0m", ["a\nb\x1b", "c"], [row for row in rows if "\ud800" not in row[0]])
    console().print(made)
    said = capsys.readouterr().out
    assert not HIDDEN.search(said)
    assert not COMMAND.search(said)
    assert "[red]x[/red]" in said


def test_progress_takes_names_literally(monkeypatch):
    import io

    from upliftlab.cli.output import progress

    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress(quiet=False) as tell:
        for sign in NASTY:
            tell(f"Reading [red]{sign}[/red] [link=x]\x1b[31m")
        time.sleep(0.2)
    assert "\x1b[31m" not in stream.getvalue()
    assert not re.search("[\u202e\u200b\x07\x9b]", stream.getvalue())


SINKS = {"print", "input"}


def test_nothing_prints_but_one_module():
    """Nor does any other room of the house."""
    for path in sorted(SOURCE.rglob("upliftlab/**/*.py")):
        if path.name == "output.py" and path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            where = f"{path.relative_to(SOURCE)}:{node.lineno}"
            assert called not in SINKS, where
            assert called not in {"click.echo", "click.secho", "click.style", "rich.print"}, where
            assert not re.search(r"sys\.(std(out|err)|__std\w+__)\.write", called), where
            assert not re.search(r"console\(.*\)\.print|traceback\.print", called), where


YAML = """\
schema: 1
experiment: {name}
title: {name}
customers: {{file: data.csv, id: id}}
assignment: {{observed: arm}}
arms: {{none: {{control: true}}, {name}: {{channel: email}}}}
metrics: {{primary: spent}}
{name}: 1
"""
ESCAPES = ["\\e[31m", "\\n", "\\0", "\\u202E", "\\x9B", "\\u200B", "\\L", "\\P", "\\N", "\\b",
           "\\r", "\\uFEFF", "\\U000E0041", "\\t", "\\x7F", "\\v"]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("escape", ESCAPES)
def test_an_escape_in_quotes_is_refused_where_it_stands(tmp_path, monkeypatch, escape, form):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(YAML.format(name=f'"a{escape}::error::b"'))
    code, said = run("check", "x.yaml", "--format", form)
    assert code == 1
    assert not HIDDEN.search(said)
    assert escape in {"\\n", "\\t"} or ("UL003" in said and "x.yaml" in said.replace("\\", ""))
    lines = said.splitlines()
    assert form != "text" or not any(line.lstrip().startswith("::") for line in lines)
    assert form != "github" or all(line.startswith("::error file=x.yaml,") for line in lines)


@pytest.mark.parametrize(
    "sign", ["\x1b[31m", "\n::error::x", "\u202e", "::error::x", "\u200b", "%0A"]
)
def test_names_of_files_are_cleaned_everywhere(tmp_path, monkeypatch, sign):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"{sign.strip()}{sign}.yaml".replace("/", "")
    path.write_text("schema: 2\n")
    name = path.name
    for command in (("check", name), ("check", "."), ("check", name, "--format", "github"),
                    *(("check", name, "--format", form) for form in FORMATS if form != "github"),
                    ("run", name), ("plan", name),
                    ("report", name), ("explain", name), ("schema", name), ("verify", name),
                    (name,), ("check", name, f"--{name}"), ("check", f"{name}.not"),
                    ("plan", name, "--effect", name), ("target", name, "--budget", name),
                    ("target", name, "--customers", "x", "--day", name),
                    ("validate", "--cells", name), ("run", name, "--lang", name)):  # fmt: skip
        code, said = run(*command)
        assert code in (1, 2)
        assert not HIDDEN.search(said), command
        if "github" not in command:
            assert not COMMAND.search(said), command


def test_names_in_a_tampered_analysis_are_cleaned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "\x1b[31mred\n::error::\u202e"
    path = tmp_path / "analysis.json"
    path.write_text(json.dumps({name: name, "schema": name}))
    code, said = run("report", path)
    assert (code, bool(HIDDEN.search(said))) == (1, False)


def test_a_secret_is_in_no_output(capsys):
    keep_secret("hunter2 'x'")
    try:
        fault = Diagnostic(
            "UL513", "no hunter2 'x', nor hunter2%20%27x%27", "", Place("hunter2 'x'.yaml")
        )
        echo(str(fault))
        echo_json(faults_json((fault,)))
        said = capsys.readouterr().out + str(annotation(told([fault])[0]))
        assert "hunter2" not in said
    finally:
        forget_secrets()


def command(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), **options.pop("env", {})}
    return subprocess.run(
        [*(sys.executable, "-m", "upliftlab"), *map(str, arguments)],
        check=False,
        **{"capture_output": True, "timeout": 60, "env": environment, **options},
    )


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_any_encoding_will_do(tmp_path, env):
    (tmp_path / "é.yaml").write_text("schema: 1\nexperiment: 日本👩‍👧\nöwner: ∑\n")
    for form in ("text", "json"):
        done = command("check", ".", "--format", form, cwd=tmp_path, env=env)
        assert (done.returncode, done.stderr) == (1, b"")
        if form == "json":
            messages = [fault["message"] for fault in json.loads(done.stdout.decode("latin-1"))]
            assert any("öwner" in message for message in messages)


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("arguments", "code"), [("check x.yaml", 1), ("explain UL101", 0),
                                                 ("check no", 2)])  # fmt: skip
def test_closed_streams_change_no_exit_code(tmp_path, redirection, arguments, code):
    (tmp_path / "x.yaml").write_text("schema: 2\n")
    shell = f"{sys.executable} -m upliftlab {arguments} {redirection}"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(shell, shell=True, cwd=tmp_path, env=environment, timeout=60, check=False,
                          capture_output=True)  # fmt: skip
    assert done.returncode == code
    assert b"Traceback" not in done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.yaml"]


@pytest.mark.parametrize("arguments", ["explain UL101", "check x.yaml", "schema", "--help"])
def test_a_full_disk_under_the_output_is_said(tmp_path, arguments):
    (tmp_path / "x.yaml").write_text("schema: 2\n")
    with Path("/dev/full").open("wb") as full:
        done = command(*arguments.split(), cwd=tmp_path, capture_output=False, stdout=full,
                       stderr=subprocess.PIPE)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b"UL601 cannot be written: No space left on device\n"


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    shell = f"{sys.executable} -m upliftlab schema | head -c 10; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, env=environment, check=False,
                          capture_output=True, timeout=60)  # fmt: skip
    assert done.stdout.rsplit(b"\n", 2)[-2][-1:] in (b"0", b"1")
    assert done.stderr == b""


AT = """\
import os, signal, sys
from importlib.abc import MetaPathFinder
class Sender(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            {act}
sys.meta_path.insert(0, Sender())
from upliftlab.cli import main
sys.argv = ["upliftlab", *{arguments!r}]
main()
"""
SEND = "os.kill(os.getpid(), signal.{name})"
SWALLOWED = """
            import weakref
            class Thing: pass
            thing = Thing()
            ref = weakref.ref(thing, lambda _: [os.kill(os.getpid(), signal.{name}), len('')])
            del thing"""
TRIED = """
            try:
                os.kill(os.getpid(), signal.{name}); [None for _ in range(1000)]
            except BaseException: pass"""


def interrupted(folder, module, act, name, arguments=("run",)):
    script = AT.format(module=module, act=act.format(name=name), arguments=[*arguments])
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, check=False,
                          capture_output=True, text=True, timeout=100)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "module", ["click", "upliftlab.cli.app", "upliftlab.errors", "upliftlab.cli.planning"]
)
def test_ctrl_c_while_the_door_opens_is_quiet(tmp_path, module):
    assert interrupted(tmp_path, module, SEND, "SIGINT") == (130, "")


@pytest.mark.parametrize(
    ("act", "name", "code"),
    [
        (SEND, "SIGINT", 130),
        (SWALLOWED, "SIGINT", 130),
        (TRIED, "SIGINT", 130),
        (TRIED, "SIGTERM", 143),
        (SEND, "SIGHUP", 129),
    ],
)
def test_a_signal_is_never_lost(tmp_path, act, name, code):
    assert interrupted(tmp_path, "upliftlab.simulate", act, name) == (code, "Stopped.\n")


def test_a_signal_in_a_library_ends_the_command(tmp_path):
    assert interrupted(tmp_path, "duckdb", TRIED, "SIGINT") == (130, "Stopped.\n")
    left = [path for path in tmp_path.rglob("*") if path.suffix == ".tmp"]
    assert left == []


def test_a_signal_that_is_ignored_from_outside_stays_so():
    script = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + AT.format(
        module="upliftlab.config.codes",
        act=SEND.format(name="SIGINT"),
        arguments=["explain", "UL101"],
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=60)  # fmt: skip
    assert done.returncode == 0
    assert signal.getsignal(signal.SIGINT) != signal.SIG_IGN


def test_two_hundred_mutations_of_the_shipped_files(tmp_path):
    """`python tests/support/fuzzing.py 5000 --seed 1` is the long version."""
    codes, wrong = fuzz(200, 7, tmp_path)
    assert wrong == []
    assert codes.keys() <= {0, 1, 2}
    assert min(codes[0], codes[1]) > 10
