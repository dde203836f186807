"""Gain or loss, and how sure: what a cell's colour, mark and word say, decided once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from upliftlab.report.index import Found, Index
from upliftlab.results.analysis import Finding
from upliftlab.text.language import N_

Direction = Literal["gain", "loss", "none"]
_STRENGTHS: Final = (0.05, 0.2)
"""A cell is strong with p below the first, faint with p beyond the last."""
_WORDS: Final = {
    "gain": N_("gain beyond chance"),
    "loss": N_("loss beyond chance"),
    "none": N_("beyond chance"),
}
_CHANCE: Final = N_("may be chance")


@dataclass(frozen=True, slots=True)
class Tone:
    """How an effect is shown.

    Attributes:
        direction: Whether what it is best taken for is good or bad.
        strength: 0 to 3, by its own p: nothing known, p > .2, p > .05, below.
        survives: Whether it survives the correction for many looks; None where none was made.
    """

    direction: Direction
    strength: int
    survives: bool | None

    @property
    def word(self) -> str:
        """What survives, in words; a text of the catalogue, empty where nothing was corrected."""
        if self.survives is None:
            return ""
        return _WORDS[self.direction] if self.survives else _CHANCE


NO_TONE: Final = Tone("none", 0, None)
"""Of what has no number."""


def tone(found: Found | None, index: Index) -> Tone:
    """The tone of a finding, read against no effect or break-even."""
    if found is None or found.finding.estimate is None:
        return NO_TONE
    finding = found.finding
    survives = None if finding.p_adjusted is None else finding.p_adjusted < 1 - finding.confidence
    return Tone(_direction(finding, index), _strength(finding.p), survives)


def _direction(finding: Finding, index: Index) -> Direction:
    best = finding.estimate if finding.shrunken is None else finding.shrunken
    metric = index.metric(finding.metric) if finding.kind.estimand.of != "money" else None
    if best is None or best == 0:
        return "none"
    good = best > 0 if metric is None or metric.better == "higher" else best < 0
    return "gain" if good else "loss"


def _strength(p: float | None) -> int:
    if p is None:
        return 1
    return 1 + sum(p < limit for limit in _STRENGTHS)
