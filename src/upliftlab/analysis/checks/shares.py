"""Were customers divided as declared: overall, within strata and waves, and all the time?"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Counts,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.analysis.checks.starts import steady, units_by_start
from upliftlab.analysis.share_regimes import (
    ShareRegime,
    expected_shares,
    regimes_of,
)
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Severity
from upliftlab.stats.integrity import FEWEST_EXPECTED, sample_ratio, sample_ratios, sum_tail
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
_REGIMES = (
    N_("Within each time of the same shares, customers are divided as declared (p: {p:p})."),
    N_("Within some time of the same shares, customers are not divided as declared (p: {p:p})."),
    N_("Not asked: too few customers in each time of the same shares."),
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


_UNDECLARED = N_(
    "Not asked: arms were assigned within strata whose shares are not declared. Arms are compared "
    "within strata, whatever the shares."
)


@Fact
def units_by_stratum(data: FactInputs) -> Counts | None:
    """Units by stratum and arm."""
    return _counts(data, "stratum") if "stratum" in data.population.own else None


@Fact
def units_by_wave(data: FactInputs) -> Counts | None:
    """Units by wave and arm."""
    return _counts(data, "wave") if "wave" in data.population.own else None


@Fact
def contacts_by_wave(data: FactInputs) -> Mapping[tuple[str, str], float] | None:
    """Contacts by wave and arm, out of the unit table's column of contacts."""
    column = data.spec.roles.contacts if data.spec.roles else None
    if "wave" not in data.population.own or column is None:
        return None
    result = data.engine.query(
        f"SELECT CAST(wave AS VARCHAR) AS wave, CAST(arm AS VARCHAR) AS arm,"
        f" SUM(x{column}) AS n FROM {data.units} GROUP BY 1, 2"
    )
    return {
        (row["wave"], row["arm"]): float(row["n"] or 0)
        for row in result.to_pylist()
        if row["wave"] is not None and row["arm"] is not None
    }


def _counts(data: FactInputs, column: str) -> Counts:
    """Units of the unit table by the levels of one of its columns, and by arm."""
    found: dict[str, dict[str, int]] = {}
    result = data.engine.query(
        f"SELECT CAST({column} AS VARCHAR) AS level, CAST(arm AS VARCHAR) AS arm,"
        f" {data.count} AS n FROM {data.units} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    for row in result.to_pylist():
        if row["level"] is not None and row["arm"] is not None:
            found.setdefault(row["level"], {})[row["arm"]] = int(row["n"])
    return found


def _small(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Arms of so few units that their numbers are those of single customers."""
    for arm, count in inputs.small_arms.items():
        text = N_(
            "{arm} has {count:count} customers: numbers of fewer than {smallest:count} would "
            "tell what single ones did."
        )
        values = {"arm": arm, "count": count, "smallest": inputs.plan.smallest_cell}
        yield CheckAnswer(passed=False, text=text, values=values, subjects=(arm,))


SMALLEST_CELL = CheckDefinition(
    name="smallest_cell",
    title=N_("Enough customers"),
    severity=Severity.critical,
    judge=_small,
    tells="counts",
)


def _waves(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether every wave that was planned is there, and whether it was contacted."""
    waves = inputs.facts.of(units_by_wave)
    planned = [str(number) for number, _ in enumerate(inputs.plan.experiment.waves, 1)]
    if not waves or not planned:
        return
    if absent := [wave for wave in planned if wave not in waves]:
        text = N_("Nobody of wave {waves} is in the data.")
        yield CheckAnswer(passed=False, text=text, values={"waves": ", ".join(absent)})
    elif missed := list(_missed(inputs.plan, inputs.facts.of(contacts_by_wave) or {})):
        text = N_("Nobody was contacted in wave {waves}.")
        yield CheckAnswer(passed=False, text=text, values={"waves": ", ".join(missed)})
    else:
        text = N_("Customers of every planned wave are in the data.")
        yield CheckAnswer(passed=True, text=text)


def _missed(plan: Plan, contacts: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """Waves of an arm without a contact, where the arm's other waves have some."""
    for arm in plan.treatments:
        by_wave = {wave: n for (wave, name), n in contacts.items() if name == arm}
        if any(by_wave.values()):
            yield from (f"{wave} ({arm})" for wave, n in sorted(by_wave.items()) if n == 0)


WAVES = CheckDefinition(
    name="waves",
    title=N_("Waves complete"),
    severity=Severity.critical,
    judge=_waves,
    facts=(units_by_wave, contacts_by_wave),
    tells="counts",
)


def _sample_ratio(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether arms hold the shares that were declared: all, and within strata and waves."""
    strata, waves = inputs.facts.of(units_by_stratum), inputs.facts.of(units_by_wave)
    own = inputs.plan.experiment.assignment.within_given
    if own and inputs.plan.shares_from(None) is None:
        yield unasked(_UNDECLARED)
        return
    if regimes := regimes_of(inputs.plan, inputs.record):
        yield _by_regime(inputs, regimes, strata or {})
    else:
        yield _overall(inputs)
        yield from _within(inputs, "stratum", strata or {})
        yield from _within(inputs, "wave", waves or {})
    yield from steady(inputs)


def _by_regime(inputs: CheckInputs, regimes: tuple[ShareRegime, ...], units: Counts) -> CheckAnswer:
    """The sample ratio within every time of the same shares, all at once."""
    tables = [
        ([units.get(regime.name, {}).get(arm, 0) for arm in regime.shares], regime.shares.values())
        for regime in regimes
    ]
    if inputs.schedule.repeated:
        each = [sequential_sample_ratio(counts, list(shares)) for counts, shares in tables]
        p = min(1.0, len(each) * min(each))
        return CheckAnswer(p >= IMPLAUSIBLE, _REGIMES[p < IMPLAUSIBLE], {"p": p}, p=p)
    tested = [
        sample_ratio(counts, list(shares))[0]
        for counts, shares in tables
        if sum(counts) * min(shares) >= FEWEST_EXPECTED
    ]
    if not tested:
        return unasked(_REGIMES[2])
    value, p = sum(tested), sum_tail(tested, len(inputs.plan.arms) - 1)
    passed = p >= IMPLAUSIBLE
    return CheckAnswer(passed, _REGIMES[not passed], {"p": p}, value=value, p=p)


def _overall(inputs: CheckInputs) -> CheckAnswer:
    """The sample ratio of all; where counts may be read again, by a test that allows for it."""
    repeated, arms = inputs.schedule.repeated, inputs.arms
    shares = expected_shares(inputs.plan, inputs.record)
    counts = {name: arms[name].n if name in arms else 0 for name in shares}
    value, p = sample_ratio(list(counts.values()), list(shares.values()))
    if repeated:
        p = sequential_sample_ratio(list(counts.values()), list(shares.values()))
    passed = p >= IMPLAUSIBLE
    alike, other, unequal = _SEVERAL if repeated else _ONCE
    declared = inputs.plan.shares_from(None) is not None
    text = alike if passed else other if declared else unequal
    return CheckAnswer(passed, text, {"p": p}, value=value, p=p)


def _within(inputs: CheckInputs, what: str, groups: Counts) -> Iterator[CheckAnswer]:
    """The sample ratio of every stratum or wave at once."""
    declared = expected_shares(inputs.plan, inputs.record)
    if len(groups) < 2:  # noqa: PLR2004 - one group says what the total says
        return
    tables = [[group.get(arm, 0) for arm in declared] for group in groups.values()]
    tested = sample_ratios(tables, list(declared.values()))
    alike, other, few = _WITHIN[what]
    if tested is None:
        yield unasked(few, subjects=(what,))
        return
    value, p = tested
    passed = p >= IMPLAUSIBLE
    text = alike if passed else other
    yield CheckAnswer(passed, text, {"p": p}, (what,), value=value, p=p)


SAMPLE_RATIO = CheckDefinition(
    name="sample_ratio",
    title=N_("Sample ratio"),
    severity=Severity.critical,
    judge=_sample_ratio,
    facts=(units_by_stratum, units_by_wave, units_by_start),
    tells="counts",
)
