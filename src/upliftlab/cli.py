"""The command line: parses, calls a verb, prints, exits.

Heavy modules are imported inside the commands that need them: `check` must start fast.
Exit codes: 0 clean, 1 findings or faults, 2 wrong usage, 3 internal fault.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab import __version__
from upliftlab.errors import DataError, Fault, UpliftLabError
from upliftlab.files import atomic_write, safe_name

if TYPE_CHECKING:
    from upliftlab.language import Code
    from upliftlab.results import Analysis

FAULTY = 1
INTERNAL = 3
DEMO = Path("upliftlab-demo")
OUT = Path("upliftlab-report")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_experiment = click.argument(
    "experiment", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_data = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the data files; default: the workspace's data/, else the workspace.",
)
_out = click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for the results; default: {OUT}/<experiment>.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
_quiet = click.option("--quiet", "-q", is_flag=True, help="Print nothing but faults.")
_lang = click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the page."
)


class _Commands(click.Group):
    """A group that turns every failure into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except UpliftLabError as error:
            for fault in error.faults:
                click.echo(_painted(fault), err=True)
            ctx.exit(FAULTY)


def main() -> None:
    """Run the command line; an internal fault asks for a report and exits with 3."""
    try:
        commands(standalone_mode=True)
    except BrokenPipeError:
        # The reader of our output went away; closing stdout quietly is what it expects.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAULTY)
    except Exception as error:
        # The one door for what nobody foresaw: a user is told what to send, not shown a trace.
        if os.environ.get("UPLIFTLAB_DEBUG"):
            raise
        click.echo(
            f"UL999 internal fault ({type(error).__name__}: {error}); please report it, "
            "with the trace that UPLIFTLAB_DEBUG=1 shows",
            err=True,
        )
        sys.exit(INTERNAL)


@click.group(cls=_Commands, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="upliftlab")
def commands() -> None:
    r"""Learn whether campaigns pay: incremental profit and ROI, with honest intervals.

    \b
    Examples:
      upliftlab run                                  the bundled demonstration
      upliftlab run experiments/spring.yaml          analyse and write the report
      upliftlab check experiments configs            check the YAML, as CI would
      upliftlab analyze experiments/spring.yaml --json | jq .verdict
    """


@commands.command()
@click.argument(
    "experiment", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@_data
@_out
@_lang
@_json
@_quiet
def run(  # noqa: PLR0913 - one parameter an option is how click calls
    experiment: Path | None,
    data: Path | None,
    out: Path | None,
    lang: Code,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    r"""Analyse EXPERIMENT and write its report and its numbers.

    Without EXPERIMENT, a simulated campaign whose truth is known is made in ./upliftlab-demo
    and analysed.

    \b
    Examples:
      upliftlab run
      upliftlab run experiments/hillstrom_email.yaml --data ~/data --out results
    """
    if experiment is None:
        experiment = _demonstration(quiet=quiet or as_json)
        data, out = data or DEMO, out or DEMO
    analysis = _analysis(experiment, data, quiet=quiet or as_json)
    page, numbers = _write(analysis, out, lang)
    if as_json:
        _print_json(analysis)
    elif not quiet:
        _say_verdict(analysis)
        click.echo(f"Numbers: {numbers}")
        click.echo(f"Report:  {page}")


@commands.command()
@_experiment
@_data
@_out
@_json
@_quiet
def analyze(
    experiment: Path, data: Path | None, out: Path | None, *, as_json: bool, quiet: bool
) -> None:
    r"""Analyse EXPERIMENT and write its numbers (analysis.json), without a page.

    \b
    Examples:
      upliftlab analyze experiments/spring.yaml
      upliftlab analyze experiments/spring.yaml --json > spring.json
    """
    analysis = _analysis(experiment, data, quiet=quiet or as_json)
    if as_json:
        _print_json(analysis)
        if out is None:
            return
    from upliftlab.report.export import to_json  # noqa: PLC0415

    numbers = _folder(analysis, out) / "analysis.json"
    atomic_write(numbers, to_json(analysis))
    if not (quiet or as_json):
        _say_verdict(analysis)
        click.echo(f"Numbers: {numbers}")


@commands.command()
@click.argument("analysis", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_out
@_lang
@_quiet
def report(analysis: Path, out: Path | None, lang: Code, *, quiet: bool) -> None:
    r"""Render the page of an ANALYSIS that `analyze` wrote.

    \b
    Examples:
      upliftlab report upliftlab-report/spring/analysis.json
      upliftlab report analysis.json --lang zh --out results
    """
    from upliftlab.report.render import write  # noqa: PLC0415

    page = write(_read(analysis), out or analysis.parent, lang=lang)
    if not quiet:
        click.echo(f"Report:  {page}")


@commands.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="How faults are printed; github makes annotations.",
)
@_quiet
def check(paths: tuple[Path, ...], form: str, *, quiet: bool) -> None:
    r"""Check experiment and configuration files, or folders of them.

    \b
    Examples:
      upliftlab check experiments configs
      upliftlab check experiments/spring.yaml --format github
    """
    from upliftlab.config.checking import check as check_files  # noqa: PLC0415

    faults = check_files(paths)
    if form == "json":
        click.echo(json.dumps([_as_dict(fault) for fault in faults], ensure_ascii=False, indent=1))
    else:
        for fault in faults:
            click.echo(_annotation(fault) if form == "github" else _painted(fault))
    errors = sum(fault.severity == "error" for fault in faults)
    if not quiet and form == "text":
        warnings = len(faults) - errors
        click.echo(f"{errors} errors, {warnings} warnings" if faults else "No faults found.")
    if errors:
        raise click.exceptions.Exit(FAULTY)


@commands.command()
@click.option("--seed", default=7, show_default=True, help="Seed of the random numbers.")
@click.option("--customers", default=40_000, show_default=True, help="Number of customers.")
@click.option(
    "--out",
    metavar="DIR",
    default=DEMO,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the files.",
)
@_quiet
def simulate(seed: int, customers: int, out: Path, *, quiet: bool) -> None:
    r"""Make a simulated campaign whose truth is known: experiment, data and truth.json.

    \b
    Example:
      upliftlab simulate --seed 7 --out demo && upliftlab run demo/simulated_winback.yaml
    """
    from upliftlab.simulate import simulate as make  # noqa: PLC0415

    made = make(out, seed=seed, customers=customers)
    if not quiet:
        for name, path in (
            ("Experiment", made.experiment),
            ("Data", made.data),
            ("Truth", made.truth),
        ):
            click.echo(f"{name + ':':<12}{path}")


def _demonstration(*, quiet: bool) -> Path:
    from upliftlab.simulate import simulate as make  # noqa: PLC0415

    with _progress(quiet=quiet) as tell:
        tell("Simulating a campaign")
        return make(DEMO).experiment


def _analysis(experiment: Path, data: Path | None, *, quiet: bool) -> Analysis:
    """Load and analyse, showing progress and the configuration's warnings."""
    from upliftlab.config.load import load  # noqa: PLC0415

    loaded = load(experiment, data=data)
    for fault in loaded.warnings:
        if not quiet:
            click.echo(_painted(fault), err=True)
    with _progress(quiet=quiet) as tell:
        tell("Starting")
        from upliftlab.analyze import Setting  # noqa: PLC0415
        from upliftlab.analyze import analyze as verb  # noqa: PLC0415
        from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415

        if loaded.plan.engine.name != "duckdb":
            raise DataError(
                Fault("UL304", f"analysis on {loaded.plan.engine.name} is not available yet")
            )
        with DuckDB(loaded.workspace.locate, loaded.plan.engine) as engine:
            return verb(loaded.plan, Setting(engine, datetime.now(UTC), tell))


def _write(analysis: Analysis, out: Path | None, lang: Code) -> tuple[Path, Path]:
    from upliftlab.report.export import to_json  # noqa: PLC0415
    from upliftlab.report.render import write  # noqa: PLC0415

    folder = _folder(analysis, out)
    numbers = folder / "analysis.json"
    atomic_write(numbers, to_json(analysis))
    return write(analysis, folder, lang=lang), numbers


def _folder(analysis: Analysis, out: Path | None) -> Path:
    return out or OUT / safe_name(analysis.experiment)


def _read(path: Path) -> Analysis:
    from pydantic import ValidationError  # noqa: PLC0415

    from upliftlab.results import Analysis  # noqa: PLC0415

    try:
        return Analysis.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        first = str(error).split("\n", 1)[0]
        raise DataError(
            Fault("UL601", f"{path} is no analysis: {first}", "make it by 'upliftlab analyze'")
        ) from error


def _say_verdict(analysis: Analysis) -> None:
    verdict = analysis.verdict
    colour = {"SHIP": "green", "STOP": "red", "INVALID": "red"}.get(verdict.code, "yellow")
    click.echo(f"{click.style(verdict.code, fg=colour, bold=True)}: {verdict.sentence}")
    click.echo(f"Next:    {verdict.next_action}")
    for asked in analysis.checks:
        if asked.passed is False:
            click.echo(f"Check:   {click.style(asked.message, fg='yellow')}")


def _print_json(analysis: Analysis) -> None:
    from upliftlab.report.export import to_json  # noqa: PLC0415

    click.echo(to_json(analysis))


@contextmanager
def _progress(*, quiet: bool) -> Generator[Callable[[str], None]]:
    """A status line on a terminal's standard error; silent where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status("Starting") as status:
        yield lambda step: status.update(f"{step} …")


def _painted(fault: Fault) -> str:
    """A fault as text, its code in colour; click drops colour where it is not wanted."""
    colour = "red" if fault.severity == "error" else "yellow"
    if os.environ.get("NO_COLOR"):
        return str(fault)
    return str(fault).replace(fault.code, click.style(fault.code, fg=colour), 1)


def _as_dict(fault: Fault) -> dict[str, str | int | None]:
    place = fault.place
    return {
        "code": fault.code,
        "severity": fault.severity,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": fault.message,
        "remedy": fault.remedy,
    }


def _annotation(fault: Fault) -> str:
    """A fault as a workflow command of GitHub Actions."""
    place = fault.place
    where = f"file={place.file},line={place.line or 1},col={place.column or 1}," if place else ""
    text = f"{fault.message}; {fault.remedy}" if fault.remedy else fault.message
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, code)
    return f"::{fault.severity} {where}title={fault.code}::{text}"
