"""Who gets what: how customers are divided, when they start, and what the arms are."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from upliftlab.config.models.channels import Costs
from upliftlab.config.models.model import Declaration, Labels, Names
from upliftlab.config.models.title import TitleText
from upliftlab.config.models.values import Date, Flag, Name, Share


class AssignmentSettings(Declaration):
    """Who decides the arm: an existing column, or upliftlab."""

    observed: Name | None = None
    """The arm was assigned elsewhere and is read from this column."""
    unit: Name | None = None
    """The column whose values are randomised: the customer's id (default) or the household."""
    method: Literal["hash", "blocked"] = "hash"
    """hash: stateless, new customers may join; blocked: exact shares within strata."""
    strata: Names = ()
    """Columns within whose combinations `blocked` keeps the shares exact; of observed arms, those
    within which they were assigned: schools, blocks, or matched pairs."""
    salt: Name | None = None
    """Keeps this experiment's randomisation apart; the experiment's name by default."""
    layer: Name | None = None
    """A layer of configs/program.yaml whose experiments exclude one another."""
    start: Name | None = None
    """The column that says when a customer's outcomes begin to count, such as the exposure; by
    default the day of the wave, else of the assignment."""
    delivered: Name | None = None
    """The column that says which arm was delivered, to be held against the ledger."""
    ignore_arms: Labels = ()
    """Labels of the observed column whose customers are not compared: they are left out, counted
    and reported; by default every label is an arm's."""
    added_later: ClassVar[frozenset[str]] = frozenset({"ignore_arms"})

    @property
    def within_given(self) -> bool:
        """Whether arms were assigned within strata elsewhere."""
        return self.observed is not None and bool(self.strata)

    @field_validator("method", mode="before")
    @classmethod
    def _known_elsewhere(cls, given: object) -> object:
        if given in ("observed", "given", "existing"):
            reason = f"'{given}' is no way to draw arms"
            raise ValueError(f"{reason}; write 'observed: COLUMN', the column that holds the arms")
        return given

    @model_validator(mode="after")
    def _one_way(self) -> AssignmentSettings:
        chosen = self.model_dump(
            exclude={"observed", "ignore_arms", "start", "unit", "strata"}, exclude_defaults=True
        )
        if self.observed is not None and chosen:
            raise ValueError(f"'observed' excludes {', '.join(chosen)}")
        if self.ignore_arms and self.observed is None:
            raise ValueError("'ignore_arms' needs 'observed': a column that holds the arms")
        if self.strata and self.method != "blocked" and self.observed is None:
            raise ValueError("'strata' need 'method: blocked', or 'observed' arms")
        return self


class Wave(Declaration):
    """A part of the customers that starts on its own day."""

    start: Date
    """The day on which this wave's customers are contacted."""
    share: Share
    """The share of customers in this wave."""


class SharePeriod(Declaration):
    """The arms' shares from a day on, until the next."""

    start: Date = Field(alias="from")
    """The first day on which customers are divided by these shares."""
    arms: dict[Name, Share]
    """Each arm's share."""


class Arm(Costs):
    """One group of an experiment and how it is treated."""

    share: Share | None = None
    """The share of customers in this arm; equal shares where no arm declares one."""
    control: Flag = False
    """The group the others are compared with."""
    business_as_usual: Flag = False
    """Customers treated as before the experiment."""
    channel: Name | None = None
    """The channel through which this arm is contacted."""
    offer: Name | None = None
    """The offer this arm receives."""
    title: TitleText | None = None
    """What it is called for people, which the report shows beside its name and its size."""
    observed: Labels = ()
    """What the data call it beside its name, letter by letter: ["small", " small ", "S"]; by
    default nothing else."""
    added_later: ClassVar[frozenset[str]] = frozenset({"observed"})
