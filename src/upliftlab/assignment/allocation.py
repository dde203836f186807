"""What decides who gets what, resolved from a plan: salts, cut points and days.

Both answers, the SQL of `decision_sql.py` and the pure Python of `assign.py`, are read off
the same `Allocation`, so neither knows a rule that the other does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import Literal

from upliftlab.assignment.hashing import BEYOND, cuts
from upliftlab.config.models import ContactPolicy, UniversalHoldout
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import ConfigError, Diagnostic

LARGEST_WHOLE = 10**9
"""`blocked` counts in parts of this size at most: strata of 9 billion units still fit 64 bits."""


class Reason(StrEnum):
    """Why a customer is in no arm. The first that holds is the one recorded."""

    not_eligible = "not_eligible"
    """`eligible` is not met, or a value it needs is missing."""
    opted_out = "opted_out"
    """The contact policy's `opt_out` is met."""
    universal_holdout = "universal_holdout"
    """Belongs to the customers no experiment contacts."""
    other_experiment = "other_experiment"
    """Outside the range of customers this experiment owns in its layer."""
    no_wave = "no_wave"
    """The waves' shares sum to less than 100 %, and this customer is beyond the last."""
    cool_down = "cool_down"
    """Too short a time between the wave's start and a contact or complaint."""
    max_contacts = "max_contacts"
    """This contact would be one too many within the policy's time."""
    no_arm = "no_arm"
    """The arms' shares sum to less than 100 %, and this customer is beyond the last."""


@dataclass(frozen=True, slots=True)
class ArmSlot:
    """One arm: its share, where it ends and how it is contacted."""

    name: str
    share: Fraction
    end: str
    channel: str | None = None
    contrast: Literal["treatment", "control", "business_as_usual"] = "treatment"


@dataclass(frozen=True, slots=True)
class Start:
    """One wave: its number from 1, where its share ends and its day where known."""

    number: int
    end: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Withheld:
    """The universal holdout: customers below `end`, for waves that start within its period."""

    salt: str
    end: str
    waves: tuple[int, ...]
    always: bool
    """Whether these are all waves."""


@dataclass(frozen=True, slots=True)
class Range:
    """The places of a layer that the experiment owns: from `low`, below `high`."""

    salt: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The contact policy in whole days."""

    cool_down: int | None = None
    most: int | None = None
    within: int | None = None

    @property
    def reach(self) -> int:
        """How many days around a start a contact can matter."""
        return max(self.cool_down or 0, self.within or 0)


@dataclass(frozen=True, slots=True)
class Allocation:
    """All that decides who gets what.

    `ghosts` are the treatment arms with a channel, their ends rescaled to the whole: where a
    control customer would have been, had they not been a control.
    """

    id: str
    unit: str
    salt: str
    arms: tuple[ArmSlot, ...]
    waves: tuple[Start, ...]
    holdout: Withheld | None
    layer: Range | None
    limits: Limits
    strata: tuple[str, ...]
    blocked: bool
    ghosts: tuple[ArmSlot, ...]

    @property
    def household(self) -> bool:
        """Whether something larger than a customer is randomised."""
        return self.unit != self.id

    @property
    def drawn(self) -> bool:
        """Whether a customer's wave is a matter of hashing, rather than the only one."""
        return len(self.waves) != 1 or any(wave.end != BEYOND for wave in self.waves)


def allocation(plan: Plan, start: date | None = None) -> Allocation:
    """What decides who gets what under a plan.

    Args:
        plan: The resolved experiment.
        start: The day customers are contacted, where the plan declares no waves.

    Raises:
        ConfigError: UL309 it has no shares on that day, or it is not known which; UL401 the arms
            were assigned elsewhere, UL402 no id column, UL407 the shares do not fit, UL408 the
            experiment has no range in its layer.
    """
    chosen, name = plan.experiment.assignment, plan.experiment.experiment
    if chosen.observed is not None:
        message = f"the arm of '{name}' is read from the column '{chosen.observed}'"
        raise ConfigError(
            Diagnostic("UL401", message, "remove 'observed' to assign customers here")
        )
    if plan.customers.id is None:
        raise ConfigError(Diagnostic("UL402", "the customers' source names no id", "add 'id'"))
    waves = _waves(plan, start)
    arms = _arms(plan, start)
    return Allocation(
        id=plan.customers.id,
        unit=chosen.unit or plan.customers.id,
        salt=chosen.salt or name,
        arms=arms,
        waves=waves,
        holdout=_holdout(plan.program.universal_holdout, waves),
        layer=_layer(plan),
        limits=_limits(plan.program.contact_policy),
        strata=chosen.strata,
        blocked=chosen.method == "blocked",
        ghosts=_ghosts(arms),
    )


def _arms(plan: Plan, start: date | None) -> tuple[ArmSlot, ...]:
    declared = _declared(plan, start)
    given = [share for share in declared if share is not None]
    if given and len(given) < len(declared):
        raise ConfigError(
            Diagnostic(
                "UL407", "some arms declare a share and some do not", "give every arm a 'share'"
            )
        )
    shares = given or [Fraction(1, len(declared))] * len(declared)
    if plan.experiment.assignment.method == "blocked":
        _exact(shares)
    return tuple(
        ArmSlot(
            name,
            share,
            end,
            arm.channel,
            "control"
            if arm.control
            else "business_as_usual"
            if arm.business_as_usual
            else "treatment",
        )
        for (name, arm), share, end in zip(plan.arms.items(), shares, cuts(shares), strict=True)
    )


def _declared(plan: Plan, start: date | None) -> list[Fraction | None]:
    """Each arm's share on the day of the assignment."""
    periods = plan.experiment.shares
    if not periods:
        return [arm.share for arm in plan.arms.values()]
    if start is None:
        message = "the arms' shares depend on the day, and no day is given"
        raise ConfigError(Diagnostic("UL309", message, "give the day of the assignment"))
    shares = plan.shares_from(start)
    if not shares:
        message = f"nobody is assigned before the first day of 'shares', {periods[0].start}"
        raise ConfigError(Diagnostic("UL309", message, "wait until then, or mend its 'from'"))
    return [shares.get(name) for name in plan.arms]


def _exact(shares: Sequence[Fraction]) -> None:
    """Refuse shares whose quotas of a large stratum would not fit whole numbers of 64 bits."""
    if lcm(*(share.denominator for share in shares)) > LARGEST_WHOLE:
        raise ConfigError(
            Diagnostic("UL407", "the shares have too many digits for 'blocked'", "round them")
        )


def _ghosts(arms: Sequence[ArmSlot]) -> tuple[ArmSlot, ...]:
    """The treatment arms that contact anybody, as shares of all treatment arms together."""
    treated = [arm for arm in arms if arm.contrast == "treatment"]
    total = sum((arm.share for arm in treated), Fraction(0))
    if total == 0:
        return ()
    shares = [arm.share / total for arm in treated]
    return tuple(
        ArmSlot(arm.name, share, end, arm.channel)
        for arm, share, end in zip(treated, shares, cuts(shares), strict=True)
    )


def _waves(plan: Plan, start: date | None) -> tuple[Start, ...]:
    waves = plan.experiment.waves
    if not waves:
        return (Start(1, cuts([Fraction(1)])[0], start),)
    ends = cuts([wave.share for wave in waves])
    return tuple(
        Start(number, end, wave.start)
        for number, (wave, end) in enumerate(zip(waves, ends, strict=True), 1)
    )


def _holdout(holdout: UniversalHoldout | None, waves: Sequence[Start]) -> Withheld | None:
    if holdout is None:
        return None
    first, last = holdout.start or date.min, holdout.end or date.max
    within = tuple(wave.number for wave in waves if wave.day is None or first <= wave.day <= last)
    if not within:
        return None
    always = len(within) == len(waves)
    return Withheld(holdout.salt, cuts([holdout.share])[0], within, always)


def _layer(plan: Plan) -> Range | None:
    name = plan.experiment.assignment.layer
    if name is None:
        return None
    layer = plan.program.layers.get(name)
    if layer is not None and not layer.experiments:
        return None  # not shared out: its experiments run one after another, each with everybody
    owned = layer.experiments.get(plan.experiment.experiment) if layer else None
    if layer is None or owned is None:
        message = f"the layer '{name}' gives '{plan.experiment.experiment}' no customers"
        raise ConfigError(
            Diagnostic("UL408", message, "add a range for it in configs/program.yaml")
        )
    low, high = owned
    if low >= high:
        message = f"the range of '{plan.experiment.experiment}' in '{name}' is empty"
        raise ConfigError(Diagnostic("UL408", message, "write it as [0%, 50%]"))
    ends = cuts([low, high - low])
    return Range(layer.salt or name, ends[0], ends[1])


def _limits(policy: ContactPolicy | None) -> Limits:
    if policy is None:
        return Limits()
    return Limits(
        cool_down=_days(policy.cool_down),
        most=policy.max_contacts,
        within=_days(policy.per),
    )


def _days(length: timedelta | None) -> int | None:
    """Whole days, a part of a day counting as one.

    >>> _days(timedelta(hours=30))
    2
    """
    return None if length is None else -(-length // timedelta(days=1))
