"""docs/target.md says what `upliftlab target --json` prints and the list holds, and it is so."""

import re
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest

from upliftlab.results import targets
from upliftlab.results.base import Published, Result
from upliftlab.targeting.selection import COLUMNS, CUSTOMER

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "target.md").read_text(encoding="utf-8")
CLASSES = (*Result.__subclasses__(), *Published.__subclasses__())
MODELS = {m.__name__: m for m in CLASSES if m.__module__ == targets.__name__}


def section(name, level="###"):
    text = PAGE.split(f"\n{level} {name}\n", 1)[1]
    return re.split(r"^##", text, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """The cells of a table's lines, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_model_has_its_table():
    assert sorted(re.findall(r"^### (\w+)$", PAGE, flags=re.MULTILINE)) == sorted(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_table_names_exactly_the_fields_of_its_model(name):
    table, fields = rows(section(name)), MODELS[name].model_fields
    assert [row[0] for row in table] == [f"`{f.alias or key}`" for key, f in fields.items()]
    for (_, kind, *_), field in zip(table, fields.values(), strict=True):
        assert kind.endswith("or null") == (NoneType in get_args(field.annotation)), field
        assert kind.startswith("list of") == ("tuple[" in str(field.annotation)), field


def test_the_lists_columns_are_told():
    told = [
        name for row in rows(section("The list", "##")) for name in re.findall(r"`(\w+)`", row[0])
    ]
    assert told == [CUSTOMER, *COLUMNS]


def test_refusals_are_told():
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("targeting", "cli")
        for path in (ROOT / "src" / "upliftlab" / folder).glob("*.py")
    )
    raised = set(re.findall(r'"(UL6[34]\d)"', source))
    assert raised
    assert raised <= set(re.findall(r"UL6[34]\d", PAGE))


def test_the_schema_is_the_documented_one():
    assert f"`schema` is {targets.SCHEMA};" in PAGE
