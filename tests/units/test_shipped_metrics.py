"""docs/metrics.md: its table follows from its events."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from shops import each_own_arm

from upliftlab.util.resources import shipped

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
METRICS, PLACES = (
    (shipped("configs") / f"{name}.yaml").read_text("utf-8") for name in ("metrics", "sources")
)
DECLARED = yaml.safe_load(METRICS)["metrics"]
SOURCES = yaml.safe_load(PLACES)["sources"]


def rows(heading):
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[1]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines]


def details(what):
    """`amount 60, margin 21, basics` as columns; a lone word is the category or the kind."""
    found = {}
    for part in what.split(", ") if what else ():
        name, _, value = part.rpartition(" ")
        if re.fullmatch(r"-?[0-9.]+", value):
            found[name.replace(" ", "_")] = float(value)
        elif "campaign" in part:
            found["campaign"] = "spring" if "this" in part else "summer"
        else:
            found["word"] = part
    return found


def events():
    """The page's events by table."""
    tables = defaultdict(list)
    for table, whose, when, what in rows("The events")[1:]:
        tables[table].append({"whose": whose, "when": when, **details(what)})
    return tables


def fill(shop):
    customers, arms = each_own_arm(["Anna", "Ben", "Cem"])
    shop.table("customers", customers)
    for name, found in events().items():
        declared = {k: v for k, v in SOURCES[name].items() if k not in ("file", "id", "recorded")}
        declared.pop("currency", None)
        word = {"orders": "category", "tickets": "kind"}.get(name, "word")
        known = [key for key in dict.fromkeys(k for row in found for k in row) if key != "word"]
        columns = {key: [row.get(key) for row in found] for key in known[2:]}
        columns[word] = [row.get("word") for row in found]
        columns["id"] = [row["whose"] for row in found]
        times = [datetime.fromisoformat(row["when"]) for row in found]
        columns[declared["time"]] = pa.array(times, pa.timestamp("us"))
        columns[declared["key"]] = list(range(len(found)))
        if word == "word":
            del columns["word"]
        shop.table(name, columns, **declared)
    return arms


def test_the_page_is_true(anywhere):
    arms = fill(anywhere)
    named = [name for name in DECLARED if name not in ("spend", "visit")]
    text = (
        "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
        f"outcome_window: 28 days\ncurrency: EUR\n{arms}"
        f"metrics: {{primary: {named[0]}, secondary: [{', '.join(named[1:])}]}}\n"
    )
    metrics = METRICS.split("metrics:\n", 1)[1]
    units = anywhere.units(anywhere.plan(text, metrics))
    said = [row for row in rows("The metrics") if len(row) == 5][1:]
    shown = set()
    for name, *expected, _ in said:
        metric = name.strip("`")
        found = [units[f"arm {customer}"][metric] for customer in ("Anna", "Ben", "Cem")]
        assert found == pytest.approx([float(value) for value in expected]), metric
        shown.add(metric)
    for name, expected, _ in [row for row in rows("The metrics") if len(row) == 3][1:]:
        above, below = DECLARED[name.strip("`")]["ratio"]
        totals = [sum(row[part] for row in units.values()) for part in (above, below)]
        assert totals[0] / totals[1] == pytest.approx(float(expected), abs=1e-9), name
        shown.add(name.strip("`"))
    assert shown == set(named)
