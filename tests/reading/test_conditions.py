"""Conditions over columns of any type give the rows that their numbers, times and texts say."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from upliftlab.config.expressions import ExpressionError, parse
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError
from upliftlab.queries.condition_kinds import ConditionTable
from upliftlab.queries.conditions import customers_table, sound_condition

TEXTS = {
    "id": ["1", "2", "3", "4", "5"],
    "paid": ["5.00", "240.00", "9.00", "10", None],
    "back": ["9.00", "9.00", "9", "9.00", "9.00"],
    "since": ["2026-03-02", "2026-03-10 10:00", "2026-03-09", "2025-12-31", None],
    "until": ["2026-03-02 00:00:00", "2026-03-10", "2026-03-10", "2026-01-01", "2026-01-01"],
    "tier": ["gold", "silver", "gold", "bronze", None],
    "rank": ["silver", "silver", "gold", "copper", "gold"],
    "zip": ["010", "10", "010", "99", None],
    "home": ["010", "010", "010", "099", "010"],
    "flag": ["true", "FALSE", "yes", "No", None],
    "bit": ["1", "0", "1", "0", "1"],
    "big": [
        *("9007199254740993", "9007199254740992", "9007199254740993", "7", "9007199254740994"),
    ],
    "twin": ["9007199254740992"] * 5,
    "bad": ["1", "2", "n/a", "4", "5"],
    "empty": pa.array([None] * 5, pa.string()),
}
TYPED = {
    "id": [1, 2, 3, 4, 5],
    "gross": pa.array([5, 240, 9, 10, None], pa.uint8()),
    "back": pa.array([9, 9, 9, 9, 9], pa.uint8()),
    "q": pa.array([50_000, 2, 46_341, -7, 0], pa.int32()),
    "tiny": pa.array([-128, 127, 3, 0, 1], pa.int8()),
    "big": pa.array([9007199254740993, 9007199254740992, 3, 7, 9], pa.int64()),
    "twin": pa.array([9007199254740992] * 5, pa.int64()),
    "price": [0.5, 2.5, -2.5, 3.5, None],
    "opt": [True, False, True, False, None],
    "day": [date(2026, 3, 2), date(2026, 3, 10), date(2026, 3, 9), date(2025, 12, 31), None],
    "text": ["5", "9", "9.5", "11", "7"],
    "words": ["5", "red", "9.5", "11", "7"],
    "dates": ["2026-03-02", "2026-03-11", "2026-03-09", "2026-03-01", "2026-03-01"],
}


class Here:
    """A table on one engine, and the ids that a condition holds of."""

    def __init__(self, engine, folder, desk=None):
        self.engine, self.folder, self.desk = engine, folder, desk

    def attach(self, columns, kind="parquet"):
        table = pa.table(columns)
        if self.desk is not None:
            self.desk.publish("conditions", table)
            source = Source(table="odd.conditions")
        else:
            path = self.folder / f"conditions.{kind}"
            if kind == "csv":
                pc.write_csv(table, path)
            else:
                pq.write_table(table, path)
            source = Source(file=str(path))
        self.engine.attach("customers", source)
        return customers_table("customers", source, self.engine)

    def ids(self, text, table: ConditionTable):
        where = sound_condition("eligible", text, table, self.engine)
        rows = self.engine.query(f"SELECT id FROM customers WHERE {where}").to_pylist()
        return sorted(int(row["id"]) for row in rows)


@pytest.fixture(params=["duckdb", "spark", "postgres"])
def here(request, tmp_path):
    if request.param == "duckdb":
        yield Here(request.getfixturevalue("duck"), tmp_path)
    elif request.param == "postgres":
        desk = request.getfixturevalue("desk")
        yield Here(request.getfixturevalue("postgres"), tmp_path, desk)
    else:
        request.getfixturevalue("spark")
        with Spark(Path) as engine:
            yield Here(engine, tmp_path)


FORMS = {
    # Columns against columns: by what their values are.
    "paid > back": [2, 4],
    "paid = back": [3],
    "paid <> back": [1, 2, 4],
    "paid between back and 10": [3, 4],
    "5 between paid and back": [1],
    "paid in (back, 5)": [1, 3],
    "paid + 0 > back * 2": [2],
    "coalesce(paid, back) >= 9": [2, 3, 4, 5],
    "coalesce(paid, back) = back": [3, 5],
    "coalesce(paid, 0) < back": [1, 5],
    "abs(paid - back) > 3": [1, 2],
    "round(paid / 7, 1) = 0.7": [1],
    "round(paid / 2) = 3": [1],
    "not (paid > back)": [1, 3],
    "not paid > back or tier = rank": [1, 2, 3],
    "since > until": [2],
    "since <= until": [1, 3, 4],
    "since = until": [1],
    "since < date '2026-03-09'": [1, 4],
    "since >= '2026-03-09'": [2, 3],
    "since = '2026-03-02 00:00'": [1],
    "since between date '2026-01-01' and until": [1, 3],
    "coalesce(since, until) < date '2026-02-01'": [4, 5],
    "tier = rank": [2, 3],
    "tier <> rank": [1, 4],
    "tier in (rank, 'bronze')": [2, 3, 4],
    "lower(tier) = lower(rank)": [2, 3],
    "upper(coalesce(tier, rank)) = 'GOLD'": [1, 3, 5],
    "tier > 'c'": [1, 2, 3],
    "length(tier) > 4": [2, 4],
    "length(tier) = length(rank)": [2, 3, 4],
    "tier like 'g%'": [1, 3],
    "tier not like 'g%'": [2, 4],
    "zip = '010'": [1, 3],
    "zip = home": [1, 3],
    "zip = 10": [1, 2, 3],
    "flag": [1, 3],
    "not flag": [2, 4],
    "flag is true": [1, 3],
    "flag = (bit = 1)": [1, 2, 3, 4],
    "coalesce(flag, bit) and id > 0": [1, 3, 5],
    "bit": [1, 3, 5],
    "bit = 1 and flag": [1, 3],
    "big = twin": [2],
    "big > twin": [1, 3, 5],
    "big = 9007199254740993": [1, 3],
    "big % 2 = 1": [1, 3, 4],
    "paid % 2 = 1": [1, 3],
    "paid / 0 > 1": [],
    "paid / (back - 9) is null": [1, 2, 3, 4, 5],
    "paid % (back - 9) is null": [1, 2, 3, 4, 5],
    "-paid < -9": [2, 4],
    "paid is null": [5],
    "coalesce(paid, empty) is null": [5],
    "empty > paid": [],
    "empty = tier or id = 2": [2],
    "paid > 9 or tier is null": [2, 4, 5],
}


def test_columns_of_text_are_what_their_use_or_their_values_say(here):
    table = here.attach(TEXTS, "csv")
    assert {text: here.ids(text, table) for text in FORMS} == FORMS


TYPED_FORMS = {
    "gross - back > 200": [2],
    "gross - back < 0": [1],
    "gross + gross > 400": [2],
    "q * q > 2147483647": [1, 3],
    "q * q * q * q > 1e18": [1, 3],
    "-tiny > 127": [1],
    "abs(tiny) = 128": [1],
    "-gross < -9": [2, 4],
    "tiny / 2 = 63.5": [2],
    "gross / 0 is null": [1, 2, 3, 4, 5],
    "q % 3 = -1": [4],
    "big % 10 = 3": [1, 3],
    "big % 0 is null": [1, 2, 3, 4, 5],
    "big = twin": [2],
    "big = 9007199254740993": [1],
    "round(price) = 3": [2],
    "round(price) = -3": [3],
    "price % 1 = 0.5": [1, 2, 4],
    "opt": [1, 3],
    "opt = 1": [1, 3],
    "opt = 'no'": [2, 4],
    "gross and opt": [1, 3],
    "not q": [5],
    "gross >= text": [1, 2],
    "text > 9": [3, 4],
    "coalesce(gross, text) = 7": [5],
    "day >= dates": [1, 3],
    "day = '2026-03-10'": [2],
    "day >= date '2026-03-09'": [2, 3],
    "gross = '9'": [3],
}


def test_columns_with_types_are_computed_with_in_a_type_that_holds(here):
    table = here.attach(TYPED)
    assert {text: here.ids(text, table) for text in TYPED_FORMS} == TYPED_FORMS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tier > rank", "'tier' holds texts, 'rank' holds texts"),
        ("tier < rank or flag", "no order to rely on"),
        ("paid > tier", "'paid' holds numbers, 'tier' holds texts"),
        ("paid = tier", "'paid' holds numbers, 'tier' holds texts"),
        ("paid > bad", "texts (1 of 5 values cannot be read as numbers)"),
        ("zip > paid", "'zip' holds texts"),
        ("since = paid", "'since' holds times, 'paid' holds numbers"),
        ("paid between tier and 9 or paid > since", "'since' holds times"),
        ("coalesce(tier, 0) = 'a'", "asks for numbers and texts"),
        ("paid in (1, 'x')", "asks for numbers and texts"),
        ("paid > 'x'", "'paid' holds numbers, the condition asks for texts"),
    ],
)
def test_what_does_not_compare_is_refused_with_what_columns_hold(here, text, said):
    table = here.attach(TEXTS, "csv")
    with pytest.raises(DataError) as caught:
        here.ids(text, table)
    (fault,) = caught.value.faults
    assert fault.code == "UL251"
    assert said in str(fault)
    assert "gold" not in str(fault)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gross > words", "'gross' holds numbers, 'words' holds texts (1 of 5 values"),
        ("gross = day", "'gross' holds numbers, 'day' holds times"),
        ("lower(gross) = 'a'", "'gross' holds numbers"),
        ("day = 'soon'", "'day' holds times"),
        ("gross = 'x'", "'gross' holds numbers"),
        ("not day", "'day' holds times"),
        ("opt > day", "'opt' holds true and false, 'day' holds times"),
        ("abs(day) > 1", "'day' holds times"),
    ],
)
def test_types_that_do_not_compare_are_refused(here, text, said):
    table = here.attach(TYPED)
    with pytest.raises(DataError) as caught:
        here.ids(text, table)
    (fault,) = caught.value.faults
    assert fault.code == "UL251"
    assert said in str(fault)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad > 3", "UL214 1 value of 'bad' (eligible) is not a number, such as 'n/a'"),
        ("tier + 1 > 3", "UL214 4 values of 'tier' (eligible) are not a number"),
        ("tier = 3 or tier", "UL214 4 values of 'tier'"),
        ("bad > date '2026-03-02'", "UL214 5 values of 'bad' (eligible) are not a time"),
        ("bad and flag", "UL214 4 values of 'bad' (eligible) are not a true or false"),
        ("big % 2 = bad", "UL214 1 value of 'bad' (eligible) is not a number"),
    ],
)
def test_a_value_that_is_not_what_is_asked_for_is_counted(here, text, said):
    table = here.attach(TEXTS, "csv")
    with pytest.raises(DataError) as caught:
        here.ids(text, table)
    assert said in str(caught.value.faults[0])


def test_the_engine_is_asked_only_where_a_condition_does_not_say(tmp_path):
    class Counting(DuckDB):
        asked = 0

        def query(self, sql):
            self.asked += 1
            return super().query(sql)

    with Counting(Path) as engine:
        here = Here(engine, tmp_path)
        typed = here.attach(TYPED)
        sound_condition("eligible", "gross - back > 3 and opt and big = 5", typed, engine)
        assert engine.asked == 0
        texts = here.attach(TEXTS, "csv")
        sound_condition("eligible", "zip = '010' and tier in ('gold', 'x')", texts, engine)
        assert engine.asked == 0
        sound_condition("eligible", "paid > 5 and flag", texts, engine)
        assert engine.asked == 1


NUMBERS = st.one_of(st.none(), st.integers(-300, 300), st.sampled_from([0.5, 2.5, -7.25, 1e6]))
DAYS = st.one_of(st.none(), st.dates(date(2025, 12, 1), date(2026, 4, 1)))
MOMENTS = st.one_of(
    st.none(),
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 4)),  # noqa: DTZ001 - no zone
)
WORDS = st.one_of(st.none(), st.sampled_from(["gold", "silver", "Öl", "5", "010"]))
KINDS = {
    "n": (NUMBERS, pa.float64()),
    "m": (NUMBERS, pa.float64()),
    "w": (st.one_of(st.none(), st.integers(-128, 127)), pa.int8()),
    "d": (DAYS, pa.date32()),
    "t": (MOMENTS, pa.timestamp("us")),
    "a": (WORDS, pa.string()),
    "b": (st.one_of(st.none(), st.sampled_from(["gold", "x", "y"])), pa.string()),
    "f": (st.one_of(st.none(), st.booleans()), pa.bool_()),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 8))
    columns = {
        name: pa.array(draw(st.lists(each, min_size=rows, max_size=rows)), kind)
        for name, (each, kind) in KINDS.items()
    }
    return pa.table({"id": list(range(rows)), **columns})


def number(depth=2):
    leaf = st.sampled_from(["n", "m", "w", "3", "-1.5", "coalesce(n, m)", "coalesce(m, w, 0)"])
    if not depth:
        return leaf
    inner = number(depth - 1)
    two = st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"({' '.join(p)})")
    return st.one_of(leaf, two, inner.map(lambda p: f"abs({p})"), inner.map(lambda p: f"-({p})"))


TIMES = st.sampled_from(["d", "t", "date '2026-03-02'", "'2026-03-03'", "coalesce(d, t)"])
TEXTUAL = st.sampled_from(["a", "b", "'gold'", "'5'", "lower(a)", "coalesce(a, b)", "upper(b)"])


def comparison(operand, signs):
    return st.one_of(
        st.tuples(operand, st.sampled_from(signs), operand).map(" ".join),
        st.tuples(operand, operand, operand).map(lambda p: f"{p[0]} in ({p[1]}, {p[2]})"),
    )


ORDER = ["=", "<>", "<", "<=", ">", ">="]
SINGLE = st.one_of(
    comparison(number(), ORDER),
    st.tuples(number(1), number(1), number(1)).map(lambda p: f"{p[0]} between {p[1]} and {p[2]}"),
    comparison(TIMES, ORDER),
    comparison(TEXTUAL, ["=", "<>"]),
    st.sampled_from(["f", "not f", "f is true", "a like 'g%'", "length(a) > 2", "n is null"]),
)
CONDITIONS = st.recursive(
    SINGLE,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda p: f"not ({p})"),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with DuckDB(Path) as engine:
        yield Here(engine, tmp_path_factory.mktemp("both"))


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(table=tables(), text=CONDITIONS)
def test_a_file_with_types_and_one_of_texts_give_the_same_rows(both, table, text):
    try:
        parse(text)
    except ExpressionError:
        reject()  # it names no column
    found = list[list[int] | str]()
    for kind in ("parquet", "csv"):
        columns = {name: table[name] for name in table.column_names}
        try:
            found.append(both.ids(text, both.attach(columns, kind)))
        except DataError as error:
            found.append(error.faults[0].code)
    assert found[0] == found[1] or found[1] == "UL251"
