"""A condition that is taken for plain is right by the parser as well, of the same columns."""

import random
import re

import pytest
from sqlglot.dialects.duckdb import DuckDB

from upliftlab.config.expressions import ExpressionError, parse
from upliftlab.config.plain_conditions import RESERVED, columns_of, plain_columns

PARTS = (
    *("a", "b_2", "Age", "not", "and", "or", "(", ")", "between", "is", "null", "in", "like"),
    *(">", ">=", "=", "==", "!=", "<>", "<", "0", "-1.5", "1e3", "007", "'x y'", "'o''k'", "''"),
    *('"zip code"', "true", "date '2026-01-01'", "lower(a)", ";", "--", ".", "a.b", "and b", "é"),
    *("between 1 and 2", "is not null", "is null", "or Age < 18", "and b_2 = 'x'", "> 1", "= 'y'"),
)
WORDS = {
    word.lower()
    for text in (*DuckDB.Tokenizer.KEYWORDS, *DuckDB.Parser.FUNCTIONS)
    for word in re.findall("[A-Za-z_][A-Za-z0-9_]*", text)
} | {kind.name.lower() for kind in DuckDB.Parser.NO_PAREN_FUNCTIONS}
FORMS = (
    "{} > 0",
    "{}",
    "{} is null",
    "{} between 1 and 2",
    "b and {}",
    "{} = 'x' or b",
    "b > 1 or {}",
)


@pytest.mark.parametrize(
    "text", ["a", "a > 1 and b = 'x'", "a is not null or b between -1 and 2.5"]
)
def test_is_plain(text):
    assert plain_columns(text) == parse(text).columns


@pytest.mark.parametrize(
    "text", ["", "a >", "a and", "lower(a) > 1", "not a", "a > 1;", "a = 'x''y'"]
)
def test_is_not_plain(text):
    assert plain_columns(text) is None


def test_what_is_plain_is_right_by_the_parser():
    rng = random.Random(18)
    plain = 0
    for _ in range(30_000):
        text = " ".join(rng.choices(PARTS, k=rng.randint(1, 6)))
        columns = plain_columns(text)
        if columns is not None:
            plain += 1
            assert parse(text).columns == columns, text
    assert plain > 300


def test_no_word_of_sql_is_taken_for_a_column_that_the_parser_reads_otherwise():
    for word in sorted(WORDS - RESERVED):
        for form in FORMS:
            text = form.format(word)
            assert parse(text).columns == plain_columns(text), text


def test_columns_of_what_is_not_plain():
    assert columns_of("lower(city) = 'bonn'") == {"city"}
    with pytest.raises(ExpressionError):
        columns_of("select > 0")
