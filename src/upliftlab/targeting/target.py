"""The verb `target`: from a model and next month's customers to the list of whom to contact.

It orchestrates and computes nothing: candidates say who may be contacted, the forecast what is
expected of them, the spending whom the budget reaches; a list is written, or the reason is told why
there is none.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from upliftlab import __version__
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.values import parse_money
from upliftlab.engines.parquet import sha256_of
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.results.analysis import DataFile, Message, Provenance
from upliftlab.results.targets import TargetModel, Targets
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.budget import use
from upliftlab.targeting.candidates import Candidates, candidates, look
from upliftlab.targeting.crossfit import COST
from upliftlab.targeting.learn import SEED, Learned, learn
from upliftlab.targeting.list_file import write_list
from upliftlab.targeting.model import (
    FittedModel,
    followed,
    forecast,
    judged_policy,
    load,
    save,
    written_down,
)
from upliftlab.targeting.narrative import Choice, ListSummary, doubt, said
from upliftlab.targeting.policies import tree_realised
from upliftlab.targeting.request import TargetRequest, examine, holdout_of
from upliftlab.targeting.rollout import of_rule, rollout_basis
from upliftlab.targeting.selection import Scorer, list_schema, score, select, table_batches, wording
from upliftlab.targeting.tree_list import TreeBasis, TreeForecast, group_costs
from upliftlab.uplift.scores import NUISANCE

ABOUT = "upliftlab"
"""The key under which a Parquet list says what it is."""
_LIBRARIES = ("numpy", "scipy", "pyarrow", "scikit-learn", "scikit-uplift")


def target(
    plan: Plan, order: TargetRequest, basis: FittedModel, setting: AnalysisContext
) -> Targets:
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
    return _answered(ListSummary(plan, order, basis, provenance(setting)), setting, why)


def _answered(account: ListSummary, setting: AnalysisContext, why: Message | None) -> Targets:
    """The list, unless there is a reason for none and it is not forced."""
    if why is not None and not account.order.force:
        return account.without_list(why)
    with setting.engine.reading():
        return _listed(account, setting, forced=why is not None)


def next_campaign(
    plan: Plan, order: TargetRequest, model: Path | None, setting: AnalysisContext
) -> Targets:
    """Learn, or take a saved model, and choose; what can be told to fail is refused first.

    Args:
        plan: The experiment that was learned from.
        order: What is asked.
        model: A model that was saved; None to learn afresh.
        setting: Engine, clock and listener.

    Raises:
        UpliftLabError: as `target`, `look`, `saved` and `afresh`.
    """
    examine(plan, order)
    if order.arm is not None:
        return _rolled_out(plan, order, order.arm, setting)
    look(plan, order.source, setting.engine)
    if order.by_tree:
        grown = tree_basis(_priced(_learned(plan, order, setting)))
        return _answered(ListSummary(plan, order, grown, provenance(setting)), setting, grown.why)
    basis = afresh(plan, order, setting) if model is None else saved(plan, model, setting)
    return target(plan, order, basis, setting)


def _rolled_out(plan: Plan, order: TargetRequest, arm: str, setting: AnalysisContext) -> Targets:
    """One arm for everybody who may be contacted, or of them for whom today's rule chooses.

    Raises:
        UpliftLabError: as `analyze`, `rollout_basis` and `candidates`.
    """
    by_rule = order.by_rule
    asked = _without_features(plan, by_rule=by_rule)
    look(asked, order.source, setting.engine, features=False)
    found = analyze(of_rule(plan) if by_rule else plan, setting)
    basis = rollout_basis(plan, arm, found, by_rule=by_rule)
    return _answered(ListSummary(plan, order, basis, provenance(setting)), setting, basis.why)


def _without_features(plan: Plan, *, by_rule: bool) -> Plan:
    """The plan as it asks of nobody what a model is given; today's rule, only where it chooses."""
    if by_rule:
        return plan
    experiment = plan.experiment.model_copy(update={"uplift": None})
    return plan.model_copy(update={"experiment": experiment})


def _listed(account: ListSummary, setting: AnalysisContext, *, forced: bool) -> Targets:
    """Choose, and write the list of customers who were the same from the first to the last look."""
    plan, order, basis = account.plan, account.order, account.basis
    campaign = order.campaign(plan, basis.encoding)
    by_rule = order.by_rule
    asked = plan if order.arm is None else _without_features(plan, by_rule=by_rule)
    found = candidates(asked, order.source, setting.engine, campaign)
    chosen = _choose(account, found, setting)
    setting.progress("Writing the list")
    place, digest = setting.engine.fingerprint(order.source)
    setting.engine.confirm()
    read = DataFile(source=order.customers, file=place, sha256=digest, rows=found.population)
    return _written(account.of(chosen, read, forced=forced), account, chosen)


def afresh(plan: Plan, order: TargetRequest, setting: AnalysisContext) -> FittedModel:
    """Learn a model now, and judge it by what is asked.

    Raises:
        ConfigError, DataError: as `candidates` and `learn`; UL638, what is learned from is no
            money.
    """
    return learned_basis(_learned(plan, order, setting))


def _learned(plan: Plan, order: TargetRequest, setting: AnalysisContext) -> Learned:
    """What is learned for as much money as is asked, and for as many customers as there are."""
    setting.progress("Counting customers to choose from")
    there = candidates(plan, order.source, setting.engine, order.campaign(plan))
    size = there.contactable(setting.engine) * float(1 - holdout_of(plan))
    return learn(_with_budget(plan, order.budget), setting, size or None)


def learned_basis(found: Learned) -> FittedModel:
    """The basis of what was learned just now.

    Raises:
        ConfigError: UL638, what was learned from is no money, so that no budget can be spent.
    """
    responses = _priced(found).responses
    policy = judged_policy(responses)
    return FittedModel(
        sample=found.sample,
        judged=found.judged,
        data=responses.data,
        opened=tuple(gate.open for gate in responses.gates),
        gain=None if policy is None else policy.value,
        realised=None if policy is None else policy.realised,
    )


def tree_basis(found: Learned) -> TreeBasis:
    """The basis of a list by the readable tree of what was learned just now.

    It is judged as a policy is: by trees that were grown without the customers it is judged on.

    Raises:
        ConfigError: UL638, what was learned from is no money, so that no budget can be spent.
    """
    responses, rules, tree = _priced(found).responses, found.rules, found.tree
    opened = tuple(gate.open for gate in responses.gates)
    gains = [policy.value for policy in responses.policies if policy.name == "tree"]
    gain = gains[0] if gains else None
    realised = tree_realised(found.crossfits, rules)
    least = found.least
    told = TargetModel(
        learner="tree",
        base=NUISANCE,
        seed=SEED,
        learned_from=len(found.sample),
        features=found.encoding.names,
        gain=gain or Estimate(estimate=None),
        realised=realised,
        saved=None,
    )
    return TreeBasis(
        data=responses.data,
        opened=opened,
        encoding=found.encoding,
        ready=TreeForecast(
            tree,
            group_costs(tree, found.crossfits[0], least),
            least,
            (realised.estimate if realised is not None else None) or 0.0,
        ),
        told=told,
        why=doubt(said(responses.arms, opened), gain, tree=True),
    )


def _priced(found: Learned) -> Learned:
    """What was learned, from money; a budget cannot be spent on anything else."""
    if found.sample.outcomes.shape[1] <= COST:
        message = f"models learn from '{found.responses.metric}', which is no money"
        raise ConfigError(Diagnostic("UL638", message, "learn from profit to spend a budget"))
    return found


def saved(plan: Plan, model: Path, setting: AnalysisContext) -> FittedModel:
    """A model from its file, fitted again.

    Raises:
        DataError: UL630 to UL634, the file is no model, or not of this plan and these data.
    """
    artefact = load(model)
    setting.progress("Fitting the saved model again")
    return followed(plan, artefact, setting, provenance(setting).libraries, sha256_of(model))


def save_model(plan: Plan, found: Learned, path: Path, setting: AnalysisContext) -> None:
    """Write down what was learned, for `target --model`.

    Raises:
        ConfigError: UL638, what was learned from is no money.
        OutputError: UL601, the file cannot be written.
    """
    setting.progress("Saving the model")
    save(path, written_down(plan, learned_basis(found), provenance(setting)))


def provenance(setting: AnalysisContext) -> Provenance:
    """What a list or a model was made with."""
    from importlib.metadata import version  # noqa: PLC0415 - costs start-up, needed once

    return Provenance(
        version=__version__,
        python=platform.python_version(),
        engine=setting.engine.description,
        created=setting.now.astimezone(UTC).isoformat(timespec="seconds"),
        libraries={name: version(name) for name in _LIBRARIES},
    )


def _choose(account: ListSummary, found: Candidates, setting: AnalysisContext) -> Choice:
    """Score everybody, and take those whom the budget reaches."""
    plan, basis = account.plan, account.basis
    spec = estimation_spec(plan)
    if isinstance(basis, FittedModel):
        setting.progress("Fitting the model")
        scorer = Scorer(basis.encoding, forecast(basis, spec), holdout_of(plan))
    elif isinstance(basis, TreeBasis):
        scorer = Scorer(basis.encoding, basis.ready, holdout_of(plan), alike=basis.ready.alike)
    else:
        scorer = Scorer(None, basis.ready, holdout_of(plan), by_rule=basis.by_rule)
    scored = score(found.batches(setting.engine), scorer, setting.progress)
    setting.progress("Spending the budget")
    purse = account.order.purse(spec)
    chosen = use(scored.prospects, purse)
    return Choice(scored.seen, chosen, select(scored, chosen.spending, chosen.arms), purse)


def _written(told: Targets, account: ListSummary, chosen: Choice) -> Targets:
    """Write the list, with what is told of it."""
    order, opened = account.order, account.basis.opened
    words = wording(account.plan, opened, order.day)
    if order.by_rule:
        words = replace(words, averaged="those whom today's rule chooses")
    if order.by_tree:
        alike = (False,) * len(opened)
        words = replace(words, ranked=alike, averaged="their group of the readable tree")
    done = write_list(
        order.output,
        list_schema(chosen.selection.kind),
        table_batches(chosen.selection, words),
        {ABOUT: told.model_dump_json(by_alias=True).encode()},
    )
    file = DataFile(source="targets", file=done.path.name, sha256=done.sha256, rows=done.rows)
    return told.model_copy(update={"file": file})


def _with_budget(plan: Plan, budget: float) -> Plan:
    declared = plan.experiment.uplift
    if declared is None:
        return plan
    asked = declared.model_copy(update={"budget": parse_money(budget)})
    experiment = plan.experiment.model_copy(update={"uplift": asked})
    return plan.model_copy(update={"experiment": experiment})
