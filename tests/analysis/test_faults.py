"""Every kind of fault is noticed by the check that is there for it, and no other cries wolf.

The longer run of docs/statistics.md is `python tests/support/faults.py 500`.
"""

from __future__ import annotations

import pytest
from faults import FAULTS, alarms, checks, clean

CLEAN = 16


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_by_its_check(name):
    fault = FAULTS[name]
    found = checks(11, fault.inject, households=fault.households)
    assert fault.check in alarms(found)
    message = next(check.message for check in found if check.name == fault.check)
    assert message.endswith((".", "?"))


def test_clean_campaigns_raise_no_alarm():
    assert [clean(seed) for seed in range(CLEAN)] == [[]] * CLEAN
