"""Each picture of the page as a PNG of its own, as a browser of this machine shows it.

A template marks what is a picture with `data-picture`; the file is named by it and by what stands
over it. A picture is taken where it stands, with all else out of the way, under the experiment's
title and its section's, so that it can be understood where it is pasted.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from upliftlab.errors import Diagnostic, OutputError
from upliftlab.report.browser import browser, switches
from upliftlab.report.render import shipped_text

_WIDTH, _HEIGHT = 1280, 900
"""How large the window is, in the page's pixels."""
_SCALE: Final = 2
"""Pixels of a picture to one of the page, so that it is sharp in print."""
_THEN: Final = (1980, 1, 1, 0, 0, 0)
"""When files of an archive are said to be made: the same analysis gives the same archive."""
_LONGEST: Final = 60


def pictures(page: bytes, environ: Mapping[str, str] | None = None) -> bytes:
    """The pictures of a page, in an archive.

    Args:
        page: The HTML, complete in itself.
        environ: The environment; the process's own where none is given.

    Raises:
        OutputError: UL484, there is no browser to take them with; UL485, it gave none.
    """
    program = browser(environ)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in _taken(program, page):
            archive.writestr(zipfile.ZipInfo(name, _THEN), content)
    return file.getvalue()


def _taken(program: str, page: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        from upliftlab.report.devtools import conversing  # noqa: PLC0415 - only where it can be
    except ImportError as error:
        message = "a browser is told what to photograph through pipes that this system lacks"
        remedy = "write --format pdf, or make the pictures on Linux or macOS"
        raise OutputError(Diagnostic("UL484", message, remedy)) from error
    with tempfile.TemporaryDirectory(prefix="upliftlab-", ignore_cleanup_errors=True) as folder:
        html = Path(folder, "report.html")
        html.write_bytes(page)
        command = [program, *switches(), f"--user-data-dir={Path(folder, 'profile')}"]
        with conversing(command) as session:
            session.call(
                "Emulation.setDeviceMetricsOverride",
                width=_WIDTH,
                height=_HEIGHT,
                deviceScaleFactor=1,
                mobile=False,
            )
            light = {"name": "prefers-color-scheme", "value": "light"}
            session.call("Emulation.setEmulatedMedia", media="screen", features=[light])
            session.call("Page.navigate", url=html.as_uri())
            session.wait("Page.loadEventFired")
            script = shipped_text("pictures.js")
            for number in range(session.evaluate(f"({script}).count()")):
                found: dict[str, Any] = session.evaluate(f"({script}).show({json.dumps(number)})")
                shot = session.call(
                    "Page.captureScreenshot",
                    clip={**found["clip"], "scale": _SCALE},
                    captureBeyondViewport=True,
                )
                yield _name(number, found["kind"], found["caption"]), base64.b64decode(shot["data"])


def _name(number: int, kind: str, caption: str) -> str:
    """A file's name, in the order of the page.

    >>> _name(2, "waterfall", "E-mail voucher"), _name(0, "map", ""), _name(9, "forest", "../x")
    ('03_waterfall_E-mail_voucher.png', '01_map.png', '10_forest_x.png')
    """
    told = re.sub(r"[^\w-]+", "_", caption)[:_LONGEST].strip("_")
    return "_".join([f"{number + 1:02}", kind, *([told] if told else [])]) + ".png"
