"""An analysis as one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateRuntimeError
from markupsafe import Markup

from upliftlab.errors import DataError, Fault
from upliftlab.files import atomic_write
from upliftlab.language import Code, Language
from upliftlab.report.export import rounded
from upliftlab.report.figure import Teller
from upliftlab.report.view import page
from upliftlab.resources import shipped
from upliftlab.results import Analysis

_UNSAYABLE: Final = (ValueError, LookupError, ArithmeticError, TypeError, TemplateRuntimeError)
"""What parts of the page raise that are told of a value or a name which no analysis finds."""


def render(analysis: Analysis, *, lang: Code = "en") -> str:
    """The report as HTML: the same text for the same analysis and language."""
    published = rounded(analysis)
    language = Language(lang)
    css = style("report.css")
    return (
        environment(lang)
        .get_template("report.html.j2")
        .render(
            page=page(published, Teller(language, published.currency)),
            lang=language.tag,
            style=css,
            style_hash=style_hash(css),
        )
    )


def write(analysis: Analysis, folder: Path, lang: Code = "en") -> Path:
    """Write the report into a folder and return its path.

    Raises:
        OutputError: UL601, where it cannot be written.
    """
    return _kept(render(analysis, lang=lang).encode(), folder, lang)


def write_again(analysis: Analysis, source: Path, folder: Path, lang: Code = "en") -> Path:
    """Write the report of an analysis out of a file, which somebody may have edited.

    Raises:
        DataError: UL602, where the file holds what no analysis finds: a sentence without its
            values, a number beyond all bounds, an arm that nothing else knows.
        OutputError: UL601, where the report cannot be written.
    """
    try:
        content = render(analysis, lang=lang).encode()
    except _UNSAYABLE as error:
        wrong = f"{source} holds what no analysis finds, so no page can be made of it"
        raise DataError(Fault("UL602", wrong, "make it by 'upliftlab analyze'")) from error
    return _kept(content, folder, lang)


def _kept(content: bytes, folder: Path, lang: Code) -> Path:
    path = folder / ("report.html" if lang == "en" else f"report.{lang}.html")
    atomic_write(path, content)
    return path


@cache
def environment(lang: Code) -> Environment:
    """The templates, speaking a language."""
    language = Language(lang)
    made = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    translations = {"gettext": language.gettext, "ngettext": language.ngettext}
    made.install_gettext_callables(**translations, newstyle=True)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - added by the extension
    return made


def breakable(name: str) -> Markup:
    """A name that may go on in a new line behind `_`, `-`, `.` or `/`, and is escaped.

    >>> breakable("email_<b>")
    Markup('email_<wbr>&lt;b&gt;')
    """
    parts = re.split(r"(?<=[_./-])(?=.)", name)
    return Markup("<wbr>").join(parts)


@cache
def style(*sheets: str) -> str:
    """Style sheets of the templates as one."""
    folder = shipped("templates")
    return "".join((folder / sheet).read_text(encoding="utf-8") for sheet in sheets)


def style_hash(text: str) -> str:
    """What a content security policy calls a style sheet by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
