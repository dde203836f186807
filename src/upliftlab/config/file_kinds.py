"""What kind of file a document is: by its name in `configs/`, elsewhere by what it holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from upliftlab.config.document import Document
from upliftlab.config.models.experiment import ExperimentFile
from upliftlab.config.shape import FILES, shape


def kind_of(path: Path, document: Document) -> str | None:
    """A key of `FILES`; None for an experiment, which a file is where nothing tells otherwise.

    A file of `configs/` is what its name says. Anything else is what only that kind of file can
    hold: none of an experiment's own keys, and a key of that kind whose value has its form
    (`metrics` are names with a definition each there, and a choice of names in an experiment).
    """
    if path.parent.name == "configs" and path.stem in FILES:
        return path.stem
    written = frozenset(document.value)
    if written & _own(None):
        return None
    telling = {
        stem: sum(_has_form(document, stem, key) for key in written & _own(stem)) for stem in FILES
    }
    best = max(telling, key=lambda stem: telling[stem])
    return best if telling[best] else None


@cache
def _own(stem: str | None) -> frozenset[str]:
    """The keys that stand at the top of one kind of file and of no other, or in another form."""
    experiment, shared = set(shape(ExperimentFile).keys), {"metrics", "segments"}
    if stem is not None:
        return frozenset(shape(FILES[stem]).keys.keys() - (experiment - shared))
    others = {key for model in FILES.values() for key in shape(model).keys}
    return frozenset(experiment - others)


def _has_form(document: Document, stem: str, key: str) -> bool:
    """Whether a value is a table where the kind has a table: each name with what it stands for."""
    if shape(FILES[stem]).child(key).kind != "table":
        return True
    value = document.get(key)
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())  # pyright: ignore[reportUnknownVariableType] - YAML mappings have text keys
