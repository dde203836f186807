"""The findings as CSV for spreadsheets and as JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar, cast

from upliftlab.results.analysis import CUT, Analysis, EstimandKind, Finding, Result
from upliftlab.results.quantiles import QuantileDifference, quantile_name
from upliftlab.text.language import Code
from upliftlab.text.precision import finite
from upliftlab.util.spreadsheet import row as safe_row

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
_NAMED: Final = frozenset({"title", "arm_titles", "channel_title", "dimension_title", "values"})
"""What holds titles."""
_COLUMNS: Final = tuple(Finding.model_fields)

R = TypeVar("R", bound=Result)


def rounded(found: R, lang: Code | None = None) -> R:
    """What was found as it is published: every float at 10 significant digits.

    Args:
        found: What was found.
        lang: Titles that were declared by language are said in this one; else as they are.
    """
    content = _content(found)
    if lang is not None and isinstance(content, dict) and content.get("titles"):
        content = _said(content, _names(cast("list[dict[str, str]]", content["titles"]), lang))
    return type(found).model_validate(content)


def to_json(found: Result) -> bytes:
    """What was found as compact JSON, the same bytes for the same value.

    Raises:
        ValueError: where a value is infinite or not a number.
    """
    return json.dumps(
        _content(found), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def to_csv(analysis: Analysis) -> bytes:
    """All findings, then bridges' lines and quantiles: UTF-8 with its mark, no cell a formula."""
    published = rounded(analysis)
    found = map(_found, (*published.findings, *published.compared))
    ordered = map(_ordered, published.quantiles)
    return spreadsheet(_COLUMNS, (*found, *_bridged(published), *ordered))


def _found(finding: Finding) -> Mapping[str, object]:
    metric = finding.kind.estimand.sheet or finding.metric  # money as a whole is not the revenue's
    return {**finding.model_dump(mode="json"), "metric": metric}


def _ordered(quantile: QuantileDifference) -> Mapping[str, object]:
    """A quantile's difference, which its kind names."""
    kind = f"{quantile.kind}_{quantile_name(quantile.share)}"
    return {**quantile.model_dump(mode="json"), "kind": kind, "method": "ranks"}


def _bridged(published: Analysis) -> Iterator[Mapping[str, object]]:
    """The lines from revenue to profit, each with the customers its profit was found for."""
    profits = {
        (f.arm, f.dimension, f.level): f
        for f in published.findings
        if f.kind is EstimandKind.incremental_profit
    }
    shared = {"arm", "control", "dimension", "level", "n_treated", "n_control", "confidence"}
    for bridge in published.bridges:
        profit = profits[bridge.arm, bridge.dimension, bridge.level]
        for line in bridge.lines:
            numbers = line.model_dump(mode="json")
            place = profit.model_dump(mode="json", include=shared)
            yield {**place, **numbers, "kind": f"bridge_{line.kind}"}


def spreadsheet(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Rows as CSV for a spreadsheet; what a row does not name is left empty."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(columns)
    for row in rows:
        writer.writerow(safe_row([row.get(column) for column in columns]))
    return sheet.getvalue().encode("utf-8-sig")


def _content(found: Result) -> Json:
    return _round(cast("Json", found.model_dump(mode="json", by_alias=True)))


def _names(titles: Iterable[Mapping[str, str]], lang: Code) -> dict[str, str]:
    """From a title in any language to the same in this one, where it has one."""
    return {text: title[lang] for title in titles if lang in title for text in title.values()}


def _said(value: Json, names: Mapping[str, str], *, named: bool = False) -> Json:
    """The same with titles, and what messages name by them, called by these names.

    A capped metric's title goes on with where it is cut.
    """
    if isinstance(value, list):
        return [_said(item, names) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key == "titles" else _said(item, names, named=named or key in _NAMED)
            for key, item in value.items()
        }
    if named and isinstance(value, str):
        name, cut, rest = value.partition(CUT)
        return f"{names.get(name, name)}{cut}{rest}"
    return value


def _round(value: Json) -> Json:
    if isinstance(value, float):
        return float(f"{finite(value):.10g}")
    if isinstance(value, list):
        return [_round(item) for item in value]
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    return value
