"""The pages of one experiment as one folder: each links to the others, and an index to all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from upliftlab.report import outlook, render, targets, uplift
from upliftlab.report.advice import advice
from upliftlab.report.export import rounded
from upliftlab.report.figure import Formatter, Sentence, formatter_of
from upliftlab.report.index import Index
from upliftlab.report.plan_answers import answers
from upliftlab.report.render import framed
from upliftlab.report.sections import Download, Page, PageLink, Section, packed_download, shown
from upliftlab.report.verdict import answer
from upliftlab.results.analysis import Analysis, Message
from upliftlab.results.plan import PowerReport
from upliftlab.results.targets import Targets
from upliftlab.results.uplift import UpliftResult
from upliftlab.text.language import N_, Code
from upliftlab.util.files import safe_name

_SHEETS: Final = ("report.css", "site.css")
_SCRIPTS: Final = ("data.js", "report.js")
_INDEX: Final = "index"
_TITLES: Final = {
    _INDEX: N_("Overview"),
    "report": N_("Did it pay?"),
    "uplift": N_("Whom to contact"),
    "plan": N_("Plan"),
    "list": N_("Next list"),
}
"""The pages in their order, by the name of their file."""
FILES: Final = frozenset(f"{name}.html" for name in _TITLES)
"""What such a folder may hold."""


@dataclass(frozen=True, slots=True)
class SiteContent:
    """What there is of an experiment; a page that is not there has its reason in `absent`."""

    analysis: Analysis
    responses: UpliftResult | None = None
    plan: PowerReport | None = None
    targets: Targets | None = None
    absent: Mapping[str, Message] = field(default_factory=dict[str, Message])
    """By the name of the page."""


@dataclass(frozen=True, slots=True)
class PageCard:
    """What the index says of a page, and where its figures come from."""

    name: str
    title: str
    slug: str
    label: str
    sentence: Sentence
    excerpt: dict[str, Any]
    """The part of the page's JSON that its figures are keys of."""

    @property
    def address(self) -> str:
        """Where it lies, beside the index."""
        return f"{self.name}.html"


@dataclass(frozen=True, slots=True)
class MissingPage:
    """A page that is not there, and why."""

    title: str
    why: Sentence


@dataclass(frozen=True, slots=True)
class SiteContents:
    """What the index lists."""

    cards: tuple[PageCard, ...]
    missing: tuple[MissingPage, ...]


def pages(found: SiteContent, lang: Code = "en") -> dict[str, bytes]:
    """Every page that there is, by the name of its file."""
    texts = formatter_of(found.analysis, lang)
    made: dict[str, Callable[[Sequence[PageLink]], str]] = {
        _INDEX: lambda beside: _index(found, lang, beside),
        "report": lambda beside: render.render(found.analysis, lang=lang, beside=beside),
    }
    if (responses := found.responses) is not None:
        made["uplift"] = lambda beside: uplift.render(responses, lang=lang, beside=beside)
    if (plan := found.plan) is not None:
        made["plan"] = lambda beside: outlook.render(plan, lang=lang, beside=beside)
    if (chosen := found.targets) is not None:
        made["list"] = lambda beside: targets.render(chosen, lang=lang, beside=beside)
    names = [name for name in _TITLES if name in made]
    return {
        f"{name}.html": made[name](
            tuple(
                PageLink(texts.text(_TITLES[other]), f"{other}.html", here=other == name)
                for other in names
            )
        ).encode()
        for name in names
    }


def _index(found: SiteContent, lang: Code, beside: Sequence[PageLink]) -> str:
    published = replace(found, analysis=rounded(found.analysis, lang))
    texts = formatter_of(published.analysis, lang)
    analysis = published.analysis
    page = Page(
        title=analysis.title,
        experiment=analysis.experiment,
        owner=analysis.owner,
        hypothesis=analysis.hypothesis,
        label=texts.text(_TITLES[_INDEX]),
        created=texts.language.date(analysis.provenance.created),
        sections=tuple(shown(SECTIONS, published, texts)),
        find="",
        kind=texts.text(_TITLES[_INDEX]),
    )
    return framed(page, lang, _SHEETS, _SCRIPTS, beside)


def _cards(found: SiteContent, texts: Formatter) -> Iterator[PageCard]:
    """Of each page its answer in a word and in a sentence."""
    verdict = answer(Index(found.analysis), texts)
    parts = {"verdict": {"sentence_parts"}, "checks": {"__all__": {"parts"}}}
    excerpt = found.analysis.model_dump(mode="json", include=parts)
    told = (verdict.slug, verdict.label, verdict.sentence)
    yield _card("report", told, excerpt, texts)
    if found.responses is not None:
        responses = rounded(found.responses, texts.language.code)
        view = advice(responses, Formatter(texts.language, responses.currency))
        excerpt = responses.model_dump(mode="json", include={"sentence_parts"})
        yield _card("uplift", (view.slug, view.label, view.sentence), excerpt, texts)
    if found.plan is not None:
        plan = rounded(found.plan, texts.language.code)
        first = answers(plan, Formatter(texts.language, plan.currency))
        excerpt = plan.model_dump(mode="json", include={"answers"})
        yield _card("plan", (first.state, first.label, first.gravest), excerpt, texts)
    if found.targets is not None:
        chosen = rounded(found.targets, texts.language.code)
        listed = targets.answer(chosen, Formatter(texts.language, chosen.currency))
        excerpt = chosen.model_dump(mode="json", include={"sentence_parts"})
        yield _card("list", (listed.slug, listed.label, listed.sentence), excerpt, texts)


def _card(
    name: str, told: tuple[str, str, Sentence], excerpt: dict[str, Any], texts: Formatter
) -> PageCard:
    """A card whose figures are keys of the index's own JSON."""
    slug, label, sentence = told
    moved = tuple(
        each
        if (figure := each.figure) is None
        else replace(each, figure=replace(figure, key=f"/{name}{figure.key}"))
        for each in sentence
    )
    return PageCard(name, texts.text(_TITLES[name]), slug, label, moved, excerpt)


def _contents(found: SiteContent, texts: Formatter) -> SiteContents:
    return SiteContents(
        cards=tuple(_cards(found, texts)),
        missing=tuple(
            MissingPage(texts.text(_TITLES[name]), texts.words(why, ""))
            for name, why in found.absent.items()
        ),
    )


def _file(found: SiteContent, texts: Formatter) -> Download:
    content = {card.name: card.excerpt for card in _cards(found, texts)}
    data = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    name = f"{safe_name(found.analysis.experiment)}_overview.json"
    return packed_download(name, "application/json", data.encode())


SECTIONS: Final[tuple[Section[SiteContent], ...]] = (
    Section("site/pages", _contents, N_("What there is to read")),
    Section("site/downloads", _file, N_("Downloads")),
)
"""The sections of the index, in their order."""
