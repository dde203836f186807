"""Published experiments rebuilt from their counts, from the YAML to the finding.

`counts.csv` holds customers and events by arm, the control first; those of `turnout` are made from
shares of one decimal. `figures.csv` holds what was published, to half a unit of its last digit, or
with `why` a wider band and the method that makes the difference.
"""

from __future__ import annotations

import csv
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from plans import NOW, pick

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config import load
from upliftlab.engines.duckdb import DuckDB

HERE = Path(__file__).parent
VERDICTS = {
    "salk": "SHIP",
    "salk_paralytic": "SHIP",
    "physicians": "SHIP",
    "isis2_streptokinase": "SHIP",
    "isis2_aspirin": "SHIP",
    "four_s": "SHIP",
    "helsinki": "SHIP",
    "cast": "STOP",
    "ugdp": "STOP",
    "whi": "STOP",
    "sprint": "SHIP",
    "callbacks": "STOP",
    "karlan_list": "SHIP",
    "udacity_gross": "STOP",
    "udacity_net": "INCONCLUSIVE",
    "turnout": "SHIP",
}
PLAN = """\
schema: 1
experiment: {name}
customers: {{file: people.csv, weight: n, known_after: [{outcome}]}}
assignment: {{observed: arm}}
arms:
{arms}
metrics: {{primary: {outcome}, define: {{{outcome}: {{column: {outcome}, better: {better}}}}}}}
"""


def rows(file):
    with (HERE / file).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


COUNTS = {k: list(v) for k, v in groupby(rows("counts.csv"), key=lambda row: row["experiment"])}
FIGURES = rows("figures.csv")


def written(name, folder):
    """The experiment as files, one row for each arm and outcome."""
    given = COUNTS[name]
    outcome = given[0]["outcome"]
    lines = [f"arm,{outcome},n"]
    arms = []
    total = sum(int(row["n"]) for row in given)
    for at, row in enumerate(given):
        n, events = int(row["n"]), int(row["events"])
        lines += [f"{row['arm']},1,{events}", f"{row['arm']},0,{n - events}"]
        role = "channel: published" if at else "control: true"
        arms.append(f"  {row['arm']}: {{share: {n}/{total}, {role}}}")
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    text = PLAN.format(name=name, outcome=outcome, arms="\n".join(arms), better=given[0]["better"])
    (folder / "experiment.yaml").write_text(text)
    return folder / "experiment.yaml"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    @cache
    def analysed(name):
        loaded = load(written(name, tmp_path_factory.mktemp(name)))
        with DuckDB(loaded.workspace.locate) as engine:
            return analyze(loaded.plan, AnalysisContext(engine, NOW))

    return analysed


def quantities(analysis, arm):
    """What publications tell, of our difference and relative lift."""
    plain, lift = (pick(analysis, kind, arm) for kind in ("difference", "relative_lift"))
    control = plain.estimate / lift.estimate
    treated = control + plain.estimate
    return {
        "difference": plain.estimate,
        "se": plain.se,
        "low": plain.low,
        "high": plain.high,
        "p": plain.p,
        "lift": lift.estimate,
        "ratio": 1 + lift.estimate,
        "ratio_low": 1 + lift.low,
        "ratio_high": 1 + lift.high,
        "inverse": 1 / (1 + lift.estimate),
        "control": control,
        "treated": treated,
        "odds": treated / (1 - treated) * (1 - control) / control,
    }


@pytest.mark.parametrize(
    "row", FIGURES, ids=[f"{r['experiment']}-{r['arm']}-{r['quantity']}" for r in FIGURES]
)
def test_the_figure_that_was_published(row, found):
    ours = quantities(found(row["experiment"]), row["arm"])[row["quantity"]]
    assert ours == pytest.approx(float(row["published"]), abs=float(row["within"]))


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict(name, found):
    assert found(name).verdict.code.name.casefold() == VERDICTS[name].casefold()


def test_every_experiment_has_a_figure_and_a_verdict():
    assert {row["experiment"] for row in FIGURES} == VERDICTS.keys() == COUNTS.keys()
