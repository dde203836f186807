"""Verdicts turn on the direction that is good: declared, or said to be taken."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from commands import upliftlab
from grouped import experiment

from upliftlab import Experiment
from upliftlab.errors import ConfigError
from upliftlab.report.render import render
from upliftlab.results.analysis import VerdictCode
from upliftlab.text.language import Language

TAKEN = "Taken as: higher is better, as nothing says which direction of {} is good."
TRIALS = {
    # Francis et al. (1955), as in Freedman, Pisani, Purves: Statistics, ch. 1: children and cases.
    "polio": ((201_229, 142), (200_745, 57)),
    # Elmunzer et al., NEJM 366 (2012) 1414: placebo and indomethacin, pancreatitis after ERCP.
    "pancreatitis": ((307, 52), (295, 27)),
}


def told(analysis, lang):
    """The page without its marks."""
    return re.sub("<[^>]*>", "", render(analysis, lang=lang))


def trial(disease, **asked):
    """A trial by its counts: one row an arm."""
    (placebo, ill), (treated, fewer) = TRIALS[disease]
    table = pd.DataFrame({"arm": ["none", "mail"], "n": [placebo, treated], "x": [ill, fewer]})
    given = {"aggregated": {"n": "n", "units_with": {disease: "x"}}}
    arms = {"none": {"control": True}, "mail": {}}
    return experiment(given, arms=arms, **asked).analyze(table)


def decided(disease, better, **asked):
    own = {"column": disease, "unit": "share", "better": better}
    return trial(disease, metrics={"primary": disease, "define": {disease: own}}, **asked)


@pytest.mark.parametrize("disease", TRIALS)
def test_what_protects_ships_where_less_is_better(disease):
    found = decided(disease, "lower")
    assert found.verdict.code is VerdictCode.ship
    assert found.verdict.remarks == ()
    assert "Taken" not in found.verdict.sentence
    (placebo, ill), (treated, fewer) = TRIALS[disease]
    (finding,) = found.find(kind="difference")
    assert finding.estimate == pytest.approx(fewer / treated - ill / placebo)
    assert decided(disease, "higher").verdict.code is VerdictCode.stop


@pytest.mark.parametrize("disease", TRIALS)
def test_a_direction_that_nobody_declared_is_said_to_be_taken(disease):
    found = trial(disease, metrics={"primary": disease})
    assert found.verdict.code is VerdictCode.stop
    assert found.verdict.sentence.endswith(TAKEN.format(disease))
    assert TAKEN.format(disease) in str(found.summary())
    english, chinese = (told(found, lang) for lang in ("en", "zh"))
    assert "Taken as: higher is better" in english
    assert Language("zh").say(found.verdict.remarks[0], None) in chinese
    assert "视为" in chinese


def test_one_child_a_row_is_the_same(tmp_path, monkeypatch):
    """Salk's children one by one, as a file, by the commands."""
    monkeypatch.chdir(tmp_path)
    rows = ["arm,polio"]
    for arm, (children, ill) in zip(("none", "mail"), TRIALS["polio"], strict=True):
        rows += [f"{arm},1"] * ill + [f"{arm},0"] * (children - ill)
    (tmp_path / "salk.csv").write_text("\n".join(rows) + "\n")
    text = (
        "schema: 1\nexperiment: salk\ncustomers: {file: salk.csv}\nassignment: {observed: arm}\n"
        "arms: {none: {control: true}, mail: {}}\n"
    )
    metrics = "metrics: {primary: polio, define: {polio: {column: polio, better: lower}}}\n"
    (tmp_path / "salk.yaml").write_text(text + metrics)
    done = upliftlab("analyze", "salk.yaml", "--json", cwd=tmp_path)
    verdict = json.loads(done.stdout)["verdict"]
    assert (verdict["code"], done.stderr) == ("SHIP", "")
    assert verdict["sentence"] == "mail lowers polio: -0.042 pp (-0.056 pp to -0.028 pp)."
    (tmp_path / "salk.yaml").write_text(text + "metrics: {primary: polio}\n")
    done = upliftlab("analyze", "salk.yaml", cwd=tmp_path)
    assert done.stdout.startswith(
        "STOP: mail lowers polio: -0.042 pp (-0.056 pp to -0.028 pp). Taken"
    )
    checked = upliftlab("check", "salk.yaml", cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "salk.yaml:6:20: UL154 'polio' does not say" in checked.stdout
    assert "taken as: higher is better" in checked.stdout
    assert checked.stdout.endswith("No faults found.\n")
    listed = json.loads(upliftlab("check", "salk.yaml", "--format", "json", cwd=tmp_path).stdout)
    assert [(each["code"], each["severity"]) for each in listed] == [("UL154", "notice")]
    assert upliftlab("check", "salk.yaml", "--quiet", cwd=tmp_path).stdout == ""


def test_a_rule_with_a_threshold_is_of_the_fall():
    """3.4 points fewer at least: 9.15 % against 16.94 %, a fall of 7.79 points."""
    found = decided("pancreatitis", "lower", decision={"ship_if": "estimate > 0.034"})
    assert found.verdict.code is VerdictCode.ship
    assert found.verdict.sentence.startswith(
        "mail meets the rule estimate > 0.034 for the fall of pancreatitis, which changes by -0.07"
    )
    assert "the estimate of its fall must be above 0.034" in told(found, "en")
    assert "其下降幅度的估计值必须高于 0.034" in told(found, "zh")
    missed = decided("pancreatitis", "lower", decision={"ship_if": "estimate > 0.1"})
    assert missed.verdict.code is VerdictCode.stop


def test_the_metric_of_the_decision_is_asked_and_not_the_primary_one():
    table = pd.DataFrame({"arm": ["none", "mail"] * 50, "spent": range(100), "visits": [1, 2] * 50})
    asked = {
        "metrics": {"primary": "spent", "secondary": ["visits"]},
        "decision": {"metric": "visits"},
    }
    arms = {"none": {"control": True}, "mail": {}}
    found = experiment({}, arms=arms, **asked).analyze(table)
    assert found.verdict.sentence.endswith(TAKEN.format("visits"))


def test_of_profit_and_revenue_the_direction_is_known():
    table = pd.DataFrame({"arm": ["none", "mail"] * 50, "spent": [*range(99), 300]})
    asked = {"metrics": {"primary": "spent"}, "money": {"revenue": "spent"}, "currency": "EUR"}
    arms = {"none": {"control": True}, "mail": {}}
    for decision in ({}, {"metric": "spent"}):
        found = experiment({}, arms=arms, decision=decision, **asked).analyze(table)
        assert found.verdict.remarks == ()


def test_capped_and_empty_values_keep_what_was_declared():
    """A metric that leaves customers out is a ratio by then; of a cut one the cut is judged."""
    table = pd.DataFrame({"arm": ["none", "mail"] * 50, "days": [*range(99), None]})
    arms = {"none": {"control": True}, "mail": {}}
    for better in ({"better": "lower"}, {}):
        own = {"days": {"column": "days", "missing": "drop", **better}}
        found = experiment({}, arms=arms, metrics={"primary": "days", "define": own}).analyze(table)
        assert (found.verdict.remarks == ()) == bool(better)
        assert found.metrics[0].better == better.get("better", "higher")
    own = {"days": {"column": "days", "missing": "zero", "better": "lower"}}
    asked = {
        "metrics": {"primary": "days", "define": own},
        "analysis": {"winsorize": {"days": "90%"}},
    }
    assert experiment({}, arms=arms, **asked).analyze(table).verdict.remarks == ()


def test_planning_says_in_which_direction_an_effect_is_expected():
    given = {"schema": 1, "experiment": "planned", "customers": {"file": "c.csv", "id": "id"}}
    given |= {"arms": {"none": {"control": True}, "mail": {}}}
    figures = {"baseline_mean": 10.0, "baseline_sd": 3.0, "effect": "5%", "customers": 1_000}
    taken = "The expected effect is a rise of {metric}: nothing says which direction is good"
    for better, said in ((None, True), ("lower", False), ("higher", False)):
        own = {"visits": {"column": "visits", **({"better": better} if better else {})}}
        metrics = {"primary": "visits", "define": own}
        found = Experiment.from_dict({**given, "metrics": metrics}).plan(**figures)
        assert any(note.template.startswith(taken) for note in found.notes) == said
        assert found.assumed.effect == pytest.approx(-0.5 if better == "lower" else 0.5)


def test_a_name_that_sounds_bad_is_not_analysed_without_a_direction():
    table = pd.DataFrame({"arm": ["none", "mail"] * 50, "Beschwerden": [0, 1] * 50})
    arms = {"none": {"control": True}, "mail": {}}
    with pytest.raises(ConfigError, match="UL153 'Beschwerden'"):
        experiment({}, arms=arms, metrics={"primary": "Beschwerden"}).analyze(table)
