"""The package with one entry more, in a folder of its own, asked by another process."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("__pycache__")


def extended(folder: Path, module: str, before: str, entry: str) -> Path:
    """A copy of the sources with text added to one module, before a text that stands there once."""
    for name in ("src", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)
    changed = folder / "src" / "upliftlab" / module
    start, found, end = changed.read_text(encoding="utf-8").partition(before)
    assert found, f"{module} does not hold {before!r}"
    changed.write_text(start + entry + found + end, encoding="utf-8")
    return folder


def changed(folder: Path) -> list[str]:
    """The source files that differ from ours."""
    package = ROOT / "src" / "upliftlab"
    ours = [path.relative_to(package) for path in package.rglob("*.py")]
    same = filecmp.cmpfiles(package, folder / "src" / "upliftlab", ours, shallow=False)[0]
    return sorted({str(path) for path in ours} - {str(path) for path in same})


def asked(root: Path, script: str, place: Path) -> Any:
    """What a script prints as JSON that runs in a folder with the sources under a root."""
    paths = [str(root / "src"), str(ROOT / "tests" / "support")]
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
