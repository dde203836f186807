"""The numbers in the page, computed anew from its moments by a script that knows no upliftlab."""

import copy

import pytest
from page_reader import Reader
from plans import NOW
from recomputed import apart, recomputed

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.load import load
from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.render import render

FIGURES = 800
"""So many of Hillstrom's numbers at least can be had from moments alone."""


@pytest.fixture(scope="module")
def document(hillstrom, request):
    experiment = request.config.rootpath / "experiments" / "hillstrom_email.yaml"
    loaded = load(experiment, data=hillstrom)
    with DuckDB(loaded.workspace.locate) as engine:
        return Reader(render(analyze(loaded.plan, AnalysisContext(engine, NOW)))).document


def wrong(document):
    """What is not the same to a millionth: ten digits are published, and cents of lines."""
    return [told for told in recomputed(document) if apart(*told[1:]) > 1e-6]


def test_every_number_comes_out_the_same(document):
    assert len(recomputed(document)) >= FIGURES
    assert wrong(document) == []


@pytest.mark.parametrize("name", ["estimate", "se", "low", "high", "p_adjusted"])
def test_a_number_that_was_changed_is_found(document, name):
    changed = copy.deepcopy(document)
    found = next(f for f in changed["findings"] if f["method"] == "welch")
    found[name] *= 1.001
    assert wrong(changed)
