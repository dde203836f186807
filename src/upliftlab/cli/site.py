"""Everything there is to show of an experiment, gathered and written as one folder of pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from upliftlab.cli.output import echo_fault
from upliftlab.errors import UpliftLabError
from upliftlab.planning.primary_metric import effect_found
from upliftlab.report import outlook, targets
from upliftlab.report.reading import fitting, read_beside
from upliftlab.report.site import FILES, SiteContent, pages
from upliftlab.results.analysis import Message, VerdictCode
from upliftlab.results.plan import PowerReport
from upliftlab.results.targets import Targets
from upliftlab.results.uplift import UpliftResult
from upliftlab.text.language import N_
from upliftlab.util.folders import write_folder

if TYPE_CHECKING:
    from upliftlab.api import Experiment, Progress
    from upliftlab.planning.assumptions import PlanArguments
    from upliftlab.results.analysis import Analysis
    from upliftlab.text.language import Code

R = TypeVar("R")
_NO_FEATURES: Final = N_("The plan names no features to learn from.")
_INVALID: Final = N_("A critical check failed, so nothing is learned.")
_REFUSED: Final = N_("It could not be made; {command} says why.")
_NO_LIST: Final = N_("None was named. {command} writes one, and --list takes the .json beside it.")
_UNSETTLED: Final = (VerdictCode.invalid, VerdictCode.not_final)


@dataclass(frozen=True, slots=True)
class Beside:
    """What the pages beside the report are made from.

    Attributes:
        data: Folder of the data files; None for the workspace's.
        ledger: Folder of the record; None for the workspace's.
        plan: A plan that was printed as JSON; None to plan anew.
        list: What is told of the next list; None without one.
    """

    data: Path | None
    ledger: Path | None
    plan: Path | None
    list: Path | None


def gather(found: Experiment, analysis: Analysis, beside: Beside, tell: Progress) -> SiteContent:
    """What there is of an experiment that has been analysed; what is refused is told, and left out.

    Raises:
        DataError: UL681, a file that was named holds no plan or list of this experiment.
    """
    plan, chosen = _plan(found, analysis, beside, tell), _list(analysis, beside)
    responses = _responses(found, analysis, beside, tell)
    parts = {"uplift": responses, "plan": plan, "list": chosen}
    return SiteContent(
        analysis,
        None if isinstance(responses, Message) else responses,
        None if isinstance(plan, Message) else plan,
        None if isinstance(chosen, Message) else chosen,
        {name: part for name, part in parts.items() if isinstance(part, Message)},
    )


def write_site(content: SiteContent, folder: Path, root: Path | None, lang: Code) -> Path:
    """Write the pages into the folder `site` of the results, and return its index.

    Raises:
        OutputError: As `write_folder`.
    """
    site = folder / ("site" if lang == "en" else f"site.{lang}")
    write_folder(site, pages(content, lang), FILES, root)
    return site / "index.html"


def _responses(
    found: Experiment, analysis: Analysis, beside: Beside, tell: Progress
) -> UpliftResult | Message:
    """Who responds to what, or why that is not told."""
    if found.resolved.experiment.uplift is None:
        return Message(template=_NO_FEATURES)
    if analysis.verdict.code is VerdictCode.invalid:
        return Message(template=_INVALID)
    return _made("uplift", lambda: found.learn(beside.data, ledger=beside.ledger, progress=tell))


def _plan(
    found: Experiment, analysis: Analysis, beside: Beside, tell: Progress
) -> PowerReport | Message:
    """The plan that was named, or one that is made now."""
    if beside.plan is not None:
        plan = read_beside(beside.plan, PowerReport, analysis.experiment)
        with fitting(beside.plan):
            outlook.render(plan)
        return plan
    own = None if analysis.verdict.code in _UNSETTLED else analysis
    effect = own and effect_found(found.resolved, own)
    asked: PlanArguments = {"effect": effect} if effect else {}
    return _made("plan", lambda: found.plan(beside.data, own=own, progress=tell, **asked))


def _list(analysis: Analysis, beside: Beside) -> Targets | Message:
    """What is told of the list that was named."""
    if beside.list is None:
        return Message(template=_NO_LIST, values={"command": "upliftlab target"})
    chosen = read_beside(beside.list, Targets, analysis.experiment)
    with fitting(beside.list):
        targets.render(chosen)
    return chosen


def _made(command: str, make: Callable[[], R]) -> R | Message:
    """A result; where it is refused, that is told as by its own command, and left out."""
    try:
        return make()
    except UpliftLabError as error:
        for fault in error.faults:
            echo_fault(fault)
    return Message(template=_REFUSED, values={"command": f"upliftlab {command}"})
