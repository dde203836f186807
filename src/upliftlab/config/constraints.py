"""What the models refuse across their keys, as JSON Schema says it, for editors.

By the name of a model; what its validators say in Python stands there. `LIMITS` hold of each value
alone. `RELATIONS` hold among the keys of one whole group: in a file that extends another they are
told when both are read together, so that there they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from upliftlab.config.models.metric_kinds import OWN, MetricKind
from upliftlab.config.models.patterns import CAP, PROPER, UPPER_HALF, whole
from upliftlab.results.ship_rule import PATTERN

Schema = dict[str, Any]


def _needs(*keys: str) -> Schema:
    return {"required": list(keys)}


def _one_of(keys: Iterable[str]) -> Schema:
    return {"oneOf": [_needs(key) for key in keys]}


def _without(*keys: str) -> Schema:
    return {"properties": dict.fromkeys(keys, False)}


def _where(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def _filled(key: str) -> Schema:
    """Where a key is there and holds something."""
    return {**_needs(key), "properties": {key: {"minItems": 1, "minProperties": 1}}}


def _is(key: str, *values: object) -> Schema:
    return {**_needs(key), "properties": {key: {"enum": list(values)}}}


def _either(number: Schema, pattern: str) -> Schema:
    text = {"type": "string", "pattern": whole(pattern)}
    return {"anyOf": [{"type": "number", **number}, text]}


def _counted(low: int, high: int) -> Schema:
    """A whole number of a range."""
    digits = "|".join(str(each) for each in range(low, high + 1))
    return _either({"minimum": low, "maximum": high}, f"(?:{digits})")


_TRUE: Final = (True, "true")
_ABOVE_0: Final[Schema] = {"exclusiveMinimum": 0}
_AT_LEAST_1: Final[Schema] = {"minimum": 1}
_BETWEEN: Final = _either({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, PROPER)

LIMITS: Final[dict[str, Schema]] = {
    "AnalysisSettings": {
        "confidence": _either({"minimum": 0.5, "exclusiveMaximum": 1}, UPPER_HALF),
        "winsorize": {"additionalProperties": _either(_ABOVE_0, CAP)},
    },
    "BaselineFigures": {
        "rate": _BETWEEN,
        "sd": _ABOVE_0,
        "household_size": _AT_LEAST_1,
        "icc": {"minimum": 0},
    },
    "Decision": {"ship_if": {"pattern": f"^{PATTERN}$"}},
    "ExperimentFile": {"segments": {"uniqueItems": True}},
    "Metrics": {"secondary": {"uniqueItems": True}},
    "Planning": {"power": _BETWEEN, "customers": _AT_LEAST_1, "per_week": _AT_LEAST_1},
    "Prior": {"sd": _ABOVE_0},
    "Program": {"smallest_cell": {"minimum": 2}},
    "Segment": {"bands": {"minItems": 1}},
    "Uplift": {
        "features": {"minItems": 1},
        "learners": {"minItems": 1},
        "folds": _counted(2, 20),
        "repeats": _counted(1, 10),
        "sample": _AT_LEAST_1,
        "holdout": {"exclusiveMaximum": 1},
    },
}
"""By model and key."""


def _metric() -> Iterable[Schema]:
    """Exactly one kind, and what stands beside it."""
    yield {"oneOf": [_chosen(kind) for kind in OWN.values()]}
    for kind in OWN.values():
        if kind.of_events:
            yield _where(_chosen(kind), _needs("from"))
        else:
            yield _where(_chosen(kind), _without("from", "where", "during"))
        if kind.is_ratio:
            yield _where(_chosen(kind), _without("only", "unless"))
    yield _where(_is("missing", "zero", "drop"), _needs("column"))


def _chosen(kind: MetricKind) -> Schema:
    """Where a metric is of this kind; a flag that is false is as good as absent."""
    return _is(kind.key, *_TRUE) if kind.takes == "flag" else _needs(kind.key)


RELATIONS: Final[dict[str, tuple[Schema, ...]]] = {
    "Aggregated": ({"anyOf": [_filled(key) for key in ("units_with", "sum", "mean")]},),
    "AssignmentSettings": (
        _where(
            _needs("observed"),
            {"properties": {**_without("salt", "layer", "delivered")["properties"],
                            "method": {"const": "hash"}}},
        ),
        _where(_filled("ignore_arms"), _needs("observed")),
        _where(_filled("strata"), {"anyOf": [_needs("observed"), _is("method", "blocked")]}),
    ),
    "BaselineFigures": (_one_of(("mean", "rate")), _where(_needs("rate"), _without("sd"))),
    "ContactPolicy": ({"dependencies": {"max_contacts": ["per"], "per": ["max_contacts"]}},),
    "Guardrail": (_one_of(("max_increase", "max_decrease")),),
    "Metric": tuple(_metric()),
    "Rfm": (
        {
            **_where(_needs("from"), {**_needs("amount"),
                                      **_without("recency", "frequency", "monetary")}),
            "else": {**_needs("recency", "frequency", "monetary"), **_without("amount", "over")},
        },
    ),
    "Segment": (
        _one_of(("column", "rfm", "lifecycle")),
        {"dependencies": {"bands": ["column"]}},
    ),
    "Source": (
        {"anyOf": [_needs("file"), _needs("table")]},
        {"dependencies": {"repeats": ["key"]}},
        _where(_needs("aggregated"), _without("weight")),
    ),
}  # fmt: skip
"""By model."""
