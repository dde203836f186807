"""An Analysis as one run would find it: Hillstrom's overall figures, made-up cells."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path

import pytest
from chromium import chromium, opened_at

from upliftlab.analysis.analyze import withheld
from upliftlab.analysis.checks.registry import own_checks
from upliftlab.results.analysis import (
    Analysis,
    ArmCount,
    ArmVerdict,
    Bridge,
    BridgeLine,
    CellMoments,
    Check,
    CostStep,
    DataFile,
    DecisionRule,
    EstimandKind,
    Finding,
    Heterogeneity,
    Message,
    MetricInfo,
    MoneyTermsInfo,
    Note,
    Provenance,
    Reconciliation,
    SegmentInfo,
    Severity,
    Verdict,
    VerdictCode,
)
from upliftlab.text.language import Language

CONTROL = "No E-Mail"
N = {"No E-Mail": 21306, "Mens E-Mail": 21307, "Womens E-Mail": 21387}
Z, MARGIN, COST, HURDLE = 1.96, 0.4, 0.1, 0.2
# metric: (control mean, {arm: (difference, Welch standard error, p)})
TRUTH = {
    "spend": (
        0.652789355,
        {
            "Mens E-Mail": (0.7698271559, 0.1452465602, 1.1638e-07),
            "Womens E-Mail": (0.4244122159, 0.1303328585, 1.1294e-03),
        },
    ),
    "visit": (
        0.106167277,
        {
            "Mens E-Mail": (0.0765895637, 0.0033858878, 1.364e-112),
            "Womens E-Mail": (0.0452331066, 0.0032344621, 2.432e-44),
        },
    ),
    "conversion": (
        0.005726086,
        {
            "Mens E-Mail": (0.0068050065, 0.0009208728, 1.502e-13),
            "Womens E-Mail": (0.0031110575, 0.0008226771, 1.5603e-04),
        },
    ),
}
METRICS = (
    MetricInfo(name="spend", title="Spend", unit="money", better="higher", role="primary"),
    MetricInfo(name="visit", title="Visit", unit="share", better="higher", role="secondary"),
    MetricInfo(name="conversion", title="Order", unit="share", better="higher", role="secondary"),
)
SEGMENTS = {
    "history_segment": [
        ("1) $0 - $100", 0.36, 0.6),
        ("2) $100 - $200", 0.22, 0.9),
        ("3) $200 - $350", 0.19, 1.0),
        ("4) $350 - $500", 0.10, 1.3),
        ("5) $500 - $750", 0.08, 1.6),
        ("6) $750 - $1,000", 0.03, 2.4),
        ("7) $1,000 +", 0.02, -0.5),
    ],
    "newbie": [("0", 0.498, 1.1), ("1", 0.502, 0.9)],
    "channel": [("Phone", 0.438, 0.8), ("Web", 0.441, 1.3), ("Multichannel", 0.121, 0.7)],
}
TITLES = {
    "history_segment": "Past spend",
    "newbie": "New customer",
    "channel": "Channel of purchase",
}
PAYS = (
    "{arm} pays: incremental profit {profit:money} ({low:money} to {high:money}), "
    "ROI {roi:percent}."
)


def finding(kind: EstimandKind, metric: str, arm: str | None, estimate, half, **more) -> Finding:
    about = {
        "control": CONTROL,
        "dimension": None,
        "level": None,
        "n_treated": N.get(arm or "", 42694),
        "n_control": N[CONTROL],
        "p": None,
        "method": "welch",
        "confidence": 0.95,
    }
    known = estimate is not None and half is not None
    ends = {
        "se": half / Z if known else None,
        "low": estimate - half if known else None,
        "high": estimate + half if known else None,
    }
    return Finding(kind=kind, metric=metric, arm=arm, estimate=estimate, **(about | ends | more))


def contrast(metric: str, arm: str | None, effect: tuple, n: int, **more) -> list[Finding]:
    """The findings that follow from one difference: its lift and, for revenue, the money."""
    control = TRUTH[metric][0]
    difference, se, p = effect
    half = Z * se
    found = [
        finding(EstimandKind.difference, metric, arm, difference, half, p=p, **more),
        finding(
            EstimandKind.relative_lift,
            metric,
            arm,
            difference / control,
            half / control,
            **(more | {"method": "fieller", "p_adjusted": None, "family": None}),
        ),
    ]
    if metric != "spend":
        return found
    more = more | {"p_adjusted": None, "family": None, "method": "linear"}
    profit, wide = n * (MARGIN * difference - COST), n * MARGIN * half
    money = [
        (EstimandKind.incremental_profit, profit, wide),
        (EstimandKind.roi, profit / (n * COST), wide / (n * COST)),
        (EstimandKind.iroas, difference / COST, half / COST),
    ]
    return found + [finding(kind, metric, arm, e, h, **more) for kind, e, h in money]


def overall(arms: tuple[str, ...]) -> list[Finding]:
    found: list[Finding] = []
    for arm in arms:
        for metric, (_, effects) in TRUTH.items():
            effect = effects[arm]
            more = {"p_adjusted": min(1.0, 2 * effect[2]), "family": "primary"}
            found += contrast(metric, arm, effect, N[arm], **(more if metric == "spend" else {}))
        difference, se, _ = TRUTH["conversion"][1][arm]
        low, high = difference - Z * se, difference + Z * se
        ends = {"low": COST / high, "high": COST / low, "method": "fieller"}
        kind = EstimandKind.cost_per_conversion
        found.append(finding(kind, "conversion", arm, COST / difference, None, **ends))
    return found


def cells(arms: tuple[str, ...], segments: dict[str, list]) -> list[Finding]:
    found: list[Finding] = []
    for dimension, levels in segments.items():
        for level, share, factor in levels:
            for arm in arms:
                difference, se, _ = TRUTH["spend"][1][arm]
                n = round(N[arm] * share)
                z = factor * difference / (se / share**0.5)
                p = math.erfc(abs(z) / math.sqrt(2))
                more = {
                    "dimension": dimension,
                    "level": level,
                    "n_treated": n,
                    "n_control": round(N[CONTROL] * share),
                    "p_adjusted": min(1.0, 2.2 * p),
                    "family": "segments",
                }
                effect = (factor * difference, se / share**0.5, p)
                found += contrast("spend", arm, effect, n, **more)
    return found


def beside(one: Finding) -> Finding:
    """A level's finding with a shrunken estimate."""
    if one.kind not in (EstimandKind.difference, EstimandKind.incremental_profit):
        return one
    return one.model_copy(update={"shrunken": 0.75 * one.estimate})


def differing(arms: tuple[str, ...], dimensions: tuple[str, ...], *, money: bool):
    """Levels of the first dimension differ, those of the last cannot be told."""
    kind = EstimandKind.incremental_profit if money else EstimandKind.difference
    made = []
    for at, dimension in enumerate(dimensions):
        numbers = {"q": 9.4 / (1 + at), "df": 1, "p": 0.0022 + at / 3, "tau": 0.31}
        numbers |= {"p_adjusted": 0.0088 + at / 3}
        if at and dimension == dimensions[-1]:
            numbers = {"note": Note.few_levels}
        made += [
            Heterogeneity(
                dimension=dimension, arm=arm, kind=kind, metric="spend", levels=2, **numbers
            )
            for arm in arms
        ]
    return tuple(made)


def added_up(arms: tuple[str, ...], dimensions: tuple[str, ...]) -> tuple[Reconciliation, ...]:
    """The last dimension's levels are adjusted."""
    numbers = {"total": 4430.38, "levels": 4392.88, "composition": 37.5}
    adjusted = {"note": Note.own_slopes}
    return tuple(
        Reconciliation(dimension=name, arm=arm, **(adjusted if name == dimensions[-1] else numbers))
        for name in dimensions
        for arm in arms
    )


def pooled(channel: str) -> list[Finding]:
    more = {
        "dimension": "contact_channel",
        "level": channel,
        "n_treated": 42694,
        "p_adjusted": 4.1e-7,
        "family": "segments",
    }
    return contrast("spend", None, (0.5967957, 0.1144, 1.8e-7), 42694, **more)


def bridged(found: list[Finding]) -> tuple[Bridge, ...]:
    """Each arm's way from revenue to profit: contacts cost the same for everybody."""
    made = []
    for one in (
        f for f in found if (f.kind, f.dimension) == (EstimandKind.incremental_profit, None)
    ):
        cost, certain = -COST * N[one.arm], {"note": Note.same_for_all}
        steps = [
            (CostStep.revenue, (one.estimate - cost) / MARGIN, one.se / MARGIN, "spend"),
            (CostStep.margin, one.estimate - cost, one.se, "spend"),
            (CostStep.contact_cost, cost, None, None),
            (CostStep.cost, cost, None, None),
            (CostStep.profit, one.estimate, one.se, None),
        ]
        lines = tuple(
            BridgeLine(
                kind=kind,
                metric=metric,
                estimate=round(amount, 2),
                se=se or 0.0,
                low=se and amount - Z * se,
                high=se and amount + Z * se,
                **({} if se else certain),
            )
            for kind, amount, se, metric in steps
        )
        made.append(Bridge(arm=one.arm, dimension=None, level=None, decimals=2, lines=lines))
    return tuple(made)


def check(name: str, state: str, template: str, **values) -> Check:
    passed = {"passed": True, "failed": False, "unasked": None}[state]
    p = values.pop("p", None)
    severity = values.pop("severity", Severity.critical)
    parts = Message(template=template, values=values)
    text = Language("en").say(parts, "USD")
    return Check(name=name, severity=severity, passed=passed, p=p, message=text, parts=parts)


def checks(*, invalid: bool) -> tuple[Check, ...]:
    ratio = "The arms hold the shares planned."
    broken = (
        "Arms differ from the planned shares by more than chance: {n:count} customers are missing."
    )
    return (
        check("sample_ratio", "failed", broken, n=1312, p=2.1e-9)
        if invalid
        else check("sample_ratio", "passed", ratio, p=0.903693),
        check("one_arm", "passed", "No customer is in two arms."),
        check("duplicates", "unasked", "The data have no customer id, so this cannot be asked."),
        check(
            "outcome_window",
            "failed",
            "The plan declares no outcome window.",
            severity=Severity.warning,
        ),
    )


def verdict(code: VerdictCode, arms: tuple[str, ...], found: list[Finding]) -> Verdict:
    by = {(f.kind, f.arm): f for f in reversed(found) if f.dimension is None}
    best = arms[0]
    profit, roi = by[EstimandKind.incremental_profit, best], by[EstimandKind.roi, best]
    values = {"arm": best, "profit": profit.estimate, "low": profit.low, "high": profit.high}
    sentences = {
        VerdictCode.invalid: ("These numbers cannot be trusted: {reason}", {"reason": broken()}),
        VerdictCode.not_final: (
            "The outcome window closes on {date}; until then there is no verdict.",
            {"date": "2026-12-01"},
        ),
        VerdictCode.inconclusive: (
            PAYS.replace("pays", "may or may not pay").replace(", ROI {roi:percent}", ""),
            values,
        ),
    }
    template, put = sentences.get(code, (PAYS, values | {"roi": roi.estimate}))
    nexts = {
        VerdictCode.invalid: ("Find and mend the cause, then analyse again.", {}),
        VerdictCode.not_final: ("Analyse again after {date}.", {"date": "2026-12-01"}),
        VerdictCode.inconclusive: (
            "Repeat with about {n:count} customers per arm to settle it.",
            {"n": 83000},
        ),
    }
    step, given = nexts.get(
        code,
        ("Contact with {arm}; it was the best of {count:count} arms.", {"arm": best, "count": 2}),
    )
    inconclusive = VerdictCode.inconclusive
    each = tuple(
        ArmVerdict(
            arm=arm,
            code=inconclusive if code is VerdictCode.ship and arm != best else code,
            **less_hurdle(by[EstimandKind.incremental_profit, arm]),
        )
        for arm in arms
    )
    return Verdict(
        code=code,
        metric="profit",
        arm=None if code is VerdictCode.invalid else best,
        sentence=template,
        sentence_parts=Message(template=template, values=put),
        next_action=step,
        next_action_parts=Message(template=step, values=given),
        arms=each,
    )


def less_hurdle(profit: Finding) -> dict[str, float]:
    share = HURDLE * COST * N[profit.arm]
    ends = {"value": profit.estimate, "low": profit.low, "high": profit.high}
    p = math.erfc(abs(profit.estimate - share) / profit.se / math.sqrt(2))
    return {name: end - share for name, end in ends.items()} | {"p": p, "p_adjusted": min(1, 2 * p)}


def broken() -> str:
    return checks(invalid=True)[0].message


def absent(found: list[Finding]) -> list[Finding]:
    """As where an arm costs nothing: no ROI, an unbounded cost, one cell with a lone customer."""
    changed = []
    for one in found:
        nothing = dict.fromkeys(("estimate", "se", "low", "high", "p", "p_adjusted", "shrunken"))
        if one.kind in (EstimandKind.roi, EstimandKind.iroas):
            changed.append(one.model_copy(update=nothing | {"note": Note.zero_cost}))
        elif one.kind is EstimandKind.cost_per_conversion:
            ends = {"low": None, "high": None, "note": Note.denominator_unclear}
            changed.append(one.model_copy(update=ends))
        elif one.level == "7) $1,000 +":
            gone = nothing | {"note": Note.few_control, "n_control": 1}
            changed.append(one.model_copy(update=gone))
        else:
            changed.append(one)
    return changed


def renamed(analysis: Analysis, names: dict[str, str]) -> Analysis:
    """The analysis with every occurrence of a text replaced."""
    text = analysis.model_dump_json(by_alias=True)
    for old, new in names.items():
        text = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
    return Analysis.model_validate_json(text)


def make(
    code: VerdictCode = VerdictCode.ship,
    *,
    arms: tuple[str, ...] = ("Mens E-Mail", "Womens E-Mail"),
    segments: dict[str, list] | None = None,
    nothing: bool = False,
    money: bool = True,
) -> Analysis:
    """An analysis; `nothing` leaves values out, without `money` there are only metrics."""
    chosen = SEGMENTS if segments is None else segments
    found = [*overall(arms), *pooled("email"), *map(beside, cells(arms, chosen))]
    judged = verdict(code, arms, found)
    found = absent(found) if nothing else found
    if not money:
        found = [
            f for f in found if f.kind in (EstimandKind.difference, EstimandKind.relative_lift)
        ]
    contact = SegmentInfo(name="contact_channel", title="Contact channel", randomised=True)
    named = (SegmentInfo(name=s, title=TITLES.get(s, s), randomised=False) for s in chosen)
    made = Analysis(
        schema=1,
        experiment="hillstrom_email",
        title="Do the two e-mails pay?",
        owner="crm@example.com",
        hypothesis="An e-mail raises spend in the two weeks that follow.",
        plan_sha256="3f" * 32,
        confidence=0.95,
        currency="USD" if money else None,
        decision=DecisionRule(
            metric="profit" if money else "spend", ship_if="lower > 0", hurdle=HURDLE
        ),
        eligible="recency < 12",
        data=(DataFile(source="customers", file="hillstrom.csv.gz", sha256="a9" * 32, rows=64000),),
        verdict=judged,
        checks=checks(invalid=code is VerdictCode.invalid),
        arms=tuple(
            ArmCount(
                arm=arm,
                control=arm == CONTROL,
                channel=None if arm == CONTROL else "email",
                n=N[arm],
                expected_share=1 / (1 + len(arms)),
            )
            for arm in (CONTROL, *arms)
        ),
        metrics=METRICS,
        segments=(contact, *named),
        terms=MoneyTermsInfo(
            currency="USD",
            revenue="spend",
            margin=MARGIN,
            hurdle=HURDLE,
            cost_per_contact=dict.fromkeys(arms, COST),
            cost_per_redemption={},
            commission={},
            service_cost={},
            fixed_cost={},
        )
        if money
        else None,
        findings=tuple(found),
        heterogeneity=differing(arms, tuple(chosen), money=money),
        reconciliations=added_up(arms, tuple(chosen)) if money else (),
        bridges=bridged(found),
        columns=tuple(TRUTH),
        moments=(
            CellMoments(
                arm="Mens E-Mail",
                dimension=None,
                level=None,
                n=21307,
                mean=(1.42, 0.18, 0.0125),
                m2=(1.0,) * 6,
                m3=(None,) * 3,
            ),
        ),
        provenance=Provenance(
            version="0.1.0",
            python="3.11.7",
            engine="duckdb 2.0.1",
            created="2026-11-22T02:11:00+00:00",
            libraries={"numpy": "2.4.0", "scipy": "1.17.0"},
        ),
    )
    return withheld(made, own_checks()) if code is VerdictCode.invalid else made


@pytest.fixture(scope="module")
def browser_is_there():
    if shutil.which("chromium") is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is needed here")
        pytest.skip("chromium is not installed")


@pytest.fixture
def make_analysis():
    return make


@pytest.fixture
def rename():
    return renamed


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium, which may reach the network: the page must not want to."""
    yield from chromium(tmp_path_factory.mktemp("chromium"))


@pytest.fixture
def see(browser, tmp_path):
    """Open a page from a file at a width, and return the browser."""

    def opened(html: str, width: int = 1280, features: dict[str, str] | None = None):
        path: Path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        return opened_at(browser, path, width, features)

    return opened


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, wherever UPLIFTLAB_AXE says it was installed."""
    path = Path(os.environ.get("UPLIFTLAB_AXE", "node_modules/axe-core/axe.min.js"))
    if not path.is_file():
        if os.environ.get("CI"):
            pytest.fail("UPLIFTLAB_AXE must lead to axe.min.js of axe-core")
        pytest.skip("axe-core is not installed: npm install axe-core, then set UPLIFTLAB_AXE")
    return path.read_text(encoding="utf-8")
