"""The best rule without a model: nobody, or one arm for everybody."""

from __future__ import annotations

from typing import Final

from upliftlab.report.figure import Formatter, Sentence, Stretch
from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.uplift import PolicyValue, UpliftResult
from upliftlab.text.language import N_

PROFIT: Final = "profit"
_SIMPLE: Final = ("treat_none", "treat_all")
_WORTH: Final = {
    "money": N_(
        "{estimate:money} per customer ({low:money} to {high:money}) more than contacting nobody."
    ),
    "share": N_("{estimate:points} ({low:points} to {high:points}) more than contacting nobody."),
    "number": N_(
        "{estimate:number} per customer ({low:number} to {high:number}) more than contacting "
        "nobody."
    ),
}
_LABEL: Final = N_("The simpler rule: ")
_OPEN: Final = N_(" It is not shown to differ from contacting nobody.")


def best_rule(responses: UpliftResult, offered: PolicyValue | None) -> tuple[str, PolicyValue]:
    """The rule that is worth most, and its key; beside a budget of those that it pays for."""
    limit = responses.budget if offered is not None and offered.name == "budget" else None

    def paid(policy: PolicyValue) -> bool:
        cost = None if policy.cost is None else policy.cost.estimate
        return limit is None or cost is None or cost * responses.customers <= limit

    rows = [
        (f"/policies/{i}", policy)
        for i, policy in enumerate(responses.policies)
        if policy.name in _SIMPLE and (policy.name == "treat_none" or paid(policy))
    ]
    return max(rows, key=lambda row: row[1].value.estimate or 0.0)


def told_rule(
    key: str, policy: PolicyValue, responses: UpliftResult, formatter: Formatter
) -> Sentence:
    """The rule by name, with what it is worth."""
    value = policy.value
    named = (
        Stretch(formatter.text(_LABEL)),
        *formatter.sentence(policy.title, f"{key}/title"),
    )
    if policy.name == "treat_none" or None in (value.estimate, value.low, value.high):
        return (*named, Stretch(formatter.text(N_(". "))))
    ends: dict[str, Scalar] = {"estimate": value.estimate, "low": value.low, "high": value.high}
    worth = formatter.words(Message(template=_WORTH[responses.unit], values=ends), f"{key}/value")
    unsure = value.low is not None and value.low <= 0
    return (
        *named,
        Stretch(formatter.text(N_(": "))),
        *worth,
        *((Stretch(formatter.text(_OPEN)),) if unsure else ()),
    )
