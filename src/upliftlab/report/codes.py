"""Codes of reading an analysis back."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import COMMAND, Example, Explanation

_PAGE: Final = "upliftlab run experiments/example.yaml --out results"

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL602",
        "Not an analysis",
        "The file is no analysis that upliftlab wrote, or its parts contradict one another.",
        "Make it by 'upliftlab analyze'.",
        example=Example(
            "upliftlab report experiments/example.yaml",
            (
                "upliftlab analyze experiments/example.yaml --out results\n"
                "upliftlab report results/analysis.json"
            ),
            file=COMMAND,
            beside={"data.csv": ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n")},
        ),
    ),
    Explanation(
        "UL620",
        "No such table of a result",
        "A result in Python was asked for a table that it does not have.",
        "The message names those there are.",
    ),
    Explanation(
        "UL621",
        "Nothing to find by",
        "A result in Python was asked to find by a field that its items do not have.",
        "The message names those there are.",
    ),
    Explanation(
        "UL670",
        "Nothing to ask what if of",
        "Other terms were asked of an analysis that holds no sums for it: without money, with the "
        "verdict INVALID, or written by an earlier version.",
        "Analyse again with this version, or declare 'money'.",
    ),
    Explanation(
        "UL671",
        "No such term",
        "What if was asked of a term that analyses do not have.",
        "The message names those there are.",
    ),
    Explanation(
        "UL672",
        "A term cannot be this",
        "What if was asked of a value that a term cannot have: margins and commissions are shares "
        "from 0 to 1, amounts are not below 0.",
        "Give one number within the limits that the message names.",
    ),
    Explanation(
        "UL673",
        "No such treated arm",
        "What if was asked of the rate of an arm that is not treated; the control's are held.",
        "The message names the treated arms.",
    ),
    Explanation(
        "UL681",
        "Not a result of this experiment",
        "What was named as the plan or the list of an experiment is none that upliftlab wrote, "
        "is of another experiment, or its parts contradict one another.",
        "Name what 'upliftlab plan --json' printed, or the .json beside a list of 'target'.",
    ),
    Explanation(
        "UL479",
        "No such format",
        "Results can be written in the formats that upliftlab has and in those that "
        "installed packages add; the one asked for is none of them.",
        "The message names the nearest and all there are.",
    ),
    Explanation(
        "UL484",
        "No browser to print with",
        "A PDF is the page as Chromium, Chrome or Edge prints it, PNG are its pictures as one of "
        "them shows it, and none was found, or this system cannot tell it what to photograph.",
        "Install one, or name its program in the environment variable UPLIFTLAB_BROWSER; or open "
        "the page in a browser and print it.",
    ),
    Explanation(
        "UL486",
        "No such template",
        "A template of the workspace's folder templates/ has the name of one of upliftlab's, which "
        "it replaces, and is a text of at most 256 KiB that lies in the workspace.",
        "The message names the nearest and all there are.",
        example=Example(
            "templates/verdct.html.j2",
            "templates/verdict.html.j2",
            file="a file of templates/",
            told=True,
        ),
    ),
    Explanation(
        "UL487",
        "Template that fails",
        "A template of the workspace has a mistake, uses what the page does not give it, or "
        "reaches for what a template may not have.",
        'Mend the line; begin with {% extends "upliftlab/…" %} to replace one block alone.',
        example=Example(
            "<p>{{ nobody_knows }}</p>",
            "<p>Ask the analysts.</p>",
            file="templates/methods.html.j2",
            run=_PAGE,
        ),
    ),
    Explanation(
        "UL488",
        "Page without its policy",
        "Templates of the workspace leave the page what it permits, before anything that could be "
        "obeyed, and the line that names these templates.",
        'Begin with {% extends "upliftlab/frame.html.j2" %} and replace its blocks.',
        example=Example(
            "<!DOCTYPE html><title>Ours</title>",
            '{% extends "upliftlab/frame.html.j2" %}',
            file="templates/frame.html.j2",
            run=_PAGE,
        ),
    ),
    Explanation(
        "UL485",
        "The browser did not print",
        "The browser was started, and ended without a PDF or pictures, or not at all.",
        "Name another browser in UPLIFTLAB_BROWSER, or print the page from your own.",
    ),
)
