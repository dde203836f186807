"""UL160 and UL161: what a report may tell of customers."""

from __future__ import annotations

from upliftlab.config.catalogue_entry import Example

PRIVACY: tuple[Example, ...] = (
    Example(
        "UL160",
        "Divided by who customers are",
        "Segments and strata say what customers have in common, and name nobody.",
        "segments: [id]",
        "segments: [region]",
    ),
    Example(
        "UL161",
        "Single customers shown",
        "Nothing is shown of fewer customers of an arm than 'smallest_cell', which is at least 2.",
        "smallest_cell: 1",
        "smallest_cell: 5",
        "configs/program.yaml",
    ),
)
