"""What planning takes for granted before anybody is contacted."""

from __future__ import annotations

from pydantic import model_validator

from upliftlab.config.models.limits import AtMost
from upliftlab.config.models.model import Declaration
from upliftlab.config.models.values import Cost, Count, Number, ProperRate, Rate


class BaselineFigures(Declaration):
    """What customers do without the campaign, where nothing measures it."""

    mean: Number | None = None
    """The primary metric's mean per customer: of revenue, in the experiment's currency."""
    sd: Number | None = None
    """Its standard deviation between customers, those who bought nothing among them."""
    rate: ProperRate | None = None
    """The mean of a share, such as 2%, in place of the two."""
    household_size: Number | None = None
    """Customers of an average household, where households are randomised."""
    icc: Rate | None = None
    """How alike customers of a household are: their intraclass correlation, 0% to 100%."""

    @model_validator(mode="after")
    def _one_mean(self) -> BaselineFigures:
        if (self.mean is None) == (self.rate is None):
            raise ValueError("a baseline needs either 'mean' with 'sd', or 'rate' of a share")
        if self.rate is not None and self.sd is not None:
            raise ValueError("'rate' excludes 'sd': it tells how customers differ")
        if self.rate is not None and not 0 < self.rate < 1:
            raise ValueError("'rate' lies between 0% and 100%")
        if self.sd is not None and self.sd <= 0:
            raise ValueError("'sd' lies above 0")
        if self.household_size is not None and self.household_size < 1:
            raise ValueError("'household_size' is 1 or more")
        if self.icc is not None and not 0 <= self.icc <= 1:
            raise ValueError("'icc' lies between 0% and 100%")
        return self


class Planning(Declaration):
    """What `plan` takes for granted, in place of its options; no result depends on it."""

    effect: AtMost | None = None
    """The expected effect on the primary metric, in its good direction: 5% of the mean, 0.4 points
    of a share, or an amount per customer; 5% by default."""
    power: ProperRate | None = None
    """The chance of finding it that is wanted; 80% by default."""
    baseline: BaselineFigures | None = None
    """What customers do without the campaign, in figures; measured by default, on their own time
    before it."""
    explained: ProperRate | None = None
    """The share of the variance that covariates explain; measured by default."""
    redemption_rate: ProperRate | None = None
    """The share of treated customers who redeem; by default as in an earlier campaign, if one is
    named."""
    customers: Count | None = None
    """Customers in all arms together; counted by default."""
    per_week: Count | None = None
    """Customers who arrive in a week; by default all are there."""
    budget: Cost | None = None
    """What the campaign may cost, such as 5000 EUR: the best design for it is looked for; by
    default none."""

    @model_validator(mode="after")
    def _possible(self) -> Planning:
        if self.power is not None and not 0 < self.power < 1:
            raise ValueError("'power' lies between 0% and 100%")
        for name in ("customers", "per_week"):
            if getattr(self, name) == 0:
                raise ValueError(f"'{name}' is 1 or more")
        return self
