"""An analysis as one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from upliftlab.report.export import rounded
from upliftlab.report.figure import formatter_of
from upliftlab.report.look import worn
from upliftlab.report.own_templates import OwnTemplate, blamed, checked, loader_of
from upliftlab.report.sections import Page, PageLink
from upliftlab.report.view import page
from upliftlab.results.analysis import Analysis
from upliftlab.text.language import Code, Language
from upliftlab.util.files import atomic_write
from upliftlab.util.resources import shipped

_SHEETS: Final = ("report.css", "curve.css", "what_if.css")
_SHORT: Final = 16
"""Letters of a name that is kept on one line."""
_SCRIPTS: Final = ("data.js", "report.js", "what_if.js")


def render(analysis: Analysis, *, lang: Code = "en", beside: Sequence[PageLink] = ()) -> str:
    """The report as HTML: the same text for the same analysis and language."""
    published = rounded(analysis, lang)
    made = page(published, formatter_of(published, lang))
    return framed(made, lang, _SHEETS, _SCRIPTS, beside)


def framed(
    page: Page,
    lang: Code,
    sheets: Sequence[str],
    scripts: Sequence[str],
    beside: Sequence[PageLink] = (),
) -> str:
    """A page in the frame that all pages have, which permits its own style and script alone.

    It wears the look of the workspace.

    Args:
        page: What it says.
        lang: Its language.
        sheets: Its style sheets, in their order.
        scripts: Its scripts, in their order; they run as one, strict and in a scope of their own.
        beside: The pages that lie in the same folder, itself among them.
    """
    look = worn()
    css = shipped_text(*sheets) + look.style
    script = f"(()=>{{'use strict';\n{shipped_text(*scripts)}}})();"
    pictures = " img-src data:;" if look.pictures else ""
    policy = (
        f"default-src 'none'; style-src '{content_hash(css)}'; "
        f"script-src '{content_hash(script)}';{pictures} base-uri 'none'; form-action 'none'"
    )
    with blamed(look.templates):
        html = (
            environment(lang, look.templates)
            .get_template("report.html.j2")
            .render(
                page=page,
                beside=beside,
                look=look,
                lang=Language(lang).tag,
                style=css,
                script=script,
                policy=Markup(policy),  # noqa: S704 - of hashes
            )
        )
    return checked(html, policy, look.templates) if look.templates else html


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
def environment(lang: Code, own: tuple[OwnTemplate, ...] = ()) -> Environment:
    """The templates, speaking a language; those of a workspace reach nothing but the page."""
    language = Language(lang)
    made = (ImmutableSandboxedEnvironment if own else Environment)(
        loader=loader_of(own) if own else FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    made.filters["packed"] = packed
    translations = {"gettext": language.gettext, "ngettext": language.ngettext}
    made.install_gettext_callables(**translations, newstyle=True)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - added by the extension
    return made


def breakable(name: str, short: int = _SHORT) -> Markup:
    """A long name that may go on in a new line behind `_`, `-`, `.` or `/`, and is escaped.

    Args:
        name: The name.
        short: Up to so many letters it is kept on one line.

    >>> breakable("email_<b>"), breakable("letter_of_the_second_<wave>")
    (Markup('email_&lt;b&gt;'), Markup('letter_<wbr>of_<wbr>the_<wbr>second_<wbr>&lt;wave&gt;'))
    >>> breakable("email_voucher", 8)
    Markup('email_<wbr>voucher')
    """
    if len(name) <= short:
        return escape(name)
    parts = re.split(r"(?<=[_./-])(?=.)", name)
    return Markup("<wbr>").join(parts)


def packed(html: str) -> Markup:
    """A stretch of the page, compressed, to stand in a script element until it is asked for."""
    return Markup(base64.b64encode(gzip.compress(html.encode(), 9, mtime=0)).decode())  # noqa: S704 - base64


@cache
def shipped_text(*files: str) -> str:
    """Style sheets or scripts of the templates as one."""
    folder = shipped("templates")
    return "".join((folder / file).read_text(encoding="utf-8") for file in files)


def content_hash(text: str) -> str:
    """What a content security policy calls a style sheet or a script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
