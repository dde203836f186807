"""What a campaign of 20,000 customers can be expected to tell."""

from __future__ import annotations

from datetime import UTC, datetime

from plans import make_plan

from upliftlab.config.models.limits import Tolerance
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, plan

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def outlook(arm="mail", *, effect=0.2, customers=20_000, **changes):
    """20,000 customers who spend 10 ± 30 each; `changes` replace parts of the experiment."""
    content = {
        "arms": {
            "none": {"share": "20%", "control": "true"},
            arm: {"share": "50%", "cost_per_contact": "0.5"},
            "sms": {"share": "30%", "cost_per_contact": "0.8"},
        },
        "title": "Does it pay?",
        "currency": "EUR",
        "money": {"revenue": "spend", "margin": "40%", "hurdle": "20%"},
        **changes,
    }
    assumed = Assumptions(
        effect=Tolerance(value=effect, kind="relative"),
        given=Given(10.0, 30.0),
        customers=customers,
    )
    return plan(make_plan(**content), assumed, PlanningContext(NOW))
