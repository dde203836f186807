"""The shape of an experiment: its arms, customers, outcomes and costs as cells of a proof."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.money import ArmTerms
from upliftlab.planning.design_inputs import DesignInputs
from upliftlab.results.costs import RATED, Per
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.outcome import Outcome, outcome_of
from upliftlab.validation.replication import named
from upliftlab.validation.scenario import CUSTOMERS_ALONE, Scenario
from upliftlab.validation.studies.main import LIFTS


def cells_of(known: DesignInputs) -> tuple[NamedScenario, ...]:
    """Every treated arm with each effect: of the metric that is planned for, and of revenue.

    A unit is an outcome of the baseline's moments (`outcome_of`); a household is taken as one
    customer whose outcome is its total. Effects under which more than all would buy are left out.

    Args:
        known: An experiment with its baseline.

    Raises:
        ConfigError: UL322, it is not known how many customers there are, they do not fill the arms,
            or no column can be drawn.
    """
    found = tuple(
        named(
            {"metric": name, "arm": arm, "effect": effect},
            _scenario(known, (name, outcome), arm, lift),
        )
        for name, outcome in _outcomes(known)
        for arm in known.spec.treatments
        for effect, lift in LIFTS.items()
        if outcome.shape == "normal" or outcome.buys * (1 + lift) < 1
    )
    if not found:
        message = "no metric that can be drawn: ratios of totals and constants are not"
        raise ConfigError(
            Diagnostic("UL322", message, "run 'upliftlab validate' without an experiment")
        )
    return found


def notes_of(known: DesignInputs) -> Iterator[str]:
    """What the cells leave out of the experiment."""
    spec, lead = known.spec, known.expectation.lead
    if lead.info.name in spec.ratios:
        yield f"'{lead.info.name}' is a ratio of two totals and is not drawn."
    if spec.size is not None:
        yield "A household is drawn as one customer with its total; that sizes differ is left out."
    if spec.covariates:
        yield "Covariates are left out: the plain difference is proved."
    if spec.roles is not None and spec.roles.further:
        yield "Further costs are left out."
    if known.money_absent is not None:
        yield "Profit and ROI are not proved: `upliftlab plan` says why no money can be told."
    for name, outcome in _outcomes(known):
        yield _described(name, outcome)


def _described(name: str, outcome: Outcome) -> str:
    if outcome.shape == "binary":
        return f"'{name}': {outcome.buys:.2%} of units."
    if outcome.shape == "normal":
        return (
            f"'{name}': normal, mean {outcome.amount:.4g}, standard deviation {outcome.spread:.4g}."
        )
    return (
        f"'{name}': {outcome.buys:.2%} of units have an amount, lognormal with mean "
        f"{outcome.amount:.4g} and a logarithm's sd of {outcome.spread:.2f}."
    )


def _outcomes(known: DesignInputs) -> Iterator[tuple[str, Outcome]]:
    """The columns that are drawn: the lead metric's and revenue's."""
    spec, lead = known.spec, known.expectation.lead
    columns = [] if lead.place.below not in {None, spec.size} else [lead.place.above]
    if spec.roles is not None and spec.roles.revenue not in columns:
        columns.append(spec.roles.revenue)
    for column in columns:
        unit = known.baseline.unit
        if unit.m2[column, column] > 0:
            share = lead.share and column == lead.place.above and spec.size is None
            yield spec.columns[column], outcome_of(unit, column, share=share)


def _scenario(known: DesignInputs, named: tuple[str, Outcome], arm: str, lift: float) -> Scenario:
    spec, (name, outcome) = known.spec, named
    expected = known.expectation
    if known.customers is None:
        message = "nothing tells how many customers there are"
        raise ConfigError(Diagnostic("UL322", message, "give --customers, or the data"))
    treated, control = (
        round(expected.in_arm(each, known.customers) / expected.size)
        for each in (arm, spec.control)
    )
    if min(treated, control) < 2:  # noqa: PLR2004 - a variance needs two
        message = f"{known.customers:,} customers leave an arm with fewer than two units"
        raise ConfigError(Diagnostic("UL322", message, "give more --customers"))
    money = spec.roles is not None and spec.columns[spec.roles.revenue] == name
    redeemed = known.redemptions.get(arm, 0.0) * expected.size
    return Scenario(
        outcome,
        CUSTOMERS_ALONE,
        (treated, control),
        lift,
        (_terms(known, arm), _terms(known, spec.control)) if money else None,
        min(1.0, redeemed / min(1.0, outcome.buys * (1 + lift))),
        spec.confidence,
        spec.hurdle,
    )


def _terms(known: DesignInputs, arm: str) -> ArmTerms:
    """An arm's terms by unit; where contacts are counted, the control has none."""
    spec, size = known.spec, known.expectation.size
    terms = known.spec.terms[arm]
    counted = spec.roles is not None and spec.roles.contacts is not None
    each = {Per.contact: 0.0 if counted and arm == spec.control else size, Per.customer: size}
    rates = {step: terms[step] * each[step.line.per] for step in RATED if step.line.per in each}
    return terms.having(rates)
