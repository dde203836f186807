"""The command that checks YAML."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.formats.registry import FORMATS, teller
from upliftlab.cli.options import allow_env_option, as_json_option, data_option, quiet_option
from upliftlab.cli.output import FAULTY, echo, echo_block, echo_json, progress
from upliftlab.errors import Diagnostic

if TYPE_CHECKING:
    from upliftlab.config.checking import Checked

_STDIN = (Path("-"),)
_FOLDERS = ("experiments", "configs")


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    default="text",
    help="How faults are printed: "
    + "; ".join(f"{name}, {what}" for name, what in FORMATS.items())
    + ".",
)
@click.option(
    "--changed-since",
    "since",
    metavar="REV",
    help="Tell only of files that changed since a revision of git, of experiments that extend "
    "one of them, and of all whose configs/ changed.",
)
@click.option(
    "--stdin-filename",
    "name",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that the text on standard input is, or shall be.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Write what mends a fault where one thing does and no other, and show what changed.",
)
@click.option("--diff", is_flag=True, help="With --fix: show what would change, and write nothing.")
@data_option
@allow_env_option
@quiet_option
def check(  # noqa: PLR0913 - one parameter an option is how click calls
    paths: tuple[Path, ...],
    form: str,
    since: str | None,
    name: Path | None,
    data: Path | None,
    *,
    fix: bool,
    diff: bool,
    quiet: bool,
) -> None:
    """Check experiment and configuration files, or folders of them; - is standard input.

    Without PATHS, experiments/ and configs/ of the folder one is in.

    What a file is, an experiment or a part of configs/, is told by its name there and by its keys
    elsewhere. Beside a file of configs/ the experiments that read it are checked, all in
    experiments/. With --data experiments are held against the real tables as well: columns, types,
    ids, events of unknown customers, times that do not cover the window, currencies; and the share
    of rows without a value is told of every column that they use.

    \b
    Examples:
      upliftlab check
      upliftlab check experiments configs
      upliftlab check experiments/spring.yaml --data ~/data
      upliftlab check --fix --diff
      upliftlab check --changed-since origin/main --format github
      upliftlab check . --format sarif > upliftlab.sarif
      upliftlab check - --stdin-filename experiments/spring.yaml < draft.yaml
    """
    from upliftlab.cli.formats.told import counted
    from upliftlab.config.checking import check_files

    if diff and not fix:
        raise click.UsageError("--diff belongs to --fix")
    if fix and paths == _STDIN:
        raise click.UsageError("standard input cannot be written: name a file to --fix")
    if fix and _STDIN[0] not in paths:
        _fix(paths or _own(since), since, err=form != "text", dry=diff)
    if paths == _STDIN:
        checked = _given_text(name, alone=since is None and data is None)
    elif name is not None or _STDIN[0] in paths:
        raise click.UsageError("--stdin-filename and - belong together, and no other path to them")
    else:
        checked = check_files(paths or _own(since), notice=not quiet, since=since)
    if data is not None:
        shown = quiet or form != "text"
        faults = _with_data(checked, data, notice=not quiet, quiet=shown)
        checked = replace(checked, faults=faults)
    teller(form)(checked)
    if not quiet and form == "text":
        echo(counted(checked.faults))
    if any(fault.severity == "error" for fault in checked.faults):
        raise click.exceptions.Exit(FAULTY)


def _fix(paths: tuple[Path, ...], since: str | None, *, err: bool, dry: bool) -> None:
    """Mend files, or show how, where another format than text has standard output to itself."""
    from upliftlab.config.fixing import fixes, write

    fixed = fixes(paths, since)
    for each in fixed:
        echo_block(each.diff, err=err)
    if not dry:
        write(fixed)


def _own(since: str | None) -> tuple[Path, ...]:
    """What is checked where nothing is named: the workspace one stands in, or what changed here."""
    if since is not None:
        return (Path(),)
    found = tuple(Path(name) for name in _FOLDERS if Path(name).is_dir())
    if not found:
        here = " or ".join(f"{name}/" for name in _FOLDERS)
        raise click.UsageError(f"name files or folders to check: there is no {here} here")
    return found


def _given_text(name: Path | None, *, alone: bool) -> Checked:
    """What is wrong in the text on standard input."""
    from upliftlab.config.checking import NAMELESS, check_text
    from upliftlab.config.document import MAX_BYTES

    if not alone:
        raise click.UsageError("standard input has no history and no data: name a file")
    closed = sys.stdin is None  # pyright: ignore[reportUnnecessaryComparison] - it is where it was closed
    given = b"" if closed else sys.stdin.buffer.read(MAX_BYTES + 1)
    return check_text(given, name or NAMELESS)


def _with_data(
    checked: Checked, data: Path, *, notice: bool, quiet: bool
) -> tuple[Diagnostic, ...]:
    """The faults of the files, and those of the tables of the experiments without any."""
    from upliftlab.config.load import in_order
    from upliftlab.config.workspace import shown
    from upliftlab.data_checks.examine import Within, examine

    broken = {
        fault.place.file for fault in checked.faults if fault.place and fault.severity == "error"
    }
    found = list(checked.faults)
    with progress(quiet=quiet) as tell:
        for path, given in checked.experiments:
            name = shown(path, given)
            if name not in broken:
                tell(f"Reading the tables of {name}")
                found += examine(path, datetime.now(UTC), Within(data, given), notice=notice)
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
    required=False,
    type=click.Choice(
        ["experiment", "sources", "metrics", "channels", "segments", "program", "theme"]
    ),
)
@click.option(
    "--workspace",
    "root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With the names that configs/ of this workspace declares: its channels, offers, sources, "
    "metrics, segments and columns. Without KIND the schema of every kind is written to "
    ".schemas/ there, where the editor's settings that 'init' makes find it.",
)
def schema(kind: str | None, root: Path | None) -> None:
    """Print the JSON Schema of a KIND of file, for editors: of an experiment by default.

    \b
    Examples:
      upliftlab schema > experiment.schema.json
      upliftlab schema --workspace .
    """
    from upliftlab.config.schema import schema_text

    if root is None:
        echo_json(schema_text(kind or "experiment"))
        return
    from upliftlab.config.shared import read_shared
    from upliftlab.config.workspace import workspace_at
    from upliftlab.config.workspace_schema import workspace_schema, write_schemas

    if kind is None:
        for path in write_schemas(root):
            echo(path)
        return
    echo_json(schema_text(kind, workspace_schema(kind, read_shared(workspace_at(root), root))))
