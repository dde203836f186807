"""How the data are analysed."""

from __future__ import annotations

from pydantic import model_validator

from upliftlab.config.models.limits import CapAt
from upliftlab.config.models.model import Declaration, Names
from upliftlab.config.models.values import Duration, Name, ProperRate


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

    @model_validator(mode="after")
    def _open_interval(self) -> AnalysisSettings:
        if not 0.5 <= self.confidence < 1:  # noqa: PLR2004 - named in the message
            raise ValueError("'confidence' lies between 50% and below 100%")
        return self
