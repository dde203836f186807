"""The suite: every case, run against one engine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from upliftlab.config.models import Source
from upliftlab.conformance.behaviour import BEHAVIOUR
from upliftlab.conformance.bench import (
    Bench,
    Case,
    CaseResult,
    Opener,
    Publish,
    reads_files,
    tables,
    write_table,
)
from upliftlab.conformance.questions import QUESTIONS
from upliftlab.engines.base import Engine
from upliftlab.errors import UpliftLabError
from upliftlab.util.extensions import blaming

CASES: Final[tuple[Case, ...]] = (*BEHAVIOUR, *QUESTIONS)
"""Every case, in the order in which they are run."""
_NO_TABLES: Final = "it reads no files, and a check makes no tables on a server"


def conform(
    opener: Opener, folder: Path, publish: Publish | None = None, cases: Sequence[Case] = CASES
) -> tuple[CaseResult, ...]:
    """How an engine does, case by case.

    Args:
        opener: Opens it; it finds files below `folder` and may write there.
        folder: An empty folder that may be filled.
        publish: Makes a table that a source can name; without it files are written for engines
            that read files, and for others the cases that need a table are left out.
        cases: What is tried.

    Raises:
        UpliftLabError: it cannot be opened, or cannot load Parquet files.
    """
    with _bench(opener, folder, publish) as bench:
        return tuple(_outcome(case, bench) for case in cases)


def run_case(
    case: Case, opener: Opener, folder: Path, publish: Publish | None = None
) -> CaseResult:
    """How an engine does in one case; the arguments are those of `conform`."""
    (outcome,) = conform(opener, folder, publish, (case,))
    return outcome


@contextmanager
def _bench(opener: Opener, folder: Path, publish: Publish | None) -> Generator[Bench]:
    def fresh() -> Engine:
        return opener(folder.joinpath, [folder])

    with fresh() as engine:
        for name, table in tables().items():
            engine.load(name, [write_table(folder, name, table)])
        if publish is None and reads_files(engine, folder):
            publish = _files(folder)
        yield Bench(engine, fresh, folder, publish)


def _files(folder: Path) -> Publish:
    """Tables as Parquet files of a folder."""

    def publish(name: str, table: pa.Table) -> Source:
        return Source(file=write_table(folder, name, table).name, id="id")

    return publish


def _outcome(case: Case, bench: Bench) -> CaseResult:
    if case.places and bench.publish is None:
        return CaseResult(case, left_out=_NO_TABLES)
    try:
        with blaming("the engine", f"the case '{case.name}'"):
            return CaseResult(case, tuple(case.run(bench)))
    except UpliftLabError as error:
        return CaseResult(case, tuple(str(fault) for fault in error.faults))
