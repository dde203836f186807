"""The Python API: an experiment as a value, with what the commands do as its methods.

Nothing here prints, and nothing is computed: files, values and frames become a plan and an engine,
and the verbs below do the rest. The command line calls the same methods. Whatever is refused is an
`UpliftLabError`. Calls share nothing, so that threads may make them at the same time.
"""
# ruff: noqa: PLC0415 - whoever only checks loads neither engine nor statistics

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from upliftlab.analysis.analyze import AnalysisContext
    from upliftlab.config.load import Loaded
    from upliftlab.config.models import Source
    from upliftlab.config.models.experiment import Plan
    from upliftlab.config.models.values import Money
    from upliftlab.config.shared import Shared
    from upliftlab.engines.base import Engine
    from upliftlab.engines.frames import Data, Frame, Tables
    from upliftlab.errors import Diagnostic
    from upliftlab.ledger import Amendment, Ledger, Locked, Recorded
    from upliftlab.ledger.exports import Exported
    from upliftlab.planning.assumptions import PlanArguments
    from upliftlab.planning.plan import Further
    from upliftlab.report.look import Look
    from upliftlab.report.outlook import PlanReport
    from upliftlab.report.portfolio import PortfolioReport
    from upliftlab.report.published import AnalysisReport, InspectionReport
    from upliftlab.report.targets import TargetsReport
    from upliftlab.report.uplift import UpliftReport
    from upliftlab.results.analysis import Analysis, Audience
    from upliftlab.results.promises import TargetPolicy
    from upliftlab.targeting.request import TargetRequest

Progress = Callable[[str], None]
"""Told of each step, for people who wait."""
FilePath = str | Path


class TargetArguments(TypedDict, total=False):
    """How a next campaign's list is made."""

    budget: str | float | Money | None
    """What the campaign may cost, such as `20000 EUR`; the plan's where absent."""
    output: FilePath | None
    """The list, as .parquet or .csv; `<experiment>_targets.parquet` where absent."""
    model: FilePath | None
    """A model that `learn` saved; it is learned afresh where absent."""
    policy: TargetPolicy
    """`model`, which chooses, where absent; `everybody` rolls one arm out, `today` gives
    its arm to those whom today's rule chooses, `tree` follows the readable tree."""
    arm: str | None
    """The arm that everybody gets."""
    day: date | None
    """The day of contact; today where absent."""
    force: bool
    """Write a list although nothing shows that it pays."""


class Experiment:
    """One experiment, read and found to be without faults."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    @classmethod
    def from_yaml(cls, path: FilePath) -> Experiment:
        """The experiment in a YAML file; `configs/`, data and ledger are those of its workspace.

        Raises:
            ConfigError: it, or one of `configs/`, cannot be used; `faults` holds every reason.
        """
        from upliftlab.config.load import load

        return cls(load(Path(path)))

    @classmethod
    def from_dict(
        cls,
        values: Mapping[str, object],
        configs: Mapping[str, Mapping[str, object]] | None = None,
        *,
        folder: FilePath = ".",
    ) -> Experiment:
        """The experiment in Python values, by the rules of a file.

        Args:
            values: What an experiment's YAML file would hold.
            configs: What the files of `configs/` would hold, by name such as `metrics`.
            folder: The workspace: `configs/` where `configs` does not say, `data/` and `ledger/`.

        Raises:
            ConfigError: as `from_yaml`, with the same codes; the place of a fault is the way to
                its value, such as `arms.email.share`.
        """
        from upliftlab.config.load import load_values
        from upliftlab.config.workspace import workspace_at

        return cls(load_values(values, configs or {}, workspace_at(Path(folder).absolute())))

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.resolved.experiment.experiment

    @property
    def resolved(self) -> Plan:
        """The plan with nothing left to look up, as `assign_one` takes it."""
        return self._loaded.plan

    @property
    def root(self) -> Path:
        """The folder of its workspace, which holds `configs/`."""
        return self._loaded.workspace.root

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is odd in the experiment and no fault."""
        return self._loaded.warnings

    @property
    def look(self) -> Look:
        """What its pages wear, by `configs/theme.yaml` and `templates/` of its workspace."""
        return _look_of(self._loaded.scope.shared, self.root, self.root)

    def __repr__(self) -> str:
        arms = ", ".join(self.resolved.arms)
        return f"Experiment {self.name!r}: {arms}; decided by {self.resolved.decided_by}"

    def check(self, data: Data | None = None) -> tuple[Diagnostic, ...]:
        """Warnings, and with `data` every fault of the tables, which are read for it.

        Args:
            data: Tables to hold the experiment against; none are read where it is absent.

        Raises:
            DataError: as `analyze`, of what is given in `data`.
            EngineError: UL501 and UL51x, the engine cannot be reached.
        """
        if data is None:
            return self.warnings
        from upliftlab.config.load import in_order
        from upliftlab.data_checks.examine import table_faults

        with self._engine(data) as engine:
            faults = table_faults(self._loaded.scope, engine, datetime.now(UTC))
        return in_order([*self.warnings, *faults])

    def plan(
        self,
        data: Data | None = None,
        *,
        like: Analysis | FilePath | None = None,
        own: Analysis | None = None,
        progress: Progress | None = None,
        further: Further | None = None,
        **assumed: Unpack[PlanArguments],
    ) -> PlanReport:
        """What the experiment can find out, before anybody is contacted.

        Args:
            data: Tables; the workspace's own where absent. None are read for what is assumed.
            like: An earlier campaign's analysis, whose control is the baseline.
            own: An analysis of this experiment itself, whose control is the baseline where the
                customers' time before tells none.
            progress: Told of each step.
            further: What else is found out of it while its data are open, such as
                `upliftlab.validation.power_check.simulated()`: its power, played on the customers.
            assumed: What is taken for granted; where nothing is said, as `planning` declares it.

        Raises:
            ConfigError: UL320 to UL325 the assumptions contradict one another or the plan, UL622
                one is no share.
            DataError: as `analyze`; UL321, the customers' past tells no baseline.
        """
        from upliftlab.planning.assumptions import assumptions_of
        from upliftlab.planning.plan import PlanningContext, foresee, weigh
        from upliftlab.report.outlook import PlanReport
        from upliftlab.report.published import published
        from upliftlab.report.reading import read_analysis

        given = assumptions_of(self.resolved, assumed, earlier=like is not None)
        earlier = read_analysis(Path(like)) if isinstance(like, str | Path) else like
        told = (earlier or given.given) is not None and given.customers is not None
        with nullcontext() if told else self._engine(data) as engine:
            setting = PlanningContext(datetime.now(UTC), engine, earlier, progress or _silent, own)
            known = foresee(self.resolved, given, setting)
            report = weigh(known, setting)
            if further is not None:
                report = further(report, known, setting)
        return published(PlanReport, report, self.look)

    def lock(self, data: Data | None = None, *, ledger: FilePath | None = None) -> Locked:
        """Freeze the plan on the record, before anybody is assigned; again, it changes nothing.

        Args:
            data: Tables to hold the plan against; the workspace's own where absent.
            ledger: The folder of the record; `ledger/` in the workspace where absent.

        Returns:
            What is in force as `entry`, and whether this call froze it as `new`.

        Raises:
            UpliftLabError: the tables do not allow the plan or cannot be reached, nobody would get
                an arm, or the ledger refuses.
        """
        from upliftlab.data_checks.fit import require_fit, require_somebody
        from upliftlab.ledger import campaign

        if self.resolved.experiment.assignment.observed is None:
            with self._engine(data) as engine:
                require_fit(self._loaded.scope, engine)
                require_somebody(self._loaded.scope, engine)
        return campaign.lock(self._ledger(ledger), self.resolved, datetime.now(UTC))

    def amend(self, why: str, *, ledger: FilePath | None = None) -> Amendment:
        """Put this plan in force instead of the one on the record, and record the reason.

        Args:
            why: The reason, as it will stand on the record.
            ledger: The folder of the record; `ledger/` in the workspace where absent.

        Returns:
            What changed; its `kind` is a deviation once outcomes were read.

        Raises:
            LedgerError: UL452 nothing is locked, UL453 no reason or no change, UL475 to UL478
                customers hold arms, and could not be analysed under the changed plan.
        """
        from upliftlab.ledger import campaign

        return campaign.amend(self._ledger(ledger), self.resolved, why, datetime.now(UTC))

    def assign(
        self,
        data: Data | None = None,
        *,
        ledger: FilePath | None = None,
        progress: Progress | None = None,
    ) -> Recorded:
        """Decide the arm of every customer and put it on the record; again, it changes nothing.

        Args:
            data: Tables; the workspace's own where absent.
            ledger: The folder of the record; `ledger/` in the workspace where absent.
            progress: Told of each step.

        Returns:
            What is on record: `manifest.arms` and `manifest.excluded` count customers, and `new` is
            false where there was nothing to do.

        Raises:
            UpliftLabError: the plan or the tables do not allow it, or the ledger refuses.
        """
        from upliftlab.data_checks.fit import require_fit
        from upliftlab.ledger import campaign

        kept = self._ledger(ledger)
        with self._engine(data, [kept.folder]) as engine:
            if self.resolved.experiment.assignment.observed is None:
                require_fit(self._loaded.scope, engine)
            (progress or _silent)("Assigning customers")
            return campaign.assign(kept, self.resolved, engine, datetime.now(UTC))

    def assign_one(
        self,
        customer_id: int | str,
        household_id: int | str | None = None,
        day: date | None = None,
    ) -> str | None:
        """The arm of one customer, as `upliftlab.assign_one`."""
        from upliftlab.assignment.assign import assign_one as verb

        return verb(self.resolved, customer_id, household_id, day)

    def export(
        self,
        folder: FilePath,
        *,
        ledger: FilePath | None = None,
        generation: int | None = None,
        pseudonyms: str | None = None,
    ) -> Exported:
        """Write one list per wave and channel for the sending tools; the control is in none.

        Args:
            folder: Where the lists go; made private where it does not exist.
            ledger: The folder of the record; `ledger/` in the workspace where absent.
            generation: The assignment to export; the last where absent.
            pseudonyms: The environment variable whose secret keys pseudonyms, which stand for ids.

        Returns:
            Every file written, with its channel, wave and number of rows.

        Raises:
            LedgerError: UL457 nobody is assigned, UL459 a record was changed, UL470 the disk
                refuses, UL480 the secret is not set or could be guessed, UL482 two channels would
                share a file, UL483 another export writes there.
        """
        from upliftlab.ledger import campaign
        from upliftlab.ledger.exports import read_secret

        secret = read_secret(os.environ, pseudonyms) if pseudonyms else None
        kept = self._ledger(ledger)
        return campaign.export(kept, self.name, Path(folder), secret, generation)

    def analyze(
        self,
        data: Data | None = None,
        *,
        ledger: FilePath | None = None,
        progress: Progress | None = None,
        audience: Audience = "internal",
    ) -> AnalysisReport:
        """Whether the campaign paid: effects, money, checks and the verdict.

        Args:
            data: A folder of tables, a file or frame for the customers, or files and frames by
                the name of their table; the workspace's own tables where absent.
            ledger: The folder of the record: of the assignment, and of what `target` promised for
                the list that the customers are.
            progress: Told of each step.
            audience: Who reads it; for the `public` no level of fewer than ten units of an arm
                stands by itself, and owner, files, conditions and sums are left out.

        Raises:
            ConfigError: UL619, tables are given and the experiment's are read by a server.
            DataError: UL613 to UL618, what is given is no table, or not one of the experiment's;
                UL2xx and UL3xx, the data are not what the plan says, or cannot be analysed.
            LedgerError: UL45x, the record does not fit.
        """
        from upliftlab.report.published import AnalysisReport, published

        with self._at_work(data, ledger, progress) as setting:
            from upliftlab.analysis.analyze import analyze as verb
            from upliftlab.ledger.promises import held_to

            made = replace(setting, audience=audience)
            found = held_to(self._ledger(ledger), verb(self.resolved, made))
            return published(AnalysisReport, found, self.look)

    def learn(
        self,
        data: Data | None = None,
        *,
        ledger: FilePath | None = None,
        save: FilePath | None = None,
        progress: Progress | None = None,
    ) -> UpliftReport:
        """Who responds to what, and whether targeting pays.

        Args:
            data: As for `analyze`.
            ledger: As for `analyze`.
            save: Where the model goes, for `target`.
            progress: Told of each step.

        Raises:
            UpliftLabError: as `analyze`; UL608 the plan names no features, UL609 a critical check
                failed.
        """
        from upliftlab.report.published import published
        from upliftlab.report.uplift import UpliftReport

        with self._at_work(data, ledger, progress) as setting:
            from upliftlab.targeting.learn import learn as verb
            from upliftlab.targeting.target import save_model

            learned = verb(self.resolved, setting)
            if save is not None:
                save_model(self.resolved, learned, Path(save), setting)
            return published(UpliftReport, learned.responses, self.look)

    def target(
        self,
        customers: FilePath | Frame,
        data: Data | None = None,
        *,
        ledger: FilePath | None = None,
        progress: Progress | None = None,
        **asked: Unpack[TargetArguments],
    ) -> TargetsReport:
        """Whom to contact next, with which arm, within a budget; writes the list if it pays.

        Args:
            customers: Whom to choose from: a source's name, a file of the data folder, or a frame.
            data: Tables of the experiment that is learned from, as for `analyze`.
            ledger: As for `analyze`.
            progress: Told of each step.
            asked: The budget, where the list goes, the day, the model.

        Raises:
            UpliftLabError: as `analyze` and `learn`; UL63x and UL64x, the list cannot be made.
        """
        from upliftlab.config.models import Source
        from upliftlab.engines.frames import frame_table, tables_of
        from upliftlab.ledger.campaign import contacts_on_record
        from upliftlab.ledger.promises import keep
        from upliftlab.report.published import published
        from upliftlab.report.targets import TargetsReport
        from upliftlab.targeting.candidates import source_named
        from upliftlab.targeting.request import spare_sources
        from upliftlab.targeting.target import next_campaign
        from upliftlab.util.temporary import temporary

        tables, source = tables_of(self._loaded, data), None
        if not isinstance(customers, str | Path):
            source = Source(table="the frame of customers to choose from")
            tables = tables.beside(source, frame_table(customers, "customers"))
        with (
            temporary() as folder,
            self._at_work(tables, ledger, progress, [folder]) as setting,
        ):
            name = str(customers) if isinstance(customers, str | Path) else "frame"
            locate = tables.workspace.locate
            if source is None:
                declared = self._loaded.scope.shared.sources or {}
                source = source_named(self.resolved, name, declared, locate)
            order = self._request(name, source, asked, setting.now)
            contacts = contacts_on_record(self._ledger(ledger), self.resolved, folder)
            spare_sources(self.resolved, order, locate, tables.files)
            order, model = replace(order, contacts=contacts), asked.get("model")
            saved = None if model is None else Path(model)
            found = next_campaign(self.resolved, order, saved, setting)
            keep(self._ledger(ledger), found, setting.now)
            return published(TargetsReport, found, self.look)

    def _request(
        self, name: str, source: Source, asked: TargetArguments, now: datetime
    ) -> TargetRequest:
        """What is asked of the next campaign, but for the contacts on record."""
        from zoneinfo import ZoneInfo

        from upliftlab.targeting.candidates import with_identity
        from upliftlab.targeting.request import TargetRequest, arm_of, budget_of, money_of
        from upliftlab.util.files import safe_name

        plan, model = self.resolved, asked.get("model") is not None
        policy = asked.get("policy", "model")
        return TargetRequest(
            customers=name,
            source=with_identity(plan, source),
            budget=budget_of(plan, money_of(asked.get("budget"))),
            day=asked.get("day") or now.astimezone(ZoneInfo(plan.program.time_zone)).date(),
            output=Path(asked.get("output") or f"{safe_name(self.name)}_targets.parquet"),
            force=asked.get("force", False),
            arm=arm_of(plan, policy, asked.get("arm"), model=model),
            by_rule=policy == "today",
            by_tree=policy == "tree",
        )

    @contextmanager
    def _at_work(
        self,
        data: Data | Tables | None,
        ledger: FilePath | None,
        progress: Progress | None,
        folders: Sequence[Path] = (),
    ) -> Generator[AnalysisContext]:
        """What an analysis needs; if it ends well, the ledger notes that outcomes were read."""
        from upliftlab.analysis.analyze import AnalysisContext
        from upliftlab.ledger.campaign import note_outcomes, open_record

        now, observed = datetime.now(UTC), self.resolved.experiment.assignment.observed
        kept = self._ledger(ledger) if observed is None else None
        with self._engine(data, [*([kept.folder] if kept else []), *folders]) as engine:
            record = open_record(kept, self.resolved, engine) if kept else None
            yield AnalysisContext(engine, now, progress or _silent, record)
        if kept:
            note_outcomes(kept, self.resolved, now)

    @contextmanager
    def _engine(
        self, data: Data | Tables | None, folders: Sequence[Path] = ()
    ) -> Generator[Engine]:
        """The plan's engine over what is given; it opens files of these folders and no others."""
        from upliftlab.engines.frames import Tables, tables_of
        from upliftlab.engines.open import open_engine

        tables = data if isinstance(data, Tables) else tables_of(self._loaded, data)
        settings, locate = self.resolved.engine, tables.workspace.locate
        with open_engine(settings, locate, folders, tables.overrides) as engine:
            yield engine

    def _ledger(self, folder: FilePath | None) -> Ledger:
        from upliftlab.ledger import Ledger

        return Ledger(Path(folder)) if folder else Ledger.within(self._loaded.workspace.root)


Asked = Experiment | FilePath
"""An experiment, or the YAML file that holds it."""


def check(*paths: FilePath) -> tuple[Diagnostic, ...]:
    """Every fault of experiment and configuration files, or of folders of them; raises nothing."""
    from upliftlab.config.checking import check as verb

    return verb([Path(path) for path in paths])


def analyze(
    experiment: Asked,
    data: Data | None = None,
    *,
    ledger: FilePath | None = None,
    audience: Audience = "internal",
) -> AnalysisReport:
    """`Experiment.analyze` of an experiment or its file."""
    return _experiment(experiment).analyze(data, ledger=ledger, audience=audience)


def plan(
    experiment: Asked,
    data: Data | None = None,
    *,
    like: Analysis | FilePath | None = None,
    further: Further | None = None,
    **assumed: Unpack[PlanArguments],
) -> PlanReport:
    """`Experiment.plan` of an experiment or its file."""
    return _experiment(experiment).plan(data, like=like, further=further, **assumed)


def assign(
    experiment: Asked, data: Data | None = None, *, ledger: FilePath | None = None
) -> Recorded:
    """`Experiment.assign` of an experiment or its file."""
    return _experiment(experiment).assign(data, ledger=ledger)


def learn(
    experiment: Asked,
    data: Data | None = None,
    *,
    ledger: FilePath | None = None,
    save: FilePath | None = None,
) -> UpliftReport:
    """`Experiment.learn` of an experiment or its file."""
    return _experiment(experiment).learn(data, ledger=ledger, save=save)


def target(
    experiment: Asked,
    customers: FilePath | Frame,
    data: Data | None = None,
    *,
    ledger: FilePath | None = None,
    **asked: Unpack[TargetArguments],
) -> TargetsReport:
    """`Experiment.target` of an experiment or its file."""
    return _experiment(experiment).target(customers, data, ledger=ledger, **asked)


def portfolio(
    analyses: Sequence[Analysis | FilePath], *, holdout: Analysis | FilePath | None = None
) -> PortfolioReport:
    """What campaigns added together, what channels earn, and what to test next.

    Args:
        analyses: One of each campaign, or the path of its JSON.
        holdout: The analysis that compares a universal holdout with everybody else.

    Raises:
        DataError: UL602 a file holds no analysis, UL694 several currencies or levels of confidence,
            UL695 there is nothing to put together, UL696 an experiment is there twice.
    """
    from upliftlab.planning.portfolio import portfolio as verb
    from upliftlab.report.look import PLAIN
    from upliftlab.report.portfolio import PortfolioReport
    from upliftlab.report.published import published
    from upliftlab.report.reading import read_analysis as read

    def given(one: Analysis | FilePath) -> Analysis:
        return read(Path(one)) if isinstance(one, str | Path) else one

    whole = None if holdout is None else given(holdout)
    found = verb([given(one) for one in analyses], holdout=whole)
    paths = (one for one in analyses if isinstance(one, str | Path))
    first = next(paths, None)
    return published(PortfolioReport, found, PLAIN if first is None else look_around(first))


def inspect(
    *files: FilePath, sheet: str | None = None, table: str | None = None
) -> InspectionReport:
    """What files hold, as `upliftlab inspect` shows it; `to_dict` gives it as plain values.

    Args:
        files: Files, folders of Parquet files, or patterns.
        sheet: The sheet of a workbook; all of them where absent.
        table: The table of a database file.

    Returns:
        What was understood; a file that cannot be read has its reason as `fault`.
    """
    from upliftlab.data_checks.inspect import Inside
    from upliftlab.data_checks.inspect import inspect as verb
    from upliftlab.report.published import InspectionReport, published

    return published(InspectionReport, verb(files, Inside(sheet, table)))


def read_analysis(path: FilePath) -> AnalysisReport:
    """An analysis that was written as JSON.

    Raises:
        DataError: UL602, the file holds none.
    """
    from upliftlab.report.published import AnalysisReport, published
    from upliftlab.report.reading import read_analysis as read

    return published(AnalysisReport, read(Path(path)), look_around(path))


def look_around(path: FilePath) -> Look:
    """What the pages of a result wear, by the nearest folder upward that holds `configs/`.

    Raises:
        ConfigError: its theme cannot be used.
        OutputError: UL486, one of its templates cannot.
    """
    from upliftlab.config.theme import read_theme
    from upliftlab.config.workspace import find_workspace

    workspace = find_workspace(Path(path))
    return _look_of(read_theme(workspace, Path(path)), workspace.root, Path(path))


def _look_of(shared: Shared, root: Path, given: Path) -> Look:
    """What a workspace declares, as what pages wear."""
    from upliftlab.config.models import Theme
    from upliftlab.config.workspace import shown
    from upliftlab.report.look import PLAIN, Look
    from upliftlab.report.own_templates import read_templates

    own = ()
    if (root / "configs").is_dir():
        own = read_templates(root, lambda path: shown(path, given))
    if shared.theme is None and not own:
        return PLAIN
    theme = shared.theme or Theme()
    named = {"accent": theme.accent, "brand": theme.brand}
    pairs = {name: pair for name, pair in named.items() if pair is not None}
    return Look(
        house=theme.house or "",
        logos={scheme: (logo.kind, logo.content) for scheme, logo in shared.logos.items()},
        light={name: pair.light for name, pair in pairs.items()},
        dark={name: pair.dark for name, pair in pairs.items()},
        typeface=theme.typeface,
        templates=own,
    )


def _experiment(asked: Asked) -> Experiment:
    return asked if isinstance(asked, Experiment) else Experiment.from_yaml(asked)


def _silent(_step: str) -> None:
    """Tell nobody."""
