"""The command line in a process of its own.

Each command is forked from a process that has imported the package, as importing it anew takes
longer than most commands do. Of what Python reads at its start, PYTHONPATH is heeded; tests of
other things, of what is imported, and of being interrupted meanwhile start Python themselves.
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
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 120
"""Seconds that a command may take."""


def upliftlab(
    *arguments: object, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with variables added to the environment."""
    with tempfile.TemporaryDirectory() as name:
        told = Path(name, "out"), Path(name, "errors")
        process = started(*arguments, cwd=cwd, told=told, **environment)
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, LONGEST)
        texts = [path.read_text(encoding="utf-8") for path in told]
        return subprocess.CompletedProcess(arguments, process.exitcode, *texts)


def started(
    *arguments: object, cwd: Path, told: tuple[Path, Path], **environment: str
) -> BaseProcess:
    """Start a command that writes what it says, and its errors, into two files."""
    there = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment}
    asked = ([*map(str, arguments)], str(cwd), there, (str(told[0]), str(told[1])))
    process = _forks().Process(target=_run, args=asked)
    process.start()
    return process


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
    there = environment["PYTHONPATH"].split(os.pathsep)
    sys.path[:0] = [path for path in there if path not in sys.path]
    sys.argv = ["upliftlab", *arguments]
    try:
        runpy.run_module("upliftlab", run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # noqa: SLF001 - a forked process leaves without them
