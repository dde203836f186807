"""What leaves the house: results, and nothing of its people, files, conditions and small groups."""

import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
from click.testing import CliRunner
from page_reader import Reader

from upliftlab.cli.app import commands
from upliftlab.report.formats import output_format
from upliftlab.results.analysis import Analysis

FEW = 7
"""Customers of an arm in the town that the house may see by itself, and the public may not."""
OWNER, FILE, TOWN, CONDITION = "erna@house.example", "vip-cellar.csv", "Oberndorf", "score > 17"
YAML = f"""schema: 1
experiment: spring
owner: {OWNER}
customers: {{file: {FILE}}}
eligible: "{CONDITION}"
exclude: "score = 4711"
assignment: {{observed: arm}}
arms: {{none: {{control: true}}, mail: {{channel: email, cost_per_contact: 1 EUR}}}}
currency: EUR
metrics: {{primary: spend}}
money: {{revenue: spend, margin: 40%}}
segments: [town]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("house"), np.random.default_rng(5)
    (folder / "experiments").mkdir()
    (folder / "experiments" / "spring.yaml").write_text(YAML)
    towns = [TOWN] * FEW + ["Linz"] * 60 + ["Graz"] * 60 + ["Wels"] * 12
    rows = [
        f"{arm}{i},{arm},{town},{rng.integers(18, 99)},{rng.gamma(2, 20):.2f}"
        for arm in ("none", "mail")
        for i, town in enumerate(towns)
    ]
    (folder / FILE).write_text("customer_id,arm,town,score,spend\n" + "\n".join(rows))
    return folder


def made(house, command, *more):
    asked = [command, str(house / "experiments" / "spring.yaml"), "--data", str(house), *more]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.output
    return done.stdout


def outputs(folder):
    """Every form the analysis can be written in but PDF, which prints the page, as one text."""
    found = Analysis.model_validate_json((folder / "analysis.json").read_text())
    texts = []
    for form in ("json", "csv", "html", "md", "xlsx"):
        for lang in ("en", "zh"):
            content = output_format(form).write(found, lang)
            if form == "xlsx":
                book = zipfile.ZipFile(BytesIO(content))
                content = b"".join(book.read(name) for name in book.namelist())
            texts.append(content.decode("utf-8", "replace"))
            if form == "html":
                texts.append(json.dumps(Reader(texts[-1]).document))
    return "\n".join(texts), found


def test_the_public_learns_nothing_of_the_house(house, tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    said = made(house, "run", "--out", str(inside))
    said += made(house, "run", "--out", str(outside), "--audience", "public")
    kept, whole = outputs(inside)
    told, found = outputs(outside)
    (data,) = whole.data
    for secret in (OWNER, FILE, data.sha256, "score > 17", "score = 4711", TOWN):
        assert secret in kept or secret in kept.replace("&gt;", ">"), secret
        assert secret not in told.replace("&gt;", ">"), secret
    assert (found.audience, found.smallest_cell) == ("public", 10)
    assert (found.moments, found.columns, found.money_sums, found.data) == ((), (), None, ())
    assert found.plan_sha256 == whole.plan_sha256
    assert "Made for the public" in told
    assert "Made for the public" not in kept


def test_levels_are_joined_before_anything_is_estimated(house, tmp_path):
    made(house, "analyze", "--out", str(tmp_path), "--audience", "public")
    _, found = outputs(tmp_path)
    units = {(f.level, f.n_treated, f.n_control) for f in found.findings if f.dimension == "town"}
    assert units == {("Graz", 60, 60), ("Linz", 60, 60), ("(other)", 19, 19)}
    profits = {f.level: f.estimate for f in found.findings if f.kind == "incremental_profit"}
    parts = [profits[each] for each in ("Graz", "Linz", "(other)")]
    assert sum(parts) == pytest.approx(profits[None]), "every town has as many in both arms"


def test_the_house_may_ask_for_more(house, tmp_path):
    (house / "configs").mkdir(exist_ok=True)
    program = house / "configs" / "program.yaml"
    program.write_text("schema: 1\nsmallest_cell: 70\n")
    try:
        made(house, "analyze", "--out", str(tmp_path), "--audience", "public")
    finally:
        program.unlink()
    assert outputs(tmp_path)[1].smallest_cell == 70


def test_pages_that_tell_whom_to_contact_are_not_public(house):
    asked = ["run", str(house / "experiments" / "spring.yaml"), "--site", "--audience", "public"]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 2
    assert "--site is for readers inside" in done.stderr


def test_a_plan_like_a_public_analysis_is_refused(house, tmp_path):
    made(house, "analyze", "--out", str(tmp_path), "--audience", "public")
    asked = ["plan", str(house / "experiments" / "spring.yaml"), "--data", str(house)]
    done = CliRunner().invoke(commands, [*asked, "--like", str(tmp_path / "analysis.json")])
    assert done.exit_code == 1
    assert "UL324" in done.stderr
    assert "not made for the public" in done.stderr
