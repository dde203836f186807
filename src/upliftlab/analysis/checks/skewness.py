"""Do intervals hold, or is a difference too skewed for them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upliftlab.analysis.checks.definition import CheckAnswer, CheckDefinition, CheckInputs
from upliftlab.analysis.measures import SKEWED, gammas
from upliftlab.results.analysis import Note, Scalar, Severity
from upliftlab.text.language import N_


def _skewness(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether a difference is too skewed for Student's t, and what was done about it."""
    spec, experiment = inputs.spec, inputs.plan.experiment
    asked = [experiment.metrics.primary]
    if experiment.money:
        asked.append(experiment.money.revenue)
    for arm in spec.treatments:
        found = gammas(spec, inputs.arms, (arm,))
        for metric in dict.fromkeys(name for name in asked if name in spec.metrics):
            parts = spec.ratios.get(metric) or (spec.columns.index(metric),)
            values = [found[c] for c in (spec.columns[part] for part in parts) if c in found]
            if inputs.plan.customers.aggregated and None in values:
                text = N_(
                    "Not asked: totals do not tell how skewed {metric} is between {arm} and the "
                    "control; its interval is Student's."
                )
                yield CheckAnswer(None, text, {"metric": metric, "arm": arm}, (metric, arm))
                continue
            yield from _skewed((metric, arm), values, _methods(inputs, (metric, arm)))


def _methods(inputs: CheckInputs, about: tuple[str, str]) -> frozenset[str]:
    """What intervals of a metric between an arm and the control are made by, or why not made."""
    methods = (
        (*finding.method.split("+"), *((finding.note,) if finding.note else ()))
        for finding in inputs.findings
        if (finding.metric, finding.arm) == about and finding.dimension is None
    )
    return frozenset(part for parts in methods for part in parts)


def _skewed(
    about: tuple[str, str], gamma: Sequence[float | None], methods: frozenset[str]
) -> Iterator[CheckAnswer]:
    known = [value for value in gamma if value is not None]
    worst = max(known, key=abs, default=0.0)
    values: dict[str, Scalar] = {"metric": about[0], "arm": about[1]}
    if len(known) < len(gamma):
        text = N_(
            "Not asked: too few digits tell how skewed {metric} is between {arm} and control."
        )
        yield CheckAnswer(None, text, values, about)
        return
    if abs(worst) <= SKEWED:
        return
    text = N_(
        "The difference in {metric} between {arm} and the control is skewed "
        "({value:number}): its interval covers less than it says on one side."
    )
    if "permutation" in methods:
        text = N_(
            "The difference in {metric} between {arm} and the control is skewed "
            "({value:number}): its interval comes from re-dealing the customers."
        )
    elif "hall" in methods:
        text = N_(
            "The difference in {metric} between {arm} and the control is slightly skewed "
            "({value:number}): its interval allows for it."
        )
    elif Note.few_expected in methods:
        text = N_(
            "The difference in {metric} between {arm} and the control is skewed "
            "({value:number}), and there are too few purchases or other events to deal "
            "anew: no interval is shown."
        )
    passed = not methods.isdisjoint(("permutation", "hall", Note.few_expected))
    yield CheckAnswer(passed, text, {**values, "value": worst}, about, value=worst)


SKEWNESS = CheckDefinition(
    name="skewness",
    title=N_("Intervals reliable"),
    severity=Severity.warning,
    judge=_skewness,
)
