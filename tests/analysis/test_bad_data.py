"""Data that are not what the plan says: a clear fault or a finding with its reason, never a lie."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plans import make_plan, pick, run

from upliftlab.config.models import Segment
from upliftlab.errors import DataError, UpliftLabError
from upliftlab.results.analysis import Note, VerdictCode

HEADER = "arm,spend,area\n"
GOOD = "none,0,n\nnone,4,s\nmail,3,n\nmail,5,s\n"


def write(folder: Path, text: str) -> Path:
    (folder / "customers.csv").write_text(text, encoding="utf-8")
    return folder


def refusal(folder: Path, text: str, **changes: object) -> list[str]:
    with pytest.raises(UpliftLabError) as caught:
        run(make_plan(**changes), write(folder, text))
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "none,1,n\nmail,2\n",
            "UL262 line 3 of customers.csv has 2 cells, and line 1 names 3",
        ),
        (
            'none,1,n\nmail,"2,s\n',
            'UL263 line 3 of customers.csv: the quote sign " that',
        ),
        (GOOD + "mail,abc,n\n", "1 hold text such as 'aaa'"),
        (GOOD + "mail,,n\nnone,,s\n", "UL206 column 'spend' has values that are no numbers: 2 are"),
        (GOOD + "mail,NaN,n\n", "1 hold NaN or infinity"),
        (GOOD + "mail,inf,n\n", "1 hold NaN or infinity"),
        (GOOD + "mial,1,n\n", "UL209 the data hold an arm 'mial' (1 customer)"),
        ("none,0,n\nnone,1,s\n", "UL210 the data hold no customer of arm 'mail'"),
        (GOOD + ",1,n\n", "UL208 1 customer has no arm"),
        ("", "UL207 the data hold no customers"),
    ],
)
def test_rows(tmp_path, rows, expected):
    (fault,) = refusal(tmp_path, HEADER + rows)
    assert expected in fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "UL202 customers.csv is empty"),
        ("arm,spend,spend\n", "UL202 customers.csv has two columns 'spend'"),
        (
            "arm,spent\nnone,1\n",
            "UL205 the data have no column 'spend' (metric 'spend'); did you mean 'spent'?",
        ),
        ("group,spend\nnone,1\n", "UL205 the data have no column 'arm' (assignment)"),
    ],
)
def test_headers(tmp_path, text, expected):
    (fault,) = refusal(tmp_path, text)
    assert expected in fault


def test_every_wrong_column_is_named_at_once(tmp_path):
    text = "arm,spend,visits\nnone,a,1\nnone,1,x\nmail,1,1\nmail,,1\n"
    faults = refusal(tmp_path, text, metrics={"primary": "spend", "secondary": ["visits"]})
    assert [fault.split("'")[1] for fault in faults] == ["spend", "visits"]
    assert "1 are empty, 1 hold text such as 'a'" in faults[0]


def test_bytes_that_are_not_utf8(tmp_path):
    (tmp_path / "customers.csv").write_bytes(b"arm,spend\nnone,1\nm\xff,2\n")
    with pytest.raises(DataError, match=r"UL261 line 3 of customers.csv is no text in UTF-8"):
        run(make_plan(), tmp_path)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"UL201 no file in .* is called customers\.csv; .*--data"):
        run(make_plan(), tmp_path)


@pytest.mark.parametrize("content", [b"PAR1", b"", b"not parquet at all"])
def test_a_broken_parquet_file(tmp_path, content):
    (tmp_path / "customers.parquet").write_bytes(content)
    with pytest.raises(DataError, match="UL226"):
        run(make_plan(customers={"file": "customers.parquet"}), tmp_path)


def test_a_truncated_gzip_file(tmp_path):
    packed = gzip.compress((HEADER + GOOD * 20_000).encode())
    (tmp_path / "customers.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match="UL226"):
        run(make_plan(customers={"file": "customers.csv.gz"}), tmp_path)


def test_a_date_is_no_metric(tmp_path):
    table = pa.table({"arm": ["none", "mail"], "spend": pa.array([1, 2], pa.date32())})
    pq.write_table(table, tmp_path / "customers.parquet")
    with pytest.raises(DataError, match="UL206 column 'spend' holds no numbers"):
        run(make_plan(customers={"file": "customers.parquet"}), tmp_path)


def test_null_and_nan_in_parquet(tmp_path):
    table = pa.table({"arm": ["none", "mail", "mail"], "spend": [None, float("nan"), 1.0]})
    pq.write_table(table, tmp_path / "customers.parquet")
    with pytest.raises(DataError, match="1 are empty, 1 hold NaN or infinity"):
        run(make_plan(customers={"file": "customers.parquet"}), tmp_path)


def test_a_segment_with_too_many_levels(tmp_path):
    rows = "".join(f"{'none' if i % 2 else 'mail'},1,{i}\n" for i in range(900))
    (fault,) = refusal(tmp_path, HEADER + rows, segments=["area"])
    assert "UL211 segment 'area' has more than 200 levels" in fault


def test_a_customer_twice(tmp_path):
    text = "id,arm,spend\n1,none,1\n1,mail,2\n2,mail,1\n"
    source = {"file": "customers.csv", "id": "id"}
    assert "UL213 'id' repeats in 1 of 3 rows" in refusal(tmp_path, text, customers=source)[0]
    (fault,) = refusal(tmp_path, text + ",mail,1\n", customers=source)
    assert "UL212 1 row has no 'id'" in fault


def test_no_arm_column_declared(tmp_path):
    assert "UL302" in refusal(tmp_path, HEADER + GOOD, assignment=None)[0]


def test_one_customer_in_a_cell_is_a_reason_not_a_number(tmp_path):
    rows = GOOD * 2 + "mail,9,lonely\nnone,1,lonely\nnone,2,lonely\n" + "mail,1,alone\n" * 2
    found = run(make_plan(segments=["area"]), write(tmp_path, HEADER + rows))
    assert {m.level for m in found.moments if m.dimension} == {"n", "s", "(other)"}
    both = pick(found, "difference", dimension="area", level="(other)")
    assert (both.n_treated, both.n_control, both.note) == (3, 2, Note.few_expected)
    rows = GOOD * 2 + "mail,1,alone\nmail,2,alone\n"
    found = run(make_plan(segments=["area"]), write(tmp_path, HEADER + rows))
    alone = pick(found, "difference", dimension="area", level="alone")
    assert (alone.n_control, alone.estimate, alone.note) == (0, None, Note.few_control)


def test_all_zero_outcomes(tmp_path):
    rows = "none,0,n\n" * 5 + "mail,0,n\n" * 5
    found = run(
        make_plan(money={"revenue": "spend", "margin": "40%"}), write(tmp_path, HEADER + rows)
    )
    spend = pick(found, "difference")
    assert (spend.estimate, spend.low, spend.p, spend.note) == (0.0, None, None, Note.no_variation)
    assert pick(found, "relative_lift").note is Note.zero_control
    assert pick(found, "roi").note is Note.zero_cost
    assert found.verdict.code is VerdictCode.inconclusive
    assert "cannot be judged" in found.verdict.sentence


def test_missing_levels_are_a_level(tmp_path):
    found = run(
        make_plan(segments=["area"]), write(tmp_path, HEADER + (GOOD + "mail,1,\nnone,1,\n") * 2)
    )
    assert pick(found, "difference", dimension="area", level="(missing)").n_treated == 2
    assert sum(m.n for m in found.moments if m.dimension == "area") == 12


def test_hostile_names_are_only_names(tmp_path):
    column = 'a"; DROP TABLE customers; --'
    text = f'"{column.replace(chr(34), chr(34) * 2)}",spend\n' + "x'),1\nx'),2\ny,3\ny,4\n"
    found = run(
        make_plan(assignment={"observed": column}, arms={"x')": {"control": "true"}, "y": {}}),
        write(tmp_path, text),
    )
    assert pick(found, "difference", "y").estimate == pytest.approx(2.0)


def test_codes_that_look_like_numbers_stay_text(tmp_path):
    rows = "none,1,01234\nmail,2,01234\nnone,1,010\nmail,2,1e3\n" * 2
    found = run(make_plan(segments=["area"]), write(tmp_path, HEADER + rows))
    assert {m.level for m in found.moments if m.dimension == "area"} == {"01234", "010", "1e3"}


def test_eligible_leaves_out_the_others(tmp_path):
    text = "arm,spend,age\nnone,1,20\nnone,2,30\nmail,3,40\nmail,5,50\nmail,900,10\n"
    found = run(make_plan(eligible="age >= 20"), write(tmp_path, text))
    assert pick(found, "difference").n_treated == 2
    assert "UL205" in refusal(tmp_path, text, eligible="ages > 1")[0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("none,1,20\nnone,2,40\nmail,3,20\nmail,5,40\n" * 2, None),
        (
            "none,1,20\nnone,2,x\nmail,3,20\nmail,5,y\n",
            "such as 'a' in 2 rows; it cannot be banded",
        ),
    ],
)
def test_bands(tmp_path, rows, expected):
    plan = make_plan(segments=["age"])
    banded = Segment(column="age", bands=(30,))
    plan = plan.model_copy(update={"segments": {"age": banded}})
    write(tmp_path, "arm,spend,age\n" + rows)
    if expected is None:
        found = run(plan, tmp_path)
        assert {m.level for m in found.moments if m.dimension} == {"below 30", "30 and above"}
        return
    with pytest.raises(DataError, match=expected):
        run(plan, tmp_path)


def test_dates_are_not_banded(tmp_path):
    table = pa.table(
        {"arm": ["none", "mail"], "spend": [1, 2], "age": pa.array([1, 2], pa.date32())}
    )
    pq.write_table(table, tmp_path / "customers.parquet")
    plan = make_plan(customers={"file": "customers.parquet"}, segments=["age"])
    plan = plan.model_copy(update={"segments": {"age": Segment(column="age", bands=(30,))}})
    with pytest.raises(DataError, match=r"UL206 column 'age' holds no numbers \(bands\)"):
        run(plan, tmp_path)


def test_eligible_over_csv_reads_numbers_dates_and_flags(tmp_path):
    text = (
        "arm,spend,since,opt_in,zip\n"
        "none,1,2025-01-01,true,010\nnone,2,2025-02-01,true,010\n"
        "mail,3,2025-03-01,true,010\nmail,5,2025-04-01,true,010\n"
        "mail,900,2025-05-01,false,010\nmail,900,2020-01-01,true,010\nmail,900,2025-01-01,true,10\n"
    )
    rule = "opt_in and since >= date '2025-01-01' and zip = '010' and -spend + 0 < 1"
    found = run(make_plan(eligible=rule), write(tmp_path, text))
    assert pick(found, "difference").n_treated == 2
    (fault,) = refusal(tmp_path, text.replace("2025-04-01", "May"), eligible=rule)
    assert "UL214" in fault
    assert "Aaa" in fault


def test_households_randomised_whole_are_refused(tmp_path):
    source = {"file": "customers.csv", "household": "home"}
    whole = "arm,spend,home\nnone,1,a\nnone,2,a\nmail,3,b\nmail,5,b\n"
    assert "UL305" in refusal(tmp_path, whole, customers=source)[0]
    mixed = "arm,spend,home\nnone,1,a\nmail,2,a\nmail,3,b\nnone,5,b\n"
    assert pick(run(make_plan(customers=source), write(tmp_path, mixed)), "difference").estimate


def test_a_column_cannot_be_counted_up_to_a_look(tmp_path):
    (fault,) = refusal(tmp_path, HEADER + GOOD, analysis={"looks": ["7 days"]})
    assert "UL303 'spend' is a column" in fault


def test_constant_groups_that_differ_have_no_interval(tmp_path):
    found = run(make_plan(), write(tmp_path, HEADER + "none,0,n\n" * 5 + "mail,2,n\n" * 5))
    spend = pick(found, "difference")
    assert (spend.estimate, spend.low, spend.note) == (2.0, None, Note.no_variation)


def test_a_share_of_all_against_none_has_newcombes_interval(tmp_path):
    found = run(make_plan(), write(tmp_path, HEADER + "none,0,n\n" * 5 + "mail,1,n\n" * 5))
    spend = pick(found, "difference")
    assert (spend.estimate, spend.method) == (1.0, "newcombe")
    assert 0.3 < spend.low < spend.high <= 1


def test_an_arm_that_saves_has_no_roi(tmp_path):
    arms = {"none": {"control": "true", "cost_per_contact": "1"}, "mail": {"channel": "email"}}
    money = {"revenue": "spend", "margin": "100%"}
    found = run(make_plan(arms=arms, money=money), write(tmp_path, HEADER + GOOD))
    assert pick(found, "roi").note is Note.zero_cost
    assert pick(found, "incremental_profit").estimate == pytest.approx(2 * (4 - 2 + 1))
