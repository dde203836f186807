"""A model: what it rests on, and the saved model, which tells how it was made.

A saved model holds no fitted model, so loading a file never runs code. Whoever uses it fits the
model again, from the same plan and data, and a digest of what the model expects of fixed customers
shows whether it is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from upliftlab.analysis.checks.alike import refuse_changed_features
from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.analysis.record import Record
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic, Place
from upliftlab.results.analysis import DataFile, Provenance
from upliftlab.results.costs import Per
from upliftlab.results.targets import TargetModel
from upliftlab.results.uplift import Estimate, PolicyValue, UpliftResult
from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, VALUE, Forecast, average_effects, least_costs
from upliftlab.targeting.training_data import learning_rows
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import Learner, Name, learner
from upliftlab.uplift.sample import TrainingSample
from upliftlab.util.files import atomic_write, read_regular, reason_of


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """What a model rests on.

    Attributes:
        sample: The customers it is shown; outcomes are value before marketing cost, and cost.
        judged: The learner that decides, not fitted.
        data: Where the customers come from.
        opened: Whether each treatment's gate is open.
        gain: What the model's policy is worth beyond contacting nobody; None where not judged.
        realised: What came of each unit of profit that was foretold of those chosen; None where
            not judged.
        saved: The sha256 of the model's file; None where it was learned afresh.
        ready: The models, where they are fitted already.
    """

    sample: TrainingSample
    judged: Learner
    data: tuple[DataFile, ...]
    opened: tuple[bool, ...]
    gain: Estimate | None
    realised: Estimate | None = None
    saved: str | None = None
    ready: Forecast | None = None

    @property
    def encoding(self) -> Encoding:
        """What the model is given of each customer."""
        return self.judged.recipe.encoding

    @property
    def believed(self) -> float:
        """What is taken to come of each unit that is foretold: as much as came, if anything did."""
        known = None if self.realised is None else self.realised.estimate
        return known if known is not None and known > 0 else 1.0

    @property
    def told(self) -> TargetModel:
        """The basis as it is published."""
        recipe = self.judged.recipe
        return TargetModel(
            learner=self.judged.name,
            base=recipe.base,
            seed=recipe.seed,
            learned_from=len(self.sample),
            features=self.encoding.names,
            gain=self.gain or Estimate(estimate=None),
            realised=self.realised,
            saved=self.saved,
        )


def forecast(basis: FittedModel, spec: EstimationSpec) -> Forecast:
    """Fit the models on all customers of the experiment, unless they are.

    Raises:
        DataError: UL607, an arm has too few customers.
    """
    if basis.ready is not None:
        return basis.ready
    ranked = any(basis.opened)
    return Forecast(
        value=basis.judged.fit(basis.sample, VALUE) if ranked else None,
        cost=basis.judged.fit(basis.sample, COST) if ranked else None,
        open=np.array(basis.opened, dtype=bool),
        average=average_effects(basis.sample),
        least=least_of(spec),
        realised=basis.believed,
    )


def judged_policy(responses: UpliftResult) -> PolicyValue | None:
    """The model's policy that a list follows: within the budget, else without; None if neither."""
    found = {policy.name: policy for policy in responses.policies}
    return found.get("budget") or found.get("return")


def least_of(spec: EstimationSpec) -> Array:
    """What each treatment costs at least beyond the control, shape (arms − 1,).

    What everybody in an arm costs, a contact as well unless contacts are counted: then not all are
    reached.
    """
    terms = [spec.terms[arm] for arm in (spec.control, *spec.treatments)]
    everybody = spec.roles is None or spec.roles.contacts is None
    paid = (Per.customer, Per.contact) if everybody else (Per.customer,)
    return least_costs([sum(each.paid(per) for per in paid) for each in terms])


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


class DataContext(Protocol):
    """Where the data lie, the moment, and who is in which arm where that is on record."""

    @property
    def engine(self) -> Engine:
        """Where the data lie."""
        ...

    @property
    def now(self) -> datetime:
        """The moment, with its time zone."""
        ...

    @property
    def record(self) -> Record | None:
        """Who is in which arm."""
        ...


def written_down(plan: Plan, basis: FittedModel, provenance: Provenance) -> SavedModel:
    """A model as the recipe it was made by."""
    made = forecast(basis, estimation_spec(plan))
    recipe = basis.judged.recipe
    arms = zip(plan.treatments, basis.opened, made.average, strict=True)
    return SavedModel(
        experiment=plan.experiment.experiment,
        plan_sha256=plan.sha256,
        data=basis.data,
        seed=recipe.seed,
        learner=basis.judged.name,
        base=recipe.base,
        customers=len(basis.sample),
        control=plan.control,
        arms=tuple(
            ArmRecipe(arm=name, open=is_open, value=float(mean[VALUE]), cost=float(mean[COST]))
            for name, is_open, mean in arms
        ),
        encoding=recipe.encoding,
        encoding_sha256=recipe.encoding.sha256,
        gain=basis.gain or Estimate(estimate=None),
        realised=basis.realised,
        probe=made.probe(basis.sample.features),
        version=provenance.version,
        created=provenance.created,
        libraries=provenance.libraries,
    )


def followed(
    plan: Plan,
    artefact: SavedModel,
    place: DataContext,
    libraries: Mapping[str, str],
    saved: str,
) -> FittedModel:
    """The basis of a saved model, once it has turned out to be the same when fitted again.

    Args:
        plan: The experiment it was learned from.
        artefact: The model.
        place: Where the data lie, and the moment of the analysis.
        libraries: The libraries there are now.
        saved: The sha256 of the model's file.

    Raises:
        DataError: UL623 a feature differs between the arms, UL632 the plan is another, UL633 the
            data are, UL634 the model is.
    """
    check_plan(artefact, plan)
    now = place.now.astimezone(ZoneInfo(plan.program.time_zone)).replace(tzinfo=None)
    with place.engine.reading():
        check_data(artefact, dict(_digests(plan, artefact, place.engine)))
        refuse_changed_features(plan, place.engine, place.record)
        rows = learning_rows(plan, place.engine, place.record, now)
    encoding = Encoding.fit(rows.table, plan.smallest_cell)
    features = encoding.encode(rows.table).values
    folds = plan.experiment.uplift.folds if plan.experiment.uplift else 2
    fold = fold_of(rows.cluster, folds, artefact.seed)
    sample = TrainingSample(features, rows.arm, rows.outcomes, rows.propensity, rows.cluster, fold)
    basis = FittedModel(
        sample=sample,
        judged=learner(artefact.learner, artefact.base, encoding, artefact.seed),
        data=artefact.data,
        opened=tuple(each.open for each in artefact.arms),
        gain=artefact.gain,
        realised=artefact.realised,
        saved=saved,
    )
    made = forecast(basis, estimation_spec(plan))
    check_refit(artefact, encoding, made.probe(features), libraries)
    return replace(basis, ready=made)


def _digests(plan: Plan, artefact: SavedModel, engine: Engine) -> Iterator[tuple[str, str]]:
    """The sha256 of every source of a model that the plan knows, as it is now."""
    sources = {"customers": plan.customers, **plan.sources}
    for each in artefact.data:
        if each.source in sources:
            yield each.source, engine.fingerprint(sources[each.source])[1]
