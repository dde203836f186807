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
from upliftlab.planning.calibration import calibration, promises
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
from upliftlab.stats.moments import Array
from upliftlab.stats.random_effects import (
    RandomEffects,
    expected_information,
    random_effects,
    shrunken,
)
from upliftlab.stats.sums import Ends, less, sharing_control, summed
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
_SHIPPED: Final = N_(
    "All campaigns together added {profit:money} ({low:money} to {high:money}) of profit; what "
    "ships added {adopted:money}."
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
class _Treated:
    """The profit of a campaign's treated arm, among all customers or those of one level.

    Attributes:
        found: The finding, which has an estimate and a standard error.
        ends: Its estimate with the ends of its interval.
        customers: Over how many treated customers it is; None where only their households are
            known.
    """

    found: Finding
    ends: Ends
    se: float
    customers: float | None

    @classmethod
    def of(cls, found: Finding, analysis: Analysis) -> _Treated | None:
        """None where the arm has no profit, or no error of it."""
        if found.estimate is None or not found.se:
            return None
        ends = Ends(found.estimate, found.low, found.high)
        return cls(found, ends, found.se, _customers(found, analysis))

    @property
    def each(self) -> tuple[float, float]:
        """Profit per treated customer and its standard error."""
        customers = self.customers or float("nan")
        return self.ends.estimate / customers, self.se / customers


@dataclass(frozen=True, slots=True)
class _Campaign:
    """A campaign, and its arms' profits; none where it does not count."""

    analysis: Analysis
    arms: tuple[_Treated, ...]

    def shipped(self) -> _Campaign:
        """The same of arms that ship alone."""
        codes = {arm.arm: arm.code for arm in self.analysis.verdict.arms}
        kept = (each for each in self.arms if codes.get(each.found.arm or "") is VerdictCode.ship)
        return _Campaign(self.analysis, tuple(kept))


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
    campaigns = [_Campaign(each, _counted(each)) for each in ordered]
    told = [each for each in campaigns if each.arms]
    confidence = ordered[0].confidence
    currency = next((each.currency for each in ordered if each.currency), None)
    profit, adopted = _sum(told), _sum([each.shipped() for each in told])
    arms, effects = _arms(told, confidence)
    best = [arm.shrunken for arm in arms if arm.code is VerdictCode.ship]
    taken = float(sum(each or 0.0 for each in best)) if best and None not in best else None
    message = _sentence(profit, adopted if best else None, taken) if told else _said(_NONE)
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
        campaigns=tuple(map(_info, campaigns)),
        arms=arms,
        evidence=tuple(_evidence(told, confidence)),
        overlaps=tuple(_overlaps(ordered)),
        holdout=None if holdout is None else _beside(holdout, profit),
        promises=promises(ordered),
        calibration=calibration(ordered),
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


def _counted(analysis: Analysis) -> tuple[_Treated, ...]:
    """Each treated arm's profit; nothing where the campaign does not count."""
    if analysis.verdict.code in _UNSETTLED:
        return ()
    found = [_Treated.of(each, analysis) for each in _profits(analysis, None)]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else ()


def _profits(analysis: Analysis, dimension: str | None) -> Iterator[Finding]:
    kind = EstimandKind.incremental_profit
    found = analysis.find(kind=kind, dimension=dimension, headline=True)
    return (each for each in found if each.arm is not None)


def _customers(found: Finding, analysis: Analysis) -> float | None:
    """The treated customers of a finding, whose own count is of what was randomised."""
    if analysis.unit == "customer":
        return found.n_treated
    place = (found.arm, found.dimension, found.level)
    sums = analysis.money_sums
    contrasts = () if sums is None else sums.contrasts
    return next((c.customers for c in contrasts if (c.arm, c.dimension, c.level) == place), None)


def _info(campaign: _Campaign) -> CampaignInfo:
    analysis, reason = campaign.analysis, None
    first, closes = _first(analysis), _closes(analysis)
    if not campaign.arms:
        without = _NO_INTERVAL if any(_profits(analysis, None)) else _NO_MONEY
        reason = _said(_UNSETTLED.get(analysis.verdict.code, without))
    return CampaignInfo(
        experiment=analysis.experiment,
        title=analysis.title,
        verdict=analysis.verdict.code,
        first_start=first and first.isoformat(),
        closes=closes and closes.isoformat(),
        n=sum(arm.n for arm in analysis.arms),
        counted=bool(campaign.arms),
        reason=reason,
    )


def _sum(campaigns: Sequence[_Campaign]) -> Ends:
    """The sum over campaigns of the sums of their arms, which share a control."""
    return summed([_together(each.arms) for each in campaigns])


def _together(arms: Sequence[_Treated]) -> Ends:
    return summed([each.ends for each in arms], _shared(arms))


def _shared(arms: Sequence[_Treated]) -> Array:
    """How profits of arms of one campaign are correlated, shape (k, k)."""
    control = arms[0].found.n_control if arms else 0
    return sharing_control([each.found.n_treated for each in arms], control)


def _arms(
    told: Sequence[_Campaign], confidence: float
) -> tuple[tuple[CampaignArm, ...], RandomEffects | None]:
    """Every arm, its profit drawn to what all arms earn per customer."""
    every = [(campaign.analysis, each) for campaign in told for each in campaign.arms]
    known = [each for _, each in every if each.customers]
    means, errors = [each.each[0] for each in known], [each.each[1] for each in known]
    effects = random_effects(means, errors, confidence)
    best = iter(() if effects is None else shrunken(means, errors, effects))
    held = iter(benjamini_hochberg([each.found.p for _, each in every if each.found.p is not None]))
    arms = tuple(
        _arm(
            analysis,
            each,
            next(best, None) if each.customers else None,
            None if each.found.p is None else next(held),
        )
        for analysis, each in every
    )
    return arms, effects


def _arm(
    analysis: Analysis, treated: _Treated, taken: float | None, p: float | None
) -> CampaignArm:
    found, customers = treated.found, treated.customers
    named = {arm.arm: arm for arm in analysis.arms}[found.arm or ""]
    codes = {arm.arm: arm.code for arm in analysis.verdict.arms}
    roi = analysis.find(kind=EstimandKind.roi, arm=found.arm, dimension=None, headline=True)
    return CampaignArm(
        experiment=analysis.experiment,
        arm=named.arm,
        title=named.title,
        channel=named.channel,
        channel_title=named.channel_title,
        code=codes.get(named.arm, analysis.verdict.code),
        customers=customers,
        profit=Estimate.model_validate(found.model_dump(include=set(Estimate.model_fields))),
        roi=roi[0].estimate if roi else None,
        per_customer=treated.each[0] if customers else None,
        shrunken=taken * customers if taken is not None and customers else None,
        p_program=p,
    )


def _evidence(told: Sequence[_Campaign], confidence: float) -> Iterator[ChannelEvidence]:
    """Every channel among all customers, then in every level of segments, over campaigns."""
    cells: dict[_Cell, list[_Part]] = defaultdict(list)
    titles = {one.name: one.title for each in told for one in each.analysis.segments}
    channels = {
        arm.channel or arm.arm: arm.channel_title if arm.channel else arm.title
        for each in told
        for arm in each.analysis.arms
    }
    for each in told:
        for cell, found in _by_channel(each.analysis).items():
            cells[cell].append(_part(found))
    for cell in sorted(cells, key=lambda cell: (cell[1] or "", cell[0])):
        called = channels.get(cell[0]), titles.get(cell[1] or "")
        yield _channel(cell, called, cells[cell], confidence)


def _by_channel(analysis: Analysis) -> Mapping[_Cell, list[_Treated]]:
    """A campaign's profits by channel and level; an arm without a channel is its own.

    Levels that are shown together for being small are other levels in each campaign.
    """
    channels = {arm.arm: arm.channel or arm.arm for arm in analysis.arms}
    joined = {each.name: each.joined for each in analysis.segments if not each.randomised}
    found: dict[_Cell, list[_Treated]] = defaultdict(list)
    for dimension in (None, *joined):
        for each in _profits(analysis, dimension):
            treated = _Treated.of(each, analysis)
            small = dimension is not None and each.level == joined[dimension]
            if treated is not None and treated.customers and not small:
                found[channels[each.arm or ""], dimension, each.level].append(treated)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What one campaign tells of a cell: profit per treated customer, and how many there were."""

    profit: Ends
    se: float
    customers: float


def _part(arms: Sequence[_Treated]) -> _Part:
    """A campaign's arms of one channel as one."""
    customers = sum(each.customers or 0.0 for each in arms)
    estimate, *ends = _together(arms)
    low, high = (None if end is None else end / customers for end in ends)
    errors = np.array([each.se for each in arms])
    se = float(np.sqrt(errors @ _shared(arms) @ errors))
    return _Part(Ends(estimate / customers, low, high), se / customers, customers)


def _channel(
    cell: _Cell,
    called: tuple[str | None, str | None],
    found: Sequence[_Part],
    confidence: float,
) -> ChannelEvidence:
    means, errors = [each.profit.estimate for each in found], [each.se for each in found]
    effects = random_effects(means, errors, confidence)
    customers = float(np.mean([each.customers for each in found]))
    alone = ChannelEvidence(
        channel=cell[0],
        channel_title=called[0],
        dimension=cell[1],
        dimension_title=called[1],
        level=cell[2],
        campaigns=len(found),
        customers=customers,
        profit=_estimate(found[0].profit, found[0].se),
    )
    if effects is None:
        return alone
    whole = Ends(effects.mean, effects.low, effects.high)
    more = {
        "profit": _estimate(whole, effects.se),
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


def _beside(holdout: Analysis, profit: Ends) -> HoldoutComparison:
    """The whole program, and what it differs by from the sum of its campaigns."""
    arms = _counted(holdout)
    if not arms:
        message = f"'{holdout.experiment}' tells no profit"
        remedy = "name an analysis with money whose verdict is final"
        raise DataError(Diagnostic("UL695", message, remedy))
    whole = _together(arms)
    return HoldoutComparison(
        experiment=holdout.experiment,
        profit=_estimate(whole),
        difference=_estimate(less(whole, profit)),
    )


def _sentence(profit: Ends, adopted: Ends | None, taken: float | None) -> Message:
    if profit.low is None or profit.high is None:
        return _said(_OPEN, profit=profit.estimate)
    values = {"profit": profit.estimate, "low": profit.low, "high": profit.high}
    if adopted is None:
        return _said(_NOTHING, **values)
    if taken is None:
        return _said(_SHIPPED, **values, adopted=adopted.estimate)
    return _said(_SAID, **values, adopted=taken)


def _said(template: str, **values: Scalar) -> Message:
    return Message(template=template, values=values)


def _estimate(found: Ends, se: float | None = None) -> Estimate:
    return Estimate(estimate=found.estimate, se=se, low=found.low, high=found.high)


def _first(analysis: Analysis) -> date | None:
    start = analysis.design and analysis.design.first_start
    return date.fromisoformat(start[:10]) if start else None


def _closes(analysis: Analysis) -> date | None:
    design = analysis.design
    if design is None or not design.last_start or design.window_days is None:
        return None
    return date.fromisoformat(design.last_start[:10]) + timedelta(days=ceil(design.window_days))
