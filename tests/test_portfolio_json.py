"""docs/portfolio.md says what `upliftlab portfolio --json` prints, and it is so."""

import re
from pathlib import Path

import pytest

from upliftlab.results import portfolio
from upliftlab.results.base import Published, Result

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "portfolio.md").read_text(encoding="utf-8")
CLASSES = (*Result.__subclasses__(), *Published.__subclasses__())
MODELS = {m.__name__: m for m in CLASSES if m.__module__ == portfolio.__name__}


def test_every_model_has_its_table():
    assert re.findall(r"^### (\w+)$", PAGE, flags=re.MULTILINE) == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_table_names_exactly_the_fields_of_its_model(name):
    table = PAGE.split(f"\n### {name}\n", 1)[1].split("\n#", 1)[0]
    told = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert told == [field.alias or key for key, field in MODELS[name].model_fields.items()]
