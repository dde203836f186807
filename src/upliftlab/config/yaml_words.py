"""The YAML parser's complaints in words a marketer can act on."""

from __future__ import annotations

_WORDS: tuple[tuple[str, str, str], ...] = (
    ("'\\t'", "a tab cannot indent YAML", "use spaces"),
    ("tab", "a tab cannot indent YAML", "use spaces"),
    (
        "mapping values are not allowed",
        "a colon stands where no key can be",
        "quote a text that holds ': ', and align keys of one group",
    ),
    (
        "could not find expected ':'",
        "a line is neither 'key: value' nor part of the one above",
        "write 'key: value'",
    ),
    (
        "expected <block end>",
        "the indentation does not fit the lines above",
        "align keys of one group, and put a space after '-' and ':'",
    ),
    (
        "did not find expected key",
        "the indentation does not fit the lines above",
        "align keys of one group, and put a space after '-' and ':'",
    ),
    (
        "did not find expected '-'",
        "a list's entries are not aligned",
        "begin each entry with '- ' in the same column",
    ),
    ("',' or ']'", "a list opened with '[' is not closed", "separate entries by ',' and close ']'"),
    ("',' or '}'", "a group opened with '{' is not closed", "separate keys by ',' and close '}'"),
    ("unexpected end of stream", "a quotation mark is not closed", "add the missing quote"),
    ("cannot start any token", "a value begins with a special character", "put it in quotes"),
    ("unknown escape", "a backslash in double quotes begins an escape", "use single quotes"),
    ("duplicate", "a directive appears twice", "remove it"),
    ("incompatible yaml", "this version of YAML is not known", "remove the line '%YAML'"),
)


def in_plain_words(problem: str, context: str) -> tuple[str, str]:
    """A parser's problem as message and remedy.

    >>> in_plain_words("mapping values are not allowed here", "")[0]
    'a colon stands where no key can be'
    """
    said = problem.lower()
    for sign, message, remedy in _WORDS:
        if sign in said:
            return message, remedy
    detail = " ".join(f"{context} {problem}".split())[:120]
    return f"this is not valid YAML ({detail})", "compare the line with its neighbours"
