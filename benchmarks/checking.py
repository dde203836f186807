"""How long does `upliftlab check` take, for one file and for hundreds, beside its bare imports?

Each contender is a process of its own, with compiled bytecode; contenders take turns, and medians
over the rounds are printed. `benchmarks/README.md` says what is compared.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = "click, pydantic, sqlglot, yaml"
FAULTS = 1
"""The exit code of a check that found faults, as the copies draw the same people."""


class Took(NamedTuple):
    """What one process took."""

    seconds: float
    cpu: float


def workspace(folder: Path, files: int) -> Path:
    """A workspace of so many files: the shipped `configs/`, and the shipped experiments renamed.

    Returns the first experiment.
    """
    shutil.copytree(ROOT / "configs", folder / "configs")
    shipped = sorted((ROOT / "experiments").glob("*.yaml"))
    (folder / "experiments").mkdir()
    for number in range(files - len([*(folder / "configs").glob("*.yaml")])):
        file = shipped[number % len(shipped)]
        text = re.sub("(?m)^(experiment: .*)$", rf"\1-{number}", file.read_text())
        text = re.sub("(?m)^(  salt: .*)$", rf"\1-{number}", text)
        (folder / "experiments" / f"{file.stem}-{number}.yaml").write_text(text)
    return next((folder / "experiments").glob("spring_winback-*"))


def run(arguments: list[str], folder: Path) -> Took:
    """What a process took, which must end as a check does."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, FAULTS) or "Traceback" in done.stderr:
        raise SystemExit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds, cpu)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = workspace(folder, asked.files).relative_to(folder)
        check = ["-m", "upliftlab", "check"]
        contenders = {
            "imports": ["-c", f"import {LIBRARIES}"],
            "one": [*check, str(one)],
            "all": check,
        }
        for arguments in contenders.values():  # compiles, and warms the files
            run(arguments, folder)
        taken: dict[str, list[Took]] = {each: [] for each in contenders}
        for _ in range(asked.rounds):
            for each, arguments in contenders.items():
                taken[each].append(run(arguments, folder))
    print(f"{asked.files} files, medians of {asked.rounds}")
    for each, runs in taken.items():
        pairs = list(zip(runs, taken["imports"], strict=True))
        print(
            f"{each:9}{statistics.median(it.seconds for it in runs):7.3f} s"
            f"{statistics.median(it.seconds / floor.seconds for it, floor in pairs):6.2f} x"
            f"{statistics.median(it.cpu for it in runs):7.3f} CPU s"
            f"{statistics.median(it.cpu / floor.cpu for it, floor in pairs):6.2f} x"
        )


if __name__ == "__main__":
    main()
