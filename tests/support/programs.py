"""Programs of campaigns whose truth is known, as the analyses that `run` would have written.

`python tests/support/programs.py 1000` (with `src` and `tests/support` on Python's path) prints the
figures of docs/portfolio.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from upliftlab.planning.portfolio import portfolio
from upliftlab.results.analysis import (
    Analysis,
    ArmCount,
    ArmVerdict,
    DecisionRule,
    DesignFacts,
    EstimandKind,
    Finding,
    Provenance,
    SegmentInfo,
    Verdict,
    VerdictCode,
)
from upliftlab.results.base import Message

SAID = Message(template="said")
CHANNELS = {"email": 0.15, "sms": -0.05}
"""Profit per treated customer that a campaign of the channel brings on average."""
BETWEEN = 0.3
"""Standard deviation between campaigns' true profits per customer."""
AMOUNTS = 8.0
"""Standard deviation of a customer's profit."""
WIDE = 1.959963984540054


@dataclass(frozen=True)
class Program:
    """Analyses, and the true profit of each arm."""

    analyses: list[Analysis]
    truth: dict[tuple[str, str], float]
    means: dict[tuple[str, str], float]
    """The same per treated customer."""


def finding(arm, estimate, se, sizes, kind=EstimandKind.incremental_profit, **place):
    """A profit with its interval, as a campaign publishes it."""
    p = float(2 * (1 - _ndtr(abs(estimate) / se))) if se else None
    return Finding(
        kind=kind,
        metric="revenue",
        arm=arm,
        control="holdout",
        dimension=place.get("dimension"),
        level=place.get("level"),
        n_treated=sizes[0],
        n_control=sizes[1],
        estimate=estimate,
        se=se,
        low=estimate - WIDE * se,
        high=estimate + WIDE * se,
        p=p,
        method="welch",
        confidence=0.95,
    )


def _ndtr(z):
    from scipy.special import ndtr

    return ndtr(z)


def analysis(  # noqa: PLR0913 - each has its test
    name, arms, *, control=1_000, code=None, start="2026-03-02", currency="EUR", more=()
):
    """One campaign of arms, each by its channel, estimate, standard error and customers."""
    found = [finding(arm, estimate, se, (n, control)) for arm, (_, estimate, se, n) in arms.items()]
    codes = {each.arm: code or _code(each) for each in found}
    best = code or (VerdictCode.ship if VerdictCode.ship in codes.values() else VerdictCode.stop)
    counts = [ArmCount(arm="holdout", control=True, channel=None, n=control, expected_share=0.5)]
    counts += [
        ArmCount(arm=arm, control=False, channel=channel, n=n, expected_share=0.5)
        for arm, (channel, _, _, n) in arms.items()
    ]
    dimensions = dict.fromkeys(each.dimension for each in more)
    return Analysis(
        experiment=name,
        title=f"Campaign {name}",
        plan_sha256="0" * 64,
        confidence=0.95,
        currency=currency,
        decision=DecisionRule(metric="profit", ship_if="lower > 0", hurdle=0.0),
        eligible=None,
        data=(),
        verdict=Verdict(
            code=best,
            metric="profit",
            arm=None,
            sentence="said",
            sentence_parts=SAID,
            next_action="said",
            next_action_parts=SAID,
            arms=tuple(_verdict(each, codes[each.arm]) for each in found),
        ),
        checks=(),
        arms=tuple(counts),
        design=start
        and DesignFacts(
            waves=1,
            first_start=start,
            last_start=start,
            window_days=28.0,
            population=5_000,
            left_out=0,
            analysed=5_000,
        ),
        metrics=(),
        segments=tuple(
            SegmentInfo(name=each, title=each.title(), randomised=False) for each in dimensions
        ),
        terms=None,
        findings=(*found, *more) if currency else (),
        columns=(),
        moments=(),
        provenance=Provenance(
            version="0", python="3", engine="none", created="2026-11-28T00:00:00+00:00"
        ),
    )


def _code(found):
    if found.low > 0:
        return VerdictCode.ship
    return VerdictCode.stop if found.high < 0 else VerdictCode.inconclusive


def _verdict(found, code):
    return ArmVerdict(
        arm=found.arm,
        code=code,
        value=found.estimate,
        low=found.low,
        high=found.high,
        p=found.p,
        p_adjusted=found.p,
    )


def program(seed: int, campaigns: int = 200) -> Program:
    """Campaigns of one or two channels against a control that they share."""
    random = np.random.default_rng(seed)
    analyses, truth, means = [], {}, {}
    for at in range(campaigns):
        name, control = f"campaign_{at:03d}", int(random.integers(500, 4_000))
        chosen = [channel for channel in CHANNELS if random.random() < 0.7] or ["email"]
        spared = random.normal(0, AMOUNTS / np.sqrt(control))
        arms = {}
        for channel in chosen:
            n = int(random.integers(500, 8_000))
            mean = random.normal(CHANNELS[channel], BETWEEN)
            reached = random.normal(mean, AMOUNTS / np.sqrt(n))
            se = AMOUNTS * np.sqrt(1 / n + 1 / control)
            arms[channel] = (channel, n * (reached - spared), n * se, n)
            truth[name, channel], means[name, channel] = n * mean, mean
        start = f"2026-{at % 12 + 1:02d}-{at % 27 + 1:02d}"
        analyses.append(analysis(name, arms, control=control, start=start))
    return Program(analyses, truth, means)


def measured(seed: int, campaigns: int = 200) -> dict[str, float]:
    """Of one program: whether its interval holds, errors of arms, and what that ships brings."""
    made = program(seed, campaigns)
    found = portfolio(made.analyses)
    truth = sum(made.truth.values())
    arms = [(arm, made.truth[arm.experiment, arm.arm]) for arm in found.arms]
    shipped = [(arm, true) for arm, true in arms if arm.code is VerdictCode.ship]
    each = [
        (arm.per_customer, arm.shrunken / arm.customers, true / arm.customers) for arm, true in arms
    ]
    raw, best, true = np.array(each).T
    return {
        "holds": found.profit.low <= truth <= found.profit.high,
        "below": found.profit.high < truth,
        "raw": float(np.mean((raw - true) ** 2)),
        "shrunken": float(np.mean((best - true) ** 2)),
        "realised": sum(true for _, true in shipped),
        "promised": sum(arm.profit.estimate for arm, _ in shipped),
        "taken": sum(arm.shrunken for arm, _ in shipped),
    }


def told(programs: int, campaigns: int = 200) -> list[str]:
    """The figures of docs/portfolio.md."""
    found = [measured(seed, campaigns) for seed in range(programs)]
    mean = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
    return [
        f"{programs} programs of {campaigns} campaigns",
        f"the program's interval holds: {mean['holds']:.1%}, lies below {mean['below']:.1%}",
        f"squared error of shrunken by raw: {mean['shrunken'] / mean['raw']:.3f}",
        (
            f"of what ships, realised by promised: raw {mean['realised'] / mean['promised']:.3f}, "
            f"shrunken {mean['realised'] / mean['taken']:.3f}"
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(told(int(sys.argv[1]))) + "\n")
