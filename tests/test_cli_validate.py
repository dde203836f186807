"""`upliftlab validate` as a user and as a program meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from commands import upliftlab

YAML = """\
schema: 1
experiment: small
customers: {file: customers.csv, id: id}
arms:
  none: {share: 20%, control: true}
  mail: {share: 80%, channel: email, cost_per_contact: 0.10}
outcome_window: 28 days
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 40%}
"""
ONE = ("--cells", "50/50 binary customers fixed none", "--replications", "50", "--processes", "1")


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "small.yaml").write_text(YAML)
    observed = YAML.replace("arms:", "assignment: {observed: arm}\narms:")
    (tmp_path / "winter.yaml").write_text(
        observed.replace("small", "winter").replace("customers.csv", "winter.csv")
    )
    arms = ["none"] * 80 + ["mail"] * 320
    rows = "\n".join(f"{i},{arm},{(i % 9 == 0) * (i % 7 + 1)}" for i, arm in enumerate(arms))
    (tmp_path / "winter.csv").write_text(f"id,arm,spend\n{rows}\n")
    assert upliftlab("analyze", "winter.yaml", "--out", "w", cwd=tmp_path).returncode == 0
    return tmp_path


def test_a_table_is_markdown_and_says_how_exact_it_is(tmp_path):
    done = upliftlab("validate", *ONE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("| split | outcome | unit ")
    assert set(lines[1]) == {"|", "-"}
    assert lines[2].startswith("| 50/50 | binary  | customers | fixed | none ")
    assert "50 experiments a cell, seed 1: Monte Carlo standard error 3.1 points." in lines
    assert lines[-1] == "1 of 1 cells are as promised."


def test_json_is_all_that_was_measured(tmp_path):
    done = upliftlab("validate", *ONE, "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["schema"], found["holds"]) == (0, "", 1, True)
    [cell] = found["cells"]
    assert [(m["method"], m["measure"]) for m in cell["measured"]] == [
        (method, measure)
        for method in ("product", "welch")
        for measure in ("difference", "profit", "roi")
    ]
    again = upliftlab("validate", *ONE, "--json", cwd=tmp_path)
    assert again.stdout == done.stdout


def test_a_study_is_chosen_by_its_name_and_says_what_is_withheld(tmp_path):
    asked = ("--study", "ratios", "--cells", "even 1", "--replications", "10", "--processes", "1")
    done = upliftlab("validate", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split("|")[1:6] == [
        " study  ", " outcome ", " orders ", " difference ", " lift "
    ]  # fmt: skip
    told = next(line for line in lines if line.startswith("· ratios even 1, difference: "))
    assert "% nothing to divide by in one of the groups" in told


def test_an_experiment_is_proved_by_its_own_shape(desk):
    done = upliftlab(
        *("validate", "small.yaml", "--like", "w/analysis.json", "--customers", "5000"),
        *("--replications", "40", "--processes", "1", "--json"),
        cwd=desk,
    )
    found = json.loads(done.stdout)
    assert found["experiment"] == "small"
    assert [cell["name"] for cell in found["cells"]] == [
        {"metric": "spend", "arm": "mail", "effect": effect} for effect in ("none", "+10%", "+50%")
    ]
    assert {(cell["treated"], cell["control"]) for cell in found["cells"]} == {(4_000, 1_000)}
    assert len(found["cells"][0]["measured"]) == 6
    assert "'spend': " in found["notes"][0]


def test_what_the_experiment_declares_of_its_baseline_is_taken_as_plan_takes_it(desk):
    declared = "planning: {baseline: {mean: 2, sd: 4}, customers: 5000}\n"
    (desk / "small.yaml").write_text(YAML + declared)
    asked = ("validate", "small.yaml", "--replications", "20", "--processes", "1", "--json")
    found = json.loads(upliftlab(*asked, cwd=desk).stdout)
    assert {(cell["treated"], cell["control"]) for cell in found["cells"]} == {(4_000, 1_000)}
    assert "'spend': normal, mean 2, standard deviation 4." in found["notes"]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("--cells", "50/51"), 2, "no cell has '50/51'; there are: +10%"),
        (("--cells", "lognormal binary"), 2, "no cell is all of 'lognormal binary'"),
        (("--study", "other"), 2, "no study 'other'; there are: main, adjusted, levels"),
        (("small.yaml", "--study", "main"), 2, "--study is of the grid"),
        (("--customers", "10"), 2, "--customers needs an EXPERIMENT"),
        (("small.yaml",), 1, "UL321 'spend' is a column of the customers' table"),
        (("small.yaml", "--like", "w/analysis.json", "--customers", "5"), 1, "UL322 5 customers"),
        (("small.yaml", "--like", "small.yaml", "--customers", "5"), 1, "UL602"),
    ],
)
def test_faults_and_wrong_usage(desk, arguments, code, expected):
    (desk / "customers.csv").write_text("id,spend\n1,0\n2,5\n")
    done = upliftlab("validate", *arguments, cwd=desk)
    assert done.returncode == code
    assert expected in done.stderr


def test_stopping_leaves_no_trace_and_no_process(tmp_path):
    started = subprocess.Popen(
        [
            *(sys.executable, "-m", "upliftlab", "validate", "--processes", "2", "--json"),
            *("--cells", "50/50 binary customers"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (130, "")
    assert err.strip() == "Stopped."
