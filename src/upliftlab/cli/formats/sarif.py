"""SARIF 2.1.0 (OASIS): for GitHub's code scanning, and for editors that show such files.

A rule is a code with the explanation that `explain` gives; only codes that were found are listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from upliftlab import __version__
from upliftlab.cli import codes
from upliftlab.cli.formats.told import ToldFault, from_top, told
from upliftlab.cli.output import echo_json
from upliftlab.config.checking import Checked
from upliftlab.config.mending import end_of
from upliftlab.errors import Repair, Severity
from upliftlab.util.explanation import COMMAND, Explanation

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "notice": "note"}
_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")
_LINK: Final = re.compile(r"\[(?=[^\]]*\]\()")
_HALVES: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters that no file's name of this system holds."""


def tell(checked: Checked) -> None:
    """Print the log."""
    echo_json(json.dumps(log(checked), ensure_ascii=False, indent=1))


def log(checked: Checked) -> dict[str, Any]:
    """The log with its one run."""
    found = told(checked.faults)
    ruled = sorted({each.code for each in found})
    driver = {
        "name": "upliftlab",
        "version": __version__,
        "rules": [_rule(codes.explanation(code)) for code in ruled],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, ruled) for each in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(found: Explanation) -> dict[str, Any]:
    return {
        "id": found.code,
        "name": found.title,
        "shortDescription": {"text": found.title},
        "fullDescription": {"text": found.meaning},
        "help": {"text": codes.text(found).rstrip(), "markdown": _markdown(found)},
    }


def _markdown(found: Explanation) -> str:
    """An explanation of ours as Markdown: its sentences, and its example in fences."""
    parts = [found.meaning]
    parts += [f"**What to do:** {found.remedy}"] if found.remedy else []
    if example := found.example:
        language, where = (
            ("text", "") if example.file == COMMAND else ("yaml", f" in {example.file}")
        )
        for word, text in (("Wrong", example.wrong), ("Right", example.right)):
            parts.append(f"{word}{where}:\n\n```{language}\n{text.rstrip()}\n```")
    return "\n\n".join(parts)


def _result(fault: ToldFault, ruled: Sequence[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": fault.code,
        "ruleIndex": ruled.index(fault.code),
        "level": _LEVELS[fault.severity],
        "message": {"text": plain(fault.text)},
        "partialFingerprints": {"upliftlab/v1": fault.fingerprint},
    }
    if fault.file is not None:
        region = {"startLine": fault.line, "startColumn": fault.column}
        place = {"artifactLocation": {"uri": uri(fault.file)}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    if fault.repair is not None:
        result["fixes"] = [_fix(fault, fault.repair)]
    return result


def _fix(fault: ToldFault, repair: Repair) -> dict[str, Any]:
    """One replacement; the region's end belongs to it no more."""
    line, column = end_of(repair.place)
    region = {
        "startLine": repair.place.line,
        "startColumn": repair.place.column,
        "endLine": line,
        "endColumn": column,
    }
    change = {"deletedRegion": region, "insertedContent": {"text": repair.instead}}
    location = {"uri": uri(from_top(repair.place.file))}
    return {
        "description": {"text": plain(fault.text)},
        "artifactChanges": [{"artifactLocation": location, "replacements": [change]}],
    }


def plain(text: str) -> str:
    r"""A text as a message in which nothing is a placeholder or a link.

    >>> print(plain("{age: {0}}, [a](b), [c, d]"))
    {age: {{0}}}, \[a](b), [c, d]
    """
    return _LINK.sub(r"\\[", _PLACEHOLDER.sub(r"{{\1}}", text))


def uri(file: str) -> str:
    """A file's name as a reference; a name that is no text keeps its bytes.

    >>> uri("experiments/größe 1.yaml"), uri("/a:b.yaml")
    ('experiments/gr%C3%B6%C3%9Fe%201.yaml', 'file:///a%3Ab.yaml')
    """
    said = quote(_HALVES.sub("?", file).encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{said}" if file.startswith("/") else said
