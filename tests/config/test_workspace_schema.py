"""The schema of a workspace offers its names, and refuses others where only names are read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from editing import as_an_editor
from jsonschema import Draft7Validator
from mistakes import HERE, MISTAKES, RIGHT

from upliftlab.cli import commands
from upliftlab.cli.checking import schema
from upliftlab.config.shape import FILES
from upliftlab.config.shared import read_shared
from upliftlab.config.workspace import workspace_at
from upliftlab.config.workspace_schema import KINDS, workspace_schema

ROOT = Path(__file__).parents[2]
WORKSPACES = [HERE / "mistakes", ROOT, *sorted((ROOT / "starters").glob("*/"))]
WORKSPACES = [path for path in WORKSPACES if (path / "experiments").is_dir()]


def validators(root):
    shared = read_shared(workspace_at(root), root)
    return {kind: Draft7Validator(workspace_schema(kind, shared)) for kind in KINDS}


@pytest.fixture(scope="module")
def mistaken():
    return validators(HERE / "mistakes")


@pytest.mark.parametrize("root", WORKSPACES, ids=lambda path: path.name)
def test_no_file_of_a_workspace_is_refused(root):
    held = validators(root)
    for path in [*root.glob("experiments/*.yaml"), *root.glob("configs/*.yaml")]:
        kind = path.stem if path.parent.name == "configs" else "experiment"
        held[kind].validate(as_an_editor(path.read_text(encoding="utf-8")))


NAMES = {"UL104", "UL105", "UL106"}
"""Names of what only `configs/` can declare."""


def test_undeclared_channels_offers_and_sources_are_refused(mistaken):
    for mistake in MISTAKES:
        kind = mistake.stem if mistake.stem in FILES else "experiment"
        if mistake.code in NAMES:
            text = mistake.edited(RIGHT[mistake.stem])
            assert not mistaken[kind].is_valid(as_an_editor(text)), mistake
    assert sum(each.code in NAMES for each in MISTAKES) == 6


def test_a_column_may_stand_in_the_place_of_a_metric_or_a_segment(mistaken):
    text = RIGHT["spring"].replace("primary: revenue", "primary: spent_in_shops")
    text = text.replace("[region, recency]", "[region, postal_code]")
    mistaken["experiment"].validate(as_an_editor(text))


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (("Arm", "channel"), "sms"),
        (("Arm", "offer"), "voucher"),
        (("Metrics", "primary"), "revenue"),
        (("MoneyTerms", "revenue"), "orders"),
        (("Metrics", "guardrails"), "unsubscribed"),
        (("AnalysisSettings", "covariates"), "revenue_before"),
        (("Uplift", "features"), "region"),
        (("Decision", "metric"), "profit"),
    ],
)
def test_names_are_offered(mistaken, way, name):
    model, key = way
    value = mistaken["experiment"].schema["definitions"][model]["properties"][key]
    assert f"'{name}'" in str(value)


def test_of_a_file_that_cannot_be_read_nothing_is_known(tmp_path):
    shutil.copytree(HERE / "mistakes", tmp_path / "space")
    (tmp_path / "space/configs/channels.yaml").write_text("channels: [")
    (tmp_path / "space/configs/sources.yaml").unlink()
    held = validators(tmp_path / "space")
    held["experiment"].validate(as_an_editor(RIGHT["spring"].replace("sms\n", "push\n")))


def test_they_are_written_where_the_settings_of_a_new_workspace_find_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    assert run.invoke(commands, ["init", "shop", "--template", "winback"]).exit_code == 0
    settings = json.loads(Path("shop/.vscode/settings.json").read_text())["yaml.schemas"]
    done = run.invoke(commands, ["schema", "--workspace", "shop"])
    written = {Path("shop", path).as_posix() for path in settings}
    assert set(done.output.split()) == written
    kept = json.loads(Path("shop/.schemas/experiment.schema.json").read_text())
    one = run.invoke(commands, ["schema", "experiment", "--workspace", "shop"])
    assert json.loads(one.output) == kept != json.loads(run.invoke(commands, ["schema"]).output)


def test_the_command_knows_every_kind():
    (kind,) = (each for each in schema.params if each.name == "kind")
    assert tuple(kind.type.choices) == KINDS
