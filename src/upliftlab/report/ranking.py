"""What the order of customers tells: tenths, learners, who stands first and who is put off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from upliftlab.report.figure import FigureFormat, Formatter, Sentence, Stretch
from upliftlab.report.gate import BASES, learner
from upliftlab.report.grid import (
    Grid,
    GridColumn,
    GridMark,
    RowHead,
    Spread,
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
from upliftlab.results.uplift import LearnerInfo, Responder, Sleeping, Tenth, UpliftResult
from upliftlab.text.language import N_

_COUNT: Final = FigureFormat("count")
_PERCENT: Final = FigureFormat("percent")
_NUMBER: Final = FigureFormat("number")
_DEVIATIONS: Final = FigureFormat("number", signed=True)
_INDEX: Final = FigureFormat("number", signed=True)


def deciles(arm: str, responses: UpliftResult, teller: Formatter) -> Grid | None:
    """The tenths of one arm."""
    rows = [(i, row) for i, row in enumerate(responses.deciles) if row.arm == arm]
    if not rows:
        return None
    form = unit_form(responses.unit)
    sizes = [teller.figure(row.n, f"/deciles/{i}/n", _COUNT) for i, row in rows]
    predicted = [
        teller.figure(
            row.predicted,
            f"/deciles/{i}/predicted",
            form,
            teller.digits(form, [each.predicted for _, each in rows]),
        )
        for i, row in rows
    ]
    found = [valued(row.effect, f"/deciles/{i}/effect") for i, row in rows]
    return grid(
        teller.text(N_("Effect by tenth of the customers")) + f": {arm}",
        teller.text(N_("Tenth")),
        [RowHead(_tenth(i, row, teller), _place(row, teller)) for i, row in rows],
        [
            figures(Titles(N_("Customers")), sizes, teller),
            figures(Titles(N_("Predicted effect"), N_("per customer")), predicted, teller),
            intervals(Titles(N_("Measured effect"), N_("per customer")), found, form, teller),
        ],
    )


def _tenth(i: int, row: Tenth, teller: Formatter) -> Sentence:
    figure = teller.figure(row.decile, f"/deciles/{i}/decile", _COUNT)
    return (Stretch(figure.text, figure=figure),)


def _place(row: Tenth, teller: Formatter) -> str:
    if row.decile == 1:
        return teller.text(N_("predicted to respond most"))
    if row.decile == 10:  # noqa: PLR2004 - tenths are ten
        return teller.text(N_("predicted to respond least"))
    return ""


def learners(arm: str, responses: UpliftResult, teller: Formatter) -> Grid | None:
    """The learners of one arm, the judged one marked."""
    rows = [(i, row) for i, row in enumerate(responses.learners) if row.arm == arm]
    if not rows:
        return None
    form = unit_form(responses.unit)
    autoc = [valued(row.autoc, f"/learners/{i}/autoc") for i, row in rows]
    first = [
        maybe(row.uplift_at_30, f"/learners/{i}/uplift_at_30", form, teller) for i, row in rows
    ]
    return grid(
        teller.text(N_("Learners compared")) + f": {arm}",
        teller.text(N_("Learner")),
        [_learner(row, teller) for _, row in rows],
        [
            intervals(Titles(N_("AUTOC"), N_("beyond the average")), autoc, form, teller),
            _qini(rows, teller),
            figures(
                Titles(N_("Effect among the first 30 %"), N_("mean of the folds")), first, teller
            ),
        ],
    )


def _learner(row: LearnerInfo, teller: Formatter) -> RowHead:
    judged = teller.text(N_("the judged one")) if row.judged else ""
    return RowHead((Stretch(learner(row.learner, teller)),), teller.text(BASES[row.base]), judged)


def _qini(rows: Sequence[tuple[int, LearnerInfo]], teller: Formatter) -> GridColumn:
    """scikit-uplift's coefficient with the spread between folds."""

    def cell(i: int, row: LearnerInfo) -> Spread | None:
        if row.qini_auc is None:
            return None
        key, digits = f"/learners/{i}", 4
        found = teller.figure(row.qini_auc, f"{key}/qini_auc", _INDEX, digits)
        sd = row.qini_auc_sd
        half = None if sd is None else teller.figure(sd, f"{key}/qini_auc_sd", _NUMBER, digits)
        return Spread(found, half)

    title = teller.text(N_("Qini coefficient of scikit-uplift"))
    hint = teller.text(N_("mean of the folds ± standard deviation between them"))
    return GridColumn(title, hint, "spread", tuple(cell(i, row) for i, row in rows))


def responders(arm: str, responses: UpliftResult, teller: Formatter) -> Grid | None:
    """How those who stand first differ from all others."""
    rows = [(i, row) for i, row in enumerate(responses.responders) if row.arm == arm]
    if not rows:
        return None

    def column(titles: Titles, name: str) -> GridColumn:
        cells = [
            teller.figure(
                getattr(row, name),
                f"/responders/{i}/{name}",
                _form(row),
                teller.digits(_form(row), (row.among_first, row.among_others)),
            )
            for i, row in rows
        ]
        return figures(titles, cells, teller)

    apart = [
        teller.figure(row.difference, f"/responders/{i}/difference", _DEVIATIONS, 2)
        for i, row in rows
    ]
    return grid(
        teller.text(N_("Who stands first")) + f": {arm}",
        teller.text(N_("Feature")),
        [_feature(row) for _, row in rows],
        [
            column(
                Titles(N_("Among the first fifth"), N_("mean, or share of customers")),
                "among_first",
            ),
            column(Titles(N_("Among all others")), "among_others"),
            figures(Titles(N_("Difference"), N_("in standard deviations")), apart, teller),
        ],
    )


def _form(row: Responder) -> FigureFormat:
    return _NUMBER if row.level is None else _PERCENT


def _feature(row: Responder) -> RowHead:
    if row.level is None:
        return named(row.feature)
    return RowHead(
        (Stretch(row.feature, is_name=True), Stretch(": "), Stretch(row.level, is_name=True))
    )


def sleeping(responses: UpliftResult, teller: Formatter) -> Grid | None:
    """Customers who are predicted to be put off, and what they did."""
    known = {gate.arm for gate in responses.gates if gate.open}
    rows = [(i, row) for i, row in enumerate(responses.sleeping) if row.arm in known]
    if not rows:
        return None
    sizes = [teller.figure(row.n, f"/sleeping/{i}/n", _COUNT) for i, row in rows]
    shares = [teller.figure(row.share, f"/sleeping/{i}/share", _PERCENT) for i, row in rows]
    found = [valued(row.effect, f"/sleeping/{i}/effect") for i, row in rows]
    form = unit_form(responses.unit)
    return grid(
        teller.text(N_("Customers who are predicted to be put off")),
        teller.text(N_("Arm")),
        [named(row.arm) for _, row in rows],
        [
            figures(Titles(N_("Customers")), sizes, teller),
            figures(Titles(N_("Share"), N_("of all customers")), shares, teller),
            intervals(Titles(N_("Measured effect"), N_("per customer")), found, form, teller),
            marks(Titles(N_("In words")), [_put_off(row, teller) for _, row in rows], teller),
        ],
    )


def _put_off(row: Sleeping, teller: Formatter) -> GridMark:
    low, high = row.effect.low, row.effect.high
    if high is not None and high < 0:
        return GridMark("no", teller.text(N_("contact does harm")))
    if low is not None and low > 0:
        return GridMark("yes", teller.text(N_("contact helps even them")))
    return GridMark("open", teller.text(N_("harm is not shown")))
