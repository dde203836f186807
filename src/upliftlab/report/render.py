"""An analysis as one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from upliftlab.report.export import rounded
from upliftlab.report.figure import Formatter
from upliftlab.report.view import page
from upliftlab.results.analysis import Analysis
from upliftlab.text.language import Code, Language
from upliftlab.util.files import atomic_write
from upliftlab.util.resources import shipped


def render(analysis: Analysis, *, lang: Code = "en") -> str:
    """The report as HTML: the same text for the same analysis and language."""
    published = rounded(analysis)
    language = Language(lang)
    css = style("report.css")
    return (
        environment(lang)
        .get_template("report.html.j2")
        .render(
            page=page(published, Formatter(language, published.currency)),
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
    path = page_of(folder, lang)
    atomic_write(path, render(analysis, lang=lang).encode())
    return path


def page_of(folder: Path, lang: Code) -> Path:
    """Where the report lies in a folder."""
    return folder / ("report.html" if lang == "en" else f"report.{lang}.html")


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
