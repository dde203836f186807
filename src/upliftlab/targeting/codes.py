"""Codes of learning who responds, and of the next list."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL608",
        "Nothing to learn from",
        "The plan has no section 'uplift'.",
        "Add 'uplift: {features: […]}'.",
    ),
    Explanation(
        "UL609",
        "Nothing is learned from invalid data",
        "A critical check of the experiment failed, so that what models would learn from "
        "it could be wrong.",
        "See the report for the check.",
    ),
    Explanation(
        "UL610",
        "Outcome that no customer has",
        "Models learn from a number of each customer, not from a ratio of totals, nor "
        "from what is not measured.",
        "Name another by 'uplift: {metric: …}'.",
    ),
    Explanation(
        "UL611",
        "Plan that asks for no targeting",
        "The plan has no section 'uplift'.",
        "Add 'uplift: {features: […]}'.",
    ),
    Explanation(
        "UL612",
        "Sample without ids",
        "A sample is drawn by the customers' id, and no column holds it.",
        "Name it: 'customers: {id: …}'.",
    ),
    Explanation(
        "UL623",
        "Feature that differs between the arms",
        "A feature of the model is spread otherwise in one arm than in another, so that the "
        "campaign changed it, as it does who opened its mail.",
        "Take it as it was before the campaign, or leave it out, and learn again.",
    ),
    Explanation(
        "UL630",
        "Not a model",
        "The file is no model that upliftlab saved, or was damaged since.",
        "Make it by 'upliftlab uplift EXPERIMENT --save FILE'.",
    ),
    Explanation(
        "UL631",
        "Model of another version",
        "The model was saved in a form that this version does not read.",
        "Save it anew by 'upliftlab uplift EXPERIMENT --save FILE'.",
    ),
    Explanation(
        "UL632",
        "Model of another plan",
        "The model was learned for another experiment, or for another plan of this one.",
        "Save it anew by 'upliftlab uplift EXPERIMENT --save FILE'.",
    ),
    Explanation(
        "UL633",
        "Data changed since the model was learned",
        "A model is fitted again from its data, and these are no longer the same.",
        "Bring them back, or save the model anew.",
    ),
    Explanation(
        "UL634",
        "Model that comes out differently",
        "Fitted again, the model expects something else than when it was saved, as other "
        "versions of libraries can make it.",
        "Save it anew, or restore the libraries.",
    ),
    Explanation(
        "UL636",
        "Too many arms with a fixed cost",
        "More than 8 arms have a fixed cost: too many sets of arms to try.",
        "Leave some arms out.",
    ),
    Explanation(
        "UL637",
        "No budget",
        "No budget is given, or it is in another currency than the plan.",
        "Give one such as --budget 20000.",
    ),
    Explanation(
        "UL638",
        "No money to spend",
        "A budget is spent on costs, and the plan declares no money, or models learn from "
        "what is none.",
        "Declare 'money', and learn from profit.",
    ),
    Explanation(
        "UL639",
        "No rule of today",
        "--policy today chooses as customers are chosen today, and the plan does not say how.",
        "Write under 'uplift': 'today: {arm: ARM, where: CONDITION}'.",
    ),
    Explanation(
        "UL640",
        "Not a kind of list",
        "A list is written as .csv or .parquet.",
        "Mend --output.",
    ),
    Explanation(
        "UL641",
        "List over a table that is read",
        "The list would be written over a table that it is made from.",
        "Name another file by --output.",
    ),
    Explanation(
        "UL642",
        "Nobody to choose from",
        "--customers names no source of configs/sources.yaml and no file of the data folder.",
        "Mend the name.",
    ),
    Explanation(
        "UL643",
        "Arm that cannot be rolled out",
        "One arm for everybody needs a treatment of the plan, and no model; a model chooses arms "
        "itself.",
        "Give --policy everybody --arm ARM, or neither.",
    ),
    Explanation(
        "UL644",
        "Roll-out without a promise",
        "What an arm brings of each customer is not known: a critical check failed, its profit "
        "has no value, or households were randomised, of which profit is not known by customer.",
        "See the report for the reason.",
    ),
)
