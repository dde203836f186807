"""The page on paper: a Chromium of this machine prints it to A4, as a reader would.

The browser is told to ask nobody for anything: the page has nothing to ask for, and a browser of
its own accord would look for news of itself. It gets a profile that is thrown away.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from upliftlab.errors import Diagnostic, OutputError

VARIABLE: Final = "UPLIFTLAB_BROWSER"
"""The environment variable that names the browser to print with."""
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
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
_PATIENCE: Final = 120.0
"""Seconds for a page to be printed in: the largest take a few."""


def printed(page: bytes, environ: Mapping[str, str] | None = None) -> bytes:
    """A page as PDF.

    Args:
        page: The HTML, complete in itself.
        environ: The environment; the process's own where none is given.

    Raises:
        OutputError: UL484, there is no browser to print with; UL485, it printed nothing.
    """
    browser = _browser(os.environ if environ is None else environ)
    with tempfile.TemporaryDirectory(prefix="upliftlab-", ignore_cleanup_errors=True) as folder:
        html, pdf = Path(folder, "report.html"), Path(folder, "report.pdf")
        html.write_bytes(page)
        own = [f"--user-data-dir={Path(folder, 'profile')}", f"--print-to-pdf={pdf}"]
        _run([browser, *_SWITCHES, *_sandbox(), *own, html.as_uri()])
        content = pdf.read_bytes() if pdf.is_file() else b""
    if not content.startswith(b"%PDF-"):
        raise _unprinted("it wrote no PDF")
    return content


def _browser(environ: Mapping[str, str]) -> str:
    """The browser to print with."""
    if named := environ.get(VARIABLE):
        found = shutil.which(named)
        if found is None:
            message = f"{VARIABLE} names no program that can be started"
            raise OutputError(Diagnostic("UL484", message, "give the path of Chromium or Chrome"))
        return found
    found = next(_installed(environ.get("PATH")), None)
    if found is None:
        message = "a PDF is printed by Chromium, Chrome or Edge, and none is on this machine"
        remedy = f"install one, name it in {VARIABLE}, or print the page from your own browser"
        raise OutputError(Diagnostic("UL484", message, remedy))
    return found


def _installed(path: str | None) -> Iterator[str]:
    for command in _COMMANDS:
        if found := shutil.which(command, path=path):
            yield found
    yield from (place for place in _PLACES if Path(place).is_file())


def _sandbox() -> tuple[str, ...]:
    """Root, as in containers, cannot have Chromium's sandbox; the page is of our own making."""
    return ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()


def _run(command: list[str]) -> None:
    """Run the browser in a group of processes of its own, none of which is left behind."""
    unheard = subprocess.DEVNULL
    try:
        browser = subprocess.Popen(  # noqa: S603 - a browser and switches of our own
            command, stdin=unheard, stdout=unheard, stderr=unheard, start_new_session=True
        )
    except OSError as error:
        raise _unprinted("it could not be started") from error
    try:
        code = browser.wait(_PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise _unprinted(f"it did not end within {_PATIENCE:.0f} seconds") from error
    finally:
        _end(browser)
    if code:
        raise _unprinted(f"it ended with {code}")


def _end(browser: subprocess.Popen[bytes]) -> None:
    """End whatever of it still runs: a browser is often started by a script, and has children."""
    with suppress(ProcessLookupError, PermissionError):  # nothing of the group is left
        if hasattr(os, "killpg"):
            os.killpg(browser.pid, signal.SIGKILL)
        else:
            browser.kill()
    browser.wait()


def _unprinted(why: str) -> OutputError:
    message = f"the browser did not print the page: {why}"
    remedy = f"name another browser in {VARIABLE}, or print the page from your own"
    return OutputError(Diagnostic("UL485", message, remedy))
