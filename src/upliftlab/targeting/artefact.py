"""The artefact: a model as the recipe it was made by, so that loading a file never runs code.

It holds no fitted model. Whoever uses it fits the model again, from the same plan and data, and
a digest of what the model expects of fixed customers shows whether it is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from upliftlab.config.models.experiment import Plan
from upliftlab.errors import DataError, Diagnostic, Place
from upliftlab.results.analysis import DataFile
from upliftlab.results.uplift import Estimate
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.learners import Name
from upliftlab.util.files import atomic_write, read_regular, reason_of

SCHEMA: Literal[2] = 2
LARGEST: Final = 16 * 2**20
"""Bytes a file may have: far beyond any plan's features and their levels."""
_ANEW: Final = "save it anew by 'upliftlab uplift EXPERIMENT --save FILE'"
_LAST: Final = 9999
_DIGEST: Final = r"^[0-9a-f]{64}$"


class _Strict(BaseModel):
    """A frozen value that refuses keys and numbers it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False
    )


class ArmRecipe(_Strict):
    """What is known of a treatment."""

    arm: str
    open: bool
    """Whether its gate is open: whether customers are told apart."""
    value: float
    """Its average effect on value before marketing cost, per customer."""
    cost: float
    """Its average effect on marketing cost, per customer."""


class SavedModel(_Strict):
    """A model as the recipe it was made by."""

    kind: Literal["upliftlab model"] = "upliftlab model"
    schema_version: Literal[2] = Field(default=SCHEMA, alias="schema")
    experiment: str
    plan_sha256: str = Field(pattern=_DIGEST)
    data: tuple[DataFile, ...]
    """What it was learned from, with the sha256 of each table."""
    seed: int
    learner: Name
    base: Literal["boosting", "linear"]
    customers: int = Field(ge=1)
    """How many it was shown."""
    control: str
    arms: tuple[ArmRecipe, ...] = Field(min_length=1)
    encoding: Encoding
    """What the model is given of each customer: features, their kinds and levels."""
    encoding_sha256: str = Field(pattern=_DIGEST)
    gain: Estimate
    """What the model's policy within the plan's budget is worth beyond contacting nobody."""
    realised: Estimate | None
    """What came of each unit of profit that was foretold of those whom this policy chose."""
    probe: str = Field(pattern=_DIGEST)
    """A digest of what the model expects of fixed customers."""
    version: str
    created: str
    libraries: dict[str, str]


class _File(_Strict):
    """The file: the artefact and its own digest, which shows damage (and guards nothing)."""

    artefact: SavedModel
    sha256: str = Field(pattern=_DIGEST)


def save(path: Path, artefact: SavedModel) -> None:
    """Write an artefact aside and rename it into place.

    Raises:
        OutputError: UL601, it cannot be written.
    """
    content = _canonical(artefact)
    file = f'{{"sha256":"{_digest(content)}","artefact":{content}}}\n'
    atomic_write(path, file.encode())


def load(path: Path) -> SavedModel:
    """Read an artefact; whatever the file holds, nothing in it is run.

    Raises:
        DataError: UL630 it is no artefact, or was damaged, UL631 another version wrote it.
    """
    content = _content(path)
    try:
        read = _File.model_validate_json(content)
    except ValidationError as error:
        raise _other_version(path, content) or _refusal(path, _first(error)) from error
    try:
        digest = _digest(_canonical(read.artefact))
    except ValueError as error:
        raise _refusal(path, "it holds what is no number, or no text") from error
    if digest != read.sha256:
        raise _refusal(path, "its content is not what its digest was made of")
    if read.artefact.encoding.sha256 != read.artefact.encoding_sha256:
        raise _refusal(path, "its features are not those its digest was made of")
    return read.artefact


def check_plan(artefact: SavedModel, plan: Plan) -> None:
    """Refuse a model of another plan.

    Raises:
        DataError: UL632.
    """
    if artefact.plan_sha256 == plan.sha256:
        return
    name = plan.experiment.experiment
    other = artefact.experiment != name
    what = f"'{artefact.experiment[:80]}'" if other else f"another plan of '{name}'"
    raise DataError(Diagnostic("UL632", f"the model was learned for {what}", _ANEW))


def check_data(artefact: SavedModel, found: Mapping[str, str]) -> None:
    """Refuse a model of other data.

    Args:
        artefact: The model.
        found: The sha256 of each source as it is now.

    Raises:
        DataError: UL633, naming the sources that changed.
    """
    changed = [each.source for each in artefact.data if found.get(each.source) != each.sha256]
    if changed:
        message = f"the data changed since the model was learned: {', '.join(changed)[:200]}"
        raise DataError(Diagnostic("UL633", message, f"bring them back, or {_ANEW}"))


def check_refit(
    artefact: SavedModel, encoding: Encoding, probe: str, libraries: Mapping[str, str]
) -> None:
    """Refuse a model that, fitted again, is not the one that was saved.

    Raises:
        DataError: UL634, naming the libraries that changed.
    """
    if (encoding.sha256, probe) == (artefact.encoding_sha256, artefact.probe):
        return
    known = artefact.libraries
    moved = [
        f"{name} {known.get(name, 'absent')[:40]} → {libraries.get(name, 'absent')}"
        for name in sorted(known.keys() | libraries.keys())
        if known.get(name) != libraries.get(name)
    ]
    why = f" ({', '.join(moved)[:200]})" if moved else ""
    message = f"the model, fitted again, expects something else of customers{why}"
    raise DataError(Diagnostic("UL634", message, f"{_ANEW}, or restore the libraries"))


def _content(path: Path) -> bytes:
    try:
        content = read_regular(path, LARGEST)
    except OSError as error:
        raise _refusal(path, reason_of(error)) from error
    if len(content) > LARGEST:
        raise _refusal(path, f"it has more than {LARGEST // 2**20} MB")
    return content


def _canonical(artefact: SavedModel) -> str:
    told = artefact.model_dump(mode="json", by_alias=True)
    return json.dumps(
        told, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _other_version(path: Path, content: bytes) -> DataError | None:
    """The refusal of a file that says it is of another schema; None for any other."""
    try:
        version = json.loads(content)["artefact"]["schema"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(version, int) or version == SCHEMA or not 0 <= version <= _LAST:
        return None
    return DataError(
        Diagnostic(
            "UL631",
            f"the model's file is of schema {version}, this version reads {SCHEMA}",
            _ANEW,
            Place(str(path)),
        )
    )


def _refusal(path: Path, why: str) -> DataError:
    remedy = "make it by 'upliftlab uplift EXPERIMENT --save FILE'"
    return DataError(
        Diagnostic("UL630", f"this is no model of upliftlab: {why}", remedy, Place(str(path)))
    )


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, without the value, which may be anything."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part)[:40] for part in found["loc"][:6])
    return f"{where}: {found['msg'][:80]}" if where else found["msg"][:80]
