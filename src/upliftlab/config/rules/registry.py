"""Where rules enlist themselves: what each judges, and how it is explained.

A rule is one function in any module of this package. `@rule` holds its code, title and sentence,
with an example that breaks it and one that keeps it; modules are found by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final, Generic, TypeVar

from upliftlab.config.scope import MetricDeclarations, Scope, Siblings
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic
from upliftlab.util.explanation import EXPERIMENT, Example, Explanation

S = TypeVar("S")
Judge = Callable[[S], Iterator[Diagnostic]]
_explained: dict[str, Explanation] = {}


class Rulebook(Generic[S]):
    """The rules that judge one kind of thing, in the order of their modules and lines."""

    def __init__(self) -> None:
        self._judges: dict[Judge[S], None] = {}

    def rule(  # noqa: PLR0913 - a rule stands together with its examples
        self,
        code: str,
        title: str,
        sentence: str,
        *,
        wrong: str,
        right: str,
        file: str = EXPERIMENT,
        beside: Mapping[str, str] | None = None,
    ) -> Callable[[Judge[S]], Judge[S]]:
        """Enlist a function that judges, and explain the code it raises.

        Args:
            code: Such as UL103.
            title: The rule in few words.
            sentence: What holds where the rule is kept.
            wrong: A part of `file` that breaks the rule.
            right: The same part as it keeps it.
            file: The file they are parts of.
            beside: Other files the example needs.

        Raises:
            ValueError: the code is explained elsewhere.
        """
        if code in _explained:
            raise ValueError(f"{code} is explained twice")
        example = Example(wrong, right, file, beside or {})
        _explained[code] = Explanation(code, title, sentence, example=example)
        return self.judges

    def judges(self, judge: Judge[S]) -> Judge[S]:
        """Enlist a function that judges by rules which are explained elsewhere."""
        self._judges[judge] = None
        return judge

    def faults(self, subject: S) -> list[Diagnostic]:
        """Every rule that is broken."""
        _read_all()
        return [fault for judge in self._judges for fault in judge(subject)]


_experiment: Final = Rulebook[Scope]()
_notices: Final = Rulebook[Scope]()
_shared: Final = Rulebook[Shared]()
_metrics: Final = Rulebook[MetricDeclarations]()
_siblings: Final = Rulebook[Siblings]()

rule, judges = _experiment.rule, _experiment.judges
"""Of one experiment, with what it refers to."""
notice_rule, notices = _notices.rule, _notices.faults
"""What is taken of one experiment where nothing is declared: no fault, told by `check`."""
metrics_rule, metrics_judges = _metrics.rule, _metrics.judges
"""Of metrics, wherever they are declared."""
shared_rule, shared_judges = _shared.rule, _shared.judges
"""Of the files of `configs/`, whether or not an experiment uses them."""
siblings_rule, siblings_judges = _siblings.rule, _siblings.judges
"""Of the experiments of one workspace, and what they do to one another."""
cross_faults = _siblings.faults


def shared_faults(shared: Shared) -> list[Diagnostic]:
    """Everything that is wrong in `configs/`: each file's own faults, then the rules."""
    metrics = _metrics.faults(MetricDeclarations.of_configs(shared))
    return [*shared.faults, *_shared.faults(shared), *metrics]


def plan_faults(scope: Scope) -> list[Diagnostic]:
    """Every rule of an experiment, and of the metrics that it defines, that is broken."""
    metrics = _metrics.faults(MetricDeclarations.of_experiment(scope))
    return [*_experiment.faults(scope), *metrics]


def explanations() -> tuple[Explanation, ...]:
    """Every rule's explanation, by code."""
    _read_all()
    return tuple(_explained[code] for code in sorted(_explained))


@cache
def _read_all() -> None:
    """Import every module of the package: rules enlist themselves."""
    package = import_module("upliftlab.config.rules")
    for module in iter_modules(package.__path__):
        import_module(f"upliftlab.config.rules.{module.name}")
