"""A workspace's own templates, which stand in the place of the product's of the same name.

They come from whoever writes the workspace, so they run where a template can reach nothing but the
page's values, are escaped like all others, and cannot take the page's policy away.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, NoReturn

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    FunctionLoader,
    PrefixLoader,
    TemplateError,
    TemplateSyntaxError,
)

from upliftlab.errors import Diagnostic, OutputError, Place
from upliftlab.util.files import read_regular, reason_of
from upliftlab.util.nearest import closest
from upliftlab.util.resources import shipped

FOLDER: Final = "templates"
SUFFIX: Final = ".html.j2"
PRODUCT: Final = "upliftlab"
"""In front of the name of a template that is the product's own, whatever stands in its place."""
TOLD: Final = "own-templates"
"""The id of the line that names them."""
_LARGEST: Final = 256 << 10
_BEGINNING: Final = (
    r'\s*<!DOCTYPE html>\s*<html lang="[A-Za-z-]+">\s*<head>\s*<meta charset="utf-8">\s*'
    r'<meta http-equiv="Content-Security-Policy" content="{policy}">'
)
"""Nothing that could be obeyed stands before what a page permits."""


class _Metas(HTMLParser):
    """Whether a page sends its reader elsewhere, as a browser reads it."""

    leads_away = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what a tag says; one that closes itself comes here too."""
        said = (dict(attrs).get("http-equiv") or "").strip().lower()
        self.leads_away |= tag == "meta" and said == "refresh"


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """A template of the workspace.

    Attributes:
        name: That of the product's which it replaces.
        file: What messages call it.
        text: Its content.
    """

    name: str
    file: str
    text: str


def read_templates(root: Path, shown: Callable[[Path], str]) -> tuple[OwnTemplate, ...]:
    """The templates in the folder `templates` of a workspace; none where it has none.

    Args:
        root: The workspace's folder.
        shown: What messages call a file.

    Raises:
        OutputError: UL486, one cannot be read, or there is none of that name to replace.
    """
    folder = root / FOLDER
    if not folder.is_dir():
        return ()
    known = _names(shipped(FOLDER))
    found: list[OwnTemplate] = []
    for name in _names(folder):
        file = shown(folder / name)
        if name not in known:
            near = closest(name, known, cutoff=0.6)
            meant = f"did you mean '{near}'? " if near else ""
            message = f"there is no template '{name}' to replace"
            remedy = f"{meant}there are {', '.join(known)}"
            raise OutputError(Diagnostic("UL486", message, remedy, Place(file)))
        text = _text(root, folder / name, file)
        if text != (shipped(FOLDER) / name).read_text(encoding="utf-8"):
            found.append(OwnTemplate(name, file, text))
    return tuple(found)


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*{SUFFIX}"))


def _text(root: Path, path: Path, file: str) -> str:
    try:
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(root)):
            raise ValueError("it is a link that leaves the workspace")  # noqa: TRY301 - told with the others
        data = read_regular(real, _LARGEST)
        if len(data) > _LARGEST:
            raise ValueError("it has more than 256 KiB")  # noqa: TRY301 - as above
        return data.decode()
    except (OSError, ValueError) as error:
        why = reason_of(error) if isinstance(error, OSError) else str(error)
        message = f"the template cannot be read: {why}"
        remedy = "put a text in UTF-8 there, or remove it"
        raise OutputError(Diagnostic("UL486", message, remedy, Place(file))) from error


def loader_of(own: Sequence[OwnTemplate]) -> BaseLoader:
    """Where templates come from: the workspace's own, then the product's, also by their prefix."""
    named = {each.name: (each.text, each.file, lambda: True) for each in own}
    product = FileSystemLoader(shipped(FOLDER))
    return ChoiceLoader(
        [FunctionLoader(named.get), product, PrefixLoader({PRODUCT: product})],
    )


@contextmanager
def blamed(own: Sequence[OwnTemplate]) -> Generator[None]:
    """Whatever a template of the workspace does wrong is told with its file and line.

    Raises:
        OutputError: UL487.
    """
    try:
        yield
    except Exception as error:
        place = _place(error, {each.file for each in own})
        if place is None and not (own and isinstance(error, TemplateError)):
            raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        message = f"a template of the workspace fails: {said}"
        remedy = f'mend it, or begin with {{% extends "{PRODUCT}/…" %}} and replace one block'
        where = place or Place(own[0].file)
        raise OutputError(Diagnostic("UL487", message, remedy, where)) from error


def _place(error: BaseException, files: set[str]) -> Place | None:
    """The innermost line of the workspace's templates that an error came by."""
    if isinstance(error, TemplateSyntaxError) and error.filename in files:
        return Place(error.filename or "", error.lineno)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(each.filename, each.lineno) for each in frames if each.filename in files]
    return Place(*lines[-1]) if lines else None


def checked(html: str, policy: str, own: Sequence[OwnTemplate]) -> str:
    """A page that templates of the workspace took part in, which still says and permits the same.

    Args:
        html: The page.
        policy: What it permits, as its head must say before anything could be obeyed.
        own: The workspace's templates.

    Raises:
        OutputError: UL488.
    """
    if not re.match(_BEGINNING.format(policy=re.escape(policy)), html):
        _refuse("the page's Content-Security-Policy is gone, changed or too late", own)
    metas = _Metas()
    metas.feed(html)
    if metas.leads_away:
        _refuse("the page leads its reader away by itself", own)
    if f' id="{TOLD}">' not in html:
        _refuse(f"the line '{TOLD}', which names the workspace's templates, is gone", own)
    return html


def _refuse(what: str, own: Sequence[OwnTemplate]) -> NoReturn:
    remedy = f'begin with {{% extends "{PRODUCT}/frame{SUFFIX}" %}} and replace its blocks'
    raise OutputError(Diagnostic("UL488", what, remedy, _head_of(own)))


def _head_of(own: Sequence[OwnTemplate]) -> Place:
    """Where a template of the workspace begins a page."""
    for each, mark in ((each, mark) for mark in ("<head", "<html", "<!") for each in own):
        before, found, _ = each.text.partition(mark)
        if found:
            return Place(each.file, before.count("\n") + 1)
    return Place(own[0].file, 1)


def names_of(own: Sequence[OwnTemplate]) -> Iterator[str]:
    """What a page calls them."""
    return (each.name.removesuffix(SUFFIX) for each in own)
