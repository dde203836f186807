"""How numbers and sentences are said in a reader's language."""

from __future__ import annotations

from upliftlab.results import Message


def N_(text: str) -> str:  # noqa: N802 - the customary name for "translate later"
    """Mark a text for the message catalogues without translating it."""
    return text


class Language:
    """One reader's language: translations, and formats of money, shares, numbers and dates."""

    def __init__(self, code: str = "en") -> None:
        self.code = code

    def say(self, message: Message, currency: str | None = None) -> str:
        """A message with its values formatted and put in."""
        raise NotImplementedError
