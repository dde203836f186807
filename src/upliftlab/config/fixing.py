"""`check --fix`: the repairs of faults, made and checked until nothing is left to mend."""

from __future__ import annotations

import codecs
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from upliftlab.config.checking import check_files, workspace_of
from upliftlab.config.document import MAX_BYTES, as_if
from upliftlab.config.mending import mended
from upliftlab.errors import Diagnostic, Repair
from upliftlab.util.files import atomic_write, read_regular

_MOST = 200
"""Rounds: of faults of syntax a parser tells one at a time."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """One file as it was and as it is to be, by the name that faults give it."""

    name: str
    path: Path
    before: bytes
    after: bytes

    @property
    def diff(self) -> str:
        """What changes, as `patch` and `git apply` read it."""
        before, after = (
            data.decode("utf-8", "replace").splitlines(keepends=True)
            for data in (self.before, self.after)
        )
        name = self.name.lstrip("/")
        lines = unified_diff(before, after, f"a/{name}", f"b/{name}")
        return "".join(
            f"{line.rstrip()}\n" if line[:3] in ("---", "+++") else line for line in lines
        )


def fixes(paths: Sequence[Path], since: str | None = None) -> tuple[Fixed, ...]:
    """What is to be written so that no repair is left; nothing is written yet.

    Args:
        paths: As of `check_files`.
        since: As of `check_files`.
    """
    names: dict[Path, str] = {}
    before: dict[Path, bytes] = {}
    after: dict[Path, bytes] = {}
    for _ in range(_MOST):
        with as_if(after):
            faults = check_files(paths, since=since, readers=False).faults
        changed = False
        for name, repairs in _by_file(faults).items():
            path = Path(os.path.abspath(name))  # noqa: PTH100 - resolve() would follow links
            if path not in before:
                if not _is_ours(path):
                    continue
                names[path] = name
                before[path] = after[path] = read_regular(path, MAX_BYTES)
            right = _mended(after[path], repairs)
            changed |= right != after[path]
            after[path] = right
        if not changed:
            break
    return tuple(
        Fixed(names[path], path, data, after[path])
        for path, data in before.items()
        if after[path] != data
    )


def write(fixed: Iterable[Fixed]) -> None:
    """Write files aside and rename them into place, each as readable as it was.

    Raises:
        OutputError: a file cannot be written.
    """
    for each in fixed:
        mode = each.path.stat().st_mode
        atomic_write(each.path, each.after, workspace_of(each.path).root)
        each.path.chmod(mode & 0o7777)


def _by_file(faults: Iterable[Diagnostic]) -> dict[str, list[Repair]]:
    found: dict[str, list[Repair]] = defaultdict(list)
    for fault in faults:
        if fault.repair is not None:
            found[fault.repair.place.file].append(fault.repair)
    return found


def _mended(data: bytes, repairs: Iterable[Repair]) -> bytes:
    """A file's bytes with repairs made; what its text begins with may be a mark of UTF-8."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return mark + mended(data[len(mark) :].decode(), repairs).encode()


def _is_ours(path: Path) -> bool:
    """Whether a file lies in its workspace, neither it nor a folder on the way being a link."""
    root = workspace_of(path).root
    within = Path(os.path.realpath(root)) / path.relative_to(root)
    return within == Path(os.path.realpath(path)) and path.is_file()
