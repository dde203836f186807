"""Whom to target next."""

from __future__ import annotations

from typing import Literal

from upliftlab.declarations.model import Model, Names
from upliftlab.values import Cost


class Uplift(Model):
    """Whom to target next."""

    features: Names
    """Columns a model may use."""
    learners: tuple[
        Literal["solo_model", "two_models", "class_transformation", "doubly_robust"], ...
    ] = ("two_models", "doubly_robust")
    """Models to compare."""
    budget: Cost | None = None
    """What the next campaign may cost."""
