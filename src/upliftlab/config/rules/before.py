"""Rules about before and after assignment: who is in, and how customers are divided."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from upliftlab.config.computed import bases_of
from upliftlab.config.plain_conditions import columns_of
from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.config.shared import condition_fault
from upliftlab.errors import Diagnostic, Place

EXCLUDE: Final = "'exclude'"
_OUTCOME: Final = "an outcome of this experiment"


@rule(
    "UL112",
    "Known only after assignment",
    "Who takes part, and how customers are divided, uses only what is known before assignment.",
    wrong="segments: [spent]",
    right="segments: [region]",
)
def known_before(scope: Scope) -> Iterator[Diagnostic]:
    """UL112: who is in, and how they are divided, must not depend on what happened later."""
    late = _late(scope)
    asked = [*divisions(scope), *_exclusions(scope, late)]
    for column, what, place in _with_parts(asked, scope.plan.customers.columns):
        if reason := late.get(column.casefold()):
            joined = ", which is" if what.endswith("uses") else " is"
            message = f"{what} '{column}'{joined} {reason}"
            remedy = "use only what is known before assignment"
            if what.startswith("'exclude'") and reason == _OUTCOME:
                remedy = "for customers without a value write 'missing: drop' at the metric"
            yield Diagnostic("UL112", message, remedy, place)


def _late(scope: Scope) -> dict[str, str]:
    """Columns that come to be at or after assignment, and why that is known."""
    plan = scope.plan
    late = {name.casefold(): "known only after assignment" for name in plan.customers.known_after}
    for name, metric in plan.metrics.items():
        for word in (name, metric.field):
            if word is not None:
                late[word.casefold()] = _OUTCOME
    sums = plan.customers.aggregated
    for way, column in sums.columns() if sums else ():
        if set(way[1:]) & plan.covariates.keys():
            continue
        late[column.casefold()] = _OUTCOME
    if observed := plan.experiment.assignment.observed:
        late[observed.casefold()] = "the arm itself"
    return late


def _with_parts(
    asked: Iterable[tuple[str, str, Place]], computed: Mapping[str, str]
) -> Iterator[tuple[str, str, Place]]:
    """The same, each computed column followed by the columns that it is computed from."""
    for column, what, place in asked:
        yield column, what, place
        for part in sorted(bases_of(column, computed)) if column in computed else ():
            which = ", which" if what.endswith("uses") else ""
            yield part, f"{what} '{column}'{which} uses", place


def divisions(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Every column that decides who takes part or how customers are divided."""
    experiment = scope.plan.experiment
    for at, name in enumerate(experiment.segments):
        for column in scope.plan.segments[name].columns:
            yield column, "the segment", scope.at("segments", at)
    for at, name in enumerate(experiment.analysis.covariates):
        if scope.plan.covariates[name].source is None:
            yield name, "the covariate", scope.at("analysis", "covariates", at)
    for at, name in enumerate(experiment.assignment.strata):
        yield name, "the stratum", scope.at("assignment", "strata", at)
    for at, name in enumerate(experiment.uplift.features if experiment.uplift else ()):
        yield name, "the feature", scope.at("uplift", "features", at)
    yield from _columns_of(each for each in conditions_of(scope) if each[1] != EXCLUDE)


def _columns_of(conditions: Iterable[tuple[str, str, Place]]) -> Iterator[tuple[str, str, Place]]:
    for text, what, place in conditions:
        if condition_fault(text, place) is None:
            for column in sorted(columns_of(text)):
                yield column, f"{what} uses", place


def _exclusions(scope: Scope, late: Mapping[str, str]) -> Iterator[tuple[str, str, Place]]:
    """The columns of `exclude` that must be known before assignment.

    Of arms that were assigned elsewhere, only outcomes need not: who has no arm is left out by
    the arm itself, and what else came later is a warning (UL152).
    """
    asked = _columns_of(each for each in conditions_of(scope) if each[1] == EXCLUDE)
    observed = scope.plan.experiment.assignment.observed is not None
    for column, what, place in asked:
        if not observed or late.get(column.casefold()) == _OUTCOME:
            yield column, what, place


@rule(
    "UL152",
    "Left out by what came later",
    "Who is left out by what became known after assignment may differ between the arms (warning).",
    wrong="customers: {file: data.csv, id: id, known_after: [spent, bounced]}\nexclude: bounced",
    right="customers: {file: data.csv, id: id, known_after: [spent, bounced]}\nexclude: age < 18",
)
def left_out_later(scope: Scope) -> Iterator[Diagnostic]:
    """UL152: of observed arms, leaving out by what is known later is allowed, and said."""
    if scope.plan.experiment.assignment.observed is None:
        return
    late = {name.casefold() for name in scope.plan.customers.known_after}
    outcomes = {name for name, why in _late(scope).items() if why == _OUTCOME}
    for column, what, place in _columns_of(
        each for each in conditions_of(scope) if each[1] == EXCLUDE
    ):
        if column.casefold() in late - outcomes:
            message = f"{what} '{column}', which is known only after assignment"
            remedy = "make sure that no arm can change it; the check 'exclusion' compares the arms"
            yield Diagnostic("UL152", message, remedy, place, severity="warning")


_ENGLISH: Final = (
    "opened opens clicked clicks redeemed redemption redemptions unsubscribed unsubscribe"
    " unsubscribes converted conversion conversions purchased bought ordered visited responded"
    " replied complained bounced after"
)
_GERMAN: Final = (
    "geöffnet geoeffnet öffnungen geklickt klicks eingelöst eingeloest einlösung abgemeldet"
    " abmeldung konvertiert gekauft bestellt besucht reagiert beschwert danach nachher"
)
_RESPONSES: Final = frozenset((*_ENGLISH.split(), *_GERMAN.split()))
"""Words that name what customers do in answer to a campaign."""
_BEFORE: Final = frozenset({"before", "prior", "previous", "previously", "pre", "vorher", "vor"})
"""Words that say that it was before."""
_WORD: Final = re.compile(r"[A-ZÄÖÜ]?[a-zäöüß]+|[A-ZÄÖÜ]+(?![a-zäöüß])|[^\W\d_A-Za-zÄÖÜäöüß]+")


def sounds_like_response(column: str) -> bool:
    """Whether a column's name is that of what customers do in answer to a campaign.

    >>> [sounds_like_response(name) for name in ("opened", "mailClicked", "opened_before", "open")]
    [True, True, False, False]
    """
    words = {word.casefold() for word in _WORD.findall(column)}
    return bool(words & _RESPONSES) and not words & _BEFORE


@rule(
    "UL624",
    "Column that sounds like a response",
    "Columns called opened, clicked or redeemed hold what a campaign changes, unless it is said "
    "that they are known before it (warning).",
    wrong="uplift: {features: [opened]}",
    right="customers: {file: data.csv, id: id, known_before: [opened]}\n"
    "uplift: {features: [opened]}",
)
def responses(scope: Scope) -> Iterator[Diagnostic]:
    """UL624: what sounds like a response is asked about, where no `as_of` tells its time.

    Arms that are drawn from the table are drawn before anybody responds, so that strata and
    conditions of who takes part are asked about only where arms were assigned elsewhere.
    """
    own, late = scope.plan.customers, _late(scope)
    if own.as_of is not None:
        return
    said = {name.casefold() for name in (*own.known_before, *late)}
    asked = [*divisions(scope), *_exclusions(scope, late)]
    if scope.plan.experiment.assignment.observed is None:
        drawn = ("the stratum", "'eligible' uses", "'exclude' uses")
        asked = [each for each in asked if each[1] not in drawn]
    for column, what, place in _with_parts(asked, own.columns):
        if column.casefold() not in said and sounds_like_response(column):
            message = f"{what} '{column}', which sounds like a response to the campaign"
            remedy = f"if it is known before assignment, write 'known_before: [{column}]' at the"
            remedy += " customers' table; else leave it out"
            yield Diagnostic("UL624", message, remedy, place, severity="warning")


def conditions_of(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Every condition over the customers' table."""
    asked = scope.plan.experiment
    if asked.exclude:
        yield asked.exclude, EXCLUDE, scope.at("exclude")
    if asked.eligible:
        yield asked.eligible, "'eligible'", scope.at("eligible")
    if asked.uplift and asked.uplift.today:
        yield asked.uplift.today.where, "today's rule", scope.at("uplift", "today", "where")


@rule(
    "UL020",
    "Condition not allowed",
    "A condition holds columns, literals, comparisons, and/or/not, arithmetic, in, "
    "between, like, is null and abs, lower, upper, coalesce, length, round.",
    wrong='eligible: "age > (select 18)"',
    right="eligible: \"age >= 18 and region in ('north', 'south')\"",
)
def conditions(scope: Scope) -> Iterator[Diagnostic]:
    """UL020: a condition holds only what is allowed."""
    for text, _, place in conditions_of(scope):
        if fault := condition_fault(text, place):
            yield fault
