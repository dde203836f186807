"""What files declare: the models of `configs/`, parts of an experiment, and their base.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference.
"""

from upliftlab.config.models.analysis import Analysis
from upliftlab.config.models.arms import Arm, Assignment, Wave
from upliftlab.config.models.channels import Channel, Costs, Offer
from upliftlab.config.models.files import (
    ChannelsFile,
    File,
    MetricsFile,
    Program,
    SegmentsFile,
    SourcesFile,
)
from upliftlab.config.models.metrics import Metric
from upliftlab.config.models.model import Model, Names, shorthand
from upliftlab.config.models.program import ContactPolicy, Layer, UniversalHoldout
from upliftlab.config.models.segments import Lifecycle, Rfm, Segment
from upliftlab.config.models.sources import AttributeKind, Engine, Source
from upliftlab.config.models.uplift import FeatureKind, Learner, Today, Uplift

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
