"""The command that checks YAML."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from upliftlab.cli.formats.registry import FORMATS, teller
from upliftlab.cli.options import allow_env_option, as_json_option, data_option, quiet_option
from upliftlab.cli.output import FAULTY, echo, echo_block, echo_json, progress
from upliftlab.errors import Diagnostic


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    default="text",
    help="How faults are printed: "
    + "; ".join(f"{name}, {what}" for name, what in FORMATS.items())
    + ".",
)
@data_option
@allow_env_option
@quiet_option
def check(paths: tuple[Path, ...], form: str, data: Path | None, *, quiet: bool) -> None:
    """Check experiment and configuration files, or folders of them.

    With --data the experiments are held against the real tables as well: columns, types, ids,
    events of unknown customers, times that do not cover the window, currencies.

    \b
    Examples:
      upliftlab check experiments configs
      upliftlab check experiments/spring.yaml --format github
      upliftlab check experiments/spring.yaml --data ~/data
    """
    from upliftlab.cli.formats.told import counted
    from upliftlab.config.checking import check_files

    checked = check_files(paths, notice=not quiet)
    if data is not None:
        faults = _with_data(paths, data, checked.faults, quiet=quiet or form != "text")
        checked = replace(checked, faults=faults)
    teller(form)(checked)
    if not quiet and form == "text":
        echo(counted(checked.faults))
    if any(fault.severity == "error" for fault in checked.faults):
        raise click.exceptions.Exit(FAULTY)


def _with_data(
    paths: tuple[Path, ...], data: Path, faults: tuple[Diagnostic, ...], *, quiet: bool
) -> tuple[Diagnostic, ...]:
    """The faults of the files, and those of the tables of the experiments without any."""
    from upliftlab.config.checking import experiments
    from upliftlab.config.load import in_order
    from upliftlab.config.workspace import shown
    from upliftlab.data_checks.examine import Within, examine

    broken = {fault.place.file for fault in faults if fault.place and fault.severity == "error"}
    found = list(faults)
    with progress(quiet=quiet) as tell:
        for path, given in experiments(paths):
            name = shown(path, given)
            if name not in broken:
                tell(f"Reading the tables of {name}")
                found += examine(path, datetime.now(UTC), Within(data, given))
    return in_order(found)


@click.command()
@click.argument("code", required=False)
@click.option("--list", "listed", is_flag=True, help="List every code with its title.")
@as_json_option
def explain(code: str | None, *, listed: bool, as_json: bool) -> None:
    """Tell what a CODE such as UL012 means and what to do; without one, list them all.

    Where a few lines show it, with an example that yields the code and one that does not.

    \b
    Examples:
      upliftlab explain UL012
      upliftlab explain --list
    """
    from upliftlab.cli import codes

    every = listed or code is None
    if as_json:
        echo_json(codes.as_json(codes.catalogue() if every else [codes.explanation(code or "")]))
    else:
        echo_block(codes.listing() if every else codes.text(codes.explanation(code or "")))
    if not as_json:
        echo()


@click.command()
@click.argument(
    "kind",
    default="experiment",
    type=click.Choice(["experiment", "sources", "metrics", "channels", "segments", "program"]),
)
def schema(kind: str) -> None:
    """Print the JSON Schema of a KIND of file, for editors.

    \b
    Example:
      upliftlab schema > experiment.schema.json
    """
    from upliftlab.config.schema import schema_text

    echo_json(schema_text(kind))
