"""The studies: a new one is its file and its line here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.studies import (
    adjusted,
    best_arm,
    heterogeneity,
    levels,
    main,
    over_time,
    peeks,
    posterior,
    quantiles,
    ratios,
    strata,
    subsidy,
)

STUDIES: Final[Mapping[str, Callable[[], Iterator[NamedScenario]]]] = {
    "main": main.cells,
    "adjusted": adjusted.cells,
    "levels": levels.cells,
    "ratios": ratios.cells,
    "heterogeneity": heterogeneity.cells,
    "best_arm": best_arm.cells,
    "peeks": peeks.cells,
    "over_time": over_time.cells,
    "strata": strata.cells,
    "quantiles": quantiles.cells,
    "posterior": posterior.cells,
    "subsidy": subsidy.cells,
}


def grid(studies: Collection[str] = ()) -> Iterator[NamedScenario]:
    """The cells of some studies, of all where none is named."""
    for name, cells in STUDIES.items():
        if not studies or name in studies:
            yield from cells()
