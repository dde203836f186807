"""Imports go downward only, and the package stays small enough to be known.

The table of layers is the one in docs/architecture.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "upliftlab"
OPEN_TO_ALL = f"{PACKAGE}.__version__"


class Import(NamedTuple):
    importer: str
    """Dotted, without the package: `stats.effects`."""
    target: str
    """Dotted, as far as it names a module: `upliftlab.config.models.values`, `numpy`."""
    line: int


class House(NamedTuple):
    layers: dict[str, int]
    """Room to the number of its layer."""
    closed: list[tuple[str, set[str]]]
    """Room, or `all but` rooms, to what it never imports."""


def read_house(text: str) -> House:
    layers = {
        room: number for number, row in enumerate(_rows(text, "Layers")) for room in _names(row[1])
    }
    return House(layers, [(row[0], set(_names(row[1]))) for row in _rows(text, "Closed doors")])


def _rows(text: str, heading: str) -> list[list[str]]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert section, f"docs/architecture.md has no section '{heading}'"
    lines = [line for line in section[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def imports(package: Path) -> Iterator[Import]:
    """Every import of every module below a package folder."""
    known = {_dotted(package, path) for path in package.rglob("*.py")}
    for path in sorted(package.rglob("*.py")):
        dotted = _dotted(package, path)
        inside = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
        importer = dotted.removeprefix(f"{PACKAGE}").lstrip(".") or "__init__"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            for target in _targets(node, inside, known):
                if target != OPEN_TO_ALL:
                    yield Import(importer, target, node.lineno)


def _dotted(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(node: ast.AST, inside: str, known: set[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = inside.split(".")[: len(inside.split(".")) - node.level + 1]
            base = ".".join([*above, *([base] if base else [])])
        named = [f"{base}.{alias.name}" for alias in node.names]
        return [name if name in known or name == OPEN_TO_ALL else base for name in named]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in ("import_module", "__import__", "find_spec"):
            return [str(node.args[0].value)]
    return []


def violations(package: Path, house: House) -> list[str]:
    found = list(imports(package))
    rooms = {
        _dotted(package, path).removeprefix(PACKAGE).lstrip(".") for path in package.rglob("*.py")
    }
    faults = [
        f"{module} has no place in the table of docs/architecture.md"
        for module in sorted(rooms - {""})
        if _room(module) not in house.layers
    ]
    if not faults:
        faults += [*_upward(found, house), *_closed(found, house), *_circles(found)]
    return faults


def _room(module: str) -> str:
    return module.partition(".")[0]


def _target_room(target: str) -> str | None:
    """The room an import leads to; None outside the package."""
    if target != PACKAGE and not target.startswith(f"{PACKAGE}."):
        return None
    return _room(target.removeprefix(PACKAGE).lstrip(".")) or "__init__"


def _upward(found: list[Import], house: House) -> Iterator[str]:
    for importer, target, line in found:
        room = _target_room(target)
        if room and house.layers.get(room, -1) > house.layers[_room(importer)]:
            yield f"{importer}:{line} imports {target}, which lies above it"


def _closed(found: list[Import], house: House) -> Iterator[str]:
    for rooms, refused in house.closed:
        named, inverted = _names(rooms), rooms.startswith("all but")
        for importer, target, line in found:
            meant = any(importer == name or importer.startswith(f"{name}.") for name in named)
            reached = any(target == name or target.startswith(f"{name}.") for name in refused)
            if meant != inverted and reached:
                yield f"{importer}:{line} imports {target}, a closed door"


def _circles(found: list[Import]) -> list[str]:
    graph: dict[str, set[str]] = {}
    for importer, target, _ in found:
        room = _target_room(target)
        if room and room != _room(importer):
            graph.setdefault(_room(importer), set()).add(room)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"rooms import one another: {' -> '.join(error.args[1])}"]
    return []


HOUSE = read_house((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))


def test_no_module_imports_upward():
    assert violations(ROOT / "src" / PACKAGE, HOUSE) == []


def test_the_table_is_read_whole():
    assert HOUSE.layers["errors"] < HOUSE.layers["util"] == HOUSE.layers["config"]
    assert HOUSE.layers["config"] < HOUSE.layers["engines"] < HOUSE.layers["analysis"]
    assert HOUSE.layers["analysis"] < HOUSE.layers["targeting"] < HOUSE.layers["report"]
    assert HOUSE.layers["report"] < HOUSE.layers["cli"] == max(HOUSE.layers.values())
    assert len(HOUSE.closed) == 5


@pytest.fixture
def planted(tmp_path):
    """Write modules into a package and return what the checker says of it."""

    def plant(**modules):
        package = tmp_path / PACKAGE
        for name, text in {"__init__": "", **modules}.items():
            path = package.joinpath(*name.split("__in__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return violations(package, HOUSE)

    return plant


@pytest.mark.parametrize(
    "text",
    [
        "import upliftlab.cli",
        "import upliftlab.report.view as view",
        "from upliftlab import analysis",
        "from upliftlab.analysis.analyze import analyze",
        "from . import analysis",
        "from .config import load",
        "from upliftlab import Anything",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from upliftlab.cli import main",
        "def late():\n    from upliftlab.report import render\n    return render",
        "try:\n    import upliftlab.cli\nexcept ImportError:\n    pass",
        "import importlib\nimportlib.import_module('upliftlab.cli')",
    ],
)
def test_an_upward_import_is_found(planted, text):
    names = ("cli", "analysis__in____init__", "analysis__in__analyze")
    modules = dict.fromkeys((*names, "config__in____init__", "config__in__load"), "")
    [fault] = planted(errors=text, report__in__view="", **modules)
    assert re.match(r"errors:\d+ imports upliftlab.*, which lies above it", fault)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("stats__in__effects", "import pandas as pd"),
        ("stats__in__effects", "from duckdb import connect"),
        ("stats__in__effects", "from upliftlab.config.models.experiment import Plan"),
        ("money", "import pyarrow.parquet"),
        ("money", "from upliftlab.config import load"),
        ("engines__in__duckdb", "from upliftlab.queries.moments import sql"),
        ("report__in__view", "from upliftlab.analysis.estimation import EstimationSpec"),
        ("uplift__in__scores", "from sklift.metrics import qini_auc_score"),
        ("targeting__in__target", "import sklift"),
    ],
)
def test_a_closed_door_is_found(planted, module, text):
    [fault] = planted(**{module: text})
    assert fault.endswith("a closed door")


def test_a_circle_within_a_layer_is_found(planted):
    [fault] = planted(
        stats__in__a="from upliftlab.money import b",
        money="from upliftlab.stats import a",
        stats__in____init__="",
    )
    assert fault.startswith("rooms import one another")


def test_a_module_without_a_place_is_found(planted):
    assert planted(attic="") == ["attic has no place in the table of docs/architecture.md"]


def test_downward_and_inner_imports_are_fine(planted):
    assert not planted(
        cli="from upliftlab import __version__\nfrom upliftlab.analysis.analyze import analyze",
        analysis__in____init__="",
        analysis__in__analyze="from upliftlab import __version__, money\n"
        "from upliftlab.stats import effects",
        money="import numpy as np\nfrom upliftlab.stats.ratio import fieller",
        stats__in____init__="",
        stats__in__effects="from .ratio import fieller\nfrom . import ratio\nimport scipy.stats",
        stats__in__ratio="from ..results.analysis import Finding",
        uplift__in__learners="from sklift.models import SoloModel",
        results__in____init__="",
        results__in__analysis="import pydantic",
    )


LONGEST_CHAIN, ENTRIES = 11, 25


def chains(package: Path) -> dict[str, int]:
    """How many packages and root modules stand one on another, from each down to the ground."""
    below: dict[str, set[str]] = {}
    for importer, target, _ in imports(package):
        room = _target_room(target)
        here = below.setdefault(_room(importer), set())
        if room and room != _room(importer):
            here.add(room)
    height: dict[str, int] = {}
    for room in TopologicalSorter(below).static_order():
        height[room] = 1 + max((height[lower] for lower in below.get(room, ())), default=0)
    return height


def test_no_chain_of_packages_is_long():
    height = chains(ROOT / "src" / PACKAGE)
    assert max(height.values()) <= LONGEST_CHAIN, height


def test_no_files_import_one_another():
    """Also not for types alone, or within functions: a circle of files is one file."""
    package = ROOT / "src" / PACKAGE
    below: dict[str, set[str]] = {}
    for importer, target, _ in imports(package):
        below.setdefault(importer, set()).add(target.removeprefix(f"{PACKAGE}."))
    TopologicalSorter(below).prepare()  # raises CycleError, naming the circle


def test_the_top_of_the_package_can_be_seen_at_once():
    top = [path for path in (ROOT / "src" / PACKAGE).iterdir() if path.name != "__pycache__"]
    assert len(top) <= ENTRIES, sorted(path.name for path in top)


def test_every_package_is_told_in_one_line():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    told = {name for row in _rows(text, "Packages") for name in _names(row[0])}
    assert told == set(HOUSE.layers) - {"__main__", "__init__"}


def test_a_public_class_name_has_one_meaning():
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "src" / PACKAGE).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(path.name)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
