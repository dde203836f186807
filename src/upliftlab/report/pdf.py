"""The page on paper: a Chromium of this machine prints it to A4, as a reader would."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from upliftlab.report.browser import PATIENCE, browser, failed, switches

_PAPER: Final = ("--no-pdf-header-footer", "--generate-pdf-document-outline")


def printed(page: bytes, environ: Mapping[str, str] | None = None) -> bytes:
    """A page as PDF.

    Args:
        page: The HTML, complete in itself.
        environ: The environment; the process's own where none is given.

    Raises:
        OutputError: UL484, there is no browser to print with; UL485, it printed nothing.
    """
    program = browser(environ)
    with tempfile.TemporaryDirectory(prefix="upliftlab-", ignore_cleanup_errors=True) as folder:
        html, pdf = Path(folder, "report.html"), Path(folder, "report.pdf")
        html.write_bytes(page)
        own = [f"--user-data-dir={Path(folder, 'profile')}", f"--print-to-pdf={pdf}"]
        _run([program, *switches(), *_PAPER, *own, html.as_uri()])
        content = pdf.read_bytes() if pdf.is_file() else b""
    if not content.startswith(b"%PDF-"):
        raise failed("it wrote no PDF")
    return content


def _run(command: list[str]) -> None:
    """Run the browser in a group of processes of its own, none of which is left behind."""
    unheard = subprocess.DEVNULL
    try:
        run = subprocess.Popen(  # noqa: S603 - a browser and switches of our own
            command, stdin=unheard, stdout=unheard, stderr=unheard, start_new_session=True
        )
    except OSError as error:
        raise failed("it could not be started") from error
    try:
        code = run.wait(PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise failed(f"it did not end within {PATIENCE:.0f} seconds") from error
    finally:
        _end(run)
    if code:
        raise failed(f"it ended with {code}")


def _end(run: subprocess.Popen[bytes]) -> None:
    """End whatever of it still runs: a browser is often started by a script, and has children."""
    with suppress(ProcessLookupError, PermissionError):  # nothing of the group is left
        if hasattr(os, "killpg"):
            os.killpg(run.pid, signal.SIGKILL)
        else:
            run.kill()
    run.wait()
