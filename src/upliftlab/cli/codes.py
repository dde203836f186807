"""Every code the product can say, collected from the packages that raise them.

Each package keeps its codes in its module `codes`. `python -m upliftlab.cli.codes docs/codes.md`
brings the page up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.util.explanation import COMMAND, Example, Explanation
from upliftlab.util.nearest import closest

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL023",
        "Unknown code",
        "A code that is explained exists.",
        "'upliftlab explain --list' lists them all.",
        Example("upliftlab explain UL000", "upliftlab explain UL012", COMMAND),
    ),
    Explanation(
        "UL999",
        "Internal fault",
        "Something happened that nobody foresaw: the fault is upliftlab's, not yours.",
        "Report it, with the trace that UPLIFTLAB_DEBUG=1 shows.",
    ),
)
_PACKAGES: Final = (
    *("config", "util", "cli", "engines", "queries", "uplift", "assignment", "analysis"),
    *("simulate", "planning", "data_checks", "ledger", "targeting", "report"),
)
"""Those that raise codes; what is asked for first and imports least stands first."""
_GROUPS: Final = {
    "0": "Reading YAML",
    "1": "Rules across the fields of YAML",
    "2": "Data",
    "3": "Analysis and planning",
    "4": "Assignment and ledger",
    "5": "Engines",
    "6": "Files, and learning whom to target",
    "9": "upliftlab itself",
}
START: Final = "<!-- codes: written by upliftlab.cli.codes -->"


def _all() -> Iterator[Explanation]:
    for package in _PACKAGES:
        yield from import_module(f"upliftlab.{package}.codes").CODES


def catalogue() -> list[Explanation]:
    """Every code's explanation, by code."""
    return sorted(_all(), key=lambda each: each.code)


def explanation(code: str) -> Explanation:
    """What a code means.

    Raises:
        ConfigError: UL023, there is no such code.

    >>> explanation("ul012").title
    'Unknown key'
    """
    asked = code.strip().upper()
    if found := next((each for each in _all() if each.code == asked), None):
        return found
    near = closest(asked[:40], [each.code for each in _all()], cutoff=0.6)
    remedy = f"did you mean {near}?" if near else "'upliftlab explain --list' lists them all"
    raise ConfigError(Diagnostic("UL023", f"there is no code '{code[:40].upper()}'", remedy))


def text(found: Explanation) -> str:
    """An explanation as it is read on a terminal."""
    parts = [f"{found.code} {found.title}", found.meaning]
    parts += [f"What to do: {found.remedy}"] if found.remedy else []
    if found.example:
        parts += _shown(found.example)
    return "\n\n".join(parts) + "\n"


def _shown(example: Example) -> Iterator[str]:
    where = "" if example.file == COMMAND else f" in {example.file}"
    yield f"Wrong{where}:\n{_indented(example.wrong)}"
    yield f"Right{where}:\n{_indented(example.right)}"
    for name, content in example.beside.items():
        yield f"With {name}:\n{_indented(content)}"
    if example.run:
        yield f"Found by:\n{_indented(example.run)}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def listing() -> str:
    """Every code with its title, in groups."""
    parts = [
        "\n".join([title, *(f"  {each.code}  {each.title}" for each in codes)])
        for title, codes in _grouped()
    ]
    return "\n\n".join(parts) + "\n"


def as_json(found: Sequence[Explanation]) -> str:
    """Explanations as JSON: a list, in the order given."""
    return json.dumps([_dict(each) for each in found], ensure_ascii=False, indent=1)


def _dict(found: Explanation) -> dict[str, Any]:
    said = {key: getattr(found, key) for key in ("code", "title", "meaning", "remedy")}
    if (example := found.example) is None:
        return {**said, "example": None}
    shown = {key: getattr(example, key) for key in ("wrong", "right", "file", "run")}
    return {**said, "example": {**shown, "beside": dict(example.beside)}}


def page() -> str:
    """Every code, as Markdown tables."""
    return "\n\n".join(_table(title, codes) for title, codes in _grouped()) + "\n"


def _table(title: str, codes: Sequence[Explanation]) -> str:
    rows = [f"## {title}", "", "| code | | what it means |", "|---|---|---|"]
    for each in codes:
        told = " ".join(part for part in (each.meaning, each.remedy) if part)
        cell = told.replace("|", "\\|").replace("<", "&lt;")
        rows.append(f"| {each.code} | {each.title} | {cell} |")
    return "\n".join(rows)


def _grouped() -> Iterator[tuple[str, list[Explanation]]]:
    for hundred, codes in groupby(catalogue(), key=lambda each: each.code[2]):
        yield _GROUPS[hundred], list(codes)


def main(path: str) -> None:
    """Write the tables into a page, below its mark."""
    file = Path(path)
    before = file.read_text(encoding="utf-8").partition(START)[0]
    file.write_text(f"{before}{START}\n\n{page()}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
