"""docs/uplift.md says what `upliftlab uplift --json` prints, and it is so."""

import re
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest
from responses import CASES

from upliftlab.report.export import rounded, to_json
from upliftlab.results import uplift
from upliftlab.results.base import Published, Result
from upliftlab.results.uplift import PolicyValue, UpliftResult

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "uplift.md").read_text(encoding="utf-8")
CLASSES = (*Result.__subclasses__(), *Published.__subclasses__())
MODELS = {m.__name__: m for m in CLASSES if m.__module__ == uplift.__name__}
ELSEWHERE = {"Message", "DataFile", "Provenance"}
"""Documented with analysis.json."""


def section(name, level="###"):
    text = PAGE.split(f"\n{level} {name}\n", 1)[1]
    return re.split(r"^##", text, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """The cells of a table's lines, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_model_of_the_document_has_its_table():
    documented = re.findall(r"^### (\w+)$", PAGE, flags=re.MULTILINE)
    assert sorted(documented) == sorted(MODELS)
    used = set(
        re.findall(r"\b[A-Z]\w+\b", " ".join(r[1] for m in MODELS for r in rows(section(m))))
    )
    assert used <= {*MODELS, *ELSEWHERE}
    elsewhere = (Path(__file__).resolve().parents[1] / "docs" / "analysis_json.md").read_text(
        "utf-8"
    )
    assert all(f"\n### {name}\n" in elsewhere for name in ELSEWHERE)


@pytest.mark.parametrize("name", MODELS)
def test_a_table_names_exactly_the_fields_of_its_model(name):
    table, fields = rows(section(name)), MODELS[name].model_fields
    assert [row[0] for row in table] == [f"`{f.alias or key}`" for key, f in fields.items()]
    for (_, kind, *_), field in zip(table, fields.values(), strict=True):
        assert kind.endswith("or null") == (NoneType in get_args(field.annotation)), field
        assert kind.startswith("list of") == ("tuple[" in str(field.annotation)), field


def test_policies_are_listed():
    listed = [row[0].strip("`") for row in rows(section("Policies", "##"))]
    assert tuple(listed) == get_args(PolicyValue.model_fields["name"].annotation)


def test_the_schema_is_the_documented_one():
    assert f"`schema` is {uplift.SCHEMA};" in PAGE


@pytest.mark.parametrize("case", CASES)
def test_responses_survive_their_json(case):
    written = to_json(CASES[case]())
    read = UpliftResult.model_validate_json(written)
    assert read == rounded(CASES[case]())
    assert to_json(read) == written
