"""What a check is: a question asked of the data, what is counted for it, and how it is judged."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice
from upliftlab.analysis.contrasts import Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.event_tables import EventReading
from upliftlab.analysis.look import LookSchedule
from upliftlab.analysis.record import Record
from upliftlab.analysis.share_regimes import ShareRegime
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.grouped import WEIGHT
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.results.analysis import (
    Check,
    DataFile,
    Finding,
    Message,
    MetricInfo,
    Scalar,
    Severity,
)
from upliftlab.stats.moments import Moments
from upliftlab.text.language import Language

IMPLAUSIBLE = 0.001
"""What is this improbable is a fault of the experiment, not of chance."""
Counts = Mapping[str, Mapping[str, int]]
"""Units by group and arm."""
Tells = Literal["counts", "values", "effects"]
"""What an answer is made of: how many customers there are, what they did, or what contact did."""
_NAME = re.compile("[a-z][a-z0-9_]*")
_ENGLISH = Language("en")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FactInputs:
    """What facts are counted from. All of it may be read with SQL, in DuckDB's dialect.

    Attributes:
        plan: What was declared; windows end with this look.
        spec: What is compared.
        engine: Where the data lie.
        population: Who is analysed, one row a customer, with the customers' table as `c`.
        units: The unit table as a relation: `arm`, where known `wave` and `stratum`, `x0`, `x1`, …
            as `spec.columns` and `s0`, `s1`, … as `spec.segments`. Where a row is of several units,
            `weight` says how many, and the numbers are their means.
        events: The tables of events that anything is counted from.
        regimes: The times of different shares, which are the strata of the unit table then.
    """

    plan: Plan
    spec: EstimationSpec
    engine: Engine
    population: AnalysisPopulation
    units: str
    events: tuple[EventReading, ...] = ()
    regimes: tuple[ShareRegime, ...] = ()

    @property
    def grouped(self) -> bool:
        """Whether a row of the customers' table is of several of them."""
        return self.plan.customers.group_size is not None

    @property
    def size(self) -> str:
        """How many customers a row of the population is, in SQL."""
        return self.population.own.get(WEIGHT, "1")

    @property
    def count(self) -> str:
        """How many units some rows of the unit table are, in SQL."""
        return f"SUM({WEIGHT})" if self.grouped else "COUNT(*)"

    def column(self, name: str) -> str | None:
        """The unit table's column of a metric or covariate; None where it is not counted."""
        return f"x{self.spec.columns.index(name)}" if name in self.spec.columns else None

    def number(self, sql: str) -> int:
        """The only number, called `n`, of a query."""
        return int(self.engine.query(sql).to_pylist()[0]["n"])


@dataclass(frozen=True, slots=True, eq=False)
class Fact(Generic[T]):
    """Something counted of the data beside the estimates, once for all checks that look at it.

    Attributes:
        count: Counts it; None where the plan or the data do not ask for it.
    """

    count: Callable[[FactInputs], T | None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted, by fact."""

    found: Mapping[Fact[Any], Any] = field(default_factory=dict[Fact[Any], Any])

    def of(self, fact: Fact[T]) -> T | None:
        """What a fact came to; None where it cannot be known.

        Raises:
            LookupError: no check that is asked names it among its facts.
        """
        if fact not in self.found:
            raise LookupError("a fact was not counted: name it among the facts of the check")
        return self.found[fact]


@dataclass(frozen=True, slots=True)
class CheckInputs:
    """What checks judge. What is not known yet is empty.

    Attributes:
        plan: What was declared.
        spec: What is compared.
        schedule: Which of the planned looks at the data this is.
        facts: What was counted for the checks.
        aggregates: Moments of the metric columns (not projected) by place and arm.
        record: What the ledger holds, where it holds the assignment.
        customers: The customers' table as it was read.
        findings: Every number with its interval.
        compared: What they are of: every treated group in every place.
        metrics: How metrics are named and shown.
    """

    plan: Plan
    spec: EstimationSpec
    schedule: LookSchedule
    facts: Facts
    aggregates: Aggregates = field(default_factory=dict[Slice, Mapping[str, Moments]])
    record: Record | None = None
    customers: DataFile | None = None
    findings: Sequence[Finding] = ()
    compared: Sequence[Contrast] = ()
    metrics: Sequence[MetricInfo] = ()

    @property
    def arms(self) -> Mapping[str, Moments]:
        """Moments by arm; an arm without units is absent."""
        return self.aggregates.get(OVERALL, {})

    @property
    def small_arms(self) -> dict[str, int]:
        """Units of the arms of which nothing but counts is told: what single customers did."""
        smallest = self.plan.smallest_cell
        return {arm: group.n for arm, group in self.arms.items() if group.n < smallest}


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What a check came to, of one subject.

    Attributes:
        passed: Whether all is well; None where it could not be asked, as the text says.
        text: In English, with placeholders as `Message` has them. It must not name customers.
        values: What is put in.
        subjects: What was asked about, such as a segment or a metric and an arm.
        severity: What a failure means, where it is not the check's own.
        value: The statistic.
        p: Its p-value.
    """

    passed: bool | None
    text: str
    values: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    subjects: tuple[str, ...] = ()
    severity: Severity | None = None
    value: float | None = None
    p: float | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("an answer needs a text")


def unasked(
    text: str, values: Mapping[str, Scalar] | None = None, subjects: tuple[str, ...] = ()
) -> CheckAnswer:
    """The answer of a check that could not be asked, where that is no fault."""
    return CheckAnswer(None, text, values or {}, subjects, severity=Severity.info)


@dataclass(frozen=True, slots=True)
class CheckDefinition:
    """A question asked of the data before any number is shown.

    Attributes:
        name: Lower case; a published check has its subjects behind it: `balance:region`.
        title: What people call it, in English.
        severity: What a failure means: a critical one makes every number invalid.
        judge: Its answers, one for each subject; none where there is nothing to ask. It computes
            and reads nothing.
        facts: What is counted for it.
        tells: What answers are made of. Only those of `counts` are asked where an arm is smaller
            than `smallest_cell`; those of `effects` are taken back where a critical check failed.
        package: The installed package that adds it, set where it is loaded; None for ours.
    """

    name: str
    title: str
    severity: Severity
    judge: Callable[[CheckInputs], Iterable[CheckAnswer]]
    facts: tuple[Fact[Any], ...] = ()
    tells: Tells = "values"
    package: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a check: write it like sample_ratio")
        if not self.title.strip():
            raise ValueError(f"the check {self.name} needs a title")

    def ask(self, inputs: CheckInputs) -> list[Check]:
        """Its answers as they are published."""
        return [self._published(answer) for answer in self.judge(inputs)]

    def _published(self, answer: CheckAnswer) -> Check:
        parts = Message(template=answer.text, values=dict(answer.values))
        return Check(
            name=":".join((self.name, *answer.subjects)),
            title=self.title,
            severity=answer.severity or self.severity,
            passed=answer.passed,
            value=_finite(answer.value),
            p=_finite(answer.p),
            message=_ENGLISH.say(parts, None),
            parts=parts,
        )


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
