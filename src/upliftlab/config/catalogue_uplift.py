"""UL143 to UL148: whom to target."""

from __future__ import annotations

from upliftlab.config.catalogue_entry import Example

UPLIFT: tuple[Example, ...] = (
    Example(
        "UL143",
        "Feature that tells who or which arm",
        "A feature describes customers: it names nobody, and tells nothing of the assignment.",
        "uplift: {features: [age, id]}",
        "uplift: {features: [age, region]}",
    ),
    Example(
        "UL144",
        "Feature or learner named twice",
        "Each feature and each learner is named once.",
        "uplift: {features: [age, age]}",
        "uplift: {features: [age]}",
    ),
    Example(
        "UL145",
        "Unknown metric to raise",
        "What targeting is to raise is profit, which needs 'money', or a metric that is measured.",
        "uplift: {features: [age], metric: profit}",
        "uplift: {features: [age], metric: spent}",
    ),
    Example(
        "UL146",
        "Learning from a ratio of totals",
        "Models learn from a number that each customer has, not from a ratio of totals.",
        "metrics: {primary: average_order}\nuplift: {features: [age]}",
        "metrics: {primary: average_order}\nmoney: {revenue: spent, margin: 40%}\n"
        "uplift: {features: [age]}",
        beside={"configs/metrics.yaml": "metrics: {average_order: {ratio: [spent, orders]}}\n"},
    ),
    Example(
        "UL147",
        "Today's arm",
        "Today's rule gives one of the experiment's arms, and not the control.",
        "uplift: {features: [age], today: {arm: none, where: age > 30}}",
        "uplift: {features: [age], today: {arm: email, where: age > 30}}",
    ),
    Example(
        "UL148",
        "Nothing to draw a sample by, or to spend a budget on",
        "A sample is drawn by the customers' id; a budget is spent on the costs under 'money'.",
        "uplift: {features: [age], budget: 500}",
        "money: {revenue: spent, margin: 40%}\nuplift: {features: [age], budget: 500}",
    ),
)
