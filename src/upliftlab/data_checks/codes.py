"""Codes of what `check --data` finds in tables of events."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL221",
        "Events of unknown customers",
        "Events belong to customers who are not in the customers' table, as far as it "
        "matters: more than a few, all of them, or only because of spaces around ids.",
        "Write ids alike in both tables.",
    ),
    Explanation(
        "UL222",
        "Events that do not cover the time",
        "Events end before the last window closes, begin after the time that is asked of "
        "before the start, or there are none: none at all, or none of this experiment.",
        "Bring the missing days along; it is a warning, as data may still come in.",
    ),
    Explanation(
        "UL223",
        "Events in another currency",
        "Some events are in another currency than the others, so that their amounts do not add up.",
        "Convert them to one currency.",
    ),
    Explanation(
        "UL224",
        "Events there twice",
        "Events repeat what another says, or have the key of another: they were loaded twice, or "
        "the key is that of an order and not of its lines.",
        "Load each event once and declare what identifies it, such as key: [order_id, line]; of "
        "rows that are alike in every column say 'repeats: once' or 'repeats: each'.",
    ),
    Explanation(
        "UL225",
        "Clock that moved",
        "Events happen at hours that moved since the start, or are quiet by day and not "
        "by night: their time zone is probably another than declared.",
        "Declare their 'zone' under the source.",
    ),
)
