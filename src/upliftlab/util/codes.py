"""Codes of files and of other packages, which any command can meet."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL028",
        "Two packages offer one name",
        "Two installed packages add different things, such as two engines, under the same "
        "name; which of them is meant cannot be told.",
        "Uninstall one of them.",
    ),
    Explanation(
        "UL029",
        "Added package cannot be loaded",
        "An installed package says that it adds something, but cannot be imported or does "
        "not hold what it names.",
        "Mend or uninstall that package.",
    ),
    Explanation(
        "UL049",
        "No history to compare with",
        "What changed since a revision is asked of git, which must be installed, in a folder of a "
        "repository.",
        "Run it in a clone of the repository, or check everything.",
        example=Example(
            "upliftlab check experiments --changed-since main",
            "upliftlab check experiments",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL050",
        "Unknown revision",
        "A revision that changes are counted from is a branch, a tag or a commit of the "
        "repository, and has a past in common with what is checked out.",
        "In CI fetch the whole history: a clone of the newest commit alone holds no other.",
        example=Example(
            "upliftlab check experiments --changed-since orgin/main",
            "upliftlab check experiments --changed-since origin/main",
            file=COMMAND,
            told=True,
        ),
    ),
    Explanation(
        "UL463",
        "Link where none is followed",
        "A link lies where the ledger or a result is read or written. It is not followed, "
        "as whoever made it could lead upliftlab to another place.",
        "Remove the link, or name the folder meant on the command line.",
    ),
    Explanation(
        "UL464",
        "Folder on another device or outside",
        "A folder of the ledger or of results lies on another device than the one above "
        "it, or the workspace's ledger is a link that leaves the workspace.",
        "Name the folder meant on the command line.",
    ),
    Explanation(
        "UL465",
        "No plain file or folder",
        "Where a file or a folder of the ledger or of results belongs there is something "
        "else, such as a pipe or a device, or a lock file that has another name "
        "elsewhere.",
        "Remove it.",
    ),
    Explanation(
        "UL473",
        "Added package offers something else",
        "What an installed package adds is not of the kind that its entry point says, or bears "
        "another name than the entry point.",
        "Mend or uninstall that package.",
    ),
    Explanation(
        "UL474",
        "Added package failed",
        "Code of another installed package raised an error while it was asked. The message names "
        "the package and the kind of error, never a value of the data.",
        "Tell its authors, or uninstall that package.",
    ),
    Explanation(
        "UL601",
        "File cannot be written",
        "A result could not be written: the folder is not yours to write to, the disk is "
        "full, or a file stands where a folder belongs. What was there before is kept.",
        "Choose a folder you may write to, with space left.",
        example=Example(
            "upliftlab analyze experiments/example.yaml --out data.csv/report",
            "upliftlab analyze experiments/example.yaml --out report",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL680",
        "Folder holds something else",
        "A folder of pages would be replaced as a whole, and holds a file that was not written "
        "there by upliftlab.",
        "Move the file away, or name another folder by --out.",
    ),
)
