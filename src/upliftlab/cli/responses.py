"""How a terminal tells responses: the answer first, then the gate and what policies are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from upliftlab.cli.output import Styled, echo, echo_table
from upliftlab.cli.tables import table
from upliftlab.text.language import ABSENT, Language, digits_of
from upliftlab.text.precision import interval_scale

if TYPE_CHECKING:
    from rich.table import Table

    from upliftlab.results.analysis import Message
    from upliftlab.results.uplift import Estimate, HeterogeneityGate, PolicyValue, UpliftResult
    from upliftlab.text.placeholders import Kind

_ENGLISH: Final = Language("en")
_KINDS: Final[dict[str, Kind]] = {"money": "money", "share": "points", "number": "number"}
_STATES: Final = {True: "✓ open", False: "✗ shut"}


def say(responses: UpliftResult) -> None:
    """Print responses."""
    colour = "green" if responses.open else "yellow"
    mark = Styled(f"{'yes' if responses.open else 'no':<5}", fg=colour, bold=True)
    echo(mark, _said(responses, responses.sentence_parts))
    echo()
    echo_table(_gates(responses))
    echo_table(_policies(responses))
    for note in responses.notes:
        echo(f"· {_said(responses, note)}")
    echo(f"· {_basis(responses)}")


def _said(responses: UpliftResult, message: Message) -> str:
    return _ENGLISH.say(message, responses.currency)


def _basis(responses: UpliftResult) -> str:
    """What the figures rest on."""
    counted = _ENGLISH.count(responses.customers)
    drawn = responses.sampled_from > responses.customers
    sample = f" drawn from {_ENGLISH.count(responses.sampled_from)}" if drawn else ""
    per = "household" if responses.randomised == "household" else "customer"
    return (
        f"{counted} customers{sample}, {responses.folds} folds × {responses.repeats}, seed "
        f"{responses.seed}; intervals of {_ENGLISH.percent(responses.confidence, digits=0)}, "
        f"standard errors by {per}."
    )


def _gates(responses: UpliftResult) -> Table:
    effect = _KINDS[responses.unit]
    columns: list[tuple[str, Callable[[HeterogeneityGate], str]]] = [
        ("gate", lambda gate: _STATES[gate.open]),
        ("average effect", lambda gate: _interval(gate.average, effect, responses.currency)),
        ("slope", lambda gate: _interval(gate.slope, "number", None)),
        ("AUTOC", lambda gate: _interval(gate.autoc, effect, responses.currency)),
        ("adjusted p", lambda gate: _ENGLISH.p(gate.p_adjusted)),
    ]
    rows = ((gate.arm, [tell(gate) for _, tell in columns]) for gate in responses.gates)
    return table("Responses differ?", [title for title, _ in columns], rows)


def _policies(responses: UpliftResult) -> Table:
    """Per customer of all; columns that say nothing are left out."""
    effect, currency = _KINDS[responses.unit], responses.currency

    def beside(found: Estimate | None) -> str:
        return ABSENT if found is None else _interval(found, effect, currency)

    columns: list[tuple[str, Callable[[PolicyValue], str]]] = [
        ("who gets what", lambda policy: _shares(policy, responses)),
        ("gain per customer", lambda policy: _interval(policy.value, effect, currency)),
        ("cost", lambda policy: _cost(policy, currency)),
        ("beside the best rule", lambda policy: beside(policy.beside_best)),
        ("beside chance", lambda policy: beside(policy.beside_random)),
        ("came true", lambda policy: _realised(policy.realised)),
    ]
    told = [(title, [tell(each) for each in responses.policies]) for title, tell in columns]
    kept = [(title, cells) for title, cells in told if any(cell != ABSENT for cell in cells)]
    names = [_said(responses, policy.title) for policy in responses.policies]
    rows = ((name, [cells[i] for _, cells in kept]) for i, name in enumerate(names))
    return table("Policies", [title for title, _ in kept], rows)


def _cost(policy: PolicyValue, currency: str | None) -> str:
    return ABSENT if policy.cost is None else _ENGLISH.money(policy.cost.estimate, currency)


def _realised(found: Estimate | None) -> str:
    """How much of the gain that was foretold came about."""
    if found is None or found.estimate is None:
        return ABSENT
    shown = _ENGLISH.percent(found.estimate, digits=0)
    if found.low is None or found.high is None:
        return shown
    low, high = (_ENGLISH.percent(end, digits=0) for end in (found.low, found.high))
    return f"{shown}\n{low} to {high}"


def _shares(policy: PolicyValue, responses: UpliftResult) -> str:
    arms = (*responses.arms, responses.control)
    given = ((arm, policy.shares.get(arm, 0.0)) for arm in arms)
    return "\n".join(f"{arm} {_ENGLISH.percent(share)}" for arm, share in given if share > 0)


def _interval(found: Estimate, kind: Kind, currency: str | None) -> str:
    """An estimate and below it the ends of its interval; or why there is none."""
    if found.estimate is None:
        return ABSENT if found.note is None else f"{ABSENT}\n{found.note.value}"
    scale = interval_scale(found.estimate, found.low, found.high)
    digits = digits_of(kind, scale, currency)

    def shown(value: float, *, signed: bool = False) -> str:
        return _ENGLISH.show(kind, value, currency, digits=digits, signed=signed)

    estimate = shown(found.estimate, signed=True)
    if found.low is None or found.high is None:
        return estimate
    low = shown(found.low).removesuffix(f" {_ENGLISH.gettext('pp')}")
    return f"{estimate}\n{low} to {shown(found.high)}"
