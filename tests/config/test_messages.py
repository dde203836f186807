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
        ("layers: {}", "UL012 unknown key 'layers'; 'layers' belongs in configs/program.yaml"),
        ("metrics: {primary: a, xyzzy: 1}", "in 'metrics'; remove it; keys here are guardrails"),
        ("metrics: {}", "UL013 the key 'primary' is missing in 'metrics'; add 'primary: …'"),
        ("metrics: spent", "UL014 'metrics' needs keys below it; such as primary"),
        ("metrics: {primary: [a]}", "UL014 'primary': one name is expected here"),
        ("waves: 2026-03-02", "UL014 'waves' is a list; write it in square brackets"),
        ("arms: {a: {control: true}}", "UL014 'arms' needs at least 2 entries"),
        ("arms: [a, b]", "UL014 'arms' needs names with values below it"),
        ("engine: postgrs", "'postgrs' is not one of duckdb, spark, postgres; did you mean 'postg"),
        ("currency: usd", "UL014 'currency': 'usd' is not a currency; write three capitals: EUR"),
        ("schema: 2", "UL014 'schema': '2' is not one of 1"),
        ("title: [a]", "UL014 'title' is one text"),
        ("arms: {a: {control: yes}, b: {}}", "'yes' is neither true nor false; write true"),
        ("arms: {a: {share: 40}, b: {}}", "40 is not between 0% and 100%; did you mean 40%?"),
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


def test_places_within_an_experiment(space):
    part = "waves:\n  - {start: 2026-03-02, share: 50%}\n  - {start: soon,   share: 50%}"
    (fault,) = space.check(part)
    assert fault.startswith("experiments/example.yaml:9:13: UL014 'start': 'soon' is not a date")


def test_all_faults_of_all_files_in_a_fixed_order(space):
    space.write("experiments/second.yaml", space.experiment("experiment: b\ncurrncy: EUR"))
    found = space.check("titel: A\nowner:", channels="channels: {a: {x: 1}}", metrics="metric: {}")
    places = [fault.split(" ")[0] + fault.split(" ")[1] for fault in found]
    assert [place.rpartition(":")[2] for place in places] == [
        *("UL012", "UL012", "UL013", "UL012", "UL009", "UL012"),
    ]
    assert found == space.check()
    assert places[0].startswith("configs/channels.yaml")
    assert places[-1].startswith("experiments/second.yaml")


def test_no_value_is_reported_once(space):
    (fault,) = space.check("metrics: {primary: }")
    assert "UL009" in fault


def test_secrets_are_not_echoed(space):
    (fault,) = space.check("engine: {name: postgres, connection: [hunter2]}")
    assert "hunter2" not in fault


def test_environment_outside_connections(space):
    (fault,) = space.check("money: {revenue: spent, margin: '${env:MARGIN}'}")
    assert "UL016" in fault
    assert space.check("engine: {connection: '${env:PASSWORD}'}") == []
