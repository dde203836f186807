"""The gate: whether customers respond differently to an arm, before anything is ranked."""

from __future__ import annotations

from typing import Final

from upliftlab.report.figure import FigureFormat, Formatter
from upliftlab.report.grid import (
    Grid,
    GridMark,
    Titles,
    figures,
    grid,
    intervals,
    marks,
    named,
    valued,
)
from upliftlab.report.grid import optional as maybe
from upliftlab.report.quantity import unit_form
from upliftlab.results.uplift import UpliftResult
from upliftlab.text.language import N_

LEARNERS: Final = {
    "solo_model": N_("One model that knows the arm"),
    "two_models": N_("Two models: one of the treated, one of the control"),
    "two_models_ddr_control": N_("Two models: that of the treated is told the control's"),
    "two_models_ddr_treatment": N_("Two models: that of the control is told the treated's"),
    "class_transformation": N_("Class transformation"),
    "doubly_robust": N_("Doubly robust learner"),
    "x_learner": N_("X-learner"),
    "r_learner": N_("R-learner"),
}
BASES: Final = {"boosting": N_("boosted trees"), "linear": N_("linear model")}
_SLOPE: Final = FigureFormat("number", signed=True)


def gates(responses: UpliftResult, formatter: Formatter) -> Grid:
    """The table of the gate, one row an arm."""
    form, rows = unit_form(responses.unit), list(enumerate(responses.gates))
    states = [
        GridMark("yes", formatter.text(N_("open")), formatter.text(N_("responses differ")))
        if gate.open
        else GridMark(
            "no", formatter.text(N_("shut")), formatter.text(N_("no evidence that they differ"))
        )
        for _, gate in rows
    ]
    tested = [
        maybe(g.p_adjusted, f"/gates/{i}/p_adjusted", FigureFormat("p"), formatter) for i, g in rows
    ]
    average = [valued(gate.average, f"/gates/{i}/average") for i, gate in rows]
    slope = [valued(gate.slope, f"/gates/{i}/slope") for i, gate in rows]
    autoc = [valued(gate.autoc, f"/gates/{i}/autoc") for i, gate in rows]
    return grid(
        formatter.text(N_("The gate, by arm")),
        formatter.text(N_("Arm")),
        [named(formatter.called(gate.arm), learner(gate.learner, formatter)) for _, gate in rows],
        [
            marks(Titles(N_("Gate")), states, formatter),
            intervals(Titles(N_("Average effect"), N_("per customer")), average, form, formatter),
            intervals(
                Titles(N_("Slope"), N_("one is a score that is right on average")),
                slope,
                _SLOPE,
                formatter,
            ),
            intervals(
                Titles(N_("AUTOC"), N_("what the first in order gain beyond the average")),
                autoc,
                form,
                formatter,
            ),
            figures(Titles(N_("Adjusted p"), N_("Holm, over arms")), tested, formatter),
        ],
    )


def learner(name: str, formatter: Formatter) -> str:
    """How a learner is called; a name that is not known stays as it is."""
    return formatter.text(LEARNERS[name]) if name in LEARNERS else name
