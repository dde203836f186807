"""`check --changed-since REV` tells what a change broke, and nothing that was broken before."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from spaces import experiment

from upliftlab.cli import commands
from upliftlab.config.changes import Changes
from upliftlab.errors import ConfigError
from upliftlab.util.git import changed_since

BROKEN = experiment("colour: red")
IDENTITY = {
    f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def git(*arguments, cwd=None):
    command = ["git", "-c", "init.defaultBranch=main", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd,
                          env={**os.environ, **IDENTITY}, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(file, text):
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def named(name, part=""):
    return experiment(f"experiment: {name}\n{part}")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A workspace below the top of a repository, with an experiment that is broken already."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "top")
    Path("top/shop").mkdir()
    monkeypatch.chdir("top/shop")
    write("configs/channels.yaml", "channels: {email: {cost_per_contact: 0.1}}\n")
    write("experiments/broken.yaml", BROKEN)
    write("experiments/base.yaml", named("base"))
    write("experiments/child.yaml", "schema: 1\nexperiment: child\nextends: base.yaml\n")
    commit("first")
    return tmp_path / "top"


def commit(message):
    git("add", "--all", ".")
    git("commit", "--quiet", "--message", message)


def told(*arguments, since="HEAD"):
    """The files and codes of errors, and how many files were looked at."""
    command = ["check", "-q", *arguments, "--changed-since", since]
    done = CliRunner().invoke(commands, [*command, "--format", "json"])
    assert done.exit_code in (0, 1), done.output
    faults = json.loads(done.stdout)
    assert done.exit_code == any(fault["severity"] == "error" for fault in faults)
    return sorted((Path(fault["file"]).stem, fault["code"]) for fault in faults)


def looked_at(*arguments):
    done = CliRunner().invoke(commands, ["check", "-q", *arguments, "--changed-since", "HEAD",
                                         "--format", "markdown"])  # fmt: skip
    return done.stdout.splitlines()[2].rpartition("(")[2]


@pytest.mark.usefixtures("repository")
def test_what_was_broken_before_is_not_told():
    assert told() == []
    assert looked_at() == "0 files)"
    write("experiments/new.yaml", named("new", "owner: me"))
    assert told() == told(".") == told("experiments", "configs") == []
    assert looked_at() == "2 files)"
    write("experiments/new.yaml", named("new", "colour: red"))
    assert told() == [("new", "UL012")]
    assert told("experiments/base.yaml") == []


@pytest.mark.usefixtures("repository")
def test_a_changed_file_is_told_be_it_staged_or_committed():
    write("experiments/base.yaml", named("base", "colour: red"))
    expected = [("base", "UL012")]
    assert told() == expected
    git("add", ".")
    assert told() == expected
    commit("second")
    assert told() == []
    assert told(since="HEAD~1") == expected
    assert told(since="main~1") == expected


@pytest.mark.usefixtures("repository")
def test_an_experiment_is_told_where_what_it_extends_changed():
    write("experiments/base.yaml", named("base", "arms: {none: {control: true}}"))
    assert {name for name, _ in told()} == {"base"}
    write("experiments/child.yaml", "schema: 1\nexperiment: child\nextends: base.yaml\n"
                                    "decision: {arm: email}\n")  # fmt: skip
    commit("second")
    write(
        "experiments/base.yaml",
        named("base", "arms: {none: {control: true}, sms: {channel: email}}"),
    )
    assert {name for name, _ in told("experiments/child.yaml")} == {"child"}
    Path("experiments/base.yaml").unlink()
    assert ("child", "UL018") in told()
    assert {name for name, _ in told()} == {"child"}


@pytest.mark.usefixtures("repository")
def test_every_experiment_is_told_where_what_it_reads_changed():
    write("configs/channels.yaml", "channels: {sms: {cost_per_contact: 0.1}}\n")
    everyone = {("base", "UL104"), ("broken", "UL012"), ("broken", "UL104")}
    assert {*told()} >= everyone
    assert {*told("experiments")} >= everyone
    commit("second")
    assert told() == []
    Path("configs/channels.yaml").unlink()
    assert ("broken", "UL012") in told("experiments")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", ["a", "z"])
def test_a_fault_between_siblings_is_told_if_one_of_them_changed(name):
    """Two experiments of one name are told at one of them, which need not be the new one."""
    write(f"experiments/{name}.yaml", named("base"))
    [(where, code)] = told()
    assert (where in (name, "base"), code) == (True, "UL129")
    commit("second")
    write("experiments/other.yaml", named("other"))
    assert told() == []


@pytest.mark.usefixtures("repository")
def test_what_others_did_on_their_branch_is_not_ours():
    git("checkout", "--quiet", "-b", "feature")
    write("experiments/mine.yaml", named("mine", "colour: red"))
    commit("mine")
    git("checkout", "--quiet", "main")
    write("experiments/base.yaml", named("base", "owner: someone"))
    commit("theirs")
    git("checkout", "--quiet", "feature")
    write("experiments/base.yaml", named("base"))
    assert told(since="main") == [("mine", "UL012")]


@pytest.mark.usefixtures("repository")
def test_odd_names_links_and_ignored_files():
    write("experiments/größe\n 1.yaml", named("odd", "colour: red"))
    write(".gitignore", "experiments/ignored.yaml\n")
    write("experiments/ignored.yaml", BROKEN)
    Path("link").symlink_to("experiments", target_is_directory=True)
    Path("one.yaml").symlink_to("experiments/größe\n 1.yaml")
    assert [code for _, code in told("experiments")] == ["UL012"]
    assert [code for _, code in told("link")] == ["UL012"]
    assert [code for _, code in told("one.yaml")] == ["UL012"]


def refusal(*arguments, **options):
    done = CliRunner().invoke(commands, ["check", *arguments], **options)
    assert done.exit_code == 1
    return done.output


@pytest.mark.parametrize(
    "revision", ["nonsense", "", "-h", "--all", "HEAD:shop", "a..b", "x" * 5000]
)
@pytest.mark.usefixtures("repository")
def test_an_unknown_revision_is_refused(revision):
    said = refusal("--changed-since", revision)
    assert said.startswith("UL050 git knows no revision")
    assert len(said) < 400


def test_a_shallow_clone_without_a_common_past_is_refused(repository, monkeypatch):
    commit_to = repository / "shop"
    write(commit_to / "experiments/more.yaml", named("more"))
    commit("second")
    git("clone", "--quiet", "--depth", "1", f"file://{repository}", "../../shallow")
    monkeypatch.chdir(repository.parent / "shallow")
    said = refusal("shop", "--changed-since", "HEAD~1")
    assert said.startswith("UL050")
    assert "fetch-depth: 0" in said


def test_without_git_or_a_repository_it_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("x.yaml", experiment())
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert refusal("x.yaml", "--changed-since", "HEAD").startswith("UL049 what changed in")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in refusal("x.yaml", "--changed-since", "HEAD")


def test_what_a_repository_would_run_is_not_run(repository):
    write("ran", "")
    for key in ("core.fsmonitor", "diff.external"):
        git("config", key, f"touch {repository}/by-{key}; false")
    write("experiments/base.yaml", named("base", "owner: me"))
    assert told() == []
    assert not [path.name for path in repository.iterdir() if path.name.startswith("by-")]


@pytest.mark.usefixtures("repository")
def test_the_changed_files_of_several_repositories(tmp_path):
    git("init", "--quiet", tmp_path / "second")
    write(tmp_path / "second/x.yaml", experiment("colour: red"))
    with pytest.raises(ConfigError, match="UL050"):
        changed_since("HEAD", tmp_path / "second")
    git("-C", tmp_path / "second", "commit", "--quiet", "--allow-empty", "--message", "first")
    changes = Changes.since("HEAD", [tmp_path / "second", Path("experiments/base.yaml")])
    assert {path.name for path in changes.files} == {"x.yaml"}
