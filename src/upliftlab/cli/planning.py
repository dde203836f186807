"""The command that plans: what a campaign can find out, before anybody is contacted."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from upliftlab.cli.analysis import opened, own_analysis
from upliftlab.cli.options import (
    OUT,
    Amount,
    allow_env_option,
    as_json_option,
    data_option,
    experiment_argument,
    lang_option,
    quiet_option,
)
from upliftlab.cli.output import echo, echo_json
from upliftlab.errors import DataError
from upliftlab.util.files import safe_name

if TYPE_CHECKING:
    from upliftlab.api import Experiment
    from upliftlab.config.models.limits import Tolerance
    from upliftlab.config.models.values import Money
    from upliftlab.planning.assumptions import PlanArguments
    from upliftlab.results.plan import PowerReport
    from upliftlab.text.language import Code


class PlanOptions(TypedDict):
    """The options that say what is assumed and how it is told, as click hands them on."""

    baseline_mean: float | None
    baseline_sd: float | None
    rate: float | None
    explained: float | None
    household_size: float | None
    icc: float | None
    redemption_rate: float | None
    effect: Tolerance | None
    power: float | None
    roi_within: float | None
    customers: int | None
    per_week: int | None
    budget: Money | None
    simulate: int | None
    lang: Code
    as_json: bool
    quiet: bool


class ShareType(click.ParamType[float]):
    """A percentage between 0 and 100 %."""

    name = "percentage"

    def __init__(self, *, proper: bool = False) -> None:
        """A share, which may not be 0 or 1 where it is `proper`."""
        self.proper = proper

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read 40% or 0.4."""
        from upliftlab.config.models.values import parse_fraction

        try:
            share = float(parse_fraction(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not 0 <= share <= 1 or (self.proper and share in (0, 1)):
            self.fail(f"{value} is not between 0% and 100%", param, ctx)
        return share


class EffectType(click.ParamType["Tolerance"]):
    """An effect: a percentage of the mean, points of a share, or an amount per customer."""

    name = "effect"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Tolerance:
        """Read 5%, 0.4 points or 0.40."""
        from upliftlab.config.models.limits import parse_tolerance

        try:
            return parse_tolerance(value)
        except ValueError as error:
            self.fail(str(error).replace("a tolerance", "an effect"), param, ctx)


_ABOVE = click.FloatRange(min=0, min_open=True)
_ONE = click.IntRange(min=1)


@click.command()
@experiment_argument
@data_option
@click.option(
    "--like",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the control group of an earlier campaign's analysis.json as the baseline.",
)
@click.option("--baseline-mean", type=float, metavar="X", help="The metric's mean per customer.")
@click.option("--baseline-sd", type=_ABOVE, metavar="X", help="… and its standard deviation.")
@click.option(
    "--rate", type=ShareType(proper=True), metavar="P", help="The mean of a share, as 2%."
)
@click.option(
    "--explained",
    type=ShareType(),
    metavar="P",
    help="Share of the variance that covariates explain.",
)
@click.option("--household-size", type=click.FloatRange(min=1), metavar="X",
              help="Customers of an average household, with a baseline in figures.")  # fmt: skip
@click.option("--icc", type=ShareType(), metavar="P", help="… and how alike they are: 0% to 100%.")
@click.option(
    "--redemption-rate",
    type=ShareType(),
    metavar="P",
    help="Share of treated customers who redeem.",
)
@click.option(
    "--effect",
    type=EffectType(),
    metavar="E",
    help="The expected effect: 5%, 0.4 points of a share, or 0.40 per customer; default: 5%.",
)
@click.option("--power", type=ShareType(proper=True), metavar="P",
              help="The chance of finding it that is wanted; default: 80%.")  # fmt: skip
@click.option(
    "--roi-within",
    type=_ABOVE,
    metavar="X",
    help="Half of the interval of ROI that is wanted, 0.2 being 20 points; default: as exact as "
    "ROI is with the customers that the effect takes.",
)
@click.option("--customers", type=_ONE, metavar="N", help="Customers in all arms together.")
@click.option("--per-week", type=_ONE, metavar="N", help="Customers who arrive in a week.")
@click.option(
    "--budget",
    type=Amount(),
    metavar="AMOUNT",
    help="What the campaign may cost, fixed costs included: find the best shares of its arms.",
)
@click.option(
    "--simulate",
    type=click.IntRange(25, 10_000),
    metavar="[N]",
    is_flag=False,
    flag_value=400,
    help="Check the power: play the plan N times on the customers' own past, with the expected "
    "effect and without any, and analyse each as 'run' does; N is 400 where none is given.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with power curves as well.",
)
@lang_option
@as_json_option
@allow_env_option
@quiet_option
def plan(
    experiment: Path,
    data: Path | None,
    like: Path | None,
    html: Path | None,
    **options: Unpack[PlanOptions],
) -> None:
    """Tell what EXPERIMENT can find out, before anybody is contacted.

    Customers needed, the smallest effect that is found, power, break-even, the price of the
    holdout, and how exactly ROI will be known. What customers do without the campaign is measured
    on their own time before it, taken from an earlier campaign (--like), or given in figures.

    \b
    Examples:
      upliftlab plan experiments/spring.yaml --effect 5%
      upliftlab plan experiments/spring.yaml --like upliftlab-report/winter/analysis.json
      upliftlab plan experiments/spring.yaml --rate 2% --customers 100000 --effect "0.4 points"
      upliftlab plan experiments/spring.yaml --baseline-mean 9.85 --baseline-sd 31 --html plan.html
      upliftlab plan experiments/spring.yaml --redemption-rate 4% --budget "5000 EUR"
      upliftlab plan experiments/spring.yaml --effect 20% --simulate
    """
    _refuse_usage(options, like)
    outlook = _outlook(experiment, data, like, options)
    if html is not None:
        from upliftlab.report.outlook import write

        write(outlook, html, lang=options["lang"])
    if options["as_json"]:
        from upliftlab.report.export import to_json

        echo_json(to_json(outlook))
    elif not options["quiet"]:
        from upliftlab.cli.outlook import say

        say(outlook)
        if html is not None:
            echo(f"Page: {html}")


def _refuse_usage(options: PlanOptions, like: Path | None) -> None:
    """Refuse options that exclude or need one another."""
    mean, sd, rate = options["baseline_mean"], options["baseline_sd"], options["rate"]
    if rate is not None and (mean is not None or sd is not None):
        raise click.UsageError("--rate excludes --baseline-mean and --baseline-sd")
    if mean is None and sd is not None:
        raise click.UsageError("--baseline-sd needs --baseline-mean")
    if mean is None and rate is None:
        if options["household_size"] is not None or options["icc"] is not None:
            raise click.UsageError("--household-size and --icc need a baseline in figures")
    elif like is not None:
        raise click.UsageError("--like and a baseline in figures exclude each other")


def _outlook(
    experiment: Path, data: Path | None, like: Path | None, options: PlanOptions
) -> PowerReport:
    """Load and plan; data are read for what the options do not say."""
    with (
        opened(experiment, quiet=options["quiet"] or options["as_json"]) as (found, tell),
        _led_on(experiment, data, found),
    ):
        own, further = own_analysis(found.resolved, found.root), None
        if (trials := options["simulate"]) is not None:
            from upliftlab.validation.power_check import simulated

            further = simulated(trials)
        return found.plan(
            data, like=like, own=own, progress=tell, further=further, **_assumed(options)
        )


def _assumed(options: PlanOptions) -> PlanArguments:
    return {
        "baseline_mean": options["baseline_mean"],
        "baseline_sd": options["baseline_sd"],
        "rate": options["rate"],
        "explained": options["explained"],
        "household_size": options["household_size"],
        "icc": options["icc"],
        "redemption_rate": options["redemption_rate"],
        "effect": options["effect"],
        "power": options["power"],
        "roi_within": options["roi_within"],
        "customers": options["customers"],
        "per_week": options["per_week"],
        "budget": options["budget"],
    }


@contextmanager
def _led_on(experiment: Path, data: Path | None, found: Experiment) -> Generator[None]:
    """Where the customers' past tells no baseline, say which commands go on from there."""
    try:
        yield
    except DataError as error:
        if error.faults[0].code != "UL321":
            raise
        named = ["upliftlab", "run", str(experiment), *(["--data", str(data)] if data else [])]
        folder = found.root / OUT / safe_name(found.name)
        away = [] if found.root.resolve() == Path.cwd() else ["--out", str(folder)]
        run = shlex.join([*named, *away])
        named[1] = "plan"
        again = shlex.join(named)
        remedy = (
            f"if it has run, '{run}' writes its analysis, whose control group '{again}' then "
            f"takes; if one like it has, '{again} --like ANALYSIS.json'; else say what such "
            f"customers do, in figures such as '{again} --baseline-mean 10 --baseline-sd 30', or "
            "in the experiment by planning: {baseline: {mean: 10, sd: 30}}"
        )
        raise DataError(replace(error.faults[0], remedy=remedy)) from error
