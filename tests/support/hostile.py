"""Texts that would do harm on a page, planted wherever a page takes text from somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from upliftlab.results.analysis import Result

CALL = "window.pwned=1"
PAYLOADS = {
    "script": f"<script>{CALL}</script>",
    "closed script": f"</script><script>{CALL}</script>",
    "title": f"</title><script>{CALL}</script>",
    "style": f"</style><style>*{{background:url(https://pwned.example/)}}</style><script>{CALL}",
    "image": f'"><img src=x onerror="{CALL}">',
    "single quotes": f"'><img src=x onerror='{CALL}'>",
    "attribute": f'" autofocus tabindex=0 onfocus={CALL} onmouseover={CALL} x="',
    "drawing": f"<svg onload={CALL}><desc><![CDATA[</desc><script>{CALL}</script>]]></svg>",
    "end of a drawing": f"</text></svg><svg/onload={CALL}>",
    "frame": "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe><object data=x>",
    "address": f"javascript:{CALL}//",
    "link": f'<a href="javascript:{CALL}" id=pwned>x</a><base href=//pwned.example/>',
    "refresh": '<meta http-equiv=refresh content="0;url=https://pwned.example/">',
    "comment": "<!--<script>",
    "end of data": "]]>--!>-->",
    "escaped": f"&lt;script&gt;{CALL}&lt;/script&gt;&#60;b&#62;&amp;amp;",
    "json": f'","x":1}}</script>\\u003cscript>{CALL}',
    "template": "{{7*7}}${{7*7}}{% include '/etc/passwd' %}{# #}#{7*7}",
    "placeholder": "{name:money}{0.__class__}{arm!r}{}{{{arm}}}",
    "percent": "%s%(x)s%n%%",
    "style sheet": "url(https://pwned.example/);@import 'https://pwned.example/'",
    "line ends": "a\u2028b\u2029c\x85d",
    "control": "a\x00b\x1b[31mc\x07\r\nd",
    "turned": "\u202egnp.exe\u2066\u200f\u202d",
    "long": "<b>" * 3_334,
}
"""What a page may be given; each would call or fetch something if it were more than text."""

_SAID = {"template", "sentence", "next_action", "message", "created"}
"""Fields that are no names: what the house says, and a time."""
_MEANT = {"method", "family", "learner", "ship_if", "currency", "version", "python", "sha256"}
"""Fields whose text is the house's own in a result that nobody has edited."""
_HOUSE = {
    *("profit", "contact_channel", "policies/*/name", "answers/*/name", "money_sums/columns/*"),
}
"""Names of the house, and fields that hold such."""
_OWN = {
    *("experiment", "title", "owner", "hypothesis", "eligible", "arm", "arms", "control"),
    *("channel", "channel_title", "name", "metric", "columns", "dimension", "level", "levels"),
    *("source", "file", "feature", "why"),
}
"""Fields that hold what a user or the data chose."""
_KEYED = {
    *("cost_per_contact", "cost_per_redemption", "commission", "service_cost", "fixed_cost"),
    *("shares", "redemptions", "customers"),
}
"""Fields whose keys are arms."""

Path = tuple[str | int, ...]
Found = TypeVar("Found", bound=Result)
Change = Callable[[Path, str], str]


def planted(found: Found, payloads: Sequence[str]) -> Found:
    """A result in which the texts that a user or the data chose carry payloads, taking turns."""
    document = found.model_dump(mode="json")
    names = dict.fromkeys(text for path, text in _texts(document) if _own(path, text))
    new = {name: f"{payloads[i % len(payloads)]}{i}" for i, name in enumerate(names)}

    def change(path: Path, text: str) -> str:
        kept = _kind(path) in _HOUSE or set(path) & (_SAID | _MEANT)
        return text if kept else new.get(text, text)

    return type(found).model_validate(_changed(document, change))


def kinds(found: Result) -> tuple[str, ...]:
    """The places of a result's texts, of a list's items one for all."""
    return tuple(dict.fromkeys(_kind(path) for path, _ in _texts(found.model_dump(mode="json"))))


def edited(found: Found, kind: str, payload: str) -> Found | None:
    """The result with one kind of text replaced, as by hand; None where it is none any more."""

    def change(path: Path, text: str) -> str:
        return payload if _kind(path) == kind else text

    try:
        return type(found).model_validate(_changed(found.model_dump(mode="json"), change))
    except ValidationError:  # of a fixed list, such as a verdict's code
        return None


def _own(path: Path, text: str) -> bool:
    field = next(part for part in reversed(path) if isinstance(part, str))
    return field in _OWN and text not in _HOUSE and _kind(path) not in _HOUSE


def _kind(path: Path) -> str:
    """Where a text lies, whichever of a list it is in."""
    return "/".join("*" if isinstance(part, int) else part for part in path)


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    items = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from _texts(item, (*path, key))


def _changed(value: Any, change: Change, path: Path = ()) -> Any:
    """A document with its texts changed, and the names that are keys."""
    if isinstance(value, str):
        return change(path, value)
    if isinstance(value, list):
        return [_changed(item, change, (*path, i)) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    keyed = bool(path) and path[-1] in _KEYED
    return {
        change(path, key) if keyed else key: _changed(item, change, (*path, key))
        for key, item in value.items()
    }
