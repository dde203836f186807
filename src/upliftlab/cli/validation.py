"""The command that proves: how often intervals hold a truth that is known."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from upliftlab.cli.analysis import own_analysis
from upliftlab.cli.options import allow_env_option, as_json_option, data_option, quiet_option
from upliftlab.cli.output import FAULTY, echo_fault, echo_json, progress

if TYPE_CHECKING:
    from upliftlab.results.validation import SimulationResult
    from upliftlab.validation.cell import NamedScenario

_QUICK = 200
_ONE = click.IntRange(min=1)


class ValidationOptions(TypedDict):
    """The options, as click hands them on."""

    data: Path | None
    like: Path | None
    customers: int | None
    replications: int
    studies: tuple[str, ...]
    cells: tuple[str, ...]
    quick: bool
    seed: int
    processes: int | None
    as_json: bool
    quiet: bool


@click.command()
@click.argument(
    "experiment", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@data_option
@click.option(
    "--like",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The analysis.json of an earlier campaign, whose control is the baseline.",
)
@click.option("--customers", type=_ONE, metavar="N", help="Customers in all arms together.")
@click.option("--replications", type=_ONE, default=2_000, show_default=True, metavar="N",
              help="Experiments drawn for each cell.")  # fmt: skip
@click.option(
    "--study",
    "studies",
    multiple=True,
    metavar="NAME",
    help="Only cells of this study, such as main or adjusted; may be given again for others.",
)
@click.option(
    "--cells",
    multiple=True,
    metavar="WORDS",
    help='Only cells of these words, such as "95/5 lognormal"; may be given again for others.',
)
@click.option("--quick", is_flag=True, help=f"Draw {_QUICK} experiments for each cell.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
              help="Of all chance: the same seed, the same figures.")  # fmt: skip
@click.option("--processes", type=_ONE, metavar="N", help="At once; default: one a core.")
@as_json_option
@allow_env_option
@quiet_option
def validate(experiment: Path | None, **options: Unpack[ValidationOptions]) -> None:
    """Prove by simulation that intervals hold the truth as often as they say.

    Experiments whose truth is known are drawn and analysed as data would be. Without EXPERIMENT,
    the grid of docs/validation.md; with it, its own arms, customers, outcomes and costs, taken
    from the customers' past or from an earlier campaign (--like).

    Exits with 1 where coverage, a tail or a test is not as promised.

    \b
    Examples:
      upliftlab validate --quick --cells "95/5 lognormal"
      upliftlab validate --quick --study levels --study ratios
      upliftlab validate experiments/spring.yaml --like upliftlab-report/winter/analysis.json
      upliftlab validate --json > proof.json
    """
    quiet = options["quiet"] or options["as_json"]
    cells, notes, name = _asked(experiment, options, quiet=quiet)
    chosen = _chosen(cells, options["cells"])
    evidence = _prove(chosen, (name, notes), options, quiet=quiet)
    if options["as_json"]:
        from upliftlab.report.export import to_json

        echo_json(to_json(evidence))
    elif not options["quiet"]:
        from upliftlab.cli.evidence import say

        say(evidence)
    if not evidence.holds:
        raise click.exceptions.Exit(FAULTY)


Asked = tuple["Sequence[NamedScenario]", tuple[str, ...], str | None]
"""Cells, what to know of them, and the experiment whose they are."""


def _asked(experiment: Path | None, options: ValidationOptions, *, quiet: bool) -> Asked:
    if experiment is None:
        given = ("data", "like", "customers")
        if named := next((name for name in given if options[name] is not None), None):
            raise click.UsageError(f"--{named} needs an EXPERIMENT")
        from upliftlab.validation.studies.registry import STUDIES, grid

        if unknown := set(options["studies"]) - set(STUDIES):
            known = ", ".join(STUDIES)
            raise click.UsageError(f"no study '{min(unknown)}'; there are: {known}")
        return tuple(grid(options["studies"])), (), None
    if options["studies"]:
        raise click.UsageError("--study is of the grid: leave out EXPERIMENT")
    from upliftlab.config import load
    from upliftlab.engines.open import open_engine
    from upliftlab.planning.assumptions import assumptions_of
    from upliftlab.planning.plan import PlanningContext, foresee
    from upliftlab.report.reading import read_analysis
    from upliftlab.validation.shape import cells_of, notes_of

    loaded = load(experiment, data=options["data"])
    for fault in loaded.warnings:
        if not quiet:
            echo_fault(fault)
    like, customers = options["like"], options["customers"]
    assumed = assumptions_of(loaded.plan, {"customers": customers}, earlier=like is not None)
    told = (like or assumed.given) is not None and assumed.customers is not None
    with progress(quiet=quiet) as tell:
        opened = open_engine(loaded.plan.engine, loaded.workspace.locate)
        with nullcontext() if told else opened as engine:
            earlier = None if like is None else read_analysis(like)
            own = own_analysis(loaded.plan, loaded.workspace.root)
            setting = PlanningContext(datetime.now(UTC), engine, earlier, tell, own)
            known = foresee(loaded.plan, assumed, setting)
    return cells_of(known), tuple(notes_of(known)), loaded.plan.experiment.experiment


def _chosen(cells: Sequence[NamedScenario], wanted: tuple[str, ...]) -> Sequence[NamedScenario]:
    """The cells that have all words of any filter."""
    known = {word for cell in cells for word in cell.name.values()}
    for word in (word for words in wanted for word in words.split()):
        if word not in known:
            raise click.UsageError(f"no cell has '{word}'; there are: {', '.join(sorted(known))}")
    if not wanted:
        return cells
    found: dict[str, NamedScenario] = {}
    for words in wanted:
        fitting = [c for c in cells if set(words.split()) <= set(c.name.values())]
        if not fitting:
            raise click.UsageError(f"no cell is all of '{words}'")
        found |= {cell.title: cell for cell in fitting}
    return [cell for cell in cells if cell.title in found]


def _prove(
    cells: Sequence[NamedScenario],
    about: tuple[str | None, tuple[str, ...]],
    options: ValidationOptions,
    *,
    quiet: bool,
) -> SimulationResult:
    from upliftlab.validation.validate import StudySettings
    from upliftlab.validation.validate import validate as verb

    started = time.monotonic()
    with progress(quiet=quiet) as tell:

        def told(done: int, every: int) -> None:
            left = (time.monotonic() - started) * (every / done - 1) / 60
            tell(f"{done:,} of {every:,} experiments, {left:.0f} min left")

        tell("Starting")
        processes = options["processes"] or os.cpu_count() or 1
        replications = _QUICK if options["quick"] else options["replications"]
        return verb(cells, StudySettings(replications, options["seed"], processes, told), *about)
