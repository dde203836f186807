"""What a feature of a CSV file is: numbers, categories, or numbers with an oversight among them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from upliftlab.config.models import Source, Uplift
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError
from upliftlab.queries.features import features_of, learned_features

PLAIN = [str(number) for number in range(99)]


@pytest.fixture(params=["duckdb", "spark"])
def engine(request):
    if request.param == "duckdb":
        yield request.getfixturevalue("duck")
    else:
        request.getfixturevalue("spark")
        with Spark(Path) as opened:
            yield opened


def attached(engine, folder, values, kind="csv"):
    path = folder / f"next.{kind}"
    table = pa.table({"x": pa.array(values, pa.string()), "n": list(range(len(values)))})
    (pc.write_csv if kind == "csv" else pq.write_table)(table, path)
    source = Source(file=str(path))
    engine.attach("customers", source)
    return source


def kind(engine, folder, values, file="csv", **asked):
    source = attached(engine, folder, values, file)
    found = features_of(Uplift(features=("x", "n"), **asked), "customers", source, engine)
    assert found.kinds["n"] == "numeric"
    return found.kinds["x"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (PLAIN, "numeric"),
        ([*PLAIN, None, None], "numeric"),
        (["0.5", "-0.25", ".5", "1e3"], "numeric"),
        ([None, None], "numeric"),
        ([*PLAIN, "nan"], "numeric"),
        (["north", "south", "5"], "categorical"),
        (["010", "10", "99"], "categorical"),
        (["010", *PLAIN, "-"], "categorical"),
        ([*PLAIN[:8], "web", "app"], "categorical"),
    ],
)
def test_a_feature_is_what_all_its_values_are(engine, tmp_path, values, expected):
    assert kind(engine, tmp_path, values) == expected


@pytest.mark.parametrize(
    ("values", "said", "line"),
    [
        ([*PLAIN, "-"], "in 1 of 100 rows texts such as '-'", 'missing: ["-"]'),
        ([*PLAIN, "NA", "NA", None], "in 2 of 101 rows texts such as 'NA'", 'missing: ["NA"]'),
        ([*PLAIN, "0,814"], "in 1 of 100 rows texts such as '9,999'", 'decimal: ","'),
        (["0,814", "1,5", "2"], "in 2 of 3 rows texts such as '9,999'", 'decimal: ","'),
        ([*PLAIN, "Erna"], "in 1 of 100 rows texts such as 'Aaaa'", 'missing: ["…"]'),
    ],
)
def test_numbers_with_an_oversight_among_them_are_refused(engine, tmp_path, values, said, line):
    with pytest.raises(DataError) as caught:
        kind(engine, tmp_path, values)
    (fault,) = caught.value.faults
    assert fault.code == "UL252"
    assert "next.csv: the feature 'x' holds numbers, but" in fault.message
    assert said in fault.message
    assert line in fault.remedy
    assert "categorical: [x]" in fault.remedy
    assert "Erna" not in str(fault)


def test_a_feature_declared_as_categories_is_one(engine, tmp_path):
    assert kind(engine, tmp_path, [*PLAIN, "web"], categorical=("x",)) == "categorical"
    assert kind(engine, tmp_path, PLAIN, categorical=("x",)) == "categorical"


def test_a_type_says_what_a_feature_is(duck, tmp_path):
    assert kind(duck, tmp_path, [*PLAIN, "-"], "parquet") == "categorical"
    source = attached(duck, tmp_path, PLAIN, "parquet")
    asked = Uplift(features=("x", "n"), categorical=("n",))
    with pytest.raises(DataError, match="UL206 column 'n' holds no texts"):
        features_of(asked, "customers", source, duck)


def test_only_features_are_categorical():
    with pytest.raises(ValidationError, match="'categorical' names 'y'"):
        Uplift(features=("x",), categorical=("y",))


def test_texts_among_numbers_of_the_next_customers_are_refused(duck, tmp_path):
    source = attached(duck, tmp_path, [*PLAIN, "NA"])
    with pytest.raises(DataError) as caught:
        learned_features({"x": "numeric"}, "customers", source, duck)
    (fault,) = caught.value.faults
    assert "UL615 the feature 'x' holds text such as 'NA' in 1 row" in str(fault)
    assert 'missing: ["…"]' in fault.remedy


def test_nothing_is_asked_twice_of_plain_numbers(tmp_path):
    class Counting(DuckDB):
        asked = 0

        def query(self, sql):
            self.asked += 1
            return super().query(sql)

    with Counting(Path) as engine:
        source = attached(engine, tmp_path, PLAIN)
        engine.asked = 0
        features_of(Uplift(features=("x", "n")), "customers", source, engine)
        assert engine.asked == 1
