"""Quantiles of an analysis: what each arm's customers stay below, and each arm against the control.

They are asked of the engine by rank, one statement a metric, and stand beside the findings: no
p-value, no family, no part in the verdict. Of every metric that asks for any, tenths are told of
each arm as well, as its distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.analysis.aggregation import Aggregation
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.quantiles import OrderedQuery, ordered_sql, read_ordered
from upliftlab.results.base import Note
from upliftlab.results.quantiles import ArmQuantile, QuantileDifference
from upliftlab.stats.quantiles import (
    GroupQuantile,
    QuantileRanks,
    quantile_difference,
    quantile_of,
    ranks_of,
    told,
)

_TENTHS: Final = tuple(tenth / 10 for tenth in range(1, 10))
Place = tuple[str, float]
"""An arm and the share of its units below."""


@dataclass(frozen=True, slots=True)
class ToldQuantiles:
    """What is told of quantiles.

    Attributes:
        differences: Each arm against the control, of the quantiles that were declared.
        distribution: Each arm's own, tenths among them.
    """

    differences: tuple[QuantileDifference, ...] = ()
    distribution: tuple[ArmQuantile, ...] = ()


@dataclass(frozen=True, slots=True)
class QuantileInputs:
    """What quantiles are made of.

    Attributes:
        plan: Which are declared.
        intake: The unit table, and which look this is.
        counts: Units by arm.
        engine: Where the data lie.
        mixed: Whether arms' shares differ by stratum or over time: all units of an arm together
            are then not as those of another.
    """

    plan: Plan
    intake: Aggregation
    counts: Mapping[str, int]
    engine: Engine
    mixed: bool

    @property
    def confidence(self) -> float:
        """The level of an interval: of several looks, such that all of them hold at once."""
        looks = len(self.intake.schedule.due)
        return 1 - (1 - self.plan.experiment.analysis.confidence) / max(looks, 1)

    @property
    def early(self) -> bool:
        """Whether the data may be read so often that no interval is known to hold."""
        return self.intake.schedule.early


def quantiles(inputs: QuantileInputs) -> ToldQuantiles:
    """The quantiles of every metric that asks for some."""
    asked = inputs.plan.experiment.metrics.quantiles
    parts = [
        _of_metric(inputs, metric, [float(share) for share in shares])
        for metric, shares in asked.items()
    ]
    return ToldQuantiles(
        tuple(one for part in parts for one in part.differences),
        tuple(one for part in parts for one in part.distribution),
    )


def _of_metric(inputs: QuantileInputs, metric: str, shares: Sequence[float]) -> ToldQuantiles:
    every = sorted({*_TENTHS, *shares})
    found = _asked(inputs, metric, () if inputs.mixed else every)
    return ToldQuantiles(
        tuple(_differences(inputs, metric, shares, found)),
        tuple(_distribution(inputs, metric, every, found)),
    )


def _asked(
    inputs: QuantileInputs, metric: str, shares: Sequence[float]
) -> Mapping[Place, GroupQuantile]:
    """The quantiles of every arm; of one with too few units beyond it there is none."""
    ranks: dict[Place, QuantileRanks] = {}
    for arm, n in inputs.counts.items():
        for share in shares:
            place = ranks_of(share, n, inputs.confidence, inputs.plan.smallest_cell)
            ranks |= {} if place is None else {(arm, share): place}
    if not ranks:
        return {}
    whole: dict[str, set[int]] = {}
    for (arm, _), place in ranks.items():
        whole.setdefault(arm, set()).update(place.whole)
    query = OrderedQuery(
        inputs.intake.data.units,
        inputs.intake.table.columns.index(metric),
        {arm: sorted(places) for arm, places in whole.items()},
        weighted=inputs.intake.table.rows is not None,
    )
    values = read_ordered(query, inputs.engine.query(ordered_sql(query)))
    return {key: quantile_of(place, values[key[0]]) for key, place in ranks.items()}


def _differences(
    inputs: QuantileInputs,
    metric: str,
    shares: Sequence[float],
    found: Mapping[Place, GroupQuantile],
) -> Iterator[QuantileDifference]:
    plan, counts = inputs.plan, inputs.counts
    for share in shares:
        control = found.get((plan.control, share))
        for arm in plan.treatments:
            treated = found.get((arm, share))
            effect = told(
                quantile_difference(treated, control, inputs.confidence), treated, control
            )
            if inputs.mixed:
                effect = replace(effect, note=Note.mixed_shares)
            elif inputs.early and effect.low is not None:
                effect = replace(effect, low=None, high=None, note=Note.level_unreached)
            yield QuantileDifference(
                metric=metric,
                share=share,
                arm=arm,
                control=plan.control,
                n_treated=counts.get(arm, 0),
                n_control=counts.get(plan.control, 0),
                treated=None if treated is None else treated.told,
                reference=None if control is None else control.told,
                estimate=effect.estimate,
                low=effect.low,
                high=effect.high,
                confidence=inputs.confidence,
                note=effect.note,
            )


def _distribution(
    inputs: QuantileInputs,
    metric: str,
    shares: Sequence[float],
    found: Mapping[Place, GroupQuantile],
) -> Iterator[ArmQuantile]:
    absent = Note.mixed_shares if inputs.mixed else Note.few_beyond
    for arm in inputs.plan.arms:
        for share in shares:
            known = found.get((arm, share))
            yield ArmQuantile(
                metric=metric,
                arm=arm,
                share=share,
                n=inputs.counts.get(arm, 0),
                value=None if known is None else known.told,
                rounded_to=None if known is None else known.step,
                note=absent if known is None else None,
            )
