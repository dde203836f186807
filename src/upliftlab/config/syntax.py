"""Where a fault of YAML's syntax really is: a parser notices many only in a later line.

A key without its colon is text until the next colon comes, and a quote that nobody closed runs to
the end of the file. The parser's two marks, where it stopped and where what it was reading began,
with the lines before them, lead back to the line to mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from upliftlab.config.mending import in_quotes
from upliftlab.config.yaml_words import in_plain_words

_KEY = r"[^\W\d][\w-]*"
_JOINED = re.compile(rf"(\s*(?:- )?)({_KEY}):([^\s:/].*)")
_WIDE = re.compile(rf"(\s*(?:- )?)({_KEY})(\s*)\uff1a\s*(.*)")
_EQUALS = re.compile(rf"(\s*(?:- )?)({_KEY})(\s*)=\s*([^=\s].*)")
_DASH = re.compile(r"(\s*)-([^\W\d].*)")
_TWO_WORDS = re.compile(rf"(\s*)({_KEY})\s+(\S+)")
_NO_SPACE = re.compile(r"( *)[\t ]*([\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])")
_QUOTED = re.compile(r"""[^'"#]*?:\s+(['"])""")
_FREE_TEXTS = frozenset({"title", "owner", "hypothesis"})
"""Keys that hold a sentence, in which a colon is nothing but a colon."""
_OPENED = {"[": "]", "{": "}"}
_COLON = "a space is missing behind the colon"


class Change(NamedTuple):
    """What to write in a line, for what, and from which column on: the fault's where it is None."""

    there: str
    instead: str
    column: int | None = None


class SyntaxFault(NamedTuple):
    """What is wrong, what to write, and where, counted from 1; and what mends it, where sure."""

    message: str
    remedy: str
    line: int
    column: int
    change: Change | None = None


class PartedEntry(NamedTuple):
    """An entry in braces as it was meant, what is wrong with it, and how far behind its start."""

    key: str
    value: str
    message: str
    remedy: str
    column: int
    there: str
    instead: str


class _Mark(NamedTuple):
    line: int
    column: int

    @classmethod
    def of(cls, mark: Any) -> _Mark | None:  # noqa: ANN401 - PyYAML's marks have two classes
        return None if mark is None else cls(mark.line, mark.column)


class _Complaint(NamedTuple):
    """What the parser says, and the lines it was reading."""

    lines: Sequence[str]
    said: str
    reading: str
    at: _Mark
    since: _Mark

    def line(self, number: int) -> str:
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    @property
    def here(self) -> str:
        return self.line(self.at.line)


def joined(text: str) -> str | None:
    """How to write a key and its value between which the space is missing; None for other text.

    >>> joined("channel:sms"), joined("https://shop"), joined("channel: sms")
    ('channel: sms', None, None)
    """
    found = _JOINED.fullmatch(text)
    return f"{found[2]}: {found[3]}" if found else None


def parted_entry(text: str) -> PartedEntry | None:
    """A key and its value, of which YAML made one text; None where it is one.

    >>> parted_entry("control:true").remedy, parted_entry("share 20%").remedy
    ("write 'control: true'", "write 'share: 20%'")
    """
    if found := _JOINED.fullmatch(text):
        said = (_COLON, f"write '{found[2]}: {found[3][:80]}'")
        return PartedEntry(found[2], found[3], *said, found.end(2), ":", ": ")
    if found := _TWO_WORDS.fullmatch(text):
        right = f"{found[2]}: {found[3]}"
        said = ("a colon is missing", f"write '{right[:80]}'")
        return PartedEntry(found[2], found[3], *said, 0, text, right)
    return None


def odd_space(lines: Sequence[str]) -> SyntaxFault | None:
    """The first line that is indented by what looks like spaces and is none."""
    for number, line in enumerate(lines):
        if (found := _NO_SPACE.match(line)) and re.search(r":(\s|$)|^\s*- ", line):
            message = f"the character U+{ord(found[2]):04X} cannot indent YAML"
            column, rest = found.start(2) + 1, line[found.start(2) :]
            odd = rest[: len(rest) - len(rest.lstrip())]
            sure = "\t" not in odd and "\u3000" not in odd  # a wide space is as wide as two
            change = Change(odd, " " * len(odd)) if sure else None
            remedy = "write plain spaces in its place"
            return SyntaxFault(message, remedy, number + 1, column, change)
    return None


def dashed(lines: Sequence[str], line: int, column: int) -> SyntaxFault | None:
    """An entry whose dash has no space behind it, so that it is read as text."""
    text = lines[line] if line < len(lines) else ""
    found = _DASH.fullmatch(text)
    return _plain(line, text) if found and len(found[1]) == column else None


def located(lines: Sequence[str], error: Any) -> SyntaxFault:  # noqa: ANN401 - yaml.MarkedYAMLError of either parser
    """What the parser's error is about.

    Args:
        lines: Those of the file.
        error: The parser's, with `problem`, `context` and their marks, of which it has one.
    """
    at = _Mark.of(error.problem_mark) or _Mark.of(error.context_mark) or _Mark(0, 0)
    since = _Mark.of(error.context_mark) or at
    said, reading = (error.problem or "").lower(), error.context or ""
    complaint = _Complaint(lines, said, reading, at, since)
    if complaint.here[at.column : at.column + 1] == "\t":
        change = _untabbed(lines, at)
        return SyntaxFault(*in_plain_words("a tab", ""), at.line + 1, at.column + 1, change)
    for seek in (_quote, _bracket, _within, _alias, _closing, _colonless, _before, _aside):
        if found := seek(complaint):
            return found
    told = in_plain_words(error.problem or "", reading)
    change = _whole_text(complaint.here, at.column) if "cannot start any token" in said else None
    return SyntaxFault(*told, at.line + 1, at.column + 1, change)


def _untabbed(lines: Sequence[str], at: _Mark) -> Change | None:
    """Spaces for the tabs below a key that opens a group, in its line and those that go on."""
    run: list[str] = []
    for line in lines[at.line :]:
        if not line.startswith("\t"):
            break
        run.append(line)
    above = [line for line in lines[: at.line] if line.partition("#")[0].strip()]
    opens = above and re.fullmatch(rf"( *){_KEY}:\s*(#.*)?", above[-1])
    if not opens or not run or at.column:
        return None
    tabs = [len(line) - len(line.lstrip("\t")) for line in run]
    if any(line.lstrip("\t")[:1] in ("", " ") for line in run) or min(tabs) < tabs[0]:
        return None
    follows = lines[at.line + len(run)] if at.line + len(run) < len(lines) else ""
    beside = _indent(follows) if _indent(follows) > len(opens[1]) else len(opens[1]) + 2
    right = [
        " " * (beside + 2 * (count - tabs[0])) + line.lstrip("\t")
        for line, count in zip(run, tabs, strict=True)
    ]
    return Change("\n".join(run), "\n".join(right), 1)


def _whole_text(line: str, column: int) -> Change | None:
    """Quotes around all that stands behind a key, where no comment and no bracket does."""
    text = line[column:].rstrip()
    alone = re.fullmatch(rf"\s*(- )?{_KEY}:\s+", line[:column])
    if not alone or " #" in text:
        return None
    return Change(text, in_quotes(text), column + 1)


def _quote(complaint: _Complaint) -> SyntaxFault | None:
    """A quoted text that is not closed in its line: it ends with the file, or at the next quote."""
    if "quoted scalar" in complaint.reading and "end of stream" in complaint.said:
        line = _earliest(complaint, complaint.since.line)
        return _unclosed(complaint.line(line), line)
    if "expected" in complaint.said and complaint.here[: complaint.at.column][-1:] in ("'", '"'):
        for line in range(complaint.at.line - 1, -1, -1):
            if found := _unclosed_quote(complaint.line(line)):
                return _unclosed(complaint.line(line), line) if found else None
    return None


def _earliest(complaint: _Complaint, last: int) -> int:
    """The line of the first quote that its own line does not close."""
    open_lines = (at for at in range(last) if _unclosed_quote(complaint.line(at)))
    return next(open_lines, last)


def _unclosed_quote(line: str) -> re.Match[str] | None:
    found = _QUOTED.match(line)
    return found if found and found[1] not in line[found.end() :] else None


def _unclosed(line: str, number: int) -> SyntaxFault:
    found = _QUOTED.match(line)
    start = found.end() - 1 if found else len(line) - len(line.lstrip())
    text = line[start:].rstrip()
    message = "a quotation mark is not closed"
    alone = found is not None and not {"[", "{"} & {*line[:start]} and " #" not in text
    change = Change(text, text + text[:1]) if alone else None
    return SyntaxFault(message, f"close it: {text[:80]}{text[:1]}", number + 1, start + 1, change)


def _bracket(complaint: _Complaint) -> SyntaxFault | None:
    """A list or group that another line begins before it is closed."""
    number, column = complaint.since
    sign = complaint.line(number)[column : column + 1]
    if "flow" not in complaint.reading or sign not in _OPENED or complaint.at.line == number:
        return None
    indent = _indent(complaint.line(number))
    below = next((n for n in range(number + 1, complaint.at.line + 1) if complaint.line(n)), None)
    outside = below is None or _indent(complaint.line(complaint.at.line)) <= indent
    if not outside:
        return None
    what = "list" if sign == "[" else "group"
    there = complaint.line(number)[column:].partition(" #")[0].rstrip()
    text = there.rstrip(",")
    missing = "".join(_OPENED[each] for each in reversed(_left_open(text)))
    message = f"a {what} opened with '{sign}' is not closed"
    between = complaint.lines[number + 1 : complaint.at.line]
    sure = not any(line.partition("#")[0].strip() for line in between)
    change = Change(there, text + missing) if sure else None
    return SyntaxFault(message, f"close it: {text[:80]}{missing}", number + 1, column + 1, change)


def _left_open(text: str) -> list[str]:
    left: list[str] = []
    for sign in text:
        if sign in _OPENED:
            left.append(sign)
        elif left and sign == _OPENED[left[-1]]:
            left.pop()
    return left


def _within(complaint: _Complaint) -> SyntaxFault | None:
    """In braces or brackets of one line: a comma is missing, or the wrong sign closes."""
    if "flow" not in complaint.reading:
        return None
    line, column = complaint.at
    sign, opened = complaint.here[column : column + 1], complaint.line(complaint.since.line)
    opened = opened[complaint.since.column : complaint.since.column + 1]
    if sign == ":" and (found := re.search(rf"{_KEY}\s*$", complaint.here[:column])):
        word = found[0].strip()
        remedy = f"separate entries by ',': write ', {word}:'"
        before = complaint.here[: found.start()]
        sure = before.rstrip() != before and before.rstrip()[-1:] not in (*":,{[",)
        blank = before[len(before.rstrip()) :]
        change = Change(blank, ", ", len(before.rstrip()) + 1) if sure else None
        return SyntaxFault("a comma is missing", remedy, line + 1, found.start() + 1, change)
    if sign in ("]", "}") and opened in _OPENED:
        message = f"'{sign}' closes what was opened with '{opened}'"
        right = _OPENED[opened]
        change = Change(sign, right)
        return SyntaxFault(message, f"write '{right}'", line + 1, column + 1, change)
    return None


def _alias(complaint: _Complaint) -> SyntaxFault | None:
    """A text that begins with a sign which YAML has another use for."""
    if complaint.reading not in ("while scanning an alias", "while scanning an anchor"):
        return None
    number, column = complaint.since
    text = complaint.line(number)[column:].strip()
    message = f"'{text[:1]}' at the beginning of a text has a meaning of its own in YAML"
    change = _whole_text(complaint.line(number), column)
    return SyntaxFault(message, f"put it in quotes: '{text[:80]}'", number + 1, column + 1, change)


def _closing(complaint: _Complaint) -> SyntaxFault | None:
    """What stands behind a closed quote or bracket."""
    if "expected" not in complaint.said or "block" not in complaint.reading:
        return None
    line, column = complaint.at
    sign, before = complaint.here[column : column + 1], complaint.here[:column]
    if sign in ("]", "}"):
        message = f"'{sign}' closes nothing: there is none open"
        return SyntaxFault(message, "remove it", line + 1, column + 1, Change(sign, ""))
    if before[-1:] in ("'", '"') and (found := _QUOTED.match(complaint.here)):
        other = "write two for one within the text: ''" + sign
        remedy = other if found[1] == "'" else "use single quotes around the text, or within it"
        message = f"the quote {found[1]} ends the text here"
        within = before[-2:-1].isalnum() and sign.isalnum() and complaint.here.count("'") == 3  # noqa: PLR2004 - the two around it
        change = Change("'", "''") if found[1] == "'" and within else None
        return SyntaxFault(message, remedy, line + 1, column, change)
    return None


def _colonless(complaint: _Complaint) -> SyntaxFault | None:
    """A line that is neither key and value nor part of the one above."""
    if "could not find expected ':'" not in complaint.said:
        return None
    line = complaint.since.line
    return _plain(line, complaint.line(line)) or _bare(line, complaint.line(line))


def _before(complaint: _Complaint) -> SyntaxFault | None:
    """A line above that has become text, so that what follows it does not fit."""
    for line in _above(complaint):
        if found := _plain(line, complaint.line(line)):
            return found
    return None


def _above(complaint: _Complaint) -> Iterator[int]:
    """The line of the fault and the one above it that holds anything."""
    yield complaint.at.line
    for line in range(complaint.at.line - 1, -1, -1):
        if complaint.line(line).partition("#")[0].strip():
            yield line
            return


def _aside(complaint: _Complaint) -> SyntaxFault | None:
    """A key that is indented further than those above it, or a colon within a text."""
    if "mapping values are not allowed" not in complaint.said:
        return None
    line, column = complaint.at
    before = complaint.here[:column]
    if re.fullmatch(rf"\s*{_KEY}\s*", before):
        message = "the key is indented further than those above it"
        return SyntaxFault(message, "align keys of one group", line + 1, _indent(before) + 1)
    if found := re.match(rf"(\s*(?:- )?{_KEY}:\s+)(.*)", complaint.here):
        text = found[2].strip().replace("'", "''")
        message = "a colon within a text is read as the end of a key"
        told = (message, f"quote the text: '{text[:80]}'", line + 1, column + 1)
        free = found[1].strip("- ").partition(":")[0] in _FREE_TEXTS
        change = _whole_text(complaint.here, found.end(1)) if free else None
        return SyntaxFault(*told, change)
    return None


def _plain(line: int, text: str) -> SyntaxFault | None:
    """What makes text of a line that was to be a key and its value, or an entry."""
    if found := _WIDE.fullmatch(text):
        message, column = "'\uff1a' is not the colon that ends a key", found.end(3)
        change = Change(text[column : found.start(4)], ": " if found[4] else ":")
        remedy = f"write '{found[2]}: {found[4]}'"
        return SyntaxFault(message, remedy, line + 1, column + 1, change)
    if found := _JOINED.fullmatch(text):
        remedy = f"put a space behind the colon: '{found[2]}: {found[3][:80]}'"
        return SyntaxFault(_COLON, remedy, line + 1, found.end(2) + 1, Change(":", ": "))
    if found := _DASH.fullmatch(text):
        remedy = f"put a space behind '-': '- {found[2][:80]}'"
        told = ("a space is missing behind '-'", remedy, line + 1, len(found[1]) + 1)
        return SyntaxFault(*told, Change("-", "- "))
    if found := _EQUALS.fullmatch(text):
        message = "'=' does not end a key"
        change = Change(text[found.end(2) : found.start(4)], ": ", found.end(2) + 1)
        remedy = f"write '{found[2]}: {found[4][:80]}'"
        return SyntaxFault(message, remedy, line + 1, found.end(3) + 1, change)
    return None


def _bare(line: int, text: str) -> SyntaxFault:
    change = None
    message, remedy = in_plain_words("could not find expected ':'", "")
    if found := _TWO_WORDS.fullmatch(text):
        remedy = f"write '{found[2]}: {found[3][:80]}'"
        change = Change(text[found.end(2) : found.start(3)], ": ", found.end(2) + 1)
    return SyntaxFault(message, remedy, line + 1, _indent(text) + 1, change)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
