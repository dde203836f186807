"""The verb `validate`: experiments with a known truth, drawn many times, analysed and counted.

It orchestrates and computes nothing: cells say what is true, the pool tries them, the evidence says
how often the intervals were right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from upliftlab import __version__
from upliftlab.results.validation import SimulationResult
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.counts import ReplicationCounts
from upliftlab.validation.evidence import evidence_of
from upliftlab.validation.pool import blocks, run

Progress = Callable[[int, int], None]
"""Told how many trials of how many are done."""


@dataclass(frozen=True, slots=True)
class StudySettings:
    """How a proof is run.

    Attributes:
        replications: Trials of each cell.
        seed: Of all chance.
        processes: Trials at once.
        progress: Told of trials done.
    """

    replications: int = 2_000
    seed: int = 1
    processes: int = 1
    progress: Progress = field(default=lambda _done, _all: None)


def validate(
    cells: Sequence[NamedScenario],
    setting: StudySettings,
    experiment: str | None = None,
    notes: tuple[str, ...] = (),
) -> SimulationResult:
    """Try every cell.

    Args:
        cells: What is true.
        setting: How often, from which seed, on how many processes.
        experiment: Whose shape the cells have; None for the grid.
        notes: What to know of the cells.
    """
    found: dict[str, ReplicationCounts] = {}
    todo = list(blocks(cells, setting.replications, setting.seed))
    every, done = setting.replications * len(cells), 0
    for block, counted in run(todo, setting.processes):
        title = block.cell.title
        found[title] = found[title] + counted if title in found else counted
        done += block.trials
        setting.progress(done, every)
    evidence = tuple(evidence_of(cell, found[cell.title]) for cell in cells)
    return SimulationResult(
        version=__version__,
        experiment=experiment,
        seed=setting.seed,
        replications=setting.replications,
        cells=evidence,
        holds=all(cell.holds for cell in evidence),
        notes=notes,
    )
