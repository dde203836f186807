"""How the findings about responses were computed: formulae, features, folds and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.methods import Formula
from upliftlab.results.uplift import UpliftResult
from upliftlab.text.language import N_

_ALWAYS: Final = (
    (
        N_("Γₐ = μ̂ₐ(x) + 1{A = a} · (Y − μ̂ₐ(x)) ÷ eₐ"),
        N_(
            "The score of a customer for an arm (augmented inverse probability weighting, Robins, "
            "Rotnitzky and Zhao 1994): what a model expects, put right by what was seen. The "
            "model has not seen the customer; the probability e of each arm is known from the "
            "assignment. So averages are right even where the model is wrong."
        ),
    ),
    (
        N_("effect score = Γₐ − Γ of the control; its mean is the average effect"),
        N_("Every number on this page is a mean of these scores over customers."),
    ),
    (
        N_("AUTOC = n⁻¹ · Σ Γ₍ᵢ₎ · (Hₙ − Hᵢ₋₁ − 1)"),
        N_(
            "Effect scores in descending order of the prediction, H the harmonic numbers "
            "(Yadlowsky et al. 2025): the mean, over all shares, of what the first in order gain "
            "more than the average."
        ),
    ),
    (
        N_("slope: effect score = average + slope · (prediction − its mean) + rest"),
        N_(
            "The best linear predictor (Chernozhukov et al. 2018). With a slope of zero the "
            "prediction says nothing; with a slope of one it is right on average."
        ),
    ),
)
_RANKED: Final = (
    (
        N_("Q(s) = n⁻¹ · Σ Γ₍ᵢ₎ over the first s of all customers"),
        N_("The gain curve, also called Qini curve: incremental outcome per customer of all."),
    ),
    (
        N_("Qini coefficient = n⁻¹ · Σ Γ₍ᵢ₎ · [(n − i + 1) ÷ n − (n + 1) ÷ 2n]"),
        N_(
            "The area between the gain curve and the straight line of customers drawn at random "
            "(Yadlowsky et al. 2025), in the outcome's own unit. The Qini coefficient of "
            "scikit-uplift, in the table of learners where the outcome is yes or no, is another "
            "one: an area as a share of that of a perfect order, from counts. Figures of the two "
            "cannot be compared."
        ),
    ),
)
_POLICIES: Final = (
    (
        N_("value of a policy = n⁻¹ · Σ (Γ of the arm it chooses − Γ of the control)"),
        N_(
            "On customers the model has not seen. Two policies are compared customer by customer, "
            "so that what they share cancels out. Costs have a score of their own."
        ),
    ),
)
_BUDGET: Final = (
    (
        N_(
            "under a budget: for each customer the arms on the upper hull of cost and gain, taken "
            "by falling slope until the budget is spent"
        ),
        N_(
            "Sverdrup, Wu, Athey and Wager 2023: it gains the most that can be had for a budget, "
            "if predictions are right."
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """What a model was given."""

    name: str
    kind: str
    levels: str
    missing: Figure


@dataclass(frozen=True, slots=True)
class Derivation:
    """The methods section."""

    formulae: tuple[Formula, ...]
    confidence: Figure
    folds: Figure
    repeats: Figure
    household: bool
    features: tuple[FeatureRow, ...]
    notes: tuple[Sentence, ...]


def derivation(responses: UpliftResult, formatter: Formatter) -> Derivation:
    """How the numbers of this page were computed."""
    count = FigureFormat("count")
    budget = any(curve.kind == "cost" for curve in responses.curves)
    ranked = responses.open
    said = (
        *_ALWAYS,
        *(_RANKED if ranked else ()),
        *_POLICIES,
        *(_BUDGET if budget and ranked else ()),
    )
    return Derivation(
        formulae=tuple(Formula(formatter.text(text), formatter.text(why)) for text, why in said),
        confidence=formatter.declared(responses.confidence, "/confidence"),
        folds=formatter.figure(responses.folds, "/folds", count),
        repeats=formatter.figure(responses.repeats, "/repeats", count),
        household=responses.randomised == "household",
        features=_features(responses, formatter),
        notes=tuple(formatter.sentence(n, f"/notes/{i}") for i, n in enumerate(responses.notes)),
    )


def _features(responses: UpliftResult, formatter: Formatter) -> tuple[FeatureRow, ...]:
    kinds = {"numeric": N_("number"), "categorical": N_("category")}
    return tuple(
        FeatureRow(
            name=feature.name,
            kind=formatter.text(kinds[feature.kind]),
            levels=", ".join(feature.levels),
            missing=formatter.figure(
                feature.missing, f"/features/{i}/missing", FigureFormat("count")
            ),
        )
        for i, feature in enumerate(responses.features)
    )
