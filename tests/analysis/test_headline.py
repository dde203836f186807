"""One number to go by: adjusted where covariates allow it, in the sentence, tables and families."""

import csv
import io
import json
from html import unescape

import numpy as np
import pytest
from shops import Shop

from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.render import render
from upliftlab.results.analysis import Analysis, EstimandKind, Note, headlined

ASKED = """arms: {none: {control: true}, mail: {channel: email}}
assignment: {observed: arm}
metrics: {primary: revenue}
segments: [region]
decision: {ship_if: lower > 0}
analysis: {covariates: [before]}
"""
USERS = {
    "none": (
        2023,
        (5.241028175976273, 5.278512110726644),
        (93.06028756745528, 67.9744027669683, 172.65817122722763),
    ),
    "mail": (
        1977,
        (5.730111279716743, 4.7202630247850275),
        (107.85259330744903, 59.99167461646493, 121.77507766357606),
    ),
}
"""Customers, means and (co)variances of revenue and of revenue before, by arm: tea-tasting 1.14.0,
`make_users_data(seed=42, covariates=True)`."""


def exactly(n, means, spread, seed):
    """Units of which the first two moments are those given."""
    raw = np.random.default_rng(seed).normal(size=(n, 2))
    raw -= raw.mean(axis=0)
    raw = np.linalg.solve(np.linalg.cholesky(np.cov(raw.T)), raw.T)
    covariance = np.array([[spread[0], spread[1]], [spread[1], spread[2]]])
    return np.array(means) + (np.linalg.cholesky(covariance) @ raw).T


def users():
    parts = [exactly(*USERS[arm], seed) for seed, arm in enumerate(USERS)]
    arm = np.repeat(list(USERS), [len(part) for part in parts])
    region = np.array(["north", "south"])[np.arange(len(arm)) % 2]
    both = np.concatenate(parts)
    return {"arm": arm, "revenue": both[:, 0], "before": both[:, 1], "region": region}


def pick(found, kind, arm="mail", level=None, metric=None):
    return next(
        f
        for f in found.findings
        if (f.kind, f.arm, f.level) == (kind, arm, level) and metric in (None, f.metric)
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    with DuckDB(lambda file: root / "data" / file) as engine:
        return Shop(root, engine).analysed(users(), ASKED)


def test_without_covariates_it_is_what_tea_tasting_says(found):
    plain = pick(found, "difference")
    assert not plain.headline
    assert plain.estimate == pytest.approx(0.4890831037404775, rel=1e-9)
    assert (plain.low, plain.high) == pytest.approx((-0.13261881482742, 1.11078502230837), rel=1e-9)
    assert plain.p == pytest.approx(0.12306988554250592, rel=1e-9)
    change = pick(found, "relative_lift")
    assert change.estimate == pytest.approx(0.09331815958981626, rel=1e-9)
    # its ends are Fieller's, tea-tasting's the delta method's of the log ratio
    assert (change.low, change.high) == pytest.approx((-0.0237, 0.2244), abs=5e-4)


def test_with_covariates_it_is_near_tea_tastings_cuped(found):
    """CUPED has one slope for both arms (.7310, .2023 to 1.2597), Lin one for each."""
    sharp, change = pick(found, "adjusted_difference"), pick(found, "adjusted_relative_lift")
    assert sharp.headline
    assert change.headline
    ends = (sharp.estimate, sharp.low, sharp.high)
    assert ends == pytest.approx((0.731014, 0.202287, 1.259742), abs=0.01)
    ends = (change.estimate, change.low, change.high)
    assert ends == pytest.approx((0.142736, 0.037729, 0.258369), abs=2e-3)
    assert sharp.p == pytest.approx(0.0067439, abs=6e-4)
    assert change.p == pytest.approx(sharp.p, rel=1e-9)


def test_the_adjusted_change_is_the_adjusted_difference_over_the_adjusted_control(found):
    """Fieller's set by hand: the ratio's ends are where the difference less ρ·control is t·se."""
    slopes = {arm: s[1] / s[2] for arm, (_, _, s) in USERS.items()}
    total = sum(n for n, _, _ in USERS.values())
    centre = sum(n * m[1] for n, m, _ in USERS.values()) / total
    means = {arm: m[0] - slopes[arm] * (m[1] - centre) for arm, (_, m, _) in USERS.items()}
    sharp, change = pick(found, "adjusted_difference"), pick(found, "adjusted_relative_lift")
    assert sharp.estimate == pytest.approx(means["mail"] - means["none"], rel=1e-9)
    assert change.estimate == pytest.approx(means["mail"] / means["none"] - 1, rel=1e-9)
    own = {
        arm: (s[0] - slopes[arm] ** 2 * s[2]) * (n - 1) / (n - 2) / n
        for arm, (n, _, s) in USERS.items()
    }
    spread = np.var(users()["before"], ddof=1) / total
    t = (sharp.high - sharp.estimate) / sharp.se
    for end, sign in ((change.low, 1), (change.high, -1)):
        ratio = 1 + end
        shared = (slopes["mail"] - ratio * slopes["none"]) ** 2 * spread
        se = (own["mail"] + ratio**2 * own["none"] + shared) ** 0.5
        far = means["mail"] - ratio * means["none"]
        assert far == pytest.approx(sign * t * se, rel=2e-3)


def test_sentence_tile_table_and_summary_tell_one_number(found):
    sharp = pick(found, "adjusted_difference")
    values = found.verdict.sentence_parts.values
    assert (values["value"], values["low"], values["high"]) == (
        sharp.estimate,
        sharp.low,
        sharp.high,
    )
    rows = found.summary().rows
    assert rows == (("mail", "revenue", f"{sharp.estimate:.4g}", rows[0][3]),)
    html = unescape(render(found))
    key = f'data-key="/findings/{found.findings.index(sharp)}/estimate"'
    plain = f'data-key="/findings/{found.findings.index(pick(found, "difference"))}/estimate"'
    first, rest = html.split("<h2 id=", 1)[0], html
    assert rest.count(key) >= 2
    assert plain not in first
    assert rest.count(plain) == 1
    folded = rest[: rest.index(plain)].rpartition("<details>")[2]
    assert "</details>" not in folded
    assert "Without covariates" in folded
    assert "Adjusted relative change" in rest
    assert "may be chance" not in rest.split('<h2 id="breakdowns">')[0]


def test_levels_are_adjusted_and_the_plain_ones_folded(found):
    html = unescape(render(found))
    for level in ("north", "south"):
        for kind, folds in (("adjusted_difference", False), ("difference", True)):
            one = pick(found, kind, level=level)
            assert one.headline is not folds
            at = html.index(f'data-key="/findings/{found.findings.index(one)}/estimate"')
            assert (html[:at].rpartition("<details>")[2].count("</details>") == 0) is folds


def test_no_effect_is_tested_twice(found):
    for one in found.findings:
        if not one.headline:
            assert (one.family, one.p_adjusted) == (None, None)
        elif one.p is not None and one.kind is not EstimandKind.cace:
            assert one.family is not None
            assert one.p_adjusted >= one.p


def test_one_kind_in_every_place_is_to_go_by(found):
    led = [
        (f.kind.plain, f.metric, f.arm, f.dimension, f.level) for f in found.findings if f.headline
    ]
    every = {(f.kind.plain, f.metric, f.arm, f.dimension, f.level) for f in found.findings}
    assert len(set(led)) == len(led)
    assert set(led) == every


def test_the_spreadsheet_says_which_is_which(found):
    rows = list(csv.DictReader(io.StringIO(to_csv(found).decode("utf-8-sig"))))
    told = {row["kind"]: row["headline"] for row in rows if not row["dimension"]}
    assert told["adjusted_difference"].lower() == "true"
    assert told["difference"].lower() == "false"


def test_an_older_analysis_is_told_the_same(found):
    """Before there was a headline the JSON had no word of it, and no adjusted change."""
    old = json.loads(to_json(found))
    for one in old["findings"]:
        del one["headline"]
    again = Analysis.model_validate(old)
    assert [f.headline for f in again.findings] == [f.headline for f in found.findings]
    old["findings"] = [f for f in old["findings"] if f["kind"] != "adjusted_relative_lift"]
    html = unescape(render(Analysis.model_validate(old)))
    assert "Adjusted difference" in html
    assert "Without covariates" in html
    assert "Adjusted relative change" not in html


# Levels and metrics that cannot be adjusted.


def small_level(seed=1):
    rng = np.random.default_rng(seed)
    arm = np.tile(["none", "mail"], 400)
    region = np.array(["north"] * 500 + ["south"] * 276 + ["islet"] * 24)
    before = np.where(region == "islet", 7.0, rng.normal(10, 5, 800))
    revenue = before + rng.normal(0, 3, 800) + np.where(arm == "mail", 1.0, 0.0)
    return {"arm": arm, "region": region, "before": before, "revenue": revenue}


def test_a_level_that_cannot_be_adjusted_stands_as_it_is_with_the_reason(shop):
    found = shop.analysed(small_level(), ASKED)
    plain = pick(found, "difference", level="islet")
    sharp = pick(found, "adjusted_difference", level="islet")
    assert (plain.headline, sharp.headline) == (True, False)
    assert (sharp.estimate, sharp.note) == (None, Note.not_adjusted)
    assert pick(found, "adjusted_difference", level="north").headline
    family = [f for f in found.findings if f.family == "exploratory" and f.headline]
    levels = [f for f in family if f.kind.plain is EstimandKind.difference]
    assert {f.level for f in levels} == {"north", "south", "islet"}
    ranked = sorted(levels, key=lambda f: f.p)
    wanted = [f.p * 3 / (i + 1) for i, f in enumerate(ranked)]
    for i, one in enumerate(ranked):
        assert one.p_adjusted == pytest.approx(min(1.0, *wanted[i:], 1.0))
    html = unescape(render(found))
    key = f'data-key="/findings/{found.findings.index(plain)}/estimate"'
    at = html.index(key, html.index('<h2 id="breakdowns">'))
    assert Note.not_adjusted.value in html[at : at + 2_000]


def test_levels_of_both_kinds_are_compared_with_one_another(shop):
    columns = small_level()
    big = {name: np.tile(values, 5) for name, values in columns.items()}
    big["revenue"] = big["revenue"] + np.random.default_rng(3).normal(0, 1, 4000)
    found = shop.analysed(big, ASKED)
    tests = {t.kind: t for t in found.heterogeneity if t.dimension == "region"}
    assert tests[EstimandKind.adjusted_difference].levels == 3
    led = [f for f in found.findings if f.level in ("north", "south", "islet") and f.headline]
    shrunken = {f.level: f.shrunken for f in led if f.kind.plain is EstimandKind.difference}
    assert None not in shrunken.values()
    sharp = pick(found, "adjusted_difference", level="islet")
    assert sharp.shrunken is None


BINARY = ASKED.replace("primary: revenue", "primary: order").replace("segments: [region]\n", "")


def orders(events, n=1_000, seed=2):
    rng = np.random.default_rng(seed)
    arm = np.repeat(["none", "mail"], n)
    order = np.zeros(2 * n, dtype=np.int64)
    for start, count in zip((0, n), events, strict=True):
        order[start + rng.choice(n, count, replace=False)] = 1
    return {"arm": arm, "order": order, "before": rng.normal(5, 2, 2 * n) + 3 * order}


@pytest.mark.parametrize(("events", "adjusted"), [((40, 60), True), ((40, 29), False)])
def test_a_share_of_few_events_is_not_adjusted_anywhere(shop, events, adjusted):
    found = shop.analysed(orders(events), BINARY)
    kind = "adjusted_difference" if adjusted else "difference"
    told = pick(found, kind)
    assert told.headline
    assert told.method == ("lin" if adjusted else "newcombe")
    values = found.verdict.sentence_parts.values
    assert (values["value"], values["low"]) == (told.estimate, told.low)
    assert found.verdict.arms[0].low == told.low
    sharp = pick(found, "adjusted_difference")
    assert sharp.note is (None if adjusted else Note.few_events)
    change = pick(found, "adjusted_relative_lift" if adjusted else "relative_lift")
    assert change.headline
    assert (pick(found, "adjusted_relative_lift").estimate is None) is not adjusted


GUARDED = (
    ASKED.replace("segments: [region]\n", "") + "metrics: {primary: revenue, guardrails: "
    "{returns: {max_increase: 20%}, claims: {max_increase: 0.2}}}\n"
).replace("metrics: {primary: revenue}\n", "")


def test_guardrails_go_by_the_headline_too(shop):
    rng = np.random.default_rng(4)
    arm = np.tile(["none", "mail"], 500)
    before = rng.normal(10, 4, 1_000) - np.where(arm == "mail", 1.0, 0.0)
    bad = before + rng.normal(0, 0.5, 1_000) + np.where(arm == "mail", 1.0, 0.0)
    columns = {"arm": arm, "revenue": bad, "returns": bad, "claims": bad, "before": before}
    found = shop.analysed(columns, GUARDED)
    checks = {c.name: c for c in found.checks if c.name.startswith("guardrail")}
    claims = pick(found, "adjusted_difference", metric="claims")
    returns = pick(found, "adjusted_relative_lift", metric="returns")
    assert checks["guardrail:claims:mail"].value == claims.estimate
    assert checks["guardrail:claims:mail"].passed is False, "plainly nothing would have changed"
    assert checks["guardrail:returns:mail"].value == returns.estimate


def test_headlined_asks_only_for_the_findings(found):
    bare = [f.model_copy(update={"headline": True}) for f in found.findings]
    assert headlined(bare) == found.findings
