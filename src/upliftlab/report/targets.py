"""The page of a next campaign's list: what it holds and what is expected of it, and no customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.report.export import rounded, to_json
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, Stretch, escape
from upliftlab.report.grid import Grid, RowHead, Titles, figures, grid, named, texts
from upliftlab.report.methods import origin
from upliftlab.report.published import WithJson
from upliftlab.report.render import framed
from upliftlab.report.sections import Download, Page, PageLink, Section, packed_download, shown
from upliftlab.report.tile import NumberTile
from upliftlab.results.promises import TargetPolicy
from upliftlab.results.targets import Targets
from upliftlab.text.language import N_, Code, Language
from upliftlab.util.files import safe_name

_SHEETS: Final = ("report.css", "uplift.css")
_SCRIPTS: Final = ("data.js", "report.js")
_COUNT: Final = FigureFormat("count")
_MONEY: Final = FigureFormat("money")
_STATES: Final = {
    "list": ("yes", N_("LIST WRITTEN")),
    "forced": ("open", N_("FORCED")),
    "none": ("no", N_("NO LIST")),
}
_NEXT: Final = {
    "list": N_(
        "Contact those on the list, and leave alone those held out: comparing the two measures "
        "the next campaign."
    ),
    "forced": N_(
        "Nothing shows that this list pays. If it is sent, leave alone those held out: comparing "
        "the two will tell."
    ),
}
_NONE: Final[dict[TargetPolicy, str]] = {
    "model": N_("Do not choose customers by the model; decide for all alike."),
    "everybody": N_("Do not roll the arm out; the report says what would settle it."),
    "today": N_("Do not contact customers by today's rule; the report says what would settle it."),
    "tree": N_("Do not choose customers by the readable tree; decide for all alike."),
}
_REASONS: Final = {
    "not_eligible": N_("not eligible, or not known"),
    "opted_out": N_("opted out"),
    "universal_holdout": N_("in the universal holdout"),
    "other_experiment": N_("belongs to another experiment"),
    "no_wave": N_("in no wave"),
    "cool_down": N_("contacted too short a time ago"),
    "max_contacts": N_("contacted as often as allowed"),
}


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """The first screen."""

    slug: str
    label: str
    sentence: Sentence
    tiles: tuple[NumberTile, ...]
    next: str


def render(targets: Targets, *, lang: Code = "en", beside: Sequence[PageLink] = ()) -> str:
    """The page as HTML: the same text for the same list and language."""
    published = rounded(targets, lang)
    made = page(published, Formatter(Language(lang), published.currency, published.arm_titles))
    return framed(made, lang, _SHEETS, _SCRIPTS, beside)


def page(targets: Targets, formatter: Formatter) -> Page:
    """The page of a list whose numbers are already those to publish."""
    return Page(
        title=targets.title,
        experiment=targets.experiment,
        owner=None,
        hypothesis=None,
        label=formatter.text(N_("Next list")),
        created=formatter.language.date(targets.provenance.created),
        sections=tuple(shown(SECTIONS, targets, formatter)),
        find=formatter.text(N_("Find an arm")),
        kind=formatter.text(N_("Next list")),
    )


def answer(targets: Targets, formatter: Formatter) -> ListAnswer:
    """What the first screen of a list says."""
    state = "none" if targets.abstained else "forced" if targets.forced else "list"
    slug, label = _STATES[state]
    return ListAnswer(
        slug=slug,
        label=formatter.text(label),
        sentence=formatter.sentence(targets.sentence_parts, "/sentence_parts"),
        tiles=() if targets.abstained else tuple(_tiles(targets, formatter)),
        next=formatter.text(_NONE[targets.policy] if targets.abstained else _NEXT[state]),
    )


def _tiles(targets: Targets, formatter: Formatter) -> Iterator[NumberTile]:
    low, high = targets.expected_low, targets.expected_high
    yield NumberTile(
        formatter.text(N_("Expected profit")),
        formatter.figure(targets.expected_profit, "/expected_profit", _MONEY),
        None if low is None else formatter.figure(low, "/expected_low", _MONEY),
        None if high is None else formatter.figure(high, "/expected_high", _MONEY),
    )
    yield NumberTile(
        formatter.text(N_("Expected cost")),
        formatter.figure(targets.expected_cost, "/expected_cost", _MONEY),
        beside_title=formatter.text(N_("of a budget of")),
        beside=formatter.figure(targets.budget, "/budget", _MONEY),
    )
    yield NumberTile(
        formatter.text(N_("Customers to contact")),
        formatter.figure(targets.targeted, "/targeted", _COUNT),
        beside_title=formatter.text(N_("and held out")),
        beside=formatter.figure(targets.held_out, "/held_out", _COUNT),
    )


def _arms(targets: Targets, formatter: Formatter) -> Grid | None:
    """What each treatment's customers are expected to do."""
    if not targets.arms:
        return None

    def column(name: str, form: FigureFormat) -> list[Figure]:
        return [
            formatter.figure(getattr(arm, name), f"/arms/{i}/{name}", form)
            for i, arm in enumerate(targets.arms)
        ]

    told = {
        "customers": (Titles(N_("Contacted")), _COUNT),
        "held_out": (Titles(N_("Held out"), N_("to measure the next campaign")), _COUNT),
        "expected_profit": (Titles(N_("Expected profit"), N_("fixed cost taken off")), _MONEY),
        "expected_cost": (Titles(N_("Expected cost"), N_("with fixed cost")), _MONEY),
    }
    average = N_("of everybody, the average")
    if targets.policy == "today":
        average = N_("of those whom the rule chooses, the average")
    told_apart = N_("of each customer, by the model")
    if targets.policy == "tree":
        told_apart = average = N_("of each group of the readable tree, its average")
    gates = {True: told_apart, False: average}
    return grid(
        formatter.text(N_("Arms of the list")),
        formatter.text(N_("Arm")),
        [
            named(formatter.called(arm.arm), ", ".join(filter(None, (arm.channel, arm.offer))))
            for arm in targets.arms
        ],
        [
            *(
                figures(titles, column(name, form), formatter)
                for name, (titles, form) in told.items()
            ),
            texts(
                Titles(N_("What is expected")),
                [formatter.text(gates[arm.gate_open]) for arm in targets.arms],
                formatter,
            ),
        ],
    )


def _left(targets: Targets, formatter: Formatter) -> Grid | None:
    """Customers of the table who are not on the list, by reason."""
    if targets.abstained:
        return None
    rows = [
        (formatter.text(_REASONS.get(reason, reason)), f"/excluded/{escape(reason)}", count)
        for reason, count in targets.excluded.items()
    ]
    chosen = formatter.text(N_("may be contacted, and not chosen"))
    rows.append((chosen, "/not_chosen", targets.not_chosen))
    return grid(
        formatter.text(N_("Customers who are not on the list")),
        formatter.text(N_("Why")),
        [RowHead((Stretch(reason),)) for reason, _, _ in rows],
        [
            figures(
                Titles(N_("Customers")),
                [formatter.figure(count, key, _COUNT) for _, key, count in rows],
                formatter,
            )
        ],
    )


def _file(targets: Targets, _formatter: Formatter) -> Download:
    name = f"{safe_name(targets.experiment)}_targets.json"
    return packed_download(name, "application/json", to_json(targets))


SECTIONS: Final[tuple[Section[Targets], ...]] = (
    Section("targets/answer", answer, N_("Next list")),
    Section("targets/arms", _arms, N_("Who gets what")),
    Section("targets/left", _left, N_("Who is left out")),
    Section("provenance", origin, N_("Provenance")),
    Section("targets/downloads", _file, N_("Downloads")),
)
"""The sections of the page, in their order."""


class TargetsReport(WithJson, Targets):
    """What a next campaign's list holds."""
