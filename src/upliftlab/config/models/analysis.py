"""How the data are analysed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from upliftlab.config.models.limits import CapAt
from upliftlab.config.models.model import Declaration, Names
from upliftlab.config.models.values import Duration, Name, Number, ProperRate


class Prior(Declaration):
    """What is believed of profit before the data are read: a normal distribution."""

    mean: Number = 0.0
    """Profit per treated customer that is expected, in the experiment's currency."""
    sd: Number
    """Its standard deviation: two thirds of what is thought possible lie so near to the mean."""

    @model_validator(mode="after")
    def _spread(self) -> Prior:
        if self.sd <= 0:
            raise ValueError("'sd' is above 0; without a prior leave 'prior' out")
        return self


class AnalysisSettings(Declaration):
    """How the data are analysed."""

    confidence: ProperRate = 0.95
    """Confidence level of every interval."""
    covariates: Names = ()
    """What was known before: columns, or `NAME_before` for the metric NAME over the time of the
    same length before the start."""
    looks: tuple[Duration, ...] = ()
    """Times after the last customer's start at which the data are looked at; the end of the
    outcome window is one, named or not."""
    winsorize: dict[Name, CapAt] = {}
    """Per metric: the percentile of its values that are not zero (99.9%), or the number, at which
    larger values are cut. Both estimates are reported; money is never cut."""
    prior: Prior | None = None
    """What is believed of profit per treated customer before the data are read, for the Bayesian
    view: {mean: 0, sd: 0.50}; by default nothing is. It changes neither intervals nor verdict."""
    added_later: ClassVar[frozenset[str]] = frozenset({"prior"})

    @model_validator(mode="after")
    def _open_interval(self) -> AnalysisSettings:
        if not 0.5 <= self.confidence < 1:  # noqa: PLR2004 - named in the message
            raise ValueError("'confidence' lies between 50% and below 100%")
        return self
