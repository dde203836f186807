"""What is installed works alone: source archive, wheel, clean environment, empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from upliftlab import __version__

ROOT = Path(__file__).parents[1]
PATIENCE = 300  # seconds; building fetches the build backend


def run(*command, cwd):
    """Run a command outside the repository, which must not be importable there."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", out, ROOT, cwd=out)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The scripts of an environment that holds the wheel and borrows everything else."""
    home = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install"),
        *("--no-deps", "--no-index", "--quiet", wheel),
        cwd=home,
    )
    own = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    # A path file's folders come after the environment's own and their path files are not read,
    # so an editable upliftlab next to this interpreter stays out of reach.
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home / "bin"


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"upliftlab", f"upliftlab-{__version__}.dist-info"}
    assert "upliftlab/py.typed" in names
    assert "upliftlab/experiments/spring_winback.yaml" in names
    assert "upliftlab/templates/report.html.j2" in names
    starters = {path.relative_to(ROOT).as_posix() for path in (ROOT / "starters").rglob("*.*")}
    assert "starters/workspace/data/.gitignore" in starters
    files = {name for name in starters if (ROOT / name).is_file()}
    assert {f"upliftlab/{name}" for name in files} <= set(names)


def test_a_workspace_begins_from_the_wheel(installed, tmp_path):
    run(installed / "upliftlab", "init", "shop", "--template", "winback", cwd=tmp_path)
    paths = ("shop/experiments", "shop/configs")
    assert "No faults" in run(installed / "upliftlab", "check", *paths, cwd=tmp_path)
    assert (tmp_path / "shop" / "data" / ".gitignore").is_file()


def test_it_finds_its_shipped_files_in_the_wheel(installed, tmp_path):
    code = (
        "from upliftlab.util.resources import shipped\n"
        "for name in ('templates', 'experiments', 'configs', 'starters'):\n"
        "    print(shipped(name) if any(shipped(name).iterdir()) else 'empty')\n"
    )
    for line in run(installed / "python", "-c", code, cwd=tmp_path).splitlines():
        assert Path(line).is_relative_to(installed.parent)
        assert Path(line).parent.name == "upliftlab"


def test_it_tells_its_version(installed, tmp_path):
    assert __version__ in run(installed / "upliftlab", "--version", cwd=tmp_path)


def test_it_writes_a_report_from_an_empty_folder(installed, tmp_path):
    said = run(installed / "upliftlab", "run", cwd=tmp_path).split()
    [page] = {word for word in said if word.endswith(".html")}
    assert "<html" in (tmp_path / page).read_text(encoding="utf-8")
