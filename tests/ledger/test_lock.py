"""A plan is frozen once; what changes afterwards is refused or put on the record."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import NOW, files, make_plan

from upliftlab.ledger import Ledger, LedgerError, differences

ARMS = {
    "holdout": {"share": "20%", "control": "true"},
    "email": {"share": "30%", "channel": "email", "offer": "voucher10"},
    "sms": {"share": "50%", "channel": "sms", "offer": "=HYPERLINK()"},
}
LATER = NOW + timedelta(days=3)


def codes(refusal: pytest.ExceptionInfo[LedgerError]) -> list[str]:
    return [fault.code for fault in refusal.value.faults]


def test_locking_twice_changes_nothing(ledger: Ledger) -> None:
    first = ledger.lock(make_plan(), NOW)
    before = files(ledger.folder)
    second = ledger.lock(make_plan(), LATER)
    assert first.new
    assert not second.new
    assert second.entry == first.entry
    assert files(ledger.folder) == before
    assert ledger.experiments() == ("spring",)


def test_the_locked_plan_can_be_checked_by_anyone(ledger: Ledger) -> None:
    plan = make_plan()
    ledger.lock(plan, NOW)
    content = json.loads((ledger.folder / "spring" / "plan.json").read_text(encoding="utf-8"))
    assert content["plan"] == json.loads(plan.canonical())
    assert content["plan_sha256"] == plan.sha256
    assert ledger.verify("spring") == ()


def test_a_changed_plan_is_refused_with_the_difference(ledger: Ledger) -> None:
    ledger.lock(make_plan(), NOW)
    before = files(ledger.folder)
    with pytest.raises(LedgerError, match=r"arms\.email\.share: 2/5 → 3/10") as refusal:
        ledger.lock(make_plan(arms=ARMS), LATER)
    assert codes(refusal) == ["UL451"]
    assert "arms.sms.share: 2/5 → 1/2" in str(refusal.value)
    assert files(ledger.folder) == before


def test_an_amendment_puts_the_changed_plan_in_force(ledger: Ledger) -> None:
    ledger.lock(make_plan(), NOW)
    amendment = ledger.amend(make_plan(arms=ARMS), " fewer e-mails ", LATER)
    assert amendment.kind == "amendment"
    assert amendment.why == "fewer e-mails"
    assert {change.path for change in amendment.changes} == {"arms.email.share", "arms.sms.share"}
    assert not ledger.lock(make_plan(arms=ARMS), LATER).new
    with pytest.raises(LedgerError):
        ledger.lock(make_plan(), LATER)
    assert ledger.locked("spring").plan_sha256 == make_plan().sha256
    assert ledger.verify("spring") == ()


def test_repeating_an_amendment_changes_nothing(ledger: Ledger) -> None:
    ledger.lock(make_plan(), NOW)
    first = ledger.amend(make_plan(arms=ARMS), "fewer", NOW)
    assert ledger.amend(make_plan(arms=ARMS), "fewer", LATER) == first
    assert len(ledger.amendments("spring")) == 1


def test_after_outcomes_were_read_a_change_is_a_deviation(ledger: Ledger) -> None:
    ledger.lock(make_plan(), NOW)
    assert ledger.amend(make_plan(owner="a"), "owner", NOW).kind == "amendment"
    first = ledger.mark_outcomes_read("spring", NOW)
    assert ledger.mark_outcomes_read("spring", LATER) == first
    assert ledger.amend(make_plan(owner="b"), "owner", NOW).kind == "deviation"
    assert [entry.number for entry in ledger.amendments("spring")] == [1, 2]
    assert ledger.verify("spring") == ()


def test_a_plan_locked_after_outcomes_were_read_says_so(ledger: Ledger) -> None:
    assert ledger.mark_outcomes_read("spring", NOW).plan_sha256 is None
    ledger.lock(make_plan(), LATER)
    assert ledger.locked("spring").after_outcomes


def test_an_amendment_needs_a_lock_a_reason_and_a_change(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as refusal:
        ledger.amend(make_plan(), "because", NOW)
    assert codes(refusal) == ["UL452"]
    ledger.lock(make_plan(), NOW)
    for plan, why in ((make_plan(), "because"), (make_plan(owner="a"), "  ")):
        with pytest.raises(LedgerError) as refusal:
            ledger.amend(plan, why, NOW)
        assert codes(refusal) == ["UL453"]


def test_the_difference_follows_the_yaml() -> None:
    before = make_plan(owner="a", segments=["region"])
    after = make_plan(
        segments=["region", "age"],
        waves=[{"start": "2026-03-02", "share": "50%"}, {"start": "2026-03-16", "share": "50%"}],
    )
    shown = [str(change) for change in differences(before.canonical(), after.canonical())]
    assert shown == [
        "owner: a → (none)",
        'segments: ["region"] → ["region", "age"]',
        "waves[2].start: 2026-03-09 → 2026-03-16",
    ]


def test_the_order_of_arms_is_part_of_the_plan() -> None:
    after = make_plan(arms=dict(reversed(make_plan().experiment.model_dump()["arms"].items())))
    shown = [str(each) for each in differences(make_plan().canonical(), after.canonical())]
    assert shown == ['order of arms: ["holdout", "email", "sms"] → ["sms", "email", "holdout"]']


names = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and text.isprintable())


@settings(max_examples=60, deadline=None)
@given(names, names, st.sampled_from(["20%", "30%"]), st.sampled_from(["20%", "30%"]))
def test_two_plans_differ_exactly_where_their_digests_do(
    owner: str, other: str, share: str, second: str
) -> None:
    def plan(owner: str, share: str):
        return make_plan(owner=owner, arms={**ARMS, "email": {"share": share, "channel": "email"}})

    before, after = plan(owner, share), plan(other, second)
    found = differences(before.canonical(), after.canonical())
    assert bool(found) == (before.sha256 != after.sha256)
    back = differences(after.canonical(), before.canonical())
    assert {(c.path, c.before, c.after) for c in found} == {
        (c.path, c.after, c.before) for c in back
    }
