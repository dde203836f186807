"""Rules and codes of the YAML: their examples do what they say."""

from pathlib import Path

import pytest
from editing import as_an_editor
from jsonschema import Draft7Validator

from upliftlab.config import check
from upliftlab.config.codes import CODES
from upliftlab.config.environment import allowed_environment, connection_parameters
from upliftlab.config.rules.registry import rule
from upliftlab.config.schema import json_schema
from upliftlab.errors import ConfigError
from upliftlab.util.explanation import COMMAND

WRITTEN = [each for each in CODES if not each.example.told and each.example.file != COMMAND]
"""What a file shows; examples of commands are run by tests/test_codes.py."""


def codes(paths=("experiments", "configs"), *, notice=False):
    there = [Path(name) for name in paths if Path(name).exists()]
    return {fault.code for fault in check(there, notice=notice)}


def put(space, example, part):
    for file, text in example.beside.items():
        space.write(file, text)
    whole = space.experiment(part) if example.file.startswith("experiments") else part + "\n"
    space.write(example.file, whole)


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.code)
def test_wrong_example_yields_its_code(space, entry):
    put(space, entry.example, entry.example.wrong)
    assert entry.code in codes(notice=True)


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.code)
def test_right_example_is_clean(space, entry):
    put(space, entry.example, entry.example.right)
    assert codes() == set()
    assert entry.code not in codes(notice=True)
    file = space.root / entry.example.file
    kind = file.stem if file.parent.name == "configs" else "experiment"
    value = as_an_editor(file.read_text(encoding="utf-8"))
    Draft7Validator(json_schema(kind)).validate(value)


def test_pairs_of_arms_none_of_which_is_the_control(space):
    arms = "arms: {email: {channel: email}, letter: {channel: letter}}\n"
    space.write("experiments/example.yaml", space.experiment(arms + "compare: [[email, letter]]"))
    assert codes() == {"UL103"}


def test_a_file_that_nothing_reads(space):
    example = next(entry.example for entry in CODES if entry.code == "UL021")
    space.write(example.wrong, "channels: {email: {}}\n")
    assert codes() == {"UL021"}
    (space.root / example.wrong).rename(space.root / example.right)
    assert codes() == set()


def test_missing_file_and_folder_without_files(space):
    (space.root / "empty").mkdir()
    assert codes(("experiments",)) == set()
    assert {fault.code for fault in check([Path("experiments/missing.yaml")])} == {"UL001"}
    assert {fault.code for fault in check([Path("empty")])} == {"UL022"}


def test_file_too_large(space):
    space.write("experiments/example.yaml", "# " + "x" * (1 << 20))
    assert codes() == {"UL002"}


def test_link_out_of_the_workspace(space, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.yaml"
    secret.write_text("hunter2\n")
    (space.root / "configs").mkdir()
    (space.root / "configs/channels.yaml").symlink_to(secret)
    assert codes() == {"UL024"}


def test_environment_is_given_only_where_it_is_allowed(monkeypatch):
    monkeypatch.setenv("CRM_SECRET", "hunter2")
    with pytest.raises(ConfigError) as caught:
        connection_parameters("password=${env:CRM_SECRET}")
    assert [fault.code for fault in caught.value.faults] == ["UL026"]
    with allowed_environment(["CRM_SECRET", "NOT_SET_ANYWHERE"]):
        assert connection_parameters("password=${env:CRM_SECRET}") == {"password": "hunter2"}
        with pytest.raises(ConfigError, match="NOT_SET_ANYWHERE") as caught:
            connection_parameters("password=${env:NOT_SET_ANYWHERE}")
    assert [fault.code for fault in caught.value.faults] == ["UL017"]
    assert "hunter2" not in str(caught.value)


def test_a_code_is_explained_once():
    with pytest.raises(ValueError, match="UL103 is explained twice"):
        rule("UL103", "Again", "It is.", wrong="", right="")
