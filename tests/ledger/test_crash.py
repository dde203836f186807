"""A kill at any moment leaves the old state or the whole new one, and rerunning completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("crash_worker.py")
KILLS = 60
OLD, NEW = 0, 1
KILLED = -9


def results(mode: str, folder: Path, *numbers: int) -> list[dict[str, int]]:
    command = [sys.executable, "-W", "error", str(WORKER), mode, str(folder), *map(str, numbers)]
    sources = str(Path(__file__).parents[2] / "src")
    environment = os.environ | {"PYTHONPATH": sources}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_random_moments(tmp_path: Path) -> None:
    found = results("random", tmp_path, KILLS, 2026)
    assert sum(each["status"] == KILLED for each in found) == KILLS
    assert {each["left"] for each in found} <= {OLD, NEW}
    assert {each["rerun"] for each in found} == {NEW}
    assert {each["strays"] for each in found} == {0}


def test_killed_before_each_step_that_touches_the_disk(tmp_path: Path) -> None:
    found = results("steps", tmp_path)
    killed = [each for each in found if each["status"] == KILLED]
    assert len(killed) > 50
    assert {each["left"] for each in killed} == {OLD, NEW}  # the rename, then its sync
    assert {each["rerun"] for each in found} == {NEW}
    assert {each["strays"] for each in found} == {0}


def test_a_disk_that_fills_up_is_named_and_changes_nothing(tmp_path: Path) -> None:
    found = results("full", tmp_path)
    assert {each["status"] for each in found} == {0, 1}
    assert all(each["left"] == (OLD if each["status"] else NEW) for each in found)
    assert {each["rerun"] for each in found} == {NEW}
