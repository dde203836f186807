"""Who reads an analysis: what is left out of one that leaves the house.

A public analysis is made as such, and not cut from another: its small levels are joined before
anything is estimated (`disclosure`), so that no number of it can be had back from the others.
"""

from __future__ import annotations

from typing import Final

from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Analysis

PUBLIC_CELL: Final = 10
"""Units of an arm that a level shown to the public has at least; more where the program says so."""


def for_public(plan: Plan) -> Plan:
    """The plan whose levels are joined as the public is shown them."""
    least = max(plan.smallest_cell, PUBLIC_CELL)
    return plan.model_copy(
        update={"program": plan.program.model_copy(update={"smallest_cell": least})}
    )


def published(analysis: Analysis, plan: Plan) -> Analysis:
    """What the public is told: the results, and nothing of the house's people, files and sums.

    Left out are who owns the campaign, the data's files, conditions of the plan, and the sums from
    which every cell's mean could be computed. What money was put in stays: profit, revenue and ROI
    tell it anyhow.

    Args:
        analysis: Of the plan made `for_public`.
        plan: The plan as it was locked, whose hash stays.
    """
    return analysis.model_copy(
        update={
            "audience": "public",
            "plan_sha256": plan.sha256,
            "owner": None,
            "eligible": None,
            "data": (),
            "flow": tuple(
                step.model_copy(update={"reason": None}) if step.kind == "excluded" else step
                for step in analysis.flow
            ),
            "money_sums": None,
            "columns": (),
            "moments": (),
        }
    )
