"""The verb `portfolio`: analyses of campaigns, put together; no customer is read again.

Arms of a campaign share its control, which the sum allows for; campaigns are taken as independent.
What channels earn per customer is a mean of campaigns whose truths differ (`random_effects`), so
that the next campaign's interval is wider than the mean's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from math import ceil
from typing import Final

import numpy as np

from upliftlab import __version__
from upliftlab.errors import DataError, Diagnostic
from upliftlab.results.analysis import Analysis, EstimandKind, Finding, VerdictCode
from upliftlab.results.base import Message, Scalar
from upliftlab.results.portfolio import (
    CampaignArm,
    CampaignInfo,
    ChannelEvidence,
    HoldoutComparison,
    Overlap,
    Portfolio,
)
from upliftlab.results.uplift import Estimate
from upliftlab.stats.adjust import benjamini_hochberg
from upliftlab.stats.random_effects import (
    RandomEffects,
    expected_information,
    random_effects,
    shrunken,
)
from upliftlab.stats.sums import Ends, Summed, less, sharing_control, summed
from upliftlab.text.language import N_, Language

_UNSETTLED: Final = {
    VerdictCode.invalid: N_("A critical check failed."),
    VerdictCode.not_final: N_("Its outcome windows have not closed."),
}
_NO_MONEY: Final = N_("It declares no money.")
_NO_INTERVAL: Final = N_("No interval of its profit could be told.")
_SAID: Final = N_(
    "All campaigns together added {profit:money} ({low:money} to {high:money}) of profit. What "
    "ships is best taken for {adopted:money}."
)
_NOTHING: Final = N_(
    "All campaigns together added {profit:money} ({low:money} to {high:money}) of profit. None of "
    "their arms ships."
)
_OPEN: Final = N_("All campaigns together added {profit:money} of profit; it has no interval.")
_NONE: Final = N_("No campaign tells of money.")
_Cell = tuple[str, str | None, str | None]
"""Channel, dimension and level; neither of these for all customers."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A campaign that counts, and its arms' profits."""

    analysis: Analysis
    profits: tuple[Finding, ...]

    @property
    def ends(self) -> list[Ends]:
        return [(each.estimate or 0.0, each.low, each.high) for each in self.profits]

    def total(self, *, shipped: bool = False) -> list[tuple[Ends, Finding]]:
        """Each arm's profit with its ends; with `shipped` of arms that ship alone."""
        codes = {arm.arm: arm.code for arm in self.analysis.verdict.arms}
        found = zip(self.ends, self.profits, strict=True)
        return [
            (ends, each)
            for ends, each in found
            if not shipped or codes.get(each.arm or "") is VerdictCode.ship
        ]


def portfolio(
    analyses: Sequence[Analysis], now: datetime | None = None, holdout: Analysis | None = None
) -> Portfolio:
    """What campaigns added together, and what they tell of the next.

    Args:
        analyses: One of each campaign.
        now: When this is; the present where absent.
        holdout: The analysis that compares a universal holdout with everybody else.

    Raises:
        DataError: UL694 they are in several currencies or of several confidences, UL695 there is
            none, UL696 an experiment is there twice.
    """
    _refuse(analyses, holdout)
    ordered = sorted(analyses, key=lambda each: (_first(each) or date.max, each.experiment))
    counted = {each.experiment: _profits(each) for each in ordered}
    told = [_Told(each, found) for each in ordered if (found := counted[each.experiment])]
    confidence = ordered[0].confidence
    currency = next((each.currency for each in ordered if each.currency), None)
    profit, adopted = (_sum(told, shipped=shipped) for shipped in (False, True))
    arms, effects = _arms(told, confidence)
    best = [arm.shrunken for arm in arms if arm.code is VerdictCode.ship]
    taken = float(sum(each or 0.0 for each in best)) if best and None not in best else None
    message = _sentence(profit, taken) if told else Message(template=_NONE)
    return Portfolio(
        version=__version__,
        titles=tuple(title for each in ordered for title in each.titles),
        created=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        currency=currency,
        confidence=confidence,
        sentence=Language("en").say(message, currency),
        sentence_parts=message,
        profit=_estimate(profit),
        adopted=_estimate(adopted) if best else None,
        adopted_shrunken=taken,
        tau=effects and effects.tau,
        campaigns=tuple(_campaign(each, counted[each.experiment]) for each in ordered),
        arms=arms,
        evidence=tuple(_evidence(told, confidence)),
        overlaps=tuple(_overlaps(ordered)),
        holdout=None if holdout is None else _beside(holdout, profit),
    )


def _refuse(analyses: Sequence[Analysis], holdout: Analysis | None) -> None:
    if not analyses:
        remedy = "name analysis.json files, or folders that hold them"
        raise DataError(Diagnostic("UL695", "there is no analysis to put together", remedy))
    names = [each.experiment for each in analyses]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        message = f"'{twice[0]}' is there {names.count(twice[0])} times"
        raise DataError(Diagnostic("UL696", message, "leave one of its analyses"))
    every = [*analyses, *([holdout] if holdout else [])]
    for what, found in (
        ("currencies", {each.currency for each in every if each.currency}),
        ("levels of confidence", {f"{each.confidence:g}" for each in every}),
    ):
        if len(found) > 1:
            message = f"the campaigns are in several {what}: {', '.join(sorted(found))}"
            raise DataError(Diagnostic("UL694", message, "put those of one together at a time"))


def _profits(analysis: Analysis) -> tuple[Finding, ...]:
    """Each treated arm's profit; nothing where the campaign does not count."""
    if analysis.verdict.code in _UNSETTLED:
        return ()
    found = _profits_at(analysis, None)
    return found if all(each.estimate is not None and each.se for each in found) else ()


def _profits_at(analysis: Analysis, dimension: str | None) -> tuple[Finding, ...]:
    return tuple(
        each
        for each in analysis.findings
        if each.kind is EstimandKind.incremental_profit
        and each.dimension == dimension
        and each.headline
        and each.arm is not None
    )


def _campaign(analysis: Analysis, found: Sequence[Finding]) -> CampaignInfo:
    first, closes = _first(analysis), _closes(analysis)
    reason = None
    if not found:
        template = _UNSETTLED.get(analysis.verdict.code)
        without = _NO_INTERVAL if _profits_at(analysis, None) else _NO_MONEY
        reason = Message(template=template or without)
    return CampaignInfo(
        experiment=analysis.experiment,
        title=analysis.title,
        verdict=analysis.verdict.code,
        first_start=first and first.isoformat(),
        closes=closes and closes.isoformat(),
        customers=sum(arm.n for arm in analysis.arms),
        counted=bool(found),
        reason=reason,
    )


def _sum(told: Sequence[_Told], *, shipped: bool) -> Summed:
    """The sum over campaigns of the sums of their arms, which share a control."""
    totals: list[Ends] = []
    for each in told:
        parts = each.total(shipped=shipped)
        if parts:
            together = sharing_control(
                [finding.n_treated for _, finding in parts], parts[0][1].n_control
            )
            found = summed([ends for ends, _ in parts], together)
            totals.append((found.estimate, found.low, found.high))
    return summed(totals)


def _arms(
    told: Sequence[_Told], confidence: float
) -> tuple[tuple[CampaignArm, ...], RandomEffects | None]:
    """Every arm, its profit drawn to what all arms earn per customer."""
    every = [(each.analysis, finding) for each in told for finding in each.profits]
    means = [(finding.estimate or 0.0) / finding.n_treated for _, finding in every]
    errors = [(finding.se or 0.0) / finding.n_treated for _, finding in every]
    effects = random_effects(means, errors, confidence)
    best = [None] * len(every) if effects is None else shrunken(means, errors, effects)
    tested = [finding.p for _, finding in every if finding.p is not None]
    held = iter(benjamini_hochberg(tested))
    arms = tuple(
        _arm(analysis, finding, mean, taken, None if finding.p is None else next(held))
        for (analysis, finding), mean, taken in zip(every, means, best, strict=True)
    )
    return arms, effects


def _arm(
    analysis: Analysis, finding: Finding, mean: float, taken: float | None, p: float | None
) -> CampaignArm:
    named = {arm.arm: arm for arm in analysis.arms}[finding.arm or ""]
    codes = {arm.arm: arm.code for arm in analysis.verdict.arms}
    roi = analysis.find(kind=EstimandKind.roi, arm=finding.arm, dimension=None, headline=True)
    return CampaignArm(
        experiment=analysis.experiment,
        arm=named.arm,
        title=named.title,
        channel=named.channel,
        channel_title=named.channel_title,
        code=codes.get(named.arm, analysis.verdict.code),
        customers=finding.n_treated,
        profit=Estimate(
            estimate=finding.estimate,
            se=finding.se,
            low=finding.low,
            high=finding.high,
            p=finding.p,
            note=finding.note,
        ),
        roi=roi[0].estimate if roi else None,
        per_customer=mean,
        shrunken=None if taken is None else taken * finding.n_treated,
        p_program=p,
    )


def _evidence(told: Sequence[_Told], confidence: float) -> Iterator[ChannelEvidence]:
    """Every channel among all customers, then in every level of segments, over campaigns."""
    cells: dict[_Cell, list[_Part]] = defaultdict(list)
    titles = {one.name: one.title for each in told for one in each.analysis.segments}
    channels = {arm.channel: arm.channel_title for each in told for arm in each.analysis.arms}
    for each in told:
        for cell, found in _by_channel(each.analysis).items():
            cells[cell].append(_together(found))
    for cell in sorted(cells, key=lambda cell: (cell[1] or "", cell[0])):
        called = channels.get(cell[0]), titles.get(cell[1] or "")
        yield _channel(cell, called, cells[cell], confidence)


def _by_channel(analysis: Analysis) -> Mapping[_Cell, list[Finding]]:
    """A campaign's profits by channel and level; an arm without a channel is its own."""
    channels = {arm.arm: arm.channel or arm.arm for arm in analysis.arms}
    dimensions = [None, *(each.name for each in analysis.segments if not each.randomised)]
    found: dict[_Cell, list[Finding]] = defaultdict(list)
    for dimension in dimensions:
        for each in _profits_at(analysis, dimension):
            if each.estimate is not None and each.se:
                found[channels[each.arm or ""], dimension, each.level].append(each)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What one campaign tells of a cell: profit per treated customer, and how many there were."""

    profit: Estimate
    mean: float
    se: float
    customers: int


def _together(found: Sequence[Finding]) -> _Part:
    """A campaign's arms of one channel as one."""
    customers = sum(each.n_treated for each in found)
    shared = sharing_control([each.n_treated for each in found], found[0].n_control)
    ends = [(each.estimate or 0.0, each.low, each.high) for each in found]
    whole = summed(ends, shared)
    low, high = (None if end is None else end / customers for end in (whole.low, whole.high))
    errors = np.array([each.se or 0.0 for each in found])
    mean, se = whole.estimate / customers, float(np.sqrt(errors @ shared @ errors)) / customers
    return _Part(Estimate(estimate=mean, se=se, low=low, high=high), mean, se, customers)


def _channel(
    cell: _Cell,
    called: tuple[str | None, str | None],
    found: Sequence[_Part],
    confidence: float,
) -> ChannelEvidence:
    effects = random_effects([each.mean for each in found], [each.se for each in found], confidence)
    customers = float(np.mean([each.customers for each in found]))
    alone = ChannelEvidence(
        channel=cell[0],
        channel_title=called[0],
        dimension=cell[1],
        dimension_title=called[1],
        level=cell[2],
        campaigns=len(found),
        customers=customers,
        profit=found[0].profit,
    )
    if effects is None:
        return alone
    profit = Estimate(estimate=effects.mean, se=effects.se, low=effects.low, high=effects.high)
    more = {
        "profit": profit,
        "tau": effects.tau,
        "p_alike": effects.p,
        "next_low": effects.next_low,
        "next_high": effects.next_high,
        "information": expected_information(effects.mean, effects.next_sd) * customers,
    }
    return alone.model_copy(update=more)


def _overlaps(ordered: Sequence[Analysis]) -> Iterator[Overlap]:
    """Pairs of campaigns of which customers' times overlap."""
    for one, other in combinations(ordered, 2):
        times = (_first(one), _closes(one), _first(other), _closes(other))
        if None in times:
            continue
        begins, ends = max(d for d in times[::2] if d), min(d for d in times[1::2] if d)
        if begins < ends:
            yield Overlap(
                first=one.experiment,
                second=other.experiment,
                begins=begins.isoformat(),
                ends=ends.isoformat(),
            )


def _beside(holdout: Analysis, profit: Summed) -> HoldoutComparison:
    """The whole program, and what it differs by from the sum of its campaigns."""
    found = _profits(holdout)
    if not found:
        message = f"'{holdout.experiment}' tells no profit"
        remedy = "name an analysis with money whose verdict is final"
        raise DataError(Diagnostic("UL695", message, remedy))
    whole = _sum([_Told(holdout, found)], shipped=False)
    apart = less(
        (whole.estimate, whole.low, whole.high), (profit.estimate, profit.low, profit.high)
    )
    return HoldoutComparison(
        experiment=holdout.experiment, profit=_estimate(whole), difference=_estimate(apart)
    )


def _sentence(profit: Summed, taken: float | None) -> Message:
    if profit.low is None or profit.high is None:
        return Message(template=_OPEN, values={"profit": profit.estimate})
    values: dict[str, Scalar] = {"profit": profit.estimate, "low": profit.low, "high": profit.high}
    if taken is None:
        return Message(template=_NOTHING, values=values)
    return Message(template=_SAID, values=values | {"adopted": taken})


def _estimate(found: Summed) -> Estimate:
    return Estimate(estimate=found.estimate, low=found.low, high=found.high)


def _first(analysis: Analysis) -> date | None:
    start = analysis.design and analysis.design.first_start
    return date.fromisoformat(start[:10]) if start else None


def _closes(analysis: Analysis) -> date | None:
    design = analysis.design
    if design is None or not design.last_start or design.window_days is None:
        return None
    return date.fromisoformat(design.last_start[:10]) + timedelta(days=ceil(design.window_days))
