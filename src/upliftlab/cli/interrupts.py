"""Ctrl-C and requests to end: heard at once, also by libraries that swallow them.

A signal raises `KeyboardInterrupt` wherever the program happens to be. That may be inside a
weak reference's callback, where Python prints and forgets it, or inside a library that tries an
import and takes any exception for a no. So it is raised again until it is on its way out.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Final

AGAIN: Final = 0.25
"""Seconds after which an interrupt that nobody is handling is raised again."""
_PATIENCE: Final = 2
"""So many signals leave cleaning up undisturbed; whoever sends more means it."""
_HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked: list[int] = []
"""The signals that came; the first says how the program ends."""


def listen() -> None:
    """Turn signals into exceptions that come through; those ignored from outside stay so."""
    for number in _HEARD:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)
    signal.signal(signal.SIGALRM, _raise_again)
    sys.unraisablehook = _without_interrupts


def deafen() -> int:
    """Let further signals end the program as they would any; the exit code for the first."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in _HEARD:
        if signal.getsignal(number) is _raise:
            signal.signal(number, signal.SIG_DFL)
    return 128 + (_asked[0] if _asked else signal.SIGINT)


def _raise(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    signal.setitimer(signal.ITIMER_REAL, AGAIN)
    if len(_asked) > _PATIENCE or not _handled():
        raise KeyboardInterrupt


def _raise_again(_number: int, _frame: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_REAL, AGAIN)
    if not _handled():
        raise KeyboardInterrupt


def _handled() -> bool:
    """Whether code that cleans up after an interrupt is what a signal met."""
    found = sys.exception()
    while found is not None:
        if isinstance(found, KeyboardInterrupt):
            return True
        found = found.__context__
    return False


def _without_interrupts(unraisable: sys.UnraisableHookArgs) -> None:
    """Python's own report of what it has to ignore, but not of what is raised again."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
