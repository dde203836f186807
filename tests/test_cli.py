"""The command line as a user and as a program meets it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import ROOT, started, upliftlab

HEAVY = ("pandas", "scipy", "duckdb", "sklearn", "numpy", "statsmodels", "pyarrow")
YAML = """\
schema: 1
experiment: small
customers: {file: customers.csv}
assignment: {observed: arm}
arms:
  none: {control: true}
  mail: {channel: email, cost_per_contact: 0.10}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 40%}
"""


@pytest.fixture
def shop(tmp_path) -> Path:
    (tmp_path / "small.yaml").write_text(YAML)
    rows = [f"{arm},{i % 9 + more}" for arm, more in (("none", 0), ("mail", 3)) for i in range(200)]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_run_writes_the_page_and_the_numbers(shop):
    done = upliftlab("run", "small.yaml", cwd=shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SHIP: mail pays: incremental profit €")
    folder = shop / "upliftlab-report" / "small"
    assert sorted(path.name for path in folder.iterdir()) == ["analysis.json", "report.html"]
    assert "upliftlab-report/small/report.html" in done.stdout


def test_a_site_holds_what_there_is_and_says_what_there_is_not(shop):
    done = upliftlab("plan", "small.yaml", "--baseline-mean", 4, "--baseline-sd", 3,
                     "--redemption-rate", "10%", "--json", cwd=shop)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (shop / "plan.json").write_text(done.stdout)
    done = upliftlab("run", "small.yaml", "--site", "--plan", "plan.json", cwd=shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Site:    upliftlab-report/small/site/index.html" in done.stdout
    site = shop / "upliftlab-report" / "small" / "site"
    names = sorted(path.name for path in site.iterdir())
    assert names == ["index.html", "plan.html", "report.html"]
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "The plan names no features to learn from." in index
    assert "upliftlab target" in index
    assert "uplift.html" not in index


def test_without_a_plan_one_is_made_for_the_effect_that_was_found(shop):
    """2.97 more on 3.96 are 75 %; the default of 5 % would call what just paid not worth it."""
    done = upliftlab("run", "small.yaml", "--site", "--out", "here", cwd=shop)
    assert done.returncode == 0, done.stderr
    found = json.loads((shop / "here" / "analysis.json").read_text())
    lift = next(f["estimate"] for f in found["findings"] if f["kind"] == "relative_lift")
    page = (shop / "here" / "site" / "plan.html").read_text(encoding="utf-8")
    assert f"{lift:.1%}" in page
    assert "NOT WORTH ITS COST" not in page


def test_a_plan_that_cannot_be_made_is_told_and_the_other_pages_stand(shop):
    """Nothing tells a baseline: the outcome is a column, and the analysis cannot be trusted."""
    with (shop / "customers.csv").open("a") as file:
        file.write("mail,3\n" * 300)
    done = upliftlab("run", "small.yaml", "--site", "--out", "here", cwd=shop)
    assert (done.returncode, done.stderr[:5]) == (1, "UL321")
    assert done.stdout.startswith("INVALID")
    site = shop / "here" / "site"
    assert sorted(path.name for path in site.iterdir()) == ["index.html", "report.html"]
    assert "upliftlab plan" in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "why"),
    [("{}", "is no plan"), (None, "is of another experiment"), ("[1", "is no plan")],
)
def test_what_is_no_plan_of_the_experiment_is_refused(shop, content, why):
    if content is None:
        (shop / "other.yaml").write_text(YAML.replace("experiment: small", "experiment: other"))
        done = upliftlab("plan", "other.yaml", "--baseline-mean", 4, "--baseline-sd", 3, "--json",
                         cwd=shop)  # fmt: skip
        content = done.stdout
    (shop / "plan.json").write_text(content)
    done = upliftlab("run", "small.yaml", "--site", "--plan", "plan.json", cwd=shop)
    assert (done.returncode, done.stderr[:5]) == (1, "UL681")
    assert why in done.stderr
    assert not (shop / "upliftlab-report").exists()
    done = upliftlab("run", "small.yaml", "--plan", "plan.json", cwd=shop)
    assert (done.returncode, "need --site" in done.stderr) == (2, True)


def test_quiet_says_nothing(shop):
    done = upliftlab("run", "small.yaml", "--quiet", "--out", "here", cwd=shop)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (shop / "here" / "report.html").exists()


def test_analyze_prints_json_and_nothing_else(shop):
    done = upliftlab("analyze", "small.yaml", "--json", cwd=shop)
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["schema"] == 1
    assert found["verdict"]["code"] == "SHIP"
    assert {f["kind"] for f in found["findings"]} >= {"difference", "relative_lift", "roi"}
    assert not (shop / "upliftlab-report").exists()


def test_report_renders_what_analyze_wrote(shop):
    upliftlab("analyze", "small.yaml", "--out", "a", cwd=shop)
    assert upliftlab("run", "small.yaml", "--out", "b", cwd=shop).returncode == 0
    done = upliftlab("report", "a/analysis.json", "--lang", "zh", cwd=shop)
    assert done.returncode == 0
    assert 'lang="zh' in (shop / "a" / "report.zh.html").read_text(encoding="utf-8")
    wrong = upliftlab("report", "small.yaml", cwd=shop)
    assert (wrong.returncode, wrong.stderr.startswith("UL602")) == (1, True)


def test_the_demonstration_needs_nothing(tmp_path):
    done = upliftlab("run", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "SHIP: email_voucher clears the hurdle" in done.stdout
    (page,) = re.findall(r"\S+\.html", done.stdout)
    assert (tmp_path / page).stat().st_size > 10_000


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("spend}", "spent}"), "UL205 the data have no column 'spent'"),
        (("control: true", "controll: true"), "small.yaml:6:10: UL012 unknown key 'controll'"),
        (("margin: 40%", "margin: 140%"), "small.yaml:10:33: UL014"),
    ],
)
def test_faults_are_one_line_each_and_exit_with_1(shop, change, expected):
    text = YAML.replace(*change) if change[0] != "spend}" else YAML.replace("spend", "spent")
    (shop / "small.yaml").write_text(text)
    done = upliftlab("run", "small.yaml", cwd=shop)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not (shop / "upliftlab-report").exists()


@pytest.mark.parametrize(
    "arguments", [["run", "absent.yaml"], ["check"], ["nonsense"], ["run", "--lang", "xx"]]
)
def test_wrong_usage_exits_with_2(shop, arguments):
    done = upliftlab(*arguments, cwd=shop)
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_a_folder_that_cannot_be_written_is_a_fault(shop):
    (shop / "taken").write_text("a file")
    done = upliftlab("run", "small.yaml", "--out", "taken/below", cwd=shop)
    assert done.returncode == 1
    assert "UL601" in done.stderr


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_check_formats(shop, form):
    (shop / "small.yaml").write_text(YAML.replace("primary", "primry"))
    done = upliftlab("check", "small.yaml", "--format", form, cwd=shop)
    assert done.returncode == 1
    if form == "json":
        found = {(f["file"], f["line"], f["code"]) for f in json.loads(done.stdout)}
        assert ("small.yaml", 9, "UL012") in found
    elif form == "github":
        assert done.stdout.startswith("::error file=small.yaml,line=9,col=")
    else:
        assert "small.yaml:9:11: UL012 unknown key 'primry'" in done.stdout
        assert "did you mean 'primary'?" in done.stdout


def test_no_colour_where_none_is_wanted(shop):
    done = upliftlab("check", "small.yaml", cwd=shop, NO_COLOR="1", FORCE_COLOR="1")
    assert (done.returncode, done.stdout) == (0, "No faults found.\n")
    assert "\x1b" not in upliftlab("run", "small.yaml", cwd=shop, NO_COLOR="1").stdout


def test_check_of_the_repository_loads_nothing_heavy():
    program = (
        "import sys\nsys.argv = ['upliftlab', 'check', 'experiments', 'configs']\n"
        "from upliftlab.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["No faults found.", "[]"], done.stderr


def test_help_shows_examples_line_by_line():
    from click.testing import CliRunner

    from upliftlab.cli import commands

    for name in commands.commands:
        arguments = [name, "check", "--help"] if name == "engine" else [name, "--help"]
        done = CliRunner().invoke(commands, arguments)
        assert done.exit_code == 0
        assert re.search(r"\n  Examples?:\n +upliftlab ", done.output), done.output


def test_a_killed_run_leaves_the_old_report_whole(shop, tmp_path):
    """Kill a run at twenty moments; whatever is there afterwards is a whole page or the old one."""
    assert upliftlab("run", "small.yaml", cwd=shop).returncode == 0
    folder = shop / "upliftlab-report" / "small"
    told = (tmp_path / "out", tmp_path / "errors")
    began = time.monotonic()
    upliftlab("run", "small.yaml", cwd=shop)
    whole = time.monotonic() - began
    for moment in range(20):
        process = started("run", "small.yaml", "--quiet", cwd=shop, told=told)
        # Most moments lie near the end, where files are written.
        time.sleep(whole * (0.6 + 0.4 * moment / 20))
        process.kill()
        process.join()
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert page.rstrip().endswith("</html>")
        assert json.loads((folder / "analysis.json").read_text())["schema"] == 1
    assert upliftlab("run", "small.yaml", cwd=shop).returncode == 0


def reading(process: subprocess.Popen[str], name: str) -> bool:
    """Whether a process has a file of this name open."""
    folder = Path(f"/proc/{process.pid}/fd")
    try:
        return any(name in str(link.readlink()) for link in folder.iterdir())
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see open files")
def test_ctrl_c_ends_without_a_trace(shop):
    rows = "mail,1\nnone,2\n" * 1_000_000
    (shop / "customers.csv").write_text("arm,spend\n" + rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "upliftlab", "run", "small.yaml"],
        cwd=shop,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    deadline = time.monotonic() + 60
    while not reading(process, "customers.csv"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "UL999" not in errors
    assert not (shop / "upliftlab-report").exists()
