"""The subsidy: redemptions by customers who would have bought anyway, as far as can be told.

Nobody is seen both with the voucher and without it, so who would have bought anyway is not known.
How many at least is: a redemption is a purchase, and where the voucher keeps nobody from buying, no
more redemptions than the conversions added can have come of it. The rest, redemptions added less
conversions added, is a difference of means like any other, with its interval.
"""

from __future__ import annotations

from upliftlab.analysis.contrasts import Contrast
from upliftlab.analysis.measures import cubic_skewness
from upliftlab.results.analysis import Note, Subsidy
from upliftlab.results.costs import Per
from upliftlab.stats.cubic import slight
from upliftlab.stats.effects import Effect, LinearContrast, welch
from upliftlab.stats.level import Level


def subsidy(contrast: Contrast) -> Subsidy | None:
    """What an arm paid at least to customers who would have bought anyway.

    None where no redemption is paid for, or nothing counts redemptions or conversions.
    """
    spec, arm = contrast.spec, contrast.arm
    if spec.roles is None or arm is None:
        return None
    rate = spec.terms[arm].paid(Per.redemption)
    redeemed, converted = spec.roles.redemptions, spec.roles.conversions
    if rate <= 0 or redeemed is None or converted is None:
        return None
    pair, many = contrast.sharp, contrast.pair.treated.n * contrast.pair.size
    columns = len(pair.treated.mean)
    added = [
        many * LinearContrast.difference(columns, {column: 1.0}).value(pair)
        for column in (redeemed, converted)
    ]
    weights = {redeemed: 1.0, converted: -1.0}
    found = _told(contrast, LinearContrast.difference(columns, weights)).scaled(many)
    if not _at_most_once(contrast, redeemed, converted):
        found = Effect(None, note=Note.several_redemptions)
    return Subsidy(
        rate=rate,
        redemptions=added[0],
        conversions=added[1],
        estimate=found.estimate,
        se=found.se,
        low=found.low,
        high=found.high,
        cost=None if found.estimate is None else round(found.estimate) * rate,
        note=found.note,
    )


def _at_most_once(contrast: Contrast, redeemed: int, converted: int) -> bool:
    """Whether a conversion counts as often as a redemption may be made of it.

    Conversions that say yes or no count once a customer who redeems twice.
    """
    spec, flags = contrast.spec, contrast.reading.flags
    names = spec.columns[redeemed], spec.columns[converted]
    once, yes_or_no = (name in flags.get(contrast.arm or "", ()) for name in names)
    return once or not yes_or_no


def _told(contrast: Contrast, form: LinearContrast) -> Effect:
    """The form with an interval as far as its moments tell how it is skewed."""
    level = contrast.level()
    if contrast.pair.unusable is not None:
        return welch(contrast.sharp, form, level)
    weights = form.treated[: len(contrast.pair.treated.mean)]
    groups = contrast.sharp.treated, contrast.sharp.control
    one, other = (float(form.treated @ group.m2 @ form.treated) for group in groups)
    most = slight(level.nominal)
    gamma = cubic_skewness(contrast.pair, (weights, weights), (one, other), most)
    effect = welch(contrast.sharp, form, Level(level.confidence, level.look, None, gamma or 0.0))
    if gamma is None and effect.se:
        return Effect(effect.estimate, effect.se, note=Note.few_purchases)
    return effect
