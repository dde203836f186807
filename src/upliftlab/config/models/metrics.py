"""What is measured: `configs/metrics.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, cast, get_type_hints

from pydantic import Field, ModelWrapValidatorHandler, WrapValidator, create_model, model_validator

from upliftlab.config.models.metric_kinds import IF_MISSING, OWN, MetricKind, Takes
from upliftlab.config.models.model import Declaration, refusing
from upliftlab.config.models.title import TitleText
from upliftlab.config.models.values import Count, Expression, Flag, Name, Offset
from upliftlab.util.extensions import METRIC_KINDS, blaming, installed, misfit, offered

Pair = tuple[Name, Name]
TOTALS: Final = (" (total)", " (customers)")
"""What the names of the two totals of `totals` end in."""


class _Written:
    """What may be written behind a key, by what its kind takes."""

    field: Name | None
    column: Name | None
    flag: Flag
    count: Count | None
    metrics: Pair | None


_TYPES: Final = get_type_hints(_Written, include_extras=True)
_EXAMPLES: Final[Mapping[Takes, object]] = {
    "column": "column",
    "flag": True,
    "count": 1,
    "metrics": ("one", "other"),
}


def _keys(*kinds: MetricKind) -> dict[str, Any]:
    """The fields of a model that may be defined by these kinds."""
    absent = {"flag": False}
    return {
        kind.key: (
            _TYPES[kind.takes],
            Field(default=absent.get(kind.takes), description=kind.meaning),
        )
        for kind in kinds
    }


_Defined: type[Declaration] = create_model("_Defined", __base__=Declaration, **_keys(*OWN.values()))


class Metric(_Defined):
    """A number per customer, from a column of the customers' table or from events."""

    if TYPE_CHECKING:  # keys of `OWN` that others ask for by name
        column: Name | None = None
        distinct: Name | None = None
        present: Name | None = None
        ratio: Pair | None = None
        minus: Pair | None = None
    kinds: ClassVar[Mapping[str, MetricKind]] = OWN
    """What may define it, by key."""

    source: Name | None = Field(default=None, alias="from")
    """The table of events it is computed from."""
    where: Expression | None = None
    """Only events that meet this condition."""
    during: tuple[Offset, Offset] | None = None
    """Only events from the first to before the second time since the customer's start (before it
    where negative); the outcome window by default."""
    only: Name | None = None
    """Counted only for customers of whom this other metric is not 0, else 0."""
    unless: Name | None = None
    """Counted only for customers of whom this other metric is 0, else 0."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good. A metric that decides says so; where it does not, higher is taken,
    and the verdict tells."""
    unit: Literal["number", "money", "share"] | None = None
    """How it is shown; money for the revenue column, number otherwise."""
    title: TitleText | None = None
    """The name shown in reports."""
    missing: Literal["fail", "zero", "drop"] = "fail"
    """What a customer counts as whose column is empty: fail refuses the data (the default), zero
    counts them as 0, drop leaves them out of this metric."""
    added_later: ClassVar[frozenset[str]] = frozenset({"missing", "present"})

    @property
    def kind(self) -> MetricKind:
        """What defines it."""
        key = self.defined_by
        return IF_MISSING[self.missing] if key == "column" else self.kinds[key]

    @property
    def defined_by(self) -> str:
        """The key that defines it."""
        written = self.model_fields_set  # fewer than there are kinds, and asked for often
        return next(key for key in written if key in self.kinds and self._is_chosen(key))

    @property
    def field(self) -> Name | None:
        """The column of the customers' table that it is read from, None where it is from none."""
        return self.written if self.kind.takes == "field" else None

    @property
    def written(self) -> Any:  # noqa: ANN401 - a column, true, a number or two metrics
        """What is written behind that key."""
        return getattr(self, self.defined_by)

    @property
    def value_column(self) -> str | None:
        """The column of the events that it is computed over, None where none is needed."""
        return self.written if self.kind.takes == "column" else None

    @property
    def pair(self) -> tuple[Name, ...]:
        """The two metrics that it is computed from; none where it is not."""
        return self.written if self.kind.takes == "metrics" else ()

    @property
    def parts(self) -> tuple[Name, ...]:
        """The other metrics it is made of."""
        conditions = tuple(name for name in (self.only, self.unless) if name is not None)
        return (*self.pair, *conditions)

    @property
    def has_direction(self) -> bool:
        """Whether `better` is declared, or follows from what the metric is used for."""
        return "better" in self.model_fields_set

    @property
    def has_before(self) -> bool:
        """Whether it can be asked for over the time before a customer's start."""
        return self.source is not None and not self.parts and not self.kind.is_ratio

    def _chosen(self) -> list[str]:
        return [key for key in self.kinds if self._is_chosen(key)]

    def _is_chosen(self, key: str) -> bool:
        return getattr(self, key) not in (None, False)

    @model_validator(mode="after")
    def _one_definition(self) -> Metric:
        chosen = self._chosen()
        if len(chosen) != 1:
            raise ValueError(
                f"a metric is defined by exactly one of {', '.join(self.kinds)}"
                + (f"; found {', '.join(chosen)}" if chosen else "")
            )
        kind = self.kind
        if self.missing != "fail" and kind.key != "column":
            raise ValueError("'missing' needs 'column'; without events a customer has 0")
        if not kind.of_events and (self.source or self.where or self.during):
            raise ValueError(f"'{kind.key}' excludes from, where and during")
        if kind.of_events and not self.source:
            raise ValueError(f"'{kind.key}' needs 'from': a table of events")
        if kind.is_ratio and (self.only or self.unless):
            raise ValueError(f"'{kind.key}' excludes only and unless" + _instead(kind))
        return self


def _instead(kind: MetricKind) -> str:
    if kind.takes == "field":
        return " where 'missing: drop' leaves customers out"
    return "; write them in its two metrics" if kind.takes == "metrics" else ""


def totals(metric: Metric) -> tuple[Metric, Metric]:
    """A metric of which customers without a value are left out, as the two whose ratio it is.

    The first is its value, 0 where there is none; the second is 1 where there is one.
    """
    if metric.column is not None:
        return metric.model_copy(update={"missing": "zero"}), Metric(present=metric.column)
    above, below = _halves(metric.kind)
    given = {name: getattr(metric, name) for name in type(metric).model_fields}
    return above.model_construct(**given), below.model_construct(**given)


@lru_cache(maxsize=256)
def _halves(kind: MetricKind) -> tuple[type[Metric], type[Metric]]:
    """The models of the two totals of a kind."""

    def valued(numbers: Sequence[str], written: Any) -> str:  # noqa: ANN401 - as `ValueSql`
        return f"COALESCE({kind.value(numbers, written)}, 0)"

    def counted(numbers: Sequence[str], written: Any) -> str:  # noqa: ANN401 - as `ValueSql`
        return f"CASE WHEN {kind.value(numbers, written)} IS NULL THEN 0 ELSE 1 END"

    above = replace(kind, missing="zero", value=valued, share=False)
    below = replace(kind, missing="zero", value=counted, share=True)
    return _model(above), _model(below)


@lru_cache(maxsize=256)
def _model(kind: MetricKind) -> type[Metric]:
    """The model of metrics that may also be defined by a further kind."""
    made = create_model("Metric", __base__=Metric, **_keys(kind))
    made.kinds = {**OWN, kind.key: kind}
    return made


def _of_its_kind(value: Any, handler: ModelWrapValidatorHandler[Metric]) -> Metric:  # noqa: ANN401 - as pydantic hands it on
    """A metric, also of a kind that an installed package adds.

    Packages are looked at only where a key is not upliftlab's.
    """
    if not isinstance(value, dict):
        return handler(value)
    written = cast("dict[str, object]", value)
    known = {field.alias or name for name, field in Metric.model_fields.items()}
    with refusing():
        further = [key for key in written if key not in known and key in further_kinds()]
        model = _model(further_kind(further[0])) if len(further) == 1 else None
    return handler(written) if model is None else model.model_validate(written)


AnyMetric = Annotated[Metric, WrapValidator(_of_its_kind)]
"""A metric of any kind, upliftlab's or an installed package's."""


def further_kinds() -> tuple[str, ...]:
    """The keys of the kinds that installed packages add.

    Raises:
        ConfigError: UL028, a key is another package's or upliftlab's.
    """
    return tuple(installed(METRIC_KINDS, OWN))


def further_kind(key: str) -> MetricKind:
    """A kind that an installed package adds.

    Raises:
        ConfigError: UL028, UL029, UL473 and UL474, it cannot be used; the package is named.
    """
    kind, package = offered(METRIC_KINDS, key, MetricKind, OWN)
    point = installed(METRIC_KINDS)[key]
    with blaming(package, f"the metric kind '{key}'"):
        if why := _unfit(kind, key):
            raise misfit(point, why)
    return _blamed(kind, package)


@lru_cache(maxsize=256)
def _blamed(kind: MetricKind, package: str) -> MetricKind:
    """A kind of a package that is named where it fails."""

    def value(numbers: Sequence[str], written: Any) -> str:  # noqa: ANN401 - as `ValueSql`
        with blaming(package, f"the metric kind '{kind.key}'"):
            return kind.value(numbers, written)

    return replace(kind, value=value)


def _unfit(kind: MetricKind, key: str) -> str:
    """Why a kind cannot be used; empty where it can."""
    if kind.key != key:
        return f"has the key '{kind.key}'"
    if not key.isidentifier() or key in dir(Metric):
        return "has a key that cannot be one"
    if kind.takes not in _EXAMPLES:
        return f"takes '{kind.takes}'"
    if (kind.takes == "metrics") == bool(kind.aggregates):
        return "needs aggregates of events, or two metrics and none"
    if kind.estimate == "ratio":
        return "is a ratio: write its two totals as metrics, or leave customers out"
    looks = any("{value}" in each.sql for each in kind.aggregates)
    if looks and kind.takes != "column":
        return "looks at a column and takes none"
    for each in kind.aggregates:
        each.sql.format(value="v", time="t")
    numbers = [f"n{at}" for at in range(len(kind.aggregates) or 2)]
    told = cast("object", kind.value(numbers, _EXAMPLES[kind.takes]))
    return "" if isinstance(told, str) else "gives no SQL"
