"""Codes of making a simulated retailer."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

_PLAYED: Final = (
    "customers: customers\nassignment: {method: hash, salt: example}\n"
    "metrics: {primary: revenue}\noutcome_window: 28 days\n"
)
CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL290",
        "Too small a world",
        "A simulated retailer has at least 1,000 customers and a seed of 0 or more.",
        example=Example(
            "upliftlab simulate --customers 10 --out demo",
            "upliftlab simulate --customers 1000 --out demo",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL291",
        "File that would be written over",
        "A YAML file in the folder was changed since it was made, or a table lies there that was "
        "not simulated like this; it would be written over.",
        "Remove it, or choose another folder.",
    ),
    Explanation(
        "UL292",
        "Customers who are on the record",
        "Customers of another draw were assigned in this folder: others under their ids "
        "would get their arms.",
        "Choose another folder by --out, or remove this one.",
        example=Example(
            (
                "upliftlab simulate --customers 1000 --out demo\n"
                "upliftlab assign demo/experiments/spring_winback.yaml\n"
                "upliftlab simulate --customers 2000 --out demo"
            ),
            (
                "upliftlab simulate --customers 1000 --out demo\n"
                "upliftlab assign demo/experiments/spring_winback.yaml\n"
                "upliftlab simulate --customers 2000 --out other"
            ),
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL296",
        "Experiment that cannot be played",
        "The simulated retailer plays experiments that upliftlab assigns, in waves whose outcomes "
        "end before its records do, with arms that are contacted by e-mail or SMS, on customers "
        "in customers.parquet of the workspace's data.",
        "Change what the message names, or bring tables of your own.",
        example=Example(
            f"{_PLAYED}waves: [{{start: 2030-01-07, share: 100%}}]",
            f"{_PLAYED}waves: [{{start: 2026-03-02, share: 100%}}]",
            beside={
                "configs/sources.yaml": (
                    "schema: 1\nsources:\n  customers: {file: customers.parquet, id: customer_id}\n"
                    "  orders: {file: orders.parquet, id: customer_id, time: ordered_at}\n"
                ),
                "configs/metrics.yaml": (
                    "schema: 1\nmetrics:\n  revenue: {from: orders, sum: amount, better: higher}\n"
                ),
                "data/.gitignore": "*\n",
            },
            run="upliftlab simulate --customers 1000 experiments/example.yaml",
        ),
    ),
)
