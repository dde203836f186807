"""Is everybody who was assigned here, in the arm they were assigned to, and houses kept whole?"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.arm_labels import arm_sql
from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
)
from upliftlab.analysis.population import ASSIGNED
from upliftlab.queries.population import missing_column
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.integrity import independence
from upliftlab.text.language import N_


@Fact
def crossing(data: FactInputs) -> int | None:
    """How many households have customers in several arms."""
    own = data.population.own
    if "house" not in own:
        return None
    inner = (
        f"SELECT {own['house']} AS house FROM {data.population.relation} GROUP BY {own['house']}"
        f" HAVING COUNT(DISTINCT {own['arm']}) > 1"
    )
    return data.number(f"SELECT COUNT(*) AS n FROM ({inner}) AS mixed")


def _households(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    mixed = inputs.facts.of(crossing)
    if mixed is None:
        return
    text = N_("Every household lies in one arm.")
    if mixed:
        text = N_("{count:count} households have customers in several arms.")
    yield CheckAnswer(mixed == 0, text, {"count": mixed}, value=mixed)


HOUSEHOLDS = CheckDefinition(
    name="households",
    title=N_("Households kept whole"),
    severity=Severity.critical,
    judge=_households,
    facts=(crossing,),
    tells="counts",
)


@Fact
def absent(data: FactInputs) -> Mapping[str, tuple[int, int]] | None:
    """By arm, how many the ledger assigned, and how many of them are not in the data."""
    if "day" not in data.population.own:
        return None
    everybody = data.engine.query(f"SELECT arm, COUNT(*) AS n FROM {ASSIGNED} GROUP BY arm")
    frame = data.population
    here = data.engine.query(
        f"SELECT a.arm AS arm, COUNT(*) AS n FROM {frame.whole or frame.relation} GROUP BY a.arm"
    )
    found = {row["arm"]: row["n"] for row in here.to_pylist()}
    return {
        row["arm"]: (row["n"], row["n"] - found.get(row["arm"], 0)) for row in everybody.to_pylist()
    }


def _attrition(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether everybody who was assigned is in the data, and if not, alike in every arm."""
    arms = inputs.facts.of(absent)
    if arms is None:
        return
    missing = sum(gone for _, gone in arms.values())
    if not missing:
        text = N_("Every assigned customer is in the data.")
        yield CheckAnswer(passed=True, text=text, value=0.0)
        return
    tested = independence([[n - gone, gone] for n, gone in arms.values()])
    p = None if tested is None else tested[1]
    values: dict[str, Scalar] = {
        "missing": missing,
        "total": sum(n for n, _ in arms.values()),
        "arms": ", ".join(f"{arm}: {gone}" for arm, (_, gone) in arms.items() if gone),
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
    yield CheckAnswer(passed=False, text=text, values=values, value=missing, p=p)


ATTRITION = CheckDefinition(
    name="attrition",
    title=N_("Everybody in the data"),
    severity=Severity.critical,
    judge=_attrition,
    facts=(absent,),
    tells="counts",
)


@Fact
def misdelivered(data: FactInputs) -> int | None:
    """How many customers were given another arm than the ledger's, as a column of the data says.

    Raises:
        DataError: UL205, the column is not there.
    """
    column, frame = data.plan.experiment.assignment.delivered, data.population
    if column is None:
        return None
    if column not in frame.columns:
        raise missing_column(column, "assignment", frame.columns)
    if "day" not in frame.own:
        return None
    delivered = f"CAST({arm_sql(data.plan, column, frame.columns)} AS VARCHAR)"
    wrong = f"CASE WHEN {delivered} = CAST(a.arm AS VARCHAR) THEN 0 ELSE 1 END"
    return data.number(f"SELECT COALESCE(SUM({wrong}), 0) AS n FROM {frame.relation}")


def _delivered(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    wrong = inputs.facts.of(misdelivered)
    if wrong is None:
        return
    text = N_("Every customer was given the ledger's arm.")
    if wrong:
        text = N_("{count:count} customers were given another arm than the ledger's.")
    yield CheckAnswer(wrong == 0, text, {"count": wrong}, value=wrong)


DELIVERED = CheckDefinition(
    name="delivered",
    title=N_("Arms as assigned"),
    severity=Severity.critical,
    judge=_delivered,
    facts=(misdelivered,),
    tells="counts",
)
