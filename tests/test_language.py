import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.errors import Diagnostic
from upliftlab.results.analysis import Message
from upliftlab.text.language import CODES, Language

EN, ZH = Language("en"), Language("zh")
PAYS = Message(
    template="{arm} pays: incremental profit {profit:money} ({low:money} to {high:money}), "
    "ROI {roi:percent}.",
    values={"arm": "A", "profit": 1205.2, "low": 87.21, "high": 2323.1, "roi": 2.079},
)


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        (14275.33, "USD", "$14,275"),
        (-4429.85, "USD", "-$4,430"),
        (0.7698, "USD", "$0.77"),
        (0.0042, "EUR", "€0.0042"),
        (0.77, "JPY", "¥0.77"),
        (1234.0, "JPY", "¥1,234"),
        (-0.0, "USD", "$0.00"),
        (5.0, None, "5.00"),
        (None, "USD", "—"),
    ],
)
def test_money(value, currency, shown):
    assert EN.money(value, currency) == shown


def test_a_sign_is_shown_where_asked_but_not_on_nothing():
    assert EN.money(1.5, "USD", signed=True) == "+$1.50"
    assert EN.percent(-0.25, signed=True) == "-25%"
    assert EN.percent(0.0, signed=True) == "0%"
    assert EN.points(0.0068, signed=True) == "+0.68 pp"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2.079, "208%"), (0.7214, "72.1%"), (0.0068, "0.68%"), (0.00005, "0.005%"), (0, "0%")],
)
def test_percent(value, shown):
    assert EN.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0765895, "0.0766"), (1234567.8, "1,234,568"), (7.698, "7.70")]
)
def test_number_keeps_three_significant_digits(value, shown):
    assert EN.number(value) == shown


def test_p_is_never_zero():
    assert (EN.p(0.0012), EN.p(1e-9), EN.p(0.0), EN.p(1.0)) == (
        "0.0012",
        "< 0.0001",
        "< 0.0001",
        "1.0000",
    )


def test_dates():
    assert EN.date("2026-12-01") == "December 1, 2026"
    assert EN.date("2026-11-22T03:11:00+01:00") == "November 22, 2026 02:11 UTC"
    assert ZH.date("2026-12-01") == "2026年12月1日"


def test_a_sentence_shares_decimals_between_an_estimate_and_its_interval():
    assert EN.say(PAYS, "USD") == "A pays: incremental profit $1,205 ($87 to $2,323), ROI 208%."
    assert (
        ZH.say(PAYS, "USD") == "A 盈利：增量利润 US$1,205（US$87 至 US$2,323），ROI 208%。"  # noqa: RUF001 - Chinese punctuation
    )


def test_every_value_can_be_marked():
    said = EN.say(PAYS, "USD", lambda name, text: f"<{name}>{text}</{name}>")
    assert said.startswith("<arm>A</arm> pays: incremental profit <profit>$1,205</profit>")


@pytest.mark.parametrize(
    "template",
    ["{x:monney}", "{x.real}", "{x[0]}", "{x!r}", "{}", "{y}", "{name:money}"],
)
def test_a_faulty_template_is_refused(template):
    message = Message(template=template, values={"x": 1.0, "name": "text"})
    with pytest.raises(ValueError, match=r"is not|no value|not a number"):
        EN.say(message, "USD")


def test_names_from_data_are_not_read_as_templates():
    message = Message(template="Stop {arm}.", values={"arm": "{profit:money} {0}"})
    assert EN.say(message, "USD") == "Stop {profit:money} {0}."


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_refused(value):
    for show in (EN.number, EN.percent, EN.count, EN.p):
        with pytest.raises(ValueError, match="not a number that can be shown"):
            show(value)


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="choose en or zh"):
        Language("fr")


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(CODES))
def test_every_finite_number_can_be_said(value, code):
    language = Language(code)
    for kind in ("money", "percent", "points", "number", "count", "p"):
        text = language.show(kind, value, "EUR", signed=True)
        assert text
        assert "nan" not in text.lower()


def test_importing_it_does_not_import_babel():
    code = "import sys, upliftlab.text.language; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (0.0, "$0", "US$0"),
        (12.5, "$12.50", "US$12.50"),
        (5_000.0, "$5K", "US$5,000"),
        (-7_500.0, "-$7.5K", "-US$7,500"),
        (12_500.0, "$12.5K", "US$1.25万"),
        (1_250_000.0, "$1.25M", "US$125万"),
    ],
)
def test_amounts_on_a_scale_have_no_digit_too_many_or_too_few(value, en, zh):
    assert EN.money(value, "USD", compact=True) == en
    assert ZH.money(value, "USD", compact=True) == zh
    plain = (en.replace("$", ""), zh.replace("US$", ""))
    decimals = tuple(text.replace(".50", ".5") for text in plain)
    assert (EN.number(value, compact=True), ZH.number(value, compact=True)) == decimals


@pytest.mark.parametrize(
    ("template", "one", "many"),
    [
        ("{n:count} customers arrive.", "1 customer arrives.", "21 customers arrive."),
        ("Of {n:count} days.", "Of 1 day.", "Of 21 days."),
        (
            "{n:count} rows of {of} have it.",
            "1 row of orders has it.",
            "21 rows of orders have it.",
        ),
        ("{n:count} of {all:count} units are out", "1 of 9 units is out", "21 of 9 units are out"),
        ("{n:count} levels, which are small", "1 level, which are small", None),
        ("Look {n:count} of {all:count}, at days", "Look 1 of 9, at days", None),
    ],
)
def test_words_agree_with_the_number_before_them(template, one, many):
    def said(n: int, language: Language) -> str:
        message = Message(template=template, values={"n": n, "of": "orders", "all": 9})
        return language.say(message, None)

    assert said(1, EN) == one
    assert many is None or said(21, EN) == many
    assert said(1, ZH) == said(2, ZH).replace("2", "1", 1)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1 customers have no id", "1 customer has no id"),
        ("2 customers have no id", "2 customers have no id"),
        ("21 rows repeat an id and 1 rows have none", "21 rows repeat an id and 1 row has none"),
        ("1 values of 'x' (eligible) are no number", "1 value of 'x' (eligible) is no number"),
        ("squares in 1 rows that are too small", "squares in 1 row that is too small"),
        ("1 of 9 customers get no arm", "1 of 9 customers gets no arm"),
        ("an arm 'a' (1 customers)", "an arm 'a' (1 customer)"),
        ("1,001 rows have no id", "1,001 rows have no id"),
        ("the arm '1 customers have' is unknown", "the arm '1 customers have' is unknown"),
        ("write 0.1 rows, or x1 rows", "write 0.1 rows, or x1 rows"),
    ],
)
def test_a_fault_agrees_with_its_numbers(written, said):
    fault = Diagnostic("UL001", written, written)
    assert (fault.message, fault.remedy) == (said, said)
