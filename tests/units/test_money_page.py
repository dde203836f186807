"""docs/money.md: each of its results follows from its lines and its events, on every engine."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path

import jsonschema
import pyarrow as pa
import pytest
import yaml
from shops import ARMS, each_own_arm

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.schema import json_schema
from upliftlab.errors import ConfigError, DataError

PAGE = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## ([0-9]+\. .*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
NOW = datetime.fromisoformat("2026-06-01T00:00:00+00:00")
HEAD = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 28 days\ncurrency: EUR\n"
)


def tables(text):
    """The tables of an example by the name in their corner: the head and the rows."""
    lines = [line.strip("| ").split("|") for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)]
    found, open_ = {}, None
    for line in ([cell.strip() for cell in line] for line in lines):
        if set(line[0]) == {"-"}:
            continue
        if line[0] in {"Anna", "Ben"} or line[0].startswith("`"):
            found[open_][1].append(line)
        else:
            open_, found[line[0]] = line[0], (line[1:], [])
    return found


def column(texts):
    """A column as numbers, days or texts, by its first value."""
    if re.fullmatch(r"-?[0-9.]+", texts[0]):
        return pa.array([float(text) for text in texts])
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", texts[0]):
        return pa.array([date.fromisoformat(text) for text in texts])
    return texts


def fill(shop, example):
    """The example's tables in a shop: the lines of its metrics, and its results."""
    customers, arms = each_own_arm(["Anna", "Ben"])
    shop.table("customers", customers)
    said = yaml.safe_load(re.search(r"```yaml\n(.*?)```", example, re.DOTALL)[1])
    found = tables(example)
    _, results = found.pop("metric")
    for name, (head, rows) in found.items():
        columns = {key: column([row[at + 1] for row in rows]) for at, key in enumerate(head)}
        declared = {"time": "at", **(said.get("sources", {}).get(name) or {})}
        shop.table(name, {"id": [row[0] for row in rows], **columns}, **plain(declared))
    if "money" in said:
        arms += f"money: {json.dumps(said['money'])}\n"
    return arms, said["metrics"], results


def plain(value):
    """What PyYAML reads as days, as the text that it was."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return value


def test_editors_know_the_lines_of_every_example():
    assert len(EXAMPLES) >= 11
    for example in EXAMPLES.values():
        said = plain(yaml.safe_load(re.search(r"```yaml\n(.*?)```", example, re.DOTALL)[1]))
        sources = {
            name: {"file": "events.csv", **(each or {})}
            for name, each in said.get("sources", {}).items()
        }
        jsonschema.validate({"schema": 1, "sources": sources}, json_schema("sources"))
        jsonschema.validate({"schema": 1, "metrics": said["metrics"]}, json_schema("metrics"))
        if "money" in said:
            terms = {
                **json_schema()["properties"]["money"],
                "definitions": json_schema()["definitions"],
            }
            jsonschema.Draft7Validator(terms).validate(said["money"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_right(anywhere, name):
    arms, metrics, results = fill(anywhere, EXAMPLES[name])
    named = [row[0].strip("`") for row in results]
    first, *others = [each for each in named if each in metrics]
    text = f"{HEAD}{arms}metrics: {{primary: {first}, secondary: [{', '.join(others)}]}}\n"
    listed = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in metrics.items())
    units = anywhere.units(anywhere.plan(text, listed))
    for metric, *row in results:
        found = [units[f"arm {customer}"][metric.strip("`")] for customer in ("Anna", "Ben")]
        assert found == pytest.approx([float(value) for value in row[:2]]), metric


DATED = {"EUR": 1, "NOK": {"2026-03-10": "0.09"}}


def with_rates(shop, values, rows, summed="euros"):
    """The plan of a sum over orders (customer, day, amount, currency) that are converted."""
    customers = {"id": ["Anna", "Ben", "Cem", "Dora"], "arm": ["none", "none", "mail", "mail"]}
    shop.table("customers", customers)
    whose, days, amounts, codes = zip(*rows, strict=True)
    columns = {"id": whose, "at": [date.fromisoformat(day) for day in days]}
    rates = {"of": "amount", "by": "currency", "values": values}
    if any(isinstance(rate, dict) for rate in values.values()):
        rates["day"] = "at"
    declared = {"time": "at", "currency": "currency", "columns": {"euros": rates}}
    shop.table("orders", {**columns, "amount": amounts, "currency": codes}, **declared)
    metric = json.dumps({"from": "orders", "sum": summed, "better": "higher"})
    return shop.plan(f"{HEAD}{ARMS}\nmetrics: {{primary: revenue}}\n", f"  revenue: {metric}\n")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("Ben", "2026-03-09", 100.0, "NOK"), "'NOK' in 'currency'"),  # before its first day
        (("Ben", "2026-03-12", 100.0, "SEK"), "'SEK: 0.5'"),
        (("Ben", "2026-03-12", 100.0, "secret"), "'aaaaaa' in 'currency'"),
        (("Ben", "2026-03-12", 100.0, None), "'(none)' in 'currency'"),
    ],
)
def test_what_has_no_rate_is_refused(anywhere, row, said):
    plan = with_rates(anywhere, DATED, [("Anna", "2026-03-10", 1.0, "NOK"), row])
    with pytest.raises(DataError) as caught:
        anywhere.units(plan)
    (fault,) = caught.value.faults
    assert fault.code == "UL206"
    assert str(fault).startswith("UL206 1 event of orders has no value in the table of 'euros'")
    assert said in str(fault)
    assert "secret" not in str(fault)


def in_another_currency(shop, plan):
    """The checks of currencies that fail."""
    found = analyze(plan, AnalysisContext(shop.engine, NOW)).checks
    return [each.name for each in found if each.name.startswith("currency") and not each.passed]


def test_only_what_is_not_converted_is_in_another_currency(shop):
    rows = [(who, "2026-03-10", 10.0, code) for who in ("Anna", "Ben") for code in ("EUR", "NOK")]
    assert in_another_currency(shop, with_rates(shop, DATED, rows)) == []
    plan = with_rates(shop, DATED, rows, summed="amount")
    assert in_another_currency(shop, plan) == ["currency:orders"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("{of: paid, by: kind, values: {a: {2026-01-01: 1}}}", "'a' has values by day"),
        ("{of: paid, by: kind, day: at, values: {a: 1}}", "'day' needs values by day"),
        ("{of: paid, by: kind, values: {a: '0,25'}}", "write 0.25"),
        ("{of: paid, by: kind, values: {a: {monday: 1}}, day: at}", "'monday' is not a date"),
        ("{of: paid, by: kind, values: {}}", "'values' is empty"),
        ("{of: paid, values: {a: 1}}", "'by'"),
        ("{of: paid, by: kind, value: {a: 1}}", "unknown key 'value'"),
    ],
)
def test_a_table_that_says_too_little_is_refused(shop, lines, said):
    _, arms = each_own_arm(["Anna", "Ben"])
    shop.table("customers", {"id": [1], "paid": [1.0], "kind": ["a"]})
    text = f"{HEAD}{arms}columns: {{worth: {lines}}}\nmetrics: {{primary: worth}}\n"
    with pytest.raises(ConfigError) as caught:
        shop.plan(text)
    assert said in str(caught.value)
