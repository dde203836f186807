"""Were customers divided as declared: overall, within strata and waves, and is everybody here?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.analysis.check import IMPLAUSIBLE, check
from upliftlab.analysis.facts import Counts, QualityMetrics
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Check, Scalar, Severity
from upliftlab.stats.integrity import independence, sample_ratio, sample_ratios
from upliftlab.stats.sample_ratio_sequential import sequential_sample_ratio
from upliftlab.text.language import N_

_ONCE = (
    N_("Customers are divided among the arms as declared (p: {p:p})."),
    N_("Customers are not divided among the arms as declared (p: {p:p})."),
    N_(
        "Customers are not divided equally among the arms (p: {p:p}); "
        "if other shares were intended, declare the share of each arm."
    ),
)
_SEVERAL = (
    N_(
        "Customers are divided among the arms as declared (p: {p:p}, which holds however often "
        "one looks)."
    ),
    N_(
        "Customers are not divided among the arms as declared (p: {p:p}, which holds however "
        "often one looks)."
    ),
    N_(
        "Customers are not divided equally among the arms (p: {p:p}, which holds however often "
        "one looks); if other shares were intended, declare the share of each arm."
    ),
)
_WITHIN = {
    "stratum": (
        N_("Within each stratum, customers are divided as declared (p: {p:p})."),
        N_("Within some stratum, customers are not divided as declared (p: {p:p})."),
        N_("Not asked: too few customers in each stratum."),
    ),
    "wave": (
        N_("Within each wave, customers are divided as declared (p: {p:p})."),
        N_("Within some wave, customers are not divided as declared (p: {p:p})."),
        N_("Not asked: too few customers in each wave."),
    ),
}


def expected_shares(plan: Plan) -> dict[str, float]:
    """Each arm's declared share; equal ones where none is declared."""
    declared = {name: arm.share for name, arm in plan.arms.items()}
    if all(share is None for share in declared.values()):
        return {name: 1 / len(declared) for name in declared}
    total = float(sum(share or 0 for share in declared.values()))
    return {name: float(share or 0) / total for name, share in declared.items()}


def shares(
    plan: Plan, cube: Aggregates, facts: QualityMetrics, *, repeated: bool
) -> Iterator[Check]:
    """All checks of how customers were divided.

    Args:
        plan: The declared shares and waves.
        cube: Units by arm.
        facts: Counts by stratum and wave, and who is missing.
        repeated: Whether the counts may have been read before, and be read again.
    """
    if facts.crossing is not None:
        yield _crossing(facts.crossing)
    if facts.absent is not None:
        yield _attrition(facts.absent)
    if facts.misdelivered is not None:
        yield _delivered(facts.misdelivered)
    yield from _waves(plan, facts)
    yield _overall(plan, cube, repeated=repeated)
    yield from _within(plan, "stratum", facts.strata)
    yield from _within(plan, "wave", facts.waves)


def _overall(plan: Plan, cube: Aggregates, *, repeated: bool) -> Check:
    shares = expected_shares(plan)
    counts = {name: cube[OVERALL][name].n if name in cube[OVERALL] else 0 for name in shares}
    value, p = sample_ratio(list(counts.values()), list(shares.values()))
    if repeated:
        p = sequential_sample_ratio(list(counts.values()), list(shares.values()))
    passed = p >= IMPLAUSIBLE
    measured = (value if math.isfinite(value) else None, p)
    alike, other, unequal = _SEVERAL if repeated else _ONCE
    declared = any(arm.share for arm in plan.arms.values())
    text = alike if passed else other if declared else unequal
    return check("sample_ratio", passed, Severity.critical, (text, {"p": p}), measured)


def _within(plan: Plan, what: str, groups: Counts) -> Iterator[Check]:
    """The sample ratio of every stratum or wave at once."""
    declared = expected_shares(plan)
    if len(groups) < 2:  # noqa: PLR2004 - one group says what the total says
        return
    tables = [[group.get(arm, 0) for arm in declared] for group in groups.values()]
    tested = sample_ratios(tables, list(declared.values()))
    name, texts = f"sample_ratio:{what}", _WITHIN[what]
    if tested is None:
        yield check(name, None, Severity.info, (texts[2], {}))
        return
    value, p = tested
    passed = p >= IMPLAUSIBLE
    said: tuple[str, dict[str, Scalar]] = (texts[0] if passed else texts[1], {"p": p})
    measured = (value if math.isfinite(value) else None, p)
    yield check(name, passed, Severity.critical, said, measured)


def _waves(plan: Plan, facts: QualityMetrics) -> Iterator[Check]:
    """Whether every wave that was planned is there, and whether it was contacted."""
    planned = [str(number) for number, _ in enumerate(plan.experiment.waves, 1)]
    if not facts.waves or not planned:
        return
    name, severity = "waves", Severity.critical
    if absent := [wave for wave in planned if wave not in facts.waves]:
        text = N_("Nobody of wave {waves} is in the data.")
        values: dict[str, Scalar] = {"waves": ", ".join(absent)}
        yield check(name, passed=False, severity=severity, said=(text, values))
    elif missed := list(_missed(plan, facts)):
        text = N_("Nobody was contacted in wave {waves}.")
        values = {"waves": ", ".join(missed)}
        yield check(name, passed=False, severity=severity, said=(text, values))
    else:
        text = N_("Customers of every planned wave are in the data.")
        yield check(name, passed=True, severity=severity, said=(text, {}))


def _missed(plan: Plan, facts: QualityMetrics) -> Iterator[str]:
    """Waves of an arm without a contact, where the arm's other waves have some."""
    contacts: Mapping[tuple[str, str], float] = facts.contacts or {}
    for arm in plan.treatments:
        by_wave = {wave: n for (wave, name), n in contacts.items() if name == arm}
        if any(by_wave.values()):
            yield from (f"{wave} ({arm})" for wave, n in sorted(by_wave.items()) if n == 0)


def _attrition(absent: Mapping[str, tuple[int, int]]) -> Check:
    """Whether everybody who was assigned is in the data, and if not, alike in every arm."""
    missing = sum(gone for _, gone in absent.values())
    name, severity = "attrition", Severity.critical
    if not missing:
        text = N_("Every assigned customer is in the data.")
        return check(name, passed=True, severity=severity, said=(text, {}), measured=(0.0, None))
    tested = independence([[n - gone, gone] for n, gone in absent.values()])
    p = None if tested is None else tested[1]
    total = sum(n for n, _ in absent.values())
    values: dict[str, Scalar] = {
        "missing": missing,
        "total": total,
        "arms": ", ".join(f"{arm}: {gone}" for arm, (_, gone) in absent.items() if gone),
    }
    if p is not None and p < IMPLAUSIBLE:
        text = N_(
            "{missing:count} of {total:count} assigned customers are not in the data, and not "
            "alike in every arm ({arms}; p: {p:p}): keep a row for everybody who was assigned."
        )
        values["p"] = p
    else:
        text = N_(
            "{missing:count} of {total:count} assigned customers are not in the data ({arms}): "
            "keep a row for everybody who was assigned."
        )
    measured = (float(missing), p)
    return check(name, passed=False, severity=severity, said=(text, values), measured=measured)


def _delivered(wrong: int) -> Check:
    name, severity = "delivered", Severity.critical
    if wrong:
        text = N_("{count:count} customers were given another arm than the ledger's.")
    else:
        text = N_("Every customer was given the ledger's arm.")
    return check(name, wrong == 0, severity, (text, {"count": wrong}), (float(wrong), None))


def _crossing(mixed: int) -> Check:
    name, severity = "households", Severity.critical
    if mixed:
        text = N_("{count:count} households have customers in several arms.")
    else:
        text = N_("Every household lies in one arm.")
    return check(name, mixed == 0, severity, (text, {"count": mixed}), (float(mixed), None))
