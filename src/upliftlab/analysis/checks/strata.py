"""Which strata compare the arms, where arms were assigned within strata elsewhere?"""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.checks.definition import CheckAnswer, CheckDefinition, CheckInputs
from upliftlab.analysis.checks.shares import units_by_stratum
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.given_strata import kinds, units_by_arm
from upliftlab.text.language import N_

_FULL = N_("Arms are compared within {full:count} strata in which each arm has two units or more.")
_PAIRS = N_("Arms are compared within {blocks:count} matched sets with one unit of each arm.")
_BLOCKS = N_(
    "Arms are compared within {blocks:count} strata in which some arm has a single unit; the "
    "differences between strata tell their variance."
)
_BOTH = N_(
    "Arms are compared within {full:count} strata in which each arm has two units or more, and "
    "{blocks:count} in which some arm has a single one; of these the differences between strata "
    "tell the variance."
)
_LEFT_OUT = N_(
    "{units:count} of {total:count} units are left out, in {strata:count} strata that tell "
    "nothing: {lacking:count} of them lack an arm, {lone:count} have a single unit of one and "
    "are too few to tell how differences vary."
)


def _strata(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """How many strata compare the arms and in which way, and how many units are left out."""
    if not inputs.plan.experiment.assignment.within_given:
        return
    units = units_by_arm(
        list((inputs.facts.of(units_by_stratum) or {}).values()), tuple(inputs.plan.arms)
    )
    found = kinds(units)
    full, blocks = int(found.full.sum()), int(found.blocks.sum())
    pairs = blocks and not full and bool((units[found.blocks] == 1).all())
    text = _PAIRS if pairs else _BOTH if full and blocks else _BLOCKS if blocks else _FULL
    counts: dict[str, Scalar] = {"full": full, "blocks": blocks}
    yield CheckAnswer(passed=True, text=text, values=counts, value=float(full + blocks))
    out = ~found.compared
    if out.any():
        values: dict[str, Scalar] = {
            "units": int(units[out].sum()),
            "total": int(units.sum()),
            "strata": int(out.sum()),
            "lacking": int(found.lacking.sum()),
            "lone": int(found.lone.sum()),
        }
        left = float(units[out].sum())
        yield CheckAnswer(
            passed=False, text=_LEFT_OUT, values=values, subjects=("left_out",), value=left
        )


STRATA = CheckDefinition(
    name="strata",
    title=N_("Strata that compare"),
    severity=Severity.warning,
    judge=_strata,
    facts=(units_by_stratum,),
    tells="counts",
)
