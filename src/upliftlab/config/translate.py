"""Documents → models, and pydantic's refusals in the words of the file's writer."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import yaml
from pydantic import ValidationError

from upliftlab.config.document import Document, Key
from upliftlab.config.foreign_signs import foreign
from upliftlab.config.mending import bracketed, mending
from upliftlab.config.models import Declaration
from upliftlab.config.models.model import REFUSED
from upliftlab.config.models.usual_forms import SeveralNamesError, usual_form
from upliftlab.config.respelling import known_keys, suggestion, unknown_key
from upliftlab.config.shape import naming, shape_at
from upliftlab.config.syntax import joined
from upliftlab.errors import Diagnostic
from upliftlab.util.nearest import closest, surely

M = TypeVar("M", bound=Declaration)
_LONGEST = 240
_PRICE = re.compile("1 [A-Z]{3}")
_SIGN = re.compile(r"'\W'")


@dataclass(frozen=True, slots=True)
class ReadModel(Generic[M]):
    """A document as a model.

    Attributes:
        model: None where it is none, also as if what is wrong were absent.
        faults: Every reason why it is not all of the document.
        without: The ways to values that the model lacks, because they are wrong.
    """

    model: M | None
    faults: tuple[Diagnostic, ...] = ()
    without: frozenset[Key] = frozenset()


def read_model(model: type[M], document: Document) -> ReadModel[M]:
    """The document as a model, or as if the values that are wrong in it were absent."""
    try:
        return ReadModel(model.model_validate(document.value, by_alias=True, by_name=False))
    except ValidationError as error:
        details = error.errors(include_url=False)
    faults = [_fault(model, document, detail) for detail in details]
    meant = {
        path: yaml.load(fault.repair.instead, yaml.BaseLoader)  # noqa: S506 - texts and lists
        for fault, path in zip(faults, (_path(document, each)[0] for each in details), strict=True)
        if fault and fault.repair and fault.repair.place == document.values.get(path)
    }
    read = _without_faulty(model, document, details, meant)
    return replace(read, faults=tuple(fault for fault in faults if fault is not None))


_ROUNDS = 4
"""How often what lies around a wrong value is left out with it."""


def _without_faulty(
    model: type[M], document: Document, details: list[Any], meant: Mapping[Key, Any]
) -> ReadModel[M]:
    """The model as if its faulty values were absent, so that other rules are checked as well.

    Of a list nothing is left, as its entries' places would not be those of the file. What a value
    is surely meant to be, which is in `meant`, is taken for it.
    """
    value, without = deepcopy(document.value), set[Key]()
    for path, right in meant.items():
        _put(value, path, right)
    details = [each for each in details if _path(document, each)[0] not in meant]
    for _ in range(_ROUNDS):
        for detail in details:
            path = _cut(document, detail, without)
            if not path:
                return ReadModel(None)
            without |= {path} if detail["type"] != "extra_forbidden" else set()
            _pop(value, path)
        try:
            read = model.model_validate(value, by_alias=True, by_name=False)
        except ValidationError as error:
            details = error.errors(include_url=False)
        else:
            return ReadModel(read, without=frozenset(without))
    return ReadModel(None)


def _cut(document: Document, detail: Any, without: Collection[Key]) -> Key:  # noqa: ANN401 - as below
    """The way to what is left out for a refusal: the value, or what it is missing in."""
    path = _path(document, detail)[0]
    listed = next((at for at, step in enumerate(path) if isinstance(step, int)), len(path))
    path = path[:listed]
    while path in without:  # what is refused now is that it is absent
        path = path[:-1]
    return path


def _put(value: Any, path: Key, right: Any) -> None:  # noqa: ANN401 - as below
    *parent, key = path
    for step in parent:
        value = value[step]
    value[key] = right


def _pop(value: Any, path: Key) -> None:  # noqa: ANN401 - YAML holds text, lists and mappings
    *parent, key = path
    for step in parent:
        value = value.get(step, {})
    value.pop(key, None)


def _fault(model: type[Declaration], document: Document, detail: Any) -> Diagnostic | None:  # noqa: ANN401 - pydantic_core's TypedDict is not exported
    path, missing = _path(document, detail)
    if any(path[:end] in document.faulty for end in range(len(path) + 1)):
        return None
    given = document.get(*path)
    if isinstance(given, str) and "${env:" in given:  # refused as such
        return None
    kind: str = detail["type"]
    if kind == REFUSED:
        found = replace(detail["ctx"]["fault"], place=document.at(*path))
        other = foreign(given) if isinstance(given, str) else None
        return mending(found, other.instead if other else None)
    if missing is not None and kind == "missing":
        return _missing(document, path, missing)
    if kind == "extra_forbidden":
        return _unknown(model, document, path)
    say = _WORDS.get(kind, _invalid)
    code, message, remedy = say(model, document, path, detail)
    at_key = kind == "too_short" or code == "UL015" or detail["loc"][-1:] == ("[key]",)
    if code == "UL015" and (named := _named(message.partition(": ")[2])) in (given or {}):
        path = (*path, named)
    fault = Diagnostic(code, message[:_LONGEST], remedy, document.at(*path, key=at_key))
    if at_key:
        return fault
    if kind == "tuple_type" or isinstance(detail.get("ctx", {}).get("error"), SeveralNamesError):
        return bracketed(fault, _entries(given))
    return mending(fault, _instead(kind, given, detail))


def _instead(kind: str, given: Any, detail: Any) -> str | None:  # noqa: ANN401 - as above
    """The one value that is meant, where that is sure."""
    if not isinstance(given, str):
        return None
    if kind in ("literal_error", "enum"):
        choices = re.findall("'([^']*)'", str(detail["ctx"]["expected"]))
        return surely(given, choices, cutoff=0.6)
    if kind == "string_pattern_mismatch":
        right = usual_form(f"1 {given}", _PRICE)
        return right[-3:] if right else None
    return getattr(detail["ctx"]["error"], "instead", None) if kind == "value_error" else None


def _path(document: Document, detail: Any) -> tuple[Key, str | int | None]:  # noqa: ANN401 - as above
    """The part of pydantic's `loc` that is in the file, without its union tags, and what is not."""
    path: Key = ()
    left: str | int | None = None
    for step in detail["loc"]:
        if document.has(*path, step):
            path = (*path, step)
        else:
            left = step
    return path, left


def _named(reason: str) -> str:
    """The key that a reason begins with: `'folds' lies between 2 and 20`."""
    return reason.split("'")[1] if reason.startswith("'") else ""


def _missing(document: Document, path: Key, key: str | int) -> Diagnostic:
    place = document.at(*path, key=True)
    if isinstance(key, int):
        message = f"{naming(path)} needs {key + 1} entries"
        return Diagnostic("UL013", message, "write both in square brackets: [a, b]", place)
    remedy = f"add '{key}: {'1' if key == 'schema' else '…'}'"
    return Diagnostic("UL013", f"the key '{key}' is missing in {naming(path)}", remedy, place)


def _unknown(model: type[Declaration], document: Document, path: Key) -> Diagnostic:
    *parent, key = path
    siblings = known_keys(shape_at(model, tuple(parent)), document.get(*parent) or {})
    return unknown_key(document, path, suggestion(str(key), siblings))


_Said = tuple[str, str, str]


def _own_words(_model: type[Declaration], document: Document, path: Key, detail: Any) -> _Said:  # noqa: ANN401 - as above
    """A refusal from `values.py` or a model's validator: already in plain words."""
    reason, _, remedy = str(detail["ctx"]["error"]).partition("; ")
    if isinstance(document.get(*path), dict) and detail["loc"][-1:] != ("[key]",):
        return "UL015", f"{naming(path)}: {reason}", remedy
    return "UL014", f"{naming(path)}: {reason}", remedy


def _choice(_model: type[Declaration], document: Document, path: Key, detail: Any) -> _Said:  # noqa: ANN401 - as above
    expected = str(detail["ctx"]["expected"]).replace(" or ", ", ")
    # Signs keep their quotes, without which nobody could tell them from the sentence's own.
    allowed = expected if _SIGN.search(expected) else expected.replace("'", "")
    given = document.get(*path)
    if not isinstance(given, str):
        return "UL014", f"{naming(path)} is one of {allowed}", ""
    choices = allowed.split(", ")
    near = closest(given, choices, cutoff=0.6)
    remedy = f"write one of {allowed}" if choices[1:] else f"write {allowed}"
    remedy = f"did you mean '{near}'?" if near else remedy
    return "UL014", f"{naming(path)}: '{given[:60]}' is not one of {allowed}", remedy


def _keys_expected(model: type[Declaration], document: Document, path: Key, _detail: Any) -> _Said:  # noqa: ANN401 - as above
    here = shape_at(model, path)
    if right := joined(str(document.get(*path))):
        return "UL014", f"{naming(path)} needs keys below it", f"put a space behind ':': '{right}'"
    if here.kind == "record":
        keys = ", ".join(list(here.keys)[:4])
        return "UL014", f"{naming(path)} needs keys below it", f"such as {keys}"
    return "UL014", f"{naming(path)} needs names with values below it", "write 'name: value'"


def _list_expected(_model: type[Declaration], document: Document, path: Key, _detail: Any) -> _Said:  # noqa: ANN401 - as above
    example = ", ".join(_entries(document.get(*path))) or "a, b"
    return "UL014", f"{naming(path)} is a list", f"write it in square brackets: [{example}]"


def _entries(given: object) -> list[str]:
    """The entries of a text that was to be a list."""
    entries = [each.strip() for each in re.split(r"[,;/]", given)] if isinstance(given, str) else []
    return entries if entries[1:] and all(entries) else []


def _text_expected(
    _model: type[Declaration],
    _document: Document,
    path: Key,
    _detail: Any,  # noqa: ANN401 - as above
) -> _Said:
    return "UL014", f"{naming(path)} is one text", "write it in one line, in quotes if need be"


def _too_few(_model: type[Declaration], _document: Document, path: Key, detail: Any) -> _Said:  # noqa: ANN401 - as above
    least = detail["ctx"]["min_length"]
    return "UL014", f"{naming(path)} needs at least {least} entries", "a comparison has two sides"


def _too_many(_model: type[Declaration], _document: Document, path: Key, detail: Any) -> _Said:  # noqa: ANN401 - as above
    most = detail["ctx"]["max_length"]
    return "UL014", f"{naming(path)} has at most {most} entries", "remove the others"


def _currency(_model: type[Declaration], document: Document, path: Key, _detail: Any) -> _Said:  # noqa: ANN401 - as above
    given = str(document.get(*path))[:60]
    right = usual_form(f"1 {given}", _PRICE)
    remedy = f"write three capitals: {right[-3:] if right else 'EUR'}"
    return "UL014", f"{naming(path)}: '{given}' is not a currency", remedy


def _invalid(_model: type[Declaration], _document: Document, path: Key, _detail: Any) -> _Said:  # noqa: ANN401 - as above
    return "UL014", f"{naming(path)} has a value that cannot be used here", "see docs/yaml.md"


_WORDS: dict[str, Callable[[type[Declaration], Document, Key, Any], _Said]] = {
    "value_error": _own_words,
    "literal_error": _choice,
    "enum": _choice,
    "model_type": _keys_expected,
    "dict_type": _keys_expected,
    "tuple_type": _list_expected,
    "string_type": _text_expected,
    "too_short": _too_few,
    "too_long": _too_many,
    "string_pattern_mismatch": _currency,
}
