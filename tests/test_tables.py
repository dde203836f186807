"""The documents' lists of estimands and cost lines are those of the package."""

import re
from pathlib import Path

import pytest

from upliftlab.config.models import Arm, Channel, Offer
from upliftlab.config.models.experiment import MoneyTerms
from upliftlab.results.analysis import MoneyTermsInfo
from upliftlab.results.costs import COSTS, RATED, CostStep, Per
from upliftlab.results.estimands import EstimandKind

DOCS = Path(__file__).resolve().parents[1] / "docs"
UNITS = {"metric": "the metric's own", "money": "money", "percent": "fraction", "number": "number"}
ASKED = {"metric": "every metric", "primary": "the primary metric", "money": "money"}
METHODS = {
    "linear": "Welch, or what fits the metric better",
    "fieller": "Fieller",
    "anderson_rubin": "Anderson–Rubin",
}
NULLS = {0.0: "0", "hurdle": "the hurdle", None: "–"}


def rows(page, heading):
    text = (DOCS / page).read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1]
    text = re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_json_page_lists_every_kind():
    assert rows("analysis_json.md", "Kinds") == [
        [f"`{kind}`", e.label, UNITS[e.unit], NULLS[e.null]]
        for kind in EstimandKind
        for e in [kind.estimand]
    ]


def test_the_statistics_page_has_every_formula():
    assert rows("statistics.md", "Estimands") == [
        [f"`{kind}`", e.formula, ASKED[e.of], METHODS[e.method], NULLS[e.null]]
        for kind in EstimandKind
        for e in [kind.estimand]
    ]


def test_the_statistics_page_has_every_cost():
    assert rows("statistics.md", "Cost lines") == [
        [
            f"`{step}`",
            f"`{step.line.key or step.line.per}`",
            "metrics" if step.line.per is Per.metric else step.line.per,
        ]
        for step in COSTS
    ]


def test_the_json_page_names_every_line():
    table = (DOCS / "analysis_json.md").read_text(encoding="utf-8").split("### BridgeLine", 1)[1]
    kinds = next(line for line in table.splitlines() if line.startswith("| `kind`"))
    named = [name for name in re.findall(r"`(\w+)`", kinds) if name not in ("kind", "costs")]
    assert named == list(CostStep)


@pytest.mark.parametrize("step", RATED)
def test_every_rate_has_its_key_where_it_is_declared(step):
    owners = (Arm, Channel, Offer) if step.line.under == "arm" else (MoneyTerms,)
    assert all(step.line.key in owner.model_fields for owner in owners)
    assert step.line.key in MoneyTermsInfo.model_fields
    assert step.line.term
    assert step.line.meaning


def test_levels_are_compared_in_a_column_that_is_asked_everywhere():
    compared = [kind for kind in EstimandKind if kind.estimand.levels is not None]
    assert compared
    for kind in compared:
        assert kind.estimand.everywhere or kind.estimand.of == "metric"
