"""What is declared is used, what is used is declared, and the oldest versions are those tested."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
IMPORTED_AS = {"pyyaml": "yaml", "scikit-learn": "sklearn", "scikit-uplift": "sklift"}
COMES_WITH = {"markupsafe": "jinja2", "py4j": "pyspark", "pydantic_core": "pydantic"}
"""Parts of a package's own interface that are installed as a package each."""


def name(requirement):
    return re.match(r"[A-Za-z0-9-]+", requirement)[0].lower()


def bound(requirement):
    return re.search(r">=([0-9.]+)", requirement)[1]


def release(version):
    """The numbers of a version, without zeros at the end: 14 is 14.0.0."""
    numbers = [int(part) for part in version.split(".")]
    while numbers[-1:] == [0]:
        numbers.pop()
    return tuple(numbers)


def pins():
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.lower().split("==") for line in lines if not line.startswith("#"))


def imported():
    """The top-level names that modules of `src` import anywhere."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").split(".")[0])
    return found - set(sys.stdlib_module_names) - {"upliftlab"}


def test_what_is_imported_is_declared_and_the_other_way_round():
    declared = {name(requirement) for requirement in PROJECT["dependencies"]}
    optional = {name(requirement) for key in ("spark", "postgres") for requirement in EXTRAS[key]}
    modules = {IMPORTED_AS.get(package, package) for package in declared | optional}
    assert modules - imported() == set()
    assert {COMES_WITH.get(module, module) for module in imported()} <= modules


def test_the_oldest_versions_that_are_tested_are_those_admitted():
    tested = pins()
    requirements = [*PROJECT["dependencies"], *EXTRAS["postgres"]]
    for requirement in requirements:
        assert release(tested.pop(name(requirement))) == release(bound(requirement)), requirement
    assert tested.pop("psycopg-binary") == pins()["psycopg"]
    bounds = {name(requirement): bound(requirement) for requirement in EXTRAS["test"][:-1]}
    assert {key: release(version) for key, version in tested.items()} == {
        key: release(bounds[key]) for key in tested
    }


def test_the_pinned_versions_are_admitted():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.lower().split("==") for line in lines)
    for requirement in (*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["spark"]):
        below = re.search(r"<([0-9.]+)", requirement)[1]
        version = release(pinned[name(requirement)])
        assert release(bound(requirement)) <= version < release(below), requirement
