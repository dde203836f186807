"""Codes of making a simulated retailer."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

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
        "Changed file",
        "A YAML file in the folder was changed since it was made, and would be written over.",
        "Remove it, or choose another folder by --out.",
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
)
