"""What installed packages offer is found, and what is wrong with it names the package."""

from __future__ import annotations

import pytest
from extension import Extension, install

from upliftlab.errors import ConfigError
from upliftlab.util.extensions import CHECKS, GROUPS, installed, loaded

GOOD = Extension(
    "good-shop", {"good_shop/__init__.py": "thing = 7\n"}, {CHECKS: {"x": "good_shop:thing"}}
)


def test_an_installed_package_is_found_and_loaded(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(install(tmp_path, GOOD))
    assert {group: list(installed(group)) for group in GROUPS if "x" in installed(group)} == {
        CHECKS: ["x"]
    }
    assert loaded(installed(CHECKS)["x"]) == 7


def test_two_packages_of_one_name(tmp_path, monkeypatch):
    other = Extension(
        "other-shop", {"other_shop.py": "thing = 8\n"}, {CHECKS: {"x": "other_shop:thing"}}
    )
    monkeypatch.syspath_prepend(install(tmp_path, GOOD, other))
    with pytest.raises(ConfigError, match=r"UL028 .* is offered by good-shop and other-shop"):
        installed(CHECKS)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("no_import", "import nowhere_to_be_found\n"),
        ("no_value", "thing: int\n"),
        ("no_python", "thing = (\n"),
        ("no_such", "other = 1\n"),
    ],
)
def test_what_cannot_be_imported_names_its_package(tmp_path, monkeypatch, module, text):
    broken = Extension("broken-shop", {f"{module}.py": text}, {CHECKS: {"x": f"{module}:thing"}})
    monkeypatch.syspath_prepend(install(tmp_path, broken))
    with pytest.raises(ConfigError, match=r"UL029 .* cannot be loaded from broken-shop"):
        loaded(installed(CHECKS)["x"])
