"""How long does it take to learn who responds, from 500,000 customers, and how well is it learnt?

Each contender is a process of its own over the same Parquet files; contenders take turns, and
medians over the rounds are printed. `benchmarks/README.md` says how to run it and what is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FEATURES, FOLDS, HELD_OUT = 10, 5, 5
"""Columns; parts of the cross-fitting; for so many customers to learn from one is held out."""

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def upliftlab(table: pa.Table, held_out: pa.Table) -> np.ndarray:
    """The doubly robust learner: scores cross-fitted by linear models, boosting on top."""
    from upliftlab.uplift.learners import learner  # noqa: PLC0415 - a contender's own library

    encoding, sample = _sample(table)
    model = learner("doubly_robust", "boosting", encoding, 0).fit(sample, 0)
    return model.effects(encoding.encode(held_out.select(_names())).values)[:, 0]


def crossfit(table: pa.Table, held_out: pa.Table) -> np.ndarray:
    """The same in five folds, for those that are learnt from, and once more for the others."""
    from upliftlab.uplift.crossfit import crossfit as fitted  # noqa: PLC0415 - as above
    from upliftlab.uplift.learners import learner  # noqa: PLC0415

    encoding, sample = _sample(table)
    fitted(sample, learner("doubly_robust", "boosting", encoding, 0), [0])
    return upliftlab(table, held_out)


def econml(table: pa.Table, held_out: pa.Table) -> np.ndarray:
    """EconML's DRLearner, boosting in all parts, the propensity a constant."""
    return _econml(table, held_out, _classifier(table.num_rows // 2))


def econml_linear(table: pa.Table, held_out: pa.Table) -> np.ndarray:
    """The same with logistic regression for the responses, as upliftlab has it."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

    return _econml(table, held_out, LogisticRegression(C=0.1, max_iter=1_000))


def causalml(table: pa.Table, held_out: pa.Table) -> np.ndarray:
    """CausalML's X-learner, boosting in all parts, the propensity given."""
    from causalml.inference.meta import BaseXClassifier  # noqa: PLC0415 - as above

    x, arm, outcome = _arrays(table)
    half = table.num_rows // 2
    model = BaseXClassifier(outcome_learner=_classifier(half), effect_learner=_regressor(half))
    model.fit(x, arm, outcome, p=np.full(len(x), 0.5))
    x = _arrays(held_out)[0]
    return model.predict(x, p=np.full(len(x), 0.5))[:, 0]


def _econml(table: pa.Table, held_out: pa.Table, responses: Any) -> np.ndarray:  # noqa: ANN401
    from econml.dr import DRLearner  # noqa: PLC0415 - as above
    from sklearn.dummy import DummyClassifier  # noqa: PLC0415

    x, arm, outcome = _arrays(table)
    model = DRLearner(
        model_propensity=DummyClassifier(strategy="prior"),
        model_regression=responses,
        model_final=_regressor(len(x)),
        discrete_outcome=True,
        cv=FOLDS,
        random_state=0,
    )
    model.fit(outcome, arm, X=x)
    return model.effect(_arrays(held_out)[0])


def _classifier(rows: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - as above

    return HistGradientBoostingClassifier(**_trees(rows))


def _regressor(rows: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - as above

    return HistGradientBoostingRegressor(**_trees(rows))


def _trees(rows: int) -> dict[str, Any]:
    """What upliftlab's boosting comes to with so many rows."""
    growth = min(max((rows / 20_000) ** 0.5, 1), 4)
    return {
        "learning_rate": 0.05,
        "max_iter": round(50 * growth),
        "max_leaf_nodes": round(4 * growth),
        "min_samples_leaf": min(max(rows // 100, 20), 1_000),
        "l2_regularization": 10.0,
        "early_stopping": False,
        "random_state": 0,
    }


def _sample(table: pa.Table) -> tuple[Any, Any]:
    from upliftlab.uplift.encoding import Encoding  # noqa: PLC0415 - as above
    from upliftlab.uplift.folds import fold_of  # noqa: PLC0415
    from upliftlab.uplift.sample import TrainingSample  # noqa: PLC0415

    features = table.select(_names())
    encoding = Encoding.fit(features)
    _, arm, outcome = _arrays(table)
    n = len(arm)
    unit, share = np.arange(n), np.full((n, 2), 0.5)
    values = encoding.encode(features).values
    return encoding, TrainingSample(
        values, arm, outcome[:, None], share, unit, fold_of(unit, FOLDS, 0)
    )


def _arrays(table: pa.Table) -> Data:
    x = np.column_stack([np.asarray(table[name]) for name in _names()])
    return x, np.asarray(table["arm"]), np.asarray(table["bought"])


def _names() -> list[str]:
    return [f"x{number}" for number in range(FEATURES)]


CONTENDERS: dict[str, Callable[[pa.Table, pa.Table], np.ndarray]] = {
    "upliftlab": upliftlab,
    "crossfit": crossfit,
    "econml": econml,
    "econml_linear": econml_linear,
    "causalml": causalml,
}
OWN = {"upliftlab", "crossfit"}
"""Contenders that need nothing else."""


def made(rows: int, folder: Path) -> tuple[Path, Path]:
    """Two files of customers, to learn from and held out; half of each were treated by a coin."""
    files = folder / f"learners_{rows}.parquet", folder / f"learners_{rows}_held_out.parquet"
    for seed, (file, n) in enumerate(zip(files, (rows, rows // HELD_OUT), strict=True)):
        if not file.exists():
            pq.write_table(_simulated(n, seed), file)
    return files


def _simulated(n: int, seed: int) -> pa.Table:
    """One in six buys; treatment adds up to 8 points to some and takes 2 from others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, FEATURES))
    arm = rng.integers(0, 2, n)
    chance = 1 / (1 + np.exp(2 - 0.5 * x[:, 0] - 0.4 * x[:, 1] * (x[:, 2] > 0) - 0.3 * x[:, 3]))
    effect = 0.05 * (x[:, 4] > 0) + 0.05 * (x[:, 5] * x[:, 0] > 0) - 0.02
    bought = (rng.random(n) < chance + arm * effect).astype(float)
    columns = dict(zip(_names(), x.T, strict=True))
    return pa.table({**columns, "arm": arm, "bought": bought, "effect": effect})


def alone(name: str, files: tuple[Path, Path], answer: Path) -> None:
    """Run one contender in this process; imports are warmed up on a few customers."""
    warnings.simplefilter("ignore")
    table, held_out = (pq.read_table(file) for file in files)
    CONTENDERS[name](table.slice(0, 2_000), held_out.slice(0, 100))
    start = time.perf_counter()
    found = CONTENDERS[name](table, held_out)
    seconds = time.perf_counter() - start
    np.save(answer, np.asarray(found, dtype=np.float64).ravel())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


def run(name: str, chosen: argparse.Namespace) -> tuple[float, float]:
    """Seconds and peak megabytes of one contender in a process of its own."""
    python = sys.executable if name in OWN else chosen.python
    asked = [python, __file__, "--contender", name, "--rows", str(chosen.rows)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(chosen.threads))
    done = subprocess.run(
        [*asked, "--folder", str(chosen.folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **threads},
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["megabytes"]


def judged(effects: np.ndarray, held_out: pa.Table) -> tuple[float, float]:
    """scikit-uplift's Qini of held-out customers, and the correlation with their true effects."""
    from sklift.metrics import qini_auc_score  # noqa: PLC0415 - slow to load

    warnings.simplefilter("ignore")
    _, arm, outcome = _arrays(held_out)
    true = np.asarray(held_out["effect"])
    return qini_auc_score(outcome, effects, arm), float(np.corrcoef(effects, true)[0, 1])


def main() -> None:
    """Run the contenders in turn, or one of them alone in this process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=500_000, help="customers to learn from")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=sys.executable, help="that has econml and causalml")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    files = made(chosen.rows, chosen.folder)
    if chosen.contender:
        alone(chosen.contender, files, chosen.folder / f"learners_{chosen.contender}.npy")
        return
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen.only}
    for _ in range(chosen.rounds):
        for name in chosen.only:
            found[name].append(run(name, chosen))
    print(f"{date.today()}: {chosen.rows:,} customers, {chosen.rounds} rounds")  # noqa: DTZ011 - a heading
    held_out = pq.read_table(files[1])
    for name, runs in found.items():
        seconds = statistics.median(each[0] for each in runs)
        effects = np.load(chosen.folder / f"learners_{name}.npy")
        qini, correlation = judged(effects, held_out)
        print(
            f"{name:<14} {seconds:8.2f} s {max(each[1] for each in runs):8,.0f} MB   "
            f"Qini {qini:.4f}   correlation with the truth {correlation:.3f}"
        )


if __name__ == "__main__":
    main()
