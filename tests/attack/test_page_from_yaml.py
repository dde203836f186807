"""Hostile texts in YAML, data and file names, all the way to the pages that commands write."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from chromium import asked, chromium, opened_at
from click.testing import CliRunner
from hostile import CALL, PAYLOADS

from upliftlab.cli.app import commands

pytestmark = pytest.mark.browser
NAMES = [text for text in PAYLOADS.values() if len(text) <= 110 and text.isprintable()]
LEVELS = [text for text in PAYLOADS.values() if text not in NAMES and "\x00" not in text]
FILE = f'"><img src=x onerror={CALL}>&lt;b&gt;.csv'


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    yield from chromium(tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """A workspace in which every name is hostile: JSON is YAML, so nothing is lost on the way."""
    root = tmp_path_factory.mktemp("work")
    name = iter([f"{text}{number}" for number, text in enumerate(NAMES * 2)])
    control, mail, channel, metric, limit, segment, column = (next(name) for _ in range(7))
    (root / "configs").mkdir()
    (root / "data").mkdir()
    configs = {
        "channels": {channel: {"title": next(name), "cost_per_contact": "0.1 EUR"}},
        "metrics": {
            metric: {"column": "spend", "title": next(name), "unit": "money"},
            limit: {"column": "complained", "title": next(name)},
        },
        "segments": {segment: {"column": column, "title": next(name)}},
    }
    for kind, entries in configs.items():
        text = json.dumps({"schema": 1, kind: entries})
        (root / "configs" / f"{kind}.yaml").write_text(text, encoding="utf-8")
    arms = {
        control: {"control": "true", "title": next(name), "share": "50%"},
        mail: {"channel": channel, "title": next(name), "share": "50%"},
    }
    plan = {
        "schema": 1,
        "experiment": next(name),
        "title": next(name),
        "owner": next(name),
        "hypothesis": next(name),
        "customers": {"file": FILE},
        "assignment": {"observed": "arm"},
        "arms": arms,
        "currency": "EUR",
        "metrics": {"primary": metric, "guardrails": {limit: {"max_increase": "90 points"}}},
        "money": {"revenue": metric, "margin": "40%"},
        "segments": [segment],
    }
    path = root / "experiment.yaml"
    path.write_text(json.dumps(plan), encoding="utf-8")
    random, n = np.random.Generator(np.random.PCG64(5)), 600
    with (root / "data" / FILE).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["arm", column, "spend", "complained"])
        drawn = zip(
            random.choice([control, mail], n),
            random.integers(0, len(LEVELS), n),
            random.gamma(2, 10, n),
            random.integers(0, 2, n),
            strict=True,
        )
        rows.writerows([arm, LEVELS[level], *rest] for arm, level, *rest in drawn)
    return path, plan


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    ("command", "page"),
    [
        (["run"], "report"),
        (["plan", "--effect", "20%", "--baseline-mean", "10", "--baseline-sd", "30"], "plan"),
    ],
)
def test_names_of_yaml_and_data_stay_text(  # noqa: PLR0913, PLR0917 - fixtures
    browser, experiment, tmp_path, command, page, lang
):
    path, plan = experiment
    asking = ["--lang", lang, "--data", str(path.parent / "data"), "--quiet"]
    out = ["--out", str(tmp_path)] if page == "report" else ["--html", str(tmp_path / "plan.html")]
    done = CliRunner().invoke(commands, [*command, str(path), *asking, *out])
    assert done.exit_code == 0, done.output
    (made,) = tmp_path.glob("*.html")
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    opened_at(browser, made)
    assert browser.execute_script("return window.pwned") is None
    assert asked(browser) == [browser.current_url]
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    shown = browser.execute_script("return document.documentElement.textContent")
    assert plan["title"] in shown
    assert all(arm["title"] in shown for arm in plan["arms"].values())
    assert not browser.execute_script("return document.querySelector('img, iframe, object, base')")
