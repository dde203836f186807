"""Real customers: who visits because of the Womens e-mail."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from upliftlab.uplift.crossfit import crossfit
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import learner
from upliftlab.uplift.sample import TrainingSample

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "hillstrom.csv.gz"
FEATURES = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]


@pytest.fixture(scope="module")
def customers():
    if not FILE.exists():
        pytest.skip("the shared data with hillstrom.csv.gz are not beside this checkout")
    table = pacsv.read_csv(FILE)
    return table.filter(pa.compute.not_equal(table["segment"], "Mens E-Mail"))


def sample_of(table, encoding, seed):
    n = table.num_rows
    arm = np.asarray(table["segment"].to_pylist()) == "Womens E-Mail"
    visit = np.asarray(table["visit"], dtype=float)[:, None]
    fold, share = fold_of(np.arange(n), 5, seed), np.full((n, 2), 0.5)
    values = encoding.encode(table).values
    return TrainingSample(values, arm.astype(int), visit, share, np.arange(n), fold)


def judged(sample, score):
    """scikit-uplift's Qini coefficient and the uplift among the first 30 %, per fold."""
    from sklift.metrics import qini_auc_score, uplift_at_k

    found = []
    for fold in range(5):
        inside = sample.fold == fold
        given = sample.outcomes[inside, 0], score[inside], sample.arm[inside]
        found.append((qini_auc_score(*given), uplift_at_k(*given, "by_group", k=0.3)))
    return found


def evaluated(customers, name, base, seeds):
    """Means over the folds of several divisions."""
    encoding = Encoding.fit(customers.select(FEATURES))
    found = []
    for seed in seeds:
        sample = sample_of(customers, encoding, seed)
        score = crossfit(sample, learner(name, base, encoding, 0), [0])[:, 0, 0]
        found += judged(sample, score)
    return np.mean(found, axis=0)


@pytest.mark.filterwarnings("ignore:Function stable_cumsum")  # scikit-uplift's own
@pytest.mark.parametrize("base", ["linear", "boosting"])
@pytest.mark.parametrize("name", ["two_models", "doubly_robust"])
def test_qini_of_two_times_five_folds(customers, name, base):
    """Untuned good learners reach .057 to .060, a response model .016."""
    qini, _ = evaluated(customers, name, base, (1, 2))
    assert qini >= 0.055


@pytest.mark.filterwarnings("ignore:Function stable_cumsum")
def test_the_learner_that_decides_by_default(customers):
    qini, uplift = evaluated(customers, "two_models_ddr_control", "boosting", (1, 2))
    assert qini >= 0.055
    assert uplift >= 0.073


@pytest.mark.filterwarnings("ignore:Function stable_cumsum")
def test_uplift_among_the_first_thirty_per_cent(customers):
    """Six divisions, since one moves it by .003; everybody's is .045."""
    _, uplift = evaluated(customers, "doubly_robust", "linear", range(101, 107))
    assert uplift >= 0.073
