"""What README promises is what CI runs."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HILLSTROM = [
    *("recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie"),
    *("channel", "segment", "visit", "conversion", "spend"),
]


def section(heading):
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, f"README has no section '{heading}'"
    return found[1]


def fenced(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def set_up_commands():
    return [line for block in fenced("sh", section("Set up")) for line in block.splitlines()]


def test_exactly_two_commands_set_up_and_each_stands_alone():
    commands = set_up_commands()
    assert len(commands) == 2
    assert len(fenced("sh", README)) == 2
    for command in commands:
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert "--constraint constraints.txt" in command
    assert commands[0].endswith("&& .venv/bin/upliftlab run")
    assert commands[1].endswith("&& .venv/bin/pytest")


def test_ci_runs_both_commands_word_for_word():
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()]
    first, second = set_up_commands()
    assert first in lines
    assert second in lines


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_links_lead_somewhere():
    places = re.findall(r"\]\(([^)#]+)\)", README)
    assert places
    for place in places:
        assert (ROOT / place).exists(), place


def test_the_smallest_experiment_is_the_shipped_one():
    block, *_ = fenced("yaml", README)
    shipped = (ROOT / "experiments" / "hillstrom_email.yaml").read_text(encoding="utf-8")
    arms = re.compile(r"arms:\n(?:  .*\n)+|^money: .*$|^segments: .*$", re.MULTILINE)
    assert arms.findall(block) == arms.findall(shipped)


def test_the_commands_are_those_of_the_program():
    from upliftlab.cli import commands

    named = set(re.findall(r"^\| `upliftlab (\w+)", section("Commands"), re.MULTILINE))
    assert named == set(commands.commands)


def test_the_hillstrom_recipe_writes_the_original_table(tmp_path, monkeypatch):
    datasets = pytest.importorskip("sklift.datasets.datasets")
    original = tmp_path / "served.csv.gz"
    rows = ["1,2) $100 - $200,142.44,1,0,Surburban,0,Phone,Womens E-Mail,1,0,0.0"] * 3
    with gzip.open(original, "wt", encoding="utf-8") as served:
        served.write("\n".join([",".join(HILLSTROM), *rows]) + "\n")
    monkeypatch.setattr(datasets, "_get_data", lambda **_: str(original))
    monkeypatch.setattr(datasets, "_get_file_hash", lambda _: "a68a81291f53a14f4e29002629803ba3")
    monkeypatch.chdir(tmp_path)
    [recipe] = [code for code in fenced("python", README) if "fetch_hillstrom" in code]
    exec(compile(recipe, "README.md", "exec"), {})
    with gzip.open(tmp_path / "marketing-data" / "hillstrom.csv.gz", "rt", encoding="utf-8") as got:
        assert got.read().splitlines() == [",".join(HILLSTROM), *rows]
