"""Refusals: exact place, plain words, a remedy; nothing of pydantic's own."""

import pytest


def test_the_documented_message(space):
    text = "# channels\n\n\nschema: 1\nchannels:\n  email:\n    cost_per_contct: 0.02\n"
    (fault,) = space.check(channels=text)
    assert fault == (
        "configs/channels.yaml:7:5: UL012 unknown key 'cost_per_contct' in channel 'email'; "
        "did you mean 'cost_per_contact'?"
    )


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("strata: [a]", "UL012 unknown key 'strata'; 'strata' belongs under 'assignment'"),
        (
            "customers: {file: a.csv, format: {decimal: comma}}",
            "UL014 'decimal': 'comma' is not one of '.', ','; write one of '.', ','",
        ),
        ("layers: {}", "UL012 unknown key 'layers'; 'layers' belongs in configs/program.yaml"),
        (
            "metrics: {primary: a, xyzzy: 1}",
            "in 'metrics'; remove it; keys here are contacted, define, gua",
        ),
        ("metrics: {}", "UL013 the key 'primary' is missing in 'metrics'; add 'primary: …'"),
        ("metrics: spent", "UL014 'metrics' needs keys below it; such as primary"),
        ("metrics: {primary: [a]}", "UL014 'primary': one name is expected here"),
        ("waves: 2026-03-02", "UL014 'waves' is a list; write it in square brackets"),
        ("arms: {a: {control: true}}", "UL014 'arms' needs at least 2 entries"),
        ("arms: [a, b]", "UL014 'arms' needs names with values below it"),
        ("engine: postgrs", "'postgrs' is not one of duckdb, spark, postgres; did you mean 'postg"),
        ("currency: usd", "UL014 'currency': 'usd' is not a currency; write three capitals: USD"),
        ("schema: 2", "UL014 'schema': '2' is not one of 1"),
        ("title: [a]", "UL014 'title': a title is a text, or one by language"),
        ("arms: {a: {control: yes}, b: {}}", "'yes' is neither true nor false; write true"),
        (
            "arms: {a: {control: true, share: 40}, b: {share: 60%}}",
            "40 is not between 0% and 100%; did you mean 40%?",
        ),
        ("analysis: {looks: [1 month]}", "UL014 entry 1 of 'looks': '1 month' is not a duration"),
        ("customers: {id: a}", "UL015 'customers': a source needs 'file' or 'table'"),
        ("assignment: {observed: a, salt: b}", "UL015 'assignment': 'observed' excludes salt"),
        ("outcome_window: 999999999999 days", "UL014 'outcome_window'"),
        ("decision: {ship_if: lower > zero}", "UL121 'lower > zero' is not a rule"),
        ("eligible: age > 18 -- adults", "UL020 a comment is not allowed in a condition"),
    ],
)
def test_plain_words(space, part, expected):
    (fault,) = space.check(part)
    assert expected in fault
    for jargon in ("pydantic", "http", "Input should", "tuple", "dictionary", "Value error", "str"):
        assert jargon not in fault.replace("strata", "")


@pytest.mark.parametrize(
    ("amount", "remedy"),
    [
        ("1.500 EUR", "can be read in two ways; write 1500 EUR or 1.50 EUR"),
        ("12.345", "can be read in two ways; write 12345 or 12.3450"),
        ("250.000 EUR", "can be read in two ways; write 250000 EUR or 250.00 EUR"),
        ("'1,500 EUR'", "can be read in two ways; write 1500 EUR or 1.50 EUR"),
        ("'1,50 EUR'", "is not an amount such as 500 EUR or 0.10; write 1.50 EUR"),
        ("'1.500,00 EUR'", "write 1500.00 EUR"),
        ("'1,500,000.5'", "write 1500000.5"),
        ("1.500.000 EUR", "write 1500000 EUR"),
        ("1,50 EUR", "the comma of '1,50 EUR' ends the value here; write 1.50 EUR"),
        ("1__0 EUR", "is not an amount such as 500 EUR or 0.10"),
        ("15_00 EUR", "is not an amount such as 500 EUR or 0.10"),
        ("1_500_ EUR", "is not an amount such as 500 EUR or 0.10"),
        ("1,500", "the comma of '1,500' ends the value here; write 1500 or 1.50"),
    ],
)
def test_an_amount_is_written_in_one_way(space, amount, remedy):
    part = f"currency: EUR\nmoney: {{revenue: spent, margin: 40%, fixed_cost: {{email: {amount}}}}}"
    (fault,) = space.check(part)
    assert fault.startswith("experiments/example.yaml:8:58: UL014 ")
    assert fault.endswith(remedy)


def test_a_decimal_comma_outside_braces(space):
    (fault,) = space.check("money:\n  revenue: spent\n  margin: 33,3%")
    assert fault.endswith("'33,3%' is not a percentage such as 40% or 0.4; write 33.3%")


@pytest.mark.parametrize(
    "amount",
    ["0.125", "0.025 EUR", "1.5", "1.50 EUR", "1.2340 EUR", "1500.125", "1_500 EUR", "1_500_000.5"],
)
def test_a_clear_amount_is_taken(space, amount):
    costs = f"{{email: {amount}}}"
    part = f"currency: EUR\nmoney: {{revenue: spent, margin: 40%, fixed_cost: {costs}}}"
    assert space.check(part) == []


def test_an_empty_key_that_is_no_part_of_a_number_is_what_it_was(space):
    (fault,) = space.check("money: {revenue: spent, margin: 1, 50: }")
    assert "UL009 '50' has no value" in fault


def test_places_within_an_experiment(space):
    part = "waves:\n  - {start: 2026-03-02, share: 50%}\n  - {start: soon,   share: 50%}"
    (fault,) = space.check(part)
    assert fault.startswith("experiments/example.yaml:9:13: UL014 'start': 'soon' is not a date")


def test_all_faults_of_all_files_in_a_fixed_order(space):
    space.write("experiments/second.yaml", space.experiment("experiment: b\ncurrncy: EUR"))
    found = space.check("titel: A\nowner:", channels="channels: {a: {x: 1}}", metrics="metric: {}")
    places = [fault.split(" ")[0] + fault.split(" ")[1] for fault in found]
    assert [place.rpartition(":")[2] for place in places] == [
        *("UL012", "UL012", "UL012", "UL009", "UL012"),
    ]
    assert found == space.check()
    assert places[0].startswith("configs/channels.yaml")
    assert places[-1].startswith("experiments/second.yaml")


@pytest.mark.parametrize("key", ["folds: 1", "repeats: 99", "sample: 0", "holdout: 100%"])
def test_a_fault_of_one_key_stands_at_that_key(space, key):
    (fault,) = space.check(f"uplift:\n  features: [age]\n  {key}")
    assert fault.startswith("experiments/example.yaml:9:3: UL015 'uplift': ")


def test_an_unknown_key_hides_no_later_fault(space):
    part = "money: {revenue: spent, margin: 40%, hurdel: 10%}\neligible: '[foo'\nsegments: [a, a]"
    codes = [fault.split()[1] for fault in space.check(part)]
    assert sorted(codes) == ["UL012", "UL020", "UL109"]


def test_no_value_is_reported_once(space):
    (fault,) = space.check("metrics: {primary: }")
    assert "UL009" in fault


def test_secrets_are_not_echoed(space):
    (fault,) = space.check("engine: {name: postgres, connection: [hunter2]}")
    assert "hunter2" not in fault


def test_environment_outside_connections(space):
    (fault,) = space.check("money: {revenue: spent, margin: '${env:MARGIN}'}")
    assert "UL016" in fault
    setting = "dbname=crm password=${env:PASSWORD}"
    assert space.check(f"engine: {{name: postgres, connection: '{setting}'}}") == []
    for engine in ("duckdb", "spark"):
        (fault,) = space.check(f"engine: {{name: {engine}, connection: '{setting}'}}")
        assert "UL016" in fault


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory"])
def test_a_zone_of_one_machine_is_no_time_zone(space, zone):
    space.write("configs/program.yaml", f"time_zone: {zone}\n")
    (fault,) = space.check("")
    assert "UL136" in fault
    assert fault.endswith("write one such as Europe/Berlin")
