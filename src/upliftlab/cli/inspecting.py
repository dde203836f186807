"""The command that shows what a file of data holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upliftlab.cli.options import printed_option, quiet_option
from upliftlab.cli.output import FAULTY, Styled, echo, echo_block, echo_json, echo_table, progress
from upliftlab.errors.agreement import agreed

if TYPE_CHECKING:
    from rich.table import Table

    from upliftlab.results.inspection import InspectedColumn, InspectedFile

_SHOWN = 6
_SIGNS = {"\t": "tab"}
_KINDS = {
    "csv": "CSV",
    "parquet": "Parquet",
    "sheets": "workbook",
    "json": "JSON",
    "arrow": "Arrow",
    "duckdb": "DuckDB",
    "sqlite": "SQLite",
}


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; all of them by default.")
@click.option("--table", metavar="NAME", help="The table of a database file.")
@printed_option
@quiet_option
def inspect(
    files: tuple[str, ...], sheet: str | None, table: str | None, form: str, *, quiet: bool
) -> None:
    """Show what each FILE holds, and what to write of it in configs/sources.yaml.

    Its columns with types, ranges and gaps, which of them probably are ids, times, amounts, flags
    and arms, and where it can be read in two ways the line that says which. A FILE may be a pattern
    in quotes. No value of a customer is shown: of texts their form, and levels of many rows.

    \b
    Examples:
      upliftlab inspect orders.csv
      upliftlab inspect shop.xlsx --sheet Orders
      upliftlab inspect 'data/orders/*.parquet' customers.csv --format json
      upliftlab inspect crm.sqlite --table customers
    """
    from upliftlab.data_checks.inspect import Inside
    from upliftlab.data_checks.inspect import inspect as verb

    with progress(quiet=quiet or form != "text") as tell:
        tell("Reading")
        found = verb(files, Inside(sheet, table))
    if form == "json":
        from upliftlab.report.export import to_json

        echo_json(to_json(found))
    elif not quiet:
        for file in found.files:
            _say(file)
    if any(file.fault for file in found.files):
        raise click.exceptions.Exit(FAULTY)


def _say(file: InspectedFile) -> None:
    name = f"{file.file}, sheet {file.sheet}" if file.sheet else file.file
    if file.fault is not None:
        echo(Styled(name, bold=True), ": ", Styled(file.fault, fg="red"))
        echo()
        return
    parted = (
        f"columns parted by {_SIGNS.get(file.delimiter, file.delimiter)}" if file.delimiter else ""
    )
    told = (_KINDS[file.kind or ""], file.encoding or "", parted, agreed(f"{file.rows:,} rows"))
    echo(Styled(name, bold=True), ": ", ", ".join(part for part in told if part))
    echo_table(_columns(file))
    for column in file.columns:
        if column.fault:
            echo(Styled(column.name, fg="yellow"), ": ", column.fault)
    if file.ambiguous:
        names = ", ".join(column.name for column in file.ambiguous)
        echo(Styled(names, fg="yellow"), " can be read in several ways: choose below")
    echo("For configs/sources.yaml:")
    echo_block(file.suggestion or "")
    echo()


def _columns(file: InspectedFile) -> Table:
    from upliftlab.cli.tables import table

    rows = ((column.name, _cells(column, file.rows or 0)) for column in file.columns)
    return table("column", ["holds", "values", "missing", "distinct", "probably"], rows)


def _cells(column: InspectedColumn, rows: int) -> list[str]:
    if column.fault:
        return [column.meaning, "cannot be used", "", "", ""]
    missing = f"{column.missing / rows:.1%}" if column.missing and rows else ""
    distinct = "all" if column.unique else (f"{column.distinct:,}" if column.distinct else "")
    return [column.meaning, _values(column), missing, distinct, ", ".join(column.roles)]


def _values(column: InspectedColumn) -> str:
    if column.levels:
        levels = list(column.levels)
        return ", ".join(levels[:_SHOWN]) + (", …" if len(levels) > _SHOWN else "")
    if column.least is not None:
        return f"{column.least} to {column.greatest}"
    return f"like {column.shape}" if column.shape else ""
