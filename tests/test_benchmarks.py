"""Benchmarks run: a small version of each, so that they do not rot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("program", "rows", "contenders"),
    [
        ("moments.py", 20_000, ["scan", "upliftlab", "statistics", "pandas"]),
        ("frames.py", 5_000, ["upliftlab polars number", "upliftlab pandas text"]),
        ("units.py", 5_000, ["group_by", "units", "whole"]),
        ("learners.py", 5_000, ["upliftlab", "crossfit"]),
        ("assignment.py", 50_000, ["constant", "arm", "record", "hash_strata", "blocked"]),
        ("reading.py", 5_000, ["typed", "upliftlab"]),
        ("uplift.py", 5_000, ["argsort", "cost_curve", "bands"]),
        ("segments.py", 5_000, ["upliftlab"]),
    ],
)
def test_a_small_version_runs(tmp_path, program, rows, contenders):
    asked = ("--rows", str(rows), "--rounds", "1", "--folder", str(tmp_path))
    told = run(program, *asked, "--only", *contenders)
    assert "failed" not in told
    assert all(contender in told for contender in contenders)


def test_findings_and_permutations_are_timed():
    told = run("findings.py", "--rows", "500", "--rounds", "1")
    assert [line.rpartition("  ")[0].split("  ")[0] for line in told.splitlines()[1:]] == [
        "findings",
        "permutation 50/50",
        "permutation 95/5",
    ]


def test_a_list_is_written_and_its_memory_told(tmp_path):
    assert '"megabytes"' in run("scoring.py", "--rows", "3000", "--folder", str(tmp_path))


def test_checks_are_timed_beside_bare_imports():
    told = run("checking.py", "--files", "15", "--rounds", "1").splitlines()
    assert [line.split()[0] for line in told] == ["15", "imports", "one", "all"]


def test_promises_of_targeting_are_counted():
    told = run(
        "targeting.py",
        "--replications",
        "2",
        "--rows",
        "1000",
        "--oracle",
        "5000",
        "--lists",
        "2",
        "--list-rows",
        "2000",
        "--learners",
        "x_learner",
        "--base",
        "linear",
    )
    lists = told.count("foretold / true")
    assert lists >= 2
    assert told.count("holds the truth") == 12 + lists
    assert told.count("of the oracle's gain over random contact") == 2


def test_two_source_trees_are_compared(tmp_path):
    asked = ("--before", str(ROOT), "--rows", "2000", "--rounds", "1", "--folder", str(tmp_path))
    assert run("security.py", *asked).count("ratio") == 2


def run(program, *arguments):
    """What a benchmark prints; it must end well."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_worked_examples_are_held_against_their_truth():
    asked = ("--worlds", "decline", "churn", "--seeds", "2", "--customers", "5000", "--no-learn")
    told = run("worked.py", *asked).splitlines()
    arms = [line.split() for line in told if "incremental_profit, arms" in line]
    assert [(line[0], line[3], line[4]) for line in arms] == [
        ("decline", "4", "0"),
        ("churn", "2", "0"),
    ]
