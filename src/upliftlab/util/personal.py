"""What texts tell of persons: whether they name them, and how a text is shown without its content.

Nothing here proves that a text is harmless. It finds what is usual: addresses, numbers by which
one is called or paid, and identifiers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

OTHER: Final = "(other)"
"""What levels are called that are shown together."""
_MANY: Final = 10
"""So many levels of few customers may be in any column; more, with most customers in them, name."""
_SHARE: Final = 0.02
"""If so many customers have what looks like something, the column holds that."""
_SHOWN: Final = 40
EMPTY_WORDS: Final = frozenset(
    ("", "-", "--", "?", ".", "n/a", "na", "nan", "null", "nil", "none", "inf", "-inf", "infinity")
) | {"unknown", "missing", "true", "false", "yes", "no", "#n/a", "#value!", "#ref!", "#div/0!"}
"""What stands for no value, or for yes and no, and so for no customer."""
_CODE: Final = re.compile("[A-Z]{3}")
_EMAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]{2,}")
_VALUE: Final = re.compile(r"|[-+]?[0-9]+([.,][0-9]+)*|[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}.*")
_UUID: Final = re.compile(r"\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE)
_DIGEST: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_DIALLED: Final = re.compile(r"(\+|00)[1-9]|\(?0[1-9]")
_NUMBER: Final = re.compile(r"\+?[0-9(][0-9 ()./-]*[0-9]")
_DAY: Final = re.compile(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}")
_FEWEST_DIALLED, _MOST_DIALLED = 9, 15
_CARD: Final = range(13, 20)
_CHECKED: Final = 97


def kind_of(text: str) -> str | None:
    """What of a person a text looks like; None where it looks like none.

    >>> kind_of("Alice <alice@example.com>"), kind_of("+49 170 1234567"), kind_of("north")
    ('e-mail addresses', 'telephone numbers', None)
    >>> kind_of("GB82 WEST 1234 5698 7654 32"), kind_of("4111 1111 1111 1111")
    ('bank accounts', 'card numbers')
    >>> kind_of("2026-03-02"), kind_of("1000 to below 2000"), kind_of("030201")
    (None, None, None)
    """
    bare = text.strip()
    if _EMAIL.search(bare):
        return "e-mail addresses"
    if _UUID.fullmatch(bare) or _DIGEST.fullmatch(bare):
        return "identifiers"
    if _is_iban(bare.replace(" ", "").upper()):
        return "bank accounts"
    if not _NUMBER.fullmatch(bare) or _DAY.fullmatch(bare):
        return None
    digits = re.sub(r"[^0-9]", "", bare)
    if _DIALLED.match(bare) and _FEWEST_DIALLED <= len(digits) <= _MOST_DIALLED:
        return "telephone numbers"
    return "card numbers" if len(digits) in _CARD and _is_card(digits) else None


def _is_iban(text: str) -> bool:
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % _CHECKED == 1


def _is_card(digits: str) -> bool:
    doubled = [int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0  # noqa: PLR2004 - sum of digits


def names_people(levels: Mapping[str, int], smallest: int) -> str | None:
    """Why a column says who customers are rather than what they are like; None where it does not.

    It does where some of its values look as if they named persons (of 2 % of the customers, or one
    that many have), and where most customers have a value that hardly anybody else has.

    Args:
        levels: How many customers have each value.
        smallest: Values of fewer customers are not shown.

    >>> names_people({"north": 500, "south": 480, "x@example.com": 1}, 5)
    >>> names_people({"north": 500, "x@example.com": 80}, 5)
    'holds e-mail addresses'
    >>> names_people({str(number): 1 for number in range(150)}, 5)
    'has a value of its own for most customers'
    """
    found = Counter[str]()
    for level, n in levels.items():
        if kind := kind_of(level):
            if n >= smallest:
                return f"holds {kind}"
            found[kind] += n
    total = sum(levels.values())
    for kind, count in found.most_common(1):
        if count >= _SHARE * total:
            return f"holds {kind}"
    rare = [n for n in levels.values() if n < smallest]
    if near_unique(len(rare), sum(rare), total):
        return "has a value of its own for most customers"
    return None


def near_unique(rare: int, customers: int, total: int) -> bool:
    """Whether a column tells most customers apart.

    Args:
        rare: How many values it has of fewer customers than are shown.
        customers: How many customers have these.
        total: How many have any value.
    """
    return rare > _MANY and 2 * customers > total


def are_values(names: Iterable[str]) -> bool:
    """Whether what should name columns is a row of values: a file without its first line.

    >>> are_values(["id", "arm", "spend_2025"]), are_values(["Erna", "none", "19.90"])
    (False, True)
    """
    return any(_VALUE.fullmatch(name.strip()) or kind_of(name) for name in names)


def shape(text: str) -> str:
    """The form of a text without its content: letters as a and A, digits as 9.

    >>> shape("alice.b@example.com"), shape("1.234,50 EUR"), shape("n/a")
    ('aaaaa.a@aaaaaaa.aaa', '9.999,99 AAA', 'n/a')
    """
    if text.strip().casefold() in EMPTY_WORDS:
        return text[:_SHOWN]
    return "".join(_mask(character) for character in text[:_SHOWN])


def code_or_shape(value: str | None) -> str:
    """Three capitals, such as a currency's code, which are no customer's value; else a text's form.

    >>> code_or_shape("NOK"), code_or_shape("Anna"), code_or_shape(None)
    ('NOK', 'Aaaa', '(none)')
    """
    if value is None or not value.strip():
        return "(none)"
    return value if _CODE.fullmatch(value) else shape(value)


def _mask(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character


def free_name(taken: Mapping[str, object] | frozenset[str] | set[str]) -> str:
    """What levels that are shown together are called, so that no other level is called so.

    >>> free_name({"north": 1}), free_name({"(other)": 1, "(other 2)": 1})
    ('(other)', '(other 3)')
    """
    name, number = OTHER, 1
    while name in taken:
        number += 1
        name = f"{OTHER[:-1]} {number})"
    return name
