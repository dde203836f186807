"""A plan whose margins go by a table: the computed column and the metric that the table stands for.

So there is one way to such a number: a table under `money` is the table under `columns` of the
rows that revenue is the sum of, and margin the sum of that column over the same rows.
"""

from __future__ import annotations

from typing import Final

from upliftlab.config.models import Metric
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.margin import margin_table
from upliftlab.config.models.title import Title

_TITLED: Final = {"en": "{} (margin)", "zh": "{}\uff08毛利\uff09"}
"""What the metric is called, after what revenue is called; said here, as declared titles are, since
a plan is made without the catalogues of the pages."""


def with_margins(plan: Plan) -> Plan:
    """The plan with the metric that is margin; as it is where one share of revenue is."""
    money = plan.experiment.money
    name, table = (None, None) if money is None else (money.earned, money.margin)
    if money is None or name is None or not isinstance(table, dict):
        return plan
    revenue = plan.metrics.get(money.revenue, Metric(column=money.revenue))
    if (amount := divisible(revenue)) is None:  # a rule says so
        return plan.model_copy(update={"metrics": {**plan.metrics, name: revenue}})
    title = revenue.title or money.revenue
    said = title.said if isinstance(title, Title) else dict.fromkeys(_TITLED, title)
    titled = Title({language: _TITLED[language].format(text) for language, text in said.items()})
    margin = revenue.model_copy(update={revenue.defined_by: name, "title": titled})
    added = {name: margin_table(table, amount).text}
    update: dict[str, object] = {"metrics": {**plan.metrics, name: margin}}
    if revenue.source is None:
        columns = {**plan.customers.columns, **added}
        update["customers"] = plan.customers.model_copy(update={"columns": columns})
    elif (source := plan.sources.get(revenue.source)) is not None:
        source = source.model_copy(update={"columns": {**source.columns, **added}})
        update["sources"] = {**plan.sources, revenue.source: source}
    return plan.model_copy(update=update)


def divisible(revenue: Metric) -> str | None:
    """The column whose rows can have margins of their own; None where there is none."""
    return revenue.written if revenue.defined_by in ("sum", "column") else None
