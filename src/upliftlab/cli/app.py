"""The command line: parses, calls a verb, prints, exits.

Heavy modules are imported inside the commands that need them: `check` must start fast.
Exit codes: 0 clean, 1 findings or faults, 2 wrong usage, 3 internal fault, 130 Ctrl-C, 143 ended.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from upliftlab import __version__
from upliftlab.cli.analysis import analyze, report, run
from upliftlab.cli.beginning import init
from upliftlab.cli.campaign import amend, assign, export, ledger, lock, verify
from upliftlab.cli.checking import check, explain, schema
from upliftlab.cli.engines import engine
from upliftlab.cli.inspecting import inspect
from upliftlab.cli.interrupts import deafen, listen
from upliftlab.cli.output import FAULTY, echo, echo_block, echo_fault, ready_streams, silence_output
from upliftlab.cli.planning import plan
from upliftlab.cli.portfolio import portfolio
from upliftlab.cli.responding import uplift
from upliftlab.cli.simulating import simulate
from upliftlab.cli.status import status
from upliftlab.cli.targeting import target
from upliftlab.cli.validation import validate
from upliftlab.errors import UpliftLabError

INTERNAL = 3
_BETWEEN = 6
"""Columns of a line of help that hold neither a command nor what it does."""
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_LIFE: dict[str, tuple[click.Command, ...]] = {
    "Begin": (init, simulate, inspect, status),
    "Declare": (check, explain, schema),
    "Plan and assign": (plan, lock, assign, export, amend),
    "Analyse": (run, analyze, report),
    "Choose whom to contact next": (uplift, target, portfolio),
    "Keep and prove": (verify, ledger, validate, engine),
}
"""Every command, in the order of a campaign's life."""


class Commands(click.Group):
    """A group that turns every failure into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which they were added."""
        return list(self.commands)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """The commands by what part of a campaign's life they are of."""
        widest = max(map(len, self.commands))
        room = formatter.width - widest - _BETWEEN
        for title, part in _LIFE.items():
            with formatter.section(title):
                rows = [(f"{each.name:<{widest}}", each.get_short_help_str(room)) for each in part]
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; faults become one line each and exit code 1."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_stopped())
        except UpliftLabError as error:
            for fault in error.faults:
                echo_fault(fault)
            ctx.exit(FAULTY)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:  # noqa: ANN401 - click's own signature
        """Run with arguments; what click says of wrong ones is cleaned, as it repeats them."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except click.ClickException as error:
            sys.exit(_refused(error))
        except click.Abort:  # Ctrl-C while arguments are read
            sys.exit(_stopped())
        sys.exit(code if isinstance(code, int) else 0)


def _stopped() -> int:
    """The exit code after a signal, and a word about it."""
    code = deafen()
    echo("Stopped.", err=True)
    return code


def _refused(error: click.ClickException) -> int:
    """Say what click refuses, as click does."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        echo_block(error.ctx.get_usage(), err=True)
        echo_block(f"Try '{error.ctx.command_path} --help' for help.\n", err=True)
        echo(err=True)
    echo(f"Error: {error.format_message()}", err=True)
    return error.exit_code


def main() -> None:
    """Run the command line; an internal fault asks for a report and exits with 3."""
    ready_streams()
    listen()
    code = INTERNAL
    try:
        code = _code()
    except KeyboardInterrupt:  # outside of a command
        code = _stopped()
    finally:
        deafen()
    sys.exit(code)


def _code() -> int:
    """Run the command line to its end, which includes that its output has arrived."""
    try:
        try:
            commands()
        except SystemExit as ended:
            sys.stdout.flush()
            return ended.code if isinstance(ended.code, int) else FAULTY
    except BrokenPipeError:
        # The reader of our output went away; closing stdout quietly is what it expects.
        silence_output()
        return FAULTY
    except OSError as error:
        silence_output()
        echo(f"UL601 cannot be written: {error.strerror or error}", err=True)
        return FAULTY
    except Exception as error:  # noqa: BLE001 - the one door for what nobody foresaw
        _internal(error)
    return INTERNAL


def _internal(error: Exception) -> None:
    """A user is told what to send; the trace is shown to whoever asks for it, without secrets."""
    if os.environ.get("UPLIFTLAB_DEBUG"):
        echo_block("".join(traceback.format_exception(error)), err=True)
    echo(
        f"UL999 internal fault ({type(error).__name__}: {error}); please report it, "
        "with the trace that UPLIFTLAB_DEBUG=1 shows",
        err=True,
    )


@click.group(cls=Commands, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="upliftlab")
def commands() -> None:
    """Learn whether campaigns pay: incremental profit and ROI, with honest intervals.

    \b
    Examples:
      upliftlab run                                  the bundled demonstration
      upliftlab run --world churn                    one of five worked examples
      upliftlab init shop --template winback         begin a workspace
      upliftlab run experiments/spring.yaml          analyse and write the report
      upliftlab inspect orders.csv                   see what a file holds
      upliftlab check experiments configs            check the YAML, as CI would
      upliftlab analyze experiments/spring.yaml --json | jq .verdict
    """


for _command in (each for part in _LIFE.values() for each in part):
    commands.add_command(_command)
