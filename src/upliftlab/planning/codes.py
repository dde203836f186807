"""Codes of planning a campaign, and of what its baseline is taken from."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL241",
        "Baseline of too few",
        "What customers do without the campaign was measured on fewer than the smallest "
        "number that may be told of.",
        "Check 'eligible'.",
    ),
    Explanation(
        "UL320",
        "Effect that cannot be",
        "The expected effect is 0, points of what is no share, or would take a share "
        "beyond 0 % or 100 %.",
        "Give another --effect.",
        example=Example(
            "upliftlab plan experiments/example.yaml --rate 2% --effect 0%",
            "upliftlab plan experiments/example.yaml --rate 2% --effect 5%",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL321",
        "Past that tells no baseline",
        "What customers do without the campaign cannot be measured on the time before: a "
        "metric is a column, nothing says how long outcomes count, or all customers were "
        "alike.",
        "Give figures by --baseline-mean, or an earlier campaign by --like.",
        example=Example(
            "upliftlab plan experiments/example.yaml",
            "upliftlab plan experiments/example.yaml --baseline-mean 10 --baseline-sd 5",
            file=COMMAND,
            beside={"data.csv": ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n")},
        ),
    ),
    Explanation(
        "UL322",
        "Figures that do not fit",
        "Figures are missing beside others, contradict each other, or have no part in this "
        "plan; or 'validate' finds no metric that it can draw.",
        "The message names the option to give or remove.",
        example=Example(
            "upliftlab plan experiments/example.yaml --baseline-mean 10",
            "upliftlab plan experiments/example.yaml --baseline-mean 10 --baseline-sd 5",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL323",
        "Budget that cannot be planned for",
        "A budget is an amount in the plan's currency that exceeds the arms' fixed costs, and a "
        "plan of which something can be said of money.",
        "Give a larger one, or name fewer arms.",
        example=Example(
            "upliftlab plan experiments/example.yaml --rate 2% --budget 500",
            "upliftlab plan experiments/example.yaml --rate 2%",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL324",
        "Earlier campaign that does not fit",
        "The analysis given by --like holds no numbers of its control, lacks a metric or "
        "covariate of this plan, or randomised customers where this plan has households.",
        "Name one of the same metrics and covariates.",
    ),
    Explanation(
        "UL325",
        "Nobody to simulate on",
        "A plan is simulated on the customers whose own time before it is the baseline: figures "
        "and an earlier campaign's sums hold no customers to draw.",
        "Plan from data, or leave out --simulate.",
        example=Example(
            "upliftlab plan experiments/example.yaml --baseline-mean 10 --baseline-sd 5 --simulate",
            "upliftlab plan experiments/example.yaml --baseline-mean 10 --baseline-sd 5",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL622",
        "Baseline told twice, or not at all",
        "A plan takes its baseline from an earlier analysis, or from assumptions, not from "
        "both; and an assumption is a number or a share that fits its metric.",
        "Leave one of them out, or give the number as the message says.",
    ),
    Explanation(
        "UL694",
        "Campaigns that do not add up",
        "Campaigns to be put together are in several currencies, or their intervals promise "
        "different things.",
        "Put those of one currency and one level of confidence together at a time.",
    ),
    Explanation(
        "UL695",
        "Nothing to put together",
        "There is no analysis among the files and folders that were named; or that of the "
        "universal holdout tells no profit.",
        "Name analysis.json files, or folders that hold them.",
        example=Example(
            "upliftlab portfolio",
            "upliftlab run experiments/example.yaml\nupliftlab portfolio",
            file=COMMAND,
            beside={"data.csv": "id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"},
        ),
    ),
    Explanation(
        "UL696",
        "Campaign that is there twice",
        "Two of the analyses are of one experiment, and would count its customers twice.",
        "Leave one of them out.",
    ),
)
