"""Rules about who randomises, with what, and from which layer of customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations

from upliftlab.config.models import Layer
from upliftlab.config.rules.registry import judges, rule, shared_judges, shared_rule, siblings_rule
from upliftlab.config.scope import Scope, Siblings
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic


@rule(
    "UL134",
    "Nobody to assign",
    "To assign arms, upliftlab needs the column that identifies customers.",
    wrong="customers: {file: data.csv}\nassignment: {method: hash}",
    right="customers: {file: data.csv, id: customer_id}\nassignment: {method: hash}",
)
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


@judges
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


@shared_judges
def program_salts(shared: Shared) -> Iterator[Diagnostic]:
    """UL115: universal holdout and layers draw customers independently."""
    holdout = shared.program.universal_holdout
    salts: dict[str, str] = {holdout.salt: "the universal holdout"} if holdout else {}
    for name, layer in shared.program.layers.items():
        salt = layer.salt or name
        if salt in salts:
            message = f"layer '{name}' has the same salt '{salt}' as {salts[salt]}"
            place = shared.at("program", "layers", name, "salt", key=True)
            yield Diagnostic("UL115", message, "give each a salt of its own", place)
        salts.setdefault(salt, f"layer '{name}'")


@siblings_rule(
    "UL115",
    "Same salt",
    "Experiments, layers and the universal holdout are drawn independently.",
    wrong="assignment: {salt: other}",
    right="assignment: {salt: example}",
    beside={
        "experiments/other.yaml": (
            "schema: 1\n"
            "experiment: other\n"
            "customers: {file: data.csv, id: id}\n"
            "arms: {none: {control: true}, email: {channel: email}}\n"
            "metrics: {primary: spent}\n"
        ),
    },
)
def same_salts(siblings: Siblings) -> Iterator[Diagnostic]:
    """UL115: two experiments are drawn independently."""
    first: dict[str, Scope] = {}
    for scope in siblings.scopes:
        if (salt := scope.salt) is None:
            continue
        other = first.setdefault(salt, scope)
        name = scope.plan.experiment.experiment
        if other is scope or other.plan.experiment.experiment == name:
            continue  # a name given twice is reported as such
        message = f"the salt '{salt}' is also that of experiment '{_name(other)}'"
        place = scope.at("assignment", "salt") if scope.has_salt else scope.at("experiment")
        yield Diagnostic(
            "UL115", message, "choose another: equal salts draw the same people", place
        )


@judges
def layer_exists(scope: Scope) -> Iterator[Diagnostic]:
    """UL114: a layer is declared where layers are declared."""
    name = scope.plan.experiment.assignment.layer
    layers = scope.plan.program.layers
    if name is None or "program" in scope.shared.broken:
        return
    place = scope.at("assignment", "layer")
    if name not in layers:
        message = f"the layer '{name}' is not declared"
        remedy = f"declare it in configs/program.yaml: 'layers: {{{name}: {{}}}}'"
        if layers:
            remedy = f"configs/program.yaml declares {', '.join(layers)}"
        yield Diagnostic("UL114", message, remedy, place)
        return
    owners = layers[name].experiments
    if owners and scope.plan.experiment.experiment not in owners:
        message = f"the layer '{name}' is shared out, and this experiment has no range in it"
        remedy = "give it one in configs/program.yaml"
        yield Diagnostic("UL114", message, remedy, place)


@shared_rule(
    "UL113",
    "Ranges of a layer",
    "Ranges of one layer are not empty and do not overlap.",
    wrong="layers: {retention: {experiments: {a: [0%, 60%], b: [50%, 100%]}}}",
    right="layers: {retention: {experiments: {a: [0%, 50%], b: [50%, 100%]}}}",
    file="configs/program.yaml",
)
def layer_ranges(shared: Shared) -> Iterator[Diagnostic]:
    """UL113: within a layer, ranges are not empty and do not overlap."""
    for name, layer in shared.program.layers.items():
        for experiment, (low, high) in layer.experiments.items():
            if low >= high:
                message = f"layer '{name}': the range of '{experiment}' is empty"
                place = shared.at("program", "layers", name, "experiments", experiment)
                yield Diagnostic("UL113", message, "write [from, to]: [0%, 50%]", place)
        yield from _overlaps(shared, name, layer)


def _overlaps(shared: Shared, name: str, layer: Layer) -> Iterator[Diagnostic]:
    for (first, one), (second, other) in combinations(layer.experiments.items(), 2):
        if max(one[0], other[0]) < min(one[1], other[1]):
            message = f"layer '{name}': the ranges of '{first}' and '{second}' overlap"
            place = shared.at("program", "layers", name, "experiments", second)
            yield Diagnostic("UL113", message, "let one begin where the other ends", place)


@siblings_rule(
    "UL114",
    "Layer claimed twice",
    "Experiments that run at one time have ranges of their layer.",
    wrong="assignment: {layer: retention}",
    right="assignment: {layer: acquisition}",
    beside={
        "configs/program.yaml": "layers: {retention: {}, acquisition: {}}\n",
        "experiments/other.yaml": (
            "schema: 1\n"
            "experiment: other\n"
            "customers: {file: data.csv, id: id}\n"
            "arms: {none: {control: true}, email: {channel: email}}\n"
            "metrics: {primary: spent}\n"
            "assignment: {layer: retention}\n"
        ),
    },
)
def same_layer(siblings: Siblings) -> Iterator[Diagnostic]:
    """UL114: experiments that run at one time share a layer out in ranges."""
    layers: dict[str, list[Scope]] = defaultdict(list)
    for scope in siblings.scopes:
        name = scope.plan.experiment.assignment.layer
        declared = siblings.shared.program.layers.get(name or "")
        if name and not (declared and declared.experiments):
            layers[name].append(scope)
    for name, claims in layers.items():
        for one, other in combinations(claims, 2):
            if _overlap(_period(one), _period(other)):
                message = f"'{_name(one)}' and '{_name(other)}' both claim the layer '{name}'"
                remedy = "give each a range in configs/program.yaml, or run them one after another"
                yield Diagnostic("UL114", message, remedy, other.at("assignment", "layer"))


def _name(scope: Scope) -> str:
    return scope.plan.experiment.experiment


def _period(scope: Scope) -> tuple[date, date] | None:
    """First and last day of an experiment, None where it is not known."""
    experiment = scope.plan.experiment
    if not experiment.waves or experiment.outcome_window is None:
        return None
    starts = [wave.start for wave in experiment.waves]
    return min(starts), max(starts) + experiment.outcome_window


def _overlap(one: tuple[date, date] | None, other: tuple[date, date] | None) -> bool:
    if one is None or other is None:
        return True
    return max(one[0], other[0]) < min(one[1], other[1])


@rule(
    "UL130",
    "Universal holdout not excluded",
    "An assignment made elsewhere does not know the universal holdout (warning).",
    wrong="universal_holdout: {share: 5%, salt: all-2026}",
    right="currency: EUR",
    file="configs/program.yaml",
)
def holdout_excluded(scope: Scope) -> Iterator[Diagnostic]:
    """UL130: an assignment made elsewhere does not know the universal holdout."""
    if scope.plan.program.universal_holdout and scope.plan.experiment.assignment.observed:
        message = "the program has a universal holdout, but this assignment was made elsewhere"
        remedy = "make sure that its customers were left out"
        place = scope.at("assignment", "observed")
        yield Diagnostic("UL130", message, remedy, place, severity="warning")
