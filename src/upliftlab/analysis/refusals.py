"""What is refused before anything is estimated: a choice made silently would be a lie."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from upliftlab.analysis.arm_labels import ignoring, mapped, near_arm
from upliftlab.analysis.repeated_ids import IdCounts, repeated_ids
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.engines.dialect import converts_texts
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.moments import MomentsQuery, SliceMoments
from upliftlab.queries.naming import naming
from upliftlab.queries.numbers import LARGEST, SMALLEST, missing_sql, number_sql, usable_sql
from upliftlab.queries.population import AnalysisPopulation, missing_column
from upliftlab.queries.texts import TextNumbers, counted, doubtful, faults_of, plain, pointed
from upliftlab.queries.togetherness import FEWER, groups_of, totals_of
from upliftlab.queries.units import SIZE, UnitTable, unit_columns
from upliftlab.queries.words import line_of, words_of
from upliftlab.stats.moments import Moments
from upliftlab.util.nearest import closest
from upliftlab.util.personal import kind_of, names_people, shape
from upliftlab.util.sql import quote

MOST_LEVELS = 200
"""A segment with more levels is no segment, and its levels may be customers."""
_SHOWN = 5
_ROUNDED = 1e-9
"""What a mean of shares may be off by, as doubles are added up."""
_PLAIN_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def refuse_unsupported(plan: Plan) -> None:
    """Refuse what would change the numbers if it were passed over.

    Raises:
        DataError: UL303, the plan looks several times at what it cannot date.
    """
    asked = plan.experiment
    undated = [*_undated(plan, plan.measured)]
    if asked.analysis.looks and undated:
        message = f"'{undated[0]}' is a column: it cannot be counted up to a look"
        raise DataError(Diagnostic("UL303", message, "count it from events, or remove 'looks'"))


def _undated(plan: Plan, names: Iterable[str]) -> Iterator[str]:
    """Columns of the customers' table that metrics are read from: nothing dates their values."""
    for name in names:
        metric = plan.metrics[name]
        if metric.field is not None:
            yield metric.field
        yield from _undated(plan, metric.pair)


def refuse_identities(
    plan: Plan, frame: AnalysisPopulation, engine: Engine, *, assume: bool = False
) -> AnalysisPopulation:
    """Refuse customers without an id, or with that of another, and numbers of two readings.

    Both are counted in one scan.

    Args:
        plan: What was asked.
        frame: Who is analysed.
        engine: Where the data lie.
        assume: Take texts of metrics for plain numbers; where one is missing afterwards, it must
            be asked again.

    Returns:
        The frame, with what is known now of its texts.

    Raises:
        DataError: UL212 ids are missing, UL213 they repeat, UL208 customers have two arms, UL220
            households are missing; UL206, UL223, UL255 and UL256, texts are no plain numbers.
    """
    _refuse_homeless(frame, engine)
    name = plan.customers.id
    if name is not None and name not in frame.columns:
        raise missing_column(name, "id", frame.columns)
    texts = pointed(_text_numbers(plan, frame, engine, assume=assume), frame.relation, engine)
    counts = list[str]()
    if name is not None:
        column = f"c.{quote(name)}"
        counts = ["COUNT(*) AS n", f"COUNT({column}) AS known", f"COUNT(DISTINCT {column}) AS ids"]
    if not (counts := [*counts, *counted(texts)]):
        return frame
    row = _one(engine, f"SELECT {', '.join(counts)} FROM {frame.relation}")
    if name is not None:
        _refuse_ids(name, row, frame, engine)
    told = faults_of(doubtful(texts, row), frame.relation, engine)
    if faults := [fault for _, fault in told]:
        raise DataError(faults)
    assumed = any(text.assumed for text in texts)
    return replace(frame, plain=plain(texts, row), assumed=assumed)


def _text_numbers(
    plan: Plan, frame: AnalysisPopulation, engine: Engine, *, assume: bool
) -> list[TextNumbers]:
    """The customers' columns of texts that are read as numbers."""
    if not converts_texts(engine.dialect):
        return []
    source, asked, size = plan.customers, unit_columns(plan), plan.customers.group_size
    names = (*asked.numbers, *([size] if size else []))
    return [
        TextNumbers(
            name,
            f"c.{quote(name)}",
            f"column '{name}'",
            source.format,
            source.amounts.get(name, plan.currency),
            assumed=assume and size is None and name not in asked.banded,
        )
        for name in names
        if frame.columns.get(name) == "text"
    ]


def _refuse_ids(
    name: str, row: Mapping[str, int], frame: AnalysisPopulation, engine: Engine
) -> None:
    column, arm = f"c.{quote(name)}", frame.own["arm"]
    if row["known"] < row["n"]:
        lacking = row["n"] - row["known"]
        raise DataError(
            Diagnostic("UL212", f"{lacking:,} rows have no '{name}'", "every customer needs one")
        )
    if row["ids"] < row["n"]:
        torn = _two_arms(engine, frame, column, arm)
        counts = IdCounts(name, row["n"], row["n"] - row["ids"], torn)
        raise DataError(repeated_ids(counts, frame.relation, frame.columns, engine))


def _two_arms(engine: Engine, frame: AnalysisPopulation, column: str, arm: str) -> int:
    inner = f"SELECT {column} AS id FROM {frame.relation} GROUP BY {column}"
    several = f"{inner} HAVING COUNT(DISTINCT {arm}) > 1"
    return _one(engine, f"SELECT COUNT(*) AS n FROM ({several}) AS mixed")["n"]


def _refuse_homeless(frame: AnalysisPopulation, engine: Engine) -> None:
    if "house" not in frame.own:
        return
    house = frame.own["house"]
    row = _one(engine, f"SELECT COUNT(*) AS n, COUNT({house}) AS known FROM {frame.relation}")
    if row["known"] < row["n"]:
        message = f"{row['n'] - row['known']:,} customers have no household"
        remedy = "fill it, with the customer's id for who lives alone"
        raise DataError(Diagnostic("UL220", message, remedy))


def refuse_whole_households(plan: Plan, frame: AnalysisPopulation, engine: Engine) -> None:
    """Refuse customers as units where whole households were randomised: they are not independent.

    Where upliftlab assigned, what was assigned is known, and a household whose customers are in one
    arm is there by chance.

    Raises:
        DataError: UL305, with the key that says so; UL205, the declared column is not there.
    """
    name = plan.customers.household
    if name is not None and name not in frame.columns:
        raise missing_column(name, "household", frame.columns)
    known = plan.households is not None or plan.experiment.assignment.observed is None
    if name is None or known:
        return
    several, mixed = totals_of(groups_of(name, frame, engine))
    if several and mixed < FEWER * several * _apart(frame, engine):
        inside = f"{several - mixed:,} of {several:,} households with several customers"
        message = f"{inside} lie in one arm each"
        raise DataError(
            Diagnostic(
                "UL305",
                f"{message}: they were randomised whole",
                f"say so: 'assignment: {{unit: {name}}}'",
            )
        )


def _apart(frame: AnalysisPopulation, engine: Engine) -> float:
    """How probable it is that two customers drawn apart are in different arms."""
    rows = engine.query(
        f"SELECT COUNT(*) AS n FROM {frame.relation} GROUP BY {frame.own['arm']}"
    ).to_pylist()
    sizes = [row["n"] for row in rows]
    return 1 - sum((n / sum(sizes)) ** 2 for n in sizes)


def refuse_text_bands(plan: Plan, table: UnitTable, engine: Engine) -> None:
    """Refuse bands of a text column whose values are no numbers.

    Raises:
        DataError: UL206, with the form of one.
    """
    banded = [s.column for s in plan.segments.values() if s.bands and s.column]
    frame, needed = table.frame, table.asked.needed
    for column in sorted(set(banded)):
        if frame.type_of(column, "segment") != "text":
            continue
        value = f"f.{needed[column]}"
        wrong = f"{value} IS NOT NULL AND {number_sql(value, 'text', frame.form)} IS NULL"
        row = _one(
            engine,
            f"SELECT COUNT(*) AS n, MIN({value}) AS example"
            f" FROM {frame.source(needed)} WHERE {wrong}",
        )
        if row["n"]:
            message = f"column '{column}' holds text such as '{shape(str(row['example']))}'"
            raise DataError(
                Diagnostic("UL206", f"{message} in {row['n']:,} rows", "it cannot be banded")
            )


def refuse_levels(query: MomentsQuery, engine: Engine) -> None:
    """Refuse a segment with so many levels that it is none.

    Raises:
        DataError: UL211, naming it.
    """
    for i, name in enumerate(query.segments):
        levels = f"SELECT DISTINCT s{i} FROM {query.units} LIMIT {MOST_LEVELS + 1}"
        if _one(engine, f"SELECT COUNT(*) AS n FROM ({levels}) AS levels")["n"] > MOST_LEVELS:
            raise DataError(
                Diagnostic(
                    "UL211",
                    f"segment '{name}' has more than {MOST_LEVELS} levels",
                    "declare bands in configs/segments.yaml if it holds numbers, else leave it out",
                )
            )


def refuse_names(plan: Plan, cells: Mapping[tuple[str, ...], Sequence[SliceMoments]]) -> None:
    """Refuse segments that say who customers are.

    Raises:
        DataError: UL240, naming them and no value of them.
    """
    faults = list[Diagnostic]()
    for name in plan.segments:
        levels: dict[str, int] = defaultdict(int)
        for cell in next(group for named, group in cells.items() if name in named):
            if (level := cell.levels[name]) is not None:
                levels[level] += cell.moments.n
        if why := names_people(levels, plan.smallest_cell):
            faults.append(naming("segment", name, why))
    if faults:
        raise DataError(faults)


def refuse_arms(plan: Plan, found: Mapping[str | None, int]) -> None:
    """Refuse data whose arms are not the plan's.

    Args:
        plan: The arms that are declared.
        found: Units by arm as the data name it; None where they name none.

    Raises:
        DataError: UL207 nobody is there, UL208 customers have no arm, UL209 and UL210 arms differ.
    """
    if not found:
        raise DataError(Diagnostic("UL207", "the data hold no customers", _where_to_look(plan)))
    if None in found:
        message = f"{found[None]:,} customers have no arm"
        raise DataError(Diagnostic("UL208", message, _of_no_arm(plan)))
    if faults := [*_foreign_arms(plan, found)]:
        raise DataError(faults)


def _where_to_look(plan: Plan) -> str:
    return "check the file and 'eligible'" + (" and 'exclude'" if plan.experiment.exclude else "")


def _of_no_arm(plan: Plan) -> str:
    """What to do about customers without an arm."""
    column = plan.experiment.assignment.observed
    if column is None:
        return "give each an arm, or leave them out of the table"
    name = column if _PLAIN_NAME.fullmatch(column) else quote(column)
    condition = " or ".join(each for each in (plan.experiment.exclude, f"{name} is null") if each)
    doubled = condition.replace("'", "''")
    return f"give each an arm, or leave them out: exclude: '{doubled}'"


def _foreign_arms(plan: Plan, found: Mapping[str | None, int]) -> Iterator[Diagnostic]:
    foreign = {str(arm): n for arm, n in sorted(found.items(), key=str) if arm not in plan.arms}
    observed = plan.experiment.assignment.observed is not None
    near = {arm: near_arm(arm, plan) if observed else None for arm in foreign}
    for name in dict.fromkeys(name for name in near.values() if name is not None):
        yield _nearly(plan, name, {arm: foreign[arm] for arm in near if near[arm] == name})
    for arm, n in [(arm, n) for arm, n in foreign.items() if near[arm] is None][:_SHOWN]:
        # The column may be the wrong one, and hold names: what few customers have is not told.
        common = n >= plan.smallest_cell and kind_of(arm) is None
        told = common or closest(arm, list(plan.arms)) is not None
        message = f"the data hold an arm '{arm if told else shape(arm)}' ({n:,} customers)"
        remedy = "add it to 'arms', or leave its customers out"
        if observed:
            known = [*plan.experiment.assignment.ignore_arms, *([arm] if told else [])]
            remedy += f": {ignoring(known)}" if told else " by 'ignore_arms'"
        else:
            remedy += " of the table"
        yield Diagnostic("UL209", f"{message} that is not in the plan", remedy)
    for name, arm in plan.arms.items():
        if name not in found and arm.share != 0:
            message = f"the data hold no customer of arm '{name}'"
            yield Diagnostic("UL210", message, "check its spelling in 'arms'")


def _nearly(plan: Plan, name: str, labels: Mapping[str, int]) -> Diagnostic:
    """Labels that may be meant for an arm; they hold no more than its own letters or digits."""
    shown = ", ".join(f"'{label}' ({n:,} customers)" for label, n in labels.items())
    message = f"the data hold {shown}, which differs from the arm '{name}' only by how it is spelt"
    if name not in plan.arms:
        message = message.replace("the arm", "the ignored arm")
    line = mapped(plan, name, sorted(labels))
    return Diagnostic("UL209", message, f"if it is meant, write {line}")


def refuse_missing(plan: Plan, table: UnitTable, lacking: Collection[str], engine: Engine) -> None:
    """Refuse a unit that lacks a number: dropping or zeroing it would be a silent choice.

    Args:
        plan: Which metrics are measured.
        table: The unit table.
        lacking: Its columns in which a number is missing.
        engine: Where the data lie.

    Raises:
        DataError: UL206, with what stands in the column instead, or that a sum is too large.
    """
    names = [name for name in table.columns if name in lacking]
    used = dict.fromkeys(part for name in names for part in _columns(table, name))
    strict = {column for column, filled in used if not filled}
    asked = dict.fromkeys((column, column not in strict) for column, _ in used)
    reasons = {c: _diagnosed(c, table, engine, filled=filled) for c, filled in asked}
    faults = [_no_numbers(plan, c, why) for c, why in reasons.items() if why]
    faults += [_beyond(name) for name in names if not [*_columns(table, name)]]
    if lacking:  # each value may be a number, and their sum none
        raise DataError(faults or [_beyond(name) for name in names or sorted(lacking)])


def refuse_traces(
    cells: Mapping[tuple[str, ...], Sequence[SliceMoments]], columns: Sequence[str]
) -> None:
    """Refuse columns of numbers so close to zero that their squares are nothing.

    Raises:
        DataError: UL206, naming them.
    """
    faults = list[Diagnostic]()
    moments = [cell.moments for cell in next(iter(cells.values()))]
    for at, name in enumerate(columns):
        largest = max((abs(float(each.mean[at])) for each in moments), default=0.0)
        varies = any(each.m2[at, at] > 0 for each in moments)
        if not varies and 0 < largest < SMALLEST:
            faults.append(traces(name))
    if faults:
        raise DataError(faults)


def refuse_no_shares(
    plan: Plan, cells: Mapping[tuple[str, ...], Sequence[SliceMoments]], columns: Sequence[str]
) -> None:
    """Refuse metrics that are declared shares and are numbers such as 100 for yes, or -1.

    Of numbers from 0 to 1 the squares never add up to more than they do themselves; of a
    household's total, which is at most its size, to more than totals times sizes do.

    Raises:
        DataError: UL206, naming them.
    """
    moments = [cell.moments for cell in next(iter(cells.values()))]
    size = columns.index(SIZE) if SIZE in columns else None
    faults = list[Diagnostic]()
    for at, name in enumerate(columns):
        if name not in plan.metrics or plan.metrics[name].unit != "share":
            continue
        most = ((each, _product(each, at, size) + _ROUNDED * each.n) for each in moments)
        if any(_product(each, at, at) > bound for each, bound in most):
            message = f"'{name}' is declared to be a share, and has numbers below 0 or above 1"
            remedy = "write 1 and 0 for yes and no, 0.25 for 25 %; or leave out 'unit: share'"
            faults.append(Diagnostic("UL206", message, remedy))
    if faults:
        raise DataError(faults)


def _product(moments: Moments, one: int, other: int | None) -> float:
    """The sum over units of a column times another, or times one."""
    product = moments.n * float(moments.mean[one])
    if other is None:
        return product
    return product * float(moments.mean[other]) + float(moments.m2[one, other])


def traces(name: str) -> Diagnostic:
    """What is said of numbers that are all next to nothing."""
    message = f"all numbers of '{name}' are closer to 0 than {SMALLEST:g}"
    return Diagnostic("UL206", message, "write them in a smaller unit")


def _beyond(name: str) -> Diagnostic:
    message = f"'{name}' adds up to more than {LARGEST}, or to no number"
    return Diagnostic("UL206", message, "mend the amounts, or write them in a larger unit")


def _no_numbers(plan: Plan, column: str, why: Mapping[str, str]) -> Diagnostic:
    """What is said of a column that lacks numbers, for the reasons given."""
    reasons = ", ".join(said for name, said in why.items() if name != "words")
    message = f"column '{column}' has values that are no numbers: {reasons}"
    remedy = "write 0 where a customer did nothing, and a plain number elsewhere"
    if "%" in why.get("text", ""):
        remedy += ", such as 0.125 for 12.5 %"
    if "words" in why:
        remedy += f"; or say under its source what the words mean: {why['words']}"
    measured = [name for name, metric in plan.metrics.items() if metric.column == column]
    if "empty" in why and measured:
        line = f"'{measured[0]}: {{column: {column}, missing: zero}}' (or drop)"
        remedy += f"; or say in configs/metrics.yaml what an empty one means: {line}"
    return Diagnostic("UL206", message, remedy)


def _columns(table: UnitTable, name: str) -> Iterator[tuple[str, bool]]:
    """The columns of the customers' table that a metric rests on, and whether gaps are filled.

    None of totals: each was looked at (`groups`).
    """
    metric = table.asked.metrics[name]
    if metric.field is not None and table.asked.sums is None:
        yield metric.field, metric.missing == "zero" or metric.present is not None
    for part in metric.parts:
        yield from _columns(table, part)


def _diagnosed(column: str, table: UnitTable, engine: Engine, *, filled: bool) -> dict[str, str]:
    """Why a column lacks numbers: counts by fault, and what is known of texts that are none."""
    needed = table.asked.needed
    value, kind = f"f.{needed[column]}", table.frame.type_of(column, "metric")
    number, absent = number_sql(value, kind, table.frame.form), missing_sql(value, kind)
    bad = f"NOT {absent} AND {number} IS NULL"
    wanting = f"{absent} AND {number} IS NULL"
    text = f"CAST({value} AS VARCHAR)"
    good = f"{usable_sql(number)} OR {absent}" if filled else usable_sql(number)
    row = _one(
        engine,
        f"SELECT COALESCE(SUM(CASE WHEN {wanting} THEN 1 ELSE 0 END), 0) AS empty,"
        f" COALESCE(SUM(CASE WHEN {bad} THEN 1 ELSE 0 END), 0) AS text,"
        f" MIN(CASE WHEN {bad} THEN {text} END) AS example,"
        f" COALESCE(SUM(CASE WHEN {good} THEN 0 ELSE 1 END), 0) AS n"
        f" FROM {table.frame.source(needed)}",
    )
    empty = 0 if filled else int(row["empty"])
    found = {
        "empty": (empty, "are empty"),
        "text": (row["text"], f"hold text such as '{shape(str(row['example']))}'"),
        "nan": (
            row["n"] - empty - row["text"],
            f"hold NaN or infinity, or more than {LARGEST}",
        ),
    }
    said = {name: f"{count:,} {what}" for name, (count, what) in found.items() if count}
    if "text" in said and kind == "text":
        source = f"(SELECT {text} AS v, {bad} AS odd FROM {table.frame.source(needed)}) AS texts"
        if words := words_of("v", "odd", source, engine):
            said["words"] = line_of(words)
    return said


def _one(engine: Engine, sql: str) -> dict[str, Any]:
    return engine.query(sql).to_pylist()[0]
