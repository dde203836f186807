"""What several experiments share: the models of `configs/`, and the base of all models.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference.
"""

from upliftlab.declarations.channels import Channel, Costs, Offer
from upliftlab.declarations.files import (
    ChannelsFile,
    File,
    MetricsFile,
    Program,
    SegmentsFile,
    SourcesFile,
)
from upliftlab.declarations.metrics import Metric
from upliftlab.declarations.model import Model, Names, shorthand
from upliftlab.declarations.program import ContactPolicy, Layer, UniversalHoldout
from upliftlab.declarations.segments import Lifecycle, Rfm, Segment
from upliftlab.declarations.sources import AttributeKind, Engine, Source

__all__ = [
    "AttributeKind",
    "Channel",
    "ChannelsFile",
    "ContactPolicy",
    "Costs",
    "Engine",
    "File",
    "Layer",
    "Lifecycle",
    "Metric",
    "MetricsFile",
    "Model",
    "Names",
    "Offer",
    "Program",
    "Rfm",
    "Segment",
    "SegmentsFile",
    "Source",
    "SourcesFile",
    "UniversalHoldout",
    "shorthand",
]
