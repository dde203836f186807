"""A package of somebody else's, built once and installed beside upliftlab."""

from __future__ import annotations

from pathlib import Path

import pytest
from extension import Extension, install

from upliftlab.util.extensions import ENGINES, FORMATS, METRIC_KINDS

SOURCES = Path(__file__).parent / "distribution"
LAKE = Extension(
    "shop-lake",
    {str(file.relative_to(SOURCES)): file.read_text() for file in SOURCES.rglob("*.py")},
    {
        ENGINES: {"lake": "shop_lake.engine:lake"},
        METRIC_KINDS: {
            "median": "shop_lake.kinds:median",
            "days_active": "shop_lake.kinds:days_active",
        },
        FORMATS: {"markdown": "shop_lake.markdown:markdown"},
    },
)


@pytest.fixture(scope="session")
def lake_site(tmp_path_factory) -> Path:
    return install(tmp_path_factory.mktemp("lake"), LAKE)


@pytest.fixture
def lake(lake_site, monkeypatch) -> Path:
    """The package, installed in this process for one test."""
    monkeypatch.syspath_prepend(lake_site)
    return lake_site
