"""The policies: who gets what under each rule, what it is worth, and the rule one can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.report.axis import Reference
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, escape
from upliftlab.report.grid import (
    ArmShare,
    Grid,
    GridColumn,
    RowHead,
    Titles,
    grid,
    intervals,
    optional,
    valued,
)
from upliftlab.report.interval import Interval, Scale, draw
from upliftlab.report.quantity import unit_form
from upliftlab.results.uplift import PolicyValue, TreeBranch, UpliftResult
from upliftlab.text.language import N_

_MEANINGS: Final = {
    "treat_none": N_("nobody is contacted; every value is compared with this"),
    "treat_all": N_("everybody gets this arm, whatever they are like"),
    "today": N_("the rule that the plan declares as today's"),
    "budget": N_("first those predicted to bring most per unit of cost, until the budget is spent"),
    "return": N_("only where the predicted gain repays the cost and the hurdle"),
    "tree": N_("a few questions that anybody can check; the tree below"),
}
"""What is said of each policy, always in the same words."""
_BEST: Final = N_("whatever it costs, as nothing says what a contact costs")
"""What is said of `return` without money."""
MODELS: Final = ("budget", "return", "tree")
"""Policies that rest on a model."""


@dataclass(frozen=True, slots=True)
class PolicyNode:
    """A question with two ways on, or the arm that customers get."""

    question: Sentence | None
    arm: str | None
    n: Figure
    value: Figure | None
    yes: PolicyNode | None
    no: PolicyNode | None


def policies(responses: UpliftResult, formatter: Formatter) -> Grid:
    """The table of policies; those of a model only where the gate is open."""
    rows = [
        (f"/policies/{i}", policy)
        for i, policy in enumerate(responses.policies)
        if responses.open or policy.name not in MODELS
    ]
    form = unit_form(responses.unit)
    worth = [valued(policy.value, f"{key}/value") for key, policy in rows]
    best = [valued(policy.beside_best, f"{key}/beside_best") for key, policy in rows]
    today = [valued(policy.beside_today, f"{key}/beside_today") for key, policy in rows]
    ruled = [
        intervals(
            Titles(N_("Beside today's rule"), N_("for the same customers")), today, form, formatter
        )
    ]
    random = [valued(policy.beside_random, f"{key}/beside_random") for key, policy in rows]
    return grid(
        formatter.text(N_("Policies")),
        formatter.text(N_("Policy")),
        [_head(key, policy, formatter) for key, policy in rows],
        [
            GridColumn(
                formatter.text(N_("Who gets what")),
                formatter.text(N_("share of customers")),
                "shares",
                tuple(tuple(_shares(key, policy, responses, formatter)) for key, policy in rows),
            ),
            intervals(
                Titles(N_("Gain per customer"), N_("beyond treating nobody")),
                worth,
                form,
                formatter,
            ),
            _costs([(key, policy) for key, policy in rows], formatter),
            intervals(
                Titles(N_("Beside the best simple rule"), N_("nobody, or one arm for everybody")),
                best,
                form,
                formatter,
            ),
            *(ruled if any(policy.beside_today for _, policy in rows) else ()),
            intervals(
                Titles(N_("Beside chance"), N_("as much spent on customers drawn at random")),
                random,
                form,
                formatter,
            ),
        ],
    )


def came_true(responses: UpliftResult, formatter: Formatter) -> Grid | None:
    """How much of what models foretold came about; None where nothing was foretold."""
    rows = [
        (f"/policies/{i}", policy)
        for i, policy in enumerate(responses.policies)
        if responses.open and policy.realised is not None
    ]
    if not rows:
        return None
    values = [valued(policy.realised, f"{key}/realised") for key, policy in rows]
    drawn = draw(values, Scale(FigureFormat("percent"), (Reference(1.0),)), formatter)
    title, hint = N_("Came true"), N_("of the gain that the model foretold")
    return grid(
        formatter.text(N_("What came of the models' predictions")),
        formatter.text(N_("Policy")),
        [RowHead(formatter.sentence(policy.title, f"{key}/title"), "") for key, policy in rows],
        [
            GridColumn(
                formatter.text(title), formatter.text(hint), "drawn", drawn.intervals, drawn.axis
            )
        ],
    )


def _head(key: str, policy: PolicyValue, formatter: Formatter) -> RowHead:
    words = formatter.sentence(policy.title, f"{key}/title")
    free = policy.name == "return" and policy.cost is None
    return RowHead(words, formatter.text(_BEST if free else _MEANINGS[policy.name]))


def _shares(
    key: str, policy: PolicyValue, responses: UpliftResult, formatter: Formatter
) -> Iterator[ArmShare]:
    """Arms in the plan's order, those that nobody gets left out."""
    for arm in (*responses.arms, responses.control):
        share = policy.shares.get(arm, 0.0)
        if share > 0:
            yield ArmShare(
                formatter.called(arm),
                formatter.figure(share, f"{key}/shares/{escape(arm)}", FigureFormat("percent")),
            )


def _costs(rows: list[tuple[str, PolicyValue]], formatter: Formatter) -> GridColumn:
    """Costs in figures alone: they are known better than what they bring."""
    values = [valued(policy.cost, f"{key}/cost") for key, policy in rows]
    drawn = draw(values, Scale(FigureFormat("money"), ()), formatter)
    cells = tuple(None if cell is None else _bare(cell) for cell in drawn.intervals)
    title, hint = N_("Marketing cost per customer"), N_("beyond treating nobody")
    return GridColumn(formatter.text(title), formatter.text(hint), "interval", cells)


def _bare(cell: Interval) -> Interval:
    return replace(cell, strip=None)


def tree(responses: UpliftResult, formatter: Formatter) -> PolicyNode | None:
    """The tree as it is read from the top."""
    if responses.tree is None or not responses.open:
        return None
    return _node(responses.tree, "/tree", unit_form(responses.unit), formatter)


def _node(branch: TreeBranch, key: str, form: FigureFormat, formatter: Formatter) -> PolicyNode:
    asked, yes, no = branch.question, branch.yes, branch.no
    return PolicyNode(
        question=None if asked is None else formatter.sentence(asked, f"{key}/question"),
        arm=None if branch.arm is None else formatter.called(branch.arm),
        n=formatter.figure(branch.n, f"{key}/n", FigureFormat("count")),
        value=optional(branch.value, f"{key}/value", form, formatter),
        yes=None if yes is None else _node(yes, f"{key}/yes", form, formatter),
        no=None if no is None else _node(no, f"{key}/no", form, formatter),
    )
