"""The command line in a process of its own.

Each command is forked from a process that has imported the package, as importing it anew takes
longer than most commands do. Where what Python reads at its start is other than usual, Python is
started; tests of what is imported, and of being interrupted meanwhile, start it themselves.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 120
"""Seconds that a command may take."""


def upliftlab(
    *arguments: object, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with variables added to the environment."""
    command = [sys.executable, "-m", "upliftlab", *map(str, arguments)]
    there = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment}
    if any(name.startswith("PYTHON") for name in environment):  # is read while Python starts
        return subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
            env=there,
        )
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        process = _forks().Process(
            target=_run, args=(command[3:], str(cwd), there, (str(out), str(errors)))
        )
        process.start()
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(command, LONGEST)
        told = [path.read_text("utf-8", errors="strict") for path in (out, errors)]
        return subprocess.CompletedProcess(command, process.exitcode, *told)


def _forks() -> multiprocessing.context.ForkServerContext:
    """What forks commands, from a process that is started once and has imported the package."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["imported"])
    with pytest.MonkeyPatch.context() as patch:  # it is told where to look in no other way
        patch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{Path(__file__).parent}")
        forkserver.ensure_running()
    return context


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], told: tuple[str, str]
) -> None:
    """Be the command, in the process that was forked for it."""
    for number, path in enumerate(told, 1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["upliftlab", *arguments]
    try:
        runpy.run_module("upliftlab", run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # noqa: SLF001 - a forked process leaves without them
