"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from upliftlab.config.models.values import Money, parse_money

OUT = Path("upliftlab-report")

experiment_argument = click.argument(
    "experiment", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
data_option = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the data files; default: the workspace's data/, else the workspace.",
)
out_option = click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for the results; default: {OUT}/<experiment>.",
)
ledger_option = click.option(
    "--ledger",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The ledger's folder; default: ledger/ in the workspace.",
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")


def _allow(ctx: click.Context, _param: click.Parameter, names: tuple[str, ...]) -> None:
    """Let connections take these variables until the command ends."""
    from upliftlab.config.environment import allowed_environment

    ctx.with_resource(allowed_environment(names))


allow_env_option = click.option(
    "--allow-env",
    metavar="NAME",
    multiple=True,
    expose_value=False,
    callback=_allow,
    help="Let a connection's password be this environment variable; may be given again.",
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Print nothing but faults.")
lang_option = click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the page."
)
audience_option = click.option(
    "--audience",
    type=click.Choice(["internal", "public"]),
    default="internal",
    show_default=True,
    help="Who reads it: for the public no level of fewer than 10 customers of an arm stands by "
    "itself, and owner, files, conditions and sums are left out.",
)
printed_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How it is printed.",
)
format_option = click.option(
    "--format",
    "kind",
    metavar="NAME",
    help="Write json, csv, html, md, xlsx, pdf, png or a format that an installed package adds.",
)
pdf_option = click.option(
    "--pdf", "kind", flag_value="pdf", help="Print the page to PDF: --format pdf."
)
output_option = click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that --format writes; default: beside what is written without it.",
)


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
