"""Rules about before and after assignment, and about who randomises."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.scope import Scope
from upliftlab.config.shared import condition_fault
from upliftlab.config.windows import BEFORE
from upliftlab.config.workspace import lexical_fault
from upliftlab.errors import Diagnostic, Place


def known_before(scope: Scope) -> Iterator[Diagnostic]:
    """UL112: who is in, and how they are divided, must not depend on what happened later."""
    late = _late(scope)
    for column, what, place in divisions(scope):
        if reason := late.get(column.casefold()):
            joined = ", which is" if what.endswith("uses") else " is"
            message = f"{what} '{column}'{joined} {reason}"
            remedy = "use only what is known before assignment"
            yield Diagnostic("UL112", message, remedy, place)


def _late(scope: Scope) -> dict[str, str]:
    """Columns that come to be at or after assignment, and why that is known."""
    plan = scope.plan
    late = {name.casefold(): "known only after assignment" for name in plan.customers.known_after}
    for name, metric in plan.metrics.items():
        for word in (name, metric.column):
            if word is not None:
                late[word.casefold()] = "an outcome of this experiment"
    if observed := plan.experiment.assignment.observed:
        late[observed.casefold()] = "the arm itself"
    return late


def divisions(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Every column that decides who takes part or how customers are divided."""
    experiment = scope.plan.experiment
    for at, name in enumerate(experiment.segments):
        for column in scope.plan.segments[name].columns:
            yield column, "the segment", scope.at("segments", at)
    for at, name in enumerate(experiment.analysis.covariates):
        if scope.plan.covariates[name].source is None:
            yield name, "the covariate", scope.at("analysis", "covariates", at)
    for at, name in enumerate(experiment.assignment.strata):
        yield name, "the stratum", scope.at("assignment", "strata", at)
    for at, name in enumerate(experiment.uplift.features if experiment.uplift else ()):
        yield name, "the feature", scope.at("uplift", "features", at)
    for text, what, place in _conditions(scope):
        if condition_fault(text, place) is None:
            from upliftlab.config.expressions import parse  # noqa: PLC0415 - sqlglot if needed

            for column in sorted(parse(text).columns):
                yield column, f"{what} uses", place


def _conditions(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Every condition over the customers' table."""
    asked = scope.plan.experiment
    if asked.eligible:
        yield asked.eligible, "'eligible'", scope.at("eligible")
    if asked.uplift and asked.uplift.today:
        yield asked.uplift.today.where, "today's rule", scope.at("uplift", "today", "where")


def conditions(scope: Scope) -> Iterator[Diagnostic]:
    """UL020: a condition holds only what is allowed."""
    for text, _, place in _conditions(scope):
        if fault := condition_fault(text, place):
            yield fault


def customers_file(scope: Scope) -> Iterator[Diagnostic]:
    """UL019: the customers' file lies inside the data root."""
    place = scope.at("customers", "file")
    if not isinstance(scope.plan.experiment.customers, str) and (
        fault := lexical_fault(scope.plan.customers.file, place)
    ):
        yield fault


def randomised_unit(scope: Scope) -> Iterator[Diagnostic]:
    """UL134: upliftlab can only randomise what has an id."""
    assignment = scope.plan.experiment.assignment
    if assignment.observed is None and assignment.unit is None and scope.plan.customers.id is None:
        if not scope.customers_known:
            return
        remedy = "name it: 'customers: {id: …}', or say where the arm stands: 'observed: COLUMN'"
        yield Diagnostic(
            "UL134", "no column identifies the customers to assign", remedy, scope.at("customers")
        )


def own_salt(scope: Scope) -> Iterator[Diagnostic]:
    """UL115: arms are drawn independently of the holdout and of the layer."""
    program, salt = scope.plan.program, scope.salt
    taken = {layer.salt or name: f"layer '{name}'" for name, layer in program.layers.items()}
    if program.universal_holdout:
        taken[program.universal_holdout.salt] = "the universal holdout"
    if salt in taken:
        message = f"the salt '{salt}' is also that of {taken[salt]}"
        place = scope.at("assignment", "salt") if scope.has_salt else scope.at("experiment")
        yield Diagnostic("UL115", message, "choose another under 'assignment'", place)


def layer_exists(scope: Scope) -> Iterator[Diagnostic]:
    """UL114: a layer is declared where layers are declared."""
    name = scope.plan.experiment.assignment.layer
    layers = scope.plan.program.layers
    if name is None or not layers:
        return
    place = scope.at("assignment", "layer")
    if name not in layers:
        message = f"the layer '{name}' is not declared"
        remedy = f"configs/program.yaml declares {', '.join(layers)}"
        yield Diagnostic("UL114", message, remedy, place)
        return
    owners = layers[name].experiments
    if owners and scope.plan.experiment.experiment not in owners:
        message = f"the layer '{name}' is shared out, and this experiment has no range in it"
        remedy = "give it one in configs/program.yaml"
        yield Diagnostic("UL114", message, remedy, place)


def events_have_time(scope: Scope) -> Iterator[Diagnostic]:
    """UL140: events count for a time that is declared."""
    timeless = [
        name
        for name, metric in (*scope.plan.metrics.items(), *scope.plan.covariates.items())
        if metric.source is not None and metric.during is None
    ]
    if timeless:
        message = f"events are counted for {', '.join(timeless[:3])}, but it is not said how long"
        place = scope.at("metrics", key=True)
        yield Diagnostic("UL140", message, "add 'outcome_window: 28 days'", place)


def start_known(scope: Scope) -> Iterator[Diagnostic]:
    """UL141: it is known when each customer's time begins."""
    asked = scope.plan.experiment
    if not scope.plan.from_events or asked.assignment.observed is None:
        return
    place = scope.at("assignment")
    if scope.plan.customers.id is None:
        message = "events belong to customers, but no column identifies the customers"
        yield Diagnostic("UL141", message, "name it: 'customers: {id: …}'", place)
    if asked.assignment.start is None and len(asked.waves) != 1:
        several = "several waves" if asked.waves else "no wave"
        message = f"the arm is read from a column and {several} declared: nobody's start is known"
        remedy = "name the column that holds it: 'assignment: {start: …}', or declare one wave"
        yield Diagnostic("UL141", message, remedy, place)


def covariates_add_up(scope: Scope) -> Iterator[Diagnostic]:
    """UL142: what is asked of the time before is one metric over events, or a column."""
    for at, name in enumerate(scope.plan.experiment.analysis.covariates):
        stem = name.removesuffix(BEFORE)
        metric = (scope.shared.metrics or {}).get(stem)
        if name in scope.plan.metrics and scope.plan.covariates[name].source is not None:
            message = f"the covariate '{name}' has the name of a metric that is used here"
            place = scope.at("analysis", "covariates", at)
            yield Diagnostic("UL142", message, "rename the metric in configs/metrics.yaml", place)
        if stem != name and metric is not None and metric.parts:
            message = f"the covariate '{name}' would be made of other metrics"
            place = scope.at("analysis", "covariates", at)
            yield Diagnostic("UL142", message, f"name {metric.parts[0]}{BEFORE} instead", place)


def holdout_excluded(scope: Scope) -> Iterator[Diagnostic]:
    """UL130: an assignment made elsewhere does not know the universal holdout."""
    if scope.plan.program.universal_holdout and scope.plan.experiment.assignment.observed:
        message = "the program has a universal holdout, but this assignment was made elsewhere"
        remedy = "make sure that its customers were left out"
        place = scope.at("assignment", "observed")
        yield Diagnostic("UL130", message, remedy, place, severity="warning")


KNOWN_BEFORE_RULES = (
    known_before,
    conditions,
    customers_file,
    randomised_unit,
    own_salt,
    layer_exists,
    holdout_excluded,
    events_have_time,
    start_known,
    covariates_add_up,
)
