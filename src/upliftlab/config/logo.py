"""A house's logo: a small picture of the workspace that neither runs nor fetches anything.

Pages show it as an image, in which a browser runs no script and loads nothing; a file that asks
for either is refused all the same, because files are copied and opened elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from xml.etree import ElementTree as ET

from upliftlab.errors import ConfigError, Diagnostic, Place
from upliftlab.util.files import read_regular, reason_of

LARGEST: Final = 64 << 10
"""Bytes of a logo, which every page carries."""
_WIDEST: Final = 4096
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD: Final = b"\0\0\0\rIHDR"
_PNG_END: Final = b"IEND\xaeB`\x82"
_SVG: Final = "{http://www.w3.org/2000/svg}"
_KNOWN: Final = (_SVG, "{http://www.w3.org/1999/xhtml}")
"""Beginnings of tags that a browser takes for more than data."""
_DRAWN: Final = (
    frozenset(("svg", "g", "defs", "symbol", "use", "switch", "title", "desc", "metadata", "style"))
    | frozenset(("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image"))
    | frozenset(("text", "tspan", "linearGradient", "radialGradient", "stop", "pattern"))
    | frozenset(("clipPath", "mask", "marker"))
)
"""What of SVG draws, and neither runs, moves nor leads anywhere."""
_OUTSIDE: Final = re.compile(r"url\(\s*[\"']?(?!#)|@import|image-set|\\|javascript:", re.IGNORECASE)
_DECLARED: Final = re.compile(r"<!(?!--)|<\?(?!xml\s)", re.IGNORECASE)
_WITHIN: Final = re.compile(r"#|data:image/(?:png|jpeg);base64,")


@dataclass(frozen=True, slots=True)
class LogoFile:
    """A logo that may stand in a page, and its type as browsers call it."""

    kind: str
    content: bytes


def read_logo(root: Path, file: str, place: Place) -> LogoFile:
    """A logo.

    Args:
        root: The workspace's folder, in which it lies.
        file: Its place there.
        place: Where it is named.

    Raises:
        ConfigError: UL172, it cannot be read, is too large, or is no SVG or PNG that only shows.
    """
    try:
        content = _content(root, file)
        if content.startswith(_PNG):
            _check_png(content)
            return LogoFile("image/png", content)
        _check_svg(content)
    except (OSError, ValueError) as error:
        why = reason_of(error) if isinstance(error, OSError) else str(error)
        message, _, remedy = f"the logo '{file}' cannot be shown: {why}".partition("; ")
        remedy = remedy or "name an SVG or PNG of the workspace, of at most 64 KiB"
        raise ConfigError(Diagnostic("UL172", message, remedy, place)) from error
    return LogoFile("image/svg+xml", content)


def _content(root: Path, file: str) -> bytes:
    real = os.path.realpath(root / file)
    if not Path(real).is_relative_to(os.path.realpath(root)):
        raise ValueError("it lies outside the workspace")
    content = read_regular(Path(real), LARGEST)
    if len(content) > LARGEST:
        raise ValueError("it has more than 64 KiB")
    return content


def _check_png(content: bytes) -> None:
    head = len(_PNG)
    wide, high = (int.from_bytes(content[at : at + 4]) for at in (head + 8, head + 12))
    if content[head : head + 8] != _PNG_HEAD or not content.endswith(_PNG_END):
        raise ValueError("the PNG is damaged")
    if not (0 < wide <= _WIDEST and 0 < high <= _WIDEST):
        raise ValueError(f"it is {wide} by {high} dots, and {_WIDEST} by {_WIDEST} is the most")


def _check_svg(content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is neither PNG nor SVG in UTF-8") from error
    if _DECLARED.search(text):
        _refuse("declarations of its own, such as <!DOCTYPE>")
    try:
        top = ET.fromstring(text)  # noqa: S314 - no entity can be declared, and it is small
    except ET.ParseError as error:
        raise ValueError("it is neither PNG nor SVG") from error
    if top.tag != f"{_SVG}svg":
        raise ValueError("it is neither PNG nor SVG")
    for element in _walked(top):
        _check_element(element)


def _walked(top: ET.Element) -> Iterator[ET.Element]:
    """An element with all that is in it, but for what an editor keeps of its own in `metadata`.

    It is not shown anywhere; yet what a browser knows would run there too.
    """
    left = [(top, False)]
    while left:
        element, aside = left.pop()
        if not aside or element.tag.startswith(_KNOWN):
            yield element
        aside = aside or element.tag == f"{_SVG}metadata"
        left += [(below, aside) for below in element]


def _check_element(element: ET.Element) -> None:
    name = element.tag.removeprefix(_SVG)
    if name not in _DRAWN:
        _refuse(f"<{name.rpartition('}')[2][:40]}>")
    for attribute, value in element.attrib.items():
        key = attribute.rpartition("}")[2].lower()
        if key.startswith("on"):
            _refuse(f"the script '{key[:40]}'")
        if (key == "href" and not _WITHIN.match(value)) or _OUTSIDE.search(value):
            _refuse(f"a reference to elsewhere in '{key[:40]}'")
    if name == "style" and _OUTSIDE.search(element.text or ""):
        _refuse("a reference to elsewhere in <style>")


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"it holds {what}; save it as plain SVG, which only draws")
