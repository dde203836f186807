"""A workspace from one's own tables: what they tell is written, and nothing else is guessed."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from commands import upliftlab

START = date(2026, 3, 2)
TABLES = ("--from", "customers.csv", "--from", "orders.csv", "--from", "contacts.csv")


def write(folder, name, head, rows):
    lines = [head, *(",".join(map(str, row)) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def shop(folder, *, arms=("control", "letter"), start=START, contacts=1):
    """Three files as a shop exports them; without arms they are those of a campaign to come."""
    chance = random.Random(7)
    people, orders, sent = [], [], []
    for customer in range(1000, 3000):
        arm = chance.choice(arms) if arms else None
        regions = chance.choice(("north", "south")), chance.choice(("gold", "basic"))
        people.append((customer, *regions, *([arm] if arm else [])))
        if not arms or arm != arms[0]:
            sent += [(customer, start + timedelta(days=chance.randrange(contacts)), "mail")]
        for _ in range(chance.choice((0, 1, 2))):
            day = start + timedelta(days=chance.randrange(-60, 45))
            orders.append((customer, day, round(chance.uniform(10, 90), 2)))
    write(folder, "customers.csv", "customer_id,region,tier" + (",arm" if arms else ""), people)
    numbered = [(n, *row) for n, row in enumerate(orders, 1)]
    write(folder, "orders.csv", "order_id,customer_id,ordered_on,amount", numbered)
    numbered = [(n, *row) for n, row in enumerate(sent, 1)]
    write(folder, "contacts.csv", "contact_id,customer_id,sent_on,channel", numbered)
    return folder


def done(*arguments, cwd):
    found = upliftlab(*arguments, cwd=cwd)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def refused(*arguments, cwd):
    found = upliftlab("init", *arguments, cwd=cwd)
    assert found.returncode == 1, found.stdout + found.stderr
    assert not (cwd / "experiments").exists()
    return found.stderr


def read(folder, place):
    return yaml.load((folder / place).read_text(encoding="utf-8"), yaml.BaseLoader)


def test_three_files_lead_to_a_report_in_three_commands(tmp_path):
    shop(tmp_path)
    done("init", *TABLES, cwd=tmp_path)
    assert "No faults found." in done(
        "check", "experiments", "configs", "--data", ".", cwd=tmp_path
    )
    said = done("run", "experiments/first.yaml", cwd=tmp_path)
    assert said.startswith(("SHIP", "STOP", "INCONCLUSIVE"))
    page = (tmp_path / "upliftlab-report" / "first" / "report.html").read_text(encoding="utf-8")
    assert "letter" in page
    assert "first: analysed" in done("status", cwd=tmp_path)
    asked = read(tmp_path, "experiments/first.yaml")
    assert asked["assignment"] == {"observed": "arm"}
    assert asked["arms"] == {"control": {"control": "true"}, "letter": {"channel": "mail"}}
    assert asked["waves"] == [{"start": "2026-03-02", "share": "100%"}]
    assert asked["segments"] == ["region", "tier"]
    assert asked["outcome_window"] == "28 days"
    assert not {"money", "currency"} & asked.keys()  # no table tells them
    sources = read(tmp_path, "configs/sources.yaml")["sources"]
    assert sources["contacts"] == {
        "file": "contacts.csv",
        "id": "customer_id",
        "key": "contact_id",
        "time": "sent_on",
    }
    ignored = (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/customers.csv", "/orders.csv", "/contacts.csv", "/ledger/"} <= set(ignored)
    assert not (tmp_path / "data").exists()


def test_without_arms_the_campaign_is_planned_and_assigned(tmp_path):
    (tmp_path / "data").mkdir()
    today = datetime.now(UTC).date()
    shop(tmp_path / "data", arms=(), start=today - timedelta(days=45))
    tables = [f"data/{each}" if "." in each else each for each in TABLES]
    done("init", *tables, cwd=tmp_path)
    assert (tmp_path / "data" / ".gitignore").exists()
    done("check", "experiments", "configs", "--data", "data", cwd=tmp_path)
    file = "experiments/first.yaml"
    done("plan", file, "--effect", "10%", "--html", "plan.html", cwd=tmp_path)
    assert "<html" in (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert f"upliftlab lock {file}" in done("status", cwd=tmp_path)
    done("assign", file, cwd=tmp_path)


@pytest.mark.parametrize(
    ("options", "shopping", "why"),
    [
        (
            (),
            {"arms": ("a", "b")},
            "'arm' holds the arms a, b: which is the control?; say so: --co",
        ),
        (("--control", "c"), {}, "which is the control?"),
        (
            (),
            {"contacts": 3},
            "contacts go from 2026-03-02 to 2026-03-04; say so: --start 2026-03-02",
        ),
        (("--arm", "amount"), {}, "which column holds the arms; able are region, tier, arm; say"),
    ],
)
def test_what_no_table_tells_is_asked_for(tmp_path, options, shopping, why):
    shop(tmp_path, **shopping)
    said = refused(*TABLES, *options, cwd=tmp_path)
    assert said.startswith("UL693 ")
    assert why in said


def test_what_is_said_is_taken(tmp_path):
    shop(tmp_path, arms=("a", "b"), contacts=3)
    answers = ("--arm", "arm", "--control", "b", "--start", "2026-03-10")
    done("init", *TABLES, *answers, cwd=tmp_path)
    asked = read(tmp_path, "experiments/first.yaml")
    assert asked["arms"]["b"] == {"control": "true"}
    assert asked["waves"][0]["start"] == "2026-03-10"
    assert done("check", "experiments", "configs", cwd=tmp_path) == "No faults found.\n"


def test_one_table_without_ids_is_enough(tmp_path):
    rows = [
        (("No E-Mail", "50% off, now")[n % 2], n % 9 + n % 2, "ab"[n % 3 > 0]) for n in range(400)
    ]
    write(tmp_path, "all.csv", "variant,spend,town_size", [(f'"{a}"', s, t) for a, s, t in rows])
    done("init", "--from", "all.csv", cwd=tmp_path)
    asked = read(tmp_path, "experiments/first.yaml")
    assert asked["arms"] == {"50% off, now": {}, "No E-Mail": {"control": "true"}}
    assert read(tmp_path, "configs/sources.yaml")["sources"]["customers"] == {
        "file": "all.csv",
        "known_after": ["spend"],
    }
    assert "50% off, now" in done("run", "experiments/first.yaml", cwd=tmp_path)


def test_a_german_export_keeps_its_form_and_its_currency(tmp_path):
    people = "".join(f"{n};{'Kontrolle' if n % 2 else 'Brief'}\r\n" for n in range(100, 160))
    (tmp_path / "kunden.csv").write_bytes(f"Kunden-Nr;Gruppe\r\n{people}".encode("cp1252"))
    orders = "".join(
        f"{n};{100 + n % 60};{n % 27 + 1:02}.03.2026;1.{n % 900 + 100},50 €\r\n" for n in range(200)
    )
    text = f"Beleg;Kunden-Nr;Datum;Umsatz\r\n{orders}"
    (tmp_path / "bestellungen.csv").write_bytes(text.encode("cp1252"))
    tables = ("--from", "bestellungen.csv", "--from", "kunden.csv", "--start", "2026-03-02")
    done("init", *tables, cwd=tmp_path)
    asked = read(tmp_path, "experiments/first.yaml")
    assert (asked["currency"], asked["metrics"]["primary"]) == ("EUR", "revenue")
    assert asked["arms"]["Kontrolle"] == {"control": "true"}
    found = read(tmp_path, "configs/sources.yaml")["sources"]["bestellungen"]
    assert (found["id"], found["amounts"]) == ("Kunden-Nr", {"Umsatz": "EUR"})
    assert found["format"]["thousands"] == "."
    assert done("check", "experiments", "configs", cwd=tmp_path) == "No faults found.\n"


def test_what_is_not_certain_is_a_comment_with_the_line_to_write(tmp_path):
    """Numbers of two readings, refunds, other campaigns' contacts, customers without an arm."""
    people = [(n, ("none", "mail", "")[n % 3]) for n in range(100, 400)]
    write(tmp_path, "customers.csv", "customer_id,group", people)
    orders = [(100 + n, "2026-03-05", "1.234", n % 9 - 1) for n in range(280)]
    write(tmp_path, "orders.csv", "customer_id,day,sales,net value", orders)
    sent = [(n, "2026-03-02", "Spring mail") for n, arm in people if arm == "mail"]
    write(tmp_path, "contacts.csv", "customer_id,day,campaign", sent)
    done("init", *TABLES, cwd=tmp_path)
    sources = (tmp_path / "configs" / "sources.yaml").read_text(encoding="utf-8")
    assert "    # choose for sales:\n" in sources
    assert "    # experiment: campaign   #" in sources
    asked = (tmp_path / "experiments" / "first.yaml").read_text(encoding="utf-8")
    assert "# 100 customers have no arm. This leaves them out, and counts them:\n" in asked
    exclude = "exclude: 'group is null'"
    assert f"# {exclude}\n" in asked
    assert done("check", "experiments", "configs", cwd=tmp_path) == "No faults found.\n"
    found = upliftlab("run", "experiments/first.yaml", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (1, "")  # what is left open is not analysed
    choose, take = '    #   format: {decimal: "."}  #', '    format: {decimal: "."}  #'
    assert choose in sources
    (tmp_path / "configs" / "sources.yaml").write_text(sources.replace(choose, take), "utf-8")
    (tmp_path / "experiments" / "first.yaml").write_text(
        asked.replace(f"# {exclude}", exclude), "utf-8"
    )
    assert "mail" in done("run", "experiments/first.yaml", cwd=tmp_path)


def test_tables_that_a_workspace_cannot_begin_with_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    shop(tmp_path)
    said = upliftlab("init", "in", "--from", "customers.csv", cwd=tmp_path).stderr
    assert said.startswith("customers.csv: UL691 lies outside of in,")
    (tmp_path / "broken.csv").write_bytes(b'a,b\n"1,2\n')
    assert "broken.csv: UL691 cannot be read:" in refused("--from", "broken.csv", cwd=tmp_path)
    assert refused("--from", "orders.csv", "--from", "contacts.csv", cwd=tmp_path).startswith(
        "UL692"
    )
    (tmp_path / "users.csv").write_bytes((tmp_path / "customers.csv").read_bytes())
    said = refused(*TABLES, "--from", "users.csv", cwd=tmp_path)
    assert said.startswith("UL692 customers.csv, users.csv have a row for each customer")


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "customers.csv", "--template", "churn"),
        ("--control", "a"),
        ("--start", "2026-03-02"),
    ],
)
def test_options_that_do_not_go_together(tmp_path, options):
    shop(tmp_path)
    assert upliftlab("init", *options, cwd=tmp_path).returncode == 2
