"""The command that puts campaigns together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.options import OUT, as_json_option, lang_option, quiet_option
from upliftlab.cli.output import echo, echo_json
from upliftlab.util.files import write_together

if TYPE_CHECKING:
    from upliftlab.text.language import Code


@click.command()
@click.argument("analyses", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--holdout",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The analysis.json that compares a universal holdout with everybody else.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for the page and the numbers; default: {OUT}.",
)
@lang_option
@as_json_option
@quiet_option
def portfolio(  # noqa: PLR0913 - one parameter an option is how click calls
    analyses: tuple[Path, ...],
    holdout: Path | None,
    out: Path | None,
    lang: Code,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Put the ANALYSES of campaigns together: what the program added, and what to test next.

    ANALYSES are analysis.json files that 'run' wrote, or folders of them; without any, all in
    upliftlab-report. No data are read.

    \b
    Examples:
      upliftlab portfolio
      upliftlab portfolio spring/analysis.json autumn/analysis.json --out program
      upliftlab portfolio upliftlab-report --holdout upliftlab-report/holdout_2026/analysis.json
      upliftlab portfolio --json | jq .profit
    """
    from upliftlab.api import look_around
    from upliftlab.api import portfolio as verb
    from upliftlab.report.look import wearing
    from upliftlab.report.portfolio import render, to_csv

    kept = holdout and holdout.resolve()
    files = [each for each in _files(analyses or (OUT,)) if each.resolve() != kept]
    found = verb(files, holdout=holdout)
    numbers = found.to_json()
    if as_json:
        echo_json(numbers)
        if out is None:
            return
    folder = out or OUT
    page = folder / ("portfolio.html" if lang == "en" else f"portfolio.{lang}.html")
    with wearing(look_around(files[0])):
        written = {
            folder / "portfolio.json": numbers,
            folder / "portfolio.csv": to_csv(found),
            page: render(found, lang=lang).encode(),
        }
    write_together(written, None if out else Path())
    if not (quiet or as_json):
        echo(found.sentence)
        for campaign in found.campaigns:
            if not campaign.counted:
                echo(f"Left out: {campaign.experiment}")
        echo(f"Numbers: {folder / 'portfolio.json'}")
        echo(f"Page:    {page}")


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files that are named, and every analysis.json in a folder of a folder."""
    for path in paths:
        if path.is_dir():
            yield from sorted({*path.glob("analysis.json"), *path.glob("*/analysis.json")})
        elif path.exists():
            yield path
