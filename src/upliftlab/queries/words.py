"""Words that programs write for no value, and for yes and no: the line that declares them.

They are known beforehand and so nobody's, whatever column they stand in.
"""
# ruff: noqa: S608 - relations and conditions are of the house's own

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from upliftlab.engines.base import Engine
from upliftlab.util.personal import EMPTY_WORDS
from upliftlab.util.sql import literal

_NO_VALUE: Final = (EMPTY_WORDS - {"true", "false", "yes", "no", ""}) | {
    "(null)", "(none)", "(not set)", "<null>", "\\n", "#num!", "#name?", "k.a.", "n.v.", "k. a.",
}  # fmt: skip
_YES: Final = frozenset(
    ("y", "t", "on", "j", "ja", "oui", "si", "sí", "wahr", "vrai", "x", "✓", "是")
)
_NO: Final = frozenset(("n", "f", "off", "nein", "non", "falsch", "faux", "✗", "否"))
KNOWN: Final = _NO_VALUE | _YES | _NO
_MOST: Final = 8


def words_of(text: str, odd: str, relation: str, engine: Engine) -> list[str] | None:
    """The texts that are none of what is asked for, if every one is a known word.

    Args:
        text: The column in SQL.
        odd: The condition that it is none.
        relation: The FROM clause with its WHERE.
        engine: Where it lies.
    """
    known = ", ".join(map(literal, sorted(KNOWN)))
    word = f"LOWER(TRIM({text}))"
    row = engine.query(
        f"SELECT COUNT(CASE WHEN {odd} AND NOT {word} IN ({known}) THEN 1 END) AS n FROM {relation}"
    ).to_pylist()[0]
    if row["n"]:
        return None
    said = f"SELECT CASE WHEN {odd} THEN {text} END AS v FROM {relation}"
    found = engine.query(
        f"SELECT v FROM ({said}) AS t WHERE v IS NOT NULL GROUP BY v LIMIT {_MOST}"
    )
    return sorted(str(row["v"]) for row in found.to_pylist())


def declared(words: Iterable[str]) -> dict[str, list[str]]:
    """What `format` says of known words.

    >>> declared(["N", "Y", "NULL"])
    {'missing': ['NULL'], 'true': ['Y'], 'false': ['N']}
    """
    roles = {"missing": _NO_VALUE, "true": _YES, "false": _NO}
    trimmed = sorted({word.strip() if word.strip().casefold() not in _NO_VALUE else word
                      for word in words})  # fmt: skip
    found = {
        role: [word for word in trimmed if word.strip().casefold() in known]
        for role, known in roles.items()
    }
    return {role: given for role, given in found.items() if given}


def line_of(words: Iterable[str], form: Mapping[str, str] | None = None) -> str:
    """The line that declares known words, beside what else has to be said of their column.

    >>> line_of(["#N/A"], {"decimal": ","})
    'format: {decimal: ",", missing: ["#N/A"]}'
    """
    said = [f'{key}: "{value}"' for key, value in (form or {}).items()]
    said += [f"{role}: [{_quoted(given)}]" for role, given in declared(words).items()]
    return f"format: {{{', '.join(said)}}}"


def say_yes_and_no(words: Collection[str]) -> bool:
    """Whether known words are for yes and no alone."""
    return bool(words) and all(word.strip().casefold() in _YES | _NO for word in words)


def _quoted(words: Iterable[str]) -> str:
    doubled = (word.replace("\\", "\\\\") for word in words)
    return ", ".join(f'"{word}"' for word in doubled)
