"""What is read is a file of the workspace: no link out of it, no pipe, nothing endless."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from upliftlab.cli import commands
from upliftlab.cli.formats.registry import FORMATS
from upliftlab.config import check, load
from upliftlab.errors import ConfigError, DataError
from upliftlab.report.reading import read_analysis
from upliftlab.targeting.model import load as load_model
from upliftlab.util.files import read_regular

SECRET = "hunter2: [not, yaml"
FILES = {
    "channels": "channels: {email: {}}\n",
    "sources": "sources: {other: {file: data.csv, id: id}}\n",
    "metrics": "metrics: {spent: {column: spent}}\n",
    "segments": "segments: {region: {column: region}}\n",
    "program": "currency: EUR\n",
}
EXAMPLE = """\
schema: 1
experiment: NAME
customers: {file: data.csv, id: id, known_after: [spent]}
assignment: {observed: arm}
arms: {none: {control: true}, email: {channel: email}}
metrics: {primary: spent}
"""


def run(*arguments):
    started = time.monotonic()
    result = CliRunner().invoke(commands, [*map(str, arguments)])
    assert time.monotonic() - started < 5
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout + result.stderr


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace, and beside it a secret that is no part of it."""
    for name, text in FILES.items():
        path = tmp_path / "work" / "configs" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "work/experiments").mkdir()
    (tmp_path / "work/experiments/example.yaml").write_text(EXAMPLE.replace("NAME", "example"))
    (tmp_path / "secret.yaml").write_text(SECRET)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def codes(*paths):
    return {fault.code for fault in check([Path(path) for path in paths])}


@pytest.mark.usefixtures("space")
def test_the_workspace_is_clean():
    assert codes("experiments", "configs") == set()


@pytest.mark.parametrize("stem", FILES)
@pytest.mark.parametrize("target", ["../../secret.yaml", "absolute", "chain"])
def test_a_shared_file_that_is_a_link_out_is_refused_unread(space, stem, target):
    file = space / "configs" / f"{stem}.yaml"
    file.unlink()
    if target == "chain":
        (space / "configs/.one").symlink_to("../../secret.yaml")
        target = ".one"
    file.symlink_to(space.parent / "secret.yaml" if target == "absolute" else target)
    code, said = run("check", "experiments", "configs")
    assert (code, "UL024" in said, "hunter2" in said) == (1, True, False)
    for form in FORMATS:
        assert "hunter2" not in run("check", "experiments", "--format", form)[1]
    with pytest.raises(ConfigError, match="UL024"):
        load(Path("experiments/example.yaml"))


def test_a_folder_of_shared_files_that_is_a_link_out_is_refused(space):
    Path("configs").rename("../elsewhere")
    (space / "configs").symlink_to("../elsewhere")
    assert codes("experiments") == {"UL024"}
    assert codes("configs") <= {"UL024", "UL022"}


def test_a_folder_of_experiments_that_is_a_link_out_is_refused(space):
    Path("experiments").rename("../elsewhere")
    (space / "experiments").symlink_to("../elsewhere")
    assert codes("experiments") == {"UL024"}


def test_an_experiment_that_is_a_link_out_is_refused(space):
    (space / "experiments/x.yaml").symlink_to("../../secret.yaml")
    for paths in (("experiments",), ("experiments/x.yaml",)):
        assert codes(*paths) == {"UL024"}
    assert "hunter2" not in run("run", "experiments/x.yaml")[1]


@pytest.mark.parametrize("name", ["link.yaml", "link/secret.yaml", "sub/../link.yaml"])
def test_an_extended_file_that_is_a_link_out_is_refused(space, name):
    (space / "experiments/link.yaml").symlink_to("../../secret.yaml")
    (space / "experiments/link").symlink_to(space.parent)
    (space / "experiments/sub").mkdir()
    text = EXAMPLE.replace("NAME", "heir") + f"extends: {name}\n"
    (space / "experiments/heir.yaml").write_text(text)
    code, said = run("check", "experiments/heir.yaml")
    assert (code, "UL018" in said, "hunter2" in said) == (1, True, False)


def test_links_within_the_workspace_stay_fine(space):
    Path("configs/channels.yaml").rename("configs/.channels")
    (space / "configs/channels.yaml").symlink_to(".channels")
    (space / "shared").mkdir()
    Path("configs/program.yaml").rename("shared/program")
    (space / "configs/program.yaml").symlink_to(space / "shared/program")
    assert codes("experiments", "configs") == set()


def test_a_workspace_that_is_reached_by_a_link_stays_fine(space):
    (space.parent / "link").symlink_to(space)
    assert codes(space.parent / "link" / "experiments", space.parent / "link" / "configs") == set()


def test_an_experiment_outside_of_any_workspace_stays_fine(tmp_path):
    path = tmp_path / "alone.yaml"
    path.write_text(EXAMPLE.replace("NAME", "alone"))
    assert codes(path) == set()


LINKS = {
    "loop of two": "other",
    "dangling": "nowhere",
    "device": "/dev/zero",
    "terminal": "/dev/tty",
    "process": "/proc/self/mem",
}


def special(kind, path):
    """Make something at a path that is no file to be read."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "long":
        path.write_bytes(b"x: " + b"y" * (2 << 20))
    else:
        if kind == "loop of two":
            path.with_name("other").symlink_to(path.name)
        path.symlink_to(LINKS.get(kind, path.name))


KINDS = ["pipe", "socket", "folder", "loop", "loop of two", "dangling", "device", "terminal",
         "process", "long"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["configs/channels.yaml", "experiments/x.yaml"])
def test_what_is_no_file_is_refused_at_once(space, kind, place):
    path = space / place
    path.unlink(missing_ok=True)
    special(kind, path)
    started = time.monotonic()
    found = codes("experiments", "configs")
    assert time.monotonic() - started < 1
    assert found
    assert found <= {"UL001", "UL002", "UL024"}
    assert run("check", place)[0] in (1, 2)
    assert run("run", "experiments/example.yaml" if "configs" in place else place)[0] in (1, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_analysis_or_model_is_refused_at_once(space, kind):
    path = space / "analysis.json"
    special(kind, path)
    started = time.monotonic()
    with pytest.raises(DataError, match="UL602"):
        read_analysis(path)
    with pytest.raises(DataError, match="UL630"):
        load_model(path)
    assert time.monotonic() - started < 1
    assert run("report", path)[0] in (1, 2)
    assert run("plan", "experiments/example.yaml", "--like", path, "--customers", 100)[0] in (1, 2)


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    path, pipe = tmp_path / "x", tmp_path / "pipe"
    path.write_text("x")
    os.mkfifo(pipe)
    found = path.stat()
    monkeypatch.setattr(Path, "stat", lambda _self: found)
    with pytest.raises(OSError, match="it is a pipe"):
        read_regular(pipe, 10)


HOSTILE_JSON = {
    "nothing": b"",
    "no json": b"{",
    "other json": b"[1, 2]",
    "null": b"null",
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "utf-16": "{}".encode("utf-16"),
    "latin-1": b'{"title": "\xe9"}',
    "half a character": b'{"title": "\\ud800"}',
    "huge number": b'{"confidence": 1e999}',
    "many digits": b'{"confidence": ' + b"9" * 100_000 + b"}",
    "nan": b'{"confidence": NaN}',
    "nul": b"\0" * 1000,
    "twice": b'{"schema": 1, "schema": 2}',
}


@pytest.mark.parametrize("kind", HOSTILE_JSON)
def test_hostile_json_is_no_analysis_and_no_model(tmp_path, kind):
    path = tmp_path / "analysis.json"
    path.write_bytes(HOSTILE_JSON[kind])
    code, said = run("report", path)
    assert (code, "UL602" in said) == (1, True)
    with pytest.raises(DataError, match="UL63"):
        load_model(path)


def test_a_file_of_500_megabytes_is_no_analysis(tmp_path):
    path = tmp_path / "analysis.json"
    with path.open("wb") as file:
        file.truncate(500 << 20)
    started = time.monotonic()
    code, said = run("report", path)
    assert (code, "64 MiB" in said) == (1, True)
    assert time.monotonic() - started < 2


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    """A small analysis that was made."""
    folder = tmp_path_factory.mktemp("made")
    rows = "".join(f"{i},{('none', 'email')[i % 2]},{i % 7},{i % 3}\n" for i in range(400))
    (folder / "data.csv").write_text("id,arm,spent,region\n" + rows)
    (folder / "x.yaml").write_text(
        EXAMPLE.replace("NAME", "x") + "money: {revenue: spent, margin: 40%}\ncurrency: EUR\n"
    )
    code, said = run("analyze", folder / "x.yaml", "--out", folder)
    assert code in (0, 1), said
    return folder


def _first(key, **values):
    return lambda a: a[key][0].update(values)


def _top(**values):
    return lambda a: a.update(values)


def _sentence(template, **values):
    return lambda a: a["verdict"]["sentence_parts"].update(template=template, values=values)


TAMPERED = {
    "no control": lambda a: [arm.update(control=False) for arm in a["arms"]],
    "two controls": lambda a: [arm.update(control=True) for arm in a["arms"]],
    "no arms": _top(arms=[]),
    "no metrics": _top(metrics=[]),
    "no findings": _top(findings=[]),
    "no columns": _top(columns=[]),
    "no moments": _top(moments=[]),
    "short moments": _first("moments", mean=[1.0]),
    "negative variance": lambda a: a["moments"][0]["m2"].__setitem__(0, -1.0),
    "huge": _first("findings", estimate=1e308, low=-1e308, high=1e308),
    "digits": _first("findings", n_treated=10**4000),
    "unknown arm": _first("findings", arm="\x1b[31mx"),
    "unknown metric": _first("findings", metric="nothing"),
    "metrics without rule": lambda a: [metric.update(name="\x1b") for metric in a["metrics"]],
    "template": _sentence("{a} {"),
    "no value": _sentence("{a:money}"),
    "kind": _sentence("{a:nothing}", a=1),
    "text for money": _sentence("{a:money}", a="x"),
    "date": lambda a: a["provenance"].update(created="yesterday"),
    "currency": _top(currency="<b>"),
    "rule": lambda a: a["decision"].update(ship_if="import os"),
    "confidence": _top(confidence=7.0),
    "bridge": lambda a: [bridge.update(level="nowhere") for bridge in a["bridges"]],
}
"""Changes that keep the form and contradict the rest."""


@pytest.mark.parametrize("kind", TAMPERED)
def test_a_tampered_analysis_is_refused_or_shown(analysis, tmp_path, kind):
    found = json.loads((analysis / "analysis.json").read_text())
    TAMPERED[kind](found)
    path = tmp_path / "analysis.json"
    path.write_text(json.dumps(found))
    for lang in ("en", "zh"):
        code, said = run("report", path, "--lang", lang)
        assert code == 0 or (code == 1 and "UL602" in said)
        assert "\x1b" not in said
    like = ("plan", analysis / "x.yaml", "--like", path, "--customers", 1000)
    assert run(*like)[0] in (0, 1)


def test_a_symlink_loop_as_argument_is_wrong_usage(space):
    special("loop", space / "loop.yaml")
    special("loop", space / "loop")
    for command in (("check", "loop.yaml"), ("run", "loop.yaml"), ("check", "loop"),
                    ("report", "loop.yaml"), ("run", "experiments/example.yaml", "--data", "loop"),
                    ("verify", "loop")):  # fmt: skip
        assert run(*command)[0] in (1, 2)


NUMBERS = [
    *("1e400", "1e-400", "-1e400", "9" * 5000, "9" * 5000 + "%", "0x7fffffff", "1_" * 500, "٣"),
    *("99999999999999999999", "inf", "nan", ".inf", "1/0", "0/0", "9/1", "-1", "--1", "+", "1e5"),
    *("99999 weeks", "99999999999 days", "-1 days", "1e9 days", "99999-01-01", "0000-00-00"),
    *("2026-02-30", "9999-12-31", "0001-01-01", "1 EUR", "9" * 22 + " EUR", "1e9 EUR", "²"),
]
KEYS = [
    "money: {revenue: spent, margin: X}", "money: {revenue: spent, margin: 40%, hurdle: X}",
    "outcome_window: X", "waves: [{start: X, share: 100%}]\noutcome_window: 28 days",
    "waves: [{start: 2026-03-02, share: X}]", "analysis: {confidence: X}",
    "analysis: {looks: [X]}\noutcome_window: 99999 days", "analysis: {winsorize: {spent: X}}",
    "arms: {none: {control: true, share: X}, email: {channel: email, share: X}}",
    "arms: {none: {control: true}, email: {cost_per_contact: X}}", "schema: X",
    "engine: {threads: X}", "engine: {memory_limit: X}", "decision: {ship_if: 'lower > X'}",
    "metrics: {primary: spent, guardrails: {x: {max_increase: X}}}", "eligible: 'age > X'",
    "uplift: {features: [region], budget: X, folds: X, repeats: X, sample: X, holdout: X}",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_absurd_numbers_are_faults_or_fine(tmp_path, key):
    path = tmp_path / "x.yaml"
    top = key.partition(":")[0]
    base = "".join(
        f"{line}\n" for line in EXAMPLE.splitlines() if line.partition(":")[0] != top
    ).replace("NAME", "x")
    for number in NUMBERS:
        path.write_text(f"{base}{key.replace('X', number)}\n")
        code, said = run("check", path)
        assert code in (0, 1)
        assert max(map(len, said.splitlines())) < 1_000


def test_messages_quote_no_more_than_a_line(space):
    for text in ("x" * 50_000, '"' + "y" * 50_000 + '"', "[" + "z, " * 10_000 + "z]"):
        for key in ("title", "eligible", "currency", "experiment", "outcome_window", "engine"):
            path = space / "experiments/example.yaml"
            path.write_text(f"schema: 1\n{key}: {text}\n{text}: 1\n")
            assert max(map(len, run("check", path)[1].splitlines())) < 1_200


def test_the_command_waits_for_no_pipe(space):
    """In a process of its own, as a pipe that is opened could not be left otherwise."""
    (space / "configs/channels.yaml").unlink()
    os.mkfifo(space / "configs/channels.yaml")
    command = [sys.executable, "-m", "upliftlab", "check", "experiments"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, "UL001" in done.stdout) == (1, True)
