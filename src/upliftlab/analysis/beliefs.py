"""The Bayesian view of each arm's profit: beside the intervals, and never in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upliftlab.analysis.contrasts import Contrast
from upliftlab.config.models.analysis import Prior
from upliftlab.money import ABOVE_HURDLE, PROFIT
from upliftlab.results.analysis import Belief, Note
from upliftlab.results.costs import CostStep
from upliftlab.stats.posterior import Believed, Normal, posterior


def beliefs(contrasts: Iterable[Contrast], prior: Prior | None) -> tuple[Belief, ...]:
    """What is believed of the profit of each arm as a whole; empty without money.

    Args:
        contrasts: Every treated group in every place.
        prior: What was declared to be believed before, per treated customer; None: nothing was.
    """
    return tuple(_beliefs(contrasts, None if prior is None else Normal(prior.mean, prior.sd)))


def _beliefs(contrasts: Iterable[Contrast], prior: Normal | None) -> Iterator[Belief]:
    for contrast in contrasts:
        if contrast.spec.roles is None or not contrast.wide or contrast.arm is None:
            continue
        if contrast.place.dimension is None:
            yield _belief(contrast, contrast.arm, prior)


def _belief(contrast: Contrast, arm: str, prior: Normal | None) -> Belief:
    question = contrast.question()
    customers = question.pair.treated.n * question.pair.size
    whole = None if prior is None else prior.scaled(customers)
    stated = {
        "arm": arm,
        "prior_mean": None if prior is None else prior.mean,
        "prior_sd": None if prior is None else prior.sd,
    }
    found = posterior(question.incremental_profit(), question.level(PROFIT), whole)
    if isinstance(found, Note):
        return Belief.model_validate({**stated, "note": found})
    cleared: Believed | Note = found
    if question.hurdle:
        cost = question.incremental(CostStep.cost).estimate or 0.0
        beyond = whole and whole.shifted(-question.hurdle * cost)
        cleared = posterior(question.above_hurdle(), question.level(ABOVE_HURDLE), beyond)
    return Belief.model_validate(
        {
            **stated,
            "mean": found.mean,
            "sd": found.sd,
            "low": found.low,
            "high": found.high,
            "pays": found.positive,
            "clears_hurdle": None if isinstance(cleared, Note) else cleared.positive,
            "loss_adopted": found.loss,
            "loss_declined": found.forgone,
        }
    )
