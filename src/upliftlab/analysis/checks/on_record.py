"""Is what arms pay for on record, or would a campaign that was sent cost nothing?

A file that calls the campaign by another name, that was filled in part or not at all yields zeros,
and a zero is no error anywhere else: the cost of contacts, redemptions and the like is a rate times
what was counted.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from upliftlab.analysis.checks.contamination import contacted, contacts_meant
from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
)
from upliftlab.analysis.event_tables import EventReading
from upliftlab.config.models.experiment import Plan
from upliftlab.money import Roles
from upliftlab.queries.grouped import WEIGHT
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.results.costs import COSTS, Per
from upliftlab.stats.shares import newcombe
from upliftlab.text.language import N_
from upliftlab.util.personal import names_people
from upliftlab.util.sql import literal, quote
from upliftlab.util.visible import visible
from upliftlab.util.yaml_text import yaml_text

FEW_CONTACTED = 0.5
"""A smaller share of an arm with a contact is asked about: its channel was to reach everybody."""
_READ, _NAMED, _LONGEST = 200, 5, 60
"""Names that are looked at and that are told, and the characters that are shown of one."""
ByArm = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NamedEvents:
    """Whose events a table holds, of the customers who are analysed and of any time.

    Attributes:
        column: The column that names campaigns; None where none does.
        own: By arm, the customers with an event of this experiment, whether it counts or not.
        others: By another name than this experiment's and by arm, the customers with an event;
            empty where the column names persons.
    """

    column: str | None
    own: ByArm
    others: Mapping[str, ByArm] = field(default_factory=dict[str, ByArm])


_UNREAD: Final = NamedEvents(None, {})
"""Of what is counted from no table of events, or from one that holds what was expected."""


@dataclass(frozen=True, slots=True)
class CostRecord:
    """What is on record of what arms pay for.

    Attributes:
        units: By metric that some arm pays by and by arm, the units of which it is not 0; of
            aggregated rows, how many rows.
        tables: What else a table of events holds of which somebody has less than was expected.
    """

    units: Mapping[str, ByArm]
    tables: Mapping[str, NamedEvents]

    def names(self, table: str, control: str) -> list[str]:
        """A table's other names, those first that the control has least of beside the others."""
        others = self.tables.get(table, _UNREAD).others
        spared = {name: arms.get(control, 0) for name, arms in others.items()}
        beside = {
            name: (1 + sum(arms.values()) - spared[name]) / (1 + spared[name])
            for name, arms in others.items()
        }
        return sorted(others, key=lambda name: (-beside[name], name))


@Fact
def cost_record(data: FactInputs) -> CostRecord | None:
    """What is on record of what arms pay for; None without money."""
    roles = data.spec.roles
    if roles is None:
        return None
    columns = {data.spec.columns[at]: f"x{at}" for at in _paid_by(data.plan, roles)}
    if not columns:
        return CostRecord({}, {})
    each = WEIGHT if data.grouped and data.plan.customers.aggregated is None else "1"
    counts = [f"SUM(CASE WHEN {x} <> 0 THEN {each} ELSE 0 END) AS n_{x}" for x in columns.values()]
    rows = data.engine.query(
        f"SELECT CAST(arm AS VARCHAR) AS arm, {data.count} AS n, {', '.join(counts)}"
        f" FROM {data.units} GROUP BY 1"
    ).to_pylist()
    arms = [row for row in rows if row["arm"] is not None]
    units = {
        name: {row["arm"]: round(row[f"n_{x}"] or 0) for row in arms} for name, x in columns.items()
    }
    contacts = None if roles.contacts is None else data.spec.columns[roles.contacts]
    wanted = set[str | None]()
    for name, found in units.items():
        least = FEW_CONTACTED if name == contacts else 0.0
        if any(found[row["arm"]] <= least * row["n"] for row in arms):
            wanted.add(data.plan.metrics[name].source)
    looks = (look for look in data.events if look.events.name in wanted)
    return CostRecord(units, {look.events.name: _named(look) for look in looks})


def _paid_by(plan: Plan, roles: Roles) -> list[int]:
    """The columns that some arm pays by: contacts, further costs, what a rate is given for."""
    counted = {
        column
        for step in COSTS
        if (column := roles.counting(step.line.per)) is not None
        if column == roles.contacts or any(plan.pays(step, arm) for arm in plan.arms)
    }
    return sorted({*roles.further, *counted})


def _named(look: EventReading) -> NamedEvents:
    """A table's names with at least as many customers as a cell that is shown."""
    events, plan, arms = look.given, look.plan, list(look.plan.arms)
    column = events.source.experiment
    name = "''" if column is None else f"CAST({quote(column)} AS VARCHAR)"
    given = f"SELECT {look.starts.customer_of(events)} AS id, {name} AS name FROM {events.table}"
    key = look.starts.customer("id", events)
    units = f"SELECT {key} AS id, CAST(arm AS VARCHAR) AS arm FROM {look.starts.table}"
    each = (
        f"SELECT DISTINCT e.name AS name, u.id AS id, u.arm AS arm FROM ({given}) AS e"
        f" JOIN ({units}) AS u ON e.id = u.id WHERE e.name IS NOT NULL"
    )
    counts = ", ".join(
        f"SUM(CASE WHEN arm = {literal(arm)} THEN 1 ELSE 0 END) AS n{at}"
        for at, arm in enumerate(arms)
    )
    rows = look.engine.query(
        f"SELECT name, COUNT(*) AS n, {counts} FROM ({each}) AS pairs GROUP BY name"
        f" ORDER BY n DESC, name LIMIT {_READ}"
    ).to_pylist()
    found = {row["name"]: {arm: int(row[f"n{at}"]) for at, arm in enumerate(arms)} for row in rows}
    mine = {""} if column is None else set(plan.experiment.names)
    own = {arm: sum(found[each][arm] for each in mine & found.keys()) for arm in arms}
    smallest = plan.smallest_cell
    others = {row["name"]: row["n"] for row in rows if row["name"] not in mine}
    if names_people(others, smallest) is not None:
        others = {}
    return NamedEvents(
        column, own, {name: found[name] for name, n in others.items() if n >= smallest}
    )


@dataclass(frozen=True, slots=True)
class _Paid:
    """A metric by which an arm pays, and what its table holds.

    Attributes:
        plan: What was declared.
        metric: Its name.
        arm: The arm.
        sizes: Units by arm.
        table: What else its table holds.
    """

    plan: Plan
    metric: str
    arm: str
    sizes: ByArm
    table: NamedEvents

    @property
    def source(self) -> str:
        """The table that it is counted from."""
        return self.plan.metrics[self.metric].source or ""

    @property
    def values(self) -> dict[str, Scalar]:
        """What every sentence names."""
        return {"arm": self.arm, "metric": self.metric}

    def likely(self) -> list[str]:
        """Other names of which the arm has events, those the control has fewest of first."""
        others = self.table.others
        return sorted(
            (name for name, arms in others.items() if arms.get(self.arm)),
            key=lambda name: (-self._excess(others[name]), name),
        )

    def exceeding(self) -> list[str]:
        """Those that the arm has more of than the control, beyond chance."""
        others = self.table.others
        return [name for name in self.likely() if self._beyond_chance(others[name])]

    def uncounted(self) -> int:
        """The arm's customers with an event of this experiment, none of which counts."""
        return self.table.own.get(self.arm, 0)

    def uncounted_exceeds(self) -> bool:
        """Whether these are more than in the control, beyond chance."""
        return self._beyond_chance(self.table.own)

    def naming(self, names: Sequence[str]) -> dict[str, Scalar]:
        """What a sentence says of other names, with the line that takes the first as its own."""
        told = {"column": self.table.column or "", "source": self.source}
        return {**self.values, **told, **naming(self.plan, names)}

    def _excess(self, arms: ByArm) -> float:
        control = self.plan.control
        return _share(arms, self.arm, self.sizes) - _share(arms, control, self.sizes)

    def _beyond_chance(self, arms: ByArm) -> bool:
        pair = self.arm, self.plan.control
        if pair[0] == pair[1] or not all(self.sizes.get(arm) for arm in pair):
            return False
        sizes = self.sizes[pair[0]], self.sizes[pair[1]]
        counts = tuple(min(arms.get(arm, 0), n) for arm, n in zip(pair, sizes, strict=True))
        low = newcombe((counts[0], counts[1]), sizes, 1 - IMPLAUSIBLE).low
        return low is not None and low > 0


def naming(plan: Plan, names: Sequence[str]) -> dict[str, Scalar]:
    """Names of campaigns, cut to a few, and the line that takes the first for this experiment."""
    shown = [f"'{_shortened(name)}'" for name in names[:_NAMED]]
    listed = ", ".join(shown) + (" …" if len(names) > _NAMED else "")
    writable = next((name for name in names if _shortened(name) == name), "…")
    line = ", ".join(map(yaml_text, (*plan.experiment.names, writable)))
    return {"names": listed, "line": f"experiment: [{line}]"}


def _share(arms: ByArm, arm: str, sizes: ByArm) -> float:
    return arms.get(arm, 0) / sizes[arm] if sizes.get(arm) else 0.0


def _shortened(name: str) -> str:
    told = visible(name)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _on_record(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Each arm's contacts and what else it pays for; asked once anybody's time has begun."""
    record, schedule = inputs.facts.of(cost_record), inputs.schedule
    if record is None or (schedule.early and not schedule.elapsed):
        return
    units = record.units
    found = [*_contacts(inputs, units), *_events(inputs, units), *_further(inputs, units)]
    if not found:
        yield CheckAnswer(passed=True, text=N_("What arms pay for is on record."))
    yield from found


def _paid(inputs: CheckInputs, metric: str, arm: str) -> _Paid:
    source, record = inputs.plan.metrics[metric].source, inputs.facts.of(cost_record)
    sizes = {name: moments.n for name, moments in inputs.arms.items()}
    table = _UNREAD if record is None else record.tables.get(source or "", _UNREAD)
    return _Paid(inputs.plan, metric, arm, sizes, table)


def _contacts(inputs: CheckInputs, units: Mapping[str, ByArm]) -> Iterator[CheckAnswer]:
    """Arms that are contacted, or pay for it, and have few contacts or none."""
    roles = inputs.spec.roles
    if roles is None or roles.contacts is None:
        return
    metric, shares = inputs.spec.columns[roles.contacts], inputs.facts.of(contacted)
    for arm in inputs.plan.arms:
        if arm not in inputs.arms or not contacts_meant(inputs.plan, arm):
            continue
        if not units[metric].get(arm):
            yield _no_contact(_paid(inputs, metric, arm), early=inputs.schedule.early)
        elif shares is not None and shares.get(arm, 0) < FEW_CONTACTED * inputs.arms[arm].n:
            yield _few_contacts(_paid(inputs, metric, arm), shares.get(arm, 0))


def _no_contact(paid: _Paid, *, early: bool) -> CheckAnswer:
    values = paid.values
    if names := paid.likely():
        values = paid.naming(names)
        text = N_(
            "Nobody in {arm} has a contact on record under this experiment's name, so that its "
            "contacts would cost nothing. '{column}' of {source} names {names}: if one of them is "
            "this campaign, write '{line}'; if everybody got one contact, 'contacts: one per "
            "customer' under 'money'."
        )
    elif count := paid.uncounted():
        values |= {"count": count, "source": paid.source}
        text = N_(
            "Nobody in {arm} has a contact that counts, so that its contacts would cost nothing; "
            "{count:count} of its customers have one in {source}. Look at the time and the "
            "condition of '{metric}', or, if everybody got one contact, write 'contacts: one per "
            "customer' under 'money'."
        )
    else:
        text = N_(
            "Nobody in {arm} has a contact on record ('{metric}' is 0), so that its contacts would "
            "cost nothing. Bring them along, or, if everybody got one contact, write 'contacts: "
            "one per customer' under 'money'."
        )
    severity = Severity.warning if early else Severity.critical
    return _failed(paid, text, values, severity, 0.0)


def _few_contacts(paid: _Paid, count: int) -> CheckAnswer:
    share = count / paid.sizes[paid.arm]
    more: dict[str, Scalar] = {"share": share, "count": count}
    if names := paid.exceeding():
        values = paid.naming(names) | more
        text = N_(
            "Only {share:percent} of {arm} ({count:count}) have a contact on record under this "
            "experiment's name; the others cost nothing. '{column}' of {source} also names "
            "{names}: if one of them is this campaign, write '{line}'."
        )
    else:
        values = paid.values | more
        text = N_(
            "Only {share:percent} of {arm} ({count:count}) have a contact on record; the others "
            "cost nothing. If they were contacted as well, bring their contacts along, or, if "
            "everybody got one, write 'contacts: one per customer' under 'money'."
        )
    return _failed(paid, text, values, Severity.warning, share)


def _events(inputs: CheckInputs, units: Mapping[str, ByArm]) -> Iterator[CheckAnswer]:
    """Arms that pay for redemptions and the like, of which they have none."""
    roles = inputs.spec.roles
    for step in COSTS:
        column = roles.counting(step.line.per) if roles else None
        if column is None or step.line.per is Per.contact:
            continue
        metric = inputs.spec.columns[column]
        for arm in inputs.plan.arms:
            if arm in inputs.arms and inputs.plan.pays(step, arm) and not units[metric].get(arm):
                yield _nothing(_paid(inputs, metric, arm))


def _further(inputs: CheckInputs, units: Mapping[str, ByArm]) -> Iterator[CheckAnswer]:
    """Further costs that are 0 in every arm, or in one that has them under another name."""
    roles = inputs.spec.roles
    for column in roles.further if roles else ():
        metric = inputs.spec.columns[column]
        if not any(units[metric].values()):
            suspected = [_paid(inputs, metric, arm) for arm in inputs.spec.treatments]
            named = [paid for paid in suspected if paid.exceeding() or paid.uncounted_exceeds()]
            yield from map(_nothing, named or suspected[:1])
            continue
        for arm in inputs.spec.treatments:
            paid = _paid(inputs, metric, arm)
            if not units[metric].get(arm) and (paid.exceeding() or paid.uncounted_exceeds()):
                yield _nothing(paid)


def _nothing(paid: _Paid) -> CheckAnswer:
    """That nothing is on record: which may be true, unless the arm has it under another name."""
    values, severity = paid.values, Severity.critical
    if names := paid.exceeding():
        values = paid.naming(names)
        text = N_(
            "'{metric}' is 0 for everybody in {arm}, so that it costs nothing. '{column}' of "
            "{source} names {names}, more often there than in the control: if one of them is this "
            "campaign, write '{line}'."
        )
    elif paid.uncounted_exceeds():
        values |= {"count": paid.uncounted(), "source": paid.source}
        text = N_(
            "'{metric}' is 0 for everybody in {arm}, so that it costs nothing, and {count:count} "
            "of its customers have events in {source} that do not count, more than in the control: "
            "look at the time and the condition of '{metric}'."
        )
    else:
        severity = Severity.warning
        text = N_(
            "'{metric}' is 0 for everybody in {arm}, so that it costs nothing: is all of it on "
            "record?"
        )
    return _failed(paid, text, values, severity, 0.0)


def _failed(
    paid: _Paid, text: str, values: Mapping[str, Scalar], severity: Severity, value: float
) -> CheckAnswer:
    subjects = (paid.metric, paid.arm)
    return CheckAnswer(False, text, values, subjects, severity, value)  # noqa: FBT003 - as it is


ON_RECORD = CheckDefinition(
    name="on_record",
    title=N_("Costs on record"),
    severity=Severity.critical,
    judge=_on_record,
    facts=(contacted, cost_record),
)
