"""Numbers that no campaign has: refused in words, never an internal fault or a wrong sentence.

A few values a little above 1e30 pass, as they do no harm.
"""

from __future__ import annotations

import pytest
from plans import make_plan, run

from upliftlab.errors import DataError

PLAN = {"money": {"revenue": "spend", "margin": "40%"}, "currency": "EUR", "segments": ["region"]}


def customers(folder, value):
    rows = [
        f"{('none', 'mail')[i % 2]},{value if i == 7 else i % 5},{'ab'[i % 3 == 0]}"
        for i in range(200)
    ]
    (folder / "customers.csv").write_text("\n".join(["arm,spend,region", *rows]) + "\n")


@pytest.mark.parametrize("value", ["1e33", "1e100", "-1e154", "1e200", "1e308", "-1.7e308"])
def test_a_value_beyond_reckoning_is_refused(tmp_path, value):
    customers(tmp_path, value)
    with pytest.raises(DataError, match=r"UL206 .* 1 hold NaN or infinity, or more than 1e30"):
        run(make_plan(**PLAN), tmp_path)


@pytest.mark.parametrize("value", ["1e30", "-1e30", "1e15", "1e-300", "5e-324"])
def test_any_other_is_reckoned_with(tmp_path, value):
    customers(tmp_path, value)
    found = run(make_plan(**PLAN), tmp_path).findings
    spend = next(one for one in found if (one.kind, one.dimension) == ("difference", None))
    assert spend.se is not None
    assert spend.se > 0
    if value in {"1e30", "-1e30", "1e15"}:  # in whichever arm it falls, it is the end of the draws
        assert (spend.low, spend.high) == (None, None)
        assert spend.note is not None
    else:
        assert spend.low < spend.estimate < spend.high
