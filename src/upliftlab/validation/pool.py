"""The pool: trials spread over processes, in blocks whose chance depends on nothing but names."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import numpy as np

from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.counts import ReplicationCounts, tally

BLOCK: Final = 25
"""Trials between two signs of life."""
_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Block:
    """Some trials of one cell.

    Attributes:
        cell: What is tried.
        number: Which block of the cell this is.
        trials: How many.
        seed: The whole proof's.
    """

    cell: NamedScenario
    number: int
    trials: int
    seed: int

    def run(self) -> ReplicationCounts:
        """Draw, analyse and count; the same wherever and whenever it is run."""
        digest = hashlib.sha256(self.cell.title.encode()).digest()
        rng = np.random.default_rng([self.seed, self.number, *digest])
        scenario, trial = self.cell.scenario, self.cell.trial
        return tally((trial(rng, scenario) for _ in range(self.trials)), 1 - scenario.confidence)


def blocks(cells: Sequence[NamedScenario], replications: int, seed: int) -> Iterator[Block]:
    """All blocks of all cells."""
    for cell in cells:
        for number, start in enumerate(range(0, replications, BLOCK)):
            yield Block(cell, number, min(BLOCK, replications - start), seed)


def run(todo: Sequence[Block], processes: int) -> Iterator[tuple[Block, ReplicationCounts]]:
    """Run blocks, in whatever order they are done.

    When the caller stops (Ctrl-C), blocks that have not begun are dropped.

    Args:
        todo: What is to be done.
        processes: How many at once; with one, in this process.
    """
    if processes == 1:
        yield from ((block, block.run()) for block in todo)
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_leave_stopping_to_the_caller
        )
        running = {pool.submit(Block.run, block): block for block in todo}
    try:
        yield from _done(running)
    finally:
        pool.shutdown(cancel_futures=True)


def _done(
    running: dict[Future[ReplicationCounts], Block],
) -> Iterator[tuple[Block, ReplicationCounts]]:
    for future in as_completed(running):
        yield running[future], future.result()


def _leave_stopping_to_the_caller() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread_each() -> Generator[None]:
    """Processes that start meanwhile use one thread each for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
