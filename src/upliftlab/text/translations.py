"""The translated texts of a language, read from its hand-kept catalogue."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def catalogue(code: str) -> dict[str, str]:
    """Every translated text of a language by its English; empty for English itself."""
    if code == "en":
        return {}
    from babel.messages.pofile import read_po  # noqa: PLC0415 - costs start-up

    place = resources.files("upliftlab.text").joinpath(f"locale/{code}/LC_MESSAGES/messages.po")
    with place.open("rb") as file:
        read = read_po(file, locale=code)
    return {
        message.id: message.string
        for message in read
        if isinstance(message.id, str) and isinstance(message.string, str)
        if message.id and message.string
    }
