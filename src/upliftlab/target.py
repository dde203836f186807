"""The verb `target`: from a model and next month's customers to the list of whom to contact.

It orchestrates and computes nothing: candidates say who may be contacted, the forecast what is
expected of them, the spending whom the budget reaches; a list is written, or the reason is told why
there is none.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from fractions import Fraction
from pathlib import Path

import numpy as np

from upliftlab import __version__
from upliftlab.analysis.study import Study, study_of
from upliftlab.analyze import Setting
from upliftlab.declarations import Source
from upliftlab.errors import ConfigError, Fault
from upliftlab.experiment import Plan
from upliftlab.results import DataFile, Message, Provenance
from upliftlab.targeting.basis import Basis, forecast
from upliftlab.targeting.candidates import Campaign, Candidates, candidates
from upliftlab.targeting.doubt import doubt, english, outcome, said
from upliftlab.targeting.list_file import kind_of, write_list
from upliftlab.targeting.scoring import Scored, Scorer, score
from upliftlab.targeting.selection import Selection, list_schema, select, table_batches, wording
from upliftlab.targeting.targets import TargetArm, Targets
from upliftlab.targeting.use import Purse, Use, use
from upliftlab.values import Money

ABOUT = "upliftlab"
"""The key under which a Parquet list says what it is."""
LIBRARIES = ("numpy", "scipy", "pyarrow", "scikit-learn", "scikit-uplift")
_TENTH = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of the next campaign.

    Attributes:
        customers: The table to choose from, as it was named.
        source: Where it lies.
        budget: What the campaign may cost, in the plan's currency.
        day: The day of contact.
        output: Where the list goes.
        contacts: Parquet files with contacts that the ledger knows of.
        force: Whether a list is written although nothing shows that it pays.
    """

    customers: str
    source: Source
    budget: float
    day: date
    output: Path
    contacts: Sequence[Path] = ()
    force: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """What was chosen, and from whom."""

    scored: Scored
    use: Use
    selection: Selection
    purse: Purse
    holdout: Fraction


def target(plan: Plan, order: Order, basis: Basis, setting: Setting) -> Targets:
    """Choose whom to contact next and write the list, or say why there is none.

    Args:
        plan: The experiment that was learned from.
        order: What is asked.
        basis: What the model rests on.
        setting: Engine, clock and listener.

    Raises:
        ConfigError: UL636 too many arms have a fixed cost, UL638 the plan declares no money; what
            `candidates` raises of columns.
        DataError: UL640 the list's name says no kind of file; what `candidates` raises of rows,
            UL605 or UL606 where they are not what the model was shown.
        OutputError: UL601, the list cannot be written.
    """
    examine(plan, order)
    why = doubt(said(plan.treatments, basis.opened), basis.gain)
    head = _Head(plan, order, basis, setting)
    if why is not None and not order.force:
        return head.targets(why, abstained=True)
    found = candidates(plan, order.source, setting.engine, _campaign(plan, order))
    chosen = _choose(head, found)
    setting.progress("Writing the list")
    return _written(head, found, chosen, forced=why is not None)


def examine(plan: Plan, order: Order) -> None:
    """Refuse what can be told to fail before anything is read.

    Raises:
        ConfigError: UL638, the plan declares no money to spend.
        DataError: UL640, the list's name says no kind of file.
    """
    if plan.experiment.money is None:
        message = f"'{plan.experiment.experiment}' declares no money, so nothing has a cost"
        raise ConfigError(Fault("UL638", message, "declare 'money' to spend a budget"))
    kind_of(order.output)


def budget_of(plan: Plan, asked: Money | None) -> float:
    """The budget in the plan's currency: the one asked for, else the plan's own.

    Raises:
        ConfigError: UL637, there is none, or it is in another currency.
    """
    declared = plan.experiment.uplift.budget if plan.experiment.uplift else None
    money = asked or declared
    if money is None:
        raise ConfigError(Fault("UL637", "there is no budget", "give --budget 20000"))
    if money.currency is not None and plan.currency not in (None, money.currency):
        message = f"the budget is in {money.currency}, the plan in {plan.currency}"
        raise ConfigError(Fault("UL637", message, "give it in the plan's currency"))
    return float(money.amount)


def provenance(setting: Setting) -> Provenance:
    """What a list or a model was made with."""
    from importlib.metadata import version  # noqa: PLC0415 - costs start-up, needed once

    return Provenance(
        version=__version__,
        python=platform.python_version(),
        engine=setting.engine.description,
        created=setting.now.astimezone(UTC).isoformat(timespec="seconds"),
        libraries={name: version(name) for name in LIBRARIES},
    )


def _campaign(plan: Plan, order: Order) -> Campaign:
    salt = f"{plan.experiment.experiment}:target:{order.customers}"
    return Campaign(order.day, salt, {}, order.contacts)


def _choose(head: _Head, found: Candidates) -> _Choice:
    """Score everybody, and take those whom the budget reaches."""
    plan, setting = head.plan, head.setting
    study = study_of(plan)
    setting.progress("Fitting the model")
    declared = plan.experiment.uplift
    holdout = declared.holdout if declared else _TENTH
    scorer = Scorer(head.basis.encoding, forecast(head.basis, study), holdout)
    scored = score(found.batches(setting.engine), scorer, setting.progress)
    setting.progress("Spending the budget")
    purse = _purse(head.order, study)
    chosen = use(scored.prospects, purse)
    selection = select(scored, chosen.spending, chosen.arms)
    return _Choice(scored, chosen, selection, purse, holdout)


def _purse(order: Order, study: Study) -> Purse:
    fixed = tuple(study.terms[arm].fixed for arm in study.treatments)
    return Purse(order.budget, max(1.0, 1 + study.hurdle), fixed)


def _written(head: _Head, found: Candidates, chosen: _Choice, *, forced: bool) -> Targets:
    """Write the list, and tell of it."""
    plan, order, engine = head.plan, head.order, head.setting.engine
    place, digest = engine.fingerprint(order.source)
    read = DataFile(source=order.customers, file=place, sha256=digest, rows=found.population)
    told = head.told(chosen, read, forced=forced)
    words = wording(plan, head.basis.opened)
    done = write_list(
        order.output,
        list_schema(chosen.selection.ids.type),
        table_batches(chosen.selection, words),
        {ABOUT: told.model_dump_json(by_alias=True).encode()},
    )
    file = DataFile(source="targets", file=done.path.name, sha256=done.sha256, rows=done.rows)
    return told.model_copy(update={"file": file})


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """What is told of every list, and of none."""

    plan: Plan
    order: Order
    basis: Basis
    setting: Setting

    def targets(
        self, message: Message, *, abstained: bool = False, forced: bool = False
    ) -> Targets:
        """The values that hold without a list."""
        plan, order = self.plan, self.order
        study = study_of(plan)
        return Targets(
            experiment=plan.experiment.experiment,
            title=plan.experiment.title or plan.experiment.experiment,
            plan_sha256=plan.sha256,
            customers=order.customers,
            day=order.day.isoformat(),
            currency=plan.currency,
            sentence=english(message, plan.currency),
            sentence_parts=message,
            abstained=abstained,
            forced=forced,
            budget=order.budget,
            at_least=_purse(order, study).at_least,
            model=self.basis.told,
            data=self.basis.data,
            provenance=provenance(self.setting),
        )

    def told(self, chosen: _Choice, read: DataFile, *, forced: bool) -> Targets:
        """The values of a list."""
        arms = tuple(_arms(self.plan, self.basis.opened, chosen))
        contacted, held = sum(a.customers for a in arms), sum(a.held_out for a in arms)
        cost, profit = sum(a.expected_cost for a in arms), sum(a.expected_profit for a in arms)
        message = outcome((contacted, held), (cost, profit), forced=forced)
        found = {
            "seen": chosen.scored.seen,
            "excluded": dict(chosen.scored.excluded),
            "unseen": dict(chosen.scored.unseen),
            "arms": arms,
            "targeted": contacted,
            "held_out": held,
            "holdout": float(chosen.holdout),
            "not_chosen": len(chosen.scored) - contacted - held,
            "expected_cost": cost,
            "expected_profit": profit,
            "last_return": chosen.use.spending.slope,
            "exhausted": chosen.use.spending.exhausted,
            "data": (*self.basis.data, read),
        }
        return self.targets(message, forced=forced).model_copy(update=found)


def _arms(plan: Plan, opened: Sequence[bool], chosen: _Choice) -> Iterator[TargetArm]:
    """What each treatment's customers are expected to do, those held out apart."""
    picked = chosen.selection
    cost = picked.cost.astype(np.float64)
    profit = picked.value.astype(np.float64) - cost
    for number, name in enumerate(plan.treatments, 1):
        mine = picked.arm == number
        treated = mine & ~picked.held
        used = bool(treated.any())
        fixed = chosen.purse.fixed[number - 1] if used else 0.0
        arm = plan.arms[name]
        yield TargetArm(
            arm=name,
            offer=arm.offer,
            channel=arm.channel,
            gate_open=opened[number - 1],
            customers=int(treated.sum()),
            held_out=int((mine & picked.held).sum()),
            expected_profit=float(profit[treated].sum()) - fixed,
            expected_cost=float(cost[treated].sum()) + fixed,
            fixed_cost=fixed,
        )
