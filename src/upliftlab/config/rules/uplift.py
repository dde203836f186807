"""Rules about whom to target: what a model may know, and what it is to raise."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.mending import mending
from upliftlab.config.models.experiment import PROFIT
from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic
from upliftlab.util.nearest import closest, surely


@rule(
    "UL143",
    "Feature that tells who or which arm",
    "A feature describes customers: it names nobody, and tells nothing of the assignment.",
    wrong="uplift: {features: [age, id]}",
    right="uplift: {features: [age, region]}",
)
def telling_features(scope: Scope) -> Iterator[Diagnostic]:
    """UL143: no feature names a customer, or tells what became of the assignment."""
    asked, own = scope.plan.experiment, scope.plan.customers
    if asked.uplift is None:
        return
    given = asked.assignment
    telling = {
        own.id: "identifies a customer",
        own.household: "identifies a household",
        given.unit: "identifies what is randomised",
        given.start: "says when the experiment reached a customer",
        given.delivered: "says which arm was delivered",
    }
    why = {name.casefold(): reason for name, reason in telling.items() if name is not None}
    for at, name in enumerate(asked.uplift.features):
        if reason := why.get(name.casefold()):
            place = scope.at("uplift", "features", at)
            remedy = "use what describes customers, and is known of those of next month too"
            yield Diagnostic("UL143", f"the feature '{name}' {reason}", remedy, place)


@rule(
    "UL144",
    "Feature or learner named twice",
    "Each feature and each learner is named once.",
    wrong="uplift: {features: [age, age]}",
    right="uplift: {features: [age]}",
)
def named_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL144: no feature or learner is named twice."""
    asked = scope.plan.experiment.uplift
    if asked is None:
        return
    lists: dict[str, tuple[str, ...]] = {"features": asked.features, "learners": asked.learners}
    for key, names in lists.items():
        for at, name in enumerate(names):
            if name in names[:at]:
                message = f"'{name}' is named twice under '{key}'"
                yield Diagnostic("UL144", message, "remove one", scope.at("uplift", key, at))


@rule(
    "UL145",
    "Unknown metric to raise",
    "What targeting is to raise is profit, which needs 'money', or a metric that is measured.",
    wrong="uplift: {features: [age], metric: profit}",
    right="uplift: {features: [age], metric: spent}",
)
@rule(
    "UL146",
    "Learning from a ratio of totals",
    "Models learn from a number that each customer has, not from a ratio of totals.",
    wrong="metrics: {primary: average_order}\nuplift: {features: [age]}",
    right=(
        "metrics: {primary: average_order}\n"
        "money: {revenue: spent, margin: 40%}\n"
        "uplift: {features: [age]}"
    ),
    beside={"configs/metrics.yaml": "metrics: {average_order: {ratio: [spent, orders]}}\n"},
)
def learned_metric(scope: Scope) -> Iterator[Diagnostic]:
    """UL145, UL146: what is to grow is measured, and belongs to each customer."""
    plan, asked = scope.plan, scope.plan.experiment.uplift
    if asked is None:
        return
    name, key = plan.learned, () if asked.metric is None else ("metric",)
    place = scope.at("uplift", *key, key=not key)
    if asked.metric == PROFIT and plan.experiment.money is None:
        remedy = "declare 'money: {revenue: …, margin: …}'"
        yield Diagnostic("UL145", "profit needs 'money'", remedy, place)
    elif asked.metric not in (None, PROFIT, *plan.measured):
        known = [PROFIT, *plan.measured]
        near = closest(name, known, cutoff=0.6)
        remedy = f"did you mean '{near}'?" if near else "name it under 'metrics' too"
        fault = Diagnostic("UL145", f"the metric '{name}' is not measured", remedy, place)
        yield mending(fault, surely(name, known, cutoff=0.6))
    metric = plan.metrics.get(name)
    if metric is not None and metric.ratio is not None:
        message = f"'{name}' is a ratio of totals, which no single customer has"
        remedy = "name another by 'uplift: {metric: …}', such as one of its two metrics"
        if metric.missing == "drop":
            message = f"'{name}' leaves customers out, and models learn from all"
            remedy = "name another by 'uplift: {metric: …}', or write 'missing: zero' at it"
        yield Diagnostic("UL146", message, remedy, place)


@rule(
    "UL147",
    "Today's arm",
    "Today's rule gives one of the experiment's arms, and not the control.",
    wrong="uplift: {features: [age], today: {arm: none, where: age > 30}}",
    right="uplift: {features: [age], today: {arm: email, where: age > 30}}",
)
def todays_arm(scope: Scope) -> Iterator[Diagnostic]:
    """UL147: today's rule gives an arm other than the control."""
    asked, plan = scope.plan.experiment.uplift, scope.plan
    arm = asked.today.arm if asked and asked.today else None
    if arm is None or (arm in plan.arms and not plan.arms[arm].control):
        return
    treatments = [name for name, each in plan.arms.items() if not each.control]
    near = closest(arm, treatments, cutoff=0.6)
    meant = surely(arm, treatments, cutoff=0.6) if arm not in plan.arms else None
    remedy = f"did you mean '{near}'?" if near else f"the treatments are {', '.join(treatments)}"
    what = "the control" if arm in plan.arms else "no arm"
    message = f"today's rule gives '{arm}', which is {what}"
    yield mending(Diagnostic("UL147", message, remedy, scope.at("uplift", "today", "arm")), meant)


@rule(
    "UL148",
    "Nothing to draw a sample by, or to spend a budget on",
    "A sample is drawn by the customers' id; a budget is spent on the costs under 'money'.",
    wrong="uplift: {features: [age], budget: 500}",
    right="money: {revenue: spent, margin: 40%}\nuplift: {features: [age], budget: 500}",
)
def needs_of_targeting(scope: Scope) -> Iterator[Diagnostic]:
    """UL148: a sample needs ids to be drawn by, and a budget costs that it is spent on."""
    asked, plan = scope.plan.experiment.uplift, scope.plan
    if asked is None:
        return
    if asked.sample is not None and plan.customers.id is None and scope.customers_known:
        place = scope.at("uplift", "sample")
        message = "a sample is drawn by the customers' id, but none is named"
        remedy = "name it: 'customers: {id: …}', or leave 'sample' out"
        yield Diagnostic("UL148", message, remedy, place)
    if asked.budget is not None and plan.experiment.money is None:
        place = scope.at("uplift", "budget")
        remedy = "declare 'money: {revenue: …, margin: …}'"
        yield Diagnostic(
            "UL148", "a budget is spent on costs, but no money is declared", remedy, place
        )
