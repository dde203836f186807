"""A number on the page, and how it is told: with the key of its value in the embedded JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from upliftlab.results.analysis import Analysis, Message
from upliftlab.text.language import Code, Language, digits_of
from upliftlab.text.placeholders import Kind
from upliftlab.text.precision import exact_percent_digits, interval_scale


@dataclass(frozen=True, slots=True)
class Figure:
    """One number as shown; `kind`, `digits`, `signed` and `times` tell how it came from its key."""

    text: str
    key: str
    kind: Kind
    digits: int | None = None
    signed: bool = False
    times: int | None = None

    @property
    def told(self) -> str:
        """How it came from its key: kind, decimals, `+` where a plus is shown, `×` a factor.

        >>> Figure("+$2.50", "/findings/3/estimate", "money", 2, signed=True).told
        'money 2 +'
        """
        parts = (
            self.kind,
            "" if self.digits is None else str(self.digits),
            "+" if self.signed else "",
            "" if self.times is None else f"\N{MULTIPLICATION SIGN}{self.times}",
        )
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a sentence: words, a name from the data, or a figure."""

    text: str
    is_name: bool = False
    figure: Figure | None = None


Sentence = tuple[Stretch, ...]
_ARMS: Final = frozenset({"arm", "arms", "other", "best", "control"})
"""The values of messages that name arms."""


@dataclass(frozen=True, slots=True)
class FigureFormat:
    """How a kind of number is shown."""

    kind: Kind
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Formatter:
    """Says texts and numbers in the page's language and currency."""

    language: Language
    currency: str | None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What arms are called for people, where that was declared."""
    segments: Mapping[str, str] = field(default_factory=dict[str, str])
    """What segments are called for people."""

    def text(self, text: str) -> str:
        """A text of the catalogue."""
        return self.language.gettext(text)

    def figure(
        self, value: float, key: str, form: FigureFormat, digits: int | None = None
    ) -> Figure:
        """One number."""
        digits = digits_of(form.kind, (value,), self.currency) if digits is None else digits
        text = self.language.show(
            form.kind, value, self.currency, digits=digits, signed=form.signed
        )
        return Figure(typeset(text), key, form.kind, digits, form.signed)

    def declared(self, value: float, key: str) -> Figure:
        """A percentage somebody chose, with the decimals it was chosen with."""
        return self.figure(value, key, FigureFormat("percent"), exact_percent_digits(value))

    def multiple(
        self, value: float, times: int, key: str, kind: Kind, digits: int | None = None
    ) -> Figure:
        """So many times a value, such as a count that is a share of a total: the key holds one."""
        if digits is None and kind != "count":
            digits = digits_of(kind, (value * times,), self.currency)
        text = self.language.show(kind, value * times, self.currency, digits=digits)
        return Figure(typeset(text), key, kind, digits, times=times)

    def digits(self, form: FigureFormat, values: Sequence[float | None]) -> int | None:
        """Decimals that an estimate and the ends of its interval share."""
        return digits_of(form.kind, interval_scale(*values), self.currency)

    def composed(
        self, template: str, parts: Mapping[str, Figure] | Mapping[str, Figure | str]
    ) -> Sentence:
        """A text of the catalogue with figures of several places of the JSON, and names, in it.

        Args:
            template: The text, where each of them is its name in braces.
            parts: What stands there.
        """
        words: list[Stretch] = []
        for i, piece in enumerate(re.split(r"\{(\w+)\}", self.text(template))):
            part = parts[piece] if i % 2 else None
            if isinstance(part, Figure):
                words.append(Stretch(part.text, figure=part))
            elif part is not None:
                words.append(Stretch(part, is_name=True))
            elif piece:
                words.append(Stretch(piece))
        said = self.language.agreeing(
            (word.text, word.is_name or word.figure is not None) for word in words
        )
        return tuple(replace(word, text=text) for word, text in zip(words, said, strict=True))

    def sentence(self, message: Message, key: str) -> Sentence:
        """A message that lies at `key` in the JSON."""
        return self.words(message, f"{key}/values")

    def words(self, message: Message, key: str) -> Sentence:
        """A message whose values lie under `key` in the JSON."""
        words: list[Stretch] = []
        for part in self.language.parts(message, self.currency):
            if part.name is None or part.kind is None or part.kind == "date":
                said = self._called(part.name, part.text)
                words.append(Stretch(said, is_name=part.name is not None))
                continue
            shown = typeset(part.text)
            place = f"{key}/{escape(part.name)}"
            words.append(Stretch(shown, figure=Figure(shown, place, part.kind, part.digits)))
        said = self.language.closed_up([word.text for word in words])
        return tuple(replace(word, text=text) for word, text in zip(words, said, strict=True))

    def called(self, arm: str) -> str:
        """What an arm is called for people."""
        return self.names.get(arm, arm)

    def _called(self, name: str | None, text: str) -> str:
        """What is put in by that name: arms, several in a row, and segments as they are called."""
        if name in _ARMS:
            return ", ".join(map(self.called, text.split(", ")))
        return self.segments.get(text, text) if name == "segment" else text


def formatter_of(analysis: Analysis, lang: Code) -> Formatter:
    """What says an analysis in a language, arms by what they are called for people."""
    names = {arm.arm: arm.title for arm in analysis.arms if arm.title is not None}
    segments = {segment.name: segment.title for segment in analysis.segments}
    return Formatter(Language(lang), analysis.currency, names, segments)


def typeset(text: str) -> str:
    """A number with a true minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")


def escape(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
