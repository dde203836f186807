"""How customers are reached and what it costs: `configs/channels.yaml`."""

from __future__ import annotations

from typing import Any, Final, Optional

from pydantic import Field, create_model

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.title import TitleText
from upliftlab.config.models.values import Cost, Money, ProperRate
from upliftlab.results.costs import ON_ARMS, CostStep, Per

_KEYS: Final[dict[str, Any]] = {
    step.line.key: (
        Optional[ProperRate if step.line.per is Per.revenue else Cost],  # noqa: UP045 - made here
        Field(default=None, description=step.line.meaning),
    )
    for step in ON_ARMS
}
_Rates = create_model("_Rates", __base__=Declaration, **_KEYS)
"""One key for each cost of `results.costs` that an arm may declare."""


class Costs(_Rates):
    """What reaching a customer costs; an arm's own value overrides its offer's and channel's."""

    def rate(self, step: CostStep) -> Money | float | None:
        """What is declared of a cost; None where nothing is."""
        found: Money | float | None = getattr(self, step.line.key)
        return found


class Channel(Costs):
    """A way to contact customers."""

    title: TitleText | None = None
    """What it is called for people; the report shows it with the arms that use it."""


class Offer(Costs):
    """What a contacted customer is offered."""

    title: TitleText | None = None
    """What it is called for people who read the YAML."""
