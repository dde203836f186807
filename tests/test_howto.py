"""What docs/howto.md says to write is without a fault, and what it says to run runs."""

import contextlib
import json
import re
import shlex
import shutil
from pathlib import Path

import openpyxl
import pytest
import yaml
from click.testing import CliRunner

from upliftlab.cli import commands

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "howto.md").read_text(encoding="utf-8")
TASKS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
SERVER = "Read tables of a server"
"""It needs one: its lines are held against the language alone."""
LOCKED = "Change a plan that is locked"
LEARNED = "Choose whom to contact next"


def run(line):
    done = CliRunner().invoke(commands, [*shlex.split(line)[1:]])
    assert done.exit_code == 0, f"{line}\n{done.output}"
    return done.output


def fences(kind, text):
    return [inner for name, inner in FENCED.findall(text) if name == kind]


def merged(file, part):
    """A file with what the page adds to it."""
    whole = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    for key, value in part.items():
        whole[key] = (whole.get(key) or {}) | value if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")


def written(shop, text):
    """Put one example where the page says; its file."""
    if place := re.match(r"\{# (templates/[\w.]+) #\}\n", text):
        file = shop / place[1]
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file
    if place := re.match(r"# (\w+/\w+\.yaml)\n", text):
        merged(shop / place[1], yaml.safe_load(text))
        return shop / place[1]
    name = yaml.safe_load(text)["experiment"]
    file = shop / "experiments" / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def tables(data):
    """The files that the page speaks of and the simulated retailer does not have."""
    till = "customer_id;bought_at;receipt;amount\n1;13.03.2026;a;1.234,50\n2;14.03.2026;b;7,20\n"
    (data / "till.csv").write_text(till, encoding="utf-8")
    book = openpyxl.Workbook()
    book.active.title = "Calls"
    book.active.append(["customer_id", "called_at", "call"])
    book.active.append([1, "2026-03-03 10:00", 1])
    book.save(data / "calls.xlsx")
    groups = "".join(f"{i},{'none' if i % 2 else 'leaflet'},2026-03-05\n" for i in range(1, 20_001))
    (data / "shop_test.csv").write_text("customer_id,group,first_seen\n" + groups, encoding="utf-8")
    brand = data.parent / "brand"
    brand.mkdir()
    (brand / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    (data / "banner.csv").write_text(
        "variant,visitors,buyers\nold,900,40\nnew,910,44\n", encoding="utf-8"
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The workspace that the page begins with."""
    with contextlib.chdir(tmp_path_factory.mktemp("howto")):
        for line in fences("text", PAGE.split("\n## ")[0])[0].strip().splitlines():
            run(line)
        tables(Path("shop/data"))
        yield Path("shop").absolute()


@pytest.fixture(scope="module")
def campaign(shop):
    """The workspace after all commands of the page, in order.

    Only what they need is added to it: an example's contact policy would count the campaign's own
    contacts, which are on record already.
    """
    with contextlib.chdir(shop.parent):
        for title, text in TASKS.items():
            for example in fences("yaml", text) if title == LEARNED else fences("jinja", text):
                written(shop, example)
            if title == LOCKED:
                merged(shop / "experiments" / "winback.yaml", {"money": {"hurdle": "10%"}})
            for line in "".join(fences("text", text)).splitlines():
                run(line)
    return shop


def faults(*words):
    """Faults by code; that a universal holdout is not the other house's is told of two examples."""
    done = CliRunner().invoke(commands, ["check", *map(str, words), "--format", "json"])
    assert done.exit_code in {0, 1}, done.output
    told = [fault for fault in json.loads(done.stdout) if fault["severity"] != "notice"]
    return {(fault["code"], fault["message"]) for fault in told}


def test_every_example_is_without_a_fault(shop, tmp_path):
    copy = Path(shutil.copytree(shop, tmp_path / "shop"))
    for example in fences("yaml", "".join(TASKS[title] for title in TASKS if title != SERVER)):
        written(copy, example)
    told = faults(copy / "experiments", copy / "configs")
    assert {code for code, _ in told} == {"UL130"}, told
    own = [copy / "experiments" / f"{name}.yaml" for name in ("shop_test", "banner")]
    (copy / "configs" / "program.yaml").unlink()
    assert faults(*own, "--data", copy / "data") == set()


def test_every_command_runs(campaign):
    assert (campaign / "shared.html").is_file()
    assert (campaign / "learned").is_dir()
    assert "before anything is sent" in (campaign / "ours" / "report.html").read_text("utf-8")


def test_the_lines_of_a_server_are_of_the_language(tmp_path):
    (example,) = fences("yaml", TASKS[SERVER])
    file = tmp_path / "configs" / "program.yaml"
    file.parent.mkdir()
    file.write_text("schema: 1\n" + example, encoding="utf-8")
    run(f"upliftlab check {file}")


def test_the_python_of_the_page_runs(campaign, capsys):
    with contextlib.chdir(campaign.parent):
        (code,) = fences("python", "".join(TASKS.values()))
        exec(code, {})
    assert "ROI" in capsys.readouterr().out


def test_there_are_twenty_tasks_and_more():
    assert len(TASKS) >= 20
    assert all(FENCED.search(text) for text in TASKS.values())
