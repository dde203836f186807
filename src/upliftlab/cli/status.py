"""The command that says where experiments stand, and what comes next."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.options import OUT, allow_env_option, ledger_option, printed_option
from upliftlab.cli.output import FAULTY, Styled, echo, echo_json
from upliftlab.errors import UpliftLabError
from upliftlab.util.files import read_regular, safe_name

if TYPE_CHECKING:
    from upliftlab.config.load import Loaded
    from upliftlab.ledger.status import Standing
    from upliftlab.results.analysis import Analysis

_EXPERIMENT = re.compile(rb"^experiment\s*:", re.MULTILINE)
_COLOURS = {"faulty": "red", "due": "yellow", "running": "cyan", "analysed": "green"}


@dataclass(frozen=True, slots=True)
class ExperimentStatus:
    """What there is to say of one experiment.

    Attributes:
        file: Its file.
        experiment: Its name; None where the file cannot be read.
        state: faulty, planned, locked, assigned, running, due or analysed.
        starts: The first customer's day, as 2026-03-02.
        closes: The first day on which every outcome window has closed.
        verdict: Of its analysis.
        note: What else to know.
        next: The commands that come next, in order.
    """

    file: str
    experiment: str | None
    state: str
    starts: str | None = None
    closes: str | None = None
    verdict: str | None = None
    note: str | None = None
    next: tuple[str, ...] = ()


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@printed_option
@ledger_option
@allow_env_option
def status(paths: tuple[Path, ...], form: str, ledger: Path | None) -> None:
    """Say where each experiment of a workspace stands, and which command comes next.

    PATHS are experiments or folders of them, by default experiments/ here, else the experiments
    that lie in this folder itself. An experiment is faulty, planned, locked, assigned, running, due
    or analysed: by its file, the ledger, the calendar and the analysis that `run` wrote. No data
    are read.

    \b
    Examples:
      upliftlab status
      upliftlab status shop/experiments --format json
    """
    from upliftlab.config.checking import experiments

    now = datetime.now(UTC)
    found = [_status(path, given, ledger, now) for path, given in experiments(paths or _usual())]
    if form == "json":
        echo_json(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=1))
    else:
        for each in found:
            _say(each)
        if not found:
            echo("No experiments here. Next: upliftlab init --template winback")
    if any(each.state == "faulty" for each in found):
        raise click.exceptions.Exit(FAULTY)


def _usual() -> tuple[Path, ...]:
    """Where experiments lie if nobody says so: other files of YAML may lie beside them."""
    if (usual := Path("experiments")).is_dir():
        return (usual,)
    return tuple(file for file in sorted(Path().glob("*.y*ml")) if _is_experiment(file))


def _is_experiment(file: Path) -> bool:
    """Whether a file names an experiment; one that cannot be read is told as such later."""
    from upliftlab.config.document import MAX_BYTES

    try:
        return bool(_EXPERIMENT.search(read_regular(file, MAX_BYTES)))
    except OSError:
        return True


def _status(path: Path, given: Path, ledger: Path | None, now: datetime) -> ExperimentStatus:
    from upliftlab.config.load import load
    from upliftlab.config.workspace import shown
    from upliftlab.ledger import Ledger
    from upliftlab.ledger.status import standing

    file = shown(path, given)
    told = ExperimentStatus(file, None, "faulty")
    try:
        loaded = load(Path(file))
    except UpliftLabError as error:
        return replace(told, note=str(error.faults[0]), next=(_command("check", file),))
    told = replace(told, experiment=loaded.plan.experiment.experiment)
    try:
        kept = Ledger(ledger) if ledger else Ledger.within(loaded.workspace.root)
        stands = standing(loaded.plan, kept, now)
    except UpliftLabError as error:
        place = shown(ledger or loaded.workspace.root / "ledger", given)
        return replace(told, note=str(error.faults[0]), next=(_command("verify", place),))
    return _known(told, loaded, stands)


def _known(told: ExperimentStatus, loaded: Loaded, stands: Standing) -> ExperimentStatus:
    """The state with what an analysis says, and the way on."""
    notes: list[str] = []
    state: str = stands.state
    analysis, where = _analysis(loaded, notes) if stands.state == "due" else (None, None)
    verdict = analysis.verdict.code if analysis else None
    if analysis and analysis.plan_sha256 != loaded.plan.sha256:
        notes.append("it was analysed under another plan")
    elif verdict in ("INVALID", "NOT FINAL"):
        notes.append(f"it was analysed, and the result is {verdict}")
    elif analysis:
        state = "analysed"
        notes.append(f"results lie in {where}")
    if stands.changed:
        notes.append("the file differs from the plan on the record")
    return replace(
        told,
        state=state,
        starts=str(stands.starts) if stands.starts else None,
        closes=str(stands.closes) if stands.closes else None,
        verdict=verdict,
        note="; ".join(notes) or None,
        next=tuple(_next(told.file, state, loaded, changed=stands.changed)),
    )


def _analysis(loaded: Loaded, notes: list[str]) -> tuple[Analysis | None, Path | None]:
    """What `run` wrote, here or in the workspace, or as the demonstration does."""
    from upliftlab.report.reading import read_analysis

    name, root = loaded.plan.experiment.experiment, loaded.workspace.root
    for folder in dict.fromkeys((OUT / safe_name(name), root / OUT / safe_name(name), root)):
        if not (folder / "analysis.json").exists():
            continue
        try:
            found = read_analysis(folder / "analysis.json")
        except UpliftLabError as error:
            notes.append(str(error.faults[0]))
            continue
        if found.experiment == name:
            return found, folder
    return None, None


def _next(file: str, state: str, loaded: Loaded, *, changed: bool) -> Iterator[str]:
    """The commands that come next, in order."""
    if changed:
        yield _command("amend", file, "--why", "REASON")
    elif state == "planned":
        yield _command("plan", file)
        yield _command("lock", file)
    elif state == "locked":
        yield _command("assign", file)
    elif state == "assigned" and loaded.plan.experiment.assignment.observed is None:
        yield _command("export", file, "--out", "lists")
    elif state in ("running", "due"):
        yield _command("run", file)
    elif state == "analysed" and loaded.plan.experiment.uplift is not None:
        yield _command("uplift", file)


def _command(*words: str) -> str:
    return shlex.join(("upliftlab", *words))


def _say(told: ExperimentStatus) -> None:
    when = {
        "planned": f"starts {told.starts}" if told.starts else "",
        "running": f"final from {told.closes}",
        "due": f"since {told.closes}" if told.closes else "",
        "analysed": told.verdict,
    }
    more = when.get(told.state, when["planned"])
    state = Styled(told.state, fg=_COLOURS.get(told.state))
    name = Styled(told.experiment or told.file, bold=True)
    echo(name, ": ", state, f" ({more})" if more else "")
    for line in (told.note, *told.next):
        if line is not None:
            echo(f"  {line}")
