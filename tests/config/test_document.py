"""Rules of reading: text stays text, every value has its place, hostile files are refused."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.config import nodes
from upliftlab.config.document import parse_document


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def loader(request, monkeypatch):
    monkeypatch.setattr(nodes, "LOADER", getattr(yaml, request.param, yaml.SafeLoader))


def read(text):
    return parse_document(text if isinstance(text, bytes) else text.encode(), "a.yaml")


def faults(text):
    return [str(fault) for fault in read(text).faults]


@pytest.mark.parametrize(
    "text",
    ["no", "on", "yes", "010", "1:30", "12e03", "01234", "0x1F", "1.10", "2026-03-02", ".inf"],
)
def test_scalars_stay_text(text):
    assert read(f"a: {text}").value == {"a": text}


def test_bom_is_accepted_and_does_not_shift_columns():
    document = read(b"\xef\xbb\xbfa: 1\n")
    assert document.value == {"a": "1"}
    assert str(document.at("a", key=True)) == "a.yaml:1:1"


def test_places_are_exact():
    document = read("schema: 1\narms:\n  email: {share: 40%, channel:   sms}\nlist:\n- a\n-   b\n")
    assert str(document.at("arms", "email", "channel")) == "a.yaml:3:34"
    assert str(document.at("arms", "email", "channel", key=True)) == "a.yaml:3:23"
    assert str(document.at("list", 1)) == "a.yaml:6:5"
    assert str(document.at("arms", "email", "absent", "deeper")) == "a.yaml:3:10"
    assert str(document.at("nowhere")) == "a.yaml:1:1"


@pytest.mark.parametrize("empty", ["", " ~", " null", " NULL"])
def test_no_value(empty):
    (fault,) = faults(f"b: 1\na:{empty}\n")
    assert fault.startswith("a.yaml:2:1: UL009 'a' has no value")


@pytest.mark.parametrize("text", ["a: 'null'", 'a: "~"', "a: ''"])
def test_quoted_null_is_text(text):
    assert faults(text) == []


def test_duplicate_keys_in_all_spellings():
    (fault,) = faults("a: 1\nb: 2\n' a ': 3\n")
    assert fault.startswith("a.yaml:3:1: UL005 the key 'a' appears twice; it is already in line 1")


def test_independent_faults_come_together():
    text = "a: 1\na: 2\nb: !!int 3\nc:\n<<: {d: 1}\n[x]: 1\n"
    assert [fault.code for fault in read(text).faults] == [
        *("UL005", "UL006", "UL010", "UL010", "UL009"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n---\nb: 1\n", "a.yaml:2:1: UL007"),
        ("a: *b\n", "a.yaml:1:4: UL004 the alias '*b' has no anchor"),
        ("a: &x [*x]\n", "a.yaml:1:8: UL008 the alias '*x' refers to itself"),
        ("a:\n\tb: 1\n", "a.yaml:2:1: UL004 a tab"),
        ("a: b: c\n", "a.yaml:1:5: UL004 a colon"),
        ("a: 'x\n", "UL004 a quotation mark is not closed"),
        ("a: [1, 2\n", "UL004 a list opened with '['"),
        ("a: {b: 1\n", "UL004 a group opened with '{'"),
        ("k: v\nfoo\nbar: 1\n", "UL004 a line is neither"),
        ("a: @b\n", "a.yaml:1:4: UL004 a value begins with a special character"),
        ("", "a.yaml:1:1: UL011 the file is empty"),
        ("- a\n", "a.yaml:1:1: UL011"),
        (b"a: 1\nb: \xff", "a.yaml:2:4: UL003 the file is not UTF-8"),
        (b"\xff\xfea\x00", "UL003"),
        ("a: x\x00y", "a.yaml:1:5: UL003 the invisible character U+0000"),
        ("a: x\u202ey", "a.yaml:1:5: UL003 the invisible character U+202E"),
        ("a: " + "[" * 100_000, "UL008 more than 32 levels"),
        ("a: [" + "x, " * 30_000 + "]", "UL008 more than 20,000 values"),
        ("a: &x 1\nb: [" + "*x, " * 60 + "]", "UL008 more than 50 aliases"),
        (b"a: " + b"x" * (1 << 20), "UL002 the file is larger than 1 MiB"),
    ],
)
def test_refused_with_place_and_plain_words(text, expected):
    (fault,) = faults(text)
    assert expected in fault


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("levels", [33, 1_100])
@pytest.mark.parametrize(
    ("before", "opened", "after"),
    [
        ("a: ", "[", "]"),
        ("a: ", "{", "}"),
        ("", "[", "]"),
        ("a: ", "[{", "}]"),
        ("a: ", "{b: ", "}"),
        ("a: ", "[b, ", "]"),
        ("a: '[['\nb: # {{\n  ", "[\n", "]"),
    ],
)
def test_too_deep_is_too_deep_for_every_parser(before, opened, after, levels, closed):
    text = before + opened * levels + "x" + (after * levels if closed else "")
    document = read(text)
    (fault,) = document.faults
    assert fault.code == "UL008"
    assert "more than 32 levels" in fault.message
    shallow = read(before + opened * 8 + "x" + after * 8).faults
    assert "UL008" not in [fault.code for fault in shallow]


@pytest.mark.parametrize("text", ["- " * 1_100 + "x", "? " * 1_100 + "x", "a: 'x" + "[" * 1_100])
def test_what_is_nested_without_brackets_and_brackets_that_are_text(text):
    (fault,) = read(text).faults
    assert fault.code == ("UL004" if "'" in text else "UL008")


def test_a_fault_after_many_brackets_is_still_that_fault():
    (fault,) = read("a:\n" + "  - [x]\n" * 1_000 + "b: 'x\n").faults
    assert fault.code == "UL004"


def test_billion_laughs():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcde", "bcdef", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    (fault,) = faults("\n".join(lines))
    assert "UL008 the aliases unfold to more than can be read" in fault


def test_aliases_within_bounds_are_read():
    assert read("a: &x {b: 1}\nc: *x\n").value == {"a": {"b": "1"}, "c": {"b": "1"}}


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data):
    document = parse_document(data, "a.yaml")
    assert document.faults or document.value is not None


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,? \n\t~<", max_size=80))
def test_no_text_breaks_the_reader(text):
    document = parse_document(text.encode(), "a.yaml")
    assert all(fault.place for fault in document.faults)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("title: Offer #3", 8),
        ("title: Offer  #3 of spring", 8),
        ("list: [a #1\n  , b]", 8),
        ("title: Offer # 3", None),
        ("title: Offer #three", None),
        ("title: 'Offer #3'", None),
        ("title: Offer#3", None),
        ("title: Offer\n#3", None),
    ],
)
def test_a_text_that_ends_in_a_comment_is_told_and_read(line, column):
    """Behind a space '#' begins a comment: of 'Offer #3' nothing but 'Offer' is left."""
    found = parse_document(line.encode(), "a.yaml")
    told = [(each.code, each.severity, each.place.column) for each in found.faults]
    assert told == ([] if column is None else [("UL047", "warning", column)])
    assert found.value
    assert not found.faulty
