"""The effect on the contacted: what contact did to customers contacted because they were assigned.

Not everybody assigned to an arm is reached. The complier average causal effect (Imbens & Angrist
1994) is the effect of being assigned on the outcome over its effect on being contacted, two
differences between the same groups. It is the contacted's if assignment was drawn by lot, works
through contact alone, and keeps nobody from being contacted; where nobody in the control is
contacted, these are all the contacted.

The interval is the set of Anderson & Rubin (1949): every effect ρ at which the outcome less ρ
times being contacted does not differ significantly between the groups. With one instrument, being
assigned, that is Fieller's set. It is used however strong the first stage is. Unlike the estimate
± t standard errors of two-stage least squares it errs no more often where few are reached (Andrews,
Stock & Sun 2019); where many are, the two agree. And its test of no effect is Welch's test of the
outcome's difference, so that test and interval never disagree, nor the effects of being contacted
and of being assigned. A change of method at a first-stage F of 10 would give that up, and would
make the interval jump.

The set is bounded exactly where F = (Δd/se)² exceeds the square of the critical value. Unbounded
ones are not shown, and those left are a choice: where F is 1 or 2 on average, few experiments show
an interval, and it leaves out the truth more often than its level says.
"""

from __future__ import annotations

from upliftlab.stats.effects import Effect, LinearContrast, TwoSample
from upliftlab.stats.level import Level
from upliftlab.stats.ratio import fieller


def cace(pair: TwoSample, outcome: int, contacted: int, confidence: float | Level) -> Effect:
    """The outcome's difference over that of the share contacted, with the Anderson–Rubin set.

    `se` is that of two-stage least squares with assignment as the instrument, robust to unequal
    variances (HC2, the groups' leverages being 1/n); no interval is made from it. The p-value is
    Welch's of the outcome's difference. Both ends are absent where the set is unbounded, and the
    whole effect where the treated are not contacted more than the control.

    Args:
        pair: Moments of a treated group and its control.
        outcome: The column of the outcome, in whatever unit.
        contacted: The column that is 1 for customers contacted and 0 for others. A number of
            contacts instead gives a weighted effect of one more contact (Angrist & Imbens 1995).
        confidence: Level of the interval, such as 0.95.

    >>> from upliftlab.stats.moments import Moments
    >>> treated = Moments.of([[9.0, 1.0], [7.0, 1.0], [8.0, 1.0], [2.0, 0.0]])
    >>> control = Moments.of([[1.0, 0.0], [3.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    >>> cace(TwoSample(treated, control), 0, 1, 0.95).estimate
    6.0
    """
    if note := pair.absent(outcome, contacted):
        return Effect(None, note=note)
    columns = len(pair.treated.mean)
    assigned = LinearContrast.difference(columns, {outcome: 1.0})
    reached = LinearContrast.difference(columns, {contacted: 1.0})
    return fieller(pair, assigned, reached, confidence)
