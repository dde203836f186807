"""What a rule looks at: a plan, and where in which file each of its values stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upliftlab.config.document import Document
from upliftlab.config.models.experiment import Plan
from upliftlab.config.shared import Shared
from upliftlab.errors import Place


@dataclass(frozen=True, slots=True)
class Scope:
    """One experiment as its rules see it."""

    plan: Plan
    document: Document
    shared: Shared

    def at(self, *path: str | int, key: bool = False) -> Place:
        """The place of a value of the experiment's file."""
        return self.document.at(*path, key=key)

    @property
    def customers_known(self) -> bool:
        """Whether the customers' table is declared where it can be read."""
        given = self.plan.experiment.customers
        if "sources" in self.shared.broken:
            return False
        return not isinstance(given, str) or given in (self.shared.sources or {})

    @property
    def salt(self) -> str | None:
        """What this experiment's randomisation is drawn with; None where it was made elsewhere."""
        assignment = self.plan.experiment.assignment
        if assignment.observed is not None:
            return None
        return assignment.salt or self.plan.experiment.experiment

    @property
    def has_salt(self) -> bool:
        """Whether the file itself writes a salt."""
        return self.plan.experiment.assignment.salt is not None


@dataclass(frozen=True, slots=True)
class Siblings:
    """The experiments of one workspace, and what they share."""

    scopes: Sequence[Scope]
    shared: Shared
