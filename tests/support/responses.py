"""Responses as one run could find them, by hand: made-up figures that agree with each other."""

import math

from upliftlab.results.analysis import DataFile, Message, Note, Provenance
from upliftlab.results.uplift import (
    CurvePoint,
    Estimate,
    FeatureInfo,
    HeterogeneityGate,
    LearnerInfo,
    PolicyValue,
    Responder,
    Sleeping,
    Tenth,
    TreeBranch,
    UpliftCurve,
    UpliftResult,
)

CONTROL, WOMENS, MENS = "No E-Mail", "Womens E-Mail", "Mens E-Mail"
CUSTOMERS = 64_000
Z = 1.96
NORMAL = math.sqrt(2)


def estimate(value, se, **more):
    """A number with its normal interval."""
    p = math.erfc(abs(value / se) / NORMAL)
    ends = {"low": value - Z * se, "high": value + Z * se, "p": p}
    return Estimate(estimate=value, se=se, **(ends | more))


def gate(arm, *, opened, size):
    """`size` is what one of the metric's units is worth beside a dollar."""
    slope, autoc = (0.94, 0.21) if opened else (0.11, 0.02)
    p = 0.0004 if opened else 0.41
    return HeterogeneityGate(
        arm=arm,
        learner="two_models",
        average=estimate(0.42 * size, 0.12 * size),
        slope=estimate(slope, 0.22),
        autoc=estimate(autoc * size, 0.05 * size),
        qini=estimate(autoc * size / 3, 0.018 * size),
        p=p,
        p_adjusted=min(1.0, 2 * p),
        open=opened,
    )


def learners(arm, size, *, money):
    named = [
        ("two_models", "boosting", 0.21, 0.0612),
        ("doubly_robust", "boosting", 0.24, 0.0655),
        ("two_models", "linear", 0.18, 0.0587),
    ]
    return [
        LearnerInfo(
            learner=name,
            base=base,
            arm=arm,
            judged=not i,
            autoc=estimate(autoc * size, 0.05 * size),
            qini_auc=None if money else qini,
            qini_auc_sd=None if money else 0.016,
            uplift_at_30=(0.6 + autoc) * size,
        )
        for i, (name, base, autoc, qini) in enumerate(named)
    ]


def deciles(arm, size):
    n, half = CUSTOMERS // 10, 0.35 * size
    made = []
    for tenth in range(1, 11):
        effect = (1.05 - 0.14 * tenth + 0.05 * (-1) ** tenth) * size
        ends = {"low": effect - half, "high": effect + half, "p": None}
        found = estimate(effect, half / 2.8, **ends)
        predicted = (1.0 - 0.13 * tenth) * size
        made.append(Tenth(arm=arm, decile=tenth, n=n, predicted=predicted, effect=found))
    return made


def curve(kind, arm, top, height, bend=0.55):
    """A curve that rises to `height` and may fall again, over shares or costs up to `top`."""
    points = []
    for step in range(51):
        share = step / 50
        y = height * (share + bend * share * (1 - share) * 2)
        if kind == "profit":
            y = height * (1.9 * share - 1.5 * share**2)
        half = 0.3 * abs(height) * math.sqrt(share)
        points.append(CurvePoint(x=share * top, y=y, low=y - half, high=y + half))
    reference = [CurvePoint(x=0, y=0), CurvePoint(x=top, y=points[-1].y)]
    if kind == "cost":
        reference = [CurvePoint(x=i * top / 10, y=0.7 * height * i / 10) for i in range(11)]
    return UpliftCurve(kind=kind, arm=arm, points=points, reference=reference)


def message(template, **values):
    return Message(template=template, values=values)


def simple(arms, size, *, money):
    """Policies that need no model."""
    nobody = PolicyValue(
        name="treat_none",
        title=message("Nobody is contacted"),
        shares={CONTROL: 1.0},
        value=Estimate(estimate=0.0, se=0.0, low=0.0, high=0.0),
        cost=Estimate(estimate=0.0, se=0.0, low=0.0, high=0.0) if money else None,
    )
    everybody = [
        PolicyValue(
            name="treat_all",
            arm=arm,
            title=message("Everybody gets {arm}", arm=arm),
            shares={arm: 1.0},
            value=estimate((0.24 + 0.08 * i) * size, 0.06 * size),
            cost=estimate(0.35, 0.004) if money else None,
        )
        for i, arm in enumerate(arms)
    ]
    return [nobody, *everybody]


def modelled(arms, size, *, money):
    first, second = arms[0], arms[-1]
    shared = {first: 0.34, second: 0.21} if first != second else {first: 0.55}
    shares = {**shared, CONTROL: 0.45}

    def policy(name, title, value, beside, **more):
        return PolicyValue(
            name=name,
            title=message(title),
            shares=shares,
            value=estimate(value * size, 0.055 * size),
            cost=estimate(0.19, 0.003) if money else None,
            beside_best=estimate(beside * size, 0.04 * size),
            **more,
        )

    return [
        policy("today", "Today's rule", 0.29, -0.03),
        policy(
            "budget",
            "By the model, within the budget",
            0.47,
            0.15,
            beside_random=estimate(0.22 * size, 0.05 * size),
            realised=estimate(0.71, 0.14),
        ),
        policy(
            "return",
            "By the model, where it returns enough",
            0.44,
            0.12,
            realised=estimate(0.68, 0.15),
        ),
        policy("tree", "By the readable tree", 0.39, 0.07),
    ]


def tree(arms, size):
    def leaf(arm, n, value):
        return TreeBranch(arm=arm, n=n, value=value * size)

    return TreeBranch(
        question=message("Is recency at most {value:number}?", value=4.5),
        n=CUSTOMERS,
        yes=TreeBranch(
            question=message("Is channel {level}?", level="Web"),
            n=28_100,
            yes=leaf(arms[0], 12_400, 0.92),
            no=leaf(arms[-1], 15_700, 0.61),
        ),
        no=leaf(CONTROL, 35_900, 0.0),
    )


def responders(arm):
    named = [
        ("recency", None, 3.1, 6.5, -0.98),
        ("history", None, 412.5, 198.25, 0.84),
        ("channel", "Web", 0.61, 0.39, 0.44),
        ("newbie", "0", 0.58, 0.48, 0.2),
    ]
    return [
        Responder(arm=arm, feature=f, level=level, among_first=a, among_others=b, difference=d)
        for f, level, a, b, d in named
    ]


def sleeping(arms, size):
    effects = [(-0.31, 0.1), (-0.05, 0.11)]
    return [
        Sleeping(arm=arm, n=8_960, share=0.14, effect=estimate(e * size, se * size))
        for arm, (e, se) in zip(arms, effects, strict=False)
    ]


def said(opened, arms):
    if not opened:
        return message(
            "There is no evidence that targeting pays: customers do not respond differently "
            "enough to tell whom to choose."
        )
    return message(
        "Customers respond differently to {arm} (adjusted p: {p_adjusted:p}): choosing whom to "
        "contact adds {gain:money} per customer ({low:money} to {high:money}).",
        arm=arms[0],
        p_adjusted=0.0008,
        gain=0.15,
        low=0.0716,
        high=0.2284,
    )


def make_responses(
    *,
    opened: tuple[bool, ...] = (True, True),
    money: bool = True,
    arms: tuple[str, ...] = (WOMENS, MENS),
    **changes,
) -> UpliftResult:
    """Responses; `opened` says of each arm whether its gate is open."""
    size = 1.0 if money else 0.1
    some = any(opened)
    ranked = [arm for arm, is_open in zip(arms, opened, strict=True) if is_open]
    kinds = [("qini", 0.42 * size), *([("profit", 0.35)] if money else [])]
    curves = [curve(kind, arm, 1.0, height) for arm in ranked for kind, height in kinds]
    curves += [curve("cost", None, 0.62, 0.78)] if money and some else []
    parts = said(some, arms)
    content = {
        "experiment": "hillstrom_email",
        "title": "Whom do the two e-mails win?",
        "plan_sha256": "3f" * 32,
        "metric": "profit" if money else "visit",
        "unit": "money" if money else "share",
        "currency": "USD" if money else None,
        "confidence": 0.95,
        "randomised": "customer",
        "customers": CUSTOMERS,
        "sampled_from": CUSTOMERS,
        "units": CUSTOMERS,
        "control": CONTROL,
        "arms": arms,
        "folds": 5,
        "repeats": 2,
        "seed": 20260101,
        "budget": 20_000.0 if money else None,
        "hurdle": 0.2 if money else 0.0,
        "features": (
            FeatureInfo(name="recency", kind="numeric", missing=0),
            FeatureInfo(name="history", kind="numeric", missing=12),
            FeatureInfo(
                name="channel",
                kind="categorical",
                missing=310,
                levels=("Web", "Phone", "Multichannel"),
            ),
        ),
        "open": some,
        "sentence": parts.template.format(arm=arms[0], p_adjusted=0, gain=0, low=0, high=0)
        if not some
        else "Customers respond differently.",
        "sentence_parts": parts,
        "gates": [gate(arm, opened=o, size=size) for arm, o in zip(arms, opened, strict=True)],
        "learners": [each for arm in arms for each in learners(arm, size, money=money)],
        "policies": simple(arms, size, money=money)
        + (modelled(arms, size, money=money) if some else []),
        "deciles": [tenth for arm in ranked for tenth in deciles(arm, size)],
        "curves": curves,
        "tree": tree(arms, size) if some else None,
        "responders": [each for arm in ranked for each in responders(arm)],
        "sleeping": sleeping(ranked, size),
        "notes": (message("{n:count} customers without a value in any feature took part.", n=12),),
        "data": (
            DataFile(source="customers", file="hillstrom.csv.gz", sha256="a9" * 32, rows=64000),
        ),
        "provenance": Provenance(
            version="0.1.0",
            python="3.11.2",
            engine="DuckDB 2.0",
            created="2026-11-24T09:30:00+00:00",
            libraries={"scikit-learn": "1.7.2", "scikit-uplift": "0.5.1"},
        ),
    }
    return UpliftResult.model_validate(content | changes)


def with_gaps(found: UpliftResult) -> UpliftResult:
    """The same where some numbers cannot be computed or some intervals are missing."""
    unknown = Estimate(estimate=None, note=Note.few_treated)
    flat = Estimate(estimate=0.2, se=0.0, note=Note.no_variation)
    first = found.gates[0].model_copy(update={"average": unknown, "qini": unknown})
    tenths = tuple(
        each.model_copy(update={"effect": unknown if each.decile == 1 else flat})
        for each in found.deciles
    )
    bare = tuple(
        c.model_copy(
            update={"points": tuple(CurvePoint(x=p.x, y=p.y) for p in c.points), "reference": ()}
        )
        for c in found.curves
    )
    return found.model_copy(
        update={"gates": (first, *found.gates[1:]), "deciles": tenths, "curves": bare}
    )


CASES = {
    "open": make_responses,
    "half": lambda: make_responses(opened=(True, False), money=False),
    "shut": lambda: make_responses(opened=(False, False)),
    "gaps": lambda: with_gaps(make_responses()),
    "odd": lambda: make_responses(arms=("a/b~c",), opened=(True,)),
}
