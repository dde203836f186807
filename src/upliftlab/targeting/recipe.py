"""The recipe: a model written down, and cooked again from the plan and its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from upliftlab.analysis.estimation import estimation_spec
from upliftlab.analysis.record import Record
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.results.analysis import Provenance
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.artefact import ArmRecipe, SavedModel, check_data, check_plan, check_refit
from upliftlab.targeting.basis import FittedModel, forecast
from upliftlab.targeting.crossfit import COST, VALUE
from upliftlab.targeting.rows import learning_rows
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import learner
from upliftlab.uplift.sample import TrainingSample


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
        DataError: UL632 the plan is another, UL633 the data are, UL634 the model is.
    """
    check_plan(artefact, plan)
    now = place.now.astimezone(ZoneInfo(plan.program.time_zone)).replace(tzinfo=None)
    with place.engine.reading():
        check_data(artefact, dict(_digests(plan, artefact, place.engine)))
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
