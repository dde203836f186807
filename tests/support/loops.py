"""From a campaign to the list of the next, and what the list's own holdout tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.results.analysis import Analysis
from upliftlab.results.targets import Targets
from upliftlab.results.uplift import UpliftResult
from upliftlab.targeting.learn import learn
from upliftlab.targeting.request import TargetRequest
from upliftlab.targeting.target import next_campaign


@dataclass(frozen=True)
class Loop:
    """What was found on the way."""

    analysis: Analysis
    responses: UpliftResult
    targets: Targets
    listed: pd.DataFrame
    again: Analysis


def round_trip(
    plan: Any,
    order: TargetRequest,
    respond: Callable[[pd.DataFrame], tuple[Any, Any]],
    engines: tuple[Callable[[Callable[[str], Path]], Any], Callable[[str], Path], datetime],
) -> Loop:
    """Analyse, learn, choose, let them respond, analyse again: all on one engine.

    Args:
        plan: The campaign that was run.
        order: What is asked of the next.
        respond: From the list to the plan of the experiment on it, and where its files lie.
        engines: How an engine is opened over files, where the campaign's files lie, and the time.
    """
    opened, locate, now = engines
    with opened(locate) as engine:
        setting = AnalysisContext(engine, now)
        analysis, responses = analyze(plan, setting), learn(plan, setting).responses
        targets = next_campaign(plan, order, None, setting)
    listed = pq.read_table(order.output).to_pandas()
    second, there = respond(listed)
    with opened(there) as engine:
        again = analyze(second, AnalysisContext(engine, now))
    return Loop(analysis, responses, targets, listed, again)
