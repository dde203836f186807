"""The command that begins a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from upliftlab.cli.options import quiet_option
from upliftlab.cli.output import echo
from upliftlab.util.resources import shipped

_TEMPLATES = [path.parent.name for path in sorted(shipped("starters").glob("*/experiments"))]


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--template",
    type=click.Choice(_TEMPLATES),
    default="minimal",
    show_default=True,
    help="Which first experiment is written.",
)
@quiet_option
def init(folder: Path, template: str, *, quiet: bool) -> None:
    """Begin a workspace in DIR, by default here: a first experiment, and all that goes with it.

    experiments/ and configs/ with comments that explain each line, data/ for tables, which git
    leaves out, checks before commits and in CI, and settings by which editors complete the YAML.
    No file is ever written over.

    \b
    Examples:
      upliftlab init shop --template winback
      upliftlab simulate shop/experiments/winback.yaml
      upliftlab assign shop/experiments/winback.yaml
      upliftlab run shop/experiments/winback.yaml
    """
    from upliftlab.config.starters import begin, surroundings
    from upliftlab.config.starters import template as files_of

    files = files_of(template)
    written = begin(folder, {**surroundings(), **files})
    if quiet:
        return
    experiment = next(folder / place for place in files if place.startswith("experiments/"))
    echo(f"{len(written)} files written; these are for you to read and change:")
    for place in files:
        echo(f"  {folder / place}")
    echo(f"Next:  upliftlab simulate {experiment}   tries it on customers that do not exist;")
    echo(
        f"       for your own, put tables into {folder / 'data'} and say so in configs/sources.yaml"
    )
