"""What other repositories run: the hook of pre-commit, the action of GitHub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from commands import ROOT
from spaces import experiment

from upliftlab import __version__

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
[HOOK] = yaml.safe_load(MANIFEST.read_text())
BAD = experiment("experiment: bad\ncolour: red")
BASE_PYTHON = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))
INSTALL, CHECK = (step for step in ACTION["runs"]["steps"] if "run" in step)


def run(*command, cwd, **environment):
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False,
        timeout=300, stdin=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip


def module(*command):
    return run(sys.executable, "-m", *command, cwd=ROOT)


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture
def installed(tmp_path):
    """A folder of a virtual environment's form, whose `upliftlab` is this repository's."""
    home = tmp_path / "runner" / "upliftlab"
    script = f'#!/bin/sh\nPYTHONPATH="{ROOT}/src" exec {sys.executable} -m upliftlab "$@"\n'
    write(home / "bin" / "upliftlab", script, 0o755)
    return home


@pytest.fixture
def shop(tmp_path):
    """A repository with a workspace that is well, committed."""
    root = tmp_path / "shop"
    write(root / "configs/channels.yaml", "channels: {email: {cost_per_contact: 0.1}}\n")
    write(root / "experiments/good one.yaml", experiment())
    git(root, "init", "--quiet")
    commit(root)
    return root


def git(root, *arguments):
    done = run("git", "-c", "user.name=x", "-c", "user.email=x@y.z", *arguments, cwd=root)
    assert done.returncode == 0, done.stderr


def commit(root):
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "now")


def test_the_files_keep_to_their_published_schemas():
    for schema, file in (("vendor.github-actions", "action.yml"),
                         ("vendor.github-workflows", ".github/workflows/ci.yml")):  # fmt: skip
        done = module("check_jsonschema", "--builtin-schema", schema, ROOT / file)
        assert done.returncode == 0, done.stdout
    done = module("pre_commit", "validate-manifest", MANIFEST)
    assert done.returncode == 0, done.stdout


def test_the_action_takes_the_versions_that_the_project_takes():
    [python] = [step for step in ACTION["runs"]["steps"] if "uses" in step]
    steps = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["build"]
    assert python["uses"] in {step.get("uses") for step in steps["steps"]}
    assert ACTION["inputs"]["python-version"]["default"] == "3.11"
    asked = ACTION["inputs"].keys() - {"python-version", "working-directory"}
    assert {f"${{{{ inputs.{name} }}}}" for name in asked} == {*CHECK["env"].values()}
    assert "${{" not in INSTALL["run"] + CHECK["run"]


def act(shop, installed, step=CHECK, **given):
    """A step of the action, as GitHub's shell runs it."""
    defaults = {name: ACTION["inputs"][name]["default"] for name in ACTION["inputs"]}
    inputs = {**defaults, **{name.replace("_", "-"): value for name, value in given.items()}}
    variables = {key: inputs[value[4:-3].strip().removeprefix("inputs.")]
                 for key, value in step.get("env", {}).items()}  # fmt: skip
    return run(
        "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], cwd=shop,
        RUNNER_TEMP=str(installed.parent), GITHUB_STEP_SUMMARY=str(shop.parent / "summary.md"),
        GITHUB_ACTION_PATH=str(ROOT), **variables,
    )  # fmt: skip


def test_the_action_annotates_and_writes_a_summary(shop, installed):
    done = act(shop, installed)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No faults found" in (shop.parent / "summary.md").read_text()
    write(shop / "experiments/bad.yaml", BAD)
    done = act(shop, installed, sarif="found.sarif")
    assert done.returncode == 1
    assert "::error file=experiments/bad.yaml,line=7,col=1,title=UL012::unknown key" in done.stdout
    assert "| ❌ error | experiments/bad" in (shop.parent / "summary.md").read_text()
    results = json.loads((shop / "found.sarif").read_text())["runs"][0]["results"]
    [result] = [each for each in results if each["level"] == "error"]
    assert result["ruleId"] == "UL012"


def test_the_action_takes_paths_and_a_revision(shop, installed):
    write(shop / "experiments/bad.yaml", BAD)
    assert (
        act(
            shop, installed, paths="experiments/good one.yaml\nexperiments/good one.yaml\n"
        ).returncode
        == 0
    )
    assert act(shop, installed, changed_since="HEAD").returncode == 1
    commit(shop)
    assert act(shop, installed, changed_since="HEAD").returncode == 0
    done = act(shop, installed, changed_since="nonsense")
    assert (done.returncode, "UL050" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "trick", ["--help", "$(touch tricked)", "x; touch tricked", "`touch tricked`"]
)
def test_an_input_is_no_part_of_the_script(shop, installed, trick):
    done = act(shop, installed, paths=trick)
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
    assert act(shop, installed, changed_since=trick).returncode == 1
    assert not (shop / "tricked").exists()


def test_the_action_installs_what_it_runs(tmp_path, shop):
    """As it stands, but for what upliftlab needs: that is borrowed from this interpreter."""
    home = tmp_path / "temp" / "upliftlab"
    borrowed = tmp_path / "borrowed"
    borrowed.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "upliftlab" not in path.name:
            (borrowed / path.name).symlink_to(path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(BASE_PYTHON)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = run("bash", "-eo", "pipefail", "-c", INSTALL["run"], cwd=shop, PATH=path,
               RUNNER_TEMP=str(home.parent), GITHUB_ACTION_PATH=str(ROOT),
               PYTHONPATH=str(borrowed))  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = run(home / "bin" / "upliftlab", "--version", cwd=shop, PYTHONPATH=str(borrowed))
    assert __version__ in done.stdout


def hooked(shop, installed, **changed):
    """pre-commit on all files, with the hook that is offered; only its language is the system's."""
    hook = {**HOOK, "language": "system", **changed}
    config = {"repos": [{"repo": "local", "hooks": [hook]}]}
    (shop.parent / "hooks.yaml").write_text(yaml.safe_dump(config))
    git(shop, "add", "--all")
    path = f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return run(sys.executable, "-m", "pre_commit", "run", "--all-files", "--config",
               shop.parent / "hooks.yaml", cwd=shop, PATH=path,
               PRE_COMMIT_HOME=str(shop.parent / "cache"))  # fmt: skip


def test_the_hook_runs(shop, installed):
    done = hooked(shop, installed)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr
    write(shop / "experiments/bad.yaml", BAD)
    done = hooked(shop, installed)
    assert done.returncode == 1
    assert "experiments/bad.yaml:7:1: UL012 unknown key 'colour'" in done.stdout
    done = hooked(shop, installed, args=["--changed-since", "HEAD", "configs"])
    assert done.returncode == 0
    done = hooked(shop, installed, files="^docs/")
    assert "(no files to check)Skipped" in done.stdout


@pytest.mark.parametrize(
    ("file", "expected"),
    [("experiments/x.yaml", 1), ("a/configs/x.yml", 1), ("x.yaml", 0), ("experiments/x.csv", 0),
     ("myexperiments/x.yaml", 0)],
)  # fmt: skip
def test_the_hook_runs_where_experiments_change(file, expected):
    import re

    assert bool(re.search(HOOK["files"], file)) == expected


def test_the_hook_would_be_installed_from_this_repository():
    """pre-commit runs `pip install .` for a hook in Python, then its entry."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert HOOK["language"] == "python"
    assert HOOK["entry"].split()[0] in project["scripts"]
