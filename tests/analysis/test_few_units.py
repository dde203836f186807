"""Arms and levels of few units: named, and without an interval where single values decide."""

import pytest
from plans import make_plan, pick, run

from upliftlab.results.analysis import Note, Severity, VerdictCode

HEADER = "arm,spend,area\n"
MANY = "mail,0,n\nmail,3,n\nnone,0,n\nnone,2,n\nmail,0,s\nmail,1,s\nnone,0,s\nnone,4,s\n" * 15
UNEVEN = ["0", "0", "0", "0", "0", "0", "400"]


def found(folder, rows, **plan):
    (folder / "customers.csv").write_text(HEADER + rows)
    return run(make_plan(**plan), folder)


def named(analysis):
    return {c.name: c for c in analysis.checks if c.name.startswith("few_units")}


def level(values, arms=("mail", "none")):
    return "".join(f"{arm},{value},e\n" for arm in arms for value in values)


@pytest.mark.parametrize(("units", "few"), [(9, True), (10, False)])
def test_a_level_is_named_where_an_arm_has_fewer_than_ten(tmp_path, units, few):
    rows = MANY + level(["1"] * 20, ["mail"]) + level(["1"] * units, ["none"])
    checks = named(found(tmp_path, rows, segments=["area"]))
    assert (list(checks) == ["few_units:area"]) is few
    if few:
        assert "fewer than 10 units: e." in checks["few_units:area"].message
        assert checks["few_units:area"].severity is Severity.info


def test_a_level_of_few_with_a_single_purchase_has_an_estimate_and_a_reason(tmp_path):
    rows = MANY + level(UNEVEN, ["mail"]) + level(["0"] * 7, ["none"])
    analysis = found(tmp_path, rows, segments=["area"])
    here = pick(analysis, "difference", dimension="area", level="e")
    assert here.estimate == pytest.approx(400 / 7)
    assert (here.low, here.high, here.p) == (None, None, None)
    assert here.note is Note.few_expected
    assert "permutation" not in here.method


def test_a_level_of_few_who_differ_evenly_keeps_its_interval(tmp_path):
    even = [str(value) for value in (4, 5, 6, 7, 8, 9, 10)]
    analysis = found(tmp_path, MANY + level(even), segments=["area"])
    here = pick(analysis, "difference", dimension="area", level="e")
    assert here.note is None
    assert here.low < 0 < here.high


def test_an_arm_of_few_is_a_warning_and_does_not_decide(tmp_path):
    rows = level(["0"] * 75 + ["9"] * 5, ["none"]) + level(UNEVEN, ["mail"])
    arms = {"none": {"control": "true", "share": "92%"}, "mail": {"share": "8%"}}
    analysis = found(tmp_path, rows, arms=arms)
    check = named(analysis)["few_units:mail"]
    assert (check.severity, check.passed, check.value) == (Severity.warning, False, 7)
    assert pick(analysis, "difference").note is Note.few_expected
    assert analysis.verdict.code is VerdictCode.inconclusive
    skew = next(c for c in analysis.checks if c.name.startswith("skewness"))
    assert "too few purchases or other events to deal anew" in skew.message
