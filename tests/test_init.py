"""A new workspace: whole, right at once, and four commands from the first report."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

import jsonschema
import pytest
import yaml
from commands import ROOT, upliftlab

from upliftlab import __version__

TEMPLATES = {
    "winback": "winback",
    "acquisition": "acquisition",
    "churn": "churn",
    "cross-sell": "cross-sell",
    "minimal": "first",
}
"""Each template and its experiment's file."""
FEW = ("--customers", 10_000)
"""A quarter of what a user gets, for the time it takes."""
VERDICTS = ("SHIP", "STOP", "INCONCLUSIVE")


def done(*arguments, cwd):
    """What a command that ends well says."""
    found = upliftlab(*arguments, cwd=cwd)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def files(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def test_every_template_is_tried_here():
    shipped = {path.parent.name for path in (ROOT / "starters").glob("*/experiments")}
    assert shipped == TEMPLATES.keys()


@pytest.mark.parametrize(("template", "name"), TEMPLATES.items())
def test_a_new_user_has_a_report_after_four_commands(tmp_path, template, name):
    """init, simulate, assign, run, as `init` and `simulate` say; `check` only looks on."""
    said = done("init", "shop", "--template", template, cwd=tmp_path)
    file = f"shop/experiments/{name}.yaml"
    assert f"Next:  upliftlab simulate {file} " in said
    assert done("check", "shop/experiments", "shop/configs", cwd=tmp_path) == "No faults found.\n"
    few = () if template == "acquisition" else FEW  # hardly a simulated customer never bought
    assert f"upliftlab assign {file}\n" in done("simulate", file, *few, cwd=tmp_path)
    done("assign", file, cwd=tmp_path)
    said = done("run", file, cwd=tmp_path)
    assert said.startswith(VERDICTS), said
    [page] = [word for word in said.split() if word.endswith(".html")]
    title = yaml.safe_load((tmp_path / file).read_text(encoding="utf-8")).get("title", "first")
    assert title in (tmp_path / page).read_text(encoding="utf-8")
    done("check", "shop/experiments", "--data", "shop/data", cwd=tmp_path)


def test_a_workspace_begins_here_and_again_writes_nothing(tmp_path):
    assert "16 files written" in done("init", cwd=tmp_path)
    before = {path: path.read_bytes() for path in files(tmp_path)}
    assert "0 files written" in done("init", cwd=tmp_path)
    assert done("init", "--quiet", cwd=tmp_path) == ""
    assert {path: path.read_bytes() for path in files(tmp_path)} == before


def test_another_template_adds_its_experiment(tmp_path):
    done("init", "--template", "winback", cwd=tmp_path)
    assert "1 file written" in done("init", "--template", "churn", cwd=tmp_path)
    assert done("check", "experiments", "configs", cwd=tmp_path) == "No faults found.\n"


def test_no_file_is_written_over_and_all_of_them_are_named(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n")
    (tmp_path / "configs" / "metrics.yaml").mkdir(parents=True)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "first.yaml").symlink_to("/nowhere")
    found = upliftlab("init", cwd=tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith(
        ".: UL690 .gitignore, configs/metrics.yaml, experiments/first.yaml would be written over;"
    )
    assert files(tmp_path) == {tmp_path / ".gitignore"}
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_link_is_not_followed_out_of_the_workspace(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shop" / "experiments").symlink_to(tmp_path / "elsewhere")
    found = upliftlab("init", "shop", cwd=tmp_path)
    assert (found.returncode, "UL463" in found.stderr) == (1, True), found.stderr
    assert not files(tmp_path / "elsewhere")


def test_editors_find_the_schema_of_every_file(tmp_path):
    done("init", "--template", "winback", cwd=tmp_path)
    settings = json.loads((tmp_path / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    patterns = {
        pattern.replace("/**/", "/"): tmp_path / schema
        for schema, patterns in settings["yaml.schemas"].items()
        for pattern in patterns
    }
    assert len(set(patterns.values())) == 7
    seen = set()
    for file in tmp_path.glob("[ec]*/*.yaml"):
        place = file.relative_to(tmp_path).as_posix()
        [schema] = [path for pattern, path in patterns.items() if fnmatch(place, pattern)]
        content = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
        jsonschema.validate(content, json.loads(schema.read_text(encoding="utf-8")))
        seen.add(schema.name.partition(".")[0])
    assert seen == {"experiment", "sources", "metrics", "channels", "segments", "program"}


def test_ci_installs_this_version_and_checks(tmp_path):
    done("init", cwd=tmp_path)
    workflow = (tmp_path / ".github" / "workflows" / "upliftlab.yml").read_text(encoding="utf-8")
    steps = [step.get("run") for step in yaml.safe_load(workflow)["jobs"]["check"]["steps"]]
    assert f"pip install upliftlab=={__version__}" in steps
    [command] = [step for step in steps if step and step.startswith("upliftlab ")]
    done(*command.split()[1:], cwd=tmp_path)
    hooks = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    done(*hooks["repos"][0]["hooks"][0]["entry"].split()[1:], cwd=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("start: 2026-03-02", "start: 2026-03-01", "go from 2026-03-02 to 2026-05-01"),
        ("start: 2026-03-02", "start: 2026-04-04", "let waves start from 2026-03-02 to 2026-04-03"),
        ("channel: email", "channel: push", "and not arm 'email'"),
        ("waves: [{start: 2026-03-02, share: 100%}]", "", "it has no wave"),
        ("method: hash, salt: first-2026", "observed: arm", "read from a column"),
        (
            "customers: customers  ",
            "customers: {file: a.csv, id: customer_id}  ",
            "not customers.parq",
        ),
    ],
)
def test_what_the_retailer_cannot_play_is_refused_with_the_reason(tmp_path, old, new, why):
    done("init", cwd=tmp_path)
    file = tmp_path / "experiments" / "first.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = upliftlab("simulate", file, cwd=tmp_path)
    assert (found.returncode, "UL296 cannot be played: " in found.stderr) == (1, True), found.stderr
    assert why in found.stderr
    assert not list((tmp_path / "data").glob("*.parquet"))


def test_tables_that_are_there_stay(tmp_path):
    done("init", cwd=tmp_path)
    mine = tmp_path / "data" / "customers.parquet"
    mine.write_bytes(b"mine")
    found = upliftlab("simulate", "experiments/first.yaml", cwd=tmp_path)
    assert (found.returncode, found.stderr[:5]) == (1, "UL291")
    assert mine.read_bytes() == b"mine"
    mine.unlink()
    said = done("simulate", "experiments/first.yaml", "--customers", 1000, cwd=tmp_path)
    assert done("simulate", "experiments/first.yaml", "--customers", 1000, cwd=tmp_path) == said
    other = upliftlab("simulate", "experiments/first.yaml", "--customers", 2000, cwd=tmp_path)
    assert (other.returncode, other.stderr[:5]) == (1, "UL291")
    out = upliftlab("simulate", "experiments/first.yaml", "--out", "x", cwd=tmp_path)
    assert (out.returncode, Path(tmp_path / "x").exists()) == (2, False)
