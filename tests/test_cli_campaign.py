"""A campaign's life on the command line: lock, assign, export, amend, verify."""

import csv
import json

import duckdb
import pytest
from commands import upliftlab

YAML = """\
schema: 1
experiment: spring
customers: {file: people.parquet, id: customer_id}
eligible: "recency_days >= 90 and opt_in"
assignment: {salt: spring-2026}
waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]
outcome_window: 7 days
arms:
  holdout: {share: 20%, control: true}
  email:   {share: 40%, channel: email, offer: "=voucher"}
  sms:     {share: 40%, channel: sms}
metrics: {primary: revenue}
"""
PROGRAM = "schema: 1\nuniversal_holdout: {share: 5%, salt: holdout-2026}\n"
PEOPLE = """COPY (SELECT i AS customer_id, i % 200 AS recency_days, i % 7 > 0 AS opt_in
              FROM range({0}) AS t(i)) TO '{1}' (FORMAT parquet)"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "program.yaml").write_text(PROGRAM)
    (tmp_path / "spring.yaml").write_text(YAML)
    duckdb.sql(PEOPLE.format(5000, tmp_path / "people.parquet"))
    return tmp_path


def manifest(shop) -> dict:
    return json.loads(upliftlab("assign", "spring.yaml", "--json", cwd=shop).stdout)


def test_every_customer_is_counted_once(shop):
    found = manifest(shop)
    assert found["population"] == 5000
    assert sum(found["arms"].values()) + sum(found["excluded"].values()) == 5000
    assert found["excluded"]["universal_holdout"] > 0
    assert (shop / "ledger" / "spring" / "plan.json").exists()


def test_assigning_again_changes_nothing_and_says_so(shop):
    first = upliftlab("assign", "spring.yaml", cwd=shop)
    again = upliftlab("assign", "spring.yaml", cwd=shop)
    assert (first.returncode, again.returncode) == (0, 0)
    assert again.stdout.startswith("Nothing to do: this plan and these data are already")
    assert again.stdout.splitlines()[1:] == first.stdout.splitlines()


def test_new_customers_join_and_nobody_moves(shop):
    first = manifest(shop)
    duckdb.sql(PEOPLE.format(6000, shop / "people.parquet"))
    second = manifest(shop)
    assert (second["generation"], second["kept"]) == (2, sum(first["arms"].values()))


def test_lists_hold_the_treated_only(shop):
    found = manifest(shop)
    done = upliftlab("export", "spring.yaml", "--out", "lists", cwd=shop)
    assert done.returncode == 0
    files = sorted((shop / "lists").glob("*.csv"))
    assert [file.name for file in files] == [
        f"wave-{wave}.{channel}.csv" for wave in (1, 2) for channel in ("email", "sms")
    ]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    rows = [row for file in files for row in csv.DictReader(file.read_text().splitlines())]
    assert len(rows) == found["arms"]["email"] + found["arms"]["sms"]
    assert {row["arm"] for row in rows} == {"email", "sms"}
    assert {row["offer"] for row in rows} == {"'=voucher", ""}


def test_pseudonyms_need_their_secret(shop):
    manifest(shop)
    arguments = ("export", "spring.yaml", "--out", "lists", "--pseudonyms", "LIST_SECRET")
    missing = upliftlab(*arguments, cwd=shop)
    assert (missing.returncode, "UL480" in missing.stderr) == (1, True)
    secret = "a secret of sufficient length"
    done = upliftlab(*arguments, cwd=shop, LIST_SECRET=secret)
    assert done.returncode == 0
    assert secret not in done.stdout + done.stderr
    assert "pseudonym,arm,offer" in (shop / "lists" / "wave-1.email.csv").read_text()


def test_a_changed_plan_needs_a_reason(shop):
    manifest(shop)
    (shop / "spring.yaml").write_text(YAML.replace("sms:     {share: 40%", "sms:     {share: 30%"))
    refused = upliftlab("assign", "spring.yaml", cwd=shop)
    assert refused.returncode == 1
    assert "UL451" in refused.stderr
    assert "arms.sms.share: 2/5 → 3/10" in refused.stderr
    assert upliftlab("amend", "spring.yaml", cwd=shop).returncode == 2
    amended = upliftlab("amend", "spring.yaml", "--why", "budget was cut", cwd=shop)
    assert amended.stdout.startswith("Recorded as amendment 1:")
    assert upliftlab("assign", "spring.yaml", cwd=shop).returncode == 0


def test_lock_freezes_and_verify_finds_what_was_touched(shop):
    assert upliftlab("lock", "spring.yaml", cwd=shop).stdout.startswith("Locked: ")
    assert upliftlab("lock", "spring.yaml", cwd=shop).stdout.startswith("Already locked: ")
    manifest(shop)
    assert upliftlab("verify", "ledger", cwd=shop).returncode == 0
    part = next((shop / "ledger").rglob("part-*.parquet"))
    part.chmod(0o600)
    part.write_bytes(part.read_bytes() + b"x")
    touched = upliftlab("verify", "ledger", cwd=shop)
    assert touched.returncode == 1
    assert part.name in touched.stderr


def test_the_query_is_shown_and_nobody_assigned(shop):
    done = upliftlab("assign", "spring.yaml", "--show-sql", cwd=shop)
    assert done.returncode == 0
    assert "MD5('spring-2026:'" in done.stdout
    assert not (shop / "ledger").exists()


def test_engine_check(shop):
    done = upliftlab("engine", "check", "spring.yaml", cwd=shop)
    assert (done.returncode, "hashes as published" in done.stdout) == (0, True)


def test_an_experiment_assigned_elsewhere_is_refused(shop):
    text = YAML.replace("assignment: {salt: spring-2026}", "assignment: {observed: arm}")
    (shop / "spring.yaml").write_text(text)
    done = upliftlab("assign", "spring.yaml", cwd=shop)
    assert (done.returncode, "UL461" in done.stderr) == (1, True)


OUTCOMES = """COPY (SELECT i AS customer_id, (hash(i) % 1000) / 100.0 + (i % 3) AS revenue
               FROM range({0}) AS t(i)) TO '{1}' (FORMAT parquet)"""


def test_what_was_assigned_is_analysed_from_the_ledger(shop):
    assigned = manifest(shop)
    duckdb.sql(OUTCOMES.format(5000, shop / "people.parquet"))
    found = json.loads(upliftlab("analyze", "spring.yaml", "--json", cwd=shop).stdout)
    assert {arm["arm"]: arm["n"] for arm in found["arms"]} == assigned["arms"]
    assert found["verdict"]["code"] == "INCONCLUSIVE"
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["sample_ratio"]["passed"]
    assert checks["deviations"]["message"].startswith("The plan is the one locked on")
    late = checks["planned_before"]
    assert (late["passed"], late["severity"]) == (False, "info")
    assert "the outcome window had closed on March 16, 2026" in late["message"]


def test_a_change_after_outcomes_were_read_is_a_deviation_in_the_report(shop):
    manifest(shop)
    duckdb.sql(OUTCOMES.format(5000, shop / "people.parquet"))
    assert upliftlab("analyze", "spring.yaml", "--quiet", cwd=shop).returncode == 0
    changed = YAML.replace("metrics: {primary: revenue}", "metrics: {primary: customer_id}")
    (shop / "spring.yaml").write_text(changed)
    refused = upliftlab("analyze", "spring.yaml", cwd=shop)
    assert (refused.returncode, "UL451" in refused.stderr) == (1, True)
    amended = upliftlab("amend", "spring.yaml", "--why", "a better metric", cwd=shop)
    assert amended.stdout.startswith("Recorded as deviation 1:")
    found = json.loads(upliftlab("analyze", "spring.yaml", "--json", cwd=shop).stdout)
    check = next(check for check in found["checks"] if check["name"] == "deviations")
    assert (check["passed"], "a better metric" in check["message"]) == (False, True)


def test_nobody_assigned_or_somebody_lost_is_a_fault(shop):
    nobody = upliftlab("analyze", "spring.yaml", cwd=shop)
    assert (nobody.returncode, "run assign first" in nobody.stderr) == (1, True)
    manifest(shop)
    duckdb.sql(OUTCOMES.format(4000, shop / "people.parquet"))
    lost = upliftlab("analyze", "spring.yaml", cwd=shop)
    assert lost.returncode == 1
    assert lost.stdout.startswith("INVALID: ")
    assert "assigned customers are not in the data" in lost.stdout


def test_the_shipped_example_assigns_the_simulated_customers(tmp_path):
    made = upliftlab("simulate", "--out", tmp_path, "--customers", 5000, "--quiet", cwd=tmp_path)
    assert made.returncode == 0
    example = tmp_path / "experiments" / "spring_winback.yaml"
    found = json.loads(upliftlab("assign", example, "--json", cwd=tmp_path).stdout)
    assert sum(found["arms"].values()) + sum(found["excluded"].values()) == 5000
    for stratum in {cell["stratum"] for cell in found["cells"] if cell["arm"]}:
        counts = dict.fromkeys(found["arms"], 0)
        for cell in found["cells"]:
            if cell["stratum"] == stratum and cell["arm"]:
                counts[cell["arm"]] += cell["customers"]
        assert abs(counts["holdout"] - 0.2 * sum(counts.values())) < 1
    assert upliftlab("run", example, "--quiet", cwd=tmp_path).returncode == 0


def test_a_failed_analysis_has_read_no_outcomes(shop):
    manifest(shop)
    assert upliftlab("analyze", "spring.yaml", cwd=shop).returncode == 1
    (shop / "spring.yaml").write_text(YAML.replace("7 days", "8 days"))
    amended = upliftlab("amend", "spring.yaml", "--why", "longer window", cwd=shop)
    assert amended.stdout.startswith("Recorded as amendment 1:")


def test_edited_records_are_not_analysed(shop):
    manifest(shop)
    duckdb.sql(OUTCOMES.format(5000, shop / "people.parquet"))
    part = next((shop / "ledger").rglob("part-*.parquet"))
    part.write_bytes(part.read_bytes() + b"x")
    done = upliftlab("analyze", "spring.yaml", cwd=shop)
    assert (done.returncode, "UL459" in done.stderr) == (1, True)


def test_shares_amended_after_assignment_are_told_and_another_arm_is_refused(shop):
    manifest(shop)
    duckdb.sql(OUTCOMES.format(5000, shop / "people.parquet"))
    (shop / "spring.yaml").write_text(YAML.replace("sms:     {share: 40%", "sms:     {share: 30%"))
    assert upliftlab("amend", "spring.yaml", "--why", "budget", cwd=shop).returncode == 0
    found = json.loads(upliftlab("analyze", "spring.yaml", "--json", cwd=shop).stdout)
    assert found["verdict"]["code"] not in ("INVALID", "NOT_FINAL")
    assert [arm["expected_share"] for arm in found["arms"]] == [0.2, 0.4, 0.4]  # as assigned
    [told] = [check["message"] for check in found["checks"] if check["name"] == "amended"]
    assert "arms.sms.share: 2/5 → 3/10" in told
    (shop / "spring.yaml").write_text(YAML.replace("  sms:  ", "  text:  "))
    done = upliftlab("amend", "spring.yaml", "--why", "another word", cwd=shop)
    assert (done.returncode, "UL475 arm 'text' cannot be added" in done.stderr) == (1, True)


def test_a_lost_plan_is_found(shop):
    manifest(shop)
    (shop / "ledger" / "spring" / "plan.json").unlink()
    lost = upliftlab("verify", "ledger", cwd=shop)
    assert (lost.returncode, "the plan is gone" in lost.stderr) == (1, True)
    assert upliftlab("analyze", "spring.yaml", cwd=shop).returncode == 1
    workspace = upliftlab("verify", ".", cwd=shop)
    assert (workspace.returncode, workspace.stdout) == (1, "")
    assert workspace.stderr == ".: UL457 this is no ledger; did you mean 'ledger'?\n"
    (shop / "empty").mkdir()
    assert "there are no records" in upliftlab("verify", "empty", cwd=shop).stderr
