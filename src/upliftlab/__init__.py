"""upliftlab: learn whether campaigns pay.

The names in `__all__` are stable. Each is loaded when it is first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from upliftlab.api import (
        Experiment,
        analyze,
        assign,
        check,
        inspect,
        learn,
        plan,
        portfolio,
        read_analysis,
        target,
    )
    from upliftlab.assignment.assign import assign_one
    from upliftlab.errors import (
        ConfigError,
        DataError,
        Diagnostic,
        EngineError,
        OutputError,
        UpliftLabError,
    )
    from upliftlab.results.analysis import Analysis, Finding
    from upliftlab.results.plan import PowerReport
    from upliftlab.results.portfolio import Portfolio
    from upliftlab.results.targets import Targets
    from upliftlab.results.uplift import UpliftResult

__version__ = "0.1.0"
__all__ = [
    "Analysis",
    "ConfigError",
    "DataError",
    "Diagnostic",
    "EngineError",
    "Experiment",
    "Finding",
    "OutputError",
    "Portfolio",
    "PowerReport",
    "Targets",
    "UpliftLabError",
    "UpliftResult",
    "__version__",
    "analyze",
    "assign",
    "assign_one",
    "check",
    "inspect",
    "learn",
    "plan",
    "portfolio",
    "read_analysis",
    "target",
]
_API = (
    "Experiment",
    "analyze",
    "assign",
    "check",
    "inspect",
    "learn",
    "plan",
    "portfolio",
    "read_analysis",
    "target",
)
_PLACES = {
    **dict.fromkeys(_API, "api"),
    "assign_one": "assignment.assign",
    "Analysis": "results.analysis",
    "Finding": "results.analysis",
    "Portfolio": "results.portfolio",
    "PowerReport": "results.plan",
    "Targets": "results.targets",
    "UpliftResult": "results.uplift",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, so that `upliftlab check` starts fast."""
    if name not in __all__:
        raise AttributeError(f"module 'upliftlab' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - on demand

    place = f"upliftlab.{_PLACES.get(name, 'errors')}"
    found: object = getattr(import_module(place), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
