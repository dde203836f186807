"""Decimals: amounts that add up, whatever they are."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.text.precision import adding_up, sum_digits

AMOUNTS = st.lists(
    st.floats(-1e7, 1e7, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6),
    min_size=1,
    max_size=9,
)


@given(AMOUNTS)
def test_rounded_parts_sum_to_the_rounded_total(parts):
    total, digits = sum(parts), sum_digits("EUR", *parts, sum(parts))
    made = adding_up(parts, total, digits)
    shown = sum(Decimal(repr(part)) for part in made)
    assert abs(shown - Decimal(total)) <= Decimal("0.5000001") * Decimal(10) ** -digits
    for part, published in zip(parts, made, strict=True):
        assert abs(part - published) < 1.000001 * 10.0**-digits
        assert published == float(f"{published:.10g}"), "publishing changes nothing"


def test_a_part_that_is_exact_stays_as_it_is():
    assert adding_up([10.004, 10.004, -5.0], 15.008, 2) == (10.01, 10.0, -5.0)
    assert adding_up([10.006, 10.006, -5.0], 15.012, 2) == (10.0, 10.01, -5.0)


@pytest.mark.parametrize(
    ("currency", "amount", "digits"),
    [
        ("EUR", 16_322.4, 2),
        ("JPY", 16_322.4, 0),
        ("JPY", 12.5, 2),
        (None, 16_322.4, 2),
        ("EUR", 0.0123, 5),
        ("EUR", 0.0, 2),
        ("EUR", 2e8, 1),
        ("EUR", 3e10, -1),
    ],
)
def test_amounts_that_add_up_have_the_currencys_decimals(currency, amount, digits):
    assert sum_digits(currency, amount, amount / 7) == digits
