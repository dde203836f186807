"""`check --data` and the analysis agree: whatever one refuses, the other does.

The long run is `PYTHONPATH=src:tests/support python tests/support/agreeing.py 2000 --seed 1`.
"""

from __future__ import annotations

import math

import pytest
from agreeing import ALONE, FAULTS, FEATURES, GROUPED, NOW, Asked, answers, tried
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import ARMS

from upliftlab.analysis.aggregation import measure
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.data_checks.draft import drafted

_KINDS = st.tuples(
    st.sampled_from(("csv", "tsv", "parquet", "jsonl")), st.sampled_from(("csv", "parquet"))
)


def _some(names, most):
    return st.lists(st.sampled_from(sorted(names)), max_size=most, unique=True).map(tuple)


ASKED = st.builds(
    Asked,
    features=st.one_of(_some(set(FEATURES) - ALONE, 5), _some(GROUPED, 5)),
    faults=_some(FAULTS, 2),
    seed=st.integers(0, 50),
    kinds=_KINDS,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("agreeing")


@settings(max_examples=100)
@given(asked=ASKED)
def test_whatever_one_refuses_the_other_does(folder, asked):
    assert tried(asked, folder).wrong is None


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", FEATURES)
def test_without_a_fault_neither_refuses(folder, name, kind):
    said = tried(Asked((name,), (), 1, (kind, kind)), folder)
    assert (said.errors, said.raised, said.failed, said.wrong) == ([], (), [], None)


KNOWN = [
    ("known_after that is absent", (), ("absent_outcome",), "UL205"),
    ("attribute that is absent", (), ("absent_attribute",), "UL205"),
    ("Latin-1 customers", (), ("latin",), "UL261"),
    ("layer that is not declared", ("assigned_here",), ("undeclared_layer",), "UL114"),
    ("events that end early", ("event_metrics",), ("ends_early",), "UL222"),
    ("assigned, nobody eligible", ("assigned_here",), ("nobody_eligible",), "UL414"),
    ("arms not as declared", (), ("uneven_arms",), "UL260"),
    ("attributes of later", ("as_of", "start_column"), ("known_late",), "UL299"),
]


@pytest.mark.parametrize(
    ("features", "faults", "code"), [each[1:] for each in KNOWN], ids=[each[0] for each in KNOWN]
)
def test_what_both_say(folder, features, faults, code):
    """Each was said by one of them and not by the other."""
    for seed in (1, 2, 3):
        said = tried(Asked(features, faults, seed), folder)
        assert said.wrong is None
        if code in {each.code for each in said.checked}:
            return
    pytest.fail(f"{code} was not said: {[str(each) for each in said.checked]}")


NUMBERS = [
    ({"secondary": ["region"]}, {}, "UL206", "column 'region' has values that are no"),
    ({}, {"covariates": ["tier"]}, "UL206", "column 'tier' has values that are no numbers"),
]


@pytest.mark.parametrize(("metrics", "analysis", "code", "message"), NUMBERS)
def test_texts_that_the_analysis_will_refuse_are_told_before_anybody_is_assigned(
    tmp_path, metrics, analysis, code, message
):
    world = Asked(("assigned_here",)).world()
    world.experiment["metrics"] |= metrics
    world.experiment["analysis"] = analysis
    said = answers(world.write(tmp_path), tmp_path)
    assert [each.code for each in said.errors] == [code]
    assert message in said.errors[0].message
    assert said.stage == "assigned"  # it can be assigned, and not be analysed
    assert [each.code for each in said.raised] == [code]


def test_bands_of_texts_are_told_before_anybody_is_assigned(tmp_path):
    world = Asked(("assigned_here", "segments")).world()
    world.configs["segments"]["segments"]["ages"]["column"] = "tier"
    said = answers(world.write(tmp_path), tmp_path)
    assert [each.code for each in said.errors] == ["UL206"] == [each.code for each in said.raised]


def test_a_fault_that_only_the_child_brings_about_is_told_at_its_extends(tmp_path):
    """The base is sound by itself: its window is what the child's waves lack."""
    world = Asked(("event_metrics",)).world()
    path = world.write(tmp_path)
    text = path.read_text()
    (tmp_path / "base.yaml").write_text(text.replace("outcome_window: 14 days\n", ""))
    path.write_text("schema: 1\nextends: base.yaml\nexperiment: child\ncurrency: USD\n")
    said = answers(path, tmp_path)
    assert said.wrong is None
    assert said.errors
    assert {each.place.file.rpartition("/")[2] for each in said.errors} <= {
        "spring.yaml",
        "base.yaml",
    }


def houses_of_another_name(world):
    world.sources["customers"]["household"] = "home"


def money_in_times(world):
    world.sources["orders"]["amounts"] = {"seen": "EUR"}


def attributes_of_no_time(world):
    world.tables["customers"]["known"] = list(range(len(world.tables["customers"]["id"])))


def much_that_is_no_number(world):
    world.tables["customers"]["spend"][:6] = [math.nan] * 6


def lifecycle_without_amounts(world):
    del world.tables["orders"]["amount"]


@pytest.mark.parametrize(
    ("features", "change", "code", "message"),
    [
        (("households",), houses_of_another_name, "UL205", "no column 'home' (household)"),
        (("event_condition",), money_in_times, "UL206", "'seen' holds no numbers (amounts of"),
        (("as_of",), attributes_of_no_time, "UL2", "'known'"),
        (("winsorized",), much_that_is_no_number, "UL206", "column 'spend' has values"),
        (("lifecycle",), lifecycle_without_amounts, "UL205", "no column 'amount' (segment 'life')"),
    ],
)
def test_what_one_of_them_passed_over(tmp_path, features, change, code, message):
    world = Asked(features, (), 1, ("parquet", "parquet")).world()
    change(world)
    said = answers(world.write(tmp_path), tmp_path)
    assert said.wrong is None
    (told,) = said.errors
    assert told.code.startswith(code)
    assert message in told.message
    assert said.raised


def test_segments_are_judged_by_those_who_are_analysed(tmp_path):
    """A place of one's own only of customers who are not eligible says nobody's name."""
    world = Asked().world()
    customers = world.tables["customers"]
    many = range(len(customers["id"]))
    customers["age"] = [70 if at < 30 else 30 for at in many]
    customers["place"] = [f"Qx7place{at if at < 30 else at // 2 % 2}" for at in many]
    world.experiment |= {"segments": ["place"], "eligible": "age < 50"}
    said = answers(world.write(tmp_path), tmp_path)
    assert (said.errors, said.raised, said.wrong) == ([], (), None)


def test_nobody_who_may_take_part_is_told_before_the_assignment(tmp_path):
    """Nobody is assigned, and so there is nothing to analyse."""
    world = Asked(("assigned_here",)).world()
    world.experiment["eligible"] = "tier = 'nobody' or age < 0"
    said = answers(world.write(tmp_path), tmp_path)
    assert [each.code for each in said.errors] == ["UL414"]
    assert [each.code for each in said.raised] == ["UL414"]


def test_the_arms_that_would_be_drawn_on_every_engine(anywhere):
    """8 customers, blocked: four in each arm, without a record of it."""
    ids = list(range(8))
    anywhere.table("customers", {"id": ids, "spend": [1.0 * each for each in ids]})
    text = f"assignment: {{method: blocked}}\n{ARMS}\nmetrics: {{primary: spend}}\n"
    plan = anywhere.plan(text)
    record = drafted(plan, anywhere.engine, NOW)
    found = measure(plan, estimation_spec(plan), anywhere.engine, record)
    (everybody,) = found.cells.values()
    assert {cell.arm: cell.moments.n for cell in everybody} == {"none": 4, "mail": 4}
