"""Quantiles: what a share of an arm's customers stays below, and how far arms lie apart there."""

from __future__ import annotations

from typing import Literal

from upliftlab.results.base import Note, Result

MEDIAN = 0.5


class ArmQuantile(Result):
    """A metric's quantile in an arm."""

    metric: str
    arm: str
    share: float
    """The share of the arm's customers below it."""
    n: int
    value: float | None
    """Rounded, so that at least as many customers as a cell must have are told by it."""
    rounded_to: float | None
    """It is a multiple of this; 0 where so many customers have that very value."""
    note: Note | None = None
    """Why there is none."""


class QuantileDifference(Result):
    """How far a metric's quantile of an arm lies from the control's, with its interval."""

    kind: Literal["quantile_difference"] = "quantile_difference"
    metric: str
    share: float
    """The share of customers below the quantile."""
    arm: str
    control: str
    n_treated: int
    n_control: int
    treated: float | None
    """The arm's quantile."""
    reference: float | None
    """The control's quantile."""
    estimate: float | None
    """The difference, rounded as the coarser of both; not adjusted for covariates."""
    low: float | None
    high: float | None
    confidence: float
    """Level of the interval: of k looks 1 − α/k, so that those of all hold at once."""
    note: Note | None = None
    """Why a value is absent."""


def quantile_name(share: float) -> str:
    """What a quantile is called in a file.

    >>> quantile_name(0.5), quantile_name(0.9), quantile_name(0.999)
    ('median', 'p90', 'p99.9')
    """
    return "median" if share == MEDIAN else f"p{round(100 * share, 9):g}"
