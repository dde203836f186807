"""Kills assignments with SIGKILL and reports, as JSON, what each left in the ledger.

A process of its own: it has everything imported, has never opened DuckDB, and forks a child for
each step, so that a kill lands inside the assignment and not in Python's start-up.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from ledgers import NOW, files, make_plan, writer_of

from upliftlab.config.models import EngineSettings
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.ledger import Ledger, campaign

PLAN = make_plan()
CUSTOMERS = 4000
ENGINE = EngineSettings(threads=2)


def fork(work: Callable[[], int]) -> int:
    """Start a child; its exit status is what `work` returns."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        status = work()
    finally:
        os._exit(status)


def outcome(child: int) -> int:
    """The child's exit status, negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def customers(root: Path) -> int:
    """The customers' table before and after some joined."""
    for number in (1, 2):
        sql = f"SELECT range AS customer_id FROM range({number * CUSTOMERS})"
        writer_of(sql)(root / f"customers-{number}.parquet")
    return 0


def prepare(ledger: Ledger, state: str) -> int:
    """Bring a ledger into the state before."""
    if state == "locked":
        campaign.lock(ledger, PLAN, NOW)
    if state == "assigned":
        assign(ledger, "empty")
    return 0


def assign(ledger: Ledger, state: str) -> int:
    """The verb itself; the ledger's folder lies beside the tables."""
    table = ledger.folder.parent / f"customers-{target(state)}.parquet"
    with DuckDB(lambda _: table, ENGINE) as engine:
        campaign.assign(ledger, PLAN, engine, NOW)
    return 0


def target(state: str) -> int:
    return 2 if state == "assigned" else 1


def examine(ledger: Ledger, state: str, before: dict[str, bytes]) -> int:
    """0 the old state, 1 the whole new one, 2 anything else."""
    after = files(ledger.folder)
    if after == before:
        return 0
    generations = ledger.generations("spring")
    whole = (
        not ledger.verify("spring")
        and len(generations) == target(state)
        and all(each.manifest.reconciles for each in generations)
        and before.items() <= after.items()
    )
    return 1 if whole else 2


def bases(root: Path) -> dict[str, Path]:
    """A ledger of each state, made once and copied for each round."""
    found: dict[str, Path] = {}
    assert outcome(fork(lambda: customers(root))) == 0
    for state in ("empty", "locked", "assigned"):
        found[state] = root / state
        found[state].mkdir()
        ledger = Ledger(found[state])
        assert outcome(fork(lambda ledger=ledger, state=state: prepare(ledger, state))) == 0
    return found


def trial(base: Path, state: str, attempt: Callable[[Ledger], int]) -> dict[str, int]:
    """Let an attempt die, look at what it left, and run it again."""
    folder = base.parent / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder)
    ledger, before = Ledger(folder), files(folder)
    status = attempt(ledger)
    seen = outcome(fork(lambda: 10 * examine(ledger, state, before) + again(ledger, state, before)))
    strays = len(list((folder / ".aside").iterdir()))
    return {"status": status, "left": seen // 10, "rerun": seen % 10, "strays": strays}


def again(ledger: Ledger, state: str, before: dict[str, bytes]) -> int:
    assign(ledger, state)
    return examine(ledger, state, before)


def at_random(root: Path, kills: int, seed: int) -> list[dict[str, int]]:
    """Kill at a time drawn from the whole of the run, until so many kills hit.

    How long a run takes depends on what else the machine does, so the range follows what is seen:
    an attempt that survived makes it shorter, one that was killed a little longer.
    """
    found, draw, results = bases(root), random.Random(seed), []
    longest = dict.fromkeys(found, 0.3)
    hits = 0
    while hits < kills and len(results) < 3 * kills:
        state = list(found)[len(results) % 3]
        delay = draw.uniform(0, longest[state])

        def attempt(ledger: Ledger, state: str = state, delay: float = delay) -> int:
            child = fork(lambda: assign(ledger, state))
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
            return outcome(child)

        results.append(trial(found[state], state, attempt))
        killed = results[-1]["status"] == -signal.SIGKILL
        hits += killed
        longest[state] = longest[state] * 1.1 if killed else min(longest[state], 1.1 * delay)
    return results


def at_every_step(root: Path) -> list[dict[str, int]]:
    """Kill just before each call that touches the disk, until one attempt survives them all."""
    results = []
    for state, base in bases(root).items():
        status = -signal.SIGKILL
        step = 0
        while status == -signal.SIGKILL:
            step += 1

            def attempt(ledger: Ledger, state: str = state, step: int = step) -> int:
                return outcome(fork(lambda: doomed(ledger, state, step)))

            results.append(trial(base, state, attempt))
            status = results[-1]["status"]
    return results


def doomed(ledger: Ledger, state: str, step: int) -> int:
    steps = itertools.count(1)

    def watched(call: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **options: object) -> object:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return run

    for name in ("fsync", "replace", "rename", "mkdir"):
        setattr(os, name, watched(getattr(os, name)))
    return assign(ledger, state)


def on_a_full_disk(root: Path) -> list[dict[str, int]]:
    """Let the system refuse every write beyond a file size, DuckDB's own included."""
    results = []
    for state, base in bases(root).items():
        for limit in (512, 4096, 20_000, 60_000):

            def attempt(ledger: Ledger, state: str = state, limit: int = limit) -> int:
                return outcome(fork(lambda: cramped(ledger, state, limit)))

            results.append(trial(base, state, attempt))
    return results


def cramped(ledger: Ledger, state: str, limit: int) -> int:
    """0 where it fits, 1 where it is refused."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        assign(ledger, state)
    except UpliftLabError:
        return 1
    return 0


def main() -> None:
    mode, folder, *numbers = sys.argv[1:]
    root = Path(folder)
    if mode == "random":  # how many kills, seed
        results = at_random(root, int(numbers[0]), int(numbers[1]))
    else:
        results = at_every_step(root) if mode == "steps" else on_a_full_disk(root)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
