"""Every code that can be raised is explained, and what an explanation shows is true."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from spaces import experiment

from upliftlab.cli import codes, commands
from upliftlab.errors import ConfigError
from upliftlab.util.explanation import COMMAND

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "upliftlab"
CODE = re.compile(r"UL\d{3}\b")
SAID = re.compile(r"^(?:\S+: )?(UL\d{3}) ", re.MULTILINE)
"""Codes at the beginning of a printed fault."""
DECLARING = {"rule", "shared_rule", "siblings_rule", "Explanation"}
CATALOGUE = {each.code: each for each in codes.catalogue()}
TOLD = [code for code, each in CATALOGUE.items() if each.example and each.example.told]
RUN = [
    each
    for code, each in CATALOGUE.items()
    if each.example and (each.example.run or each.example.file == COMMAND) and code not in TOLD
]
HOSTILE = ["", "\x1b[2J", "UL" * 50_000, "../../etc/passwd", "%s{0}", "\udc80"]
CUSTOMERS = "id,arm,spent,age,region\n" + "".join(
    f"{n},{'email' if n % 2 else 'none'},{n % 7},{20 + n % 50},{'north' if n % 3 else 'south'}\n"
    for n in range(40)
)


def raised(tree):
    """Codes of a module that stand in a fault: not in a docstring, a comparison, an explanation."""
    if isinstance(tree, ast.Compare):
        return
    if isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant):
        return
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) in DECLARING:
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        if found := CODE.match(tree.value):
            yield found[0]
        return
    for below in ast.iter_child_nodes(tree):
        yield from raised(below)


def test_every_code_raised_is_explained_and_every_explained_code_is_raised():
    found = {
        code
        for path in SOURCE.rglob("*.py")
        for code in raised(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert sorted(found - CATALOGUE.keys()) == []
    assert sorted(CATALOGUE.keys() - found) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('raise refuse("UL901", "x")', ["UL901"]),
        ('code = "UL901" if x else "UL902"', ["UL901", "UL902"]),
        ('echo(f"UL901 cannot be {x}")', ["UL901"]),
        ('def f():\n    """UL901: x."""', []),
        ('if fault.code == "UL901":\n    pass', []),
        ('@rule("UL901", "x")\ndef f(): ...', []),
        ('Explanation("UL901", "x")', []),
    ],
)
def test_what_counts_as_raised(text, expected):
    assert list(raised(ast.parse(text))) == expected


def test_no_code_is_explained_twice():
    every = [each.code for each in codes.catalogue()]
    assert len(every) == len(CATALOGUE)


@pytest.mark.parametrize("found", CATALOGUE.values(), ids=lambda each: each.code)
def test_an_explanation_is_whole(found):
    assert CODE.fullmatch(found.code)
    assert found.title[0].isupper() or found.title[0] == "'"
    assert not found.title.endswith(".")
    for sentence in filter(None, (found.meaning, found.remedy)):
        assert sentence.endswith(".")
    if found.code >= "UL2":
        assert found.remedy or found.example
    said = codes.text(codes.explanation(f" {found.code.lower()} "))
    assert said.startswith(f"{found.code} {found.title}\n\n{found.meaning}\n")
    assert found.remedy in said
    assert ("Wrong" in said) == ("Right" in said) == (found.example is not None)


NOTICES = {"UL154", "UL283", "UL284", "UL415", "UL418"}
"""No faults: the smallest experiment decides by a metric without a direction, of few customers,
whose table holds the arms; and gaps in data are told."""


class Desk:
    """A workspace in which examples are run."""

    def __init__(self, root):
        self.root = root
        self.write("experiments/example.yaml", "")
        self.write("data.csv", CUSTOMERS)
        (root / "configs").mkdir()

    def write(self, file, text):
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = experiment(text) if file == "experiments/example.yaml" else text
        path.write_text(whole, encoding="utf-8")

    def run(self, lines):
        said, done = "", None
        for line in lines.splitlines():
            name, *arguments = shlex.split(line)
            assert name == "upliftlab"
            done = CliRunner().invoke(commands, arguments)
            said += done.output
        return done.exit_code, set(SAID.findall(said)) - NOTICES, said


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def put(desk, example, part):
    for file, text in example.beside.items():
        desk.write(file, text)
    if example.file == COMMAND:
        return desk.run(part)
    desk.write(example.file, part)
    return desk.run(example.run)


@pytest.mark.parametrize("found", RUN, ids=lambda each: each.code)
def test_a_wrong_example_yields_its_code(desk, found):
    status, said, text = put(desk, found.example, found.example.wrong)
    assert status == 1, text
    assert said == {found.code}, text


@pytest.mark.parametrize("found", RUN, ids=lambda each: each.code)
def test_a_right_example_yields_none(desk, found):
    status, said, text = put(desk, found.example, found.example.right)
    assert said == (set() if found.code != "UL023" else {"UL012"}), text
    assert status in (0, 1), text


def test_what_no_file_shows_is_told_and_tested_elsewhere():
    files = ["UL001", "UL002", "UL017", "UL021", "UL022", "UL024", "UL026", "UL027"]
    python = ["UL030", "UL031"]  # tests/test_api.py
    pages = ["UL486"]  # tests/report/test_own_templates.py
    assert [*files, *python, "UL050", *pages] == TOLD  # and tests/checking/test_changed.py


def test_the_page_of_codes_is_up_to_date():
    text = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert text.partition(codes.START)[2].strip() == codes.page().strip()


def test_pages_name_codes_that_exist():
    pages = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]
    named = {
        (path.name, code)
        for path in pages
        if path.name != "CHANGELOG.md"
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }
    named.remove(("CONTRIBUTING.md", "UL199"))  # the rule that its example adds
    assert sorted(pair for pair in named if pair[1] not in CATALOGUE) == []


def test_an_unknown_code_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="UL023 there is no code 'UL0122'; did you mean UL122"):
        codes.explanation("UL0122")
    with pytest.raises(ConfigError, match="--list' lists them all"):
        codes.explanation("what?")


@pytest.mark.parametrize(
    "hostile", ["", "\x1b[2J", "UL" * 50_000, "../../etc/passwd", "%s{0}", "\udc80"]
)
def test_a_hostile_code_is_refused_in_one_clean_line(hostile):
    done = CliRunner().invoke(commands, ["explain", hostile])
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert done.output.startswith("UL023 ")
    assert "\x1b" not in done.output
    assert len(done.output) < 200


def test_explain_lists_every_code_in_its_group():
    done = CliRunner().invoke(commands, ["explain"])
    assert done.exit_code == 0
    assert done.output == CliRunner().invoke(commands, ["explain", "--list"]).output
    listed = re.findall(r"^  (UL\d{3})  (.+)$", done.output, re.MULTILINE)
    assert listed == [(each.code, each.title) for each in CATALOGUE.values()]
    assert "Data\n  UL201  No such data file\n" in done.output


def test_explain_as_json():
    done = CliRunner().invoke(commands, ["explain", "UL213", "--json"])
    [told] = json.loads(done.output)
    assert told["code"] == "UL213"
    assert told["example"]["file"] == "data.csv"
    every = json.loads(CliRunner().invoke(commands, ["explain", "--json"]).output)
    assert [each["code"] for each in every] == list(CATALOGUE)


NEW_RULE = '''"""A rule that somebody adds."""

from collections.abc import Iterator

from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic


@rule(
    "UL199",
    "Arm called test",
    "An arm's name says what its customers get.",
    wrong="arms: {none: {control: true}, test: {channel: email}}",
    right="arms: {none: {control: true}, email: {channel: email}}",
)
def telling_arms(scope: Scope) -> Iterator[Diagnostic]:
    if "test" in scope.plan.arms:
        yield Diagnostic("UL199", "'test' says nothing", "rename it", scope.at("arms", "test"))
'''
WITH_RULE = """
import sys
import upliftlab.config.rules
upliftlab.config.rules.__path__.append(sys.argv.pop(1))
from upliftlab.cli import codes, main
if sys.argv[1:] == ["page"]:
    print(codes.page())
else:
    main()
"""


def test_one_function_in_one_file_is_a_whole_rule(desk, tmp_path):
    desk.write("added/telling.py", NEW_RULE)
    desk.write("experiments/bad.yaml", experiment("arms: {none: {control: true}, test: {}}"))

    def ask(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", WITH_RULE, str(tmp_path / "added"), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
            timeout=60,
        )
        return done.stdout

    assert ask("check", "--quiet", "experiments/example.yaml") == ""
    faulty = ask("check", "--quiet", "experiments/bad.yaml")
    assert faulty.startswith("experiments/bad.yaml:6:37: UL199 'test' says nothing; rename it")
    assert ask("explain", "UL199").startswith("UL199 Arm called test\n\nAn arm's name says")
    assert "  UL199  Arm called test\n" in ask("explain", "--list")
    assert "| UL199 | Arm called test | An arm's name says what its customers get. |" in ask("page")


def test_checking_loads_no_explanation_of_other_packages():
    script = (
        "import sys, upliftlab.cli, upliftlab.config.load\n"
        "print([name for name in sys.modules if name.endswith('.codes')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
    )
    assert done.stdout == "[]\n"
