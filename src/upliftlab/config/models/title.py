"""What something is called for people: one text, or one for each language of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Self, cast

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

LANGUAGES: Final = ("en", "zh")
"""In the order in which one is taken where the language of a text is not asked for."""
_EXAMPLE: Final = "title: {en: Voucher, zh: 优惠券}"


class Title(str):
    """A title in several languages; as a text, the first of them.

    >>> Title({"zh": "优惠券", "en": "Voucher"})
    'Voucher'

    Attributes:
        said: The title by language.
    """

    __slots__ = ("said",)
    said: Mapping[str, str]

    def __new__(cls, said: Mapping[str, str]) -> Self:
        """A title of these texts by language, of which there is at least one."""
        made = super().__new__(cls, next(said[each] for each in LANGUAGES if each in said))
        made.said = dict(said)
        return made

    def __getnewargs__(self) -> tuple[Mapping[str, str]]:  # pyright: ignore[reportIncompatibleMethodOverride] - made of more than a text
        """What a copy is made of."""
        return (self.said,)


def parse_title(value: object) -> str:
    """A text as it is, or texts by language.

    Raises:
        ValueError: It is neither, names another language, or leaves one without a text.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"a title is a text, or one by language: {_EXAMPLE}")
    said = cast("Mapping[object, object]", value)
    for language, text in said.items():
        if language not in LANGUAGES:
            known = " and ".join(LANGUAGES)
            raise ValueError(f"pages speak {known}, not '{str(language)[:20]}': {_EXAMPLE}")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"the title in '{language}' is no text: {_EXAMPLE}")
    return Title(cast("Mapping[str, str]", said))


def _written(title: str) -> str | dict[str, str]:
    return dict(title.said) if isinstance(title, Title) else title


TitleText = Annotated[
    str,
    PlainValidator(parse_title),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "propertyNames": {"enum": list(LANGUAGES)},
                    "additionalProperties": {"type": "string"},
                    "minProperties": 1,
                },
            ],
            "description": "A text, or one by language: {en: Voucher, zh: 优惠券}",
        }
    ),
]
"""What something is called for people."""
