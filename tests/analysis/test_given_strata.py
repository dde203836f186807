"""Arms assigned elsewhere within schools, blocks or pairs, from data to verdict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from upliftlab.errors import DataError

TEXT = """\
assignment: {observed: arm, strata: [school]}
arms: {none: {control: true}, mail: {channel: email}}
metrics: {primary: spent}
currency: EUR
segments: [region]
"""


def schools(seed=2):
    """Schools of 40 to 80 in which richer ones have fewer treated; the effect is +3."""
    rng = np.random.default_rng(seed)
    size = rng.integers(40, 81, 12)
    school = np.repeat(np.arange(12), size)
    share = np.linspace(0.7, 0.3, 12)[school]
    mailed = rng.random(len(school)) < share
    spent = 100 - 100 * share + 3 * mailed + rng.normal(0, 4, len(school))
    return {
        "arm": np.where(mailed, "mail", "none"),
        "school": np.array([f"S{s}" for s in school]),
        "spent": spent,
        "region": np.where(rng.random(len(school)) < 0.5, "north", "south"),
    }


def finding(analysis, level=None):
    return next(
        f
        for f in analysis.findings
        if (f.kind, f.metric, f.level) == ("difference", "spent", level)
    )


def check(analysis, name):
    return next(c for c in analysis.checks if c.name == name)


def by_hand(columns, kept):
    value, variance = 0.0, 0.0
    for school in np.unique(columns["school"][kept]):
        here = (columns["school"] == school) & kept
        one = columns["spent"][here & (columns["arm"] == "mail")]
        other = columns["spent"][here & (columns["arm"] == "none")]
        weight = here.sum() / kept.sum()
        value += weight * (one.mean() - other.mean())
        variance += weight**2 * (one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return value, variance**0.5


def test_schools_are_compared_within_themselves_everywhere(anywhere):
    columns = schools()
    mailed = columns["arm"] == "mail"
    pooled = columns["spent"][mailed].mean() - columns["spent"][~mailed].mean()
    assert pooled < 0  # the wrong sign
    found = anywhere.analysed(columns, TEXT)
    everybody = np.ones(len(mailed), dtype=bool)
    for level in (None, "north", "south"):
        shown = finding(found, level)
        kept = everybody if level is None else columns["region"] == level
        assert (shown.estimate, shown.se) == pytest.approx(by_hand(columns, kept), rel=1e-9)
        assert shown.low < 3 < shown.high
        assert shown.method == "welch+strata"
    assert check(found, "sample_ratio").passed is None
    assert check(found, "strata").passed
    assert "12 strata" in check(found, "strata").message
    assert found.verdict.code != "INVALID"


def test_pairs_have_the_paired_t_test(anywhere):
    rng = np.random.default_rng(6)
    level = np.repeat(rng.normal(100, 30, 60), 2)
    arm = np.tile(["mail", "none"], 60)
    spent = level + 2 * (arm == "mail") + rng.normal(0, 3, 120)
    columns = {"arm": arm, "school": np.repeat(np.arange(60), 2), "spent": spent}
    found = anywhere.analysed(columns, TEXT.replace("segments: [region]\n", ""))
    known = stats.ttest_rel(spent[::2], spent[1::2])
    shown = finding(found)
    assert shown.p == pytest.approx(known.pvalue, rel=1e-9)
    assert (shown.low, shown.high) == pytest.approx(tuple(known.confidence_interval()), rel=1e-9)
    assert "60 matched sets" in check(found, "strata").message


def test_declared_shares_are_asked_about(shop):
    shares = TEXT.replace("control: true", "control: true, share: 50%")
    shares = shares.replace("channel: email", "channel: email, share: 50%")
    found = shop.analysed(schools(), shares)
    assert not check(found, "sample_ratio:stratum").passed
    assert found.verdict.code == "INVALID"


def test_strata_with_one_arm_are_left_out_and_counted_without_their_names(shop):
    columns = schools()
    alone = columns["school"] == "S3"
    columns["arm"] = np.where(alone, "mail", columns["arm"])
    found = shop.analysed(columns, TEXT)
    told = check(found, "strata:left_out")
    assert not told.passed
    assert f"{alone.sum()} of {len(alone)} units" in told.message
    assert "S3" not in told.message
    assert finding(found).estimate == pytest.approx(by_hand(columns, ~alone)[0], rel=1e-9)


def test_nothing_to_compare_is_refused(shop):
    columns = schools()
    columns["school"] = np.arange(len(columns["arm"]))
    with pytest.raises(DataError, match="UL645"):
        shop.analysed(columns, TEXT)


def test_customers_without_a_stratum_are_refused(anywhere):
    columns = schools()
    columns["school"] = [None if i < 7 else s for i, s in enumerate(columns["school"])]
    with pytest.raises(DataError, match="UL646") as error:
        anywhere.analysed(columns, TEXT)
    assert "7 customers" in str(error.value)


def test_a_covariate_is_used_within_schools(shop):
    columns = schools()
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 8, len(columns["spent"]))
    columns |= {"before": luck, "spent": columns["spent"] + luck}
    found = shop.analysed(columns, TEXT + "analysis: {covariates: [before]}\n")
    sharp = next(f for f in found.findings if f.kind == "adjusted_difference" and not f.level)
    assert sharp.method == "lin+strata"
    assert sharp.se < 0.6 * finding(found).se
    assert sharp.low < 3 < sharp.high


def test_covariates_are_balanced_within_schools_though_not_over_all(shop):
    columns = schools()
    number = np.array([int(name[1:]) for name in columns["school"]])
    rng = np.random.default_rng(4)
    columns["before"] = 10.0 * number + rng.normal(0, 5, len(number))
    text = TEXT + "analysis: {covariates: [before]}\n"
    assert check(shop.analysed(columns, text), "balance").passed
    columns["before"] = columns["before"] + 3.0 * (columns["arm"] == "mail")
    assert not check(shop.analysed(columns, text), "balance").passed


def test_segments_are_balanced_within_more_than_a_thousand_blocks_of_other_shares(shop):
    """Blocks 2:1 are in the north, blocks 1:2 in the south: over all, regions differ by arm."""
    rng = np.random.default_rng(2)
    two, one = ["mail", "mail", "none"], ["mail", "none", "none"]
    arm = np.concatenate([np.tile(two, 700), np.tile(one, 700)])
    columns = {
        "arm": arm,
        "school": np.repeat(np.arange(1400), 3),
        "spent": rng.normal(10, 1, len(arm)) + 0.5 * (arm == "mail"),
        "region": np.repeat(["north", "south"], 2100),
    }
    found = shop.analysed(columns, TEXT)
    assert check(found, "balance:region").passed is not False
    assert finding(found).low < 0.5 < finding(found).high
    assert "1,400 strata in which some arm has a single unit" in check(found, "strata").message
