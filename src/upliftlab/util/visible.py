"""Text of unknown origin made safe to print: what cannot be seen is written out.

A name, a file's name, a server's message or a value of a CSV file may hold characters that move
the cursor, turn the reading direction, hide letters or end a line. They are shown as escapes, so
that what is printed is what is there; letters of every script and emoji stay as they are.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_SURROGATES: Final = "\ud800-\udfff"
_HIDDEN: Final = re.compile(
    f"[{_CONTROLS}{_UNSEEN}{_SURROGATES}]"
    # Joiners make emoji of several people and shape Persian and Indic words; elsewhere they hide.
    "|[\u200c\u200d](?![^\x00-\xff])|(?<![^\x00-\xff])[\u200c\u200d]"
)
_LINE_COMMAND: Final = re.compile(r"^(\s*):(?=:)")
_INLINE_COMMAND: Final = re.compile(r"##(?=\[|vso\[|teamcity\[)")


def first_hidden(text: str) -> re.Match[str] | None:
    r"""The first character that cannot be seen; line feeds and tabs are layout.

    >>> first_hidden("fam\u200bily").start(), first_hidden("Größe 👩‍👧 日本\n")
    (3, None)
    """
    return _HIDDEN.search(text)


def visible(text: str) -> str:
    r"""One line in which everything can be seen, and which no build server takes for a command.

    >>> print(visible("red\x1b[31m, two\nlines, \u202eback"))
    red\x1b[31m, two\nlines, \u202eback
    >>> print(visible("::error::no"), visible("##[group]no"))
    \x3a:error::no #\x23[group]no
    """
    text = _HIDDEN.sub(lambda found: _escaped(found[0]), text)
    text = text.replace("\n", "\\n").replace("\t", "\\t")
    text = _INLINE_COMMAND.sub(r"#\\x23", text)
    return _LINE_COMMAND.sub(r"\1\\x3a", text)


def visible_json(text: str) -> str:
    r"""JSON with the same content in which everything can be seen: hidden signs as its escapes.

    >>> print(visible_json('{"title": "\u202eback ##[group]"}'))
    {"title": "\u202eback #\u0023[group]"}
    """
    # Outside of strings JSON holds no such character but line feeds and tabs, which stay.
    text = _HIDDEN.sub(lambda found: json_escape(found[0]), text)
    return _INLINE_COMMAND.sub(r"#\\u0023", text)


def json_escape(char: str) -> str:
    r"""A character as JSON's escape, of two parts where it lies beyond the first 65,536.

    >>> print(json_escape("é"), json_escape("😀"))
    \u00e9 \ud83d\ude00
    """
    code = ord(char)
    if code < 1 << 16:
        return f"\\u{code:04x}"
    code -= 1 << 16
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _escaped(char: str) -> str:
    code = ord(char)
    if char == "\r":
        return "\\r"
    if code < 1 << 8:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
