"""What files declare: the models of `configs/`, parts of an experiment, and their base.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference.
"""

from upliftlab.declarations.analysis import Analysis
from upliftlab.declarations.arms import Arm, Assignment, Wave
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
from upliftlab.declarations.uplift import FeatureKind, Learner, Today, Uplift

__all__ = [
    "Analysis",
    "Arm",
    "Assignment",
    "AttributeKind",
    "Channel",
    "ChannelsFile",
    "ContactPolicy",
    "Costs",
    "Engine",
    "FeatureKind",
    "File",
    "Layer",
    "Learner",
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
    "Today",
    "UniversalHoldout",
    "Uplift",
    "Wave",
    "shorthand",
]
