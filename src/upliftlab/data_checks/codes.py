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
    Explanation(
        "UL281",
        "Customers left out on purpose",
        "'exclude' or 'ignore_arms' leaves customers out. It is a warning that tells how many; an "
        "error where not as large a part of every arm is excluded, so that the rest cannot be "
        "compared.",
        "Exclude by what was known before assignment, or by what no arm can change.",
    ),
    Explanation(
        "UL282",
        "Missing outcomes",
        "Customers have no value of a metric that declares 'missing'. It is a warning that tells "
        "how many; an error where a metric of the verdict leaves them out and they are not as "
        "large a part of every arm.",
        "Find out why they are missing; 'missing: zero' where an empty one means 0.",
    ),
)
