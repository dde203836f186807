"""The schema is draft-07, describes everything, and agrees with what is read."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from editing import as_an_editor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mistakes import CARET, MISTAKES, RIGHT

from upliftlab.config import check, load
from upliftlab.config.constraints import LIMITS, RELATIONS
from upliftlab.config.document import parse_document
from upliftlab.config.models.experiment import ExperimentFile
from upliftlab.config.models.metric_kinds import OWN
from upliftlab.config.reference import END, START, reference
from upliftlab.config.schema import declared_schema, json_schema
from upliftlab.config.shape import FILES
from upliftlab.config.shared import condition_fault
from upliftlab.config.translate import read_model
from upliftlab.errors import ConfigError, Place

ROOT = Path(__file__).parents[2]
KINDS = ("experiment", *FILES)
VALIDATORS = {kind: jsonschema.Draft7Validator(json_schema(kind)) for kind in KINDS}
VALID = VALIDATORS["experiment"]
MISTAKEN = ROOT / "tests/config/mistakes"

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
        "segments": names | st.lists(names, max_size=3, unique=True),
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
    return not document.faults and read_model(ExperimentFile, document).faults == ()


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


def shipped(kind):
    """Files of a kind that are without a fault: the repository's, every template's, a corpus's."""
    pattern = f"configs/{kind}.yaml" if kind in FILES else "experiments/*.yaml"
    places = (ROOT, *(ROOT / "starters").iterdir(), MISTAKEN)
    return [path for place in places for path in place.glob(pattern)]


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_files_are_valid(kind):
    valid = VALIDATORS[kind]
    for path in shipped(kind):
        valid.validate(as_an_editor(path.read_text(encoding="utf-8")))
    assert shipped(kind) or kind == "theme"  # of which none is shipped


def tops(text):
    """The keys at the top of a file."""
    return {f"{key}: " for key in re.findall(r"^(\w+):", text, re.MULTILINE)}


def test_experiments_of_the_pages_are_valid():
    """Those that are whole: they begin with their version."""
    fences = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
    texts = [text for page in sorted((ROOT / "docs").rglob("*.md"))
             for text in fences.findall(page.read_text(encoding="utf-8"))
             if {"schema: ", "arms: ", "metrics: "} <= tops(text)]  # fmt: skip
    for text in texts:
        VALIDATORS["experiment"].validate(as_an_editor(text))
    assert len(texts) >= 5


REFUSED_BY_EDITORS = 160
"""Of the corpus, where the file is YAML at all: one more is to be added, none to be lost."""
BEYOND = {
    *("UL104", "UL105", "UL106", "UL107", "UL108", "UL120", "UL125", "UL128", "UL133"),  # names
    *("UL101", "UL123", "UL127"),  # sums, currencies and names of two places
    *("UL004", "UL005", "UL006"),  # syntax: what of it is left is another text, or a key's second
    "UL136",  # what zones there are, a machine's database says
}
"""Faults that no JSON Schema of one file can tell."""
BEYOND_TOO = {
    *("eligible: now() > as_of", "eligible: recency_days + 1", "eligible: 1 = 1"),
    "eligible: opt_in is true and not (region = 'north'",
    *("schema: 1.0", "  winsorize: {revenue: .999}"),  # numbers, which are told by their value
    *("title: pa\u200by", "title: pay\u202e", "    bands: [90, 365, 180]"),
}


def test_an_editor_tells_every_fault_of_the_corpus_that_a_schema_can():
    told, untold = 0, []
    for mistake in MISTAKES:
        kind = mistake.stem if mistake.stem in FILES else "experiment"
        try:
            value = as_an_editor(mistake.edited(RIGHT[mistake.stem]))
        except yaml.YAMLError:
            continue
        if mistake.severity == "error" and not VALIDATORS[kind].is_valid(value):
            told += 1
        elif mistake.severity == "error" and mistake.code not in BEYOND:
            untold.append(mistake.instead.replace(CARET, ""))
        assert mistake.severity == "error" or VALIDATORS[kind].is_valid(value), mistake
    assert sorted(untold) == sorted(BEYOND_TOO)
    assert told == REFUSED_BY_EDITORS


@pytest.mark.parametrize(
    ("part", "valid"),
    [
        ({"analysis": {"confidence": text}}, valid)
        for text, valid in [("50%", True), ("99.9%", True), (0.95, True), ("19/20", True),
                            ("100%", False), ("49%", False), (1, False), (0.4, False)]
    ]
    + [
        ({"money": {"revenue": "r", "margin": text}}, valid)
        for text, valid in [("0%", True), ("100%", True), ("100.0 %", True), ("0_100%", True),
                            ("-0%", True), (1, True), ("1.0", True), ("1/3", True),
                            ("101%", False), ("-1%", False), (1.2, False), ("2", False)]
    ]
    + [
        ({"money": {"revenue": "r", "hurdle": text}}, valid)
        for text, valid in [("250%", True), ("-20%", True), (-1, True), (20, False), ("2", False)]
    ]
    + [
        ({"money": {"revenue": "r", "fixed_cost": {"a": text}}}, valid)
        for text, valid in [("500 EUR", True), ("1_500", True), ("0.125 EUR", True), (0, True),
                            ("1500.000", True), ("-5 EUR", False), (-5, False),
                            ("1.500 EUR", False), ("1,5 EUR", False)]
    ]
    + [
        ({"uplift": {"features": ["x"], "folds": number}}, valid)
        for number, valid in [(2, True), (20, True), ("7", True),
                              (1, False), (21, False), ("0", False)]
    ]
    + [
        ({"assignment": part}, valid)
        for part, valid in [
            ({"observed": "g", "unit": "u", "strata": ["s"], "method": "hash"}, True),
            ({"method": "blocked", "strata": "s"}, True), ({"ignore_arms": []}, True),
            ({"observed": "g", "salt": "x"}, False),
            ({"observed": "g", "method": "blocked"}, False),
            ({"strata": "s"}, False), ({"ignore_arms": ["x"]}, False),
        ]
    ]
    + [
        ({"waves": [{"start": day, "share": "100%"}]}, valid)
        for day, valid in [("2028-02-29", True), ("2026-12-31", True), ("2026-02-30", False),
                           ("2026-13-01", False), ("2026-04-31", False)]
    ]
    + [
        ({"eligible": text}, valid)
        for text, valid in [
            ("age >= 18 and region in ('a && b', \"c\") -- or".removesuffix(" -- or"), True),
            ("x = '\u201ca\u201d' or y <> -3.5", True), ("name like '%;%' and a / b < 2", True),
            ("größe is not null and day >= date '2026-03-02'", True), ('"a.b" > 0.5', True),
            ("a && b", False), ("a.b = 1", False), ("a = NULL", False), ("a or", False),
            ("a; b", False), ("a -- b", False), ("a => 1", False),
        ]
    ],
)  # fmt: skip
def test_the_schema_is_as_strict_as_the_models(part, valid):
    """And where a value is read, it is valid."""
    whole = {
        "schema": 1,
        "experiment": "x",
        "customers": {"file": "a.csv", "id": "id"},
        "arms": {"a": {}, "b": {}},
        "metrics": {"primary": "m"},
        **part,
    }
    assert VALID.is_valid(whole) is valid
    condition = part.get("eligible")
    refused = condition is not None and condition_fault(condition, Place("a.yaml")) is not None
    assert (reads(whole) and not refused) is valid


def test_a_file_that_extends_another_may_leave_parts_of_groups_to_it():
    parts = {"metrics": {"secondary": ["x"]}, "money": {"margin": "30%"},
             "assignment": {"strata": ["s"]}, "uplift": {"folds": 3},
             "planning": {"baseline": {"sd": 2}}}  # fmt: skip
    for key, part in parts.items():
        assert VALID.is_valid({"schema": 1, "experiment": "a", "extends": "b.yaml", key: part}), key
    whole = {"customers": "c", "arms": {"a": {}, "b": {}}, "metrics": {"primary": "m"}}
    for key, part in parts.items():
        assert not VALID.is_valid({"schema": 1, "experiment": "a", **whole, key: part}), key
    wrong = {"schema": 1, "experiment": "a", "extends": "b.yaml", "uplift": {"folds": 30}}
    assert not VALID.is_valid(wrong)


def test_what_holds_among_keys_is_of_models_and_keys_that_there_are():
    known = {name: definition for kind in KINDS
             for name, definition in declared_schema(kind)["definitions"].items()}  # fmt: skip
    known |= {"ExperimentFile": declared_schema(), "Program": declared_schema("program")}
    for name, limits in LIMITS.items():
        assert limits.keys() <= known[name]["properties"].keys()
    for name, relations in RELATIONS.items():
        named = set(
            re.findall(
                r"'(?:required|properties|dependencies)': (?:\['(\w+)'|\{'(\w+)')", str(relations)
            )
        )
        assert {word for pair in named for word in pair if word} <= known[name]["properties"].keys()


def test_node_reads_every_pattern():
    """Editors compile them with the flag for Unicode, which refuses needless escapes."""
    if (node := shutil.which("node")) is None:
        assert "CI" not in os.environ
        pytest.skip("no node here")
    texts = "".join(json.dumps(json_schema(kind)) for kind in KINDS)
    found = sorted(set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', texts)))
    script = f"for (const text of [{','.join(found)}]) new RegExp(text, 'u'); console.log('read')"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=False)
    assert done.stdout == "read\n", done.stderr
    assert len(found) > 10


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
