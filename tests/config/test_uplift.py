"""What the language says of targeting: defaults, limits, rules, and the digest of older plans."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from upliftlab.config import load
from upliftlab.config.models import Uplift

FILE = Path("experiments/example.yaml")
MONEY = "money: {revenue: spent, margin: 40%}"


def test_what_holds_where_nothing_is_said(space):
    assert space.check("uplift: {features: [age, region]}") == []
    plan = load(FILE).plan
    asked = plan.experiment.uplift
    assert asked.learners == ("two_models_ddr_control", "doubly_robust")
    assert (asked.base, asked.folds, asked.repeats, asked.sample) == ("boosting", 5, 1, None)
    assert (asked.holdout, asked.today, asked.budget) == (Fraction(1, 10), None, None)
    assert plan.learned == "spent"


@pytest.mark.parametrize(
    ("part", "learned"),
    [
        (f"{MONEY}\nuplift: {{features: [age]}}", "profit"),
        (f"{MONEY}\nuplift: {{features: [age], metric: spent}}", "spent"),
        (f"{MONEY}\nuplift: {{features: [age]}}\ndecision: {{metric: spent}}", "spent"),
        (
            f"{MONEY}\ndecision: {{metric: spent}}\nuplift: {{features: [a], metric: profit}}",
            "profit",
        ),
    ],
)
def test_the_decision_s_metric_is_learned_unless_another_is_asked(space, part, learned):
    assert space.check(part) == []
    assert load(FILE).plan.learned == learned


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("folds: 1", "UL015 'uplift': 'folds' lies between 2 and 20"),
        ("folds: 21", "'folds' lies between 2 and 20"),
        ("repeats: 0", "'repeats' lies between 1 and 10"),
        ("sample: 0", "'sample' is at least 1"),
        ("holdout: 100%", "'holdout' lies below 100%"),
        ("learners: [best]", "UL014"),
        ("base: deep", "UL014"),
        ("today: {arm: email}", "UL013"),
        ("metric: spnt", "UL145 the metric 'spnt' is not measured; did you mean 'spent'?"),
        (
            "today: {arm: emial, where: age > 3}",
            "UL147 today's rule gives 'emial', which is no arm",
        ),
        ("today: {where: 'age > (select 1)'}", "UL020"),
        ("today: {where: spent > 3}", "UL112 today's rule uses 'spent', which is an outcome"),
        ("learners: [two_models, two_models]", "UL144"),
    ],
)
def test_refusals(space, fields, said):
    (fault,) = space.check(f"uplift: {{features: [age], {fields}}}")
    assert said.partition("; ")[0] in fault
    assert said.partition("; ")[2] in fault


@pytest.mark.parametrize("column", ["id", "ID", "home", "reached_on", "got"])
def test_features_that_tell_who_or_which_arm(space, column):
    part = (
        "customers: {file: data.csv, id: id, household: home, known_after: [spent]}\n"
        "assignment: {observed: arm, start: reached_on, delivered: got}\n"
        f"uplift: {{features: [{column}]}}"
    )
    (fault,) = space.check(part.replace(", delivered: got", "") if column != "got" else part)
    assert "UL143" in fault or "UL015" in fault


def test_a_sample_needs_ids(space):
    part = "customers: {file: data.csv}\nuplift: {features: [age], sample: 1000}"
    (fault,) = space.check(part)
    assert "UL148 a sample is drawn by the customers' id" in fault


def test_a_plan_keeps_the_digest_it_was_locked_under(space):
    part = f"{MONEY}\nuplift: {{features: [age], learners: [solo_model], budget: 500}}"
    assert space.check(part) == []
    plan = load(FILE).plan
    stored = json.loads(plan.canonical())["experiment"]["uplift"]
    assert stored == {"features": ["age"], "learners": ["solo_model"], "budget": "500"}
    assert space.check(part.replace("budget: 500", "budget: 500, folds: 5, holdout: 10%")) == []
    assert load(FILE).plan.sha256 == plan.sha256
    assert space.check(part.replace("budget: 500", "budget: 500, folds: 6")) == []
    assert load(FILE).plan.sha256 != plan.sha256


def test_the_canonical_form_reads_back():
    asked = Uplift.model_validate(
        {"features": ["age"], "holdout": "5%", "today": {"where": "age > 3"}, "sample": "100"}
    )
    assert Uplift.model_validate(asked.canonical()) == asked
