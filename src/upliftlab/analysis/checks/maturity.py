"""Is everybody's outcome known, or a declared look due?"""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.checks.definition import (
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    unasked,
)
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.text.language import N_


def _maturity(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether the last customer's outcome window has closed, or a declared look is due."""
    schedule = inputs.schedule
    if schedule.closes is None:
        yield unasked(
            N_("Not asked: it is not known when outcomes begin to count, or for how long.")
        )
        return
    values: dict[str, Scalar] = {"date": schedule.closes.date().isoformat()}
    text = N_("The outcome window closed on {date:date}.")
    if schedule.early and schedule.filled:
        source, day = schedule.filled
        values |= {"source": source, "day": day.isoformat()}
        text = N_(
            "The outcome window closes on {date:date}, and the events of {source} are declared "
            "complete up to {day:date} only ('complete_until')."
        )
    elif schedule.early and schedule.declared:
        text = N_("The first look is due on {date:date}.")
    elif schedule.early:
        text = N_("The outcome window is open until {date:date}.")
    elif schedule.interim:
        text = N_("Everybody's outcomes are known up to this look, which was due on {date:date}.")
    yield CheckAnswer(not schedule.early, text, values)


MATURITY = CheckDefinition(
    name="maturity",
    title=N_("Outcomes complete"),
    severity=Severity.critical,
    judge=_maturity,
    tells="counts",
)
