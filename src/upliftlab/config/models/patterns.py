"""What values look like, as far as JSON Schema can say it: for editors, which cannot compute.

Each admits whatever the models read, and refuses what is surely none; ranges are written out as
digits. Only what both Python and ECMAScript read alike is used.
"""

from __future__ import annotations

from typing import Final

_DECIMALS = r"(?:\.[0-9]{1,15})?"
_NOTHING = r"(?:\.0{1,15})?"
_LEADING = "[0_]*"
_SOME = rf"(?:[0-9]{{1,21}}|[0-9]{{1,3}}(?:_[0-9]{{3}}){{1,6}}){_DECIMALS}"
_ZERO = rf"-{_LEADING}0{_NOTHING}"
_UP_TO_ONE = rf"(?:{_LEADING}1{_NOTHING}|{_LEADING}0{_DECIMALS})"
_UP_TO_100 = rf"{_LEADING}(?:100{_NOTHING}|[0-9]{{1,2}}{_DECIMALS})"
_PARTS = r"[0-9]{1,15}\s*/\s*[0-9]{1,15}"
_HALF = rf"{_LEADING}[5-9][0-9]{_DECIMALS}"

NOT_NEGATIVE: Final = rf"(?:\+?{_SOME}|{_ZERO})"
PROPER: Final = rf"(?:\+?(?:{_UP_TO_100}\s*%|{_UP_TO_ONE})|{_ZERO}\s*%?|{_PARTS})"
"""Between 0 and 100 per cent."""
RATE: Final = rf"(?:[+-]?(?:{_SOME}\s*%|{_UP_TO_ONE})|{_PARTS})"
"""Any percentage; above 1 with its sign."""
UPPER_HALF: Final = rf"(?:\+?(?:{_HALF}\s*%|{_LEADING}0\.[5-9][0-9]{{0,14}})|{_PARTS})"
"""From 50 to below 100 per cent."""
CAP: Final = rf"(?:\+?{_SOME}|\+?{_HALF}\s*%)"
MONEY: Final = (
    r"(?![1-9][0-9]{0,2}\.[0-9]{3}\s*(?:[A-Z]{3})?\s*$)" + rf"{NOT_NEGATIVE}(?:\s*[A-Z]{{3}})?"
)
"""An amount that can be read in one way, and is no loss."""
DATE: Final = (
    r"[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))"
)
ONE_NAME: Final = r"^[^,]*$"

_QUOTES = "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a"
_PIECES = (
    "'[^']*'",
    '"[^"]*"',
    f"[{_QUOTES}](?![^{_QUOTES}'\"]*[{_QUOTES}])",
    r"=(?![<>])(?!\s*[nN][uU][lL][lL]\b)",
    r"[<>](?!\s*[nN][uU][lL][lL]\b)",
    r"-(?!-)",
    r"/(?![*])",
    r"\w+(?!\w)(?![.][A-Za-z_])",
    f"[^'\"{_QUOTES}&|;{{}}\u2265\u2264\u2260=<>/\\w-]",
)
VALUE: Final = rf"^(?![\s\S]*[{{][{{])(?:{'|'.join(_PIECES)})*$"
"""A value over columns, without signs of other languages, comments and names of tables."""
CONDITION: Final = r"^(?!(?:[\s\S]*[\s)])?(?:and|or|not|AND|OR|NOT)\s*$)" + VALUE.removeprefix("^")
"""A condition, of which none ends with a word that joins two."""


def whole(pattern: str) -> str:
    """A pattern of a whole text, with what spaces stand around it."""
    return rf"^\s*{pattern}\s*$"
