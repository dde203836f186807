"""The Chinese pages of the docs say what the English ones do, and what they say to write runs."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from upliftlab.cli import commands
from upliftlab.text.language import Language

WORDS = (
    "SHIP",
    "STOP",
    "INCONCLUSIVE",
    "INVALID",
    "NOT FINAL",
    "Incremental profit",
    "Incremental ROI",
    "Incremental revenue",
    "Where it paid",
    "What next",
    "From revenue to profit",
    "Hurdle",
    "What would change the answer",
    "Over time",
    "shrunken",
    "Adjusted p",
    "A Bayesian view of profit",
    "Can these numbers be trusted?",
    "From all customers to those analysed",
    "Methods",
    "Provenance",
)
"""What the guide explains, as the page has it."""
DOCS = Path(__file__).resolve().parents[1] / "docs"
START = (DOCS / "zh" / "start.md").read_text(encoding="utf-8")
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def run(line):
    done = CliRunner().invoke(commands, shlex.split(line)[1:])
    assert done.exit_code == 0, f"{line}\n{done.output}"
    return done.output


def first(kind):
    return next(inner for name, inner in FENCED.findall(START) if name == kind)


def test_the_commands_of_the_tutorial_are_those_of_the_english_one_and_run(tmp_path, monkeypatch):
    english = FENCED.search((DOCS / "start.md").read_text(encoding="utf-8"))
    assert first("text").replace(" --lang zh", "") == english[2]
    monkeypatch.chdir(tmp_path)
    for line in first("text").splitlines():
        told = run(f"{line} --customers 8000" if "simulate" in line else line)
    page = Path(told.strip().splitlines()[-1].split()[-1]).read_text(encoding="utf-8")
    assert '<html lang="zh' in page


def test_the_example_of_the_tutorial_is_without_a_fault(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("example.yaml").write_text(first("yaml"), encoding="utf-8")
    assert run("upliftlab check example.yaml --format json").strip() == "[]"


def sections(name):
    return re.findall(r"^## ", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_reader_s_guide_has_the_same_sections():
    assert len(sections("reading.md")) == len(sections("zh/reading.md"))


@pytest.mark.parametrize("name", ["reading.md", "zh/reading.md"])
def test_its_words_are_those_of_the_page(name):
    text = (DOCS / name).read_text(encoding="utf-8")
    told = Language("zh" if name.startswith("zh") else "en").gettext
    assert [word for word in WORDS if told(word).casefold() not in text.casefold()] == []
