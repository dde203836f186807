"""Where experiments stand, what comes next, and the commands in the order of a campaign's life."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from commands import upliftlab
from ledgers import NOW, make_draft, make_plan, record

from upliftlab.cli import commands
from upliftlab.ledger import Ledger
from upliftlab.ledger.status import Standing, standing

FIRST = date(2026, 3, 2)


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


def test_a_plan_goes_from_planned_to_due_by_record_and_calendar(ledger):
    plan = make_plan(outcome_window="36 hours")
    closes = date(2026, 3, 11)  # a day and a half after the last start is over in the second day
    assert standing(plan, ledger, NOW) == Standing("planned", FIRST, closes)
    ledger.lock(plan, NOW)
    assert standing(plan, ledger, on("2026-06-01")) == Standing("locked", FIRST, closes)
    record(ledger, make_draft(plan))
    states = {
        day: standing(plan, ledger, on(day)).state
        for day in ("2026-03-01", "2026-03-02", "2026-03-10", "2026-03-11", "2026-06-01")
    }
    assert list(states.values()) == ["assigned", "running", "running", "due", "due"]
    changed = standing(make_plan(outcome_window="2 days"), ledger, NOW)
    assert changed == Standing("assigned", FIRST, closes, changed=True)


def test_days_are_those_of_the_program(ledger):
    plan = make_plan(outcome_window="1 day")
    far = plan.model_copy(
        update={"program": plan.program.model_copy(update={"time_zone": "Pacific/Auckland"})}
    )
    record(ledger, make_draft(far))
    evening = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
    assert standing(far, ledger, evening).state == "running"
    assert standing(far, ledger, evening - timedelta(hours=1)).state == "assigned"


def test_arms_of_a_column_are_due_unless_waves_say_otherwise(ledger):
    seen = make_plan(assignment={"observed": "arm"}, waves=())
    assert standing(seen, ledger, NOW) == Standing("due")
    waved = make_plan(assignment={"observed": "arm"}, outcome_window="7 days")
    assert standing(waved, ledger, on("2026-03-05")).state == "running"


YAML = """\
schema: 1
experiment: {name}
customers: {{file: people.csv, id: id}}
assignment: {{salt: {name}}}
waves: [{{start: {start}, share: 100%}}]
outcome_window: 7 days
arms: {{none: {{control: true}}, mail: {{channel: email}}}}
metrics: {{primary: spend}}
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "configs").mkdir()
    rows = "".join(f"{n},{n % 7}\n" for n in range(400))
    (tmp_path / "people.csv").write_text(f"id,spend\n{rows}")
    for name, start in (("spring", "2026-03-02"), ("later", "2999-01-07")):
        write(tmp_path, name, start)
    return tmp_path


def write(shop, name, start, file=None):
    path = shop / "experiments" / f"{file or name}.yaml"
    path.write_text(YAML.format(name=name, start=start), encoding="utf-8")


def told(shop, code=0, *arguments):
    done = upliftlab("status", "--format", "json", *arguments, cwd=shop)
    assert (done.returncode, done.stderr) == (code, "")
    return {each["file"].removeprefix("experiments/"): each for each in json.loads(done.stdout)}


def follow(shop, each, **words):
    """Run the commands that come next."""
    for line in each["next"]:
        program, *arguments = shlex.split(line)
        assert program == "upliftlab"
        done = upliftlab(*(words.get(word, word) for word in arguments), cwd=shop)
        assert done.returncode == 0, done.stdout + done.stderr


def test_following_what_comes_next_leads_to_the_report(shop):
    plan, lock = (f"upliftlab {verb} experiments/spring.yaml" for verb in ("plan", "lock"))
    assert told(shop)["spring.yaml"]["next"] == [plan, lock]
    follow(shop, {"next": [lock]})
    seen = ["planned"]
    for _ in range(3):
        now = told(shop)["spring.yaml"]
        seen.append(now["state"])
        follow(shop, now)
    assert seen == ["planned", "locked", "due", "analysed"]
    assert now["verdict"] in ("SHIP", "STOP", "INCONCLUSIVE")
    assert (now["starts"], now["closes"], now["next"]) == ("2026-03-02", "2026-03-09", [])
    assert now["note"] == "results lie in upliftlab-report/spring"
    assert told(shop)["later.yaml"]["state"] == "planned"


def test_a_changed_plan_is_amended_before_anything_else(shop):
    for verb in ("assign", "run"):
        assert upliftlab(verb, "experiments/spring.yaml", cwd=shop).returncode == 0
    file = shop / "experiments" / "spring.yaml"
    file.write_text(file.read_text().replace("7 days", "9 days"))
    now = told(shop)["spring.yaml"]
    assert now["state"] == "due"
    assert now["note"] == (
        "it was analysed under another plan; the file differs from the plan on the record"
    )
    follow(shop, now, REASON="longer")
    assert told(shop)["spring.yaml"]["next"] == ["upliftlab run experiments/spring.yaml"]


def test_an_assigned_campaign_is_exported(shop):
    assert upliftlab("assign", "experiments/later.yaml", cwd=shop).returncode == 0
    now = told(shop)["later.yaml"]
    assert (now["state"], now["starts"]) == ("assigned", "2999-01-07")
    follow(shop, now)
    assert list((shop / "lists").rglob("*.csv"))


def test_what_cannot_be_trusted_is_faulty_with_the_command_that_tells(shop):
    assert upliftlab("assign", "experiments/spring.yaml", cwd=shop).returncode == 0
    [record] = (shop / "ledger" / "spring").glob("plan.json")
    record.write_text(record.read_text().replace("spend", "spent"))
    (shop / "experiments" / "later.yaml").write_text("schema: 1\nexperiment: later\n")
    (shop / "upliftlab-report" / "spring").mkdir(parents=True)
    found = told(shop, 1)
    assert {each["state"] for each in found.values()} == {"faulty"}
    assert "ledger/spring/plan.json: UL459" in found["spring.yaml"]["note"]
    assert found["spring.yaml"]["next"] == ["upliftlab verify ledger"]
    assert "experiments/later.yaml:1:1: UL013" in found["later.yaml"]["note"]
    assert found["later.yaml"]["next"] == ["upliftlab check experiments/later.yaml"]


def test_an_analysis_that_cannot_be_read_is_told(shop):
    assert upliftlab("assign", "experiments/spring.yaml", cwd=shop).returncode == 0
    folder = shop / "upliftlab-report" / "spring"
    folder.mkdir(parents=True)
    (folder / "analysis.json").write_text("{}")
    now = told(shop)["spring.yaml"]
    assert (now["state"], now["verdict"]) == ("due", None)
    assert "UL602" in now["note"]


def test_names_and_files_are_shown_as_what_they_are(shop):
    write(shop, '"evil\\u200bname"', "2999-01-07", "a b;\x1b[2Jc")
    done = upliftlab("status", cwd=shop)
    assert "\x1b" not in done.stdout
    assert "\u200b" not in done.stdout
    assert re.search(r"'experiments/a b;\S+\[2Jc.yaml'", done.stdout), done.stdout


def test_without_a_folder_of_experiments_those_here_are_meant(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    done = upliftlab("status", cwd=tmp_path)
    assert (done.returncode, "upliftlab init" in done.stdout) == (0, True)
    (tmp_path / "small.yml").write_text(YAML.format(name="small", start="2026-03-02"))
    done = upliftlab("status", cwd=tmp_path)
    assert done.stdout == (
        "small: planned (starts 2026-03-02)\n"
        "  upliftlab plan small.yml\n  upliftlab lock small.yml\n"
    )


def test_the_help_lists_every_command_in_the_order_of_a_campaign_s_life():
    said = CliRunner().invoke(commands, ["--help"]).output
    listed = re.findall(r"^  ([a-z]+)  ", said.partition("Begin:")[2], re.MULTILINE)
    assert listed == list(commands.commands)
    life = (
        "init",
        "check",
        "plan",
        "lock",
        "assign",
        "export",
        "run",
        "uplift",
        "target",
        "verify",
    )
    assert [name for name in listed if name in life] == list(life)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("upliftlab in", {"init", "inspect"}),
        ("upliftlab init --template wi", {"winback"}),
        ("upliftlab run --l", {"--ledger", "--lang", "--list"}),
    ],
)
def test_a_shell_completes_commands_options_and_their_values(tmp_path, words, expected):
    script = "import sys; sys.argv[0] = 'upliftlab'; from upliftlab.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={
            "PYTHONPATH": ":".join(path for path in sys.path if path),
            "_UPLIFTLAB_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.splitlines()) == {f"plain,{word}" for word in expected}
