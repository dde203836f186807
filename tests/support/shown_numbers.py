"""The numbers of a page: what its key leads to, told as its attributes say."""

from __future__ import annotations

from upliftlab.text.language import Language


def resolve(document, pointer: str):
    """The value of a JSON document at a pointer (RFC 6901)."""
    for step in pointer.removeprefix("/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def shown(value: float, attributes: dict[str, str], language: Language, currency: str | None):
    """A value as the page has to show it."""
    kind, *more = attributes["data-as"].split()
    for part in more:
        if part.startswith("\N{MULTIPLICATION SIGN}"):
            value *= int(part[1:])
    digits = next((int(part) for part in more if part.isdigit()), None)
    text = language.show(kind, value, currency, digits=digits, signed="+" in more)
    return text.replace("-", "\u2212")
