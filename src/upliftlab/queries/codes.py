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
        "UL287",
        "Texts that are no numbers",
        "A computed column reads a text column as numbers, and some of its texts are none. They "
        "are not taken for missing: what stands in their place would hide them.",
        "Write plain numbers, and nothing where there is none.",
        example=Example(
            "id,arm,spent,age\n1,none,0,30\n2,email,5,forty\n",
            "id,arm,spent,age\n1,none,0,30\n2,email,5,40\n",
            file="data.csv",
            beside={
                "experiments/example.yaml": (
                    "schema: 1\n"
                    "experiment: example\n"
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {observed: arm}\n"
                    "arms: {none: {control: true}, email: {channel: email}}\n"
                    "metrics: {primary: spent}\n"
                    'columns: {decades: "age / 10"}\n'
                )
            },
            run="upliftlab check experiments --data .",
        ),
    ),
    Explanation(
        "UL615",
        "Feature of another kind than learned",
        "A feature of the next customers is of another type than the model learned, or "
        "holds text where it learned numbers.",
        "Give it the type it had, or learn again.",
    ),
)
