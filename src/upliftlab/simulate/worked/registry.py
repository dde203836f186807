"""The worked examples: a new one is its file, its experiment and its line here."""

from __future__ import annotations

from typing import Final

from upliftlab.simulate.worked import acquisition, churn, commission, cross_sell, decline
from upliftlab.simulate.worked.example import WorkedExample

WORLDS: Final[dict[str, WorkedExample]] = {
    module.EXAMPLE.name: module.EXAMPLE
    for module in (acquisition, commission, churn, decline, cross_sell)
}
"""Each by its name, in the order in which marketers ask."""
