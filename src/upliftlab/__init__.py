"""upliftlab: learn whether campaigns pay."""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from upliftlab.assignment.assign import assign_one

__version__ = "0.1.0"
__all__ = ["__version__", "assign_one"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, so that `upliftlab check` starts fast."""
    if name == "assign_one":
        from upliftlab.assignment.assign import assign_one as found  # noqa: PLC0415 - on demand

        return found
    raise AttributeError(f"module 'upliftlab' has no attribute {name!r}")
