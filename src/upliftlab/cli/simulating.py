"""The command that makes a world whose truth is known, and worlds that `run` makes for itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from upliftlab.cli.options import quiet_option
from upliftlab.cli.output import echo, progress

DEMO: Final = Path("upliftlab-demo")
WORLD_NAMES: Final = ("acquisition", "commission", "churn", "decline", "cross-sell")
"""The worked examples, named here so that no command has to load them to be parsed."""
_FOLDERS: Final = {name: Path(f"upliftlab-{name}") for name in WORLD_NAMES}
OWN_FOLDERS: Final = (DEMO, *_FOLDERS.values())
"""Where worlds go unless another folder is named."""
_CUSTOMERS: Final = 40_000

world_option = click.option(
    "--world",
    type=click.Choice(WORLD_NAMES),
    help="One of five worked examples, each a question of marketers; default: a voucher campaign.",
)


@click.command()
@click.argument(
    "experiment", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@world_option
@click.option("--seed", default=7, show_default=True, help="Seed of the random numbers.")
@click.option(
    "--customers",
    type=int,
    help=f"Number of customers; default: {_CUSTOMERS:,}, or as many as the world needs.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for the files; default: {DEMO}, or upliftlab-NAME of a world.",
)
@quiet_option
def simulate(  # noqa: PLR0913 - one parameter an option is how click calls
    experiment: Path | None,
    world: str | None,
    seed: int,
    customers: int | None,
    out: Path | None,
    *,
    quiet: bool,
) -> None:
    """Make a simulated retailer with a campaign whose truth is known.

    Customers, their orders, contacts, redemptions, tickets and surveys, an experiment with its
    configs/, and truth.json with the true effect of each arm in each segment. With --world, one of
    five questions of marketers: which media win new customers, why commission rises and profit does
    not, whom an offer keeps, what lifts declining customers, which product to offer when and where.
    With EXPERIMENT, such as one that `init` began, only the tables that it is tried with, in the
    data of its workspace.

    At least 1,000 customers. Files that were changed are never written over, nor are customers
    who were assigned by others.

    \b
    Examples:
      upliftlab simulate --seed 7 --out demo
      upliftlab assign demo/experiments/spring_winback.yaml
      upliftlab run demo/experiments/spring_winback.yaml
      upliftlab simulate --world churn
      upliftlab simulate experiments/winback.yaml
    """
    if experiment is not None and (out is not None or world is not None):
        other = "--out" if out is not None else "--world"
        message = f"{other} has no place beside EXPERIMENT, whose workspace is written"
        raise click.UsageError(message)
    if experiment is not None:
        told = _tried(experiment, seed, customers or _CUSTOMERS)
    elif world is not None:
        told = _made(world, seed, customers, out)
    else:
        from upliftlab.simulate import simulate as make

        many = _CUSTOMERS if customers is None else customers
        made = make(out or DEMO, seed=seed, customers=many, root=_root(out))
        told = {"Experiment": made.experiment, "Data": made.data, "Truth": made.truth}
    for name, path in () if quiet else told.items():
        echo(f"{name + ':':<12}{path}")


def _tried(experiment: Path, seed: int, customers: int) -> dict[str, Path | str]:
    """Play an experiment of the user's on simulated customers; what to say of it."""
    from upliftlab.config.workspace import shown
    from upliftlab.simulate import play_experiment

    folder = play_experiment(experiment, seed=seed, customers=customers)
    return {"Data": shown(folder, experiment), "Next": f"upliftlab assign {experiment}"}


def _made(name: str, seed: int, customers: int | None, out: Path | None) -> dict[str, Path | str]:
    """Make a worked example; what to say of it."""
    from upliftlab.simulate.worked import WORLDS, write_example

    folder, root = out or _FOLDERS[name], _root(out)
    made = write_example(folder, WORLDS[name], seed=seed, customers=customers, root=root)
    told = {"Question": WORLDS[name].question, "Experiment": made.experiment, "Data": made.data}
    return told | {"Truth": made.truth, "Next": f"upliftlab run {made.experiment}"}


def demonstration(*, quiet: bool) -> Path:
    """The simulated campaign, with its customers assigned; one that is there is taken as it is."""
    from upliftlab.config.load import load
    from upliftlab.engines.open import open_engine
    from upliftlab.ledger import Ledger
    from upliftlab.ledger.campaign import assign
    from upliftlab.simulate import simulate as make

    with progress(quiet=quiet) as tell:
        experiment = DEMO / "experiments" / "spring_winback.yaml"
        if not experiment.is_file():
            tell("Simulating a campaign")
            experiment = make(DEMO, root=Path()).experiment
        loaded = load(experiment)
        tell("Assigning customers")
        kept = Ledger.within(DEMO)
        with open_engine(loaded.plan.engine, loaded.workspace.locate, [kept.folder]) as engine:
            assign(kept, loaded.plan, engine, datetime.now(UTC))
    return experiment


def worked(name: str, *, quiet: bool) -> Path:
    """A worked example's experiment; one that is there is taken as it is."""
    from upliftlab.simulate.worked import WORLDS, write_example

    experiment = _FOLDERS[name] / "experiments" / WORLDS[name].file
    if not experiment.is_file():
        with progress(quiet=quiet) as tell:
            tell("Simulating a campaign")
            experiment = write_example(_FOLDERS[name], WORLDS[name], root=Path()).experiment
    return experiment


def _root(out: Path | None) -> Path | None:
    """The folder that the user named, by --out or by working in it: no link below is followed."""
    return Path() if out is None else None
