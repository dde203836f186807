"""What an editor offers and tells of a workspace's files, asked of the server that editors run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from language_server import LanguageServer
from mistakes import CARET, HERE, NAMES, RIGHT

from upliftlab.config.workspace_schema import write_schemas

METRICS = {"revenue", "orders", "conversion", "average_order", "unsubscribed"}
OFFERED = [
    ("spring", "objective: roi\n", "obj‸\n", {"objective", "hypothesis", "uplift", "compare"}),
    ("spring", "planning:", "ex‸\nplanning:", {"extends", "exclude", "engine"}),
    ("spring", "  method: hash", "  method: hash\n  ‸", {"observed", "strata", "unit", "layer"}),
    ("spring", "    offer: voucher", "    ‸", {"commission", "control", "title"}),
    ("spring", "  margin: 40%", "  ‸", {"contacts", "redemptions", "costs"}),
    ("spring", "bed: {max_increase: 0.5%}", "bed:\n      m‸", {"max_increase"}),
    ("metrics", "    sum: amount", "    ‸", {"count", "sum", "at_least", "ratio"}),
    ("spring", "objective: roi", "objective: ‸", {"acquisition", "loyalty", "roi"}),
    ("spring", "  method: hash", "  method: ‸", {"hash", "blocked"}),
    ("spring", "control: true", "control: ‸", {"true", "false"}),
    ("metrics", "    unit: money", "    unit: ‸", {"number", "money", "share"}),
    (
        "metrics",
        "    better: higher\n    unit: m",
        "    better: ‸\n    unit: m",
        {"higher", "lower"},
    ),
    ("spring", "    channel: sms", "    channel: ‸", {"email", "sms"}),
    ("spring", "    offer: voucher", "    offer: ‸", {"voucher"}),
    ("spring", "customers: customers", "customers: ‸", {"customers", "orders"}),
    ("metrics", "    from: orders\n    sum", "    from: ‸\n    sum", {"orders", "unsubscribes"}),
    ("spring", "  primary: revenue", "  primary: ‸", {*METRICS, "profit"}),
    ("spring", "[orders, conversion]", "[orders, ‸]", METRICS),
    ("spring", "  revenue: revenue", "  revenue: ‸", METRICS),
    ("spring", "{revenue: 99%}", "\n    r‸", METRICS),
    ("spring", "[region, recency]", "[‸]", {"region", "recency"}),
]
TOLD = [
    ("spring", "objective: roi", "obj‸ective: roi", "What the campaign is for."),
    ("spring", "  margin: 40%", "  mar‸gin: 40%", "Contribution margin as a share of revenue"),
    ("metrics", "    sum: amount", "    s‸um: amount", "Total of this column"),
    ("channels", "    cost_per_contact: 0.08", "    cost‸_per_contact: 0.08", "Paid for every"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    program = os.environ.get("UPLIFTLAB_YAML_SERVER", "")
    if not Path(program).is_file():
        if "CI" in os.environ:
            pytest.fail("UPLIFTLAB_YAML_SERVER must lead to the program of yaml-language-server")
        pytest.skip("npm install yaml-language-server, then set UPLIFTLAB_YAML_SERVER")
    root = tmp_path_factory.mktemp("editor") / "space"
    shutil.copytree(HERE / "mistakes", root)
    schemas = {}
    for path in write_schemas(root):
        kind = path.name.partition(".")[0]
        schemas["experiments/*.yaml" if kind == "experiment" else f"configs/{kind}*.yaml"] = path
    started = LanguageServer(program, schemas, root)
    for stem, name in NAMES.items():
        started.ready(name, RIGHT[stem] + "unknown: 1\n")
    yield started
    started.stop()


@pytest.fixture
def at(server):
    """Open a file with one part of it otherwise, and ask at the mark."""

    def asked(case, ask):
        stem, there, instead = case
        assert RIGHT[stem].count(there) == 1
        before, _, after = RIGHT[stem].replace(there, instead).partition(CARET)
        name = server.open(NAMES[stem], before + after)
        try:
            return ask(name, before.count("\n"), len(before) - before.rfind("\n") - 1)
        finally:
            server.close(name)

    return asked


def test_there_are_25_places():
    assert len(OFFERED) + len(TOLD) == 25


@pytest.mark.parametrize("case", OFFERED, ids=lambda case: case[2].strip())
def test_keys_values_and_names_of_the_workspace_are_offered(server, at, case):
    assert case[3] <= set(at(case[:3], server.completion))


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case[2].strip())
def test_a_key_is_explained(server, at, case):
    assert case[3] in at(case[:3], server.hover)


def test_what_is_wrong_is_underlined_and_nothing_else(server):
    for stem, text in RIGHT.items():
        assert server.faults(NAMES[stem], text) == []
    for there, wrong in [("margin: 40%", "margin: 140%"), ("channel: sms", "channel: smss"),
                         ("between 90 and 365", "&&")]:  # fmt: skip
        assert server.faults(NAMES["spring"], RIGHT["spring"].replace(there, wrong)) != []
