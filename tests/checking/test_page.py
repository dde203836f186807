"""The page about CI: its snippets are what the programs read that they are for, and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
import yaml
from commands import ROOT
from spaces import experiment

from upliftlab.cli.formats.registry import FORMATS

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SNIPPETS = {
    re.search(rf"^## (.+)\n(?:(?!^## ).*\n)*?{re.escape(text)}", PAGE, re.MULTILINE)[1]: text
    for language, text in BLOCKS
    if language == "yaml"
}
COMMANDS = re.findall(r"\bupliftlab check [^'\n]*", "\n".join(text for _, text in BLOCKS))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


def rows(heading):
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [re.match(r"\| `([^`]+)`", line)[1] for line in table.splitlines()[2:]]


def test_every_format_and_every_input_has_its_row():
    assert sorted(rows("`--format`")) == sorted(FORMATS)
    assert rows("input") == [*ACTION["inputs"]]


@pytest.mark.parametrize("where", ["GitHub", "GitLab"])
def test_a_snippet_keeps_to_its_published_schema(where, tmp_path):
    schema = {"GitHub": "vendor.github-workflows", "GitLab": "vendor.gitlab-ci"}[where]
    texts = [text for language, text in BLOCKS if language == "yaml"]
    texts = [text for text in texts if ("jobs:" if where == "GitHub" else "artifacts:") in text]
    assert texts
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yml").write_text(text)
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema)
    done = subprocess.run([*command, *sorted(tmp_path.iterdir())], check=False, text=True,
                          capture_output=True, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stdout
    for step in (step for text in texts for job in yaml.safe_load(text).get("jobs", {}).values()
                 for step in job["steps"] if "/upliftlab@" in step.get("uses", "")):  # fmt: skip
        assert step["with"].keys() <= ACTION["inputs"].keys()


def test_the_hooks_snippet_is_a_configuration_of_pre_commit(tmp_path):
    (tmp_path / "hooks.yaml").write_text(SNIPPETS["pre-commit"])
    command = (sys.executable, "-m", "pre_commit", "validate-config", str(tmp_path / "hooks.yaml"))
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    [offered] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert yaml.safe_load(SNIPPETS["pre-commit"])["repos"][0]["hooks"][0]["id"] == offered["id"]


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_a_command_of_the_page_runs(command, tmp_path):
    assert len(COMMANDS) >= 4
    for folder in ("experiments", "configs", "bin"):
        (tmp_path / folder).mkdir()
    (tmp_path / "configs/channels.yaml").write_text("channels: {email: {}}\n")
    (tmp_path / "experiments/spring.yaml").write_text(experiment())
    (tmp_path / "draft.yaml").write_text(experiment())
    script = f'#!/bin/sh\nPYTHONPATH="{ROOT}/src" exec {sys.executable} -m upliftlab "$@"\n'
    (tmp_path / "bin/upliftlab").write_text(script)
    (tmp_path / "bin/upliftlab").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["sh", "-euc", f"code=0\n{command}\nexit $code"], cwd=tmp_path, text=True,
                          check=False, capture_output=True, timeout=120,
                          env={**os.environ, "PATH": path})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    for file in tmp_path.glob("*.xml"):
        assert ET.parse(file).getroot().tag == "testsuites"
    for file in tmp_path.glob("*.json"):
        assert isinstance(json.loads(file.read_text()), list)


def test_the_groovy_of_jenkins_closes_what_it_opens():
    [text] = [text for language, text in BLOCKS if language == "groovy"]
    assert text.count("{") == text.count("}") > 5
    assert text.count("'") % 2 == 0
    assert "--format junit > junit.xml" in text
    assert "junit 'junit.xml'" in text
