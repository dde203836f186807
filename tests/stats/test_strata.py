"""Blocked assignments: by hand, against regression on strata, and by drawing them many times."""

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm

from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.moments import Moments
from upliftlab.stats.quotients import quotients
from upliftlab.stats.strata import stratified

CLOSE = 1e-9
TIMES = 2_000


def groups_of(strata):
    return [{arm: Moments.of(np.c_[rows]) for arm, rows in one.items()} for one in strata]


def pair_of(strata):
    found = stratified(groups_of(strata), ("treated", "control"))
    return TwoSample(found["treated"], found["control"])


def test_by_hand():
    strata = [
        {"treated": [1.0, 3.0], "control": [0.0, 2.0]},
        {"treated": [10.0, 14.0, 12.0, 12.0], "control": [11.0, 11.0, 9.0, 13.0]},
    ]
    effect = difference(pair_of(strata), 0, 0.95)
    # Both strata gain 1; a third of the customers are in the first.
    assert effect.estimate == pytest.approx(1, rel=CLOSE)
    variance = 1 / 9 * (2 / 2 + 2 / 2) + 4 / 9 * ((8 / 3) / 4 + (8 / 3) / 4)
    assert effect.se == pytest.approx(sqrt(variance), rel=CLOSE)


def test_it_is_the_weighted_contrast_of_a_saturated_regression():
    rng = np.random.default_rng(1)
    strata = [
        {"treated": rng.normal(k, 1 + k, 20 + 10 * k), "control": rng.normal(0, 1, 10 + 5 * k)}
        for k in range(4)
    ]
    effect = difference(pair_of(strata), 0, 0.95)
    y, columns = [], []
    for k, one in enumerate(strata):
        for arm, rows in one.items():
            y.append(rows)
            cell = np.zeros((len(rows), 8))
            cell[:, 2 * k + (arm == "treated")] = 1
            columns.append(cell)
    fit = sm.OLS(np.concatenate(y), np.concatenate(columns)).fit(cov_type="HC2")
    n = np.array([sum(map(len, one.values())) for one in strata])
    contrast = np.repeat(n / n.sum(), 2) * np.tile([-1, 1], 4)
    test = fit.t_test(contrast)
    assert effect.estimate == pytest.approx(float(test.effect[0]), rel=CLOSE)
    assert effect.se == pytest.approx(float(np.ravel(test.sd)[0]), rel=CLOSE)


def test_one_stratum_is_none():
    rng = np.random.default_rng(2)
    one = {"treated": rng.normal(size=30), "control": rng.normal(size=20)}
    plain = TwoSample(*(Moments.of(one[arm][:, None]) for arm in ("treated", "control")))
    assert difference(pair_of([one]), 0, 0.9).low == pytest.approx(
        difference(plain, 0, 0.9).low, rel=CLOSE
    )


def test_strata_with_too_few_are_taken_together():
    full = {"treated": [1.0, 2.0, 3.0], "control": [2.0, 2.0, 5.0]}
    lonely = [{"treated": [5.0], "control": [4.0]}, {"treated": [7.0], "control": [6.0]}]
    together = {"treated": [5.0, 7.0], "control": [4.0, 6.0]}
    one, other = pair_of([full, *lonely]), pair_of([full, together])
    assert difference(one, 0, 0.95) == difference(other, 0, 0.95)
    assert stratified(groups_of(lonely[:1]), ("treated", "control")) is None


def test_intervals_of_blocked_assignments_cover_and_are_narrower():
    """Strata that differ by far more than customers do: the plain interval is far too wide."""
    rng = np.random.default_rng(3)
    sizes, levels = np.array([100, 60, 240]), np.array([0.0, 4.0, 1.0])
    hits, plain, widths = 0, 0, []
    for _ in range(TIMES):
        strata = []
        for n, level in zip(sizes, levels, strict=True):
            y = rng.normal(level, 1.0, n)
            treated = rng.permutation(np.arange(n) < 0.75 * n)
            strata.append({"treated": y[treated] + 0.2, "control": y[~treated]})
        effect = difference(pair_of(strata), 0, 0.95)
        hits += effect.low <= 0.2 <= effect.high
        whole = [np.concatenate([s[arm] for s in strata])[:, None] for arm in strata[0]]
        simple = difference(TwoSample(*map(Moments.of, whole)), 0, 0.95)
        plain += simple.low <= 0.2 <= simple.high
        widths.append(effect.se / simple.se)
    assert hits / TIMES == pytest.approx(0.95, abs=4 * sqrt(0.95 * 0.05 / TIMES))
    assert plain / TIMES > 0.99
    assert np.mean(widths) < 0.7


def test_degrees_of_freedom_are_those_of_the_strata_that_matter():
    """Four control units in the stratum that varies: about three, whatever the other one holds."""
    rng = np.random.default_rng(4)
    quiet = {"treated": rng.normal(0, 0.01, 1_000), "control": rng.normal(0, 0.01, 1_000)}
    loud = {"treated": rng.normal(0, 5, 400), "control": np.array([-6.0, -1.0, 2.0, 7.0])}
    effect = difference(pair_of([quiet, loud]), 0, 0.95)
    # By hand: both strata's parts, each over its own n − 1.
    parts = []
    for one in (quiet, loud):
        for rows in one.values():
            weight = sum(map(len, one.values())) / 2_404
            parts.append((weight**2 * rows.var(ddof=1) / len(rows), len(rows) - 1))
    by_hand = sum(v for v, _ in parts) ** 2 / sum(v**2 / df for v, df in parts)
    assert effect.df == pytest.approx(by_hand, rel=CLOSE)
    assert 3 < effect.df < 3.2


def test_with_few_units_in_a_stratum_intervals_cover():
    """Of 4,000 experiments; with n − 1 of the arm it would be 3 points fewer."""
    rng, hits, wrong = np.random.default_rng(5), 0, 0
    for _ in range(4_000):
        strata = [
            {"treated": rng.normal(0, 1, 300), "control": rng.normal(0, 1, 300)},
            {"treated": rng.normal(0, 8, 100), "control": rng.normal(0, 8, 5)},
        ]
        effect = difference(pair_of(strata), 0, 0.95)
        hits += effect.low <= 0 <= effect.high
        wrong += abs(effect.estimate / effect.se) <= 1.96
    assert hits / 4_000 == pytest.approx(0.95, abs=0.0125)
    assert wrong / 4_000 < 0.93


GROWTHBOOK = [
    # n, Σy, Σy², Σx, Σx², Σxy by stratum: control, treated
    ((21, 330.0696210595999, 5377.811252605509, 104.90748970535698, 544.8528083123211,
      1709.8485612477339),
     (42, 708.1220000911836, 12249.255519049513, 205.17072061676208, 1040.6742753852225,
      3561.161673449451)),
    ((65, 1391.96628040659, 30546.63404187155, 315.83926510817054, 1578.8689285910423,
      6938.770455871619),
     (75, 1807.4703052657744, 45000.287664918586, 377.29540367369503, 1981.0803020754106,
      9428.146405105292)),
    ((102, 2916.824124651419, 86396.06886690554, 523.2717238353379, 2797.158898626946,
      15535.162216800189),
     (101, 3104.5399914554023, 98365.40553530994, 501.0447878972627, 2596.899156698453,
      15962.754636573465)),
    ((151, 5172.587929941052, 182453.04528037464, 758.3911049329452, 3955.922281372593,
      26846.415701194885),
     (121, 4613.696610070716, 180520.64781229294, 603.9456523430367, 3144.0820997706583,
      23789.82730157116)),
    ((160, 6539.348445231273, 274981.98909352464, 823.2824168385916, 4389.893995072177,
      34727.84795433773),
     (162, 7431.953259880505, 349244.6690736718, 832.356528363269, 4439.253146704266,
      39332.667494781235)),
]  # fmt: skip
"""The sums of GrowthBook's own test of post-stratification (packages/stats, test_post_strat.py)."""


BELOW = [
    # Σd, Σd², Σyd of the same customers
    ((890.9766550739607, 38220.95223835553, 14263.937571840695),
     (1745.9858250014954, 73194.53424221886, 29826.620793423102)),
    ((2769.8126179473184, 118719.96077578884, 59924.702385890436),
     (3184.8395612061063, 136710.92474497214, 78119.14871556411)),
    ((4445.780384331884, 195387.7733842407, 129041.55268673625),
     (4235.277718489282, 179690.4720421368, 132444.36911739354)),
    ((6510.170220892494, 283094.7243365024, 226127.20135744457),
     (5079.943060454901, 215529.32009367683, 196562.8269130501)),
    ((6906.305872710853, 300900.3106781779, 286483.9732935189),
     (6899.004661928157, 296839.44355002965, 321057.8410309036)),
]  # fmt: skip


def of_sums(sums):
    n, y, yy, x, xx, xy = sums
    mean = np.array([y, x]) / n
    return Moments(n, mean, np.array([[yy, xy], [xy, xx]]) - n * np.outer(mean, mean), np.zeros(2))


def test_covariates_within_strata_against_growthbook():
    """Its standard errors count the strata's sizes as drawn; here they were fixed.

    With what that adds, ours without a covariate is theirs to all digits. With one, theirs is
    .07390: it takes the slopes as known, and both arms' variances with the spread of all strata.
    """
    strata = [{"control": of_sums(c), "treated": of_sums(t)} for c, t in GROWTHBOOK]
    found = stratified(strata, ("treated", "control"))
    plain = TwoSample(found["treated"], found["control"])
    sharp = adjusted(plain, [1])
    units = sum(c[0] + t[0] for c, t in GROWTHBOOK)
    fixed, drawn = [], []
    for pair in (plain, sharp):
        effect, weights = difference(pair, 0, 0.95), [w for w, _ in pair.treated.strata]
        each = [
            one.mean[0] - other.mean[0]
            for (_, one), (_, other) in zip(pair.treated.strata, pair.control.strata, strict=True)
        ]
        between = np.average((np.array(each) - effect.estimate) ** 2, weights=weights) / units
        fixed.append(effect.se)
        drawn.append((effect.estimate, sqrt(effect.se**2 + between)))
    assert fixed[1] == pytest.approx(0.0629, abs=5e-5), "as docs/statistics.md tells"
    assert drawn[1][1] == pytest.approx(0.0736, abs=5e-5), "the same"
    assert drawn[0] == pytest.approx((3.548094377986586, 0.37634374823059685), rel=CLOSE)
    assert drawn[1][0] == pytest.approx(3.7116918650826394, rel=CLOSE)
    assert drawn[1][1] == pytest.approx(0.07390409644392272, rel=0.005)


def test_a_ratio_within_strata_against_growthbook():
    """A quotient of stratified means; with the strata's sizes as drawn, its standard error."""
    strata = [
        {
            arm: of_sums((*sums[:3], *below))
            for arm, sums, below in zip("ct", one, more, strict=True)
        }
        for one, more in zip(GROWTHBOOK, BELOW, strict=True)
    ]
    found = {arm: quotients(group, [(0, 1)]) for arm, group in stratified(strata, "tc").items()}
    effect = difference(TwoSample(found["t"], found["c"]), 0, 0.95)
    parts = [found[arm].strata for arm in "tc"]
    weights = [weight for weight, _ in parts[0]]
    each = [t.mean[0] - c.mean[0] for (_, t), (_, c) in zip(*parts, strict=True)]
    units = sum(c[0] + t[0] for c, t in GROWTHBOOK)
    between = np.average((np.array(each) - effect.estimate) ** 2, weights=weights) / units
    assert effect.estimate == pytest.approx(0.10008903417216031, rel=CLOSE)
    assert sqrt(effect.se**2 + between) == pytest.approx(0.005071004003792392, rel=CLOSE)


def test_within_strata_it_is_the_regression_of_each_stratum():
    rng, strata, fits = np.random.default_rng(6), [], []
    for n, slope in ((200, 1.0), (300, 3.0)):
        x = rng.gamma(2.0, 2.0, n)
        arm = np.arange(n) < 0.7 * n
        y = slope * x + arm + rng.normal(0, 1, n)
        rows = np.column_stack([y, x])
        strata.append({"treated": Moments.of(rows[arm]), "control": Moments.of(rows[~arm])})
        design = sm.add_constant(np.column_stack([arm.astype(float), x]))
        fits.append((n / 500, sm.OLS(y, design).fit(cov_type="HC2")))
    found = stratified(strata, ("treated", "control"))
    effect = difference(adjusted(TwoSample(found["treated"], found["control"]), [1]), 0, 0.95)
    estimate = sum(weight * fit.params[1] for weight, fit in fits)
    error = sqrt(sum((weight * fit.bse[1]) ** 2 for weight, fit in fits))
    assert effect.estimate == pytest.approx(estimate, rel=CLOSE)
    assert effect.se == pytest.approx(error, rel=0.03)


def test_small_strata_have_the_slope_of_all():
    """With stratum dummies and one covariate in statsmodels; strata of one size and split."""
    rng, rows = np.random.default_rng(7), []
    for stratum in range(12):
        x = rng.normal(stratum, 1, 10)
        arm = rng.permutation(np.arange(10) < 6)
        rows.append(np.column_stack([2 * x + arm + 5 * stratum + rng.normal(0, 1, 10), x, arm]))
    strata = [
        {
            "treated": Moments.of(one[one[:, 2] == 1, :2]),
            "control": Moments.of(one[one[:, 2] == 0, :2]),
        }
        for one in rows
    ]
    found = stratified(strata, ("treated", "control"))
    effect = difference(adjusted(TwoSample(found["treated"], found["control"]), [1]), 0, 0.95)
    y, x, arm = np.concatenate(rows).T
    dummies = np.kron(np.eye(12), np.ones((10, 1)))
    # Interacted with the strata, as the weights are those of strata and not of their precision.
    fit = sm.OLS(y, np.column_stack([dummies, dummies * arm[:, None], x])).fit()
    test = fit.t_test(np.r_[np.zeros(12), np.full(12, 1 / 12), 0.0])
    assert effect.estimate == pytest.approx(float(test.effect[0]), rel=CLOSE)
    assert effect.se == pytest.approx(float(np.ravel(test.sd)[0]), rel=0.02)
