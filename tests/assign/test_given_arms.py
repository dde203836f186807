"""A column that holds the arms already is asked about before they are drawn anew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from spaces import Space

from upliftlab.assignment.given_arms import already_given, given_arms
from upliftlab.cli.app import commands
from upliftlab.errors import ConfigError
from upliftlab.ledger import Ledger, LedgerError
from upliftlab.ledger.campaign import open_record
from upliftlab.queries.computed import attach_table

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ARMS = "arms: {none: {control: true}, mail: {}}\nmetrics: {primary: spent}\n"
N = 40
COLUMNS = {
    "id": [*range(N)],
    "last group": ["none", "mail"] * (N // 2),
    "wish": ["mail", "post"] * (N // 2),
    "seldom": [*["none", "mail"] * 5, *["other"] * (N - 10)],
    "spent": [1.0] * N,
}


def attached(anywhere, assignment="method: hash"):
    anywhere.table("customers", COLUMNS, known_after=["spent"])
    plan = anywhere.plan(f"assignment: {{{assignment}}}\n" + ARMS)
    attach_table("customers", plan.customers, anywhere.engine)
    return plan


def test_a_column_of_the_arms_is_named_on_any_engine(anywhere, tmp_path):
    plan = attached(anywhere)
    assert given_arms(plan, anywhere.engine) == ("last group",)
    line = """write 'assignment: {observed: "last group"}'"""
    [said] = already_given(plan, anywhere.engine)
    assert (said.code, said.severity) == ("UL418", "warning")
    assert said.remedy.endswith(line)
    with pytest.raises(LedgerError, match="UL452") as refused:
        open_record(Ledger(tmp_path / "ledger"), plan, anywhere.engine)
    assert "'last group' of the customers holds the names of its arms" in str(refused.value)
    assert line in str(refused.value)


def test_what_was_delivered_is_no_question(shop):
    plan = attached(shop, "method: hash, delivered: last group")
    assert given_arms(plan, shop.engine) == ()


def test_every_command_asks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = Space(tmp_path)
    rows = [f"{n},{'none' if n % 2 else 'mail'},{n % 5}" for n in range(N)]
    space.write("data.csv", "\n".join(["id,gruppe,spent", *rows]) + "\n")
    space.write("configs/program.yaml", "schema: 1\n")
    own = "customers: {file: data.csv, id: id, known_after: [spent]}\n" + ARMS
    space.write("experiments/example.yaml", space.experiment("assignment: {method: hash}\n" + own))

    def run(*arguments):
        done = CliRunner().invoke(commands, [*arguments, "experiments/example.yaml"])
        return done.exit_code, done.output

    status, said = run("run", "--data", ".")
    assert status == 1
    assert "UL452" in said
    assert "write 'assignment: {observed: gruppe}' if that tells who got what; else run" in said
    for arguments in (("check", "--data", "."), ("lock",), ("assign", "--data", ".")):
        status, said = run(*arguments)
        assert status == 0, said
        assert "UL418 'gruppe' of the customers holds the names of the arms" in said, said
    space.write(
        "experiments/example.yaml", space.experiment(f"assignment: {{observed: gruppe}}\n{own}")
    )
    assert "UL418" not in run("check", "--data", ".")[1]


def test_a_table_that_cannot_be_read_leads_to_the_first_step(shop, tmp_path):
    plan = attached(shop)
    shop.locate("customers.parquet").write_bytes(b"no table")
    with pytest.raises(LedgerError, match="has no locked plan; run assign first"):
        open_record(Ledger(tmp_path / "ledger"), plan, shop.engine)


@pytest.mark.parametrize("given", ["observed", "given", "existing"])
def test_arms_of_elsewhere_are_no_method(shop, given):
    with pytest.raises(
        ConfigError, match=r"UL014.*is no way to draw arms; write 'observed: COLUMN'"
    ):
        attached(shop, f"method: {given}")
