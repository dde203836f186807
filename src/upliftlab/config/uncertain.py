"""A plan of which tables hold uncertain values: each metric once more with each value raised.

A metric over a table is what it is as long as the table holds. Counted again with one value raised
by its standard error, it tells how far an effect moves with that value: the derivative of the delta
method times the standard error, exactly so of whatever is linear in the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from upliftlab.config.computed import built_of
from upliftlab.config.models import Metric
from upliftlab.config.models.experiment import RAISED, Plan
from upliftlab.config.models.values_by import raised_of


def with_uncertain(plan: Plan) -> Plan:
    """The plan with its metrics under every raised value; as it is where all values are known."""
    added: dict[str, Metric] = {}
    for source, base, raised in _entries(plan):
        entry = f"{source or 'customers'}.{raised}"
        found: dict[str, str] = {}
        for name, metric in _in_order(plan.metrics):
            if (changed := _raised(metric, (source, base, raised), found)) is not None:
                found[name] = f"{name}{RAISED}{entry}"
                added[found[name]] = changed
    return plan.model_copy(update={"metrics": {**plan.metrics, **added}}) if added else plan


def _entries(plan: Plan) -> Iterator[tuple[str | None, str, str]]:
    """Every uncertain value: its table, the column by it, and the same column with it raised."""
    tables = [(None, plan.customers), *plan.sources.items()]
    for name, source in tables:
        for base, raised in raised_of(source.columns).items():
            for each in raised:
                yield name, base, each


def _in_order(metrics: Mapping[str, Metric]) -> Iterator[tuple[str, Metric]]:
    """Metrics, each after those that it is made of."""
    done, waiting = set[str](), dict(metrics)
    while waiting:
        ready = [n for n, m in waiting.items() if not waiting.keys() & (set(m.parts) - {n})]
        if not ready:  # a circle, which a rule tells
            return
        for name in ready:
            done.add(name)
            yield name, waiting.pop(name)


def _raised(
    metric: Metric, entry: tuple[str | None, str, str], known: Mapping[str, str]
) -> Metric | None:
    """A metric under a raised value; None where it does not depend on it."""
    source, base, column = entry
    if metric.pair:
        pair = tuple(known.get(part, part) for part in metric.pair)
        return metric.model_copy(update={metric.defined_by: pair}) if pair != metric.pair else None
    named = metric.column if source is None else metric.value_column
    if metric.source != source or named != base:
        return None
    return metric.model_copy(update={metric.defined_by: column})


def tabled(plan: Plan, name: str) -> Literal["known", "uncertain"] | None:
    """Whether a metric's numbers are of a declared table, and whether that has standard errors.

    Args:
        plan: What was asked.
        name: A metric of it.
    """
    from upliftlab.config.expressions import decided_by  # noqa: PLC0415 - sqlglot only where it is needed

    metric = plan.metrics[name]
    parts = {tabled(plan, part) for part in metric.pair if part in plan.metrics}
    if "uncertain" in parts or "known" in parts:
        return "uncertain" if "uncertain" in parts else "known"
    source = plan.customers if metric.source is None else plan.sources.get(metric.source)
    column = metric.column if metric.source is None else metric.value_column
    if source is None or column not in source.columns:
        return None
    if column in raised_of(source.columns):
        return "uncertain"
    built = built_of(column, source.columns)
    return "known" if any(decided_by(source.columns[each]) for each in built) else None
