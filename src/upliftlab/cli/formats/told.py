"""What all formats for build servers tell of a fault, cleaned once."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from upliftlab.cli.output import shown
from upliftlab.errors import Diagnostic, Repair, Severity

_PLACE: Final = re.compile(r"(\.ya?ml)(?::\d+)+|(\bline )\d+")


@dataclass(frozen=True, slots=True)
class ToldFault:
    """One fault as a build server knows it.

    Attributes:
        code: Such as UL012.
        severity: error, warning or notice.
        text: What is wrong and the way on, in one clean line.
        file: Its name from the top of the repository, as it is; None where there is no place.
        line: Beginning at 1.
        column: Beginning at 1.
        fingerprint: The same where only lines above the fault have changed.
        repair: What mends it, where one thing does and no other.
    """

    code: str
    severity: Severity
    text: str
    file: str | None
    line: int
    column: int
    fingerprint: str
    repair: Repair | None = None


def told(faults: Iterable[Diagnostic]) -> tuple[ToldFault, ...]:
    """Faults as a build server knows them, in their order."""
    seen = Counter[tuple[str, ...]]()
    found: list[ToldFault] = []
    for fault in faults:
        text = told_text(fault)
        file = from_top(fault.place.file) if fault.place else None
        same = (fault.code, file or "", _PLACE.sub(r"\1\2", text))
        found.append(_told(fault, text, file, _hashed(*same, str(seen[same]))))
        seen[same] += 1
    return tuple(found)


def told_text(fault: Diagnostic) -> str:
    """What is wrong and the way on, in one clean line."""
    return shown(f"{fault.message}; {fault.remedy}" if fault.remedy else fault.message)


def counted(faults: Iterable[Diagnostic]) -> str:
    """How many errors and warnings there are.

    >>> counted([Diagnostic("UL012", "unknown key")]), counted([])
    ('1 error, 0 warnings', 'No faults found.')
    """
    found = Counter(fault.severity for fault in faults)
    numbers = ((found["error"], "error"), (found["warning"], "warning"))
    if not any(number for number, _ in numbers):
        return "No faults found."
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in numbers)


def from_top(file: str) -> str:
    """A file's name from the top of its repository, else from here, else as it is."""
    path = Path(os.path.abspath(file))  # noqa: PTH100 - resolve() would follow links
    top = _top(path.parent) or Path.cwd()
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else file


@cache
def _top(folder: Path) -> Path | None:
    return next((up for up in (folder, *folder.parents) if (up / ".git").exists()), None)


def _told(fault: Diagnostic, text: str, file: str | None, fingerprint: str) -> ToldFault:
    place = fault.place
    line, column = (place.line or 1, place.column or 1) if place else (1, 1)
    return ToldFault(
        fault.code, fault.severity, text, file, line, column, fingerprint, fault.repair
    )


def _hashed(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:32]
