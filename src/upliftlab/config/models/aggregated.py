"""Rows that tell totals of many customers: which column holds which total of which number."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.values import Name

Columns = dict[Name, Name]


class Aggregated(Declaration):
    """Totals of a row's customers: a number of each customer, and the column with its total.

    What stands before a colon is what metrics and covariates name as their `column`.
    """

    n: Name
    """The column that counts a row's customers, of whom none is in another row."""
    units_with: Columns = {}
    """Numbers that are 0 or 1 for each customer, such as a conversion: how many customers have 1.
    Nothing else is needed of them."""
    sum: Columns = {}
    """Numbers of which the sum over the customers is given, with `sum_sq`."""
    sum_sq: Columns = {}
    """The sum of their squares, each customer's squared before they are added up."""
    mean: Columns = {}
    """Numbers of which the mean over the customers is given, with `variance` or `sd`."""
    variance: Columns = {}
    """Their variance between the customers, with n - 1 below the line as SQL's VAR_SAMP."""
    sd: Columns = {}
    """Their standard deviation, the root of that variance."""
    sum_product: dict[Name, Columns] = {}
    """The sum of the product of two numbers, such as `{revenue: {orders: revenue_orders}}`: for
    ratios, covariates, and profit that is made of both."""

    @property
    def names(self) -> tuple[str, ...]:
        """The numbers of each customer that are told of."""
        return (*self.units_with, *self.sum, *self.mean)

    def columns(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every column that is named for a number, with the keys that lead to it."""
        for key in ("units_with", "sum", "sum_sq", "mean", "variance", "sd"):
            named: Columns = getattr(self, key)
            yield from (((key, name), column) for name, column in named.items())
        for name, others in self.sum_product.items():
            yield from ((("sum_product", name, other), column) for other, column in others.items())

    def product(self, one: str, other: str) -> str | None:
        """The column with the sum of two numbers' products; None where there is none."""
        found = self.sum_product.get(one, {}).get(other)
        return found or self.sum_product.get(other, {}).get(one)

    def relates(self, one: str, other: str) -> bool:
        """Whether it is known how two numbers vary together."""
        return one == other or self.product(one, other) is not None

    @model_validator(mode="after")
    def _each_once(self) -> Aggregated:
        if not self.names:
            raise ValueError("'aggregated' needs totals: 'units_with', 'sum' or 'mean'")
        twice = [name for at, name in enumerate(self.names) if name in self.names[:at]]
        if twice:
            raise ValueError(f"'{twice[0]}' is given twice: by one of units_with, sum, mean")
        return self

    @model_validator(mode="after")
    def _spreads(self) -> Aggregated:
        spread = {**dict.fromkeys(self.variance, "variance"), **dict.fromkeys(self.sd, "sd")}
        for name in self.sum:
            if name not in self.sum_sq:
                raise ValueError(
                    f"'sum' of '{name}' needs 'sum_sq: {{{name}: COLUMN}}', the sum of its squares;"
                    f" if it is 0 or 1 for each customer, write 'units_with: {{{name}:"
                    f" {self.sum[name]}}}' instead"
                )
        for name in self.mean:
            if name not in spread:
                raise ValueError(f"'mean' of '{name}' needs 'variance: {{{name}: COLUMN}}', or sd")
            if name in self.variance and name in self.sd:
                raise ValueError(f"'{name}' has both variance and sd: leave one out")
        for key, known, needed in (
            ("sum_sq", self.sum_sq, self.sum),
            ("variance", self.variance, self.mean),
            ("sd", self.sd, self.mean),
        ):
            if alone := [name for name in known if name not in needed]:
                above = "sum" if key == "sum_sq" else "mean"
                raise ValueError(f"'{key}' of '{alone[0]}' has no '{above}' of it")
        return self

    @model_validator(mode="after")
    def _products(self) -> Aggregated:
        for name, others in self.sum_product.items():
            for other in others:
                if unknown := [each for each in (name, other) if each not in self.names]:
                    raise ValueError(f"'sum_product' names '{unknown[0]}', which has no total")
                if name == other:
                    raise ValueError(f"the product of '{name}' with itself is its 'sum_sq'")
                if name in self.sum_product.get(other, {}):
                    raise ValueError(f"'sum_product' has '{name}' and '{other}' in both orders")
        return self
