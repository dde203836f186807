"""Uncertain values of a table: how far means move when each is one standard error higher.

A customer's number may be what a declared table says of their state: Σ_s v_s·1[state = s]. Where
v_s is known with a standard error se_s, whatever the experiment says of states, an effect
Σ_s v_s·(p_s,treated − p_s,control) has besides its sampling variance that of the table: by the
delta method Σ_s se_s²·(p_s,treated − p_s,control)² (van der Vaart 1998, ch. 3). Each column is
counted once more with v_s one standard error higher, so that a form f of the columns moves by
f(raised) − f = se_s·∂f/∂v_s; the sum of its squares over s is the table's part. Of ratios of totals
the derivative is taken at the means. The table is one for both groups, for all arms and all levels
of a segment: its error does not average out over them. That a table stands for what comes later is
a surrogate in the sense of Athey, Chetty, Imbens & Kang (2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from upliftlab.stats.moments import Array, Projection

Raised = Sequence[Mapping[int, int]]
"""By uncertain value, the columns that depend on it, each with its raised counterpart."""


def with_raised(made: Projection, first: int, raised: Raised) -> Projection:
    """A map of columns with, behind its new ones, the same ones under every raised value.

    Args:
        made: The map, of which rows from `first` on are new columns.
        first: How many columns it keeps.
        raised: What depends on the uncertain values.

    >>> made = Projection(np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]), np.zeros(3))
    >>> with_raised(made, 2, [{0: 1}]).matrix[-1].tolist()
    [0.0, 2.0]
    """
    rows, offsets = [made.matrix], [made.offset]
    for entry in raised:
        moved = made.matrix[first:].copy()
        for column, other in entry.items():
            moved[:, other] += moved[:, column]
            moved[:, column] = 0.0
        rows.append(moved)
        offsets.append(made.offset[first:])
    return Projection(np.vstack(rows), np.concatenate(offsets))


def counterparts(columns: int, first: int, raised: Raised) -> Raised:
    """What depends on the uncertain values among the columns of `with_raised`.

    Args:
        columns: How many there are.
        first: How many come before the new ones.
        raised: What depends on the uncertain values among those.
    """
    new = (columns - first) // (1 + len(raised))
    return [
        {**entry, **{first + s: first + (1 + at) * new + s for s in range(new)}}
        for at, entry in enumerate(raised)
    ]


def moved_means(mean: Array, wanted: Sequence[tuple[int, int | None]], raised: Raised) -> Array:
    """How far a group's means and quotients move under every raised value, shape (values, wanted).

    Args:
        mean: Means of a group's columns, shape (p,).
        wanted: The column above the line and the one below; None for a plain mean.
        raised: What depends on the uncertain values among these columns.

    >>> mean = np.array([10.0, 12.0, 4.0])
    >>> moved_means(mean, [(0, None), (0, 2), (2, None)], [{0: 1}]).tolist()
    [[2.0, 0.5, 0.0]]
    """
    held = _quotients(mean, wanted)
    moved = np.zeros((len(raised), len(wanted)))
    for at, entry in enumerate(raised):
        other = mean.copy()
        for column, counterpart in entry.items():
            other[column] = mean[counterpart]
        moved[at] = _quotients(other, wanted) - held
    return moved


def _quotients(mean: Array, wanted: Sequence[tuple[int, int | None]]) -> Array:
    below = np.array([1.0 if line is None else mean[line] for _, line in wanted])
    above = mean[[column for column, _ in wanted]]
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)
