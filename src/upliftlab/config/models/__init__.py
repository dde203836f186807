"""What files declare: the models of `configs/`, parts of an experiment, and their base.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference.
"""

from upliftlab.config.models.aggregated import Aggregated
from upliftlab.config.models.analysis import AnalysisSettings, Prior
from upliftlab.config.models.arms import Arm, AssignmentSettings, SharePeriod, Wave
from upliftlab.config.models.channels import Channel, Costs, Offer
from upliftlab.config.models.files import (
    ChannelsFile,
    File,
    MetricsFile,
    Program,
    SegmentsFile,
    SourcesFile,
    Theme,
)
from upliftlab.config.models.formats import FileFormat
from upliftlab.config.models.metrics import Metric
from upliftlab.config.models.model import Called, Declaration, Names, shorthand
from upliftlab.config.models.planning import BaselineFigures, Planning
from upliftlab.config.models.program import ContactPolicy, Layer, UniversalHoldout
from upliftlab.config.models.segments import Lifecycle, Rfm, Segment
from upliftlab.config.models.sources import AttributeKind, EngineSettings, Source
from upliftlab.config.models.theme import ColourPair, Logo
from upliftlab.config.models.uplift import FeatureKind, Learner, TodayRule, Uplift
from upliftlab.config.models.values_by import Uncertain, ValuesBy

__all__ = [
    "Aggregated",
    "AnalysisSettings",
    "Arm",
    "AssignmentSettings",
    "AttributeKind",
    "BaselineFigures",
    "Called",
    "Channel",
    "ChannelsFile",
    "ColourPair",
    "ContactPolicy",
    "Costs",
    "Declaration",
    "EngineSettings",
    "FeatureKind",
    "File",
    "FileFormat",
    "Layer",
    "Learner",
    "Lifecycle",
    "Logo",
    "Metric",
    "MetricsFile",
    "Names",
    "Offer",
    "Planning",
    "Prior",
    "Program",
    "Rfm",
    "Segment",
    "SegmentsFile",
    "SharePeriod",
    "Source",
    "SourcesFile",
    "Theme",
    "TodayRule",
    "Uncertain",
    "UniversalHoldout",
    "Uplift",
    "ValuesBy",
    "Wave",
    "shorthand",
]
