"""Codes of deciding who gets which arm."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Example, Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL274",
        "Contacts whose ids nearly match",
        "Contacts or complaints that the contact policy respects are of nobody, but would be of a "
        "customer but for spaces, capital letters, leading zeros, '.0' or dashes in ids: the "
        "policy would protect nobody by them.",
        "Write ids as the same text in both tables.",
    ),
    Explanation(
        "UL401",
        "Arms were assigned elsewhere",
        "The plan reads arms from a column, so that upliftlab assigns nobody.",
        "Remove 'observed' to assign customers here.",
    ),
    Explanation(
        "UL402",
        "Column of the assignment is missing",
        "Customers, strata and the contact policy's tables have the columns that "
        "assigning needs: ids, and times of events.",
        "Mend the name, or declare the column under the source.",
    ),
    Explanation(
        "UL403",
        "Ids that are not exact",
        "Ids are whole numbers or texts; those of another type, such as 1.0, would be "
        "written differently by each engine and change arms.",
        "Cast them to whole numbers or texts in a view.",
    ),
    Explanation(
        "UL404",
        "Customers without an id",
        "Every row of the customers' table has an id.",
        "Remove the rows, or give them one.",
        example=Example(
            ("id,region\n1,north\n,south\n"),
            ("id,region\n1,north\n2,south\n"),
            file="data.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                )
            },
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL405",
        "Customers there twice",
        "Every id stands in one row: else one customer could get two arms.",
        "Keep one row per customer.",
        example=Example(
            ("id,region\n1,north\n1,south\n"),
            ("id,region\n1,north\n2,south\n"),
            file="data.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                )
            },
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL406",
        "Customers without a household",
        "Where households are randomised, every customer has one.",
        "Fill it, with the customer's id for who lives alone.",
        example=Example(
            ("id,home\n1,a\n2,\n"),
            ("id,home\n1,a\n2,b\n"),
            file="data.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, household: home, known_after: [spent]}\n"
                    "assignment: {method: hash, unit: home}\n"
                )
            },
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL407",
        "Shares that cannot be dealt out",
        "Shares are not negative and sum to 100 % at most; all arms have one or none has; "
        "those of 'blocked' have few enough digits to be exact.",
        "Mend or round the shares.",
    ),
    Explanation(
        "UL408",
        "No range in the layer",
        "The layer that the experiment names gives it no customers, or an empty range of them.",
        "Give it a range in configs/program.yaml; 'check' says the same as UL114.",
    ),
    Explanation(
        "UL409",
        "Day of contact not known",
        "The contact policy counts contacts before the day of the campaign, and nothing "
        "says when that is.",
        "Declare 'waves'.",
    ),
    Explanation(
        "UL410",
        "Id column with a name of ours",
        "The column of ids has the name of a column that the assignment writes itself, "
        "such as arm, wave or reason.",
        "Rename it in a view.",
        example=Example(
            (
                "customers: {file: data.csv, id: wave, known_after: [spent]}\n"
                "assignment: {method: hash}"
            ),
            (
                "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                "assignment: {method: hash}"
            ),
            beside={"data.csv": ("id,wave\n1,7\n2,8\n")},
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL411",
        "Stratum of an inexact type",
        "A stratum has a type of which equal values can be written differently, such as a "
        "decimal fraction.",
        "Use a column of bands, texts or whole numbers.",
    ),
    Explanation(
        "UL412",
        "One customer alone cannot be assigned",
        "'blocked' makes exact shares, and for them needs all customers at once.",
        "Look the customer up in the ledger, or use 'method: hash'.",
    ),
    Explanation(
        "UL413",
        "Not an id",
        "A single customer who is to be assigned has an id that is neither a whole number "
        "nor a valid text, or lacks the household that is randomised.",
        "Give the id as it stands in the customers' table.",
    ),
    Explanation(
        "UL414",
        "Nobody gets an arm",
        "The customers are there, but none of them meets 'eligible', or all are kept out by "
        "opt-out, holdout, layer, contact policy or shares. Nothing is put on the record.",
        "Hold the condition against what its columns hold, or mend what the message counts.",
        example=Example(
            "assignment: {method: hash}\neligible: newsletter = 'ja'",
            "assignment: {method: hash}\neligible: newsletter = 1",
            beside={"data.csv": "id,newsletter\n1,0\n2,1\n3,1\n4,1\n"},
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL415",
        "An arm or a wave of nobody",
        "Customers were assigned, and an arm or a wave of the plan got none of them: there are too "
        "few of them for so many arms and waves (warning).",
        "Take fewer arms or waves, or wait for more customers.",
    ),
    Explanation(
        "UL416",
        "Nobody to assign",
        "The customers' table is empty.",
        "Check the file.",
        example=Example(
            "id,region\n",
            ("id,region\n1,north\n2,south\n"),
            file="data.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                )
            },
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL418",
        "Arms that a column holds already",
        "Arms are to be drawn, and a column of the customers holds their names, as it does after a "
        "campaign. Drawn anew, customers would be compared by arms that they never got, and "
        "nothing would be found (warning).",
        "If the column tells who got what, name it: 'assignment: {observed: COLUMN}'. If it is of "
        "an earlier campaign, go on.",
    ),
    Explanation(
        "UL515",
        "Engine that hashes differently",
        "This engine does not compute the published hashes, or does not compare texts "
        "byte by byte; customers would get other arms than elsewhere.",
        "Do not assign on it; a database that is not UTF-8 is the usual cause.",
    ),
)
