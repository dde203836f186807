"""The commands that analyse: run, analyze, report."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from upliftlab.cli.options import (
    OUT,
    allow_env_option,
    as_json_option,
    audience_option,
    data_option,
    experiment_argument,
    format_option,
    lang_option,
    ledger_option,
    out_option,
    output_option,
    pdf_option,
    quiet_option,
)
from upliftlab.cli.output import FAULTY, Styled, echo, echo_fault, echo_json, progress
from upliftlab.cli.simulating import OWN_FOLDERS, demonstration, worked, world_option
from upliftlab.errors import DataError
from upliftlab.util.files import atomic_write, safe_name, write_together

if TYPE_CHECKING:
    from upliftlab.api import Experiment, Progress
    from upliftlab.config.models.experiment import Plan
    from upliftlab.report.formats import OutputFormat
    from upliftlab.results.analysis import Analysis, Audience
    from upliftlab.text.language import Code


class RunOptions(TypedDict):
    """The options of `run`, as click hands them on."""

    data: Path | None
    ledger: Path | None
    out: Path | None
    lang: Code
    audience: Audience
    world: str | None
    site: bool
    plan_file: Path | None
    list_file: Path | None
    as_json: bool
    quiet: bool


@click.command()
@click.argument(
    "experiment", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@data_option
@ledger_option
@out_option
@lang_option
@audience_option
@world_option
@click.option(
    "--site",
    is_flag=True,
    help="Write a folder of linked pages as well: report, whom to contact, plan, next list.",
)
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --site: the plan that 'plan --json' printed; default: planned anew.",
)
@click.option(
    "--list",
    "list_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --site: the .json that 'target' wrote beside the next list.",
)
@as_json_option
@allow_env_option
@quiet_option
def run(experiment: Path | None, **options: Unpack[RunOptions]) -> None:
    """Analyse EXPERIMENT and write its report and its numbers.

    Without EXPERIMENT, a simulated campaign whose truth is known is made in ./upliftlab-demo,
    assigned and analysed; with --world, one of the worked examples in ./upliftlab-NAME.

    \b
    Examples:
      upliftlab run
      upliftlab run --world churn
      upliftlab run experiments/hillstrom_email.yaml --data ~/data --out results
      upliftlab run experiments/spring.yaml --site --list spring_targets.parquet.json
      upliftlab run experiments/spring.yaml --audience public --out shared
    """
    data, ledger, lang = options["data"], options["ledger"], options["lang"]
    files = options["plan_file"], options["list_file"]
    if not options["site"] and any(files):
        raise click.UsageError("--plan and --list need --site")
    if options["site"] and options["audience"] == "public":
        raise click.UsageError("--site is for readers inside: its pages tell whom to contact")
    hushed, out, content, index = options["quiet"] or options["as_json"], options["out"], None, None
    if experiment is not None and options["world"] is not None:
        raise click.UsageError("--world makes an experiment of its own: leave out EXPERIMENT")
    if experiment is None:
        world = options["world"]
        made = demonstration(quiet=hushed) if world is None else worked(world, quiet=hushed)
        experiment, out = made, out or made.parents[1]
    with opened(experiment, quiet=hushed) as (found, tell):
        audience = options["audience"]
        analysis = found.analyze(data, ledger=ledger, progress=tell, audience=audience)
        if options["site"]:
            from upliftlab.cli.site import Beside, gather

            content = gather(found, analysis, Beside(data, ledger, *files), tell)
    page, numbers = _write(analysis, out, lang)
    if content is not None:
        from upliftlab.cli.site import write_site

        index = write_site(content, _folder(analysis, out), _root(out), lang)
    if options["as_json"]:
        _print_json(analysis)
    elif not options["quiet"]:
        _say_verdict(analysis)
        echo(f"Numbers: {numbers}")
        echo(f"Report:  {page}")
        if index is not None:
            echo(f"Site:    {index}")
    _fail_if_invalid(analysis)


@click.command()
@experiment_argument
@data_option
@ledger_option
@out_option
@audience_option
@format_option
@output_option
@as_json_option
@allow_env_option
@quiet_option
def analyze(  # noqa: PLR0913 - one parameter an option is how click calls
    experiment: Path,
    data: Path | None,
    ledger: Path | None,
    out: Path | None,
    *,
    audience: Audience,
    kind: str | None,
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Analyse EXPERIMENT and write its numbers (analysis.json), without a page.

    With --format they are written in that format instead.

    \b
    Examples:
      upliftlab analyze experiments/spring.yaml
      upliftlab analyze experiments/spring.yaml --json > spring.json
      upliftlab analyze experiments/spring.yaml --format csv --output spring.csv
    """
    form = _format(kind, output)
    with opened(experiment, quiet=quiet or as_json) as (found, tell):
        analysis = found.analyze(data, ledger=ledger, progress=tell, audience=audience)
    if as_json:
        _print_json(analysis)
        if out is None and kind is None:
            _fail_if_invalid(analysis)
            return
    numbers = output or _folder(analysis, out) / f"analysis{form.suffix}"
    atomic_write(numbers, form.write(analysis, "en"), None if output else _root(out))
    if not (quiet or as_json):
        _say_verdict(analysis)
        echo(f"Numbers: {numbers}")
    _fail_if_invalid(analysis)


@click.command()
@click.argument("analysis", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@out_option
@format_option
@pdf_option
@output_option
@lang_option
@click.option(
    "--workspace",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Whose configs/theme.yaml the page wears; default: the workspace around ANALYSIS.",
)
@quiet_option
def report(  # noqa: PLR0913 - one parameter an option is how click calls
    analysis: Path,
    out: Path | None,
    *,
    workspace: Path | None,
    kind: str | None,
    output: Path | None,
    lang: Code,
    quiet: bool,
) -> None:
    """Render the page of an ANALYSIS that `analyze` wrote.

    With --format it is written in that format instead.

    \b
    Examples:
      upliftlab report upliftlab-report/spring/analysis.json
      upliftlab report analysis.json --lang zh --out results
      upliftlab report analysis.json --format csv --output spring.csv
      upliftlab report analysis.json --pdf
      upliftlab report analysis.json --format png
    """
    from upliftlab.api import look_around
    from upliftlab.report.look import wearing
    from upliftlab.report.reading import read_analysis, taken_from
    from upliftlab.report.render import write

    form = _format(kind, output)
    found = read_analysis(analysis)
    with taken_from(analysis), wearing(look_around((workspace or analysis.parent) / analysis.name)):
        if kind is None:
            page = write(found, out or analysis.parent, lang=lang)
        else:
            page = output or (out or analysis.parent) / f"report{form.suffix}"
            atomic_write(page, form.write(found, lang))
    if not quiet:
        echo(f"Report:  {page}")


def _format(kind: str | None, output: Path | None) -> OutputFormat:
    """What is written, looked up before anything is read; JSON where nothing else is named."""
    from upliftlab.report.formats import output_format

    if kind is None and output is not None:
        raise click.UsageError(
            "--output needs --format: json, csv, html, md, xlsx, pdf, png or an installed one"
        )
    return output_format(kind or "json")


@contextmanager
def opened(experiment: Path, *, quiet: bool) -> Generator[tuple[Experiment, Progress]]:
    """An experiment and who is told of its steps, while progress and warnings are shown.

    Until the command ends, its pages wear what the workspace says.
    """
    from upliftlab.api import Experiment
    from upliftlab.report.look import wearing

    found = Experiment.from_yaml(experiment)
    for fault in found.warnings:
        if not quiet:
            echo_fault(fault)
    click.get_current_context().with_resource(wearing(found.look))
    with progress(quiet=quiet) as tell:
        tell("Starting")
        yield found, tell


def _write(analysis: Analysis, out: Path | None, lang: Code) -> tuple[Path, Path]:
    from upliftlab.report.export import to_json
    from upliftlab.report.render import page_of, render

    folder = _folder(analysis, out)
    page, numbers = page_of(folder, lang), folder / "analysis.json"
    written = {numbers: to_json(analysis), page: render(analysis, lang=lang).encode()}
    write_together(written, _root(out))
    return page, numbers


def _root(out: Path | None) -> Path | None:
    """The folder that the user named, by --out or by working in it: no link below is followed."""
    return None if out is not None and out not in OWN_FOLDERS else Path()


def _folder(analysis: Analysis, out: Path | None) -> Path:
    return out or OUT / safe_name(analysis.experiment)


def own_analysis(plan: Plan, root: Path) -> Analysis | None:
    """A final analysis of an experiment in its workspace; None where there is none.

    Wherever the user stands, it is the same one.
    """
    from upliftlab.report.reading import read_analysis

    name = plan.experiment.experiment
    for folder in (root / OUT / safe_name(name), root):
        try:
            found = read_analysis(folder / "analysis.json")
        except DataError:
            continue
        if found.experiment == name and found.verdict.code not in ("INVALID", "NOT FINAL"):
            return found
    return None


def _fail_if_invalid(analysis: Analysis) -> None:
    """A critical check that failed is a fault of the data, also to whoever reads exit codes."""
    if analysis.verdict.code == "INVALID":
        raise click.exceptions.Exit(FAULTY)


def _say_verdict(analysis: Analysis) -> None:
    verdict = analysis.verdict
    colour = {"SHIP": "green", "STOP": "red", "INVALID": "red"}.get(verdict.code, "yellow")
    echo(Styled(verdict.code, fg=colour, bold=True), f": {verdict.sentence}")
    if analysis.look is not None:
        echo(f"Look:    {analysis.look.message}")
    if verdict.selection is not None:
        echo(f"Chosen:  {verdict.selection}")
    for kept in analysis.promise.arms if analysis.promise else ():
        echo(f"Promise: {kept.sentence}")
    echo(f"Next:    {verdict.next_action}")
    for asked in analysis.checks:
        failed = asked.passed is False and asked.severity != "info"
        open_limit = asked.passed is None and asked.name.startswith("guardrail:")
        if (failed or open_limit) and asked.message not in verdict.sentence:
            echo("Check:   ", Styled(asked.message, fg="yellow"))


def _print_json(analysis: Analysis) -> None:
    from upliftlab.report.export import to_json

    echo_json(to_json(analysis))
