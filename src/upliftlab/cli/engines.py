"""The command that tries an engine: engine check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upliftlab.cli.options import allow_env_option, as_json_option, quiet_option
from upliftlab.cli.output import FAULTY, Styled, echo, echo_fault, echo_json, progress
from upliftlab.errors import Diagnostic, EngineError

if TYPE_CHECKING:
    from upliftlab.config.models import EngineSettings
    from upliftlab.conformance import CaseResult
    from upliftlab.engines.base import Engine, Locate

_COLOURS = {"ok": "green", "failed": "red", "left out": "yellow"}


@click.group()
def engine() -> None:
    """Ask an engine whether it is fit to assign customers and to analyse them."""


@engine.command(name="check")
@click.argument("experiment", metavar="EXPERIMENT|NAME")
@as_json_option
@allow_env_option
@quiet_option
def engine_check(experiment: str, *, as_json: bool, quiet: bool) -> None:
    """Hold an engine, that of EXPERIMENT or the one called NAME, against what upliftlab needs.

    It is asked for the published hashes, and for queries and files whose right answers are known.
    All tables are made for this and vanish with it; none of yours is read.

    \b
    Examples:
      upliftlab engine check experiments/spring.yaml
      upliftlab engine check duckdb --json
    """
    from upliftlab.conformance import conform
    from upliftlab.engines.open import open_engine
    from upliftlab.util.temporary import temporary

    settings = _settings(experiment, quiet=quiet or as_json)
    named = list[str]()

    def opener(locate: Locate, folders: Sequence[Path]) -> Engine:
        opened = open_engine(settings, locate, folders)
        named.append(opened.description)
        return opened

    with progress(quiet=quiet or as_json) as tell, temporary() as folder:
        tell("Trying the engine")
        outcomes = conform(opener, folder)
    if as_json:
        echo_json(_as_json(named[0], outcomes))
    else:
        _say(named[0], outcomes, quiet=quiet)
    if any(each.wrong for each in outcomes):
        raise click.exceptions.Exit(FAULTY)


def _settings(given: str, *, quiet: bool) -> EngineSettings:
    """The engine of an experiment where there is such a file, else the one of that name."""
    path = Path(given)
    if path.is_file():
        from upliftlab.config import load

        loaded = load(path)
        for fault in loaded.warnings:
            if not quiet:
                echo_fault(fault)
        return loaded.plan.engine
    from pydantic import ValidationError

    from upliftlab.config.models.sources import settings_model
    from upliftlab.engines.open import engine_names, unknown_engine

    if given not in engine_names():
        raise unknown_engine(given)
    try:
        return settings_model(given).model_validate({"name": given})
    except ValidationError as error:
        lacking = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
        message = f"the engine '{given}' needs settings of its own: {lacking}"
        remedy = "name an experiment that declares them under 'engine'"
        raise EngineError(Diagnostic("UL518", message, remedy)) from error


def _say(name: str, outcomes: Sequence[CaseResult], *, quiet: bool) -> None:
    for outcome in outcomes:
        case = outcome.case
        if not quiet:
            status = Styled(f"{outcome.status:<9}", fg=_COLOURS[outcome.status])
            echo(status, f"{case.name:<17} {outcome.left_out or case.title}")
        code = "UL515" if case.name == "hashes" else "UL517"
        for wrong in outcome.wrong:
            echo_fault(Diagnostic(code, f"{name}, {case.name}: {wrong}", case.title))
    if quiet:
        return
    if any(each.case.name == "hashes" and not each.wrong for each in outcomes):
        echo(f"{name} hashes as published.")
    counts = Counter(each.status for each in outcomes)
    echo(f"{name}: {', '.join(f'{counts[status]} {status}' for status in _COLOURS)}.")


def _as_json(name: str, outcomes: Sequence[CaseResult]) -> str:
    cases = [
        {
            "name": each.case.name,
            "title": each.case.title,
            "status": each.status,
            "wrong": list(each.wrong),
            "left_out": each.left_out,
        }
        for each in outcomes
    ]
    return json.dumps({"engine": name, "cases": cases}, ensure_ascii=False)
