"""Told: what was found in one sentence, and the readable tree in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.uplift import HeterogeneityGate, TreeBranch
from upliftlab.text.language import N_, Language
from upliftlab.uplift.encoding import Encoding, Feature
from upliftlab.uplift.questions import FeatureQuestion, QuestionKind
from upliftlab.uplift.tree import TreeNode

_SHUT = N_(
    "No evidence that targeting pays: nothing shows that customers respond differently to {arms}."
)
_OPEN = N_("Customers respond differently to {arms}: those whom the model puts first respond more.")
_SOME = N_(
    "Customers respond differently to {arms}; there is no evidence of it for {others}, which is "
    "taken to do everybody its average good."
)
_AT_MOST = N_("{feature} at most {value:number}")
_UNTIL = N_("{feature} until {value:date}")
_IS = N_("{feature} is {level}")


def answer(gates: Sequence[HeterogeneityGate]) -> Message:
    """Whether targeting pays, and for which arms."""
    paying = ", ".join(gate.arm for gate in gates if gate.open)
    others = ", ".join(gate.arm for gate in gates if not gate.open)
    if not paying:
        return Message(template=_SHUT, values={"arms": others})
    if not others:
        return Message(template=_OPEN, values={"arms": paying})
    return Message(template=_SOME, values={"arms": paying, "others": others})


def english(message: Message, currency: str | None) -> str:
    """A message in English."""
    return Language("en").say(message, currency)


def branch(node: TreeNode, encoding: Encoding, arms: Sequence[str]) -> TreeBranch:
    """A tree in words.

    Args:
        node: Its root.
        encoding: What the columns of the features mean.
        arms: Names of all arms, the control's first.
    """
    asked = node.question
    return TreeBranch(
        question=None if asked is None else _question(asked, encoding.features[asked.feature]),
        yes=None if node.yes is None else branch(node.yes, encoding, arms),
        no=None if node.no is None else branch(node.no, encoding, arms),
        arm=None if node.arm is None else arms[node.arm],
        n=node.n,
        value=node.value,
    )


def _question(asked: FeatureQuestion, feature: Feature) -> Message:
    values: dict[str, Scalar] = {"feature": feature.name}
    if asked.kind is QuestionKind.equals:
        level = feature.levels[int(asked.value)]
        return Message(template=_IS, values={**values, "level": level})
    if feature.form == "date":
        day = date(1970, 1, 1) + timedelta(days=int(asked.value))
        return Message(template=_UNTIL, values={**values, "value": day.isoformat()})
    return Message(template=_AT_MOST, values={**values, "value": asked.value})
