"""What a contributor is told is so: the site's pages, the hooks' versions, where new code goes."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def entries(nav):
    """The pages of a navigation, from the first to the last."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for pages in entry.values():
                yield from entries([pages] if isinstance(pages, str) else pages)


def test_every_page_is_in_the_navigation_once():
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(entries(yaml.safe_load(text("mkdocs.yml"))["nav"])) == sorted(pages)


def test_hooks_are_of_the_versions_that_ci_has():
    pinned = dict(line.split("==") for line in text("constraints.txt").splitlines())
    hooks = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    versions = {repo["repo"].rpartition("/")[2]: repo.get("rev") for repo in hooks}
    assert versions["ruff-pre-commit"] == f"v{pinned['ruff']}"


def test_a_release_is_built_from_what_ci_tried():
    steps = yaml.safe_load(text(".github/workflows/release.yml"))["jobs"]
    assert steps["publish"]["needs"] == "build"
    assert steps["publish"]["permissions"] == {"id-token": "write"}
    (run,) = [
        step["run"]
        for step in yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["everything"]["steps"]
        if "run" in step
    ]
    assert run == "bash .ci/run"


def test_each_kind_of_new_code_has_a_place_that_exists():
    told = text("CONTRIBUTING.md")
    rows = re.findall(r"^\| (?:a|an) ([^|]+?) \| `([^`]+)`", told, re.MULTILINE)
    assert len(rows) >= 8
    for kind, place in rows:
        assert (ROOT / place).exists(), (kind, place)
        assert re.search(rf"^### .*{re.escape(kind)}", told, re.IGNORECASE | re.MULTILINE), kind
