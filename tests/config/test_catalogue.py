"""The catalogue's promises: complete, and its examples do what they say."""

import re
from pathlib import Path

import pytest

import upliftlab.config
from upliftlab.config import check
from upliftlab.config.catalogue import CATALOGUE, explain
from upliftlab.config.environment import allowed_environment, connection_parameters
from upliftlab.errors import ConfigError

SPECIAL = {"UL001", "UL002", "UL017", "UL022", "UL023", "UL024", "UL026", "UL027"}
SPECIAL |= {"UL030", "UL031"}  # of Python values; tests/test_api.py breaks them
WRITTEN = [entry for code, entry in CATALOGUE.items() if code not in SPECIAL]


def codes(paths=("experiments", "configs")):
    return {fault.code for fault in check([Path(name) for name in paths if Path(name).exists()])}


def put(space, entry, part):
    for file, text in entry.beside.items():
        space.write(file, text)
    whole = space.experiment(part) if entry.file.startswith("experiments") else part + "\n"
    space.write(entry.file, whole)


def test_every_code_raised_is_explained_and_every_explained_code_is_raised():
    folder = Path(upliftlab.config.__file__).parent
    modules = [path for path in folder.glob("*.py") if not path.name.startswith("catalogue_")]
    raised = {code for path in modules for code in re.findall(r'"(UL\d{3})"', path.read_text())}
    assert raised == CATALOGUE.keys()


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.code)
def test_wrong_example_yields_its_code(space, entry):
    put(space, entry, entry.wrong)
    assert entry.code in codes()


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.code)
def test_right_example_is_clean(space, entry):
    right = "configs/channels.yaml" if entry.code == "UL021" else entry.file
    for file, text in entry.beside.items():
        space.write(file, text)
    whole = space.experiment(entry.right) if right.startswith("experiments") else entry.right + "\n"
    space.write(right, whole)
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


@pytest.mark.parametrize("code", CATALOGUE)
def test_explain_shows_rule_and_both_examples(code):
    text = explain(code.lower())
    entry = CATALOGUE[code]
    assert text.startswith(f"{code} {entry.title}")
    assert entry.rule in text
    assert "Wrong" in text
    assert "Right" in text


def test_explain_of_no_code():
    with pytest.raises(ConfigError, match="UL023 there is no code 'UL999'"):
        explain("UL999")
