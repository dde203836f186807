"""One check: a question asked of the data, with its answer said in English."""

from __future__ import annotations

from collections.abc import Mapping

from upliftlab.results.analysis import Check, Message, Scalar, Severity
from upliftlab.text.language import Language

IMPLAUSIBLE = 0.001
"""What is this improbable is a fault of the experiment, not of chance."""
SKEWED = 0.05
"""Beyond this skewness of a difference, an interval or test by normal theory misses one tail."""
_ENGLISH = Language("en")


def check(
    name: str,
    passed: bool | None,
    severity: Severity,
    said: tuple[str, Mapping[str, Scalar]],
    measured: tuple[float | None, float | None] = (None, None),
) -> Check:
    """A check with its message said in English; `measured` is its statistic and p-value."""
    parts = Message(template=said[0], values=dict(said[1]))
    return Check(
        name=name,
        severity=severity,
        passed=passed,
        value=measured[0],
        p=measured[1],
        message=_ENGLISH.say(parts, None),
        parts=parts,
    )
