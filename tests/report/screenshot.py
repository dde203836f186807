"""Photograph a report: python tests/report/screenshot.py REPORT.html OUT.png [WIDTH] [HEIGHT]."""

import base64
import shutil
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    """Write the top of a page as PNG."""
    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        options.binary_location = shutil.which("chromium") or ""
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        service = Service(shutil.which("chromedriver"))
        browser = webdriver.Chrome(options=options, service=service)
        try:
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get(page.resolve().as_uri())
            taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            picture.write_bytes(base64.b64decode(taken["data"]))
        finally:
            browser.quit()


if __name__ == "__main__":
    source, target, *numbers = sys.argv[1:]
    wide, high = (*(int(number) for number in numbers), *(1280, 900)[len(numbers) :])
    photograph(Path(source), Path(target), wide, high)
