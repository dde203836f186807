"""Codes of the record of plans, amendments and assignments."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

_ASSIGNED: Final = "assignment: {method: hash}"
_WAVES: Final = "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]"


def _amended(refused: str, allowed: str, locked: str = _ASSIGNED) -> Example:
    """Customers are assigned by a locked plan, which is amended by another file then.

    Args:
        refused: What that file says otherwise, so that the amendment is refused.
        allowed: What it may say otherwise.
        locked: What the plan says itself.
    """
    base = "customers: {file: data.csv, id: id, known_after: [spent]}\n"
    whole = "schema: 1\nexperiment: example\nmetrics: {primary: spent}\n" + base
    arms = "arms: {none: {control: true}, email: {channel: email}}\n"
    files = {"refused": refused, "allowed": allowed}
    first = "upliftlab lock experiments/example.yaml\nupliftlab assign experiments/example.yaml\n"
    return Example(
        first + "upliftlab amend changed/refused.yaml --why 'sales asked for it'",
        first + "upliftlab amend changed/allowed.yaml --why 'sales asked for it'",
        file=COMMAND,
        beside={
            "experiments/example.yaml": f"{base}{locked}\n",
            "data.csv": "id,region\n1,north\n2,south\n3,north\n4,south\n",
            **{
                f"changed/{name}.yaml": whole + ("" if "arms:" in part else arms) + part + "\n"
                for name, part in files.items()
            },
        },
    )


CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL450",
        "Ledger in use",
        "Another process is writing to this ledger.",
        "Wait until it has finished; nothing was changed by this run.",
    ),
    Explanation(
        "UL451",
        "Plan that is not the one in force",
        "The plan differs from the one that was locked: a plan that changes silently "
        "could be fitted to its results.",
        "Restore it, or record the change with 'upliftlab amend --why'.",
    ),
    Explanation(
        "UL452",
        "Plan not locked",
        "Nothing is on the record yet for this experiment.",
        "Run 'upliftlab lock', or 'assign', which locks as well. If a column of the customers "
        "tells who got what, nothing is assigned here: write 'assignment: {observed: COLUMN}'.",
        example=Example(
            'upliftlab amend experiments/example.yaml --why "Budget was halved"',
            "upliftlab lock experiments/example.yaml",
            file=COMMAND,
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                ),
                "data.csv": ("id,region\n1,north\n2,south\n3,north\n4,south\n"),
            },
        ),
    ),
    Explanation(
        "UL453",
        "Nothing to amend",
        "An amendment has a reason and changes the plan.",
        "Change the plan, and say why with --why.",
    ),
    Explanation(
        "UL454",
        "Assignment that does not add up",
        "An assignment that is to be recorded does not decide exactly once over every "
        "customer, or uses arms, waves or columns that are not the plan's.",
        "Report it: an assignment of upliftlab's own should never be like this.",
    ),
    Explanation(
        "UL455",
        "Customers would change their arm",
        "Under the changed plan customers who hold an arm would get another.",
        "Restore the plan's arms, salt and shares, or start a new experiment.",
    ),
    Explanation(
        "UL456",
        "Blocked assignment is complete",
        "A blocked assignment's shares are exact, so that nobody can join.",
        "Start a new experiment for the new customers, or use 'method: hash'.",
    ),
    Explanation(
        "UL457",
        "No records",
        "There are no records of that experiment or generation here, or the folder is no ledger.",
        "Run 'upliftlab assign' first, or name the ledger's folder.",
        example=Example(
            "upliftlab export experiments/example.yaml --out lists",
            (
                "upliftlab assign experiments/example.yaml\n"
                "upliftlab export experiments/example.yaml --out lists"
            ),
            file=COMMAND,
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                ),
                "data.csv": ("id,region\n1,north\n2,south\n3,north\n4,south\n"),
            },
        ),
    ),
    Explanation(
        "UL458",
        "Ids that repeat or changed kind",
        "Ids of an assignment are missing or repeat, or were text before and are numbers "
        "now, or the other way.",
        "Read the ids as they were read before.",
    ),
    Explanation(
        "UL459",
        "Record changed or missing",
        "A file of the ledger was changed, is damaged or missing, or does not belong there; "
        "the record is not used until it is as it was.",
        "Bring it back from a backup.",
    ),
    Explanation(
        "UL460",
        "Record of another experiment",
        "A folder of the ledger holds the records of an experiment of another name.",
        "Name the folder as the message says; names differ in more than case.",
    ),
    Explanation(
        "UL461",
        "Arms were assigned elsewhere",
        "The plan reads arms from a column, so that there is nothing to lock or assign.",
        "Remove 'assignment: observed' to have customers assigned here.",
        example=Example(
            "assignment: {observed: arm}",
            "assignment: {method: hash}",
            beside={"data.csv": ("id,arm,spent\n1,none,0\n2,email,5\n")},
            run="upliftlab assign experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL462",
        "Assigned under other arms",
        "Customers were assigned when the plan had other arms. Whoever started before an arm "
        "cannot be compared with it. 'amend' refuses such a change.",
        "Start a new experiment for the arms that came later.",
    ),
    Explanation(
        "UL466",
        "Ledger cannot be read",
        "A record may not be read by this user; nothing is known to be damaged.",
        "Get permission to read it, and run it again.",
    ),
    Explanation(
        "UL467",
        "Not the ledger of that head",
        "The ledger does not continue the one whose head was kept: records were removed "
        "or rewritten, or it is another ledger.",
        "Bring back a backup.",
    ),
    Explanation(
        "UL468",
        "Not a head",
        "What was given is no head of a ledger, or was not signed with this secret.",
        "Give what 'upliftlab ledger head' printed.",
        example=Example(
            ("upliftlab lock experiments/example.yaml\nupliftlab verify ledger --head abc"),
            ("upliftlab lock experiments/example.yaml\nupliftlab verify ledger"),
            file=COMMAND,
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                ),
                "data.csv": ("id,region\n1,north\n2,south\n3,north\n4,south\n"),
            },
        ),
    ),
    Explanation(
        "UL469",
        "Ledger without a head",
        "These records were made before ledgers had heads.",
        "The next lock, amend, assign or run begins one.",
    ),
    Explanation(
        "UL470",
        "Ledger or list cannot be written",
        "The disk is full or may not be written to. Nothing is half done.",
        "Make room, or choose a folder you may write to, and run it again.",
    ),
    Explanation(
        "UL471",
        "No room to examine the assignment",
        "DuckDB could not examine or write an assignment, as a rule for want of memory or disk.",
        "Make room on the disk and in memory, and run it again.",
    ),
    Explanation(
        "UL472",
        "Path that is a pattern",
        "The path of the ledger holds one of * ? [ ] { }, which would be read as a pattern.",
        "Rename the folder.",
        example=Example(
            "upliftlab lock experiments/example.yaml --out 'ledger[1]'",
            "upliftlab lock experiments/example.yaml --out ledger1",
            file=COMMAND,
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                ),
                "data.csv": ("id,region\n1,north\n2,south\n3,north\n4,south\n"),
            },
        ),
    ),
    Explanation(
        "UL475",
        "Arms amended after assignment",
        "Once customers hold an arm, arms are neither added nor removed, renamed or put in another "
        "order: customers of different times could not be compared. Shares, costs and titles may "
        "change.",
        "Start a new experiment for a new arm, with a control of its own.",
        example=_amended(
            f"{_ASSIGNED}\narms: {{none: {{control: true}}, email: {{}}, letter: {{}}}}",
            f"{_ASSIGNED}\narms: {{none: {{control: true}}, email: {{title: E-mail}}}}",
        ),
    ),
    Explanation(
        "UL476",
        "Draw amended after assignment",
        "Once customers hold an arm, what they were drawn by stays: the unit, the method, strata, "
        "the salt, and the id.",
        "Restore it, or start a new experiment.",
        example=_amended(
            "assignment: {method: hash, salt: another}", f"{_ASSIGNED}\ntitle: Spring mailing"
        ),
    ),
    Explanation(
        "UL477",
        "Wave amended away",
        "A wave that customers were assigned to is no longer in the plan, so that their start "
        "would not be known.",
        "Leave it in the plan; its day may change.",
        example=_amended(
            _ASSIGNED,
            f"{_ASSIGNED}\n{_WAVES.replace('03-09', '03-16')}",
            f"{_ASSIGNED}\n{_WAVES}",
        ),
    ),
    Explanation(
        "UL478",
        "Shares that cannot change",
        "Shares change for customers who join later. Nobody joins a blocked assignment, and a "
        "household whose members joined by different shares would lie in two arms.",
        "Restore the shares, or start a new experiment.",
        example=_amended(
            "assignment: {method: blocked}\n"
            "arms: {none: {control: true, share: 20%}, email: {channel: email, share: 80%}}",
            "assignment: {method: blocked}\ntitle: Spring mailing",
            "assignment: {method: blocked}",
        ),
    ),
    Explanation(
        "UL480",
        "Secret not set or weak",
        "The environment variable named for pseudonyms or signatures is not set, or its "
        "value could be guessed.",
        "Set it to at least 16 bytes drawn at random.",
        example=Example(
            (
                "upliftlab assign experiments/example.yaml\n"
                "upliftlab export experiments/example.yaml --out lists --pseudonyms NOT_SET"
            ),
            (
                "upliftlab assign experiments/example.yaml\n"
                "upliftlab export experiments/example.yaml --out lists"
            ),
            file=COMMAND,
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, known_after: [spent]}\n"
                    "assignment: {method: hash}\n"
                ),
                "data.csv": ("id,region\n1,north\n2,south\n3,north\n4,south\n"),
            },
        ),
    ),
    Explanation(
        "UL482",
        "Channels that share a file",
        "Two channels have names that lead to one file name.",
        "Rename one of them.",
    ),
    Explanation(
        "UL483",
        "Another export is writing",
        "Another process writes lists into this folder.",
        "Wait until it is done.",
    ),
)
