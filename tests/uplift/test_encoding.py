"""The encoding: any table becomes the same floats again, or is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from upliftlab.errors import DataError
from upliftlab.uplift.encoding import FARTHEST, MOST_LEVELS, Encoding

MIXED = pa.table(
    {
        "age": [30, None, 50, 40],
        "city": ["Rome", "Oslo", "Rome", None],
        "joined": [dt.date(1970, 1, 2), None, dt.date(1970, 1, 4), dt.date(1970, 1, 2)],
        "member": [True, False, None, True],
        "spent": [decimal.Decimal("1.25"), None, decimal.Decimal("2.50"), decimal.Decimal(0)],
    }
)
NAN = np.nan
NOON = dt.datetime(1970, 1, 2, 12, tzinfo=dt.UTC)


def test_every_type_becomes_floats():
    encoding = Encoding.fit(MIXED)
    assert [f.form for f in encoding.features] == ["number", "text", "date", "number", "number"]
    assert [f.missing for f in encoding.features] == [1, 1, 1, 1, 1]
    assert [f.kind for f in encoding.features].index("categorical") == 1
    assert encoding.features[1].levels == ("Rome", "Oslo")
    expected = [
        [30, 0, 1, 1, 1.25],
        [NAN, 1, NAN, 0, NAN],
        [50, 0, 3, NAN, 2.5],
        [40, NAN, 1, 1, 0],
    ]
    found = encoding.encode(MIXED)
    np.testing.assert_array_equal(found.values, expected)
    assert found.values.dtype == np.float64
    assert found.unseen == {}


def test_a_csv_file_of_texts_gives_the_same_numbers(tmp_path):
    """Every value as text, as CSV files hold them."""
    texts = {name: MIXED[name].cast(pa.string()) for name in MIXED.column_names}
    pacsv.write_csv(pa.table(texts), tmp_path / "a.csv")
    options = pacsv.ConvertOptions(
        column_types=dict.fromkeys(MIXED.column_names, pa.string()), strings_can_be_null=True
    )
    read = pacsv.read_csv(tmp_path / "a.csv", convert_options=options)
    typed, texted = Encoding.fit(MIXED), Encoding.fit(read)
    assert texted == typed
    assert texted.sha256 == typed.sha256
    np.testing.assert_array_equal(typed.encode(read).values, typed.encode(MIXED).values)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0, 1], pa.uint8()),
        pa.array([1, 0, 1], pa.int64()),
        pa.array([1, 0, 1], pa.float32()),
        pa.array([True, False, True]),
        pa.array([" 1", "0 ", "1"]),
        pa.array(["1", "0", "1"], pa.large_string()),
        pa.array(["true", "false", "true"]),
        pa.array(["1.0", "0e3", "1"]).dictionary_encode(),
        pa.array([decimal.Decimal(1), decimal.Decimal(0), decimal.Decimal(1)]),
        pa.chunked_array([["1"], ["0", "1"]]),
    ],
)
def test_a_number_is_a_number_in_any_type(column):
    encoding = Encoding.fit(pa.table({"x": [1, 0, 1]}))
    assert encoding == Encoding.fit(pa.table({"x": column}))
    assert encoding.encode(pa.table({"x": column})).values[:, 0].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON, None], pa.timestamp("us")),
        pa.array([NOON, None]),
        pa.array([NOON, None], pa.timestamp("ns")),
        pa.array(["1970-01-02 12:00:00", ""]),
    ],
)
def test_moments_are_days(column):
    encoded = Encoding.fit(pa.table({"at": column})).encode(pa.table({"at": column}))
    np.testing.assert_array_equal(encoded.values[:, 0], [1.5, NAN])


def test_infinities_and_stand_ins_for_missing_are_missing():
    values = [1.0, 2.0, np.inf, -np.inf, NAN, 1.7e308]
    encoding = Encoding.fit(pa.table({"x": values}))
    assert (encoding.features[0].missing, encoding.features[0].mean) == (4, 1.5)
    found = encoding.encode(pa.table({"x": values})).values[:, 0]
    np.testing.assert_array_equal(found, [1, 2, NAN, NAN, NAN, NAN])


def test_unseen_and_rare_levels_are_missing_and_counted():
    levels = [f"l{k:03d}" for k in range(150) for _ in range(200 - k)]
    encoding = Encoding.fit(pa.table({"c": levels}))
    feature = encoding.features[0]
    assert feature.levels == tuple(f"l{k:03d}" for k in range(MOST_LEVELS))
    assert feature.rare == sum(200 - k for k in range(100, 150))
    found = encoding.encode(pa.table({"c": ["l099", "l100", "new", " l000 ", None, ""]}))
    np.testing.assert_array_equal(found.values[:, 0], [99, NAN, NAN, 0, NAN, NAN])
    assert found.unseen == {"c": 2}


def test_levels_are_in_order_of_frequency_then_name():
    encoding = Encoding.fit(pa.table({"c": ["b", "a", "b", "a", "c", "c", "c"]}))
    assert encoding.features[0].levels == ("c", "a", "b")


def test_what_does_not_describe_a_customer_is_left_out():
    n = 300
    table = pa.table(
        {
            "id": [f"C{k}" for k in range(n)],
            "mail": [f"{k // 2 if k < 20 else k}@x" for k in range(n)],
            "same": [1] * n,
            "word": ["a"] * n,
            "empty": pa.nulls(n),
            "flag": ["yes" if k < 9 else None for k in range(n)],
            "x": list(range(n)),
        }
    )
    encoding = Encoding.fit(table)
    assert encoding.names == ("flag", "x")
    assert [note.values["feature"] for note in encoding.notes] == [
        "id",
        "mail",
        "same",
        "word",
        "empty",
    ]
    with pytest.raises(DataError, match=r"UL604 no feature is left of id, same:"):
        Encoding.fit(table.select(["id", "same"]))
    with pytest.raises(DataError, match="UL604"):
        Encoding.fit(pa.table({"x": pa.array([], pa.int64())}))


def test_a_list_is_no_feature():
    with pytest.raises(DataError, match="UL603 feature 'bag' holds list"):
        Encoding.fit(pa.table({"bag": [[1], [2]], "x": [1, 2]}))


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("age", ["31", "unknown", "40", "9"], "texts such as 'unknown', expected numbers"),
        ("age", MIXED["joined"], "date32.*, expected numbers"),
        ("city", [1, 2, 3, 4], "int64, expected texts"),
        ("city", MIXED["member"], "bool, expected texts"),
        ("joined", [1, 2, 3, 4], "int64, expected dates"),
        ("joined", ["2026-01-01", "soon", "", ""], "texts such as '9999-99-99', expected dates"),
        ("member", ["maybe", "true", "", ""], "texts such as 'aaaaa', expected numbers"),
        ("spent", [[1], [1], [1], [1]], "list.*, expected numbers"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(column, values, found):
    place = MIXED.column_names.index(column)
    wrong = MIXED.set_column(place, column, values if hasattr(values, "type") else [values])
    with pytest.raises(DataError, match=f"UL606 feature '{column}' holds {found}"):
        Encoding.fit(MIXED).encode(wrong)


def test_all_that_is_wrong_is_said_at_once():
    wrong = MIXED.drop_columns(["age", "joined"]).set_column(0, "city", pa.array([1, 2, 3, 4]))
    with pytest.raises(DataError) as caught:
        Encoding.fit(MIXED).encode(wrong)
    assert [fault.code for fault in caught.value.faults] == ["UL605", "UL606", "UL605"]
    assert "feature 'age' is absent; found city, member, spent" in str(caught.value)


def test_a_column_without_any_value_is_missing_for_everybody():
    table = pa.table({name: pa.nulls(3) for name in MIXED.column_names})
    encoding = Encoding.fit(MIXED)
    assert np.isnan(encoding.encode(table).values).all()
    assert np.isfinite(encoding.linear(encoding.encode(table).values)).all()


def test_linear_columns_by_hand():
    table = pa.table({"x": [1.0, 3.0, None, 5.0], "c": ["a", "b", "a", "a"]})
    encoding = Encoding.fit(table)
    sd = np.sqrt(8 / 3)
    expected = [  # x, its gap, a, b
        [-2 / sd, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 1, 1, 0],
        [2 / sd, 0, 1, 0],
    ]
    np.testing.assert_allclose(encoding.linear(encoding.encode(table).values), expected)
    far = encoding.linear(np.array([[1e90, NAN]]))
    assert far.tolist() == [[FARTHEST, 0, 0, 0]]
    with pytest.raises(ValueError, match="3 columns for 2 features"):
        encoding.linear(np.zeros((1, 3)))


cells = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(width=32)),
        st.one_of(st.none(), st.text(max_size=3)),
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.dates()),
    ),
    min_size=1,
    max_size=30,
)
TYPES = [pa.float64(), pa.string(), pa.bool_(), pa.date32()]


@settings(max_examples=50)
@given(cells, st.randoms(use_true_random=False))
def test_to_json_and_back_and_in_any_order(rows, random):
    def table_of(rows):
        columns = zip(*rows, strict=True)
        arrays = [pa.array(c, t) for c, t in zip(columns, TYPES, strict=True)]
        return pa.table(dict(zip("xcfd", arrays, strict=True)))

    table = table_of(rows)
    try:
        encoding = Encoding.fit(table)
    except DataError:
        assume(condition=False)  # nothing is left of the columns
    again = Encoding.model_validate(json.loads(encoding.model_dump_json()))
    assert again == encoding
    assert again.sha256 == encoding.sha256
    shuffled = random.sample(rows, len(rows))
    assert Encoding.fit(table_of(shuffled)).sha256 == encoding.sha256
    values = encoding.encode(table).values
    assert np.isfinite(encoding.linear(values)).all()
    np.testing.assert_array_equal(values, again.encode(table).values)
