"""Where data lie: `configs/sources.yaml`, and the engine that reads them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, cast

from pydantic import (
    AfterValidator,
    ModelWrapValidatorHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from upliftlab.config.models.aggregated import Aggregated
from upliftlab.config.models.formats import FileFormat
from upliftlab.config.models.model import Declaration, Key, Names, refusing, shorthand
from upliftlab.config.models.values import Count, Currency, Date, Name
from upliftlab.config.models.values_by import Columns
from upliftlab.util.extensions import ENGINES, blaming, installed, loaded, misfit, package_of


class AttributeKind(StrEnum):
    """What an attribute of a customer tells about them."""

    demographic = "demographic"
    behavioural = "behavioural"
    attitudinal = "attitudinal"
    transaction = "transaction"


OWN_ENGINES: Final = ("duckdb", "spark", "postgres")
"""The engines that upliftlab brings along."""


def _known(name: str) -> str:
    if name in OWN_ENGINES:
        return name
    with refusing():
        further = installed(ENGINES, OWN_ENGINES)
    if name in further:
        return name
    said = [f"'{each}'" for each in (*OWN_ENGINES, *further)]
    expected = f"{', '.join(said[:-1])} or {said[-1]}"
    raise PydanticKnownError("literal_error", {"expected": expected})


EngineName = Annotated[
    Name,
    AfterValidator(_known),
    WithJsonSchema({"anyOf": [{"enum": list(OWN_ENGINES)}, {"type": "string", "maxLength": 120}]}),
]


class EngineSettings(Declaration):
    """Where queries run."""

    name: EngineName = "duckdb"
    """The engine: duckdb (embedded, the default), spark, postgres, or one that an installed
    package adds."""
    threads: Count | None = None
    """How many threads the embedded engine may use; all by default."""
    memory_limit: Name | None = None
    """Memory the embedded engine may use before it spills to disk, such as 2 GB."""
    connection: Name | None = None
    """Connection settings of a server; only a password may be `${env:NAME}`."""


def _of_its_engine(
    value: Any,  # noqa: ANN401 - as pydantic hands it on
    handler: ModelWrapValidatorHandler[EngineSettings],
) -> EngineSettings:
    """An engine's settings, also of an engine that an installed package adds: with its own keys."""
    if not isinstance(value, dict):
        return handler(value)
    written = cast("dict[str, object]", value)
    model = _model_of(written.get("name"))
    return handler(written) if model is EngineSettings else model.model_validate(written)


def _model_of(name: object) -> type[EngineSettings]:
    if not isinstance(name, str) or name in OWN_ENGINES:
        return EngineSettings
    with refusing():
        return settings_model(name)


def settings_model(name: str) -> type[EngineSettings]:
    """The settings of an engine by its name; the common ones where nobody offers it.

    Raises:
        ConfigError: UL028, UL029 and UL473, the package that offers it cannot be used.
    """
    further = installed(ENGINES, OWN_ENGINES) if name not in OWN_ENGINES else {}
    if name not in further:
        return EngineSettings
    point = further[name]
    with blaming(package_of(point), f"the engine '{name}'"):
        model: object = getattr(loaded(point), "settings", None)
    if isinstance(model, type) and issubclass(model, EngineSettings):
        return model
    raise misfit(point, "has no settings that are EngineSettings")


AnyEngine = Annotated[EngineSettings, WrapValidator(_of_its_engine), shorthand("name")]
"""The settings of any engine, upliftlab's or an installed package's; its name may stand alone."""


class Source(Declaration):
    """A table: where it lies and which of its columns play a part."""

    file: Name | None = None
    """A file of CSV, Parquet, Excel, JSON, Arrow, DuckDB or SQLite, relative to the data root;
    `orders/*.parquet` names several, a folder its Parquet files."""
    table: Name | None = None
    """The table inside a .duckdb or .sqlite file or on a server, optionally with its schema."""
    sheet: Name | None = None
    """The sheet of a workbook; the only one by default."""
    id: Name | None = None
    """The column that identifies a customer."""
    household: Name | None = None
    """The column that identifies a customer's household."""
    time: Name | None = None
    """For a table of events: the column that says when each happened. Of `aggregated` rows, of
    when each is: figures that only ever grow in it are refused as cumulative."""
    zone: Name | None = None
    """Time zone of times that name none, as an IANA name; the program's by default."""
    key: Key | None = None
    """The column that identifies an event, or several that do so together, such as
    `[order_id, line]`."""
    repeats: Literal["once", "each"] | None = None
    """What rows of one key are that are alike in all that is looked at: loaded twice, so that they
    count once, or lines of one order, so that each counts. By default such rows are refused."""
    recorded: Name | None = None
    """The column that says when an event became known, to count those that came late."""
    complete_until: Date | None = None
    """For a table of events: the day up to which all of them are there, that day included. By
    default the last event tells it, which is wrong of events that stopped coming by themselves."""
    experiment: Name | None = None
    """The column that names the experiment an event belongs to; other experiments' do not count."""
    amounts: dict[Name, Currency] = {}
    """Columns that hold money, and its currency."""
    currency: Name | None = None
    """The column that says in which currency a row's money is."""
    as_of: Name | None = None
    """The column that says as of when a customer's attributes are: before assignment."""
    attributes: dict[Name, AttributeKind] = {}
    """What kind of attribute each column is."""
    known_after: Names = ()
    """Columns whose values come to be only after assignment: not for segments or covariates."""
    known_before: Names = ()
    """Columns that are known before assignment though their names sound like responses, such as
    `opened_last_year`."""
    weight: Name | None = None
    """For customers: the column that says for how many equal customers a row stands; one each by
    default."""
    aggregated: Aggregated | None = None
    """For customers: what each row tells of many of them together, such as an arm's day."""
    format: FileFormat | None = None
    """How values are written in the file, where that can be read in two ways."""
    columns: Columns = {}
    """Columns that are computed from the others, such as `net: gross - vat`, or by a table of
    values; none by default."""
    added_later: ClassVar[frozenset[str]] = frozenset(
        {
            "aggregated",
            "columns",
            "complete_until",
            "format",
            "known_before",
            "repeats",
            "sheet",
            "weight",
        }
    )

    @property
    def group_size(self) -> str | None:
        """The column that says of how many customers a row is; None where it is of one."""
        return self.weight if self.aggregated is None else self.aggregated.n

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What the customers' table itself tells of the time after assignment."""
        return (*self.known_after, *(self.aggregated.names if self.aggregated else ()))

    @model_validator(mode="after")
    def _one_size(self) -> Source:
        if self.weight is not None and self.aggregated is not None:
            raise ValueError("'weight' and 'aggregated' exclude each other: 'n' is the weight")
        return self

    @model_validator(mode="after")
    def _located(self) -> Source:
        if self.file is None and self.table is None:
            raise ValueError("a source needs 'file' or 'table'")
        if self.repeats is not None and self.key is None:
            raise ValueError("'repeats' says what rows of one 'key' are: name its column")
        return self
