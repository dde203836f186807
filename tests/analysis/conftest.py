"""Data that tests share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def hillstrom() -> Path:
    """The folder with the real customers of the e-mail challenge."""
    if not (SHARED / "hillstrom.csv.gz").exists():
        pytest.skip("the shared data with hillstrom.csv.gz are not beside this checkout")
    return SHARED
