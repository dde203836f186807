"""What a campaign of 20,000 customers can be expected to tell."""

from __future__ import annotations

from datetime import UTC, datetime

from plans import make_plan

from upliftlab.config.models.limits import Tolerance
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, plan
from upliftlab.results.analysis import Message
from upliftlab.results.plan import PowerReport, PowerSimulation, SimulatedArm

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


def played() -> PowerReport:
    """The same with what came out where it was played, made up."""
    report = outlook()
    arms = tuple(
        SimulatedArm(
            arm=arm.arm,
            power=arm.power,
            simulated=0.7,
            simulated_low=0.65,
            simulated_high=0.75,
            agrees=False,
            false_positives=0.02,
            false_positives_low=0.01,
            false_positives_high=0.04,
            ships=0.5,
            simulated_ships=0.4,
            simulated_ships_low=0.35,
            simulated_ships_high=0.45,
            false_ships=0.0,
            sentence=Message(template="{share:percent}", values={"share": 0.7}),
        )
        for arm in report.arms
        if not arm.control
    )
    said = Message(template="{n:count}", values={"n": 400})
    simulation = PowerSimulation(
        described=said,
        trials=400,
        asked=400,
        seed=1,
        customers=20_000,
        units=20_000,
        arms=arms,
        false_positives=0.04,
        false_positives_low=0.02,
        false_positives_high=0.06,
        top_share=0.3,
        doubts=(said,),
    )
    return report.model_copy(update={"simulation": simulation})
