"""The command that begins a workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.options import quiet_option
from upliftlab.cli.output import echo, progress
from upliftlab.errors.agreement import agreed
from upliftlab.util.resources import shipped

if TYPE_CHECKING:
    from upliftlab.data_checks.first_experiment import OwnWords

_TEMPLATES = [path.parent.name for path in sorted(shipped("starters").glob("*/experiments"))]


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--template",
    type=click.Choice(_TEMPLATES),
    help="Which first experiment is written; default: minimal.",
)
@click.option(
    "--from",
    "tables",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Begin with a table of your own, in DIR or its data/; given once for each table.",
)
@click.option("--arm", metavar="COLUMN", help="With --from: the customers' column of their arms.")
@click.option("--control", metavar="LABEL", help="With --from: which of the arms is the control.")
@click.option(
    "--start",
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="With --from: the day from which outcomes count, such as 2026-03-02.",
)
@quiet_option
def init(  # noqa: PLR0913, PLR0917 - one parameter an option is how click calls
    folder: Path,
    template: str | None,
    tables: tuple[Path, ...],
    arm: str | None,
    control: str | None,
    start: datetime | None,
    *,
    quiet: bool,
) -> None:
    """Begin a workspace in DIR, by default here: a first experiment, and all that goes with it.

    experiments/ and configs/ with comments that explain each line, data/ for tables, which git
    leaves out, checks before commits and in CI, and settings by which editors complete the YAML.
    No file is ever written over.

    With --from, what the tables tell: where they lie, likely metrics, arms if a column holds them.
    What they do not tell stands as a comment with the line to write, or is asked for.

    \b
    Examples:
      upliftlab init shop --template winback
      upliftlab simulate shop/experiments/winback.yaml
      upliftlab assign shop/experiments/winback.yaml
      upliftlab run shop/experiments/winback.yaml
      upliftlab init --from customers.csv --from orders.csv --from contacts.csv
    """
    if tables and template:
        raise click.UsageError("--from and --template are two ways to begin")
    if not tables and (arm or control or start):
        raise click.UsageError("--arm, --control and --start need --from")
    if tables:
        from upliftlab.data_checks.first_experiment import OwnWords

        said = OwnWords(arm, control, start.date() if start else None)
        files, made = _from_tables(folder, tables, said, quiet=quiet)
    else:
        files, made = _from_template(folder, template or "minimal")
    if not quiet:
        echo(agreed(f"{made} files written; these are for you to read and change:"))
        for place in files:
            echo(f"  {folder / place}")
        for line in _next(folder, files, given=bool(tables)):
            echo(line)


def _from_template(folder: Path, name: str) -> tuple[list[str], int]:
    """The files that are the user's, and how many were written in all."""
    from upliftlab.config.starters import begin, surroundings, template

    files = template(name)
    return [*files], len(begin(folder, {**surroundings(), **files}))


def _from_tables(
    folder: Path, tables: tuple[Path, ...], said: OwnWords, *, quiet: bool
) -> tuple[list[str], int]:
    """The same, from tables."""
    from upliftlab.config.starters import begin, surroundings
    from upliftlab.data_checks.first_experiment import IGNORED, first_workspace

    with progress(quiet=quiet) as tell:
        tell("Reading")
        files = first_workspace(tables, folder, said)
    around = {**surroundings()}
    if IGNORED in files:  # the tables lie beside: a folder data/ would be looked into instead
        del around["data/.gitignore"]
        around[IGNORED] += files.pop(IGNORED)
    return [*files], len(begin(folder, {**around, **files}))


def _next(folder: Path, files: Sequence[str], *, given: bool) -> Iterator[str]:
    """What to do now."""
    experiment = next(folder / place for place in files if place.startswith("experiments/"))
    if not given:
        yield f"Next:  upliftlab simulate {experiment}   tries it on customers that do not exist;"
        yield f"       for your own, put tables into {folder / 'data'} and say so in sources.yaml"
        return
    from upliftlab.config.workspace import workspace_at

    yield "Next:  read them, and choose where a line asks; then"
    yield f"       upliftlab check {experiment} --data {workspace_at(folder).data}"
    yield f"       upliftlab status {experiment}"
