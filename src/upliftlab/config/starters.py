"""A new workspace: what every one has, and the experiment and configs/ of a template."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from upliftlab import __version__
from upliftlab.config.schema import schema_text
from upliftlab.config.shape import FILES
from upliftlab.config.workspace_schema import FOLDER, schema_file
from upliftlab.errors import Diagnostic, OutputError, Place
from upliftlab.util.files import atomic_write
from upliftlab.util.resources import shipped

Files = Mapping[str, bytes]
"""Contents by place, relative to the workspace."""
_SUFFIXES: Final = ("yaml", "yml")
_VERSION: Final = b"@VERSION@"


def template(name: str) -> Files:
    """The experiment of a template and what it needs in configs/.

    One that has no configs/ of its own takes the shop's: those that ship with upliftlab, and a
    program without experiments.

    >>> sorted(template("minimal"))
    ['configs/metrics.yaml', 'configs/sources.yaml', 'experiments/first.yaml']
    """
    own = _tree(shipped("starters") / name)
    if any(place.startswith("configs/") for place in own):
        return own
    shared = {f"configs/{file.name}": file.read_bytes() for file in shipped("configs").iterdir()}
    return shared | _tree(shipped("starters") / "shop") | own


def surroundings() -> Files:
    """What every workspace has: checks before commits and in CI, what git leaves out, editors."""
    given = _tree(shipped("starters") / "workspace")
    files = {place: text.replace(_VERSION, __version__.encode()) for place, text in given.items()}
    return files | dict(_for_editors())


def begin(folder: Path, files: Files) -> tuple[Path, ...]:
    """Write a workspace, of which files that are there already with this content stay.

    Args:
        folder: The workspace; made where it does not exist.
        files: What it holds.

    Returns:
        The files that were written.

    Raises:
        OutputError: UL690, other files are there already, and nothing is written; UL601 a file
            cannot be written, UL463 to UL465 a folder in it is a link.
    """
    here = {place: _content(folder / place) for place in files if os.path.lexists(folder / place)}
    taken = [place for place, content in here.items() if content != files[place]]
    if taken:
        message = f"{', '.join(sorted(taken))} would be written over"
        remedy = "choose another folder, or move away what is there"
        raise OutputError(Diagnostic("UL690", message, remedy, Place(str(folder))))
    written = [folder / place for place in files if place not in here]
    for place in (place for place in files if place not in here):
        atomic_write(folder / place, files[place], folder)
    return tuple(written)


def _content(path: Path) -> bytes | None:
    """What lies there; None where it is no file of our own that can be read."""
    try:
        return None if path.is_symlink() or not path.is_file() else path.read_bytes()
    except OSError:
        return None


def _tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _for_editors() -> Iterator[tuple[str, bytes]]:
    """The schema of each kind of file, and the settings by which an editor finds it."""
    places = {"experiment": "experiments/**/*"} | {stem: f"configs/{stem}" for stem in FILES}
    settings: dict[str, list[str]] = {}
    for kind, place in places.items():
        schema = f"{FOLDER}/{schema_file(kind)}"
        settings[f"./{schema}"] = [f"{place}.{suffix}" for suffix in _SUFFIXES]
        yield schema, schema_text(kind).encode()
    yield ".vscode/settings.json", _json({"yaml.schemas": settings})
    yield ".vscode/extensions.json", _json({"recommendations": ["redhat.vscode-yaml"]})


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
