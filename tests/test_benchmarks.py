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
        ("units.py", 5_000, ["group_by", "units", "whole"]),
        ("learners.py", 5_000, ["upliftlab", "crossfit"]),
        ("assignment.py", 50_000, ["constant", "arm", "record", "hash_strata", "blocked"]),
        ("uplift.py", 5_000, ["argsort", "cost_curve", "bands"]),
    ],
)
def test_a_small_version_runs(tmp_path, program, rows, contenders):
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "benchmarks" / program),
            *("--rows", str(rows), "--rounds", "1", "--folder", tmp_path),
            *("--only", *contenders),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert all(contender in done.stdout for contender in contenders)


def test_findings_and_permutations_are_timed():
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "findings.py", "--rows", "500", "--rounds", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.rpartition("  ")[0].split("  ")[0] for line in done.stdout.splitlines()[1:]] == [
        "findings",
        "permutation 50/50",
        "permutation 95/5",
    ]


def test_a_list_is_written_and_its_memory_told(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "benchmarks" / "scoring.py",
            "--rows",
            "3000",
            "--folder",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"megabytes"' in done.stdout
