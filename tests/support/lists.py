"""What is told of a list that was made by hand."""

from __future__ import annotations

from responses import make_responses

from upliftlab.results.analysis import Message
from upliftlab.results.targets import TargetArm, TargetModel, Targets
from upliftlab.results.uplift import Estimate


def listed(arm="Mens E-Mail", **changes):
    """A list of 900 customers of 2,000, none of whom is named."""
    found = make_responses()
    said = (
        "{targeted:count} customers are to be contacted for an expected cost of {cost:money} and "
        "an expected profit of {profit:money} (between {low:money} and {high:money}); "
        "{held:count} more are held out."
    )
    numbers = {"cost": 450.0, "profit": 1234.5, "low": 400.25, "high": 2068.75}
    content = {
        "experiment": "hillstrom_email",
        "title": "Whom next?",
        "plan_sha256": "3f" * 32,
        "customers": "next_month",
        "day": "2026-12-01",
        "currency": "USD",
        "sentence": "900 customers are to be contacted.",
        "sentence_parts": Message(template=said, values={"targeted": 900, "held": 100} | numbers),
        "abstained": False,
        "forced": False,
        "seen": 2000,
        "excluded": {"opted_out": 150, "cool_down": 50},
        "arms": (
            TargetArm(
                arm=arm, offer="voucher", channel="email", gate_open=True, customers=900,
                held_out=100, expected_profit=1234.5, expected_cost=450.0, fixed_cost=0.0,
            ),
        ),
        "targeted": 900,
        "held_out": 100,
        "holdout": 0.1,
        "not_chosen": 800,
        "expected_profit": 1234.5,
        "expected_low": 400.25,
        "expected_high": 2068.75,
        "expected_cost": 450.0,
        "budget": 500.0,
        "at_least": 1.2,
        "model": TargetModel(
            learner="two_models", base="linear", seed=1, learned_from=64_000, features=("recency",),
            gain=Estimate(estimate=0.4, low=0.2, high=0.6), realised=None, saved=None,
        ),
        "data": found.data,
        "provenance": found.provenance,
    }  # fmt: skip
    return Targets.model_validate(content | changes)
