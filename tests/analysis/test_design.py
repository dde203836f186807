"""When, for how long and of how many; profit per customer; and what the hurdle takes."""

from types import MappingProxyType

import pytest
from page_reader import Reader
from plans import make_plan, pick, run

from upliftlab.report.render import render
from upliftlab.results.analysis import Analysis

ROWS = [
    *(("none", i, 0, f"h{i // 2}", spend) for i, spend in enumerate([0, 5, 10, 20, 0, 30] * 5)),
    *(("mail", i, i % 3 != 0, f"m{i // 2}", spend) for i, spend in enumerate([9, 40, 0, 25] * 9)),
]
MONEY = MappingProxyType({"revenue": "spend", "margin": "50%", "contacts": "sent", "hurdle": "20%"})
MAIL = MappingProxyType({"channel": "email", "cost_per_contact": "1 EUR"})


@pytest.fixture
def table(tmp_path):
    rows = [f"{arm}{i},{arm},{int(sent)},{home},{spend}" for arm, i, sent, home, spend in ROWS]
    (tmp_path / "customers.csv").write_text("customer_id,arm,sent,home,spend\n" + "\n".join(rows))
    return tmp_path


def analysed(table, **changes):
    terms = {"arms": {"none": {"control": True}, "mail": dict(MAIL)}, "currency": "EUR"}
    return run(make_plan(money=dict(MONEY), **terms, **changes), table)


def test_who_was_not_reached_is_counted(table):
    found = analysed(table).design
    assert (found.population, found.left_out, found.analysed) == (66, 0, 66)
    assert found.unreached == {"mail": 12}
    assert (found.waves, found.first_start, found.window_days) == (0, None, None)


def test_who_is_left_out_is_counted(table):
    found = analysed(table, exclude="spend = 40").design
    assert (found.population, found.left_out, found.analysed) == (66, 9, 57)


@pytest.mark.parametrize("homes", [False, True])
def test_profit_per_customer_is_profit_over_customers(table, homes):
    unit = {"assignment": {"observed": "arm", "unit": "home"}} if homes else {}
    found = analysed(table, **unit)
    one, total = (pick(found, kind) for kind in ("profit_per_customer", "incremental_profit"))
    assert total.estimate == pytest.approx(36 * 0.5 * (18.5 - 65 / 6) - 24)
    for name in ("estimate", "se", "low", "high"):
        assert getattr(one, name) * 36 == pytest.approx(getattr(total, name), rel=1e-9), name
    assert (one.p, one.family, one.method) == (None, None, total.method)
    assert found.design.unreached == ({} if homes else {"mail": 12})


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            (
                "66 customers analysed, none left out",
                "not reached: 12 of mail",
                (
                    "mail: \N{EURO SIGN}114 incremental profit less 20% of \N{EURO SIGN}24 added "
                    "cost leaves \N{EURO SIGN}109, which the decision rule asks about."
                ),
                "\N{EURO SIGN}3,167 per thousand of them.",
            ),
        ),
        (
            "zh",
            (
                "\u5206\u6790 66 \u4f4d\u5ba2\u6237",
                "mail \u672a\u8054\u7cfb\u5230 12 \u4f4d",
                "\u589e\u91cf\u5229\u6da6 \u20ac114 \u51cf\u53bb",
            ),
        ),
    ],
)
def test_the_page_tells_them(table, lang, said):
    text = " ".join(Reader(render(analysed(table), lang=lang)).visible.split())
    for each in said:
        assert each in text, each


def test_without_a_hurdle_there_is_no_sum(table):
    page = Reader(render(analysed(table, decision={"metric": "spend"}))).visible
    assert "leaves" not in page


def test_an_older_analysis_has_no_facts(table):
    content = analysed(table).model_dump(mode="json", by_alias=True)
    del content["design"]
    older = Analysis.model_validate(content)
    assert 'id="facts"' in render(analysed(table))
    assert 'id="facts"' not in render(older)
