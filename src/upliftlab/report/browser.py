"""The browser of this machine that prints and photographs pages: where it is, how it is started.

It is told to ask nobody for anything: the page has nothing to ask for, and a browser of its own
accord would look for news of itself. It gets a profile that is thrown away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Final

from upliftlab.errors import Diagnostic, OutputError

VARIABLE: Final = "UPLIFTLAB_BROWSER"
"""The environment variable that names the browser."""
PATIENCE: Final = 120.0
"""Seconds for a page to be printed or photographed in: the largest take a few."""
_COMMANDS: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge",
    "msedge",
)
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
"""Where browsers lie that no command starts."""
_SWITCHES: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def switches() -> tuple[str, ...]:
    """How it is started, whatever it is asked for.

    Root, as in containers, cannot have Chromium's sandbox; the page is of our own making.
    """
    root = getattr(os, "geteuid", lambda: 1)() == 0
    return (*_SWITCHES, "--no-sandbox") if root else _SWITCHES


def browser(environ: Mapping[str, str] | None = None) -> str:
    """The browser's program.

    Args:
        environ: The environment; the process's own where none is given.

    Raises:
        OutputError: UL484, there is none.
    """
    environ = os.environ if environ is None else environ
    if named := environ.get(VARIABLE):
        found = shutil.which(named)
        if found is None:
            message = f"{VARIABLE} names no program that can be started"
            raise OutputError(Diagnostic("UL484", message, "give the path of Chromium or Chrome"))
        return found
    found = next(_installed(environ.get("PATH")), None)
    if found is None:
        message = "PDF and PNG are made by Chromium, Chrome or Edge, and none is on this machine"
        remedy = f"install one, name it in {VARIABLE}, or print the page from your own browser"
        raise OutputError(Diagnostic("UL484", message, remedy))
    return found


def failed(why: str) -> OutputError:
    """What is raised where the browser gives nothing."""
    message = f"the browser did not give the page: {why}"
    remedy = f"name another browser in {VARIABLE}, or print the page from your own"
    return OutputError(Diagnostic("UL485", message, remedy))


def _installed(path: str | None) -> Iterator[str]:
    for command in _COMMANDS:
        if found := shutil.which(command, path=path):
            yield found
    yield from (place for place in _PLACES if os.path.isfile(place))  # noqa: PTH113
