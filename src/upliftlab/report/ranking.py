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


def deciles(arm: str, responses: UpliftResult, formatter: Formatter) -> Grid | None:
    """The tenths of one arm."""
    rows = [(i, row) for i, row in enumerate(responses.deciles) if row.arm == arm]
    if not rows:
        return None
    form = unit_form(responses.unit)
    sizes = [formatter.figure(row.n, f"/deciles/{i}/n", _COUNT) for i, row in rows]
    predicted = [
        formatter.figure(
            row.predicted,
            f"/deciles/{i}/predicted",
            form,
            formatter.digits(form, [each.predicted for _, each in rows]),
        )
        for i, row in rows
    ]
    found = [valued(row.effect, f"/deciles/{i}/effect") for i, row in rows]
    return grid(
        formatter.text(N_("Effect by tenth of the customers")) + f": {formatter.called(arm)}",
        formatter.text(N_("Tenth")),
        [RowHead(_tenth(i, row, formatter), _place(row, formatter)) for i, row in rows],
        [
            figures(Titles(N_("Customers")), sizes, formatter),
            figures(Titles(N_("Predicted effect"), N_("per customer")), predicted, formatter),
            intervals(Titles(N_("Measured effect"), N_("per customer")), found, form, formatter),
        ],
    )


def _tenth(i: int, row: Tenth, formatter: Formatter) -> Sentence:
    figure = formatter.figure(row.decile, f"/deciles/{i}/decile", _COUNT)
    return (Stretch(figure.text, figure=figure),)


def _place(row: Tenth, formatter: Formatter) -> str:
    if row.decile == 1:
        return formatter.text(N_("predicted to respond most"))
    if row.decile == 10:  # noqa: PLR2004 - tenths are ten
        return formatter.text(N_("predicted to respond least"))
    return ""


def learners(arm: str, responses: UpliftResult, formatter: Formatter) -> Grid | None:
    """The learners of one arm, the judged one marked."""
    rows = [(i, row) for i, row in enumerate(responses.learners) if row.arm == arm]
    if not rows:
        return None
    form = unit_form(responses.unit)
    autoc = [valued(row.autoc, f"/learners/{i}/autoc") for i, row in rows]
    first = [
        maybe(row.uplift_at_30, f"/learners/{i}/uplift_at_30", form, formatter) for i, row in rows
    ]
    return grid(
        formatter.text(N_("Learners compared")) + f": {formatter.called(arm)}",
        formatter.text(N_("Learner")),
        [_learner(row, formatter) for _, row in rows],
        [
            intervals(Titles(N_("AUTOC"), N_("beyond the average")), autoc, form, formatter),
            _qini(rows, formatter),
            figures(
                Titles(N_("Effect among the first 30 %"), N_("mean of the folds")), first, formatter
            ),
        ],
    )


def _learner(row: LearnerInfo, formatter: Formatter) -> RowHead:
    judged = formatter.text(N_("the judged one")) if row.judged else ""
    return RowHead(
        (Stretch(learner(row.learner, formatter)),), formatter.text(BASES[row.base]), judged
    )


def _qini(rows: Sequence[tuple[int, LearnerInfo]], formatter: Formatter) -> GridColumn:
    """scikit-uplift's coefficient with the spread between folds."""

    def cell(i: int, row: LearnerInfo) -> Spread | None:
        if row.qini_auc is None:
            return None
        key, digits = f"/learners/{i}", 4
        found = formatter.figure(row.qini_auc, f"{key}/qini_auc", _INDEX, digits)
        sd = row.qini_auc_sd
        half = None if sd is None else formatter.figure(sd, f"{key}/qini_auc_sd", _NUMBER, digits)
        return Spread(found, half)

    title = formatter.text(N_("Qini coefficient of scikit-uplift"))
    hint = formatter.text(N_("mean of the folds ± standard deviation between them"))
    return GridColumn(title, hint, "spread", tuple(cell(i, row) for i, row in rows))


def responders(arm: str, responses: UpliftResult, formatter: Formatter) -> Grid | None:
    """How those who stand first differ from all others."""
    rows = [(i, row) for i, row in enumerate(responses.responders) if row.arm == arm]
    if not rows:
        return None

    def column(titles: Titles, name: str) -> GridColumn:
        cells = [
            formatter.figure(
                getattr(row, name),
                f"/responders/{i}/{name}",
                _form(row),
                formatter.digits(_form(row), (row.among_first, row.among_others)),
            )
            for i, row in rows
        ]
        return figures(titles, cells, formatter)

    apart = [
        formatter.figure(row.difference, f"/responders/{i}/difference", _DEVIATIONS, 2)
        for i, row in rows
    ]
    return grid(
        formatter.text(N_("Who stands first")) + f": {formatter.called(arm)}",
        formatter.text(N_("Feature")),
        [_feature(row) for _, row in rows],
        [
            column(
                Titles(N_("Among the first fifth"), N_("mean, or share of customers")),
                "among_first",
            ),
            column(Titles(N_("Among all others")), "among_others"),
            figures(Titles(N_("Difference"), N_("in standard deviations")), apart, formatter),
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


def sleeping(responses: UpliftResult, formatter: Formatter) -> Grid | None:
    """Customers who are predicted to be put off, and what they did."""
    known = {gate.arm for gate in responses.gates if gate.open}
    rows = [(i, row) for i, row in enumerate(responses.sleeping) if row.arm in known]
    if not rows:
        return None
    sizes = [formatter.figure(row.n, f"/sleeping/{i}/n", _COUNT) for i, row in rows]
    shares = [formatter.figure(row.share, f"/sleeping/{i}/share", _PERCENT) for i, row in rows]
    found = [valued(row.effect, f"/sleeping/{i}/effect") for i, row in rows]
    form = unit_form(responses.unit)
    return grid(
        formatter.text(N_("Customers who are predicted to be put off")),
        formatter.text(N_("Arm")),
        [named(formatter.called(row.arm)) for _, row in rows],
        [
            figures(Titles(N_("Customers")), sizes, formatter),
            figures(Titles(N_("Share"), N_("of all customers")), shares, formatter),
            intervals(Titles(N_("Measured effect"), N_("per customer")), found, form, formatter),
            marks(Titles(N_("In words")), [_put_off(row, formatter) for _, row in rows], formatter),
        ],
    )


def _put_off(row: Sleeping, formatter: Formatter) -> GridMark:
    low, high = row.effect.low, row.effect.high
    if high is not None and high < 0:
        return GridMark("no", formatter.text(N_("contact does harm")))
    if low is not None and low > 0:
        return GridMark("yes", formatter.text(N_("contact helps even them")))
    return GridMark("open", formatter.text(N_("harm is not shown")))
