"""The numbers about responses as a flat table for spreadsheets, one estimate a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upliftlab.report.export import rounded, spreadsheet
from upliftlab.results.uplift import (
    Estimate,
    HeterogeneityGate,
    PolicyValue,
    Tenth,
    UpliftCurve,
    UpliftResult,
)

_COLUMNS: Final = (
    "part", "arm", "name", "measure", "n", "x",
    "estimate", "se", "low", "high", "p", "p_adjusted", "note",
)  # fmt: skip
_POLICY: Final = ("value", "cost", "beside_best", "beside_today", "beside_random", "realised")
Line = dict[str, object]


def to_csv(responses: UpliftResult) -> bytes:
    """Every estimate: UTF-8 with its mark, no cell a formula."""
    return spreadsheet(_COLUMNS, _lines(rounded(responses)))


def _lines(found: UpliftResult) -> Iterator[Line]:
    for gate in found.gates:
        yield from _gate(gate)
    for policy in found.policies:
        yield from _policy(policy)
    for one in found.learners:
        line: Line = {"part": "learner", "arm": one.arm, "name": f"{one.learner} ({one.base})"}
        yield line | {"measure": "autoc"} | _ends(one.autoc)
        yield line | {"measure": "qini_auc", "estimate": one.qini_auc, "se": one.qini_auc_sd}
        yield line | {"measure": "uplift_at_30", "estimate": one.uplift_at_30}
    for tenth in found.deciles:
        yield _decile(tenth)
    for one in found.sleeping:
        yield {"part": "sleeping", "arm": one.arm, "measure": "effect", "n": one.n} | _ends(
            one.effect
        )
    for curve in found.curves:
        yield from _curve(curve)


def _ends(one: Estimate) -> Line:
    return one.model_dump(mode="json")


def _gate(gate: HeterogeneityGate) -> Iterator[Line]:
    line: Line = {"part": "gate", "arm": gate.arm, "name": gate.learner}
    for name in ("average", "slope", "autoc", "qini"):
        yield line | {"measure": name} | _ends(getattr(gate, name))
    yield line | {"measure": "gate", "p": gate.p, "p_adjusted": gate.p_adjusted}


def _policy(policy: PolicyValue) -> Iterator[Line]:
    line: Line = {"part": "policy", "name": policy.name, "arm": policy.arm}
    for name in _POLICY:
        found: Estimate | None = getattr(policy, name)
        if found is not None:
            yield line | {"measure": name} | _ends(found)
    for arm, share in policy.shares.items():
        yield line | {"arm": arm, "measure": "share", "estimate": share}


def _decile(tenth: Tenth) -> Line:
    about: Line = {"part": "decile", "arm": tenth.arm, "measure": "effect", "n": tenth.n}
    return about | {"x": tenth.decile} | _ends(tenth.effect)


def _curve(curve: UpliftCurve) -> Iterator[Line]:
    for measure, points in (("curve", curve.points), ("reference", curve.reference)):
        for point in points:
            about: Line = {"part": curve.kind, "arm": curve.arm, "measure": measure}
            yield about | {"x": point.x, "estimate": point.y, "low": point.low, "high": point.high}
