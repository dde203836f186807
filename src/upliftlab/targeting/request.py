"""What is asked of the next campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.config.models import FeatureKind, Source
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.values import Money, budget_in, parse_money
from upliftlab.engines.files import files_of
from upliftlab.errors import ConfigError, DataError, Diagnostic, UpliftLabError
from upliftlab.results.promises import TargetPolicy
from upliftlab.targeting.budget import Budget
from upliftlab.targeting.candidates import NextCampaign
from upliftlab.targeting.list_file import kind_of
from upliftlab.uplift.encoding import Encoding

_USUAL = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """What is asked of the next campaign.

    Attributes:
        customers: The table to choose from, as it was named.
        source: Where it lies.
        budget: What the campaign may cost, in the plan's currency.
        day: The day of contact.
        output: Where the list goes.
        contacts: Parquet files with contacts that the ledger knows of.
        force: Whether a list is written although nothing shows that it pays.
        arm: The arm that everybody chosen gets; None where a model or its tree chooses.
        by_rule: Whether only those get it whom the plan's rule of today chooses.
        by_tree: Whether the readable tree chooses, where no arm is given.
    """

    customers: str
    source: Source
    budget: float
    day: date
    output: Path
    contacts: Sequence[Path] = ()
    force: bool = False
    arm: str | None = None
    by_rule: bool = False
    by_tree: bool = False

    @property
    def policy(self) -> TargetPolicy:
        """Who chooses."""
        if self.arm is None:
            return "tree" if self.by_tree else "model"
        return "today" if self.by_rule else "everybody"

    def campaign(self, plan: Plan, encoding: Encoding | None = None) -> NextCampaign:
        """What candidates are made by: every campaign holds out others.

        Args:
            plan: The experiment that was learned from.
            encoding: What the model takes each feature for; what the table says without one.
        """
        salt = f"{plan.experiment.experiment}:target:{self.customers}:{self.day.isoformat()}"
        if self.arm is not None:
            return NextCampaign(self.day, salt, None, self.contacts)
        known = encoding.features if encoding is not None else ()
        kinds: dict[str, FeatureKind] = {each.name: each.kind for each in known}
        return NextCampaign(self.day, salt, kinds, self.contacts)

    def purse(self, spec: EstimationSpec) -> Budget:
        """What there is to spend, and what a unit of money has to bring: itself and the hurdle."""
        fixed = tuple(spec.terms[arm].fixed for arm in spec.treatments)
        return Budget(self.budget, max(1.0, 1 + spec.hurdle), fixed)


def examine(plan: Plan, order: TargetRequest) -> None:
    """Refuse what can be told to fail before anything is read.

    Raises:
        ConfigError: UL638, the plan declares no money to spend.
        DataError: UL640, the list's name says no kind of file.
    """
    if plan.experiment.money is None:
        message = f"'{plan.experiment.experiment}' declares no money, so nothing has a cost"
        raise ConfigError(Diagnostic("UL638", message, "declare 'money' to spend a budget"))
    kind_of(order.output)


def arm_of(plan: Plan, policy: TargetPolicy, arm: str | None, *, model: bool) -> str | None:
    """The arm that everybody chosen gets; None where a model or its tree chooses.

    Args:
        plan: The experiment that was run.
        policy: Who is chosen.
        arm: The arm that was named; of a plan's only treatment the name can be left out.
        model: Whether a saved model is given.

    Raises:
        ConfigError: UL643, the arm is no treatment, or what is asked for does not go together;
            UL639, the plan declares no rule of today.
    """
    if policy == "model":
        if arm is not None:
            raise _unfit("an arm is named, and a model chooses", f"--policy everybody --arm {arm}")
        return None
    if model:
        raise _unfit("a model is given, and none is asked for", "leave out --model")
    if policy == "tree":
        if arm is not None:
            raise _unfit("an arm is named, and the tree chooses arms", "leave out --arm")
        return None
    if policy == "today":
        return _todays_arm(plan, arm)
    named = arm or (plan.treatments[0] if len(plan.treatments) == 1 else None)
    if named not in plan.treatments:
        said = "no arm is named" if named is None else f"'{named}' is no treatment"
        raise _unfit(said, " or ".join(f"--arm {each}" for each in plan.treatments))
    return named


def _todays_arm(plan: Plan, named: str | None) -> str:
    """The arm that the plan's rule of today gives."""
    asked = plan.experiment.uplift
    if asked is None or asked.today is None:
        message = f"'{plan.experiment.experiment}' does not say who is contacted today"
        remedy = "write under 'uplift': 'today: {arm: ARM, where: CONDITION}'"
        raise ConfigError(Diagnostic("UL639", message, remedy))
    given = asked.today.arm or plan.treatments[0]
    if named not in (None, given):
        raise _unfit(f"'{named}' is named, and today's rule gives '{given}'", "leave out --arm")
    return given


def _unfit(message: str, remedy: str) -> ConfigError:
    return ConfigError(Diagnostic("UL643", message, remedy))


def spare_sources(
    plan: Plan, order: TargetRequest, locate: Callable[[str], Path], given: Iterable[Path] = ()
) -> None:
    """Refuse to write the list over a table that is read.

    Args:
        plan: The experiment that is learned from.
        order: What is asked.
        locate: Path of a file named by a source; raises where it may not be read.
        given: Files that are read in the place of sources.

    Raises:
        DataError: UL641.
    """
    output = order.output.resolve()
    if output in [file.resolve() for file in given]:
        raise _over_a_table(order.output)
    for source in (plan.customers, order.source, *plan.sources.values()):
        with suppress(UpliftLabError):
            if output in [file.resolve() for file in files_of(source.file or "", locate)]:
                break
    else:
        return
    raise _over_a_table(order.output)


def _over_a_table(output: Path) -> DataError:
    message = f"{output} is a table that is read"
    return DataError(Diagnostic("UL641", message, "name another file by --output"))


def budget_of(plan: Plan, asked: Money | None) -> float:
    """The budget in the plan's currency: the one asked for, else the plan's own.

    Raises:
        ConfigError: UL637, there is none, or it is in another currency.
    """
    declared = plan.experiment.uplift.budget if plan.experiment.uplift else None
    money = asked or declared
    if money is None:
        raise ConfigError(Diagnostic("UL637", "there is no budget", "give --budget 20000"))
    try:
        return budget_in(money, plan.currency)
    except ValueError as error:
        raise ConfigError(
            Diagnostic("UL637", str(error), "give it in the plan's currency")
        ) from None


def money_of(amount: object) -> Money | None:
    """A budget as a caller gives it, such as `20000 EUR`; None where there is none.

    Raises:
        ConfigError: UL637, it is no amount, or negative.
    """
    if amount is None:
        return None
    try:
        money = parse_money(amount)
    except ValueError as error:
        raise ConfigError(Diagnostic("UL637", str(error), "give such as '20000 EUR'")) from None
    if money.amount < 0:
        raise ConfigError(Diagnostic("UL637", "a budget cannot be negative", "give another"))
    return money


def holdout_of(plan: Plan) -> Fraction:
    """The share of those chosen that is left alone."""
    return plan.experiment.uplift.holdout if plan.experiment.uplift else _USUAL
