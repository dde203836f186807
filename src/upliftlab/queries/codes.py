"""Codes of the columns that experiments name."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Example, Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL205",
        "No such column",
        "A column that the experiment names is not in its table; or a source names a file "
        "where PostgreSQL reads tables of its own.",
        "Mend the name: the nearest that exists is told.",
        example=Example(
            "metrics: {primary: visits}",
            "metrics: {primary: spent}",
            beside={"data.csv": ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n")},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL206",
        "Values of the wrong kind",
        "A column holds something else than its use asks for: where a number is needed it "
        "is empty, text, NaN or infinite, or it holds no times. Nothing is dropped or "
        "taken for zero silently.",
        "Write 0 where a customer did nothing, and a plain number elsewhere; or name "
        "another column.",
        example=Example(
            ("id,arm,spent\n1,none,0\n2,email,\n3,none,2\n4,email,0\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL255",
        "Number that can be read in two ways",
        "Every number of a column that has a point or comma has three digits after it: '1.234' may "
        "be a little more than one, or more than a thousand.",
        "Say under its source which it is: 'format: {decimal: \".\"}' or "
        "'format: {thousands: \".\"}'.",
        example=Example(
            "customers: {file: data.csv, id: id, known_after: [spent]}",
            "customers: {file: data.csv, id: id, known_after: [spent], format: {thousands: '.'}}",
            beside={"data.csv": "id,arm,spent\n1,none,1.200\n2,email,2.500\n3,none,0\n4,email,7\n"},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL256",
        "Flags among numbers",
        "A column holds words for yes and no, which are read as 1 and 0, and other numbers as "
        "well.",
        "Write 1 and 0, or yes and no, everywhere.",
        example=Example(
            "id,arm,spent\n1,none,yes\n2,email,5\n3,none,no\n4,email,0\n",
            "id,arm,spent\n1,none,yes\n2,email,no\n3,none,no\n4,email,yes\n",
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL240",
        "Column that says who customers are",
        "A segment or a stratum has a value of its own for most customers, or values that "
        "look like e-mail addresses, telephone, card or account numbers. Results by it "
        "would tell of single people.",
        "Use what customers have in common, such as a region, or bands of a number.",
        example=Example(
            "segments: [mail]",
            "segments: [region]",
            beside={
                "data.csv": (
                    "id,arm,spent,mail,region\n"
                    "1,none,0,ann@example.com,north\n"
                    "2,email,5,bob@example.com,north\n"
                    "3,none,2,cy@example.com,south\n"
                    "4,email,0,di@example.com,south\n"
                )
            },
            run="upliftlab check experiments --data .",
        ),
    ),
    Explanation(
        "UL273",
        "Ids that are floating numbers",
        "A column of ids, households or keys holds floating numbers of which some are no whole "
        "numbers, or so large that several ids are one: 2^53 and beyond of a double. Joined by "
        "them, customers would be taken for each other.",
        "Write ids as text or as whole numbers where the table is made: pandas makes floating "
        "numbers of whole ones with a gap, unless read with dtype='string' or 'Int64'.",
    ),
    Explanation(
        "UL285",
        "Computed column that is there already",
        "A computed column has the name of a column of its table; case tells no columns apart.",
        "Give the computed one another name.",
        example=Example(
            'columns: {spent: "age * 2"}',
            'columns: {twice: "age * 2"}',
            beside={"data.csv": "id,arm,spent,age\n1,none,0,30\n2,email,5,40\n"},
            run="upliftlab check experiments --data .",
        ),
    ),
    Explanation(
        "UL286",
        "Values that cannot be computed with",
        "A computed column asks for numbers where its table holds texts, days or times, for texts "
        "where it holds numbers, or takes the first of values of different kinds.",
        "Use columns of the right kind, or cast them in a view.",
        example=Example(
            'columns: {level: "coalesce(lower(region), 0)"}',
            "columns: {level: \"coalesce(lower(region), 'none')\"}",
            beside={"data.csv": "id,arm,spent,region\n1,none,0,north\n2,email,5,\n"},
            run="upliftlab check experiments --data .",
        ),
    ),
    Explanation(
        "UL251",
        "Condition that compares what does not compare",
        "A condition compares numbers with texts or times, or asks which of two texts is "
        "larger. Columns of a CSV file hold texts: they are numbers, times, or true and false, "
        "where all their values are.",
        "Mend the values that are no numbers or name them as missing under the source's "
        "'format'; texts are compared by lower(a) = lower(b).",
        example=Example(
            "eligible: paid > tier",
            "eligible: paid > back",
            beside={
                "data.csv": (
                    "id,arm,spent,paid,back,tier\n"
                    "1,none,0,5.00,4.00,gold\n"
                    "2,email,5,40.00,9.00,silver\n"
                    "3,none,2,240.00,9.00,gold\n"
                    "4,email,0,30.00,9.00,gold\n"
                    "5,email,1,90.00,9.00,gold\n"
                    "6,none,1,12.00,9.00,gold\n"
                )
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL252",
        "Feature that is nearly a number",
        "Nearly all values of a feature in a CSV file are numbers, and a few are texts, such as "
        "a dash. Taken for names of categories, they would make a model worthless silently.",
        "Name what stands for no value under the source's 'format', or name the feature under "
        "'categorical' of 'uplift'.",
    ),
    Explanation(
        "UL615",
        "Feature of another kind than learned",
        "A feature of the next customers is of another type than the model learned, or "
        "holds text where it learned numbers.",
        "Give it the type it had, or learn again.",
    ),
)
