"""How a terminal tells responses."""

import pytest
from responses import CASES, MENS, WOMENS, make_responses

from upliftlab.cli.responses import say


@pytest.mark.parametrize("case", CASES)
def test_the_answer_the_gate_and_the_policies_are_told(case, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    say(CASES[case]())
    told = capsys.readouterr().out
    assert "\x1b[" not in told
    assert told.startswith("no   There is no" if case == "shut" else "yes  Customers respond")
    assert {"Responses", "Policies"} <= set(told.split())
    assert max(len(line) for line in told.splitlines()[1:]) <= 100


def test_an_estimate_stands_above_the_ends_of_its_interval(capsys):
    say(make_responses(opened=(True, False), money=False))
    told = capsys.readouterr().out
    assert "✓ open" in told
    assert "✗ shut" in told
    lines = told.splitlines()
    gate = next(i for i, line in enumerate(lines) if line.lstrip().startswith(WOMENS))
    assert "+4.20 pp" in lines[gate]
    assert "1.85 to 6.55 pp" in lines[gate + 1]
    assert "cost" not in next(line for line in lines if "Policies" in line)


def test_what_figures_rest_on_is_told(capsys):
    say(make_responses(arms=(MENS,), opened=(False,), sampled_from=900_000, randomised="household"))
    assert (
        "64,000 customers drawn from 900,000, 5 folds × 2, seed 20260101; intervals of 95%, "
        "standard errors by household." in " ".join(capsys.readouterr().out.split())
    )
