"""A page as sections: each says one thing, has a place that links lead to, and a title."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from upliftlab.report.figure import Formatter

S = TypeVar("S")
_LARGE: Final = 64_000
"""Bytes of JSON from which the copy to download is compressed, so that the page can be mailed."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that lies inside the page."""

    name: str
    address: str

    @property
    def compressed(self) -> bool:
        """Whether it has to be unpacked before it is read."""
        return self.name.endswith(".gz")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a section that can be gone to."""

    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Section(Generic[S]):
    """A part of the page.

    Attributes:
        name: Its template's, without `.html.j2`; there its content is called `part`.
        content: What it says of a result; nothing (None, or empty) leaves it out.
        title: Its heading, and what the index of the page calls it.
        withheld: Whether it tells numbers, which are not shown where a critical check failed.
        parts: What of it the index names beneath, by title and id.
    """

    name: str
    content: Callable[[S, Formatter], object | None]
    title: str = ""
    withheld: bool = False
    parts: Callable[[Any], Iterable[Part]] = lambda _content: ()


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section with something to say."""

    name: str
    title: str
    content: object
    parts: tuple[Part, ...]

    @property
    def template(self) -> str:
        """The file that says it."""
        return f"{self.name}.html.j2"

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Page:
    """The page's head and its sections."""

    title: str
    experiment: str
    owner: str | None
    hypothesis: str | None
    label: str
    """The answer in a word."""
    created: str
    sections: tuple[ShownSection, ...]
    find: str
    """What can be searched for."""
    kind: str = ""
    """What kind of page it is; empty for the report itself."""
    invalid: bool = False
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class PageLink:
    """Another page of the experiment that lies beside this one; `here` is the page itself."""

    title: str
    address: str
    here: bool = False


def shown(
    sections: Sequence[Section[S]], source: S, formatter: Formatter
) -> Iterator[ShownSection]:
    """The sections that have something to say."""
    for section in sections:
        content = section.content(source, formatter)
        if content:
            title = formatter.text(section.title) if section.title else ""
            yield ShownSection(section.name, title, content, tuple(section.parts(content)))


def packed_download(name: str, kind: str, content: bytes) -> Download:
    """A file as an address that holds it, compressed where it is large."""
    if len(content) <= _LARGE:
        return download(name, kind, content)
    return download(f"{name}.gz", "application/gzip", gzip.compress(content, 9, mtime=0))


def download(name: str, kind: str, content: bytes) -> Download:
    """A file as an address that holds it."""
    return Download(name, f"data:{kind};base64,{base64.b64encode(content).decode()}")
