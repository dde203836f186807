"""What if: the sums from which profit under other terms follows, without data or a server.

Profit is linear in a handful of columns (`money.projection`). Their differences, and how these vary
by chance, are all that any margin, cost or hurdle asks for; `money.what_if` answers from them.
"""

from __future__ import annotations

from upliftlab.results.base import Result

Bounds = tuple[float | None, float | None]
"""Standard errors to subtract for the upper and the lower end; None where it has no bound."""


class HeldBounds(Result):
    """Critical values that were dealt or bent by skewness, which hold under all terms."""

    profit: Bounds | None
    above_hurdle: Bounds | None
    """Of profit above the hurdle, and of ROI; None where Student's t is used."""


class WhatIfGroup(Result):
    """How the means of one group's columns vary by chance."""

    n: int
    covariance: tuple[float | None, ...]
    """The upper triangle, row by row, of the means' covariance; None where no total tells it."""
    df: float
    """Degrees of freedom, where the group is in no strata."""
    freedom: tuple[float | None, ...] = ()
    """In strata: coefficients of the quartic form Σ v²/df, v being the weights' variance in a
    stratum, by products of four weights in the order of their places; else empty."""


class WhatIfContrast(Result):
    """An arm against the control in one place, per customer, over `WhatIf.columns`."""

    arm: str
    dimension: str | None
    """None overall, or a segment."""
    level: str | None
    customers: float
    """Treated customers: totals are for so many."""
    difference: tuple[float, ...]
    """Treated mean less control mean, adjusted for covariates where findings are."""
    treated: WhatIfGroup
    control: WhatIfGroup
    shared: tuple[float | None, ...] = ()
    """Where groups are adjusted for covariates: the upper triangle of the covariance that both have
    in common; else empty."""
    held: HeldBounds | None = None
    """None where all intervals are Student's."""
    held_verdict: HeldBounds | None = None
    """The same at the verdict's level; None in levels of segments as well."""


class BreakEven(Result):
    """Where one term of an arm, all others as they are, would change the answer."""

    arm: str
    term: str
    """`margin`, or the key of a rate."""
    now: float
    """The term as it is."""
    pays: float | None
    """Where incremental profit is 0; None where it is at no value that the term can have."""
    settles: float | None
    """Where the lower end of the verdict's interval meets the rule; None where it never does."""


class WhatIf(Result):
    """All that answers under other terms rest on; the response of customers is as it was."""

    columns: tuple[str, ...]
    """`margin` is revenue, weighed by the margin. Then what treated customers have of what rates
    are paid for and a metric counts, weighed by the arm's rates. `held`, where there are any, are
    costs that stay: the control's, and further metrics."""
    nominal: float
    """Two-sided level of every interval, one look of several included."""
    nominal_verdict: float
    """That of the verdict's intervals, which hold for all arms at once."""
    customers: dict[str, float]
    """Customers by arm, over whom its fixed cost is spread."""
    contrasts: tuple[WhatIfContrast, ...]
    break_evens: tuple[BreakEven, ...] = ()
