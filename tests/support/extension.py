"""A distribution of somebody else's: built from a folder by pip, and installed beside upliftlab.

Its build backend lies in its folder, so that nothing is fetched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from commands import ROOT

Points = Mapping[str, Mapping[str, str]]
"""By group, an entry point's `module:object` by name."""

_BACKEND = '''
"""A wheel of the modules of this folder, with the entry points that pyproject.toml names."""
import pathlib, tomllib, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))["project"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    files = {str(path): path.read_text("utf-8") for path in pathlib.Path("modules").rglob("*.py")}
    files = {name.removeprefix("modules/"): text for name, text in files.items()}
    info = f"{stem}.dist-info"
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\\nName: {project['name']}\\nVersion: {project['version']}\\n"
    )
    files[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    )
    files[f"{info}/entry_points.txt"] = "\\n".join(lines) + "\\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
    name = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
'''


@dataclass(frozen=True, slots=True)
class Extension:
    """What somebody else publishes.

    Attributes:
        name: The distribution's name, which messages give.
        modules: Its Python files by path, such as `shop_checks.py` or `shop/engine.py`.
        entry_points: What it offers.
    """

    name: str
    modules: Mapping[str, str]
    entry_points: Points = field(default_factory=dict[str, dict[str, str]])

    def written(self, folder: Path) -> Path:
        """Its source folder, below `folder`: pyproject.toml, backend and modules."""
        source = folder / f"{self.name}-source"
        for path, text in self.modules.items():
            file = source / "modules" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (source / "own_backend.py").write_text(_BACKEND, encoding="utf-8")
        (source / "pyproject.toml").write_text(self._project(), encoding="utf-8")
        return source

    def _project(self) -> str:
        lines = [
            "[build-system]",
            'requires = []\nbuild-backend = "own_backend"\nbackend-path = ["."]',
            f'[project]\nname = {json.dumps(self.name)}\nversion = "1.0"',
        ]
        for group, points in self.entry_points.items():
            lines.append(f"[project.entry-points.{json.dumps(group)}]")
            lines += [f"{json.dumps(name)} = {json.dumps(at)}" for name, at in points.items()]
        return "\n".join(lines) + "\n"


def install(folder: Path, *extensions: Extension) -> Path:
    """Build and install distributions; the folder that belongs on Python's path.

    In this process: `monkeypatch.syspath_prepend(site)`. In another one: `beside(site)`.
    """
    site = folder / "site"
    sources = [extension.written(folder) for extension in extensions]
    command = (*("install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"),)
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command, "--target", site, *sources],
        cwd=folder,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return site


def beside(site: Path) -> dict[str, str]:
    """The environment of a process in which upliftlab and what lies in `site` are installed."""
    return {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(site)])}
