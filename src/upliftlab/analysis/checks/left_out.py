"""Were those who are left out on purpose left out alike, and whose outcomes are missing?"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
)
from upliftlab.analysis.population import excluded_sql
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.numbers import missing_sql
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.integrity import lost_alike
from upliftlab.text.language import N_
from upliftlab.util.sql import literal, quote

Lost = Mapping[str, tuple[int, int]]
"""Customers by arm, and how many of them are lost."""
NO_ARM = ""
"""What customers are counted under of whom no arm is known."""


@Fact
def left_out(data: FactInputs) -> Lost | None:
    """By arm, ignored ones too, how many customers there are and how many `exclude` leaves out.

    Raises:
        DataError: UL279, an ignored arm is nobody's.
    """
    frame, plan = data.population, data.plan
    if not frame.whole:
        return None
    ignored = plan.experiment.assignment.ignore_arms
    arms = [*plan.arms, *ignored]
    arm = frame.own["arm"]
    known = f"CASE WHEN {arm} IN ({', '.join(map(literal, arms))}) THEN {arm} END"
    out = excluded_sql(plan, data.engine) or "FALSE"
    rows = data.engine.query(
        f"SELECT arm, SUM(n) AS n, SUM(gone) AS gone FROM (SELECT {known} AS arm, {data.size} AS n,"
        f" CASE WHEN {out} THEN {data.size} ELSE 0 END AS gone FROM {frame.whole}) AS everybody"
        " GROUP BY arm"
    ).to_pylist()
    found = {row["arm"] or NO_ARM: (int(row["n"]), int(row["gone"])) for row in rows}
    if absent := [label for label in ignored if label not in found]:
        message = f"the data hold no customer of the ignored arm '{absent[0]}'"
        raise DataError(Diagnostic("UL279", message, "mend or remove it under 'ignore_arms'"))
    return {name: found.get(name, (0, 0)) for name in (*arms, NO_ARM)}


def _excluded(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether as large a part of every arm was excluded."""
    found = inputs.facts.of(left_out)
    if found is None or inputs.plan.experiment.exclude is None:
        return
    tested = lost_alike([found[arm] for arm in inputs.plan.arms])
    values: dict[str, Scalar] = {
        "excluded": sum(gone for _, gone in found.values()),
        "total": sum(n for n, _ in found.values()),
        "arms": _listed(found),
    }
    count = float(values["excluded"] or 0)
    if tested is None:
        text = N_("{excluded:count} of {total:count} customers are excluded on purpose.")
        if any(gone for arm, (_, gone) in found.items() if arm != NO_ARM):
            text = N_(
                "{excluded:count} of {total:count} customers are excluded on purpose ({arms})."
            )
        yield CheckAnswer(passed=True, text=text, values=values, value=count)
        return
    values["p"] = tested.p
    alike = N_(
        "{excluded:count} of {total:count} customers are excluded on purpose, alike in every arm "
        "({arms}; p: {p:p})."
    )
    other = N_(
        "{excluded:count} of {total:count} customers are excluded on purpose, and not alike in "
        "every arm ({arms}; p: {p:p}): who is left cannot be compared."
    )
    passed = tested.p >= IMPLAUSIBLE
    yield CheckAnswer(passed, alike if passed else other, values, value=count, p=tested.p)


def _listed(found: Lost) -> str:
    """How many are lost of each arm of which somebody is."""
    return ", ".join(f"{arm}: {gone}" for arm, (_, gone) in found.items() if gone and arm)


EXCLUSION = CheckDefinition(
    name="exclusion",
    title=N_("Left out alike"),
    severity=Severity.critical,
    judge=_excluded,
    facts=(left_out,),
    tells="counts",
)


def counted_as_zero(plan: Plan) -> tuple[str, ...]:
    """The metrics that are measured of which a missing value counts as 0."""
    parts = {part for name in plan.measured for part in (name, *plan.metrics[name].parts)}
    return tuple(
        name
        for name, metric in plan.metrics.items()
        if name in parts and metric.missing == "zero" and not _half(plan, name)
    )


def _half(plan: Plan, name: str) -> bool:
    """Whether a metric is the total of one that leaves customers out."""
    return any(m.missing == "drop" and name in m.pair for m in plan.metrics.values())


@Fact
def without_value(data: FactInputs) -> Mapping[str, Lost] | None:
    """By metric of which a missing value counts as 0, and by arm, how many customers have none."""
    names, frame = counted_as_zero(data.plan), data.population
    if not names:
        return None
    columns = [data.plan.metrics[name].column or "" for name in names]
    absent = [missing_sql(f"c.{quote(column)}", frame.columns[column]) for column in columns]
    size = data.size
    listed = (f"CASE WHEN {test} THEN {size} ELSE 0 END AS m{at}" for at, test in enumerate(absent))
    sums = (f"SUM(m{at}) AS m{at}" for at in range(len(names)))
    rows = data.engine.query(
        f"SELECT arm, SUM(n) AS n, {', '.join(sums)} FROM (SELECT {frame.own['arm']} AS arm,"
        f" {size} AS n, {', '.join(listed)} FROM {frame.relation}) AS looked GROUP BY arm"
    ).to_pylist()
    return {
        name: {row["arm"]: (int(row["n"]), int(row[f"m{at}"])) for row in rows}
        for at, name in enumerate(names)
    }


def _missing(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """How many customers have no value of a metric, and of one that drops them, whether alike."""
    for name, found in (inputs.facts.of(without_value) or {}).items():
        text = N_("{missing:count} of {total:count} customers have no value, which counts as 0.")
        yield CheckAnswer(
            passed=True, text=text, values=_numbers(found), subjects=(name,), value=_lost(found)
        )
    for name in inputs.plan.measured:
        if inputs.plan.metrics[name].missing == "drop" and inputs.arms:
            yield _dropped(inputs, name)


def _dropped(inputs: CheckInputs, name: str) -> CheckAnswer:
    found = dropped(inputs, name)
    tested, values = lost_alike(list(found.values())), _numbers(found)
    if tested is None:
        text = N_("Every customer has a value.")
        if values["missing"]:
            text = N_(
                "{missing:count} of {total:count} customers have no value and are left out of it."
            )
        return CheckAnswer(
            passed=True, text=text, values=values, subjects=(name,), value=_lost(found)
        )
    values |= {"p": tested.p, "arms": _listed(found)}
    passed = tested.p >= IMPLAUSIBLE
    alike = N_(
        "{missing:count} of {total:count} customers have no value and are left out of it, alike "
        "in every arm ({arms}; p: {p:p})."
    )
    other = N_(
        "{missing:count} of {total:count} customers have no value and are left out of it, and not "
        "alike in every arm ({arms}; p: {p:p}): those who are left cannot be compared."
    )
    text = alike if passed else other
    severity = Severity.critical if _decides(inputs.plan, name) else Severity.warning
    return CheckAnswer(passed, text, values, (name,), severity, _lost(found), tested.p)


def dropped(inputs: CheckInputs, name: str) -> Lost:
    """Customers by arm, and how many of them have no value of a metric that leaves them out."""
    spec, arms = inputs.spec, inputs.arms
    _, there = spec.ratios[name]
    found: dict[str, tuple[int, int]] = {}
    for arm in (arm for arm in inputs.plan.arms if arm in arms):
        group = arms[arm]
        n = round(group.n * (1.0 if spec.size is None else float(group.mean[spec.size])))
        found[arm] = (n, n - round(group.n * float(group.mean[there])))
    return found


def _numbers(found: Lost) -> dict[str, Scalar]:
    return {"missing": int(_lost(found)), "total": sum(n for n, _ in found.values())}


def _lost(found: Lost) -> float:
    return float(sum(gone for _, gone in found.values()))


def _decides(plan: Plan, name: str) -> bool:
    """Whether the verdict rests on a metric; of others only their own number is in doubt."""
    asked = plan.experiment.metrics
    return name in (asked.primary, plan.decided_by, *asked.guardrails)


MISSING_OUTCOMES = CheckDefinition(
    name="missing_outcomes",
    title=N_("Missing outcomes"),
    severity=Severity.critical,
    judge=_missing,
    facts=(without_value,),
)
