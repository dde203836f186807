"""The full life of a campaign finds the same on every engine."""

from __future__ import annotations

import math

import pyarrow.parquet as pq
import pytest
from worlds import analysed, assigned

from upliftlab.engines.spark import Spark

NUMBERS = ("estimate", "se", "low", "high", "p", "p_adjusted")
SAME = 1e-9


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return assigned(tmp_path_factory.mktemp("world"), customers=2_000)


@pytest.fixture(scope="module")
def expected(world):
    return analysed(world)


def alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-12)


def same(found, expected):
    assert len(found.findings) == len(expected.findings) > 200
    for one, other in zip(found.findings, expected.findings, strict=True):
        for number in NUMBERS:
            pair = getattr(one, number), getattr(other, number)
            assert alike(*pair), (one.kind, one.metric, one.arm, one.level, number, pair)
    for one, other in zip(found.checks, expected.checks, strict=True):
        if one.name == other.name == "same_customers":
            continue  # a server's table is another than the file that was assigned
        assert (one.name, one.passed, one.message) == (other.name, other.passed, other.message)
    assert found.verdict.sentence == expected.verdict.sentence
    assert found.time_course.arrivals == expected.time_course.arrivals
    courses = zip(found.time_course.curves, expected.time_course.curves, strict=True)
    for one, other in courses:
        assert len(one.points) == len(other.points) > 1
        for mine, theirs in zip(one.points, other.points, strict=True):
            for number in ("estimate", "se", "low", "high", "band_low", "band_high"):
                pair = getattr(mine, number), getattr(theirs, number)
                assert alike(*pair), (one.kind, one.arm, mine.day, number, pair)
    for one, other in zip(found.moments, expected.moments, strict=True):
        assert (one.arm, one.level, one.n) == (other.arm, other.level, other.n)


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark(world, expected):
    with Spark(world.workspace.locate) as engine:
        same(analysed(world, engine), expected)


@pytest.mark.postgres
def test_postgres(world, expected, postgres, desk):
    plan = world.plan
    sources = {"customers": plan.customers, **plan.sources}
    for name, source in sources.items():
        desk.publish(f"world_{name}", pq.read_table(world.workspace.data / source.file))
    moved = {
        name: source.model_copy(update={"file": None, "table": f"odd.world_{name}"})
        for name, source in sources.items()
    }
    customers = moved.pop("customers")
    there = plan.model_copy(update={"customers": customers, "sources": moved})
    same(analysed(world, postgres, there), expected)


def test_the_truth_lies_within_the_intervals(tmp_path):
    """All that is estimated overall of 20,000 customers, and nearly all of their segments."""
    import json

    loaded = assigned(tmp_path, customers=20_000)
    records = json.loads((tmp_path / "truth.json").read_text("utf-8"))["effects"]
    truth = {(r["arm"], r["dimension"], r["level"]): r for r in records}
    outside = total = 0
    for finding in analysed(loaded).findings:
        about = truth.get((finding.arm, finding.dimension, finding.level))
        if about is None or finding.low is None:
            continue
        if finding.kind == "difference":
            expected = about["difference"].get(finding.metric)
        else:
            expected = about.get(str(finding.kind))
        if expected is not None:
            total += 1
            outside += not finding.low <= expected <= finding.high
    assert total > 150
    assert outside / total < 0.10
