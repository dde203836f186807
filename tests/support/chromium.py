"""Chromium, as tests open pages in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service


def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser that keeps what it must keep in a folder; it ends with the tests that use it."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        if os.environ.get("CI"):
            pytest.fail("chromium and chromedriver are needed here")
        pytest.skip("chromium and chromedriver are not installed")
    options = Options()
    options.binary_location = program
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    session = webdriver.Chrome(options=options, service=Service(driver))
    yield session
    session.quit()


def opened_at(
    browser: webdriver.Chrome,
    path: Path,
    width: int = 1280,
    features: dict[str, str] | None = None,
) -> webdriver.Chrome:
    """The browser with a file open at a width, its logs empty but for that."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    chosen = [{"name": name, "value": value} for name, value in (features or {}).items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": chosen})
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get(path.as_uri())
    return browser


def asked(browser: webdriver.Chrome, *, let_through: bool = False) -> list[str]:
    """Every address that was asked for since the page was opened, its own among them.

    With `let_through` without those that the page's policy stopped before anything was sent.
    """
    entries = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    stopped = {
        entry["params"]["requestId"]
        for entry in entries
        if let_through
        and entry["method"] == "Network.loadingFailed"
        and entry["params"].get("blockedReason") == "csp"
    }
    return [
        entry["params"]["request"]["url"]
        for entry in entries
        if entry["method"] == "Network.requestWillBeSent"
        and entry["params"]["requestId"] not in stopped
    ]


def violations(browser: webdriver.Chrome, axe: str, part: str = "document") -> list[list[str]]:
    """What axe-core finds wrong: each rule with the first thing that breaks it.

    Args:
        browser: The browser with the page open.
        axe: The source of axe-core.
        part: What is looked at, in JavaScript.
    """
    browser.execute_script(axe)
    return browser.execute_async_script(
        "const done = arguments[0];"
        f"axe.run({part}).then(r => done(r.violations.map(v => [v.id, v.nodes[0].html])))"
    )
