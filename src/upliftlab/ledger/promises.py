"""What `target` promised for a list, kept before anybody is contacted and held to afterwards.

A list is known by its digest: an experiment that is run on that very file is the list's own. What
came is told where exactly those were analysed whom the list had contacted and held out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from upliftlab import __version__
from upliftlab.assignment.assign import CUSTOMERS
from upliftlab.ledger.ledger import Ledger
from upliftlab.ledger.records import Promise, PromisedArm
from upliftlab.results.analysis import Analysis, EstimandKind, Finding, VerdictCode
from upliftlab.results.base import Message, Scalar
from upliftlab.results.promises import KeptArm, KeptPromise
from upliftlab.results.targets import Targets
from upliftlab.text.language import N_, Language

_KEPT: Final = N_(
    "The list promised {promised:money} of profit by {arm}; it brought {realised:money} "
    "({low:money} to {high:money})."
)
_KEPT_BETWEEN: Final = N_(
    "The list promised {promised:money} ({from:money} to {to:money}) of profit by {arm}; it "
    "brought {realised:money} ({low:money} to {high:money})."
)
_INVALID: Final = N_(
    "The list promised {promised:money} of profit by {arm}; whether it came is not known, as a "
    "critical check failed."
)
_EARLY: Final = N_(
    "The list promised {promised:money} of profit by {arm}; its outcome windows have not closed."
)
_OTHERS: Final = N_(
    "The list promised {promised:money} of profit by {arm}. It contacted {customers:count} "
    "customers and held {held:count} out; {treated:count} and {control:count} were analysed, so "
    "what came cannot be compared."
)
_MONEY: Final = N_(
    "The list promised {promised:money} of profit by {arm}; what came has no interval in the same "
    "currency."
)


def keep(ledger: Ledger, targets: Targets, now: datetime) -> Promise | None:
    """Put on the record what is promised for a list that was written; None without one.

    Raises:
        LedgerError: UL450 another process writes, UL459 a record was changed, UL470 the disk
            refuses.
    """
    if targets.file is None:
        return None
    promise = Promise(
        experiment=targets.experiment,
        time=now,
        upliftlab=__version__,
        list_sha256=targets.file.sha256,
        rows=targets.file.rows,
        customers=targets.customers,
        plan_sha256=targets.plan_sha256,
        day=targets.day,
        policy=targets.policy,
        forced=targets.forced,
        currency=targets.currency,
        expected_profit=targets.expected_profit,
        expected_low=targets.expected_low,
        expected_high=targets.expected_high,
        arms=tuple(
            PromisedArm(
                arm=arm.arm,
                customers=arm.customers,
                held_out=arm.held_out,
                expected_profit=arm.expected_profit,
            )
            for arm in targets.arms
            if arm.customers
        ),
    )
    return ledger.keep_promise(promise)


def held_to(ledger: Ledger, analysis: Analysis) -> Analysis:
    """An analysis beside what was promised for its list; the same where nothing was.

    Raises:
        LedgerError: UL459, the promise or another record of the same experiment was changed.
    """
    read = [file.sha256 for file in analysis.data if file.source == CUSTOMERS]
    promise = ledger.promise(read[0]) if read else None
    if promise is None:
        return analysis
    names = {arm.arm for arm in analysis.arms if not arm.control}
    kept = KeptPromise(
        experiment=promise.experiment,
        day=promise.day,
        policy=promise.policy,
        forced=promise.forced,
        arms=tuple(_arm(each, promise, analysis) for each in promise.arms if each.arm in names),
    )
    return analysis.model_copy(update={"promise": kept})


def _arm(promised: PromisedArm, promise: Promise, analysis: Analysis) -> KeptArm:
    """One arm's promise, and what came where that is known."""
    alone = len(promise.arms) == 1
    low, high = (promise.expected_low, promise.expected_high) if alone else (None, None)
    kind = EstimandKind.incremental_profit
    told = analysis.find(kind=kind, arm=promised.arm, dimension=None, headline=True)
    found = told[0] if told else None
    template = _untold(promised, promise, analysis, found)
    came = None if template else found
    values: dict[str, Scalar] = {"arm": promised.arm, "promised": promised.expected_profit}
    if came is not None:
        template = _KEPT if low is None or high is None else _KEPT_BETWEEN
        values |= {"realised": came.estimate, "low": came.low, "high": came.high}
        values |= {} if template is _KEPT else {"from": low, "to": high}
    elif template is _OTHERS and found is not None:
        values |= {"customers": promised.customers, "held": promised.held_out}
        values |= {"treated": found.n_treated, "control": found.n_control}
    message = Message(template=template or _MONEY, values=values)
    return KeptArm(
        arm=promised.arm,
        customers=promised.customers,
        held_out=promised.held_out,
        promised=promised.expected_profit,
        promised_low=low,
        promised_high=high,
        realised=came and came.estimate,
        realised_low=came and came.low,
        realised_high=came and came.high,
        sentence=Language("en").say(message, promise.currency),
        sentence_parts=message,
    )


def _untold(
    promised: PromisedArm, promise: Promise, analysis: Analysis, found: Finding | None
) -> str | None:
    """Why what came cannot be compared; None where it can."""
    if analysis.verdict.code is VerdictCode.invalid:
        return _INVALID
    if analysis.verdict.code is VerdictCode.not_final:
        return _EARLY
    if found is None or found.estimate is None or analysis.currency != promise.currency:
        return _MONEY
    if (found.n_treated, found.n_control) != (promised.customers, promised.held_out):
        return _OTHERS
    return _MONEY if found.low is None or found.high is None else None
