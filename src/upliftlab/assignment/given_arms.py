"""Columns of the customers that hold the arms' names already: who got what may be decided.

To draw arms anew where they were given would compare customers by arms that nobody got, and find
nothing.
"""
# ruff: noqa: S608 - every name passes through quote(), every value through literal()

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.assignment.eligibility import CUSTOMERS
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import Diagnostic
from upliftlab.util.sql import literal, quote
from upliftlab.util.visible import visible
from upliftlab.util.yaml_text import yaml_text

_LEAST = 0.5
"""The share of customers of whom a column must hold an arm's name, to be one of arms."""


def given_arms(plan: Plan, engine: Engine) -> tuple[str, ...]:
    """The columns in which every arm's name stands, and little else.

    Args:
        plan: The experiment, whose arms are not `observed`.
        engine: Where its customers are attached.
    """
    texts = [
        name
        for name, kind in engine.columns(CUSTOMERS).items()
        if kind == "text" and name != plan.experiment.assignment.delivered
    ]
    if not texts:
        return ()
    arms = ", ".join(map(literal, plan.arms))
    held = (
        f"CASE WHEN CAST(c.{quote(name)} AS VARCHAR) IN ({arms}) THEN c.{quote(name)} END"
        for name in texts
    )
    asked = ", ".join(
        f"COUNT(DISTINCT {case}) AS d{at}, COUNT({case}) AS n{at}" for at, case in enumerate(held)
    )
    row = engine.query(f"SELECT COUNT(*) AS n, {asked} FROM {CUSTOMERS} AS c").to_pylist()[0]
    return tuple(
        name
        for at, name in enumerate(texts)
        if row[f"d{at}"] == len(plan.arms) and row[f"n{at}"] >= _LEAST * row["n"]
    )


def already_given(plan: Plan, engine: Engine) -> Iterator[Diagnostic]:
    """UL418: a column holds the arms' names already, as it does after a campaign."""
    for name in given_arms(plan, engine):
        yield Diagnostic(
            "UL418",
            f"'{visible(name)}' of the customers holds the names of the arms, which are drawn anew",
            f"if it tells who got what, write {observing(name)}",
            None,
            "warning",
        )


def observing(column: str) -> str:
    """The line by which arms are read from a column.

    >>> print(observing("Gruppe"), observing("last arm"))
    'assignment: {observed: Gruppe}' 'assignment: {observed: "last arm"}'
    """
    return f"'assignment: {{observed: {yaml_text(column)}}}'"
