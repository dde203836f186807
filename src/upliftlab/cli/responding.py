"""The command that learns who responds: uplift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.analysis import opened
from upliftlab.cli.options import (
    OUT,
    allow_env_option,
    as_json_option,
    data_option,
    experiment_argument,
    lang_option,
    ledger_option,
    out_option,
    quiet_option,
)
from upliftlab.cli.output import echo, echo_json
from upliftlab.util.files import safe_name, write_together

if TYPE_CHECKING:
    from upliftlab.text.language import Code


@click.command()
@experiment_argument
@data_option
@ledger_option
@out_option
@lang_option
@as_json_option
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the model down, for 'target --model'.",
)
@allow_env_option
@quiet_option
def uplift(  # noqa: PLR0913 - one parameter an option is how click calls
    experiment: Path,
    data: Path | None,
    ledger: Path | None,
    out: Path | None,
    lang: Code,
    *,
    save: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Learn from EXPERIMENT who responds to what, and whether targeting pays.

    Models of the plan's section 'uplift' are judged on customers they were not shown. Where they
    do not put those who respond more before the others, there is no evidence that targeting pays,
    and nothing is ranked.

    \b
    Examples:
      upliftlab uplift experiments/spring.yaml
      upliftlab uplift experiments/spring.yaml --json > responses.json
      upliftlab uplift experiments/spring.yaml --save spring.model.json
    """
    with opened(experiment, quiet=quiet or as_json) as (asked, tell):
        responses = asked.learn(data, ledger=ledger, save=save, progress=tell)
    from upliftlab.report.export import to_json

    numbers = to_json(responses)
    if as_json:
        echo_json(numbers)
        if out is None:
            return
    from upliftlab.report.uplift import render

    folder = out or OUT / safe_name(responses.experiment)
    page = folder / ("uplift.html" if lang == "en" else f"uplift.{lang}.html")
    written = {folder / "uplift.json": numbers, page: render(responses, lang=lang).encode()}
    write_together(written, None if out else Path())
    if not (quiet or as_json):
        from upliftlab.cli.responses import say

        say(responses)
        echo(f"Numbers: {folder / 'uplift.json'}")
        echo(f"Page:    {page}")
