"""Each case of the corpus is read as a user would: checked against its tables, and analysed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from corpus import EXPERIMENT, METRICS, SOURCES, Case, canonical, truth

from upliftlab import Experiment
from upliftlab.errors import Diagnostic, UpliftLabError

_CLOSE = 1e-9


def experiment(case: Case, folder: Path) -> Experiment:
    """The case's experiment, its files in `folder / "data"`."""
    data = folder / "data"
    data.mkdir()
    canonical(data)
    written = case.write(data)
    sources = {name: {**said, **written.get(name, {})} for name, said in SOURCES.items()}
    configs = {
        "sources": {"sources": sources},
        "metrics": {"metrics": {**METRICS, **case.metrics}},
        "program": {"smallest_cell": "2"},
    }
    return Experiment.from_dict({**EXPERIMENT, **case.experiment}, configs, folder=folder)


def findings(report: Any) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What was found, by what it is about."""
    return {
        (each.kind, each.metric, each.arm, each.dimension, each.level): (
            each.estimate,
            each.low,
            each.high,
            each.p,
        )
        for each in report.findings
    }


@cache
def expected() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The findings of the canonical files, which are first held against the truth."""
    with TemporaryDirectory() as folder:
        case = Case("canonical", "Parquet", lambda _: {})
        report = experiment(case, Path(folder)).analyze()
        found = findings(report)
        for (metric, region), (_, _, difference) in truth().items():
            at = ("difference", metric, "mail", "region" if region else None, region)
            assert found[at][0] == pytest.approx(difference, rel=_CLOSE), at
        return found


def faults(asked: Experiment) -> list[Diagnostic]:
    """What `check --data` says, also where it raises."""
    try:
        return [each for each in asked.check(data={}) if each.severity == "error"]
    except UpliftLabError as error:
        return list(error.faults)


def hold(case: Case, folder: Path) -> None:
    """Read right to the last digit or refused with the expected code, by every command alike."""
    asked = experiment(case, folder)
    said = faults(asked)
    try:
        report, refused = asked.analyze(), list[Diagnostic]()
    except UpliftLabError as error:
        report, refused = None, list(error.faults)
    codes = [each.code for each in refused]
    assert bool(said) is bool(refused) or case.check, (said, refused)
    if case.code is not None:
        assert case.code in codes, refused
        assert all(each.remedy for each in refused), refused
        return
    assert report is not None, refused
    if case.check is not None:
        failed = [each for each in report.checks if each.passed is False]
        assert case.check in [each.name.partition(":")[0] for each in failed], report.checks
        return
    found = findings(report)
    assert found.keys() == expected().keys()
    for at, numbers in expected().items():
        assert found[at] == pytest.approx(numbers, rel=_CLOSE, abs=_CLOSE), at
