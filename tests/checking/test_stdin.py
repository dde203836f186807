"""A text on standard input, and files that are known by what they hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import ROOT
from spaces import experiment

from upliftlab.cli import commands
from upliftlab.config.document import parse_document
from upliftlab.config.file_kinds import kind_of

WRONG = {
    "sources": "sources: {orders: {fil: orders.csv}}\n",
    "metrics": "metrics: {spent: {colum: spent}}\n",
    "channels": "channels: {email: {cost_per_contct: 1}}\n",
    "segments": "segments: {region: {colum: region}}\n",
    "program": "layers: {x: {experimentz: {}}}\n",
}


@pytest.fixture(autouse=True)
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("configs/channels.yaml", "channels: {email: {}}\n")
    write("experiments/base.yaml", experiment("experiment: base"))
    return tmp_path


def write(file, text):
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def check(*arguments, text=None):
    done = CliRunner().invoke(commands, ["check", "-q", *arguments, "--format", "json"], input=text)
    assert done.exit_code in (0, 1), done.output
    return [(each["file"], each["line"], each["code"]) for each in json.loads(done.stdout)]


def test_a_text_is_checked_as_the_file_it_shall_be():
    draft = experiment("arms: {none: {control: true}, sms: {channel: emial}}")
    assert check("-", text=draft) == [("<stdin>", 6, "UL104")]
    name = "experiments/new.yaml"
    assert check("-", "--stdin-filename", name, text=draft) == [(name, 6, "UL104")]
    assert check("-", "--stdin-filename", name, text=experiment()) == []
    assert not Path(name).exists()
    child = "schema: 1\nexperiment: child\nextends: base.yaml\ncolour: red\n"
    assert check("-", "--stdin-filename", name, text=child) == [(name, 4, "UL012")]


def test_what_the_file_holds_now_does_not_matter():
    name = "configs/channels.yaml"
    text = WRONG["channels"]
    assert check("-", "--stdin-filename", name, text=text) == [(name, 1, "UL012")]
    write(name, text)
    assert check("-", "--stdin-filename", name, text="channels: {email: {}}\n") == []
    absolute = str(Path(name).absolute())
    assert check("-", "--stdin-filename", absolute, text=text) == [(absolute, 1, "UL012")]


@pytest.mark.parametrize("stem", WRONG)
def test_a_text_without_a_name_is_known_by_its_keys(stem):
    [(file, line, code)] = check("-", text=WRONG[stem])
    assert (file, line, code) == ("<stdin>", 1, "UL012")


@pytest.mark.parametrize("stem", WRONG)
def test_a_file_elsewhere_is_known_by_its_keys_and_nothing_reads_it(stem):
    write(f"shared/my_{stem}.yaml", WRONG[stem])
    file = f"shared/my_{stem}.yaml"
    assert check(file) == check("shared") == [(file, None, "UL021"), (file, 1, "UL012")]
    assert check("-", "--stdin-filename", file, text=WRONG[stem]) == check(file)


def test_a_file_of_configs_by_another_name_is_held_against_what_it_holds():
    write("configs/mine.yaml", WRONG["metrics"])
    done = CliRunner().invoke(commands, ["check", "configs"])
    unread, wrong, *_ = done.output.splitlines()
    assert unread == (
        "configs/mine.yaml: UL021 nothing reads the file 'mine.yaml' of configs/; "
        "did you mean 'metrics.yaml'?"
    )
    assert wrong.startswith("configs/mine.yaml:1:19: UL012 unknown key 'colum' in metric 'spent'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("- 1\n", None),
        ("schema: 1\n", None),
        ("currency: EUR\nengine: {name: duckdb}\n", None),
        ("metrics: {primary: spent}\n", None),
        ("segments: [region]\n", None),
        ("metrics: {spent: {column: spent}}\n", "metrics"),
        ("metrics: {spent: {column: spent}}\ntitle: x\n", None),
        ("segments: {region: {column: region}}\n", "segments"),
        ("offers: {gift: {}}\nchannels: {email: {}}\n", "channels"),
        ("currency: EUR\ntime_zone: UTC\n", "program"),
        ("sources: {x: {file: x.csv}}\nschema: 1\n", "sources"),
    ],
)
def test_kinds_of_files(text, expected):
    assert kind_of(Path("/a/x.yaml"), parse_document(text.encode(), "x.yaml")) == expected
    assert kind_of(Path("/configs/x.yaml"), parse_document(text.encode(), "x.yaml")) == expected
    known = parse_document(text.encode(), "x.yaml")
    assert kind_of(Path("/configs/program.yml"), known) == "program"


@pytest.mark.parametrize(
    "arguments",
    [("-", "experiments"), ("experiments", "--stdin-filename", "x.yaml"), ("-", "-"),
     ("-", "--changed-since", "HEAD"), ("-", "--data", ".")],
)  # fmt: skip
def test_wrong_usage_is_told(arguments):
    done = CliRunner().invoke(commands, ["check", *arguments], input="")
    assert (done.exit_code, "Usage: " in done.stderr) == (2, True)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00", b"a: \x1b[31m", b"x" * (1 << 21), b""])
def test_any_bytes_will_do(data, shop):
    done = subprocess.run(
        [sys.executable, "-m", "upliftlab", "check", "-"], input=data, capture_output=True,
        check=False, cwd=shop, timeout=60, env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"<stdin>")


def test_a_closed_standard_input_holds_nothing(shop):
    shell = f"{sys.executable} -m upliftlab check - <&-"
    done = subprocess.run(shell, shell=True, capture_output=True, check=False, cwd=shop, timeout=60,
                          env={"PYTHONPATH": str(ROOT / "src")})  # fmt: skip
    assert (done.returncode, done.stdout[:7]) == (1, b"<stdin>")


def test_a_file_called_minus_is_a_file(shop):
    write("-", experiment("colour: red"))
    assert check(str(shop / "-")) == [(str(shop / "-"), 7, "UL012")]
