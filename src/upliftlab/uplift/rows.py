"""Rows of a sample made fit for learning: floats, in an order of their own, enough of each arm."""

from __future__ import annotations

import numpy as np

from upliftlab.errors import DataError, Diagnostic
from upliftlab.stats.moments import Array
from upliftlab.uplift.folds import mixed
from upliftlab.uplift.sample import TrainingSample

FEWEST = 50
"""Customers of each arm that it takes to learn from them."""


def as_numbers(sample: TrainingSample) -> TrainingSample:
    """The sample as floats and whole numbers, whatever it was given as.

    Unsigned and yes/no columns would wrap around in a difference without a word.

    Raises:
        ValueError: An outcome is missing, or the arms are not those of the propensities.
    """
    outcomes = np.asarray(sample.outcomes, dtype=np.float64)
    arm = np.asarray(sample.arm).astype(np.int64)
    if absent := int((~np.isfinite(outcomes)).any(axis=1).sum()):
        raise ValueError(f"{absent} of {len(arm)} customers have no outcome")
    if len(arm) and not (arm.min() >= 0 and arm.max() < sample.arms):
        raise ValueError(f"arms are numbered from 0 to {sample.arms - 1}")
    features = np.asarray(sample.features, dtype=np.float64)
    propensity = np.asarray(sample.propensity, dtype=np.float64)
    return TrainingSample(features, arm, outcomes, propensity, sample.cluster, sample.fold)


def own_order(sample: TrainingSample) -> np.ndarray:
    """The order that sorts rows by a hash of all that is in them, shape (n,).

    However rows come, they come to a learner in this order, so that its sums, and its ties, are
    the same to the last digit.
    """
    parts = (sample.features, sample.arm, sample.outcomes, sample.propensity, sample.fold)
    keys = np.zeros(len(sample), dtype=np.uint64)
    for part in parts:
        for column in np.atleast_2d(np.asarray(part, dtype=np.float64).T):
            plain = np.where(np.isnan(column), np.nan, column + 0.0)  # one NaN, no negative zero
            keys = mixed(keys ^ plain.view(np.uint64))
    return np.argsort(keys, kind="stable")


def enough(sample: TrainingSample, fewest: int = FEWEST) -> None:
    """Refuse to learn from hardly anybody.

    Raises:
        DataError: UL607, an arm has fewer customers than it takes.
    """
    counts = np.bincount(sample.arm, minlength=sample.arms)
    if faults := [
        Diagnostic(
            "UL607",
            f"{'the control' if arm == 0 else f'arm {arm}'} has {count} customers to learn from; "
            f"at least {fewest} are needed",
            "learn from a larger experiment, or leave the arm out",
        )
        for arm, count in enumerate(counts)
        if count < fewest
    ]:
        raise DataError(faults)


def weights(share: Array) -> Array | None:
    """Each row's weight against its probability of being here, mean 1; None where all are alike.

    Args:
        share: The probability with which each row is in the group it is in, shape (n,).
    """
    inverse = 1.0 / share
    mean = inverse.mean()
    return None if np.allclose(inverse, mean, rtol=1e-9) else inverse / mean
