"""What docs/coming.md tells those who come from elsewhere is so."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from upliftlab.cli import commands

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "coming.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("\n")[1])
def test_every_example_is_without_a_fault(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    Path("example.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(commands, ["check", "example.yaml", "--format", "json"])
    assert (done.exit_code, done.stdout.strip()) == (0, "[]"), done.output


def test_there_is_one_for_each_way_in():
    ways = re.findall(r"^## From ", PAGE, re.MULTILINE)
    assert len(EXAMPLES) == len(ways) == 3
