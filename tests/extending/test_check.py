"""Another package's check is asked as ours are, and what is wrong with it names it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import upliftlab
from extension import Extension, beside, install

from upliftlab.util.extensions import CHECKS

MODULE = """\
from upliftlab.analysis.checks import CheckAnswer, CheckDefinition, Fact, Severity

@Fact
def negative(data):
    if spend := data.column("spend"):  # None where the experiment does not count it
        return data.number(f"SELECT COUNT(CASE WHEN {spend} < 0 THEN 1 END) AS n FROM {data.units}")

def judge(inputs):
    if (count := inputs.facts.of(negative)) is not None:
        text = "{count:count} customers bought for less than nothing."
        yield CheckAnswer(count == 0, text, {"count": count}, value=count)

NEGATIVE_SPEND = CheckDefinition(
    "negative_spend", "Purchases above nothing", Severity.critical, judge, facts=(negative,)
)
"""
"""The worked example of CONTRIBUTING.md."""
YAML = """\
schema: 1
experiment: small
customers: {file: customers.csv}
assignment: {observed: arm}
arms:
  none: {control: true}
  mail: {channel: email, cost_per_contact: 0.10}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 40%}
"""
SECRET = "anna@example.com"


def shop_checks(module: str = MODULE, point: str = "negative_spend") -> Extension:
    names = {point: "shop_checks:NEGATIVE_SPEND"}
    return Extension("shop-checks", {"shop_checks.py": module}, {CHECKS: names})


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return install(tmp_path_factory.mktemp("package"), shop_checks())


@pytest.fixture
def shop(tmp_path):
    """Write the tables of a small shop, some of whose customers bought for less than nothing."""

    def write(customers: int = 200, negative: int = 0) -> Path:
        (tmp_path / "small.yaml").write_text(YAML)
        rows = [
            f"{arm},{-1 if arm == 'mail' and i < negative else i % 9 + more}"
            for arm, more in (("none", 0), ("mail", 3))
            for i in range(customers)
        ]
        (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows) + "\n")
        return tmp_path

    return write


def numbers(folder: Path) -> dict:
    return json.loads((folder / "upliftlab-report/small/analysis.json").read_text("utf-8"))


def test_an_added_check_is_told_last_and_on_the_page(shop, site):
    folder = shop()
    done = upliftlab("run", "small.yaml", cwd=folder, **beside(site))
    assert (done.returncode, done.stderr) == (0, "")
    found = numbers(folder)
    last = found["checks"][-1]
    assert (last["name"], last["title"]) == ("negative_spend", "Purchases above nothing")
    assert (last["passed"], last["value"], last["severity"]) == (True, 0.0, "critical")
    assert [check["name"] for check in found["checks"]].count("negative_spend") == 1
    assert found["verdict"]["code"] == "SHIP"
    page = (folder / "upliftlab-report/small/report.html").read_text("utf-8")
    assert "Purchases above nothing" in page
    assert "0 customers bought for less than nothing." in found["checks"][-1]["message"]


def test_an_added_critical_check_makes_an_analysis_invalid(shop, site):
    folder = shop(negative=3)
    done = upliftlab("run", "small.yaml", cwd=folder, **beside(site))
    assert done.returncode != 0
    reason = "3 customers bought for less than nothing."
    assert done.stdout.startswith(f"INVALID: These numbers cannot be trusted: {reason}")
    found = numbers(folder)
    assert found["verdict"]["code"] == "INVALID"
    assert {finding["estimate"] for finding in found["findings"]} == {None}
    assert found["checks"][-1]["passed"] is False


def test_its_page_needs_the_package_no_more(shop, site):
    folder = shop(negative=3)
    upliftlab("analyze", "small.yaml", cwd=folder, **beside(site))
    done = upliftlab("report", "upliftlab-report/small/analysis.json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    page = (folder / "upliftlab-report/small/report.html").read_text("utf-8")
    assert "Purchases above nothing" in page


def test_an_added_check_is_not_asked_of_single_customers(shop, site):
    folder = shop(customers=4, negative=1)
    upliftlab("analyze", "small.yaml", cwd=folder, **beside(site))
    names = [check["name"] for check in numbers(folder)["checks"]]
    assert "smallest_cell:mail" in names
    assert "negative_spend" not in names


def broken(old: str, new: str) -> Extension:
    assert old in MODULE
    return shop_checks(MODULE.replace(old, new))


FAULTS = {
    "fact_fails": (
        broken("    if spend", f'    raise KeyError("{SECRET}")\n    if spend'),
        ["UL474", "'negative_spend'", "shop-checks", "KeyError", "shop_checks.py:5"],
    ),
    "judge_fails": (
        broken("count == 0", "1 / count == 0"),
        ["UL474", "'negative_spend'", "shop-checks", "ZeroDivisionError"],
    ),
    "text_has_no_value": (
        broken("{count:count}", "{who}"),
        ["UL474", "'negative_spend'", "shop-checks", "ValueError"],
    ),
    "query_is_refused": (
        broken("{spend} < 0", "nowhere < 0"),
        ["UL250", "'negative_spend'", "shop-checks", "UL502"],
    ),
    "import_fails": (
        broken("@Fact", "1 / 0\n@Fact"),
        ["UL474", "'negative_spend'", "shop-checks", "ZeroDivisionError"],
    ),
    "no_title": (
        broken('"Purchases above nothing"', '" "'),
        ["UL474", "'negative_spend'", "shop-checks", "ValueError"],
    ),
    "no_check": (
        shop_checks(f"{MODULE}\n\nNEGATIVE_SPEND = judge\n"),
        ["UL473", "'negative_spend'", "shop-checks", "no CheckDefinition"],
    ),
    "called_otherwise": (
        broken('"negative_spend"', '"other_name"'),
        ["UL473", "'negative_spend'", "shop-checks", "'other_name'"],
    ),
    "name_of_ours": (
        shop_checks(MODULE.replace("negative_spend", "sample_ratio"), "sample_ratio"),
        ["UL028", "'sample_ratio'", "shop-checks"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_an_added_check_names_package_and_check(shop, tmp_path, fault):
    extension, told = FAULTS[fault]
    site = install(tmp_path, extension)
    folder = shop()
    done = upliftlab("analyze", "small.yaml", cwd=folder, **beside(site))
    assert done.returncode == 1
    assert [text for text in told if text not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr
    assert not (folder / "upliftlab-report").exists()
    with_data = upliftlab("check", "small.yaml", "--data", ".", cwd=folder, **beside(site))
    assert with_data.returncode == 1
    assert [text for text in told if text not in with_data.stdout] == [], (
        "an analysis says the same"
    )
    checked = upliftlab("check", "small.yaml", cwd=folder, **beside(site))
    assert checked.returncode == 0, "checks of other packages are looked for where data are"
