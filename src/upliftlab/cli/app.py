"""The command line: parses, calls a verb, prints, exits.

Heavy modules are imported inside the commands that need them: `check` must start fast.
Exit codes: 0 clean, 1 findings or faults, 2 wrong usage, 3 internal fault.
"""

from __future__ import annotations

import os
import sys

import click

from upliftlab import __version__
from upliftlab.cli.analysis import analyze, report, run, simulate
from upliftlab.cli.campaign import amend, assign, engine, export, ledger, lock, verify
from upliftlab.cli.checking import check, explain, schema
from upliftlab.cli.output import FAULTY, STOPPED, painted
from upliftlab.cli.planning import plan
from upliftlab.cli.responding import uplift
from upliftlab.cli.targeting import target
from upliftlab.cli.validation import validate
from upliftlab.errors import UpliftLabError

INTERNAL = 3
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """A group that turns every failure into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; faults become one line each and exit code 1."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            ctx.exit(STOPPED)
        except UpliftLabError as error:
            for fault in error.faults:
                click.echo(painted(fault), err=True)
            ctx.exit(FAULTY)


def main() -> None:
    """Run the command line; an internal fault asks for a report and exits with 3."""
    try:
        commands(standalone_mode=True)
    except BrokenPipeError:
        # The reader of our output went away; closing stdout quietly is what it expects.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAULTY)
    except OSError as error:
        click.echo(f"UL601 cannot be written: {error.strerror or error}", err=True)
        sys.exit(FAULTY)
    except Exception as error:
        # The one door for what nobody foresaw: a user is told what to send, not shown a trace.
        if os.environ.get("UPLIFTLAB_DEBUG"):
            raise
        click.echo(
            f"UL999 internal fault ({type(error).__name__}: {error}); please report it, "
            "with the trace that UPLIFTLAB_DEBUG=1 shows",
            err=True,
        )
        sys.exit(INTERNAL)


@click.group(cls=Commands, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="upliftlab")
def commands() -> None:
    """Learn whether campaigns pay: incremental profit and ROI, with honest intervals.

    \b
    Examples:
      upliftlab run                                  the bundled demonstration
      upliftlab run experiments/spring.yaml          analyse and write the report
      upliftlab check experiments configs            check the YAML, as CI would
      upliftlab analyze experiments/spring.yaml --json | jq .verdict
    """


_analysis = (run, check, analyze, report, simulate, explain, schema)
_campaign = (plan, lock, amend, assign, export, verify, ledger, engine, uplift, target, validate)
for _command in (*_analysis, *_campaign):
    commands.add_command(_command)
