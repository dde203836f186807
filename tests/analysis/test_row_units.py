"""What rows and groups of customers are, where the YAML says that customers were assigned."""

from datetime import date, timedelta

import numpy as np
import pytest
from plans import make_plan, run
from shops import ARMS, NOW

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.errors import DataError

MONDAY = date(2026, 3, 2)


def checked(folder, text, name, **changes):
    (folder / "customers.csv").write_text(text)
    found = run(make_plan(**changes), folder)
    return [c for c in found.checks if c.name.partition(":")[0] == name]


def lines(head, rows):
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


def by_arm(values, start=7):
    """Each value once an arm, with some spend."""
    return [
        (value, arm, start + (3 * at + len(arm)) % 5)
        for at, value in enumerate(values)
        for arm in ("none", "mail")
    ]


def days(n, step=1):
    return [MONDAY + timedelta(step * at) for at in range(n)]


@pytest.mark.parametrize("step", [1, 7])
def test_a_row_for_each_day_of_each_arm_is_no_customer(tmp_path, step):
    (check,) = checked(tmp_path, lines("day,arm,spend", by_arm(days(14, step))), "rows_of")
    assert check.passed is False
    assert "is a day (day), not a customer" in check.message
    assert "aggregated" in check.message


def test_ids_that_are_days_are_no_customers(tmp_path):
    rows = [(day, "mail" if at % 2 else "none", at % 5) for at, day in enumerate(days(20))]
    rows = [row for at, row in enumerate(rows) if at % 7]  # not every day
    source = {"file": "customers.csv", "id": "when"}
    (check,) = checked(tmp_path, lines("when,arm,spend", rows), "rows_of", customers=source)
    assert "is a day (when)" in check.message


@pytest.mark.parametrize(("cities", "few"), [(12, True), (30, False)])
def test_a_row_a_city_is_no_customer_unless_there_are_many(tmp_path, cities, few):
    names = [f"city {at}" for at in range(cities)]
    told = checked(tmp_path, lines("city,arm,spend", by_arm(names)), "rows_of")
    assert bool(told) is few
    assert all("is one city, not a customer: 24 of them" in check.message for check in told)


@pytest.mark.parametrize(
    ("head", "source"),
    [
        ("day,arm,spend,customer", {}),  # each row says whose it is
        ("joined,arm,spend,day", {}),  # no run of days
        ("number,arm,spend,city", {"id": "number"}),
    ],
)
def test_customers_with_a_day_or_a_city_are_customers(tmp_path, head, source):
    rng = np.random.default_rng(5)
    joined = [MONDAY + timedelta(int(at)) for at in rng.choice(400, 30, replace=False)]
    first = days(30) if "customer" in head else joined if "joined" in head else range(30)
    last = joined if head.endswith(",day") else [f"x{at}" for at in range(30)]
    rows = [(first[at], "mail" if at % 2 else "none", at % 5, last[at]) for at in range(30)]
    told = checked(
        tmp_path, lines(head, rows), "rows_of", customers={"file": "customers.csv", **source}
    )
    assert told == []


def households(whole, n=60, size=3):
    rng = np.random.default_rng(3)
    rows = []
    for house in range(n):
        arms = rng.choice(["none", "mail"], size)
        for at in range(size):
            arm = arms[0] if whole else arms[at]
            rows.append((f"h{house}", f"c{house}-{at}", arm, (7 * house + at) % 9))
    return lines("household_id,id,arm,spend", rows)


BY_ID = {"file": "customers.csv", "id": "id"}


def test_households_in_one_arm_each_were_assigned_whole(tmp_path):
    (check,) = checked(tmp_path, households(whole=True), "together", customers=BY_ID)
    assert (check.name, check.passed) == ("together:household_id", False)
    assert "Of 60 values of household_id with several customers, 60 lie in one arm" in check.message
    assert "assignment: {observed: arm, unit: household_id}" in check.message


def test_households_over_both_arms_were_not(tmp_path):
    assert checked(tmp_path, households(whole=False), "together", customers=BY_ID) == []


def test_what_is_declared_as_the_unit_is_not_asked_about(tmp_path):
    asked = {"observed": "arm", "unit": "household_id"}
    told = checked(tmp_path, households(whole=True), "together", customers=BY_ID, assignment=asked)
    assert told == []


def test_the_id_of_a_household_is_told_from_a_customer_s(tmp_path):
    source = {"file": "customers.csv", "id": "household_id"}
    with pytest.raises(DataError) as refused:
        checked(tmp_path, households(whole=True), "together", customers=source)
    (fault,) = map(str, refused.value.faults)
    assert fault.startswith(
        "UL213 'household_id' repeats in 120 of 180 rows, each with another 'id'"
    )
    assert "'id: id'; where whole groups of one 'household_id' were assigned" in fault
    assert "'assignment: {unit: household_id}'" in fault


def test_without_a_customer_s_id_the_household_is_the_unit(tmp_path):
    text = "\n".join(
        ",".join(part for at, part in enumerate(line.split(",")) if at != 1)
        for line in households(whole=True).splitlines()
    )
    source = {"file": "customers.csv", "id": "household_id"}
    with pytest.raises(
        DataError, match=r"leave 'id' out and write 'assignment: \{unit: household_id\}"
    ):
        checked(tmp_path, text, "together", customers=source)
    asked = {"observed": "arm", "unit": "household_id"}
    assert checked(tmp_path, text, "together", assignment=asked) == []


ASKED = f"{ARMS}\nassignment: {{observed: arm}}\nmetrics: {{primary: spend}}\n"


def names(analysis):
    return {c.name for c in analysis.checks} & {"rows_of:id", "together:store"}


def test_days_and_stores_are_found_wherever_tables_lie(anywhere):
    arm = np.array(["none", "mail"])[np.arange(40) // 10 % 2]
    columns = {"arm": arm, "spend": np.arange(40) % 7, "store": np.arange(40) // 2}
    assert names(anywhere.analysed(columns, ASKED)) == {"together:store"}
    anywhere.table("customers", {"id": days(40), "arm": arm, "spend": np.arange(40) % 7})
    context = AnalysisContext(anywhere.engine, NOW)
    assert names(analyze(anywhere.plan(ASKED), context)) == {"rows_of:id"}
