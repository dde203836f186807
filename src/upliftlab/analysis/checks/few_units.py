"""Are there units enough for numbers to be told from those of single customers?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.checks.definition import CheckAnswer, CheckDefinition, CheckInputs
from upliftlab.results.analysis import Severity
from upliftlab.text.language import N_

_ARM = N_(
    "{arm} has {count:count} units: single ones decide its numbers. Where hardly one of them would"
    " buy, no interval holds and none is shown."
)
_LEVELS = N_(
    "Levels of {segment} in which an arm has fewer than {fewest:count} units: {levels}. Single"
    " ones decide their numbers; where hardly one of them would buy, no interval holds and none is"
    " shown."
)
_FEWEST: Final = 10
"""With fewer units, the sum of a group is that of single ones."""
_NAMED: Final = 5
"""Levels that a sentence names."""


def _few(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """The arms of few units, as a whole and by segment."""
    for arm, group in inputs.arms.items():
        if group.n < _FEWEST and arm not in inputs.small_arms:
            values = {"arm": arm, "count": group.n}
            yield CheckAnswer(
                passed=False, text=_ARM, values=values, subjects=(arm,), value=group.n
            )
    levels = defaultdict[str, list[str]](list)
    for place, groups in inputs.aggregates.items():
        few = place != OVERALL and any(group.n < _FEWEST for group in groups.values())
        if few and place.dimension is not None:
            levels[place.dimension].append(place.level or "")
    for segment, found in levels.items():
        named = ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
        yield CheckAnswer(
            passed=False,
            text=_LEVELS,
            values={"segment": segment, "fewest": _FEWEST, "levels": named},
            subjects=(segment,),
            severity=Severity.info,
            value=float(len(found)),
        )


FEW_UNITS = CheckDefinition(
    name="few_units",
    title=N_("Units enough"),
    severity=Severity.warning,
    judge=_few,
    tells="counts",
)
