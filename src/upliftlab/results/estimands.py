"""Estimands: the table of what findings estimate.

A member of `EstimandKind` is one kind of finding, and its `Estimand` says all that there is to say
of it: how it is asked, and how it is called, shown and explained. Findings are made by walking the
table in its order; the page, the spreadsheet and the documents read from it. A new estimand is one
more member.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, Self

from upliftlab.results import N_
from upliftlab.results.costs import CostStep, Per

if TYPE_CHECKING:
    from upliftlab.results.base import Note


class Estimated(Protocol):
    """What comes of a question: numbers, or a note that says why one is absent."""

    @property
    def estimate(self) -> float | None:
        """The estimate."""
        ...

    @property
    def se(self) -> float | None:
        """Its standard error."""
        ...

    @property
    def low(self) -> float | None:
        """Lower end of its interval."""
        ...

    @property
    def high(self) -> float | None:
        """Upper end of its interval."""
        ...

    @property
    def p(self) -> float | None:
        """Two-sided, against the estimand's null."""
        ...

    @property
    def note(self) -> Note | None:
        """Why one of them is absent."""
        ...

    def shifted(self, by: float) -> Estimated:
        """The same counted from elsewhere: a relative change shifted by 1 is a ratio."""
        ...


class Question(Protocol):
    """What can be asked of a treated group and its control; formulae are made of these.

    `analysis.findings` answers them for one metric, with money's columns beside it.
    """

    def difference(self) -> Estimated:
        """Treated mean less control mean of the metric."""
        ...

    def adjusted_difference(self) -> Estimated:
        """The same between groups adjusted for covariates."""
        ...

    def relative_change(self) -> Estimated:
        """The difference over the size of the control's mean."""
        ...

    def adjusted_relative_change(self) -> Estimated:
        """The same between groups adjusted for covariates."""
        ...

    def effect_on_contacted(self) -> Estimated:
        """The difference over that of the share contacted."""
        ...

    def total(self, step: CostStep) -> Estimated:
        """n_t·Δ: what all treated units have of a column of money beyond the control."""
        ...

    def per_customer(self, step: CostStep) -> Estimated:
        """Δ: what a treated customer has of a column of money beyond the control; without a p."""
        ...

    def ratio(self, above: CostStep | Per, below: CostStep | Per) -> Estimated:
        """Δabove / Δbelow, of columns of money or of what money's metrics count."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimand:
    """One kind of number.

    Attributes:
        label: What it is called.
        hint: What stands below that.
        between: What stands there where one arm is compared with another; `hint` where empty.
        aside: Whether it is told in a line below the table instead of in a column.
        formula: How it is computed, in words.
        meaning: What it tells.
        ask: The formula.
        of: Asked of every metric, of the primary metric, or of money.
        everywhere: Whether it is asked in every segment, and not only overall and per contact
            channel. Of the primary metric everything is.
        needs: What there has to be: covariates, contacts of some of the treated only, or a metric
            that counts something.
        metric: Of money, the metric whose name a finding has.
        sheet: Of money, the name that stands in a spreadsheet instead.
        pair: Which groups are compared: as they are, adjusted, or adjusted where they can be.
        plain: Of an adjusted kind, the one that asks the same of the groups as they are.
        method: How its interval is made; `linear` is Welch's, or what fits the metric better.
        draws: Of money, what units are divided anew for where it is skewed.
        null: What p tests; None where nothing is tested.
        family: By which p-values are corrected: the metric's role, or always as confirmatory.
        levels: What levels of a dimension are compared in, per customer; None where they are not.
        unit: The metric's own, or how it is shown.
        signed: Whether a plus is shown.
        reference: What it is read against on the page.
    """

    label: str
    hint: str
    formula: str
    meaning: str
    ask: Callable[[Question], Estimated]
    of: Literal["metric", "primary", "money"] = "metric"
    everywhere: bool = False
    needs: Literal["covariates", "compliance"] | Per | None = None
    metric: Per = Per.revenue
    sheet: str = ""
    pair: Literal["plain", "adjusted", "best"] = "best"
    plain: str = ""
    method: Literal["linear", "fieller", "anderson_rubin"] = "fieller"
    draws: Literal["", "profit", "above_hurdle", "revenue"] = ""
    null: float | Literal["hurdle"] | None = 0.0
    family: Literal["role", "confirmatory"] | None = "role"
    levels: Literal["metric"] | CostStep | None = None
    unit: Literal["metric", "money", "percent", "number"] = "metric"
    signed: bool = False
    reference: tuple[float | Literal["hurdle", "break_even"], ...] = (0.0,)
    between: str = ""
    aside: bool = False


class EstimandKind(StrEnum):
    """What a finding estimates."""

    estimand: Estimand

    def __new__(cls, value: str, estimand: Estimand) -> Self:
        """A kind under the name that it has in the JSON."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.estimand = estimand
        return member

    @property
    def plain(self) -> EstimandKind:
        """The kind that asks the same of the groups as they are; itself where it is that one.

        >>> EstimandKind.adjusted_difference.plain, EstimandKind.roi.plain
        (<EstimandKind.difference: 'difference'>, <EstimandKind.roi: 'roi'>)
        """
        return EstimandKind(self.estimand.plain) if self.estimand.plain else self

    difference = (
        "difference",
        Estimand(
            label=N_("Difference per customer"),
            hint=N_("treated minus control"),
            between=N_("first arm minus second"),
            formula=N_("difference = mean of the treated − mean of the control"),
            meaning=N_("What the campaign changed for an average customer."),
            ask=lambda asked: asked.difference(),
            everywhere=True,
            pair="plain",
            method="linear",
            levels="metric",
        ),
    )
    adjusted_difference = (
        "adjusted_difference",
        Estimand(
            label=N_("Adjusted difference"),
            hint=N_("as if both arms had been alike before"),
            formula=N_(
                "adjusted difference = difference of the arms' regressions at the same covariates"
            ),
            meaning=N_(
                "The same change, with chance taken out as far as what was known before explains "
                "it."
            ),
            ask=lambda asked: asked.adjusted_difference(),
            everywhere=True,
            needs="covariates",
            pair="adjusted",
            plain="difference",
            method="linear",
            levels="metric",
        ),
    )
    relative_lift = (
        "relative_lift",
        Estimand(
            label=N_("Relative change"),
            hint=N_("against the control's mean"),
            between=N_("against the second arm's mean"),
            formula=N_("relative change = mean of the treated ÷ mean of the control − one"),
            meaning=N_("The same change as a share of what happens without the campaign."),
            ask=lambda asked: asked.relative_change(),
            pair="plain",
            unit="percent",
            signed=True,
        ),
    )
    adjusted_relative_lift = (
        "adjusted_relative_lift",
        Estimand(
            label=N_("Adjusted relative change"),
            hint=N_("against the control's adjusted mean"),
            between=N_("against the second arm's adjusted mean"),
            formula=N_(
                "adjusted relative change = adjusted difference ÷ adjusted mean of the control"
            ),
            meaning=N_(
                "The same change as a share of what happens without the campaign, with chance "
                "taken out in the same way."
            ),
            ask=lambda asked: asked.adjusted_relative_change(),
            needs="covariates",
            pair="adjusted",
            plain="relative_lift",
            unit="percent",
            signed=True,
        ),
    )
    incremental_profit = (
        "incremental_profit",
        Estimand(
            label=CostStep.profit.line.title,
            hint=N_("total, after all campaign costs"),
            formula=N_(
                "incremental profit = customers × (added margin − added variable cost) − fixed cost"
            ),
            meaning=N_(
                "What the campaign earned beyond what its customers would have brought anyway."
            ),
            ask=lambda asked: asked.total(CostStep.profit),
            of="money",
            everywhere=True,
            sheet="profit",
            method="linear",
            draws="profit",
            family="confirmatory",
            levels=CostStep.profit,
            unit="money",
        ),
    )
    roi = (
        "roi",
        Estimand(
            label=N_("Incremental ROI"),
            hint=N_("profit added per unit of cost added"),
            formula=N_("ROI = incremental profit ÷ added cost"),
            meaning=N_("Zero is break-even: the campaign earned exactly what it cost."),
            ask=lambda asked: asked.ratio(CostStep.profit, CostStep.cost),
            of="money",
            everywhere=True,
            sheet="roi",
            draws="above_hurdle",
            null="hurdle",
            family="confirmatory",
            unit="percent",
            reference=(0.0, "hurdle"),
        ),
    )
    iroas = (
        "iroas",
        Estimand(
            label=N_("iROAS"),
            hint=N_("revenue added per unit of cost added"),
            formula=N_("iROAS = added revenue ÷ added cost"),
            meaning=N_("It breaks even at one divided by the margin."),
            ask=lambda asked: asked.ratio(CostStep.revenue, CostStep.cost),
            of="money",
            sheet="iroas",
            draws="revenue",
            null=None,
            family="confirmatory",
            unit="number",
            reference=("break_even",),
        ),
    )
    cost_per_conversion = (
        "cost_per_conversion",
        Estimand(
            label=N_("Cost per incremental conversion"),
            hint=N_("cost added per conversion added"),
            formula=N_("cost per incremental conversion = added cost ÷ added conversions"),
            meaning=N_("Conversions that would have happened anyway are not counted."),
            ask=lambda asked: asked.ratio(CostStep.cost, Per.conversion),
            of="money",
            needs=Per.conversion,
            metric=Per.conversion,
            null=None,
            family="confirmatory",
            unit="money",
            reference=(),
        ),
    )
    profit_per_customer = (
        "profit_per_customer",
        Estimand(
            label=N_("Profit per customer"),
            hint=N_("of the treated, after all campaign costs"),
            formula=N_("profit per customer = incremental profit ÷ treated customers"),
            meaning=N_("What one more customer like those treated is worth contacting."),
            ask=lambda asked: asked.per_customer(CostStep.profit),
            of="money",
            sheet="profit per customer",
            method="linear",
            draws="profit",
            null=None,
            family=None,
            unit="money",
            aside=True,
        ),
    )
    cace = (
        "cace",
        Estimand(
            label=N_("Effect on the contacted"),
            hint=N_("per customer contacted because assigned"),
            formula=N_("effect on the contacted = difference ÷ difference in the share contacted"),
            meaning=N_("What contact itself did, if being assigned works through contact alone."),
            ask=lambda asked: asked.effect_on_contacted(),
            of="primary",
            needs="compliance",
            method="anderson_rubin",
            family=None,
        ),
    )


def kinds_of(*of: Literal["metric", "primary", "money"]) -> tuple[EstimandKind, ...]:
    """The kinds that are asked of something, in their order."""
    return tuple(kind for kind in EstimandKind if kind.estimand.of in of)
