"""Where the user comes in.

Next to nothing is imported before `main` listens: Ctrl-C is to be quiet from the first moment on.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # as in `typing`, whose import takes its time
if TYPE_CHECKING:
    from types import FrameType

    from upliftlab.cli.app import commands

__all__ = ["commands", "main"]


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    from upliftlab.cli.app import main as run

    run()


def _leave(number: int, _frame: FrameType | None) -> None:
    """While modules are imported there is nothing to clean up, and nothing to say."""
    os._exit(128 + number)


def __getattr__(name: str) -> object:
    """`commands`, imported when it is asked for."""
    if name != "commands":
        raise AttributeError(name)
    from upliftlab.cli import app

    return app.commands
