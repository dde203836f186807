"""Answers: the questions a campaign is run for, and which of them it can answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from upliftlab.results.analysis import Message, MetricInfo, Scalar
from upliftlab.results.plan import Answer, ArmMoney, ArmOutlook
from upliftlab.text.language import N_

State = Literal["yes", "no", "cannot", "open"]
_SEEN: Final = {
    "number": N_(
        "Can it be seen that {metric} changes by {effect:number} per customer ({lift:percent})?"
    ),
    "money": N_(
        "Can it be seen that {metric} changes by {effect:money} per customer ({lift:percent})?"
    ),
    "share": N_("Can it be seen that {metric} changes by {effect:points} ({lift:percent})?"),
}
_SEEN_INSTEAD: Final = {
    "number": N_("It can see a change of {effect:number} per customer ({lift:percent})."),
    "money": N_("It can see a change of {effect:money} per customer ({lift:percent})."),
    "share": N_("It can see a change of {effect:points} ({lift:percent})."),
}
_PAYS: Final = N_("Can it be shown that {arm} pays, if revenue rises by {lift:percent}?")
_CLEARS: Final = N_(
    "Can it be shown that {arm} clears the hurdle of {hurdle:percent}, if revenue rises by "
    "{lift:percent}?"
)
_PAYS_INSTEAD: Final = N_("It would be shown if revenue rose by {lift:percent}.")
_LOSES: Final = N_(
    "No: {arm} would not be worth its cost. Revenue must rise by {lift:percent} for that."
)
_NEVER_PAYS: Final = N_("No: {arm} loses by every sale, so that no rise of revenue pays for it.")
_PRECISE: Final = N_("Can ROI of {arm} be known to within {within:points}?")
_PRECISE_INSTEAD: Final = N_("It tells ROI to within {half:points}.")
_PRECISE_ALREADY: Final = N_("Yes: it tells ROI to within {half:points}.")
_UNBOUNDED: Final = N_("It cannot bound ROI: the cost that it adds is too close to zero to say.")

_ENOUGH: Final = N_(
    "Yes: {needed:count} customers give a chance of {power:percent}, and there are {n:count}."
)
_TOO_FEW: Final = N_(
    "This campaign cannot answer that question: a chance of {power:percent} takes {needed:count} "
    "customers, and there are {n:count}."
)
_TAKES: Final = N_("A chance of {power:percent} takes {needed:count} customers.")
_ENOUGH_SURE: Final = N_("Yes: it takes {needed:count} customers, and there are {n:count}.")
_TOO_FEW_SURE: Final = N_(
    "This campaign cannot answer that question: it takes {needed:count} customers, and there are "
    "{n:count}."
)
_TAKES_SURE: Final = N_("It takes {needed:count} customers.")
_NEVER: Final = N_(
    "This campaign cannot answer that question: no number of customers would be enough."
)


@dataclass(frozen=True, slots=True)
class AnswerInputs:
    """What the questions are asked about.

    Attributes:
        metric: The lead metric.
        effect: The expected effect on it.
        lift: The same as a share of the mean.
        customers: In all arms together; None where that is not known.
        power: The power that is wanted.
        hurdle: ROI that a decision on profit asks for.
        roi_within: Half of ROI's interval that is wanted; None where ROI cannot be bounded.
    """

    metric: MetricInfo
    effect: float
    lift: float | None
    customers: int | None
    power: float
    hurdle: float
    roi_within: float | None


def effect_answer(asked: AnswerInputs, arms: tuple[ArmOutlook, ...], needed: int | None) -> Answer:
    """Whether the expected effect can be seen in every treated arm.

    Args:
        asked: What the question is about.
        arms: Every treated arm.
        needed: Customers in all arms together for the wanted power in every arm.
    """
    values: dict[str, Scalar] = {
        "metric": asked.metric.title,
        "effect": asked.effect,
        "lift": asked.lift,
    }
    question = Message(template=_SEEN[asked.metric.unit], values=values)
    answerable, sentence = _said(asked, needed, asked.power)
    found = [arm for arm in arms if arm.detectable is not None]
    instead = None
    if answerable is False and len(found) == len(arms):
        weakest = max(found, key=lambda arm: abs(arm.detectable or 0.0))
        able: dict[str, Scalar] = {"effect": weakest.detectable, "lift": weakest.detectable_lift}
        instead = Message(template=_SEEN_INSTEAD[asked.metric.unit], values=able)
    return Answer(
        name="effect",
        state=_state(answerable),
        question=question,
        answerable=answerable,
        sentence=sentence,
        instead=instead,
    )


def roi_answer(asked: AnswerInputs, best: ArmMoney) -> Answer:
    """Whether ROI of the arm that is expected to earn most can be known."""
    question = Message(template=_PRECISE, values={"arm": best.arm, "within": asked.roi_within})
    answerable, sentence = _said(asked, best.roi_needed, None)
    instead, known = None, best.roi_half is not None
    if answerable is False and known and (best.roi_half or 0.0) <= (asked.roi_within or 0.0):
        # Fixed costs weigh less in a larger campaign, whose ROI is larger and less exact at first.
        answerable = True
        sentence = Message(template=_PRECISE_ALREADY, values={"half": best.roi_half})
    if answerable is False:
        half: dict[str, Scalar] = {"half": best.roi_half} if known else {}
        instead = Message(template=_PRECISE_INSTEAD if known else _UNBOUNDED, values=half)
    return Answer(
        name="roi",
        arm=best.arm,
        state=_state(answerable),
        question=question,
        answerable=answerable,
        sentence=sentence,
        instead=instead,
    )


def pays_answer(asked: AnswerInputs, best: ArmMoney) -> Answer:
    """Whether the arm that is expected to earn most can be shown to pay."""
    values: dict[str, Scalar] = {"arm": best.arm, "lift": asked.lift}
    if asked.hurdle:
        values["hurdle"] = asked.hurdle
    question = Message(template=_CLEARS if asked.hurdle else _PAYS, values=values)
    worth = best.break_even_hurdle
    instead = None
    if worth is None:
        answerable, sentence = False, Message(template=_NEVER_PAYS, values={"arm": best.arm})
    elif best.ships_needed is None:
        answerable = False
        sentence = Message(template=_LOSES, values={"arm": best.arm, "lift": worth})
    else:
        answerable, sentence = _said(asked, best.ships_needed, asked.power)
    if answerable is False and best.ships_from is not None:
        instead = Message(template=_PAYS_INSTEAD, values={"lift": best.ships_from})
    return Answer(
        name="pays",
        arm=best.arm,
        state="no" if worth is None or best.ships_needed is None else _state(answerable),
        question=question,
        answerable=answerable,
        sentence=sentence,
        instead=instead,
    )


def _state(answerable: bool | None) -> State:
    """An answer's state, where the answer is not a plain no."""
    return "open" if answerable is None else "yes" if answerable else "cannot"


def _said(
    asked: AnswerInputs, needed: int | None, power: float | None
) -> tuple[bool | None, Message]:
    """Whether there are enough customers, and the sentence that says so."""
    if needed is None:
        return False, Message(template=_NEVER)
    values: dict[str, Scalar] = {"needed": needed}
    texts = (_ENOUGH_SURE, _TOO_FEW_SURE, _TAKES_SURE)
    if power is not None:
        values["power"], texts = power, (_ENOUGH, _TOO_FEW, _TAKES)
    if asked.customers is None:
        return None, Message(template=texts[2], values=values)
    values["n"] = asked.customers
    enough = asked.customers >= needed
    return enough, Message(template=texts[0] if enough else texts[1], values=values)
