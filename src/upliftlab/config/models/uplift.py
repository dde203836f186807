"""Whom to target next."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from upliftlab.config.models.model import Declaration, Names
from upliftlab.config.models.values import Cost, Count, Expression, Name, Share, parse_fraction

FeatureKind = Literal["numeric", "categorical"]
"""What a model takes a column for."""
Learner = Literal[
    "solo_model",
    "two_models",
    "two_models_ddr_control",
    "two_models_ddr_treatment",
    "class_transformation",
    "doubly_robust",
    "x_learner",
    "r_learner",
]
FIRST_KEYS = {"features", "learners", "budget"}
"""Keys that the language had from the start; see `Uplift.canonical`."""
_RANGES = {"folds": (2, 20), "repeats": (1, 10)}


class TodayRule(Declaration):
    """The rule by which customers are contacted today."""

    arm: Name | None = None
    """The arm that they get; the first treatment by default."""
    where: Expression
    """Who gets it: a condition over columns of the customers' table."""


class Uplift(Declaration):
    """Whom to target next."""

    features: Names
    """Columns a model may use: known before assignment, and in next month's table too."""
    categorical: Names = ()
    """Features of text that name categories, whatever they look like, such as the numbers of
    branches in a CSV file; by default a text is a number where all values of its column are."""
    learners: tuple[Learner, ...] = ("two_models_ddr_control", "doubly_robust")
    """Models. The first one decides; the others are shown beside it, as choosing the best by the
    data it is judged on would flatter it."""
    base: Literal["boosting", "linear"] = "boosting"
    """What the models are made of: boosted trees, or logistic and ridge regression."""
    metric: Name | None = None
    """What is to grow: `profit` or a metric; the decision's by default. Of a metric of which lower
    is better, that it falls."""
    budget: Cost | None = None
    """What the next campaign may cost."""
    folds: Count = 5
    """In how many parts customers are divided, so that each is judged by models that were not shown
    them; 2 to 20."""
    repeats: Count = 1
    """How often that is done, each time in other parts; 1 to 10."""
    sample: Count | None = None
    """How many customers are learned from at most, drawn by their id; all by default."""
    holdout: Share = parse_fraction("10%")
    """The part of the customers chosen next that is not contacted, drawn at random, so that the
    next campaign can be measured."""
    today: TodayRule | None = None
    """The rule by which customers are contacted today, to compare with."""
    added_later: ClassVar[frozenset[str]] = frozenset({"categorical"})

    @model_validator(mode="after")
    def _in_range(self) -> Uplift:
        for key, (low, high) in _RANGES.items():
            if not low <= getattr(self, key) <= high:
                raise ValueError(f"'{key}' lies between {low} and {high}")
        if not self.features or not self.learners:
            raise ValueError(f"'{'learners' if self.features else 'features'}' names none")
        if unknown := [name for name in self.categorical if name not in self.features]:
            raise ValueError(f"'categorical' names '{unknown[0]}', which is not under 'features'")
        if self.sample == 0:
            raise ValueError("'sample' is at least 1")
        if self.holdout == 1:
            raise ValueError("'holdout' lies below 100%")
        return self

    def canonical(self) -> dict[str, Any]:
        """As JSON values, without later keys that say what holds anyway.

        A plan that was locked before a key existed keeps its digest.

        >>> sorted(Uplift(features=("age",), folds=5, repeats=2).canonical())
        ['budget', 'features', 'learners', 'repeats']
        """
        first = self.model_dump(mode="json", by_alias=True, include=FIRST_KEYS)
        return first | self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
