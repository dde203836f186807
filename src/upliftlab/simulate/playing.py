"""An experiment of a workspace, played on simulated customers: what a template is tried with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from upliftlab.config import Loaded, load
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import DataError, Diagnostic, Place
from upliftlab.results.costs import CostStep
from upliftlab.simulate.calendar import AFTER, FIRST
from upliftlab.simulate.responses import ARMS, CONTROL, Treatment
from upliftlab.simulate.world import assigned, draw_world, parquet, play, require_possible
from upliftlab.util.files import atomic_write

_FILE: Final = "customers.parquet"
_BY_CHANNEL: Final = {arm.channel: arm for arm in ARMS}
_LAST: Final = FIRST + timedelta(days=AFTER)


def play_experiment(experiment: Path, *, seed: int = 7, customers: int = 40_000) -> Path:
    """Write the data of an experiment: simulated customers, and what they do in its arms.

    What an arm does follows from its channel; vouchers are redeemed where it pays for them.

    Args:
        experiment: Its file.
        seed: Chooses the draw.
        customers: How many customers to draw.

    Returns:
        The folder of the tables: the data of the experiment's workspace.

    Raises:
        ConfigError: The experiment cannot be read.
        DataError: UL290 too few customers, UL291 another table would be written over, UL296 the
            retailer cannot play the experiment.
        OutputError: A file cannot be written.
    """
    require_possible(seed, customers)
    loaded = load(experiment)
    if wrong := next(_impossible(loaded), None):
        place = Place(str(experiment))
        raise DataError(Diagnostic("UL296", f"cannot be played: {wrong[0]}", wrong[1], place))
    random = np.random.Generator(np.random.PCG64(seed))
    world, folder = draw_world(random, customers), loaded.workspace.data
    _write({folder / _FILE: parquet(world.customers)})
    campaign = assigned(loaded, _kinds(loaded.plan))
    events = play(random, world, campaign, loaded.plan.experiment.experiment)
    _write({folder / f"{name}.parquet": parquet(table) for name, table in events.items()})
    return folder


def _impossible(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Why the retailer cannot play an experiment, and the way on."""
    plan, asked = loaded.plan, loaded.plan.experiment
    if asked.assignment.observed is not None:
        yield "its arms are read from a column", "write 'assignment: {method: hash, salt: NAME}'"
    if not asked.waves:
        yield "it has no wave", f"write 'waves: [{{start: {FIRST}, share: 100%}}]'"
    window = plan.longest_window or timedelta(0)
    if any(not FIRST <= wave.start <= _LAST - window for wave in asked.waves):
        message = f"the shop's records of outcomes go from {FIRST} to {_LAST}"
        yield message, f"let waves start from {FIRST} to {_LAST - window}"
    for name in plan.treatments:
        if plan.arms[name].channel not in _BY_CHANNEL:
            yield f"the shop contacts by e-mail and SMS, and not arm '{name}'", "write 'email'"
    if plan.customers.file != _FILE or loaded.workspace.data == loaded.workspace.root:
        yield (
            f"the customers are not {_FILE} in a folder data/",
            "make the folder, and say so in configs/sources.yaml",
        )


def _kinds(plan: Plan) -> tuple[Treatment, ...]:
    """What each arm does, the control's first."""
    found = [replace(ARMS[CONTROL], name=plan.control)]
    for name in plan.treatments:
        kind = _BY_CHANNEL[plan.arms[name].channel]
        redeems = kind.redeems if plan.pays(CostStep.incentive, name) else 0.0
        found.append(replace(kind, name=name, redeems=redeems))
    return tuple(found)


def _write(files: Mapping[Path, bytes]) -> None:
    """Write tables; one of another content stays, and nothing is written."""
    for path, content in files.items():
        if path.exists() and path.read_bytes() != content:
            message = f"{path} is there already, and would be written over"
            raise DataError(Diagnostic("UL291", message, "remove it, or move it elsewhere"))
    for path, content in files.items():
        atomic_write(path, content)
