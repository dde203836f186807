"""Codes of what models are given of customers."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL603",
        "Feature that no model can use",
        "A feature holds something else than numbers, dates, yes/no or text, such as lists.",
        "Name other columns under 'features'.",
    ),
    Explanation(
        "UL604",
        "No feature is left",
        "Each feature is the same for all customers, or says who a customer is.",
        "Name columns that describe customers under 'features'.",
    ),
    Explanation(
        "UL605",
        "Feature missing",
        "A feature that the model was fitted on is not in the table.",
        "Add the column.",
    ),
    Explanation(
        "UL606",
        "Feature of another kind",
        "A feature holds another kind of value than the model was fitted on.",
        "Score a table of the columns that the model was fitted on.",
    ),
    Explanation(
        "UL607",
        "Too few customers to learn from",
        "An arm has too few customers for what they do to be told from chance: 50 at "
        "least, and enough outside of each fold.",
        "Learn from a larger experiment, or leave the arm out.",
    ),
)
