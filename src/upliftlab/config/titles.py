"""What an experiment's things are called in several languages."""

from __future__ import annotations

from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.title import Title


def titles(plan: Plan) -> tuple[dict[str, str], ...]:
    """Titles that were declared by language: the experiment's and those of all it names."""
    used = {arm.channel for arm in plan.arms.values()}
    told = (
        plan.experiment.title,
        *(arm.title for arm in plan.arms.values()),
        *(channel.title for name, channel in plan.channels.items() if name in used),
        *(metric.title for metric in plan.metrics.values()),
        *(segment.title for segment in plan.segments.values()),
    )
    return tuple(dict(title.said) for title in told if isinstance(title, Title))


def arm_titles(plan: Plan) -> dict[str, str]:
    """What arms are called for people, by their names; of those that have a title."""
    return {name: str(arm.title) for name, arm in plan.arms.items() if arm.title is not None}
