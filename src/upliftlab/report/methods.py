"""How the numbers were computed, from which terms and from which data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, escape
from upliftlab.results.analysis import Analysis, EstimandKind, MoneyTermsInfo, VerdictCode
from upliftlab.results.costs import RATED, Per
from upliftlab.text.language import N_

if TYPE_CHECKING:
    from upliftlab.results.targets import Targets
from upliftlab.results.uplift import UpliftResult

_MARGIN: Final = N_("Contribution margin, share of revenue")
_METHODS: Final = {
    "welch": N_("Welch's t interval: the arms may vary differently."),
    "lin": N_(
        "Regression adjustment on what was known before: with a slope of its own for each arm "
        "(Lin), or with one slope of all arms where amounts are skewed and within strata; "
        "Welch's interval."
    ),
    "delta": N_(
        "Delta method: a ratio of two totals varies as they do together; the interval is Welch's."
    ),
    "newcombe": N_("Newcombe's interval for differences of shares with few events."),
    "permutation": N_(
        "Permutation interval: customers are re-dealt to the arms many times, because few large "
        "amounts make the usual interval too narrow on one side."
    ),
    "hall": N_(
        "Hall's correction: a slight skewness of the difference, because few buy much, moves both "
        "ends of the interval."
    ),
    "strata": N_(
        "Arms are compared within the strata of the assignment, each weighing as many as it has."
    ),
    "anderson_rubin": N_(
        "Anderson and Rubin's interval for the effect on the contacted: it holds however few "
        "were contacted, and tests no effect as the difference does."
    ),
    "looks": N_(
        "Several looks were planned: each makes its intervals at a level of its own (Lan and "
        "DeMets, spending after O'Brien and Fleming), so that all together err no more often than "
        "one would. A p-value is that of all looks."
    ),
    "anytime": N_(
        "Confidence sequence: the intervals of all days together hold the truth as often as one "
        "interval would, so the data may be read early and often."
    ),
    "fieller": N_("Fieller's interval for ratios, which may be unbounded."),
    "ranks": N_(
        "Quantiles lie at their rank in each arm's ordered values, and so do the ends of their "
        "intervals, whatever the distribution; those of two arms are put together (Zou and Donner)."
    ),
    "linear": N_("The interval of the difference, scaled by constant terms."),
}


_TABLES: Final[Mapping[str, str]] = {
    "uncertain": N_(
        "Numbers by a declared table of values with standard errors. Intervals carry these: to the "
        "variance of an effect is added, for each value, the square of its standard error times "
        "the difference that it makes between the groups (delta method)."
    ),
    "known": N_(
        "Numbers by a declared table of values, without standard errors. Intervals take the table "
        "as it stands: how uncertain it is is in none of them."
    ),
}
_PUBLIC: Final = N_(
    "Made for the public: levels of fewer than {least} units in an arm are shown together, and who "
    "owns the campaign, its files, its conditions and the sums behind the numbers are left out."
)


@dataclass(frozen=True, slots=True)
class Formula:
    """One estimand."""

    text: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Term:
    """One value that was put in, overall or for an arm."""

    title: str
    arm: str | None
    figure: Figure


@dataclass(frozen=True, slots=True)
class Read:
    """One file that was read."""

    source: str
    file: str
    sha256: str
    rows: Figure


@dataclass(frozen=True, slots=True)
class Methods:
    """The methods section."""

    confidence: Figure
    formulae: tuple[Formula, ...]
    methods: tuple[str, ...]
    compared: bool
    """Whether levels were compared with one another."""
    revenue: str | None
    costs: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class ProvenanceView:
    """The provenance section."""

    created: str
    software: tuple[tuple[str, str], ...]
    data: tuple[Read, ...]
    plan_sha256: str
    eligible: str | None
    """The condition that customers had to meet."""
    public: Sentence = ()
    """What is left out for the public; empty where nothing is."""


def methods(analysis: Analysis, formatter: Formatter) -> Methods:
    """How the numbers of this page were computed."""
    kinds = {finding.kind for finding in analysis.findings}
    used = sorted({part for f in analysis.findings for part in f.method.split("+")})
    used += ["ranks"] if analysis.quantiles else []
    invalid = analysis.verdict.code is VerdictCode.invalid
    terms = None if invalid else analysis.terms
    return Methods(
        confidence=formatter.declared(analysis.confidence, "/confidence"),
        formulae=tuple(
            Formula(formatter.text(kind.estimand.formula), formatter.text(kind.estimand.meaning))
            for kind in EstimandKind
            if kind in kinds
        ),
        methods=(
            *(formatter.text(_METHODS.get(name, name)) for name in used),
            *_tables(analysis, formatter),
        ),
        compared=any(test.p is not None for test in analysis.heterogeneity),
        revenue=None if terms is None else terms.revenue,
        costs="" if terms is None else ", ".join(terms.costs),
        terms=() if terms is None else _terms(terms, formatter),
    )


def _tables(analysis: Analysis, formatter: Formatter) -> Iterator[str]:
    """What is said of the metrics whose numbers are of a declared table."""
    for kind, text in _TABLES.items():
        titles = [each.title for each in analysis.metrics if each.table == kind]
        if titles:
            yield f"{', '.join(titles)}: {formatter.text(text)}"


def _margins(terms: MoneyTermsInfo, formatter: Formatter) -> Iterator[Term]:
    """The share of revenue that is margin for each value of a column."""
    said = formatter.text(_MARGIN)
    for value, share in terms.margins.items():
        title, key = f"{said} ({terms.margin_by}: {value})", f"/terms/margins/{escape(value)}"
        yield Term(title, None, formatter.declared(share, key))


def origin(result: Analysis | UpliftResult | Targets, formatter: Formatter) -> ProvenanceView:
    """What the numbers came from."""
    made = result.provenance
    software = {
        "upliftlab": made.version,
        "Python": made.python,
        formatter.text(N_("Engine")): made.engine,
        **made.libraries,
    }
    data = (
        Read(one.source, one.file, one.sha256, _rows(one.rows, i, formatter))
        for i, one in enumerate(result.data)
    )
    return ProvenanceView(
        created=formatter.language.date(made.created),
        software=tuple(software.items()),
        data=tuple(data),
        plan_sha256=result.plan_sha256,
        eligible=result.eligible if isinstance(result, Analysis) else None,
        public=_public(result, formatter) if isinstance(result, Analysis) else (),
    )


def _public(analysis: Analysis, formatter: Formatter) -> Sentence:
    if analysis.audience != "public" or analysis.smallest_cell is None:
        return ()
    least = formatter.figure(analysis.smallest_cell, "/smallest_cell", FigureFormat("count"))
    return formatter.composed(_PUBLIC, {"least": least})


def _rows(rows: int, i: int, formatter: Formatter) -> Figure:
    return formatter.figure(rows, f"/data/{i}/rows", FigureFormat("count"))


def _terms(terms: MoneyTermsInfo, formatter: Formatter) -> tuple[Term, ...]:
    money, percent = FigureFormat("money"), FigureFormat("percent")
    share = [("margin", _MARGIN, terms.margin)] if terms.margin_metric is None else []
    shared = [*share, ("hurdle", N_("Hurdle: ROI below this is not worth it"), terms.hurdle)]
    return (
        *_margins(terms, formatter),
        *(
            Term(formatter.text(title), None, formatter.declared(value, f"/terms/{name}"))
            for name, title, value in shared
        ),
        *(
            Term(
                formatter.text(step.line.term),
                arm,
                formatter.figure(
                    value,
                    f"/terms/{step.line.key}/{escape(arm)}",
                    percent if step.line.per is Per.revenue else money,
                ),
            )
            for step in RATED
            for arm, value in terms.rates(step).items()
        ),
    )
