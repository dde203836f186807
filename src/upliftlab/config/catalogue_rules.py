"""UL1xx: rules across fields."""

from __future__ import annotations

from upliftlab.config.catalogue_entry import Example

_METRICS = "configs/metrics.yaml"
_PROGRAM = "configs/program.yaml"
_CHANNELS = {"configs/channels.yaml": "channels: {email: {}}\noffers: {voucher10: {}}\n"}
_EVENTS = {
    "configs/sources.yaml": "sources: {orders: {file: orders.csv, id: id, time: at}}\n",
    "configs/metrics.yaml": "metrics: {bought: {from: orders, any: true}}\n",
}
_MONEY = "money: {revenue: spent, margin: 40%}"


def _arms(control: str, email: str, more: str = "") -> str:
    return f"arms:\n  none: {{{control}}}\n  email: {{{email}}}" + (f"\n  {more}" if more else "")


def _other(key: str, value: str) -> dict[str, str]:
    text = (
        "schema: 1\nexperiment: other\ncustomers: {file: data.csv, id: id}\n"
        "arms: {none: {control: true}, email: {channel: email}}\nmetrics: {primary: spent}\n"
    )
    text = text.replace("experiment: other", value) if key == "experiment" else text + value
    return {"experiments/other.yaml": text + "\n"}


RULES: tuple[Example, ...] = (
    Example(
        "UL101",
        "Shares above 100 %",
        "The arms' shares sum to at most 100 %.",
        _arms("control: true, share: 60%", "share: 60%"),
        _arms("control: true, share: 40%", "share: 60%"),
    ),
    Example(
        "UL102",
        "Share missing",
        "Where one arm declares a share, all do.",
        _arms("control: true, share: 20%", "channel: email"),
        _arms("control: true, share: 20%", "share: 80%"),
    ),
    Example(
        "UL103",
        "Not exactly one control",
        "One arm is the control the others are compared with.",
        _arms("channel: sms", "channel: email"),
        _arms("control: true", "channel: email"),
    ),
    Example(
        "UL104",
        "Unknown channel",
        "Once configs/channels.yaml exists, an arm's channel is in it.",
        _arms("control: true", "channel: emial"),
        _arms("control: true", "channel: email"),
        beside=_CHANNELS,
    ),
    Example(
        "UL105",
        "Unknown offer",
        "Once configs/channels.yaml exists, an arm's offer is in it.",
        _arms("control: true", "channel: email, offer: voucher20"),
        _arms("control: true", "channel: email, offer: voucher10"),
        beside=_CHANNELS,
    ),
    Example(
        "UL106",
        "Unknown source",
        "A source is declared in configs/sources.yaml.",
        "customers: custmers",
        "customers: customers",
        beside={"configs/sources.yaml": "sources: {customers: {file: data.csv, id: id}}\n"},
    ),
    Example(
        "UL107",
        "Unknown metric",
        "Once configs/metrics.yaml exists, a name that looks like one of its metrics, or like a "
        "covariate made of one (revenue_before), is one; so does one like profit, with money.",
        "metrics: {primary: revenu}",
        "metrics: {primary: revenue}",
        beside={_METRICS: "metrics: {revenue: {column: sales}}\n"},
    ),
    Example(
        "UL108",
        "Unknown segment",
        "Once configs/segments.yaml exists, a name that looks like one of its segments is one.",
        "segments: [value_bnd]",
        "segments: [value_band]",
        beside={"configs/segments.yaml": "segments: {value_band: {column: value_band}}\n"},
    ),
    Example(
        "UL109",
        "Segment named twice",
        "A segment is named once.",
        "segments: [region, region]",
        "segments: [region]",
    ),
    Example(
        "UL110",
        "Reserved name",
        "'contact_channel' (segment) and 'profit' (metric) are computed by upliftlab.",
        "segments: [contact_channel]",
        "segments: [preferred_channel]",
    ),
    Example(
        "UL111",
        "Metric made of itself or of a ratio",
        "A metric that is made of others is made of totals: neither of itself nor of a ratio.",
        "metrics: {a: {ratio: [a, visits]}}",
        "metrics: {a: {ratio: [spent, visits]}}",
        _METRICS,
    ),
    Example(
        "UL112",
        "Known only after assignment",
        "Who takes part, and how customers are divided, uses only what is known before assignment.",
        "segments: [spent]",
        "segments: [region]",
    ),
    Example(
        "UL113",
        "Ranges of a layer",
        "Ranges of one layer are not empty and do not overlap.",
        "layers: {retention: {experiments: {a: [0%, 60%], b: [50%, 100%]}}}",
        "layers: {retention: {experiments: {a: [0%, 50%], b: [50%, 100%]}}}",
        _PROGRAM,
    ),
    Example(
        "UL114",
        "Layer claimed twice",
        "Experiments that run at one time have ranges of their layer.",
        "assignment: {layer: retention}",
        "assignment: {layer: acquisition}",
        beside=_other("", "assignment: {layer: retention}"),
    ),
    Example(
        "UL115",
        "Same salt",
        "Experiments, layers and the universal holdout are drawn independently.",
        "assignment: {salt: other}",
        "assignment: {salt: example}",
        beside=_other("", ""),
    ),
    Example(
        "UL116",
        "Wave inside a window",
        "A wave starts after the outcome window of the one before (warning).",
        "outcome_window: 28 days\n"
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]",
        "outcome_window: 7 days\n"
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]",
    ),
    Example(
        "UL117",
        "Shares of waves",
        "The waves' shares sum to 100 %.",
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 40%}]",
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]",
    ),
    Example(
        "UL118",
        "Order of waves",
        "Waves are in the order of their days.",
        "waves: [{start: 2026-03-09, share: 50%}, {start: 2026-03-02, share: 50%}]",
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]",
    ),
    Example(
        "UL119",
        "Direction of a guardrail",
        "A guardrail limits the change that is bad.",
        "metrics: {primary: spent, guardrails: {complaints: {max_decrease: 5%}}}",
        "metrics: {primary: spent, guardrails: {complaints: {max_increase: 5%}}}",
        beside={_METRICS: "metrics: {complaints: {column: complaints, better: lower}}\n"},
    ),
    Example(
        "UL120",
        "Metric of the decision",
        "The decision's metric is measured; profit needs 'money'.",
        "decision: {metric: profit}",
        f"decision: {{metric: profit}}\n{_MONEY}",
    ),
    Example(
        "UL121",
        "Rule of the decision",
        "'ship_if' compares 'lower' or 'estimate' with a number, by '>' or '>='.",
        "decision: {ship_if: 'p < 0.05'}",
        "decision: {ship_if: 'lower > 0'}",
    ),
    Example(
        "UL122",
        "Decision that can only come out one way",
        "A share changes by less than 1, so the rule's number lies between -1 and 1.",
        "metrics: {primary: bought}\ndecision: {ship_if: 'lower > 2'}",
        "metrics: {primary: bought}\ndecision: {ship_if: 'lower > 0.02'}",
        beside={_METRICS: "metrics: {bought: {column: bought, unit: share}}\n"},
    ),
    Example(
        "UL123",
        "Mixed currencies",
        "All money is in the experiment's currency.",
        "currency: EUR\n" + _arms("control: true", "cost_per_contact: 0.02 USD"),
        "currency: EUR\n" + _arms("control: true", "cost_per_contact: 0.02 EUR"),
    ),
    Example(
        "UL124",
        "Redemptions not counted",
        "A cost per redemption needs the metric that counts redemptions.",
        f"{_MONEY}\n" + _arms("control: true", "cost_per_redemption: 5"),
        "money: {revenue: spent, margin: 40%, redemptions: redeemed}\n"
        + _arms("control: true", "cost_per_redemption: 5"),
    ),
    Example(
        "UL125",
        "Fixed cost of no arm",
        "Fixed costs belong to arms of the experiment.",
        "money: {revenue: spent, margin: 40%, fixed_cost: {emial: 500}}",
        "money: {revenue: spent, margin: 40%, fixed_cost: {email: 500}}",
    ),
    Example(
        "UL126",
        "Control with costs",
        "A control that is not contacted costs nothing (warning).",
        _arms("control: true, cost_per_contact: 0.02", "channel: email"),
        _arms("control: true", "channel: email, cost_per_contact: 0.02"),
    ),
    Example(
        "UL127",
        "Metric named twice",
        "A metric is primary, secondary or a guardrail of the primary.",
        "metrics: {primary: spent, secondary: [spent]}",
        "metrics: {primary: spent, secondary: [visits]}",
    ),
    Example(
        "UL128",
        "Capped metric not measured",
        "'winsorize' names metrics of the experiment that are no ratios.",
        "analysis: {winsorize: {spend: 99.9%}}",
        "analysis: {winsorize: {spent: 99.9%}}",
    ),
    Example(
        "UL129",
        "Same name",
        "An experiment's name is its own.",
        "experiment: example",
        "experiment: yet_another",
        beside=_other("experiment", "experiment: example"),
    ),
    Example(
        "UL130",
        "Universal holdout not excluded",
        "An assignment made elsewhere does not know the universal holdout (warning).",
        "universal_holdout: {share: 5%, salt: all-2026}",
        "currency: EUR",
        _PROGRAM,
    ),
    Example(
        "UL131",
        "Money from what does not add up",
        "Revenue, contacts and redemptions are totals of a customer, not ratios or shares.",
        "money: {revenue: average_order, margin: 40%}",
        "money: {revenue: spent, margin: 40%}",
        beside={_METRICS: "metrics: {average_order: {ratio: [spent, orders]}}\n"},
    ),
    Example(
        "UL132",
        "Order of looks",
        "Looks ascend, lie within the outcome window, and come when every metric's time has begun.",
        "analysis: {looks: [14 days, 7 days]}",
        "analysis: {looks: [7 days, 14 days]}",
    ),
    Example(
        "UL133",
        "Events without customer or time",
        "A table of events names the columns of customer and time.",
        "sources: {orders: {file: orders.csv, id: customer_id}}",
        "sources: {orders: {file: orders.csv, id: customer_id, time: ordered_at}}",
        "configs/sources.yaml",
        {_METRICS: "metrics: {orders: {from: orders, count: true}}\n"},
    ),
    Example(
        "UL134",
        "Nobody to assign",
        "To assign arms, upliftlab needs the column that identifies customers.",
        "customers: {file: data.csv}\nassignment: {method: hash}",
        "customers: {file: data.csv, id: customer_id}\nassignment: {method: hash}",
    ),
    Example(
        "UL136",
        "Unknown time zone",
        "A time zone has a name of the IANA database.",
        "time_zone: Europe/Berlni",
        "time_zone: Europe/Berlin",
        _PROGRAM,
    ),
    Example(
        "UL137",
        "Empty span of time",
        "A span of time has a beginning before its end.",
        "outcome_window: 0 days",
        "outcome_window: 28 days",
    ),
    Example(
        "UL138",
        "Share of nothing",
        "Every arm and wave has a share above 0 %.",
        _arms("control: true, share: 100%", "share: 0%"),
        _arms("control: true, share: 50%", "share: 50%"),
    ),
    Example(
        "UL139",
        "Margin not given",
        "Without a margin all revenue counts as margin: profit looks too large (warning).",
        "money: {revenue: spent}",
        "money: {revenue: spent, margin: 40%}",
    ),
    Example(
        "UL140",
        "Events without a time",
        "Events count for a time: the outcome window, or the metric's own 'during'.",
        "metrics: {primary: bought}",
        "metrics: {primary: bought}\noutcome_window: 28 days\n"
        "waves: [{start: 2026-03-02, share: 100%}]",
        beside=_EVENTS,
    ),
    Example(
        "UL141",
        "Start not known",
        "Where a column holds the arm, one wave or a column says when outcomes begin to count.",
        "metrics: {primary: bought}\noutcome_window: 28 days",
        "metrics: {primary: bought}\noutcome_window: 28 days\n"
        "assignment: {observed: arm, start: contacted_on}",
        beside=_EVENTS,
    ),
    Example(
        "UL142",
        "Covariate made of several metrics",
        "A covariate is a column, or one metric over events in the time before.",
        "analysis: {covariates: [average_before]}",
        "analysis: {covariates: [spent_before]}",
        beside={
            "configs/metrics.yaml": "metrics:\n  total: {column: total}\n"
            "  visits: {column: visits}\n  average: {ratio: [total, visits]}\n"
        },
    ),
)
