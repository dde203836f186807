"""A workspace in a temporary folder."""

from __future__ import annotations

import pytest
from spaces import Space


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Space(tmp_path)
