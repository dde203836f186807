"""The commands of a campaign's life: lock, amend, assign, export and verify."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.options import (
    allow_env_option,
    data_option,
    experiment_argument,
    ledger_option,
    quiet_option,
)
from upliftlab.cli.output import FAULTY, Styled, echo, echo_block, echo_fault, echo_json, progress
from upliftlab.errors import Diagnostic, EngineError

if TYPE_CHECKING:
    from upliftlab.config import Loaded
    from upliftlab.engines.base import Engine
    from upliftlab.ledger import Ledger
    from upliftlab.ledger.records import Manifest

record_option = click.option(
    "--out",
    "ledger",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The ledger's folder; default: ledger/ in the workspace.",
)


@click.command()
@experiment_argument
@record_option
@allow_env_option
@quiet_option
def lock(experiment: Path, ledger: Path | None, *, quiet: bool) -> None:
    """Freeze the plan of EXPERIMENT on the record, before anybody is assigned.

    \b
    Example:
      upliftlab lock experiments/spring.yaml
    """
    from upliftlab.data_checks.fit import require_somebody
    from upliftlab.ledger import campaign

    loaded = _load(experiment, None, quiet=quiet)
    try:
        with _engine(loaded, None) as live:
            _fitting(loaded, live, quiet=quiet)
            require_somebody(loaded.scope, live)
    except EngineError as error:
        _warn(tuple(replace(fault, severity="warning") for fault in error.faults), quiet=quiet)
    kept = _ledger(loaded, ledger)
    found = campaign.lock(kept, loaded.plan, _now())
    if not quiet:
        echo(f"{'Locked' if found.new else 'Already locked'}: {found.entry.plan_sha256}")
        _say_head(kept)


@click.command()
@experiment_argument
@click.option("--why", required=True, help="The reason, as it will stand on the record.")
@record_option
@quiet_option
def amend(experiment: Path, why: str, ledger: Path | None, *, quiet: bool) -> None:
    """Put the changed plan of EXPERIMENT in force and record the reason.

    Before outcomes were read it is an amendment, afterwards a deviation, and the report says so.

    \b
    Example:
      upliftlab amend experiments/spring.yaml --why "SMS budget was halved"
    """
    from upliftlab.api import Experiment

    made = Experiment(_load(experiment, None, quiet=quiet)).amend(why, ledger=ledger)
    if quiet:
        return
    echo(f"Recorded as {made.kind} {made.number}:")
    for change in made.changes:
        echo(f"  {change.path}: {change.before} → {change.after}")


@click.command()
@experiment_argument
@data_option
@record_option
@click.option(
    "--show-sql",
    is_flag=True,
    help="Print the query (without the ledger's own contacts), and assign nobody.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@allow_env_option
@quiet_option
def assign(  # noqa: PLR0913 - one parameter an option is how click calls
    experiment: Path,
    data: Path | None,
    ledger: Path | None,
    *,
    show_sql: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Decide the arm of every customer of EXPERIMENT and put it on the record.

    The same plan and data again change nothing. A changed plan is refused until `amend` says why.
    New customers of an experiment with `method: hash` join without moving anybody.

    \b
    Examples:
      upliftlab assign experiments/spring.yaml --data ~/data
      upliftlab assign experiments/spring.yaml --json | jq .arms
      upliftlab assign experiments/spring.yaml --show-sql
    """
    from upliftlab.ledger import campaign

    loaded = _load(experiment, data, quiet=quiet or as_json)
    kept = _ledger(loaded, ledger)
    with _engine(loaded, kept) as engine:
        if show_sql:
            echo_block(_sql(loaded, engine))
            return
        _fitting(loaded, engine, quiet=quiet or as_json)
        with progress(quiet=quiet or as_json) as tell:
            tell("Assigning customers")
            done = campaign.assign(kept, loaded.plan, engine, _now())
    _warn(campaign.came_to(loaded.plan, done), quiet=quiet or as_json)
    if as_json:
        echo_json(done.manifest.content())
    elif not quiet:
        _say(done.manifest, tuple(loaded.plan.arms), new=done.new)
        echo(f"Record:  {done.generation.folder}")
        _say_head(kept)


@click.command()
@experiment_argument
@ledger_option
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the lists, private to you.",
)
@click.option(
    "--generation", type=int, metavar="N", help="The assignment to export; default: the last."
)
@click.option(
    "--pseudonyms",
    metavar="VARIABLE",
    help="Write pseudonyms keyed by the secret in this environment variable instead of ids.",
)
@quiet_option
def export(  # noqa: PLR0913 - one parameter an option is how click calls
    experiment: Path,
    ledger: Path | None,
    out: Path,
    generation: int | None,
    pseudonyms: str | None,
    *,
    quiet: bool,
) -> None:
    """Write one list per wave and channel for the sending tools; the control is in none.

    \b
    Examples:
      upliftlab export experiments/spring.yaml --out lists
      upliftlab export experiments/spring.yaml --out lists --pseudonyms LIST_SECRET
    """
    from upliftlab.api import Experiment

    found = Experiment(_load(experiment, None, quiet=quiet))
    done = found.export(out, ledger=ledger, generation=generation, pseudonyms=pseudonyms)
    if quiet:
        return
    for file in done.lists:
        note = f", {file.neutralised:,} ids neutralised" if file.neutralised else ""
        echo(f"{file.rows:>12,}  {file.path}{note}")
    if not done.lists:
        echo("This generation contacts nobody; --generation names an earlier one.")
    if done.ghost_log:
        echo(f"{done.ghost_log.rows:>12,}  {done.ghost_log.path} (not for senders)")


key_option = click.option(
    "--key-env",
    metavar="VARIABLE",
    help="The environment variable that holds the secret heads are signed with.",
)
folder_argument = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.command()
@folder_argument
@click.option("--head", metavar="HEAD", help="A head that was kept: is this that ledger, or later?")
@key_option
@quiet_option
def verify(folder: Path, head: str | None, key_env: str | None, *, quiet: bool) -> None:
    """Check that every record of the ledger in FOLDER is as it was written.

    What only its last records could tell, the ledger cannot: keep a head elsewhere ('ledger head')
    and give it by --head.

    \b
    Examples:
      upliftlab verify ledger
      upliftlab verify ledger --head 5f1c… --key-env LEDGER_SECRET
    """
    from upliftlab.ledger import Ledger, campaign

    found = Ledger(folder)
    faults = campaign.verify(found)
    for fault in faults:
        echo_fault(fault)
    since = None if head is None else campaign.require_head(found, head, _secret(key_env))
    if faults:
        raise click.exceptions.Exit(FAULTY)
    if not quiet:
        echo("Every record is as it was written.")
        if since is not None:
            echo(f"It is the ledger of that head, with {since:,} records since.")


@click.group()
def ledger() -> None:
    """Ask a ledger what stands for it.

    \b
    Example:
      upliftlab ledger head ledger
    """


@ledger.command(name="head")
@folder_argument
@click.argument("experiment", required=False)
@key_option
def ledger_head(folder: Path, experiment: str | None, key_env: str | None) -> None:
    """Print the head of the ledger in FOLDER, to be kept where its writers cannot write.

    One line per experiment and, as '*', one for the whole: digest, with a signature behind a colon
    where a secret is named, number of records, name. Any of them can be given to
    'verify --head', now and after more was recorded.

    \b
    Examples:
      upliftlab ledger head ledger
      upliftlab ledger head ledger spring_winback --key-env LEDGER_SECRET
    """
    from upliftlab.ledger import Ledger, campaign
    from upliftlab.ledger.heads import signed

    secret = _secret(key_env)
    for head in campaign.heads(Ledger(folder), experiment):
        text = signed(head.digest, secret) if secret else head.digest
        echo(f"{text}  {head.number}  {head.name}")


def _secret(name: str | None) -> bytes | None:
    if name is None:
        return None
    from upliftlab.ledger.secret import secret_of

    return secret_of(os.environ, name)


def _load(experiment: Path, data: Path | None, *, quiet: bool) -> Loaded:
    from upliftlab.config import load

    loaded = load(experiment, data=data)
    _warn(loaded.warnings, quiet=quiet)
    return loaded


def _fitting(loaded: Loaded, live: Engine, *, quiet: bool) -> None:
    """Refuse a plan that could never be analysed, before it is on the record."""
    from upliftlab.data_checks.fit import ask_about_arms, require_fit

    if loaded.plan.experiment.assignment.observed is None:
        _warn(require_fit(loaded.scope, live), quiet=quiet)
        _warn(ask_about_arms(loaded.scope, live), quiet=quiet)


def _warn(faults: tuple[Diagnostic, ...], *, quiet: bool) -> None:
    for fault in faults:
        if not quiet:
            echo_fault(fault)


def _ledger(loaded: Loaded, folder: Path | None) -> Ledger:
    from upliftlab.ledger import Ledger

    return Ledger(folder) if folder else Ledger.within(loaded.workspace.root)


def _say_head(kept: Ledger) -> None:
    """What can be kept elsewhere, to tell later that nothing was taken away."""
    if head := kept.head().head:
        echo(f"Head:    {head}")


@contextmanager
def _engine(loaded: Loaded, ledger: Ledger | None) -> Generator[Engine]:
    """The plan's engine, which opens files of the data and of the ledger and no others."""
    from upliftlab.engines.open import open_engine

    folders = [ledger.folder] if ledger else []
    with open_engine(loaded.plan.engine, loaded.workspace.locate, folders) as opened:
        yield opened


def _sql(loaded: Loaded, live: Engine) -> str:
    """The query in the engine's own dialect, laid out for reading."""
    import sqlglot

    from upliftlab.assignment.assign import prepare, start_day
    from upliftlab.engines.dialect import transpile

    query = prepare(loaded.plan, live, start=start_day(loaded.plan, _now()))
    sql = transpile(query.sql, live.dialect)
    return sqlglot.transpile(sql, read=live.dialect, write=live.dialect, pretty=True)[0]


def _say(manifest: Manifest, arms: tuple[str, ...], *, new: bool) -> None:
    """The manifest's figures; they sum to the population."""
    if not new:
        echo("Nothing to do: this plan and these data are already on the record.")
    echo(f"{manifest.population:>12,}  customers")
    if manifest.kept:
        echo(f"{manifest.kept:>12,}  keep their arm")
    for reason, count in manifest.excluded.items():
        echo(f"{count:>12,}  {reason.replace('_', ' ')}")
    for arm in arms:
        echo(f"{manifest.arms.get(arm, 0):>12,}  ", Styled(arm, bold=True))


def _now() -> datetime:
    return datetime.now(UTC)
