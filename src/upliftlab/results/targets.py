"""Targets: what a next campaign's list holds, and what is expected of it, as plain frozen values.

The JSON they serialise to is documented in docs/target.md and versioned by `SCHEMA`. No customer
is named in it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from upliftlab.results.analysis import DataFile, Provenance
from upliftlab.results.base import (
    Message,
    Published,
    Result,
    Scalar,
    Summary,
    interval,
    matching,
    short,
)
from upliftlab.results.promises import TargetPolicy
from upliftlab.results.uplift import Estimate

SCHEMA: Literal[1] = 1


class TargetArm(Result):
    """The customers of one arm, and what is expected of them."""

    arm: str
    offer: str | None
    channel: str | None
    gate_open: bool
    """Whether customers respond differently to it; else everybody is expected the average."""
    customers: int
    """Those who are contacted."""
    held_out: int
    """Those who would have been, and are not, so that the next campaign can be measured."""
    expected_profit: float
    """Incremental profit of those who are contacted, less the fixed cost."""
    expected_cost: float
    """Of those who are contacted, with the fixed cost."""
    fixed_cost: float
    """0 where the arm is not used."""


class TargetModel(Result):
    """What the expectations rest on."""

    learner: str
    """The judged learner; `tree` where the readable tree chose."""
    base: Literal["boosting", "linear"]
    seed: int
    learned_from: int
    """Customers of the experiment that the model was shown."""
    features: tuple[str, ...]
    gain: Estimate
    """What the model's policy within the plan's budget, or the tree's without one, is worth beyond
    contacting nobody, per customer, judged on customers that models were not shown."""
    realised: Estimate | None
    """What came there of each unit of profit that was foretold of those chosen; what is expected
    is what the model foretells times this, unless it is not above 0."""
    saved: str | None
    """The sha256 of the model's file; None where it was learned afresh."""


class Targets(Published):
    """What `upliftlab target` chose."""

    tables: ClassVar[tuple[str, ...]] = ("arms",)
    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    experiment: str
    title: str
    titles: tuple[dict[str, str], ...] = ()
    """What things are called in several languages, by language; of those declared so."""
    arm_titles: dict[str, str] = Field(default_factory=dict)
    """What arms are called for people, by their names; of those that have a title."""
    plan_sha256: str
    customers: str
    """The table that was chosen from, as it was named."""
    day: str
    """The day of contact that the contact policy counted from."""
    currency: str | None
    sentence: str
    """In English; `sentence_parts` says it in any language."""
    sentence_parts: Message
    policy: TargetPolicy = "model"
    """Whether a model chose, one arm is rolled out to everybody who may be contacted, today's rule
    chose, or the readable tree did."""
    abstained: bool
    """Whether there is no list, as nothing shows that it would pay."""
    forced: bool
    """Whether there is a list although nothing shows that it would pay."""
    seen: int = 0
    """Customers of the table."""
    excluded: dict[str, int] = Field(default_factory=dict)
    """Those who may not be contacted, by reason."""
    unseen: dict[str, int] = Field(default_factory=dict)
    """By feature, customers with a category that no model was shown; they count as missing."""
    arms: tuple[TargetArm, ...] = ()
    """Every treatment, in the plan's order."""
    targeted: int = 0
    """Customers who are contacted."""
    held_out: int = 0
    holdout: float = 0.0
    """The share that is held out of those chosen."""
    not_chosen: int = 0
    """Customers who may be contacted and are not chosen."""
    expected_profit: float = 0.0
    expected_low: float | None = None
    """Lower end of the interval of `expected_profit`, from that of `model.realised`, or of the
    analysis where no model chooses."""
    expected_high: float | None = None
    """Upper end."""
    expected_cost: float = 0.0
    budget: float
    at_least: float
    """What the last unit of money had to bring at least, before its cost."""
    last_return: float | None = None
    """The return at which the budget ends, what the next unit of money would bring; None where
    nobody is chosen, or where all of it is free."""
    exhausted: bool = False
    """Whether the budget ended before customers did who are worth their cost."""
    model: TargetModel | None
    """None where no model chooses, as the analysis says what the arm brings."""
    file: DataFile | None = None
    """The list; None without one."""
    data: tuple[DataFile, ...]
    """What was learned from, and the table that was chosen from."""
    provenance: Provenance

    def find(self, **asked: Scalar) -> tuple[TargetArm, ...]:
        """The arms whose fields are what is asked for, such as `arm="email"`.

        Raises:
            DataError: UL621, arms have no such field.
        """
        return matching(self.arms, asked)

    def summary(self) -> Summary:
        """Whether there is a list, and what is expected of each arm's customers."""
        expected = interval(self.expected_low, self.expected_high)
        context = (
            f"{self.experiment}: {self.targeted:,} of {self.seen:,} customers, expected profit "
            f"{short(self.expected_profit)} {expected}".rstrip()
        )
        rows = tuple(
            (
                arm.arm,
                arm.channel or "",
                f"{arm.customers:,}",
                f"{arm.held_out:,}",
                short(arm.expected_profit),
                short(arm.expected_cost),
            )
            for arm in self.arms
        )
        heads = ("arm", "channel", "customers", "held out", "expected profit", "expected cost")
        return Summary(self.sentence, context, heads, rows)
