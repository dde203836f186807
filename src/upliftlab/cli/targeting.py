"""The command that chooses whom to contact next: target."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from upliftlab.cli.analysis import opened
from upliftlab.cli.options import (
    Amount,
    allow_env_option,
    as_json_option,
    data_option,
    experiment_argument,
    ledger_option,
    quiet_option,
)
from upliftlab.cli.output import FAULTY, Styled, echo, echo_json
from upliftlab.config.models.values import Money
from upliftlab.errors.agreement import agreed
from upliftlab.util.files import atomic_write, safe_name

if TYPE_CHECKING:
    from upliftlab.results.promises import TargetPolicy
    from upliftlab.results.targets import Targets


class TargetOptions(TypedDict):
    """The options of `target`, as click hands them on."""

    budget: Money | None
    customers: str
    output: Path | None
    model: Path | None
    policy: TargetPolicy
    arm: str | None
    day: date | None
    data: Path | None
    ledger: Path | None
    force: bool
    as_json: bool
    quiet: bool


class Day(click.ParamType[date]):
    """A day as in 2026-03-02."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Read a day."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is not a day such as 2026-03-02", param, ctx)


@click.command()
@experiment_argument
@click.option(
    "--customers",
    metavar="NAME",
    required=True,
    help="Whom to choose from: a source of configs/sources.yaml, or a file of the data folder.",
)
@click.option(
    "--budget",
    metavar="AMOUNT",
    type=Amount(),
    help="What the campaign may cost, such as 20000 or '20000 EUR'; default: the plan's.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The list, as .parquet or .csv; default: <experiment>_targets.parquet.",
)
@click.option(
    "--model",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A model that 'uplift --save' wrote; default: learn afresh.",
)
@click.option(
    "--policy",
    type=click.Choice(["model", "everybody", "today", "tree"]),
    default="model",
    show_default=True,
    help="Those whom a model chooses, everybody who may be contacted (with --arm), those whom the "
    "plan's rule of today chooses, or those whom the readable tree of 'uplift' does.",
)
@click.option("--arm", metavar="ARM", help="The arm that --policy everybody rolls out.")
@click.option("--day", metavar="DATE", type=Day(), help="The day of contact; default: today.")
@click.option("--force", is_flag=True, help="Write a list although nothing shows that it pays.")
@data_option
@ledger_option
@as_json_option
@allow_env_option
@quiet_option
def target(experiment: Path, **options: Unpack[TargetOptions]) -> None:
    """Choose whom to contact next, with which arm of EXPERIMENT, within a budget.

    The list names customers, arms, offers and channels, with what is expected of each and why
    they are in it. A random part of those chosen is held out, so that the next campaign can be
    measured. Nobody is in it who may not be contacted.

    Where nothing shows that targeting pays, no list is written and the exit code is 1; --force
    writes one all the same, and that is on record in it.

    \b
    Examples:
      upliftlab target experiments/spring.yaml --budget 20000 --customers next_month
      upliftlab target experiments/spring.yaml --customers may.parquet --output may.csv
      upliftlab target experiments/spring.yaml --customers next_month --json | jq .arms
      upliftlab target experiments/spring.yaml --customers all --policy everybody --arm email
      upliftlab target experiments/churn.yaml --customers all --policy today --budget 20000
      upliftlab target experiments/churn.yaml --customers all --policy tree --budget 20000
    """
    hushed = options["quiet"] or options["as_json"]
    with opened(experiment, quiet=hushed) as (asked, tell):
        output = options["output"] or Path(f"{safe_name(asked.name)}_targets.parquet")
        found = asked.target(
            options["customers"],
            options["data"],
            ledger=options["ledger"],
            progress=tell,
            budget=options["budget"],
            output=output,
            model=options["model"],
            policy=options["policy"],
            arm=options["arm"],
            day=options["day"],
            force=options["force"],
        )
    from upliftlab.report.export import to_json

    numbers = to_json(found)
    if not found.abstained:
        atomic_write(output.with_name(f"{output.name}.json"), numbers)
    if options["as_json"]:
        echo_json(numbers)
    elif not options["quiet"]:
        _say(found, output)
    if found.abstained:
        raise click.exceptions.Exit(FAULTY)


def _say(found: Targets, output: Path) -> None:
    from upliftlab.text.language import Language

    colour = "red" if found.abstained or found.forced else "green"
    echo(Styled(found.sentence, fg=colour))
    if found.abstained:
        echo("No list is written; --force writes one all the same.")
        return
    english = Language("en")
    for arm in found.arms:
        money = english.money(arm.expected_profit, found.currency)
        name = Styled(arm.arm, bold=True)
        echo(f"{arm.customers:>12,}  ", name, f", expected profit {money}")
    echo(f"{found.held_out:>12,}  held out, to measure the next campaign")
    echo(f"{found.not_chosen:>12,}  not chosen")
    for reason, count in found.excluded.items():
        echo(f"{count:>12,}  {reason.replace('_', ' ')}")
    for feature, count in found.unseen.items():
        echo(agreed(f"Unknown: {count:,} customers with a new level of '{feature}', as if missing"))
    echo(f"List:    {output}")
