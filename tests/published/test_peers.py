"""What other programs find of the same customers, from the YAML to the finding.

The figures are those that tea-tasting 1.14.0, gbstats 0.8.0 (GrowthBook) and spotify-confidence
4.1.0 give of `customers`.
Where a method differs the test names it, and the band is as wide as that makes.
"""

from __future__ import annotations

import numpy as np
import pytest
from plans import pick
from scipy.stats import chi2, norm
from shops import Shop

from upliftlab.engines.duckdb import DuckDB

HEAD = "assignment: {observed: arm}\narms: {none: {control: true}, mail: {channel: email}}\n"
PLAIN = (
    HEAD + "metrics:\n  primary: spent\n  secondary: [bought, rate]\n"
    "  define:\n    bought: {column: bought, better: higher}\n"
    "    orders: {column: orders, better: higher}\n"
    "    sessions: {column: sessions, better: higher}\n"
    "    rate: {ratio: [orders, sessions], better: higher}\n"
)
FOUR = (
    "assignment: {observed: arm}\narms: {none: {control: true}, mail: {}, sms: {}, push: {}}\n"
    "metrics: {primary: spent}\nsegments: [half]\n"
)
ADJUSTED = HEAD + "metrics: {primary: spent}\nanalysis: {covariates: [pre]}\n"
TOTALS = {"pre": 22870.56, "sessions": 4730, "spent": 29066.96, "orders": 1527, "bought": 438}
TIGHT, DIGITS = 1e-9, 1e-7


def customers(kept=None):
    rng, n = np.random.default_rng(7), 1_200
    arm = np.arange(n) % 2
    pre = rng.gamma(2, 10, n).round(2)
    sessions = rng.poisson(3, n) + 1
    spent = (0.6 * pre + rng.normal(12, 6, n) + 1.5 * arm).round(2)
    orders = rng.binomial(sessions, 0.3 + 0.05 * arm)
    found = {
        "arm": np.where(arm == 1, "mail", "none"),
        "pre": pre,
        "sessions": sessions,
        "spent": spent,
        "orders": orders,
        "bought": (orders > 1).astype(int),
    }
    return found if kept is None else {name: values[kept] for name, values in found.items()}


def analysed(folder, columns, text):
    with DuckDB(lambda file: folder / "data" / file) as engine:
        return Shop(folder, engine).analysed(columns, text)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """All customers plain and adjusted, and the first 40 and 25 of the arms."""
    at = np.arange(1_200)
    few = np.r_[at[at % 2 == 0][:40], at[at % 2 == 1][:25]]
    return {
        "plain": analysed(tmp_path_factory.mktemp("plain"), customers(), PLAIN),
        "adjusted": analysed(tmp_path_factory.mktemp("adjusted"), customers(), ADJUSTED),
        "few": analysed(tmp_path_factory.mktemp("few"), customers(few), PLAIN),
    }


def test_the_customers_are_those_that_the_others_were_given():
    drawn = customers()
    assert {name: drawn[name].sum() for name in TOTALS} == pytest.approx(TOTALS)


@pytest.mark.parametrize(
    ("peer", "of", "metric", "figures"),
    [
        ("tea-tasting Mean", "plain", "spent", (1.2521, 0.100180972378, 2.404019027622)),
        ("gbstats t test", "plain", "spent", (1.2521, 0.100180972378, 2.404019027622)),
        ("confidence t test", "plain", "spent", (1.2521, 0.100180972378, 2.404019027622)),
        ("tea-tasting Mean of 0/1", "plain", "bought", (0.06, 0.005527455350, 0.114472544650)),
        ("tea-tasting Mean", "few", "spent", (0.39585, -4.140131471558, 4.931831471558)),
        ("gbstats t test", "few", "spent", (0.39585, -4.140131471558, 4.931831471558)),
        ("confidence t test", "few", "spent", (0.39585, -4.140131471558, 4.931831471558)),
    ],
)
def test_a_difference_and_its_interval(found, peer, of, metric, figures):
    ours = pick(found[of], "difference", metric=metric)
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(figures, abs=TIGHT), peer


@pytest.mark.parametrize(
    ("of", "metric", "p", "se"),
    [
        ("plain", "spent", 0.03316268721291, 0.58712726907688),
        ("few", "spent", 0.86166088113377, 2.26034720884886),
    ],
)
def test_a_p_value_and_a_standard_error_of_gbstats_and_confidence(found, of, metric, p, se):
    ours = pick(found[of], "difference", metric=metric)
    assert (ours.p, ours.se) == pytest.approx((p, se), rel=DIGITS)


def test_a_ratio_by_the_delta_method(found):
    """Both others: .0481442 (.0208220 to .0754664), p .00056513, by the variance of all units.

    Ours is by those who have something to divide by, k = (Σb)²/Σb² of them: wider by .02 %.
    """
    ours, drawn = pick(found["plain"], "difference", metric="rate"), customers()
    theirs = (0.048144222393, 0.020822037916, 0.075466406869)
    assert ours.estimate == pytest.approx(theirs[0], abs=TIGHT)
    assert (ours.low, ours.high) == pytest.approx(theirs[1:], abs=1.1e-5)
    assert ours.p == pytest.approx(0.00056512902991, rel=0.01)
    variances = np.zeros(2)
    for arm in ("none", "mail"):
        a, b = (drawn[name][drawn["arm"] == arm] for name in ("orders", "sessions"))
        n, k = len(b), b.sum() ** 2 / (b**2).sum()
        own = ((a - a.sum() / b.sum() * b) / b.mean()).var(ddof=1) / n
        variances += own * np.array([1, k / (k - 1) * (n - 1) / n])
    assert variances**0.5 == pytest.approx([0.01392602544333, ours.se], rel=DIGITS)


def test_gbstats_takes_the_variance_of_a_share_by_n(found):
    """p(1 − p)/n there, s²/n with n − 1 here: standard errors differ by √(600/599)."""
    ours = pick(found["plain"], "difference", metric="bought")
    assert ours.estimate == pytest.approx(0.06)
    assert ours.se * (599 / 600) ** 0.5 == pytest.approx(0.027741365022892, rel=DIGITS)


def test_confidence_takes_normal_quantiles_by_default(found):
    """Its z test: standard errors of n, and z for t; shares of 438 buyers, and amounts."""
    for metric, theirs in (
        ("spent", (0.10135169826796098, 2.4028483017320434)),
        ("bought", (0.005627923673152589, 0.1143720763268474)),
    ):
        ours = pick(found["plain"], "difference", metric=metric)
        half = (theirs[1] - theirs[0]) / 2
        assert half == pytest.approx(
            norm.isf(0.025) * ours.se * (599 / 600 if metric == "bought" else 1) ** 0.5, rel=DIGITS
        )
        assert ours.estimate == pytest.approx(sum(theirs) / 2)
        assert ours.high - ours.low == pytest.approx(2 * half, rel=0.005)


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """The same customers as four arms in turn, by the halves in which they come."""
    at = np.arange(1_200)
    columns = {
        "arm": np.array(["none", "mail", "sms", "push"])[at % 4],
        "spent": customers()["spent"],
        "half": np.where(at < 600, "first", "second"),
    }
    return analysed(tmp_path_factory.mktemp("four"), columns, FOUR)


@pytest.mark.parametrize(
    ("arm", "half", "interval", "values"),
    [
        ("mail", None, (0.73465405262655, 3.95734594737346), (0.00439369085593, 0.01318107256779)),
        ("push", None, (0.35837150086327, 3.34636183247006), (0.01518186388690, 0.03036372777379)),
        ("sms", None, (0.00563996963841, 3.38269336369493), (0.04924216267345, 0.04924216267345)),
        ("mail", "first", (0.15742031855858, 4.43991301477), (0.03546609653251, 0.09540158104750)),
        ("push", "first", (0.61368304912676, 4.59911695087), (0.01053603610290, 0.06321621661740)),
        ("sms", "first", (-1.18971112236204, 3.09744445570), (0.38185105800223, 0.38185105800223)),
        ("mail", "second", (0.00163167450070, 4.785034992), (0.04984491020365, 0.09540158104750)),
        ("push", "second", (-1.12363890670552, 3.32030557), (0.33143308771701, 0.38185105800223)),
        ("sms", "second", (-0.13868704983159, 5.00762038), (0.06360105403167, 0.09540158104750)),
    ],
)
def test_several_arms_by_confidence(four, arm, half, interval, values):
    """Its `holm` over the arms, its `fdr_bh` over halves and arms."""
    where = {"dimension": "half", "level": half} if half else {}
    ours = pick(four, "difference", arm, metric="spent", **where)
    assert (ours.low, ours.high) == pytest.approx(interval, abs=1e-8)
    assert (ours.p, ours.p_adjusted) == pytest.approx(values, rel=DIGITS)


@pytest.mark.parametrize(
    ("metric", "se", "by_delta", "by_logarithm"),
    [
        (
            "spent",
            0.025601646372,
            (0.002833787388, 0.103292495910),
            (0.004012384941, 0.104510259967),
        ),
        (
            "rate",
            0.050273516605,
            (0.062385978392, 0.259654366354),
            (0.066458898553, 0.263966049218),
        ),
    ],
)
def test_relative_lifts(found, metric, se, by_delta, by_logarithm):
    """One standard error by the delta method; three intervals.

    gbstats takes it as symmetric, tea-tasting on the logarithm's scale, ours is Fieller's: near the
    second, and never the first where it matters.
    """
    ours = pick(found["plain"], "relative_lift", metric=metric)
    assert ours.se == pytest.approx(se, rel=DIGITS if metric == "spent" else 0.0002)
    assert (ours.low, ours.high) == pytest.approx(by_logarithm, abs=0.001)
    assert ours.low > by_delta[0]
    assert ours.high > by_delta[1]
    assert sum(by_delta) / 2 == pytest.approx(ours.estimate, abs=DIGITS)


def test_cuped_has_one_slope_and_lin_one_per_arm(found):
    """The three others agree with each other; Lin's differs by what slopes differ."""
    theirs, se = (1.721086425530, 1.078355865988, 2.363816985072), 0.327595766197
    ours = pick(found["adjusted"], "adjusted_difference", metric="spent")
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(theirs, abs=0.01 * se)
    confidence = (1.7210864255300713, 1.0778280022196287, 2.364344848840514)  # z for t
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(confidence, abs=0.01 * se)
    assert ours.se == pytest.approx(se, rel=0.005)


def test_a_relative_lift_with_cuped(found):
    """tea-tasting on the logarithm's scale; Fieller's on adjusted means here."""
    ours = pick(found["adjusted"], "adjusted_relative_lift", metric="spent")
    theirs = (0.073670578920, 0.045413884024, 0.102691029509)
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(theirs, abs=0.0005)


@pytest.mark.parametrize(("more", "corrected"), [(90, 0.013213414088989), (80, 0.027236109339452)])
def test_a_sample_ratio(more, corrected, tmp_path):
    """tea-tasting corrects for continuity, confidence does not, as ours.

    Corrected, ours is tea-tasting's.
    """
    at = np.arange(1_200)
    kept = np.r_[at, at[at % 2 == 0][:more]]
    ours = analysed(tmp_path, customers(kept), PLAIN)
    (check,) = (check for check in ours.checks if check.name == "sample_ratio")
    n = 1_200 + more
    assert check.p == pytest.approx(chi2.sf(more**2 / n, 1))
    if more == 90:
        assert check.p == pytest.approx(0.012217221454310256, rel=DIGITS)
    assert chi2.sf((more - 1) ** 2 / n, 1) == pytest.approx(corrected)
