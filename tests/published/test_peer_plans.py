"""What others say a campaign needs, from the YAML to the outlook.

Customers and detectable effects that books, manuals and programs tell, each with its source. Where
a method differs the test names it, and the band is as wide as that makes.
"""

from __future__ import annotations

import pytest
from plans import NOW, make_plan
from scipy.stats import norm

from upliftlab.config.models.limits import Tolerance
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, plan

LIKELY = norm.isf(0.025) + norm.isf(0.2)
"""Standard errors of an effect that is found four times in five."""
ONE = 1
"""Customer by which groups may round."""


def outlook(given, effect, control=50, power=0.8, **assumed):
    """One arm beside the control, planned for in figures; a baseline without sd is of a share."""
    arms = {
        "none": {"control": "true", "share": f"{control}%"},
        "mail": {"share": f"{100 - control}%"},
    }
    lead = "spend" if given.sd else "visit"
    told = Assumptions(Tolerance(value=effect, kind="absolute"), power, given, **assumed)
    asked = make_plan(arms=arms, metrics={"primary": lead})
    return plan(asked, told, PlanningContext(NOW))


@pytest.mark.parametrize(
    ("size", "power", "each", "source"),
    [
        (0.2, 0.8, 393, "Cohen 1992, table 2: a small effect"),
        (0.5, 0.8, 64, "the same: a medium one"),
        (0.8, 0.8, 26, "the same: a large one"),
        (1.0, 0.9, 22.02110, "R 4, help of power.t.test: delta = 1, power = .90"),
    ],
)
def test_customers_for_an_effect_in_standard_deviations(size, power, each, source):
    found = outlook(Given(100.0, 1.0), size, power=power)
    assert found.needed == pytest.approx(2 * each, abs=2 * ONE), source
    assert found.arms[1].needed == pytest.approx(each, abs=ONE), source


@pytest.mark.parametrize(
    ("control", "needed", "detectable"),
    [(50, 12_560, 0.7924079623198691), (25, 16_746, 0.9149939007067585)],
)
def test_an_amount_by_spotify_confidence(control, needed, detectable):
    """spotify-confidence 4.1.0: of 25 ± 20 a rise by 4 %, and what 20,000 customers can find.

    z there and t here, which takes two customers more.
    """
    found = outlook(Given(25.0, 20.0), 1.0, control)
    assert found.needed == pytest.approx(needed, abs=4)
    there = outlook(Given(25.0, 20.0), 1.0, control, customers=20_000)
    assert there.arms[1].detectable == pytest.approx(detectable, rel=2e-4)


@pytest.mark.parametrize(
    ("control", "needed", "detectable"),
    [(50, 7_678, 0.012199471747885852), (25, 9_828, 0.013932191589616191)],
)
def test_a_share_by_spotify_confidence(control, needed, detectable):
    """The same program: of 10 % a rise to 12 %, the treated with the variance of theirs."""
    found = outlook(Given(0.1), 0.02, control)
    assert found.needed == pytest.approx(needed, abs=4 + ONE)
    there = outlook(Given(0.1), 0.02, control, customers=20_000)
    assert there.arms[1].detectable == pytest.approx(detectable, rel=2e-4)


def test_a_share_by_others_rules():
    """Rules that differ in which variance is under the null."""
    # Evan Miller's calculator: 20 % to 25 %, 1,030 each. Of both groups 20 %, where nothing is
    # found by chance; ours has 25 % in the treated group throughout.
    found = outlook(Given(0.2), 0.05)
    assert found.arms[1].needed == pytest.approx(1_030, rel=0.07)
    pure = LIKELY**2 * (0.2 * 0.8 + 0.25 * 0.75) / 0.05**2
    assert found.arms[1].needed == pytest.approx(pure, abs=2 * ONE)
    # R 4, help of power.prop.test: 50 % to 75 %, power .90: 76.7 each, of the mean share of both.
    found = outlook(Given(0.5), 0.25, power=0.9)
    assert found.arms[1].needed == pytest.approx(76.7, rel=0.05)
    # Kohavi, Longbotham, Sommerfield & Henne 2009: 5 % and a twentieth of it: 121,600 each,
    # by 16 variances over the effect's square. 16 is 15.7, and the variance the control's: one
    # is 2 % too many, the other 2 % too few.
    found = outlook(Given(0.05), 0.0025)
    assert found.arms[1].needed == pytest.approx(121_600, rel=0.005)


def test_a_mean_by_tea_tasting():
    """tea-tasting 1.14.0, solve_power of 1,200 customers who spend 24.222467 ± 10.184377.

    It plans with both variances as they are; so do we, as an amount whose spread is below its mean
    keeps its spread.
    """
    given = Given(24.222466666666666, 103.72154303475116**0.5)
    rise = 0.05 * given.mean
    assert outlook(given, rise).needed == pytest.approx(2_222, abs=2)
    there = outlook(given, rise, customers=4_000).arms[1]
    assert there.power == pytest.approx(0.9640463380600097, abs=1e-6)
    assert there.detectable == pytest.approx(0.902489451364784, rel=1e-6)
