"""An analysis.json edited by hand: a page, or UL602; never a page of nonsense, never a trace."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from plans import make_plan, run
from pydantic import ValidationError

from upliftlab.cli.app import commands
from upliftlab.errors import DataError
from upliftlab.report.export import to_json
from upliftlab.report.reading import read_analysis, taken_from
from upliftlab.report.render import write
from upliftlab.results.analysis import Analysis

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HUGE = 10**400
TEXTS = (
    "",
    "{",
    "}",
    "{name:money}",
    "{0.__class__}",
    "{arm!r}",
    "%s",
    "\x00",
    "\u202e",
    "x" * 9999,
)
NUMBERS = (-1, 0, 5e-324, 1e308, -1e308, HUGE, "1e999", "-1e999", "NaN")
SHAPES = (None, [], {}, "twice")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """A real analysis as JSON."""
    folder, random, n = (
        tmp_path_factory.mktemp("data"),
        np.random.Generator(np.random.PCG64(3)),
        200,
    )
    columns = {
        "arm": random.choice(["none", "mail"], n),
        "region": random.choice(["north", "south"], n),
        "spend": random.gamma(2, 10, n),
    }
    pq.write_table(pa.table(columns), folder / "customers.parquet")
    asked = make_plan(
        customers={"file": "customers.parquet"},
        arms={"none": {"control": "true"}, "mail": {"channel": "email", "cost_per_contact": "1"}},
        currency="EUR",
        money={"revenue": "spend", "margin": "40%"},
        segments=["region"],
    )
    return json.loads(to_json(run(asked, folder)))


def places(value, path=()):
    """Every place of a document, of a list's items the first."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    for key, item in list(enumerate(value))[:1] if isinstance(value, list) else items:
        yield from places(item, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def edits(document):
    """The text of the document with one place after the other edited."""
    for path in places(document):
        value = at(document, path)
        if not path or isinstance(value, bool):
            continue
        puts = SHAPES if isinstance(value, dict | list) else TEXTS
        for put in NUMBERS if isinstance(value, int | float) else puts:
            changed = json.loads(json.dumps(document))
            at(changed, path[:-1])[path[-1]] = [value, value] if put == "twice" else put
            yield json.dumps(changed).replace('"1e999"', "1e999").replace('"-1e999"', "-1e999")


def test_an_edited_analysis_makes_a_page_or_is_refused(document, tmp_path):
    made, refused, codes = 0, 0, set()
    file = tmp_path / "analysis.json"
    for number, text in enumerate(edits(document)):
        try:
            Analysis.model_validate_json(text)
        except ValidationError:
            continue
        if number % 7:  # each place is met with another of the edits
            continue
        try:
            file.write_text(text, encoding="utf-8")
            with taken_from(file):
                page = write(read_analysis(file), tmp_path)
        except DataError as error:
            codes.add(error.faults[0].code)
            refused += 1
        else:
            assert page.stat().st_size > 10_000
            made += 1
    assert codes == {"UL602"}
    assert made > 20
    assert refused > 20


@pytest.mark.parametrize(
    ("path", "put"),
    [
        (("verdict", "sentence_parts", "template"), "{0.__class__}"),
        (("provenance", "created"), "yesterday"),
        (("findings", 0, "estimate"), 1e308),
        (("bridges", 0, "arm"), "nobody"),
        (("arms", 0, "n"), HUGE),
        (("findings",), []),
        (("currency",), "\ud800"),
    ],
)
def test_the_command_says_so_in_one_line_and_leaves_the_old_page(document, tmp_path, path, put):
    changed = json.loads(json.dumps(document))
    at(changed, path[:-1])[path[-1]] = put
    file, page = tmp_path / "analysis.json", tmp_path / "report.html"
    file.write_text(json.dumps(changed), encoding="utf-8")
    page.write_text("old", encoding="utf-8")
    done = CliRunner().invoke(commands, ["report", str(file)])
    assert done.exit_code == 1
    assert done.output.startswith("UL602 ")
    assert done.output.count("\n") == 1
    assert page.read_text(encoding="utf-8") == "old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["analysis.json", "report.html"]
