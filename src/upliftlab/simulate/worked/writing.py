"""A worked example as a workspace: configs/, its experiment, data/ and truth.json."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from upliftlab.config import load
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import DataError, Diagnostic
from upliftlab.simulate.worked.drawing import draw
from upliftlab.simulate.worked.example import Tables, WorkedExample
from upliftlab.simulate.worked.truth import KnownModel, Record, effects, rounded
from upliftlab.simulate.world import Simulated, parquet, refuse_changed, require_possible
from upliftlab.util.files import atomic_write
from upliftlab.util.resources import shipped

_ABOUT: Final = (
    "Expected values of the generating model over infinitely many customers like those drawn; "
    "totals are times the treated customers who were drawn. 'control' is what the arm is compared "
    "with; dimension and level are null for the whole campaign, and of a contact channel the arms "
    "that use it are taken together. What an arm costs at once is shared out over its customers."
)


def draw_example(
    example: WorkedExample, plan: Plan, *, seed: int, customers: int
) -> tuple[Tables, Record]:
    """The tables of a worked example and its truth, written nowhere.

    Args:
        example: Which one.
        plan: Its experiment, which says what things cost.
        seed: Chooses the draw. The same seed gives the same tables.
        customers: How many to draw.

    Raises:
        DataError: UL290, fewer than 1,000 customers, or a negative seed.
    """
    require_possible(seed, customers)
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = draw(random, example.clientele, example.behaviours, customers)
    known = KnownModel(plan, example.clientele, example.by_arm, drawn.kinds, drawn.arms)
    head = {"schema": 1, "experiment": example.experiment, "world": example.name, "seed": seed}
    head |= {"customers": customers, "question": example.question, "about": _ABOUT}
    truth = head | {"answers": example.answers(known), "effects": effects(known)}
    return example.drawn_tables(random, drawn), rounded(truth)


def write_example(
    folder: Path,
    example: WorkedExample,
    *,
    seed: int = 7,
    customers: int | None = None,
    root: Path | None = None,
) -> Simulated:
    """Write a worked example.

    Args:
        folder: Where the files go; made if it is missing.
        example: Which one.
        seed: Chooses the draw.
        customers: How many to draw; the example's own number where absent.
        root: The folder that the user named, below which no link is followed; `folder` itself
            where it is absent.

    Raises:
        DataError: UL290, fewer than 1,000 customers, or a negative seed; UL291, a file that would
            be written over was changed, or is of something else.
        OutputError: A file cannot be written.
    """
    root, many = folder if root is None else root, customers or example.customers
    require_possible(seed, many)
    made = Simulated(folder / "experiments" / example.file, folder / "data", folder / "truth.json")
    files = {place: file.read_bytes() for place, file in _shipped(folder, example)}
    refuse_changed(dict(_shipped(folder, example)))
    _refuse_others(made, example)
    for target, content in files.items():
        atomic_write(target, content, root)
    tables, truth = draw_example(example, load(made.experiment).plan, seed=seed, customers=many)
    atomic_write(made.truth, (json.dumps(truth, indent=2) + "\n").encode(), root)
    for name, table in tables.items():
        place, content = _file(made.data, name, table)
        atomic_write(place, content, root)
    return made


def _shipped(folder: Path, example: WorkedExample) -> Iterator[tuple[Path, Path]]:
    """The files that are copied: where to, and from where."""
    for file in sorted(shipped("configs").glob("*.yaml")):
        own = shipped("starters") / "shop" / "configs" / file.name
        yield folder / "configs" / file.name, own if own.is_file() else file
    yield folder / "experiments" / example.file, shipped("experiments") / example.file


def _refuse_others(made: Simulated, example: WorkedExample) -> None:
    """Refuse to write over tables that are not of this example."""
    if not made.data.is_dir() or not any(made.data.iterdir()):
        return
    try:
        ours = json.loads(made.truth.read_bytes())["world"] == example.name
    except (OSError, ValueError, TypeError, KeyError):
        ours = False
    if not ours:
        message = f"{made.data} holds tables of something else, which would be written over"
        raise DataError(Diagnostic("UL291", message, "choose another folder by --out"))


def _file(folder: Path, name: str, table: pd.DataFrame) -> tuple[Path, bytes]:
    """A table as a file: what media report is CSV, what the shop keeps is Parquet."""
    if name == "media":
        text = io.StringIO()
        table.to_csv(text, index=False, lineterminator="\n")
        return folder / f"{name}.csv", text.getvalue().encode()
    return folder / f"{name}.parquet", parquet(table)
