"""Were customers alike before, and left alone where they should have been?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.analysis.check import IMPLAUSIBLE, SKEWED, check
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.facts import QualityMetrics
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Check, Scalar, Severity
from upliftlab.stats.effects import skewness
from upliftlab.stats.integrity import balance, independence
from upliftlab.stats.shares import newcombe
from upliftlab.text.language import N_

SLIP = 0.01
"""A smaller share of the control contacted is a slip: the control is still one."""
DILUTED = 0.5
"""The control's contacted share over an arm's: here half of an effect is hidden."""


def customers(
    plan: Plan, study: EstimationSpec, cube: Aggregates, facts: QualityMetrics
) -> Iterator[Check]:
    """All checks of customers before and beside the campaign."""
    yield from _before(plan, study, cube)
    yield from _balance(plan, cube)
    if facts.dated is not None:
        yield _dated(facts.dated)
    yield _contamination(plan, study, cube, facts)


def _before(plan: Plan, study: EstimationSpec, cube: Aggregates) -> Iterator[Check]:
    """Whether all covariates together are alike over the arms."""
    columns = [study.columns.index(name) for name in plan.covariates]
    tested = balance([cube[OVERALL][arm] for arm in plan.arms if arm in cube[OVERALL]], columns)
    if not columns:
        return
    name = "balance"
    if tested is None:
        text = N_("Not asked: nothing of what was known before varies.")
        yield check(name, None, Severity.info, (text, {}))
        return
    values: dict[str, Scalar] = {
        "p": tested.p,
        "covariate": study.columns[tested.column],
        "apart": tested.apart,
    }
    if tested.p >= IMPLAUSIBLE:
        text = N_(
            "What was known before is alike in every arm (p: {p:p}; the widest gap, in "
            "{covariate}, is {apart:number} standard deviations)."
        )
    else:
        text = N_(
            "What was known before differs between the arms (p: {p:p}; in {covariate} by "
            "{apart:number} standard deviations): customers were not drawn at random."
        )
    passed = tested.p >= IMPLAUSIBLE
    measured = (tested.statistic, tested.p)
    severity = Severity.warning if _skewed(study, cube, columns) else Severity.critical
    yield check(name, passed, severity, (text, values), measured)


def _skewed(study: EstimationSpec, cube: Aggregates, columns: list[int]) -> bool:
    """Whether some covariate's difference is so skewed that χ² is only roughly right."""
    pairs = [study.pair(cube[OVERALL], (arm,)) for arm in study.treatments]
    found = [skewness(pair, c) for pair in pairs for c in columns if pair.unusable is None]
    return any(value is None or abs(value) > SKEWED for value in found)


def _balance(plan: Plan, cube: Aggregates) -> Iterator[Check]:
    for segment in plan.segments:
        levels = [groups for place, groups in cube.items() if place.dimension == segment]
        table = [[g[arm].n if arm in g else 0 for g in levels] for arm in plan.arms]
        tested = independence(table)
        name = f"balance:{segment}"
        if tested is None:
            text = N_("Not asked: {segment} has too few levels or too few customers in them.")
            yield check(name, None, Severity.info, (text, {"segment": segment}))
            continue
        value, p = tested
        if p >= IMPLAUSIBLE:
            text = N_("{segment} is spread alike over the arms (p: {p:p}).")
        else:
            text = N_("{segment} differs between the arms (p: {p:p}): were they drawn at random?")
        said: tuple[str, dict[str, Scalar]] = (text, {"segment": segment, "p": p})
        yield check(name, p >= IMPLAUSIBLE, Severity.warning, said, (value, p))


def _dated(count: int) -> Check:
    """Whether attributes are of a time before the day of assignment."""
    name, severity = "known_before", Severity.critical
    if count:
        text = N_(
            "Attributes of {count:count} customers are of the day of assignment or later: "
            "segments and covariates made of them are refused."
        )
    else:
        text = N_("Attributes of customers are of a time before assignment.")
    return check(name, count == 0, severity, (text, {"count": count}), (float(count), None))


def _contamination(
    plan: Plan, study: EstimationSpec, cube: Aggregates, facts: QualityMetrics
) -> Check:
    """Whether the control was left alone, or at least more than those it is compared with."""
    name = "contamination"
    if facts.contacted is None:
        text = N_("Not asked: contacts are not measured.")
        return check(name, None, Severity.info, (text, {}))
    if _meant(plan):
        text = N_("Not asked: the control is contacted by design.")
        return check(name, None, Severity.info, (text, {}))
    count, n = facts.contacted.get(plan.control, 0), cube[OVERALL][plan.control].n
    severity, measured = Severity.warning, (count / n, None)
    if count == 0:
        text = N_("The control group received no contacts.")
        return check(name, passed=True, severity=severity, said=(text, {}), measured=measured)
    values: dict[str, Scalar] = {"share": count / n, "count": count}
    least = _least_contacted(plan, study, cube, facts.contacted)
    if least is None:
        text = N_(
            "{share:percent} of the control ({count:count}) were contacted, and nobody else: are "
            "the contacts of every arm on record?"
        )
    else:
        arm, reached, size = least
        values |= {"arm": arm, "reached": reached / size}
        severity, text = _diluted(plan, (reached, count), (size, n))
    return check(name, passed=False, severity=severity, said=(text, values), measured=measured)


def _meant(plan: Plan) -> bool:
    """Whether contacts are part of what the control gets."""
    control, known = plan.arms[plan.control], plan.experiment.arms[plan.control]
    named = control.channel is not None or control.business_as_usual
    return named or known.cost_per_contact is not None


def _least_contacted(
    plan: Plan, study: EstimationSpec, cube: Aggregates, contacted: Mapping[str, int]
) -> tuple[str, int, int] | None:
    """The arm with the smallest share of units with a contact, how many these are, and its units.

    Arms without any contact do not count, nor those without a channel where others have one.
    """
    some = [arm for arm in study.treatments if contacted.get(arm)]
    meant = [arm for arm in some if plan.arms[arm].channel] or some
    sizes = {arm: cube[OVERALL][arm].n for arm in meant}
    least = min(meant, key=lambda arm: contacted[arm] / sizes[arm], default=None)
    return None if least is None else (least, contacted[least], sizes[least])


def _diluted(plan: Plan, counts: tuple[int, int], sizes: tuple[int, int]) -> tuple[Severity, str]:
    """What contacts in the control mean, by units with one and units, treated and control."""
    reached, spared = (count / size for count, size in zip(counts, sizes, strict=True))
    if spared < SLIP or spared < reached * DILUTED:
        text = N_(
            "{share:percent} of the control ({count:count}) were contacted, against "
            "{reached:percent} of {arm}: effects look smaller than they are."
        )
        return Severity.warning, text
    apart = newcombe(counts, sizes, plan.experiment.analysis.confidence)
    if _whoever_sent(plan) and apart.low is not None and apart.low > 0:
        text = N_(
            "{share:percent} of the control ({count:count}) were contacted, against "
            "{reached:percent} of {arm}: if other campaigns' contacts are among them, name the "
            "column that tells whose they are as 'experiment'."
        )
        return Severity.warning, text
    text = N_(
        "{share:percent} of the control ({count:count}) were contacted, against {reached:percent} "
        "of {arm}: the control was not left alone, or the arms on record are not those that were "
        "sent."
    )
    return Severity.critical, text


def _whoever_sent(plan: Plan) -> bool:
    """Whether contacts come from a table in which nothing tells other campaigns' apart."""
    money = plan.experiment.money
    source = plan.metrics[money.contacts].source if money and money.contacts else None
    return source is not None and plan.sources[source].experiment is None
