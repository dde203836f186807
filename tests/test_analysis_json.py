"""docs/analysis_json.md says what analysis.json is, and it is so."""

import json
import math
import re
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest
from worlds import analysed, assigned

from upliftlab.report.export import rounded, to_json
from upliftlab.results import analysis as document
from upliftlab.results import promises, quantiles, time_course, what_if
from upliftlab.results.analysis import Analysis, CostStep, EstimandKind, Note
from upliftlab.results.base import Message, Published, Result

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "analysis_json.md").read_text(encoding="utf-8")
CLASSES = (*Result.__subclasses__(), *Published.__subclasses__())
OWN = tuple(module.__name__ for module in (document, promises, quantiles, time_course, what_if))
MODELS = {m.__name__: m for m in CLASSES if m.__module__ in OWN or m is Message}


def section(name, page=PAGE, level="###"):
    text = page.split(f"\n{level} {name}\n", 1)[1]
    return re.split(r"^##", text, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """The cells of a table's lines, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def reachable(model):
    """The models a document of this model can hold, itself first."""
    text = " ".join(str(field.annotation) for field in model.model_fields.values())
    below = [MODELS[name] for name in MODELS if re.search(rf"\.{name}\b", text)]
    return {model}.union(*(reachable(part) for part in below))


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    return analysed(assigned(tmp_path_factory.mktemp("campaign")))


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_every_model_of_the_document_has_its_table():
    documented = set(re.findall(r"^### (\w+)$", PAGE, flags=re.MULTILINE))
    assert documented == {model.__name__ for model in reachable(Analysis)} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_table_names_exactly_the_fields_of_its_model(name):
    table = rows(section(name))
    fields = MODELS[name].model_fields
    assert [row[0] for row in table] == [f"`{f.alias or key}`" for key, f in fields.items()]
    for (_, kind, *_), field in zip(table, fields.values(), strict=True):
        may_be_null = NoneType in get_args(field.annotation) or "| None, ..." in str(
            field.annotation
        )
        assert kind.endswith("or null") == may_be_null, field


def test_kinds_and_notes_are_listed():
    assert re.findall(r"`(\w+)`", section("Kinds", level="##")) == list(EstimandKind)
    assert [row[0] for row in rows(section("Notes", level="##"))] == [f"`{n}`" for n in Note]
    statistics = (DOCS / "statistics.md").read_text(encoding="utf-8")
    told = " ".join(row[0] for row in rows(section("Absent numbers", statistics, "##")))
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(Note.__members__)


def test_the_schema_is_the_documented_one():
    assert f"`schema` is {document.SCHEMA}." in PAGE


def test_an_analysis_survives_its_json(analysis):
    written = to_json(analysis)
    read = Analysis.model_validate_json(written)
    assert read == rounded(analysis)
    assert to_json(read) == written


def test_numbers_are_finite_and_have_ten_digits_at_most(analysis):
    def refuse(constant):
        raise AssertionError(constant)

    found = numbers(json.loads(to_json(analysis), parse_constant=refuse))
    assert len(found) > 1000
    for number in found:
        assert math.isfinite(number)
        assert number == float(f"{number:.10g}")


def test_absent_numbers_have_a_note(analysis):
    for finding in analysis.findings:
        values = (finding.estimate, finding.se, finding.low, finding.high)
        assert (None in values) == (finding.note is not None)


def test_bridges_of_blocked_and_adjusted_arms_add_up_to_the_cent(analysis):
    profits = {
        (f.arm, f.level): f for f in analysis.findings if f.kind is EstimandKind.incremental_profit
    }
    assert len(analysis.bridges) == 4
    for bridge in rounded(analysis).bridges:
        lines = {line.kind: Decimal(repr(line.estimate)) for line in bridge.lines}
        costs = set(lines) - {CostStep.revenue, CostStep.margin, CostStep.cost, CostStep.profit}
        assert sum(lines[kind] for kind in costs) == lines[CostStep.cost]
        assert lines[CostStep.margin] + lines[CostStep.cost] == lines[CostStep.profit]
        profit = profits[bridge.arm, bridge.level]
        assert profit.method == "lin+strata+hall"
        assert float(lines[CostStep.profit]) == round(profit.estimate, 2)


def test_the_balance_of_strata_is_no_question(analysis):
    asked = {check.name: check for check in analysis.checks}
    for name in ("region", "value_band"):
        told = asked[f"balance:{name}"]
        assert (told.passed, told.message) == (
            None,
            f"Not asked: customers were assigned within each level of {name}.",
        )


def test_moments_have_the_documented_lengths(analysis):
    p = len(analysis.columns)
    for cell in analysis.moments:
        assert (len(cell.mean), len(cell.m2), len(cell.m3)) == (p, p * (p + 1) // 2, p)


def test_the_example_is_what_the_campaign_gives(analysis):
    example = PAGE.split("```json\n")[1].split("```")[0]
    shown = Analysis.model_validate_json(example)
    assert json.loads(to_json(shown)) == json.loads(example)
    lists = ("findings", "heterogeneity", "reconciliations", "bridges", "checks", "arms", "moments")
    for part in (*lists, "metrics", "segments", "means", "beliefs"):
        made = [near(item) for item in getattr(analysis, part)]
        for item in getattr(shown, part):
            assert any(near(item) == other for other in made), item
    assert shown.design == analysis.design
    followed, course = analysis.time_course, shown.time_course
    assert near(course.model_copy(update={"curves": ()})) == near(
        followed.model_copy(update={"curves": ()})
    )
    (curve,) = course.curves
    made = [near(point) for point in followed.curves[0].points]
    assert [near(point) for point in curve.points] == [made[0], made[4], made[-1]]
    sums, own = shown.money_sums, rounded(analysis).money_sums
    assert (
        sums.model_copy(update={"break_evens": own.break_evens, "contrasts": own.contrasts}) == own
    )
    assert [near(item) for item in sums.break_evens] == [near(item) for item in own.break_evens[:2]]


def near(item):
    """A value as it is compared: fractions to 8 digits, as sums differ in the last ones."""
    return json.loads(item.model_dump_json(), parse_float=lambda text: float(f"{float(text):.8g}"))
