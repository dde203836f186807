"""A worked example: a question of marketers, customers whose answer to it is known, and a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from upliftlab.simulate.worked.behaviour import Behaviour, Clientele
from upliftlab.simulate.worked.drawing import (
    Draw,
    contacts_table,
    customers_table,
    redemptions_table,
)
from upliftlab.simulate.worked.truth import KnownModel, Record

Tables = dict[str, pd.DataFrame]
"""The tables of a world by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedExample:
    """One of the questions.

    Attributes:
        name: Its name, and that of its experiment's file.
        question: What it answers.
        clientele: Who takes part.
        behaviours: What arms do, the control's first.
        answers: What is true beside the effects.
        tables: The shop's tables; None for those that a shop has anyway.
        customers: How many are drawn unless told otherwise.
    """

    name: str
    question: str
    clientele: Clientele
    behaviours: tuple[Behaviour, ...]
    answers: Callable[[KnownModel], Record]
    tables: Callable[[np.random.Generator, WorkedExample, Draw], Tables] | None = None
    customers: int = 40_000

    @property
    def file(self) -> str:
        """Its experiment among those that are shipped."""
        return f"{self.experiment}.yaml"

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.name.replace("-", "_")

    @property
    def by_arm(self) -> Mapping[str, Behaviour]:
        """What each arm does."""
        return {behaviour.arm: behaviour for behaviour in self.behaviours}

    def drawn_tables(self, random: np.random.Generator, drawn: Draw) -> Tables:
        """The tables, once customers were drawn."""
        return (self.tables or shop_tables)(random, self, drawn)


def shop_tables(random: np.random.Generator, example: WorkedExample, drawn: Draw) -> Tables:
    """Customers with their arms, orders, contacts and redemptions."""
    behaviours, name = example.behaviours, example.experiment
    return {
        "customers": customers_table(example.clientele, behaviours, drawn),
        "orders": drawn.orders,
        "contacts": contacts_table(random, behaviours, drawn.arms, name),
        "redemptions": redemptions_table(random, behaviours, drawn, name),
    }
