"""Codes of what `check --data` finds in tables of events."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

_PEOPLE: Final = "customer_id,arm,spend\n" + "".join(
    f"{n},{'ab'[n % 2]},{n % 7}.5\n" for n in range(1, 41)
)
CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL221",
        "Events of unknown customers",
        "Events belong to customers who are not in the customers' table, as far as it "
        "matters: more than a few, all of them, or only because of spaces around ids.",
        "Write ids alike in both tables.",
    ),
    Explanation(
        "UL222",
        "Events that do not cover the time",
        "Events end before the last window closes, begin after the time that is asked of "
        "before the start, or there are none: none at all, or none of this experiment.",
        "Bring the missing days along; it is a warning, as data may still come in. Where there "
        "were no later events, say so under the source: 'complete_until: 2026-05-31' is the last "
        "day of which all are there. Of events under another campaign's name, see UL300.",
    ),
    Explanation(
        "UL223",
        "Events in another currency",
        "Some events are in another currency than the others, so that their amounts do not add up.",
        "Convert them to one currency.",
    ),
    Explanation(
        "UL224",
        "Events there twice",
        "Events repeat what another says, or have the key of another: they were loaded twice, or "
        "the key is that of an order and not of its lines.",
        "Load each event once and declare what identifies it, such as key: [order_id, line]; of "
        "rows that are alike in every column say 'repeats: once' or 'repeats: each'.",
    ),
    Explanation(
        "UL225",
        "Clock that moved",
        "Events happen at hours that moved since the start, or are quiet by day and not "
        "by night: their time zone is probably another than declared.",
        "Declare their 'zone' under the source.",
    ),
    Explanation(
        "UL260",
        "Customers that cannot be compared",
        "An integrity check without a code of its own fails, so that an analysis would be INVALID: "
        "customers are not divided as declared, differ in what was known before, households or "
        "waves are torn, an arm is too small, the control was contacted.",
        "Find out how customers were assigned; the message says what differs.",
    ),
    Explanation(
        "UL281",
        "Customers left out on purpose",
        "'exclude' or 'ignore_arms' leaves customers out. It is a warning that tells how many; an "
        "error where not as large a part of every arm is excluded, so that the rest cannot be "
        "compared.",
        "Exclude by what was known before assignment, or by what no arm can change.",
    ),
    Explanation(
        "UL282",
        "Missing outcomes",
        "Customers have no value of a metric that declares 'missing'. It is a warning that tells "
        "how many; an error where a metric of the verdict leaves them out and they are not as "
        "large a part of every arm.",
        "Find out why they are missing; 'missing: zero' where an empty one means 0.",
    ),
    Explanation(
        "UL283",
        "Rows without a value",
        "Of each table, the share of rows without a value (NULL, an empty text, NaN, a word that "
        "'format: {missing: …}' declares) is told of every column that the experiment uses. All "
        "rows of the table count, whoever is eligible and whatever the window. It is a notice, no "
        "fault; '--format json' has the numbers under 'shares'.",
        "Nothing, unless a column should have values that it has not.",
    ),
    Explanation(
        "UL284",
        "Column that many rows lack",
        "One row in five or more has no value in a column that the experiment uses. Customers "
        "without one do not meet 'eligible' conditions on it, are the level '(missing)' of a "
        "segment, and a value of its own to those who learn from features. It is a notice.",
        "Find out why: a column that is filled only of some customers compares those alone.",
    ),
    Explanation(
        "UL299",
        "Attributes of the time after assignment",
        "By the column 'as_of', attributes of customers are of the day of assignment or later.",
        "Bring the attributes as they were before the campaign.",
    ),
    Explanation(
        "UL300",
        "Costs that are not on record",
        "An arm with a channel or a cost per contact has no contact on record, or a few; or what "
        "it pays for otherwise, such as redemptions, is 0 for everybody in it. What is not counted "
        "costs nothing, and profit looks too large. It is an error where nobody has a contact, or "
        "where more events than in the control stand under another name; else a warning.",
        'Where the file calls the campaign otherwise, add that name: experiment: [letter, "Letter '
        "September\"]. Where everybody got one contact, write 'contacts: one per customer' under "
        "'money'. Else bring the missing rows along.",
    ),
    Explanation(
        "UL655",
        "Customers assigned in groups",
        "Customers of one household, store or company lie in one arm each, as they would not by "
        "chance: they were assigned together and are alike, so that intervals for customers one by "
        "one are too narrow.",
        "Name what was assigned: 'assignment: {observed: arm, unit: household_id}'.",
    ),
    Explanation(
        "UL656",
        "Rows that are no customers",
        "A row of the customers' table seems to be a day, a city or a store: differences and "
        "intervals would be of days or cities.",
        "Bring a row for each customer; of totals say how many customers they are of, by "
        "'aggregated' (docs/aggregated.md).",
    ),
    Explanation(
        "UL691",
        "Table that a workspace cannot begin with",
        "A table that 'init --from' names can be read and lies where the workspace looks for "
        "tables: in its data/, or without one in itself.",
        "Put it there.",
        example=Example(
            "upliftlab init shop --from elsewhere/customers.csv --control a",
            "upliftlab init shop --from shop/customers.csv --control a",
            file=COMMAND,
            beside={"elsewhere/customers.csv": _PEOPLE, "shop/customers.csv": _PEOPLE},
        ),
    ),
    Explanation(
        "UL692",
        "Which table is the customers'",
        "One of the tables that a workspace begins with has a row for each customer, with an id of "
        "its own. None has, or several have and none alone is called so.",
        "Name the customers' table as well, or leave out what else is of customers.",
        example=Example(
            "upliftlab init shop --from shop/orders.csv",
            "upliftlab init shop --from shop/customers.csv --from shop/orders.csv",
            file=COMMAND,
            beside={
                "shop/customers.csv": "customer_id\n1\n2\n3\n4\n5\n6\n",
                "shop/orders.csv": (
                    "customer_id,ordered_on,amount\n1,2026-03-02,9.5\n1,2026-03-03,3.25\n"
                ),
            },
        ),
    ),
    Explanation(
        "UL693",
        "What no table tells",
        "A first experiment needs what is measured, which arm is the control and from when "
        "outcomes count, and the tables do not tell one of these. It is not guessed.",
        "Say it by the option that the message names.",
        example=Example(
            "upliftlab init shop --from shop/customers.csv",
            "upliftlab init shop --from shop/customers.csv --control a",
            file=COMMAND,
            beside={"shop/customers.csv": _PEOPLE},
        ),
    ),
)
