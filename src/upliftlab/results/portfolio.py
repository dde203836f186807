"""Portfolio: what all campaigns together added, and what they tell of the next one.

The JSON it serialises to is documented in docs/portfolio.md and versioned by `SCHEMA`. It is made
of analyses alone; no customer is in it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from upliftlab.results.analysis import VerdictCode
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


class CampaignInfo(Result):
    """One campaign of the program."""

    experiment: str
    title: str
    verdict: VerdictCode
    first_start: str | None
    """The day on which its first customers started; None where it is not known."""
    closes: str | None
    """The day on which the last outcome window closed."""
    n: int
    """Customers who were analysed, of all arms; households where these were randomised."""
    counted: bool
    """Whether its money is part of the program's."""
    reason: Message | None = None
    """Why it is not."""


class CampaignArm(Result):
    """A treated arm of a campaign that counts."""

    experiment: str
    arm: str
    title: str | None
    channel: str | None
    channel_title: str | None
    code: VerdictCode
    """The arm's own verdict in its campaign."""
    customers: float | None
    """Treated customers; None where only households are counted."""
    profit: Estimate
    """Incremental profit in total; `p` against zero."""
    roi: float | None
    per_customer: float | None
    """Incremental profit per treated customer."""
    shrunken: float | None
    """What `profit` is best taken for, given all campaigns: the best of many are partly lucky.
    None where `customers` is, and of a single arm."""
    p_program: float | None
    """`p` with the share of false claims in the whole program held (Benjamini & Hochberg)."""


class ChannelEvidence(Result):
    """What campaigns tell together of a channel, among all customers or those of one level."""

    channel: str
    channel_title: str | None
    dimension: str | None
    """None for all customers."""
    dimension_title: str | None
    level: str | None
    campaigns: int
    customers: float
    """Treated customers of an average campaign."""
    profit: Estimate
    """Incremental profit per treated customer: the mean of campaigns whose truths differ."""
    tau: float | None = None
    """Standard deviation between campaigns' truths; None of a single campaign."""
    p_alike: float | None = None
    """That campaigns differ as much by chance alone."""
    next_low: float | None = None
    """Lower end of the interval of the next campaign's truth; None of fewer than three."""
    next_high: float | None = None
    information: float | None = None
    """What it is worth to know the truth before the next campaign of that size."""


class Overlap(Result):
    """Two campaigns whose customers' times overlap."""

    first: str
    second: str
    begins: str
    ends: str


class HoldoutComparison(Result):
    """What a universal holdout tells of the whole program, beside the sum of its campaigns."""

    experiment: str
    profit: Estimate
    """Incremental profit of all who were not held out."""
    difference: Estimate
    """That, less the sum of the campaigns."""


class PromiseInfo(Result):
    """What a list promised of an arm, and what its holdout told."""

    experiment: str
    """The campaign that was run on the list."""
    arm: str
    made_from: str
    """The experiment that the list was made from."""
    day: str
    """The day of contact that it was made for."""
    policy: TargetPolicy
    forced: bool
    """Whether nothing had shown that the list would pay."""
    customers: int
    """Those who were contacted."""
    promised: Estimate
    """Incremental profit; without an interval of one arm among several of a list."""
    realised: Estimate
    """Incremental profit, against those held out."""


class Portfolio(Published):
    """A program of campaigns."""

    tables: ClassVar[tuple[str, ...]] = ("arms", "campaigns", "evidence", "overlaps", "promises")
    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    version: str
    created: str
    """ISO 8601, UTC."""
    titles: tuple[dict[str, str], ...] = ()
    """What things are called in several languages, by language; of those declared so."""
    currency: str | None
    confidence: float
    sentence: str
    """In English; `sentence_parts` says it in any language."""
    sentence_parts: Message
    profit: Estimate
    """Incremental profit of all arms that count, together."""
    adopted: Estimate | None
    """The same of arms with the verdict SHIP; None where there is none."""
    adopted_shrunken: float | None
    """What `adopted` is best taken for."""
    tau: float | None
    """Standard deviation between arms' true profits per customer; None of fewer than two."""
    campaigns: tuple[CampaignInfo, ...]
    """In the order in which they started."""
    arms: tuple[CampaignArm, ...]
    evidence: tuple[ChannelEvidence, ...]
    overlaps: tuple[Overlap, ...]
    holdout: HoldoutComparison | None = None
    promises: tuple[PromiseInfo, ...] = ()
    """Lists that `target` made, where what came can be held against what was promised."""
    calibration: Estimate | None = None
    """What came of each unit of profit that these lists promised; None where they promised none."""

    def find(self, **asked: Scalar) -> tuple[CampaignArm, ...]:
        """The arms whose fields are what is asked for, such as `channel="email"`.

        Raises:
            DataError: UL621, arms have no such field.
        """
        return matching(self.arms, asked)

    def summary(self) -> Summary:
        """The program's profit, and every arm's."""
        counted = sum(campaign.counted for campaign in self.campaigns)
        rows = tuple(
            (
                f"{arm.experiment} · {arm.arm}",
                arm.code.value,
                short(arm.profit.estimate),
                interval(arm.profit.low, arm.profit.high),
                short(arm.shrunken),
            )
            for arm in self.arms
        )
        heads = ("campaign", "verdict", "profit", "interval", "shrunken")
        context = f"{counted} of {len(self.campaigns)} campaigns count"
        return Summary(self.sentence, context, heads, rows)
