"""The command that chooses whom to contact next: target."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from upliftlab.cli.analysis import at_work
from upliftlab.cli.options import (
    allow_env_option,
    as_json_option,
    data_option,
    experiment_argument,
    ledger_option,
    quiet_option,
)
from upliftlab.cli.output import FAULTY, Styled, echo, echo_json
from upliftlab.config.models.values import Money, parse_money
from upliftlab.errors import DataError, Diagnostic, UpliftLabError
from upliftlab.util.files import atomic_write, safe_name
from upliftlab.util.temporary import temporary

if TYPE_CHECKING:
    from upliftlab.analysis.analyze import AnalysisContext
    from upliftlab.config import Loaded
    from upliftlab.results.targets import Targets
    from upliftlab.targeting.model import FittedModel
    from upliftlab.targeting.request import TargetRequest


class TargetOptions(TypedDict):
    """The options of `target`, as click hands them on."""

    budget: Money | None
    customers: str
    output: Path | None
    model: Path | None
    day: date | None
    data: Path | None
    ledger: Path | None
    force: bool
    as_json: bool
    quiet: bool


class Amount(click.ParamType[Money]):
    """An amount of money that is not negative."""

    name = "amount"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Money:
        """Read `20000` or `20000 EUR`."""
        try:
            money = parse_money(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if money.amount < 0:
            self.fail("a budget cannot be negative", param, ctx)
        return money


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
    """
    hushed = options["quiet"] or options["as_json"]
    places = experiment, options["data"], options["ledger"]
    with (
        temporary() as folder,
        at_work(*places, quiet=hushed, folders=[folder]) as (loaded, setting),
    ):
        found, output = _targets(loaded, setting, options, folder)
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


def _targets(
    loaded: Loaded, setting: AnalysisContext, options: TargetOptions, folder: Path
) -> tuple[Targets, Path]:
    from upliftlab.targeting.candidates import look
    from upliftlab.targeting.request import examine
    from upliftlab.targeting.target import target as verb

    order = _order(loaded, setting, options, folder)
    examine(loaded.plan, order)
    _spare_sources(loaded, order)
    look(loaded.plan, order.source, setting.engine)
    basis = _basis(loaded, setting, options, order)
    return verb(loaded.plan, order, basis, setting), order.output


def _order(
    loaded: Loaded, setting: AnalysisContext, options: TargetOptions, folder: Path
) -> TargetRequest:
    from zoneinfo import ZoneInfo

    from upliftlab.config.shared import read_shared
    from upliftlab.ledger import Ledger
    from upliftlab.ledger.campaign import contacts_on_record
    from upliftlab.targeting.candidates import source_named
    from upliftlab.targeting.request import TargetRequest, budget_of

    plan, workspace = loaded.plan, loaded.workspace
    declared = read_shared(workspace, workspace.configs).sources or {}
    today = setting.now.astimezone(ZoneInfo(plan.program.time_zone)).date()
    named = options["ledger"]
    ledger = Ledger(named) if named else Ledger.within(workspace.root)
    return TargetRequest(
        customers=options["customers"],
        source=source_named(plan, options["customers"], declared, workspace.locate),
        budget=budget_of(plan, options["budget"]),
        day=options["day"] or today,
        output=options["output"]
        or Path(f"{safe_name(plan.experiment.experiment)}_targets.parquet"),
        contacts=contacts_on_record(ledger, plan, folder),
        force=options["force"],
    )


def _basis(
    loaded: Loaded, setting: AnalysisContext, options: TargetOptions, order: TargetRequest
) -> FittedModel:
    """A model that was saved, or one that is learned now."""
    from upliftlab.targeting.target import afresh, saved

    if model := options["model"]:
        return saved(loaded.plan, model, setting)
    return afresh(loaded.plan, order, setting)


def _spare_sources(loaded: Loaded, order: TargetRequest) -> None:
    """Refuse to write the list over a table that is read.

    Raises:
        DataError: UL641.
    """
    from upliftlab.engines.files import files_of

    plan, output = loaded.plan, order.output.resolve()
    for source in (plan.customers, order.source, *plan.sources.values()):
        with suppress(UpliftLabError):
            if output in [
                f.resolve() for f in files_of(source.file or "", loaded.workspace.locate)
            ]:
                break
    else:
        return
    message = f"{order.output} is a table that is read"
    raise DataError(Diagnostic("UL641", message, "name another file by --output"))


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
        echo(f"Unknown: {count:,} customers with a new level of '{feature}', as if missing")
    echo(f"List:    {output}")
