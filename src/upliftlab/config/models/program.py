"""What all experiments share: `configs/program.yaml`."""

from __future__ import annotations

from pydantic import model_validator

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.values import Count, Date, Duration, Expression, Name, Share


class UniversalHoldout(Declaration):
    """Customers no experiment ever contacts."""

    share: Share
    """The share of all customers."""
    salt: Name
    """Separates the holdout from every experiment; a new period takes a new salt."""
    start: Date | None = None
    """First day of the holdout's period."""
    end: Date | None = None
    """Last day of the holdout's period."""


class Layer(Declaration):
    """Experiments that share customers out among themselves."""

    salt: Name | None = None
    """Separates this layer from the others; the layer's name by default."""
    experiments: dict[Name, tuple[Share, Share]] = {}
    """The range of customers each experiment owns, such as [0%, 50%]."""


class ContactPolicy(Declaration):
    """How often a customer may be contacted over all experiments."""

    max_contacts: Count | None = None
    """At most this many contacts …"""
    per: Duration | None = None
    """… within this time."""
    cool_down: Duration | None = None
    """No contact for this long after a contact or complaint."""
    contacts: Name | None = None
    """The table of earlier contacts."""
    complaints: Name | None = None
    """The table of complaints."""
    opt_out: Expression | None = None
    """Customers who meet this condition are never contacted."""

    @model_validator(mode="after")
    def _whole(self) -> ContactPolicy:
        if (self.max_contacts is None) != (self.per is None):
            raise ValueError("'max_contacts' and 'per' belong together")
        return self
