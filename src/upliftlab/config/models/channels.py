"""How customers are reached and what it costs: `configs/channels.yaml`."""

from __future__ import annotations

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.values import Cost, ProperRate


class Costs(Declaration):
    """What reaching a customer costs; an arm's own value overrides its offer's and channel's."""

    cost_per_contact: Cost | None = None
    """Paid for every contact."""
    cost_per_redemption: Cost | None = None
    """Paid for every redemption, also to customers who would have bought anyway."""
    commission: ProperRate | None = None
    """A share of revenue paid to the channel."""
    service_cost: Cost | None = None
    """Paid once for every customer in the arm."""


class Channel(Costs):
    """A way to contact customers."""

    title: str | None = None
    """What it is called for people; the report shows it with the arms that use it."""


class Offer(Costs):
    """What a contacted customer is offered."""

    title: str | None = None
    """What it is called for people who read the YAML."""
