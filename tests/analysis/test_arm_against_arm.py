"""Arms compared with each other where that is declared: `compare`."""

import csv
import io
import re
from html import unescape

import numpy as np
import pytest
from scipy import stats
from shops import Shop

from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.render import render
from upliftlab.results.analysis import Analysis, EstimandKind
from upliftlab.stats.adjust import holm

ASKED = """arms: {none: {control: true}, mail: {cost_per_contact: 1}, letter: {cost_per_contact: 3}, sms: {}}
assignment: {observed: arm}
metrics: {primary: spend, secondary: [visits]}
money: {revenue: spend, margin: 50%}
currency: EUR
"""  # noqa: E501
PAIRS = "compare: [[letter, mail], [sms, letter]]\n"
MEANS = {"none": 10.0, "mail": 12.0, "letter": 15.0, "sms": 10.5}


def customers(n=200):
    rng = np.random.default_rng(8)
    arm = np.repeat(list(MEANS), n)
    noise = rng.normal(0, 4, len(arm))
    spend = np.array([MEANS[a] for a in arm]) + noise
    return {"arm": arm, "spend": spend, "visits": rng.poisson(2, len(arm)).astype(float)}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    with DuckDB(lambda file: root / "data" / file) as engine:
        shop = Shop(root, engine)
        return shop.analysed(customers(), ASKED + PAIRS), shop.analysed(customers(), ASKED)


def of(found, kind, arm, metric=None):
    return next(
        f for f in found.compared if (f.kind, f.arm) == (kind, arm) and metric in (None, f.metric)
    )


def test_a_pair_is_welch_s_comparison_of_the_two(both):
    columns = customers()
    values = {arm: columns["spend"][columns["arm"] == arm] for arm in MEANS}
    for arm, other in (("letter", "mail"), ("sms", "letter")):
        told = of(both[0], "difference", arm, "spend")
        assert told.control == other
        book = stats.ttest_ind(values[arm], values[other], equal_var=False)
        assert told.estimate == pytest.approx(values[arm].mean() - values[other].mean())
        assert told.p == pytest.approx(book.pvalue, rel=1e-9)
        ends = book.confidence_interval(0.95)
        assert (told.low, told.high) == pytest.approx((ends.low, ends.high), rel=1e-9)
        assert (told.n_treated, told.n_control) == (200, 200)


def test_money_is_what_the_first_earned_beyond_the_second(both):
    """Letters cost 3 and mail 1, so profit is 200 · (½Δspend − 2) and ROI its share of 400."""
    difference = of(both[0], "difference", "letter", "spend").estimate
    profit, roi = of(both[0], "incremental_profit", "letter"), of(both[0], "roi", "letter")
    assert profit.estimate == pytest.approx(200 * (difference / 2 - 2))
    assert roi.estimate == pytest.approx(profit.estimate / 400)


def test_pairs_are_a_family_of_their_own(both):
    found, without = both
    assert {f.family for f in found.compared} == {"compared", None}
    pair = [of(found, "difference", arm, "spend") for arm in ("letter", "sms")]
    assert [f.p_adjusted for f in pair] == pytest.approx(holm([f.p for f in pair]))
    assert found.findings == without.findings
    assert found.verdict == without.verdict
    assert found.heterogeneity == without.heterogeneity
    assert without.compared == ()


def test_pairs_are_adjusted_for_covariates(shop):
    columns = customers()
    noise = columns["spend"] - [MEANS[arm] for arm in columns["arm"]]
    columns["before"] = noise + np.random.default_rng(2).normal(0, 2, 800)
    found = shop.analysed(columns, ASKED + PAIRS + "analysis: {covariates: [before]}\n")
    sharp = of(found, "adjusted_difference", "letter", "spend")
    plain = of(found, "difference", "letter", "spend")
    assert (sharp.headline, plain.headline, plain.family) == (True, False, None)
    assert sharp.se < plain.se
    assert "Without covariates" in render(found).split('id="compared"')[1]


def test_skewed_money_of_two_arms_is_dealt_anew(shop):
    """Arms of 900 and 60 beside a control of 240: the pair alone is the most skewed."""
    rng = np.random.default_rng(6)
    arm = np.repeat(["none", "mail", "letter"], [240, 900, 60])
    spend = np.where(rng.random(1200) < 0.3, rng.lognormal(2, 1, 1200), 0)
    asked = """arms: {none: {control: true}, mail: {}, letter: {}}
assignment: {observed: arm}
metrics: {primary: spend}
compare: [[letter, mail]]
"""
    found = shop.analysed({"arm": arm, "spend": spend}, asked)
    assert of(found, "difference", "letter").method == "welch+permutation"


def test_the_page_has_a_table_of_its_own(both):
    for lang, head in (("en", "Arm against arm"), ("zh", "组别之间的比较")):
        html = unescape(render(both[0], lang=lang))
        part = html.split('id="compared"')[1].split("</section>")[0]
        assert head in part
        assert ("letter against mail" if lang == "en" else "letter 对比 mail") in part
        for arm in ("letter", "sms"):
            at = both[0].compared.index(of(both[0], EstimandKind.difference, arm, "spend"))
            assert f'data-key="/compared/{at}/estimate"' in part
            assert f'data-key="/compared/{at}/p_adjusted"' in part
    assert 'id="compared"' not in render(both[1])


def test_tables_of_pairs_speak_of_arms_and_not_of_the_control(both):
    part = unescape(render(both[0])).split('id="compared"')[1].split("</section>")[0]
    hints = set(re.findall(r'class="hint">([^<]*)<', part))
    assert "first / second arm" in hints
    assert {"first arm minus second", "against the second arm's mean"} <= hints
    assert not [hint for hint in hints if "control" in hint]


def test_json_frame_and_spreadsheet_hold_them(both):
    found = both[0]
    again = Analysis.model_validate_json(to_json(found))
    assert [f.kind for f in again.compared] == [f.kind for f in found.compared]
    assert set(found.to_frame("compared")["control"]) == {"mail", "letter"}
    rows = list(csv.DictReader(io.StringIO(to_csv(found).decode("utf-8-sig"))))
    assert sum(row["control"] in ("mail", "letter") for row in rows) == len(found.compared)


def test_nothing_of_a_pair_is_shown_where_a_check_failed(shop):
    columns = customers()
    kept = (columns["arm"] != "letter") | (np.arange(800) % 3 == 0)
    found = shop.analysed({name: v[kept] for name, v in columns.items()}, ASKED + PAIRS)
    assert found.verdict.code == "INVALID"
    assert found.compared
    assert {f.estimate for f in found.compared} == {None}
    assert 'id="compared"' not in render(found)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("[[mail, none]]", "'none' is the control"),
        ("[[mail, leter]]", "did you mean 'letter'?"),
        ("[[mail, mail]]", "compared with itself"),
        ("[[mail, letter], [letter, mail]]", "are compared twice"),
    ],
)
def test_a_pair_that_cannot_be_compared_is_refused_at_its_line(shop, pairs, message):
    shop.table("customers", {"id": np.arange(800), **customers()})
    with pytest.raises(Exception, match="UL163") as caught:
        shop.plan(ASKED + f"compare: {pairs}\n")
    assert message in str(caught.value)
    assert "experiment.yaml:9" in str(caught.value)
