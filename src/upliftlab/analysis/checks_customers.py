"""Were customers alike before, and left alone where they should have been?"""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.check import IMPLAUSIBLE, SKEWED, check
from upliftlab.analysis.cube import OVERALL, Cube
from upliftlab.analysis.facts import Facts
from upliftlab.analysis.study import Study
from upliftlab.experiment import Plan
from upliftlab.language import N_
from upliftlab.results import Check, Scalar, Severity
from upliftlab.stats.effects import skewness
from upliftlab.stats.integrity import balance, independence


def customers(plan: Plan, study: Study, cube: Cube, facts: Facts) -> Iterator[Check]:
    """All checks of customers before and beside the campaign."""
    yield from _before(plan, study, cube)
    yield from _balance(plan, cube)
    if facts.dated is not None:
        yield _dated(facts.dated)
    yield _contamination(plan, study, cube)


def _before(plan: Plan, study: Study, cube: Cube) -> Iterator[Check]:
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


def _skewed(study: Study, cube: Cube, columns: list[int]) -> bool:
    """Whether some covariate's difference is so skewed that χ² is only roughly right."""
    pairs = [study.pair(cube[OVERALL], (arm,)) for arm in study.treatments]
    found = [skewness(pair, c) for pair in pairs for c in columns if pair.unusable is None]
    return any(value is None or abs(value) > SKEWED for value in found)


def _balance(plan: Plan, cube: Cube) -> Iterator[Check]:
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


def _contamination(plan: Plan, study: Study, cube: Cube) -> Check:
    name = "contamination"
    if study.roles is None or study.roles.contacts is None:
        text = N_("Not asked: contacts are not measured.")
        return check(name, None, Severity.info, (text, {}))
    control = cube[OVERALL][plan.control]
    total = round(control.n * float(control.mean[study.roles.contacts]))
    if total == 0:
        text = N_("The control group received no contacts.")
    else:
        text = N_("The control group received {count:count} contacts.")
    measured = (float(total), None)
    return check(name, total == 0, Severity.warning, (text, {"count": total}), measured)
