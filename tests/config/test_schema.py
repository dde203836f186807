"""The schema is draft-07, describes everything, and agrees with what is read."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upliftlab.config import check, load
from upliftlab.config.document import parse_document
from upliftlab.config.models.experiment import ExperimentFile
from upliftlab.config.models.metric_kinds import OWN
from upliftlab.config.reference import END, START, reference
from upliftlab.config.schema import json_schema
from upliftlab.config.shape import FILES
from upliftlab.config.translate import read_model
from upliftlab.errors import ConfigError

ROOT = Path(__file__).parents[2]
KINDS = ("experiment", *FILES)
VALID = jsonschema.Draft7Validator(json_schema())

names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda n: n not in ("null", "no"))
percents = st.integers(1, 99).map(lambda n: f"{n}%")
amounts = st.decimals(0, 99, places=2).map(str) | st.integers(0, 99)
durations = st.integers(1, 90).map(lambda n: f"{n} days")
experiments = st.fixed_dictionaries(
    {
        "schema": st.just(1),
        "experiment": names,
        "customers": st.fixed_dictionaries({"file": names, "id": names}),
        "arms": st.dictionaries(
            names, st.fixed_dictionaries({}, optional={"cost_per_contact": amounts}), min_size=2
        ),
        "metrics": st.fixed_dictionaries({"primary": names}, optional={"secondary": names}),
    },
    optional={
        "title": st.booleans() | st.integers() | names,
        "money": st.fixed_dictionaries(
            {"revenue": names}, optional={"margin": percents, "fixed_cost": st.just({})}
        ),
        "outcome_window": durations,
        "segments": names | st.lists(names, max_size=3),
        "analysis": st.fixed_dictionaries({}, optional={"looks": st.lists(durations, max_size=2)}),
        "engine": st.sampled_from(["duckdb", {"name": "spark"}]),
    },
)
breaks = st.sampled_from(
    [
        ("unknown", 1),
        ("arms", "text"),
        ("metrics", {}),
        ("metrics", {"primary": ["a"]}),
        ("customers", []),
        ("outcome_window", "a month"),
        ("money", {"margin": "40%"}),
        ("currency", "euro"),
        ("waves", [{"start": "2026-03-02"}]),
        ("analysis", {"confidense": "95%"}),
        ("segments", {"a": "b"}),
        ("engine", "oracle"),
    ]
)


def reads(value):
    document = parse_document(yaml.safe_dump(value, allow_unicode=True).encode(), "a.yaml")
    return not document.faults and read_model(ExperimentFile, document)[1] == ()


@pytest.mark.parametrize("kind", KINDS)
def test_draft_07_with_a_description_for_every_field(kind):
    schema = json_schema(kind)
    jsonschema.Draft7Validator.check_schema(schema)
    assert "$defs" not in str(schema)
    assert "prefixItems" not in str(schema)
    for record in (schema, *schema["definitions"].values()):
        for key, value in record.get("properties", {}).items():
            assert len(value["description"]) > 10, key
        assert record.get("additionalProperties", False) is False


def as_an_editor(text):
    """YAML as editors read it for a JSON Schema: a date is a text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


@pytest.mark.parametrize("kind", KINDS)
def test_the_repository_s_files_are_valid(kind):
    folder, pattern = ("configs", f"{kind}.yaml") if kind in FILES else ("experiments", "*.yaml")
    for path in (ROOT / folder).glob(pattern):
        jsonschema.validate(as_an_editor(path.read_text()), json_schema(kind))


@given(experiments)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_read_is_valid_in_an_editor(value):
    assert reads(value)
    assert VALID.is_valid(value)


@given(experiments, breaks)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_refused_here_is_refused_there(value, broken):
    value = value | dict([broken])
    assert not reads(value)
    if broken[0] != "engine":  # an engine's name alone is checked when it is read
        assert not VALID.is_valid(value)


def test_the_kinds_of_metrics_are_those_of_the_registry():
    """In the schema, the reference and docs/metrics.md."""
    keys = json_schema("metrics")["definitions"]["Metric"]["properties"]
    assert {key: keys[key]["description"] for key in OWN} == {k: v.meaning for k, v in OWN.items()}
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8").partition("## The kinds")[2]
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    shown = {row[0].strip("| `"): row[2] for row in rows}
    assert shown == {key: kind.meaning for key, kind in OWN.items()}


def test_an_extending_file_needs_less():
    assert VALID.is_valid({"schema": 1, "experiment": "a", "extends": "b.yaml"})
    assert not VALID.is_valid({"schema": 1, "experiment": "a"})


def test_the_reference_is_current():
    text = (ROOT / "docs/yaml.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    assert before
    assert rest.partition(END)[0].strip() == reference().strip()


@given(
    st.text(alphabet="abc:-[]{}\n '\"%012&*!#$", max_size=120)
    | st.dictionaries(
        names, st.recursive(names, lambda x: st.lists(x) | st.dictionaries(names, x))
    ).map(yaml.safe_dump)
)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_random_text_raises_config_errors_only(tmp_path, text):
    path = tmp_path / "random.yaml"
    path.write_text(text)
    assert check([path])
    with pytest.raises(ConfigError):
        load(path)


@given(experiments)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_plans_do_not_depend_on_layout(tmp_path, value):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    value["arms"][next(iter(value["arms"]))] = {"control": True}
    first.write_text(yaml.safe_dump(value, sort_keys=False))
    second.write_text(yaml.safe_dump(value, sort_keys=False, default_flow_style=True, indent=7))
    try:
        one = load(first)
    except ConfigError as error:
        errors = {fault.code for fault in error.faults if fault.severity == "error"}
        assert errors <= {"UL109", "UL127", "UL132", "UL112", "UL160"}
        return
    assert one.plan.sha256 == load(second).plan.sha256
