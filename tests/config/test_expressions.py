"""Conditions: what is allowed becomes quoted SQL, all else is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.config.expressions import ExpressionError, parse
from upliftlab.results.ship_rule import parse_ship_if


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("recency between 90 and 365 and opt_in", '"recency" BETWEEN 90 AND 365 AND "opt_in"'),
        ("a == 1 or not b", '"a" = 1 OR NOT "b"'),
        ("a in ('x', 'y')", "\"a\" IN ('x', 'y')"),
        ("lower(a) like '%x%'", "LOWER(\"a\") LIKE '%x%'"),
        ("a is not null", 'NOT "a" IS NULL'),
        ("day >= date '2026-03-02'", "\"day\" >= CAST('2026-03-02' AS DATE)"),
        ("\"zip code\" = '01234'", "\"zip code\" = '01234'"),
        ("x = 'a''; drop table b --'", "\"x\" = 'a''; drop table b --'"),
        ("round(abs(a) / 2, 1) > coalesce(b, 0)", 'ROUND(ABS("a") / 2, 1) > COALESCE("b", 0)'),
    ],
)
def test_allowed(text, sql):
    assert parse(text).sql() == sql


def test_columns_and_dialects():
    condition = parse("Age > 18 and (b or c is null)")
    assert condition.columns == {"Age", "b", "c"}
    assert condition.sql("spark").startswith("`Age` > 18")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a in (select b)", "a subquery"),
        ("exists (select 1)", "'exists'"),
        ("select 1", "a subquery"),
        ("drop table a", "'drop'"),
        ("a; drop table b", "semicolon"),
        ("a > 1;", "semicolon"),
        ("a > 1 -- x", "a comment"),
        ("a /* x */ > 1", "a comment"),
        ("getenv('HOME') = a", "the function 'getenv'"),
        ("read_csv('x') = a", "the function 'read_csv'"),
        ("count(*) > 1", "the function 'count'"),
        ("rank() over () > 1", "a window"),
        ("f(x -> x)", "the function 'f'"),
        ("case when a then b end", "'case'"),
        ("a::int > 1", "a change of type"),
        ("t.a > 1", "'t.a' names a table"),
        ("a > current_date", "the function 'current_date'"),
        ("a > ?", "a placeholder"),
        ("a > $1", "a placeholder"),
        ("a[1] > 1", "a position in brackets"),
        ("a > 1 b", "a text behind it"),
        ("a = null", "write 'is null'"),
        ("a in b", "in parentheses"),
        ("a + 1", "true or false"),
        ("1 = 1", "names no column"),
        ("true", "names no column"),
        ("day > date '2026-02-30'", "is not a date"),
        ("a >", "is not a condition"),
        ("", "is empty"),
        ("(" * 900 + "a" + ")" * 900, "too deeply"),
        ("not " * 450 + "a", "too deeply"),
        ("a" + "+1" * 900 + " > 1", "too deeply"),
    ],
)
def test_refused_by_name(text, reason):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert reason in str(caught.value)


def test_long_lists_of_alternatives_are_fine():
    assert parse(" or ".join(f"a = {n}" for n in range(150))).columns == {"a"}


@given(st.text(alphabet="ab1 ()'\"<>=+-*/,.;notandriselc", max_size=60))
def test_any_text_is_a_condition_or_refused(text):
    try:
        condition = parse(text)
    except ExpressionError:
        return
    assert parse(condition.sql()).sql() == condition.sql()


@pytest.mark.parametrize("text", ["lower>0", "lower >= -0.5", " estimate > 12 "])
def test_ship_if(text):
    rule = parse_ship_if(text)
    assert rule.holds(lower=20, estimate=20)
    assert not rule.holds(lower=-20, estimate=-20)


def test_ship_if_at_its_threshold():
    assert parse_ship_if("lower >= 1").holds(lower=1, estimate=2)
    assert not parse_ship_if("lower > 1").holds(lower=1, estimate=2)


@pytest.mark.parametrize("text", ["upper > 0", "lower < 0", "lower > 0 and estimate > 1", "p"])
def test_other_rules_are_refused(text):
    with pytest.raises(ValueError, match="is not a rule"):
        parse_ship_if(text)
