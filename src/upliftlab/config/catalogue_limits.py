"""UL149: how far a metric may move."""

from __future__ import annotations

from upliftlab.config.catalogue_entry import Example

LIMITS: tuple[Example, ...] = (
    Example(
        "UL149",
        "Guardrail on a share without its unit",
        "What a share may move by is written in points, or in per cent of the control's share.",
        "metrics: {primary: spent, guardrails: {left: {max_increase: 2}}}",
        "metrics: {primary: spent, guardrails: {left: {max_increase: 2 points}}}",
        beside={"configs/metrics.yaml": "metrics: {left: {column: left, unit: share}}\n"},
    ),
)
