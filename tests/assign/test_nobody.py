"""An assignment of nobody is refused; what is empty or left over is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from spaces import Space

from upliftlab.cli.app import commands
from upliftlab.errors import DataError
from upliftlab.ledger import Ledger, LedgerError, campaign

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ARMS = "arms: {none: {control: true}, mail: {}}\nmetrics: {primary: spent}\n"
OPEN = "customers: {file: data.csv, id: id, known_after: [spent]}\nassignment: {method: hash}\n"


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Space(tmp_path)


def people(space, count, columns="newsletter,spent", row="{flag},1"):
    lines = [f"{n}," + row.format(flag=n % 2) for n in range(count)]
    space.write("data.csv", "\n".join([f"id,{columns}", *lines]) + "\n")
    space.write("configs/program.yaml", "schema: 1\n")


def run(*arguments):
    done = CliRunner().invoke(commands, [*arguments, "experiments/example.yaml"])
    return done.exit_code, done.output


def write(space, part):
    space.write("experiments/example.yaml", space.experiment(OPEN + part))


@pytest.mark.parametrize(
    ("eligible", "wanted"), [("newsletter = 7", 0), ("newsletter = 1", 20), ("newsletter > 3", 0)]
)
def test_nobody_is_never_on_the_record_on_any_engine(anywhere, tmp_path, eligible, wanted):
    columns = {"id": [*range(40)], "newsletter": [0, 1] * 20, "spent": [1.0] * 40}
    anywhere.table("customers", columns, known_after=["spent"])
    plan = anywhere.plan(f"eligible: {eligible}\nassignment: {{method: hash}}\n" + ARMS)
    ledger = Ledger(tmp_path / "ledger")
    if wanted:
        done = campaign.assign(ledger, plan, anywhere.engine, NOW)
        assert sum(done.manifest.arms.values()) == wanted
        return
    said = "UL414 nobody gets an arm: 40 do not meet 'eligible'; 'newsletter' holds 0, 1; mend"
    with pytest.raises(LedgerError, match=said):
        campaign.assign(ledger, plan, anywhere.engine, NOW)
    assert ledger.experiments() == ()


def test_every_command_says_so_before_there_is_a_record(space):
    people(space, 40)
    write(space, "eligible: newsletter = 'ja'\n")
    assert run("check")[0] == 0  # without data nobody knows
    for arguments in (("check", "--quiet", "--data", "."), ("lock",), ("assign", "--data", ".")):
        status, said = run(*arguments)
        assert status == 1
        assert (
            "UL414 nobody gets an arm: 40 do not meet 'eligible'; 'newsletter' holds 0, 1" in said
        )
        assert not list(space.root.glob("**/plan.json"))
    assert "experiments/example.yaml:" in run("check", "--quiet", "--data", ".")[1]


def test_a_plan_is_locked_before_there_are_customers(space):
    people(space, 0)
    write(space, "eligible: newsletter = 'ja'\n")
    assert run("lock")[0] == 0
    (space.root / "data.csv").unlink()
    assert run("lock")[0] == 0


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("newsletter,spent", "n{flag}@example.com,1"),
        ("newsletter,spent", "a long text that somebody wrote {flag},1"),
    ],
)
def test_no_value_that_may_be_a_persons_is_told(space, columns, row):
    people(space, 40, columns, row)
    write(space, "eligible: newsletter = 'ja'\n")
    said = run("assign", "--data", ".")[1]
    assert "40 do not meet 'eligible'; mend" in said
    people(space, 7, row="{flag},1")  # four and three customers: fewer than are shown
    assert "holds" not in run("assign", "--data", ".")[1]


def test_other_reasons_are_named_too(space):
    people(space, 40)
    layers = "layers: {loyal: {experiments: {example: [0%, 0.001%], other: [1%, 100%]}}}\n"
    space.write("configs/program.yaml", f"schema: 1\n{layers}")
    part = OPEN.replace("hash}", "hash, layer: loyal}") + "eligible: newsletter = 1\n"
    space.write("experiments/example.yaml", space.experiment(part))
    said = "nobody gets an arm: 20 do not meet 'eligible', 20 are outside this experiment's range"
    for arguments in (("assign", "--data", "."), ("check", "--quiet", "--data", ".")):
        status, text = run(*arguments)
        assert status == 1
        assert said in text


def test_later_generations_may_have_nobody_new(space):
    people(space, 40)
    write(space, "eligible: newsletter = 1\n")
    assert run("assign", "--data", ".")[0] == 0
    people(space, 40, "newsletter,spent", "{flag},2")
    status, said = run("assign", "--data", ".")
    assert status == 0, said
    assert "UL41" not in said


def test_customers_beyond_the_arms_shares_are_counted(space):
    people(space, 2_000)
    shares = "arms: {none: {control: true, share: 40%}, mail: {share: 50%}}\n"
    write(space, shares)
    status, said = run("check")
    assert status == 0
    assert "UL156 the arms' shares sum to 90 %: 10 % of the customers get no arm" in said
    told = run("check", "--data", ".")[1]
    status, said = run("assign", "--data", ".", "--quiet")
    assert (status, said) == (0, "")
    (space.root / "ledger").rename(space.root / "before")
    status, said = run("assign", "--data", ".")
    left = int(said.split(" of 2,000 customers get no arm, as")[0].split("UL156 ")[-1])
    assert 140 < left < 260
    assert f"{left:>12,}  no arm" in said
    assert f"UL156 {left} of 2,000 customers get no arm" in told
    write(space, shares.replace("40%", "50%"))
    assert "UL156" not in run("check", "--data", ".")[1]


def test_shares_of_arms_that_others_assigned_are_relative(space):
    people(space, 40, "arm,spent", "none,1")
    shares = "arms: {none: {control: true, share: 40%}, mail: {share: 50%}}"
    assert space.check(shares) == []


def test_arms_and_waves_of_nobody_are_named(space):
    people(space, 3)
    waves = "waves: [{start: 2026-03-02, share: 1%}, {start: 2026-03-09, share: 99%}]\n"
    arms = "arms:\n  none: {control: true}\n  a: {}\n  b: {}\n  c: {}\noutcome_window: 7 days\n"
    write(space, waves + arms)
    for arguments in (("check", "--data", "."), ("assign", "--data", ".")):
        status, said = run(*arguments)
        assert status == 0, said
        assert "UL415 nobody is in the arm '" in said
        assert "UL415 nobody is in wave 1, of 2026-03-02, among 3 customers" in said


def test_an_assignment_without_anybody_is_refused_by_the_interface_too(space):
    from upliftlab import Experiment

    people(space, 40)
    write(space, "eligible: newsletter > 3\n")
    experiment = Experiment.from_yaml("experiments/example.yaml")
    with pytest.raises((LedgerError, DataError), match="UL414"):
        experiment.assign()
    assert not list(space.root.glob("**/plan.json"))
