"""The files of `configs/`, one model each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from upliftlab.config.models.channels import Channel, Offer
from upliftlab.config.models.metrics import AnyMetric
from upliftlab.config.models.model import Declaration
from upliftlab.config.models.program import ContactPolicy, Layer, UniversalHoldout
from upliftlab.config.models.segments import Segment
from upliftlab.config.models.sources import AnyEngine, Source
from upliftlab.config.models.theme import ColourPair, Logo, Typeface
from upliftlab.config.models.values import Count, Currency, Name


class File(Declaration):
    """A file of `configs/`."""

    schema_version: Annotated[Literal[1], BeforeValidator(lambda v: int(v) if v == "1" else v)] = (
        Field(default=1, alias="schema")
    )
    """Version of this language: 1."""


class Program(File):
    """configs/program.yaml: what all experiments share."""

    currency: Currency | None = None
    """Currency of all money, as a three-letter code."""
    time_zone: Name = "UTC"
    """Time zone of days, as an IANA name."""
    engine: AnyEngine | None = None
    """Where queries run."""
    universal_holdout: UniversalHoldout | None = None
    """Customers no experiment ever contacts."""
    layers: dict[Name, Layer] = {}
    """Exclusive experiments and the customers each owns."""
    contact_policy: ContactPolicy | None = None
    """How often a customer may be contacted over all experiments."""
    smallest_cell: Count = 5
    """Nothing is shown of fewer customers of an arm than this, so that no report tells what a
    single one did: smaller levels of a segment are shown together. At least 2."""


class SourcesFile(File):
    """configs/sources.yaml: where tables lie."""

    sources: dict[Name, Source]
    """Tables by the name experiments and metrics call them."""


class MetricsFile(File):
    """configs/metrics.yaml: shared metrics."""

    metrics: dict[Name, AnyMetric]
    """Metrics by the name experiments call them."""


class ChannelsFile(File):
    """configs/channels.yaml: channels, offers and their costs."""

    channels: dict[Name, Channel] = {}
    """Channels by the name arms call them."""
    offers: dict[Name, Offer] = {}
    """Offers by the name arms call them."""


class SegmentsFile(File):
    """configs/segments.yaml: shared segments."""

    segments: dict[Name, Segment]
    """Segments by the name experiments call them."""


class Theme(File):
    """configs/theme.yaml: what pages wear. No number depends on it."""

    house: Name | None = None
    """The house's name, at the head of every page."""
    logo: Logo | None = None
    """Its logo, instead of the name, which is then told to whoever does not see it."""
    accent: ColourPair | None = None
    """Links, marks and the verdict: read on both grounds, and unlike gains and losses."""
    brand: ColourPair | None = None
    """The line under a page's head; the accent by default."""
    typeface: Typeface = ()
    """Typefaces of the reader's machine, the first that is there: [Georgia, serif]. Nothing is
    fetched; upliftlab's own follow."""

    @model_validator(mode="after")
    def _told(self) -> Theme:
        if self.logo is not None and self.house is None:
            raise ValueError("a 'logo' needs 'house', its name in words")
        return self
