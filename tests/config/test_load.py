"""From files to a plan: workspaces, merging by presence, references, rules between experiments."""

import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from upliftlab.config import check, load
from upliftlab.errors import ConfigError

ROOT = Path(__file__).parents[2]
FILE = Path("experiments/example.yaml")
HEAVY = "pandas numpy scipy duckdb sklearn jinja2 statsmodels pyarrow"


def plan(space, part="", **configs):
    assert [fault for fault in space.check(part, **configs) if "UL126" not in fault] == []
    return load(FILE).plan


def test_the_repository_s_own_files_are_clean(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert check([Path("experiments"), Path("configs")]) == ()
    loaded = load(Path("experiments/hillstrom_email.yaml"))
    assert loaded.plan.currency == "USD"
    assert loaded.plan.arms["Mens E-Mail"].cost_per_contact.amount == Decimal("0.10")
    assert loaded.plan.metrics["spend"].unit == "money"
    assert loaded.warnings == ()


def test_every_shared_metric_and_segment_can_be_used(space):
    for stem in ("sources", "metrics", "channels", "segments", "program"):
        space.write(f"configs/{stem}.yaml", (ROOT / f"configs/{stem}.yaml").read_text())
    resolved = plan(
        space,
        "metrics: {primary: revenue, secondary: [average_order, retained, recommendation], "
        "guardrails: {complaints: {max_increase: 5%}}}\nsegments: [recency, rfm, lifecycle]\n"
        "experiment: spring_winback\nassignment: {method: hash, layer: retention}\n"
        "currency: EUR\noutcome_window: 28 days",
    )
    assert set(resolved.sources) == {"orders", "tickets", "surveys"}
    assert {"orders", "promoters", "detractors"} <= set(resolved.metrics)  # what ratios are made of


def test_check_starts_without_heavy_libraries():
    code = (
        "import sys\nfrom pathlib import Path\nfrom upliftlab.config import check\n"
        "assert not check([Path('experiments'), Path('configs')])\n"
        f"print([name for name in '{HEAVY}'.split() if name in sys.modules])"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_conditions_that_are_not_plain_load_their_parser(space):
    code = (
        "import sys\nfrom pathlib import Path\nfrom upliftlab.config import check\n"
        "check([Path('experiments')])\nprint('sqlglot' in sys.modules)"
    )
    plain, other = 'eligible: "age > 18"', 'eligible: "abs(age) > 18"'
    for part, loaded in (("", "False"), (plain, "False"), (other, "True")):
        space.write("experiments/example.yaml", space.experiment(part))
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == loaded


def test_costs_merge_by_presence(space):
    channels = (
        "channels: {email: {cost_per_contact: 1, service_cost: 2, commission: 3%}}\n"
        "offers: {voucher: {service_cost: 5, cost_per_redemption: 0}}"
    )
    part = (
        "arms: {none: {control: true},"
        " email: {channel: email, offer: voucher, cost_per_contact: 0}}\n"
        "money: {revenue: spent, margin: 40%}"
    )
    arm = plan(space, part, channels=channels).arms["email"]
    assert (arm.cost_per_contact.amount, arm.service_cost.amount) == (0, 5)
    assert (arm.cost_per_redemption.amount, arm.commission) == (0, 0.03)


def test_program_defaults_and_overrides(space):
    program = "currency: EUR\nengine: {name: postgres, connection: 'dbname=crm'}"
    default = plan(space, "", program=program)
    assert (default.currency, default.engine.connection) == ("EUR", "dbname=crm")
    own = plan(space, "currency: USD\nengine: duckdb")
    assert (own.currency, own.engine.name, own.engine.connection) == ("USD", "duckdb", None)
    threads = plan(space, "engine: {threads: 2}")
    assert (threads.engine.name, threads.engine.threads) == ("postgres", 2)


def test_guardrails_say_which_direction_is_good(space):
    part = "metrics: {primary: spent, guardrails: {complaints: {max_increase: 0.5 points}}}"
    assert plan(space, part).metrics["complaints"].better == "lower"


@pytest.mark.parametrize(
    ("unit", "limit", "meant"),
    [
        ("column: left, unit: share", "max_increase: 2", "2 points"),
        ("column: left, unit: share", "max_decrease: 0.02", "2 points"),
        ("from: orders, any: true", "max_decrease: 1", "1 points"),
        ("from: orders, none: true", "max_increase: 1", "1 points"),
        ("from: orders, at_least: 2", "max_decrease: 1", "1 points"),
    ],
)
def test_a_bare_number_is_no_limit_of_a_share(space, unit, limit, meant):
    part = (
        "outcome_window: 28 days\nwaves: [{start: 2026-03-02, share: 100%}]\n"
        f"metrics:\n  primary: spent\n  guardrails:\n    left: {{{limit}}}"
    )
    configs = {
        "sources": "sources: {orders: {file: orders.csv, id: id, time: at}}",
        "metrics": f"metrics: {{left: {{{unit}}}}}",
    }
    (fault,) = space.check(part, **configs)
    line = space.experiment(part).splitlines().index(f"    left: {{{limit}}}") + 1
    assert fault.startswith(f"experiments/example.yaml:{line}:26: UL149 'left' is a share")
    assert f"write '{meant}'" in fault
    for right in ("2 points", "2%"):
        assert space.check(part.replace(limit, f"{limit.split()[0]} {right}")) == []


def test_a_bare_number_limits_what_is_no_share(space):
    part = "metrics: {primary: spent, guardrails: {tickets: {max_increase: 2}}}"
    assert space.check(part) == []


@pytest.mark.parametrize(
    "names", ["primary: bougt", "primary: profits", "primary: bought, secondary: [bougt]"]
)
def test_a_misspelt_metric_is_no_column_of_waves_that_overlap(space, names):
    waves = (
        "outcome_window: 28 days\nwaves: [{start: 2026-03-02, share: 50%}, "
        "{start: 2026-03-09, share: 50%}]\nmoney: {revenue: bought, margin: 40%}\n"
        "assignment: {salt: a}\n"
    )
    configs = {
        "sources": "sources: {orders: {file: orders.csv, id: id, time: at}}",
        "metrics": "metrics: {bought: {from: orders, sum: amount}}",
    }
    (fault,) = space.check(f"{waves}metrics: {{{names}}}", **configs)
    assert "UL107 the metric" in fault
    (warning,) = space.check(f"{waves}metrics: {{primary: bought, secondary: [spent]}}")
    assert "UL116 'spent' is one column for all waves, but wave 2 starts before" in warning
    assert warning.endswith("own 28 days only, or count events by 'from'")


def test_extends_merges_settings_and_replaces_names_of_one_s_own(space):
    base = (
        "outcome_window: 28 days\nanalysis: {confidence: 90%, covariates: [before]}\n"
        "assignment: {salt: spring, layer: retention}"
    )
    space.write("configs/program.yaml", "layers: {retention: {}, other: {}}")
    space.write("experiments/base.yaml", space.experiment(base))
    space.write(
        "experiments/example.yaml",
        "schema: 1\nexperiment: child\nextends: base.yaml\nanalysis: {confidence: 95%}\n"
        "arms: {nothing: {control: true}, sms: {channel: sms}}\nassignment: {layer: other}\n",
    )
    child = load(FILE).plan.experiment
    assert list(child.arms) == ["nothing", "sms"]
    assert child.outcome_window == timedelta(days=28)
    assert (child.analysis.confidence, child.analysis.covariates) == (0.95, ("before",))
    assert (child.assignment.salt, child.assignment.layer) == (None, "other")
    assert check([Path("experiments")]) == ()


def test_what_is_never_inherited_leaves_no_place_behind(space):
    """Whatever the other file has alone is taken whole, but for the salt within it."""
    space.write("experiments/base.yaml", space.experiment("assignment: {salt: spring}"))
    space.write("experiments/example.yaml", "schema: 1\nexperiment: child\nextends: base.yaml\n")
    assert load(FILE).plan.experiment.assignment.salt is None
    assert check([Path("experiments")]) == ()


def test_a_fault_that_is_inherited_is_shown_in_the_base(space):
    space.write("experiments/base.yaml", space.experiment("outcome_window: a month"))
    part = "schema: 1\nexperiment: child\nextends: base.yaml\n"
    space.write("experiments/example.yaml", part)
    with pytest.raises(ConfigError) as caught:
        load(FILE)
    assert str(caught.value).startswith("experiments/base.yaml:7:17: UL014 'outcome_window'")


@pytest.mark.parametrize("target", ["../../x.yaml", "/etc/x.yaml", "example.yaml", "a.txt", "b\0"])
def test_extends_stays_in_the_workspace(space, target):
    (fault,) = space.check(f'extends: "{target}"'.replace("\0", "\\0"))
    assert ("UL003" if "\0" in target else "UL018") in fault


def test_extends_is_one_level_deep(space):
    space.write("experiments/base.yaml", space.experiment("experiment: b\nextends: third.yaml"))
    space.write("experiments/third.yaml", space.experiment("experiment: c"))
    (fault,) = space.check("extends: base.yaml")
    assert "UL018 'base.yaml' extends another file itself" in fault


@pytest.mark.usefixtures("space")
@pytest.mark.parametrize("file", ["../a.csv", "/a.csv", "~/a.csv", "a/../../b", "C:/a", "s3://a"])
def test_locate_refuses_what_leaves_the_data(file):
    with pytest.raises(ConfigError, match="UL019"):
        load(FILE).workspace.locate(file)


def test_locate_follows_links_only_inside(space):
    (space.root / "data").mkdir()
    space.write("data/inside.csv", "a")
    (space.root / "configs").mkdir()
    (space.root / "data/out.csv").symlink_to(space.write("secret.csv", "b"))
    (space.root / "data/in.csv").symlink_to(space.root / "data/inside.csv")
    workspace = load(FILE).workspace
    assert workspace.data == space.root / "data"
    assert workspace.locate("in.csv").read_text() == "a"
    with pytest.raises(ConfigError, match="through a link"):
        workspace.locate("out.csv")


def test_data_root_is_the_user_s_choice(space):
    assert load(FILE, data=Path("elsewhere")).workspace.data == Path("elsewhere")
    assert load(FILE).workspace.root == space.root / "experiments"


def test_paths_in_messages_are_the_user_s(space):
    space.check("titel: x", channels="channels: {a: {b: 1}}")
    relative = check([Path("experiments")])
    assert {fault.place.file for fault in relative} == {
        *("configs/channels.yaml", "experiments/example.yaml"),
    }
    absolute = check([space.root / "experiments"])
    assert {fault.place.file for fault in absolute} == {
        (space.root / name).as_posix()
        for name in ("configs/channels.yaml", "experiments/example.yaml")
    }


def test_broken_shared_file_does_not_make_its_names_unknown(space):
    found = space.check("customers: people", sources="sources: {people: {fil: a}}")
    assert all(fault.startswith("configs/sources.yaml") for fault in found)


def test_a_column_named_in_the_source_is_no_misspelt_metric(space):
    metrics = "metrics: {spend: {column: s}}"
    assert space.check("", metrics=metrics) == []
    part = "customers: {file: a.csv, known_after: []}"
    assert "did you mean 'spend'?" in space.check(part)[0]


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ("segments: [SPENT]", "segment"),
        ("segments: [arm]", "segment"),
        ("analysis: {covariates: [spent]}", "covariate"),
        ("assignment: {method: blocked, strata: [spent]}", "stratum"),
        ("uplift: {features: [spent]}", "feature"),
        ("eligible: spent > 1", "'eligible' uses"),
    ],
)
def test_only_what_is_known_before(space, part, where):
    (fault,) = space.check(part)
    assert "UL112" in fault
    assert where in fault


def test_layers_may_be_used_one_after_another(space):
    def wave(day):
        return (
            f"assignment: {{layer: l}}\noutcome_window: 7 days\nwaves: [{{start: {day}, share: 1}}]"
        )

    program = "layers: {l: {}}"
    space.write("experiments/b.yaml", space.experiment(f"experiment: b\n{wave('2026-03-09')}"))
    assert space.check(wave("2026-03-02"), program=program) == []
    (fault,) = space.check(wave("2026-03-05"), program=program)
    assert fault.startswith("experiments/example.yaml:5:21: UL114 ") or "UL114" in fault


def test_a_layer_is_declared(space):
    (fault,) = space.check("assignment: {layer: retention}")
    assert (
        "UL114 the layer 'retention' is not declared; declare it in configs/program.yaml" in fault
    )


def test_what_is_wrong_only_with_what_is_inherited_is_told_where_it_is_inherited(space):
    space.write("experiments/base.yaml", space.experiment("analysis: {covariates: [before]}"))
    part = "schema: 1\nexperiment: child\nextends: base.yaml\nmetrics: {primary: before}\n"
    space.write("experiments/example.yaml", part)
    faults = [str(fault) for fault in check([Path("experiments")])]
    assert faults
    assert all(fault.startswith("experiments/example.yaml:3:10: ") for fault in faults)
    assert all("(inherited from experiments/base.yaml:" in fault for fault in faults)


def test_shared_layer_needs_a_range(space):
    program = "layers: {l: {experiments: {other: [0%, 50%]}}}"
    (fault,) = space.check("assignment: {layer: l}", program=program)
    assert "has no range in it" in fault


def test_warnings_do_not_stop_loading(space):
    space.check("arms: {none: {control: true, cost_per_contact: 1}, email: {}}")
    (warning,) = load(FILE).warnings
    assert (warning.code, warning.severity) == ("UL126", "warning")


def test_currency_of_a_channel_is_shown_where_it_is_written(space):
    channels = "channels: {email: {cost_per_contact: 1 EUR}, sms: {cost_per_contact: 1 CHF}}"
    (fault,) = space.check("currency: USD", channels=channels)
    assert fault.startswith("configs/channels.yaml:1:38: UL123 '1 EUR' is not in")
    part = "currency: USD\narms: {a: {control: true}, b: {channel: email, cost_per_contact: 1}}"
    assert space.check(part) == []


def test_the_guide_s_examples_are_clean(space):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/yaml.md").read_text(), re.DOTALL)
    for block in (block for block in blocks if block.startswith("schema: 1")):
        name = re.search(r"^experiment: (\w+)", block, re.MULTILINE)[1]
        space.write(f"experiments/{name}.yaml", block)
    assert space.check() == []
    assert load(Path("experiments/autumn_email.yaml")).plan.currency == "EUR"


FULL = """\
customers: customers
eligible: "recency_days between 90 and 365 and email_opt_in"
assignment:
  unit: customer_id
  method: blocked
  strata: [value_band, region]
  salt: spring-2026
  layer: retention
waves:
  - {start: 2026-03-02, share: 50%}
  - {start: 2026-03-09, share: 50%}
arms:
  holdout:       {share: 20%, control: true}
  email_voucher: {share: 40%, channel: email, offer: voucher10}
  sms_voucher:   {share: 40%, channel: sms,   offer: voucher10}
outcome_window: 28 days
currency: EUR
metrics:
  primary: profit
  secondary: [revenue, conversion, repeat_purchase]
  guardrails: {unsubscribed: {max_increase: 0.5 points}, complaints: {max_increase: 0.1 points}}
money:
  revenue: revenue
  margin: 35%
  fixed_cost: {email_voucher: 500 EUR}
  hurdle: 20%
segments: [value_band, lifecycle, region]
analysis:
  covariates: [revenue_before, orders_before]
  looks: [7 days, 14 days, 28 days]
  winsorize: {revenue: 99.9%}
uplift: {features: [recency_days, region, nps], budget: 20000 EUR}
decision: {metric: profit, ship_if: "lower > 0"}
"""


def test_the_full_life_of_a_campaign(space):
    for stem in ("sources", "metrics", "channels", "segments", "program"):
        space.write(f"configs/{stem}.yaml", (ROOT / f"configs/{stem}.yaml").read_text())
    assert space.check(f"experiment: spring_winback\n{FULL}") == []
    resolved = load(FILE).plan
    money = resolved.experiment.money
    assert (money.contacts, money.redemptions) == ("contacts", "redemptions")
    windows = {name: metric.during for name, metric in resolved.covariates.items()}
    before = (timedelta(days=-28), timedelta(0))
    assert windows == {"revenue_before": before, "orders_before": before}
    assert (resolved.control, resolved.treatments) == ("holdout", ("email_voucher", "sms_voucher"))
    assert "profit" not in resolved.metrics  # computed from money
    assert resolved.metrics["unsubscribed"].better == "lower"
    assert resolved.arms["sms_voucher"].cost_per_redemption.amount == 10
