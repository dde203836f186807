"""The verb behind `inspect`: what a file holds, read as an analysis reads it.

Two scans of the table whatever it holds: counts of every column, then what these make worth a look;
and one of each column of texts that may be numbers or times in a form of their own.
"""
# ruff: noqa: S608 - names pass through quote(), patterns through literal()

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from upliftlab.config.models import FileFormat, Source
from upliftlab.data_checks.suggestion import roles_of, suggestion
from upliftlab.engines.base import ColumnType
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.kinds import kind_of
from upliftlab.engines.text_file import likely_encoding
from upliftlab.engines.text_header import text_table
from upliftlab.errors import DataError, Diagnostic, UpliftLabError
from upliftlab.queries.numbers import SYMBOLS, iso_sql, missing_sql, readable_time_sql
from upliftlab.queries.text_forms import TextForm, forms_of, settled
from upliftlab.queries.words import declared, line_of, say_yes_and_no, words_of
from upliftlab.results.inspection import (
    ColumnMeaning,
    FormatChoice,
    InspectedColumn,
    InspectedFile,
    Inspection,
)
from upliftlab.util.personal import names_people, shape
from upliftlab.util.sql import literal, quote

_TABLE: Final = "inspected"
_MOST_LEVELS: Final = 20
_SMALLEST: Final = 5
"""Levels of fewer rows are not shown."""
_NEARLY: Final = 0.9
"""From this share on distinct values are counted one by one: the estimate is a few percent off."""
_FEW_WORDS: Final = 4
"""A column of more different words does not say yes and no."""
_FLAGS: Final = ("true", "false", "yes", "no")
_LONGEST: Final = 40
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_MEANINGS: Final[dict[ColumnType, ColumnMeaning]] = {
    "boolean": "flag",
    "date": "day",
    "time": "time",
    "instant": "instant",
    "other": "nested",
    "number": "number",
    "text": "text",
}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inside:
    """Which table of a file is meant.

    Attributes:
        sheet: Of a workbook; every one where absent.
        table: Of a database.
    """

    sheet: str | None = None
    table: str | None = None


def inspect(files: Iterable[str | Path], inside: Inside | None = None) -> Inspection:
    """What files hold; one that cannot be read is told with its reason.

    Args:
        files: Files, folders of Parquet files, or patterns with `*` and `?`, each one table.
        inside: Which sheet or table of them.
    """
    asked = inside or Inside()
    return Inspection(files=tuple(one for file in files for one in _tables(str(file), asked)))


def _tables(file: str, asked: Inside) -> list[InspectedFile]:
    """A workbook's sheets each; any other file once."""
    try:
        sheets = _sheets(Path(file), asked)
    except UpliftLabError as error:
        return [InspectedFile(file=file, sheet=asked.sheet, fault=str(error.faults[0]))]
    return [_inspected(file, replace(asked, sheet=sheet)) for sheet in sheets]


def _sheets(path: Path, asked: Inside) -> Sequence[str | None]:
    """The sheets that are looked at; None is a table that need not be named."""
    if asked.sheet is not None or not path.is_file() or kind_of([path]).inside != "sheet":
        return [asked.sheet]
    from upliftlab.engines.workbook import sheets_of  # noqa: PLC0415 - only for workbooks

    names = sheets_of(path)
    return names if len(names) > 1 else [None]


def _inspected(file: str, asked: Inside) -> InspectedFile:
    # A path is no name of the YAML, and may be longer.
    source = Source.model_construct(file=file, sheet=asked.sheet, table=asked.table)
    try:
        try:
            return _looked_at(source)
        except DataError as error:
            if error.faults[0].code != "UL261" or not Path(file).is_file():
                raise
            form = FileFormat(encoding=likely_encoding(Path(file)))
            return _looked_at(source.model_copy(update={"format": form}))
    except UpliftLabError as error:
        return InspectedFile(file=file, sheet=asked.sheet, fault=str(error.faults[0]))


def _looked_at(source: Source) -> InspectedFile:
    folder = Path(str(source.file)).absolute().parent
    with DuckDB(Path, folders=[folder]) as engine, engine.reading():
        return _Look(engine, source).file()


class _Look:
    """One table, looked at."""

    def __init__(self, engine: DuckDB, source: Source) -> None:
        engine.attach(_TABLE, source)
        self._engine = engine
        self._source = source
        self._faults: dict[str, Diagnostic] = {}
        self._types = engine.columns(_TABLE)

    def file(self) -> InspectedFile:
        """What it holds."""
        source, paths = self._source, self._engine.files(self._source)
        kind = kind_of(paths)
        rows, columns = self._columns()
        text = text_table(paths[0], source.format or FileFormat()) if kind.name == "csv" else None
        return InspectedFile(
            file=str(source.file),
            kind=kind.name,
            sheet=source.sheet,
            encoding=text.encoding.removesuffix("-sig").upper() if text else None,
            delimiter=text.delimiter if text else None,
            rows=rows,
            columns=columns,
            suggestion=suggestion(source, columns),
        )

    def _columns(self) -> tuple[int, tuple[InspectedColumn, ...]]:
        counts = self._counts()
        rows, usable = int(counts["rows"]), [n for n in self._types if n not in self._faults]
        counts = {**counts, **self._closer(usable, counts)}
        facts: dict[str, Row] = {
            name: {key: counts.get(f"{key}{at}") for key in _FACTS}
            for at, name in enumerate(usable)
        }
        facts = {n: {**facts[n], "words": self._words(n, facts[n])} for n in usable}
        facts = {n: {**facts[n], "missing": self._missing(n, facts[n])} for n in usable}
        ways = {name: self._forms(name, facts[name]) for name in usable}
        facts = {n: {**facts[n], "default": _is_default(ways[n])} for n in usable}
        point = "." if any(_has_point(facts[name], ways[name]) for name in usable) else None
        forms = settled(ways, point)
        found = [
            self._unusable(name) if name in self._faults else self._column(name, rows, facts, forms)
            for name in self._types
        ]
        return rows, tuple(
            each.model_copy(update={"roles": roles_of(each, found)}) for each in found
        )

    def _unusable(self, name: str) -> InspectedColumn:
        meaning, fault = _MEANINGS[self._types[name]], str(self._faults[name])
        return InspectedColumn(name=name, meaning=meaning, text=False, missing=0, fault=fault)

    def _column(
        self,
        name: str,
        rows: int,
        facts: Mapping[str, Row],
        forms: Mapping[str, Sequence[TextForm]],
    ) -> InspectedColumn:
        known, ways = facts[name], forms[name]
        if len(ways) == 1 and not known["default"]:
            known = {**known, **self._range(name, ways[0])}
        return _column(name, self._types[name], rows, known, ways)

    def _words(self, name: str, facts: Row) -> list[str]:
        """Words for no value among numbers or times, or for yes and no, that are to be declared."""
        few = int(facts["near"] or 0) <= _FEW_WORDS
        if self._types[name] != "text" or not (few or "9" in str(facts["shape"])):
            return []
        if facts["flags"] or facts["plain"] == facts["n"] or facts["iso"] == facts["n"]:
            return []
        value = quote(name)
        odd = f"(NOT REGEXP_MATCHES({value}, '[0-9]') OR {value} LIKE '#%')"  # such as #DIV/0!
        return words_of(value, odd, _TABLE, self._engine) or []

    def _missing(self, name: str, facts: Row) -> int:
        """Rows without a value, as they are once the words for none are declared."""
        words = declared(facts["words"]).get("missing", ())
        if not words:
            return int(facts["missing"])
        absent = missing_sql(quote(name), self._types[name], words)
        found = self._engine.query(f"SELECT COUNT(*) AS n FROM {_TABLE} WHERE {absent}")
        return int(found.to_pylist()[0]["n"])

    def _forms(self, name: str, facts: Row) -> list[TextForm]:
        """In which ways a column of texts can be read; none where no text has a digit."""
        if self._types[name] != "text" or not facts["looked"] or facts["padded"]:
            return []
        relation = _TABLE
        if facts["words"]:
            words = ", ".join(map(literal, facts["words"]))
            relation = f"{_TABLE} WHERE NOT {quote(name)} IN ({words})"
        found = forms_of(name, relation, self._engine)
        times = [form for form in found if form.means != "number"]
        # Digits alone are a number, unless all are days or times as programs write them.
        return times if times and facts["plain"] == facts["n"] else found

    def _range(self, name: str, form: TextForm) -> Row:
        """The ends of a column that is read as its texts are written."""
        ends = ", ".join(f"{sql} AS {key}" for key, sql in _ends(form.value(name)).items())
        return self._engine.query(f"SELECT {ends} FROM {_TABLE}").to_pylist()[0]

    def _counts(self) -> Row:
        """The first scan; a column that cannot be asked for is left out of it."""
        try:
            return self._asked([*self._types])
        except DataError as error:
            if error.faults[0].code != "UL268":
                raise
        for name in self._types:
            try:
                self._engine.query(f"SELECT COUNT({quote(name)}) AS n FROM {_TABLE}")
            except DataError as error:
                self._faults[name] = error.faults[0]
        return self._asked([name for name in self._types if name not in self._faults])

    def _asked(self, names: Sequence[str]) -> Row:
        asked = ["COUNT(*) AS rows"]
        for at, name in enumerate(names):
            for key, sql in _first(quote(name), self._types[name]).items():
                asked.append(f"{sql} AS {key}{at}")
        return self._engine.query(f"SELECT {', '.join(asked)} FROM {_TABLE}").to_pylist()[0]

    def _closer(self, names: Sequence[str], counts: Row) -> Row:
        """The second scan: of columns whose first counts make them worth it."""
        asked = list[str]()
        for at, name in enumerate(names):
            facts = {key: counts.get(f"{key}{at}") for key in _FACTS}
            for key, sql in _second(quote(name), self._types[name], facts).items():
                asked.append(f"{sql} AS {key}{at}")
        if not asked:
            return {}
        return self._engine.query(f"SELECT {', '.join(asked)} FROM {_TABLE}").to_pylist()[0]


_FACTS: Final = (
    "n", "missing", "near", "least", "greatest", "part", "plain", "padded", "flags", "iso", "zoned",
    "shape", "distinct", "levels", "looked", "first", "last", "codes",
)  # fmt: skip
"""What is counted of a column, by name."""


def _first(value: str, kind: ColumnType) -> dict[str, str]:
    """What is asked of a column in the first scan."""
    missing = f"COUNT(CASE WHEN {missing_sql(value, kind)} THEN 1 END)"
    if kind == "other":
        return {"n": f"COUNT({value})", "missing": missing}
    asked = {"n": f"COUNT({value})", "missing": missing, "near": f"APPROX_COUNT_DISTINCT({value})"}
    if kind == "number":
        number = f"CAST({value} AS DOUBLE)"
        part = f"COUNT(CASE WHEN {number} <> FLOOR({number}) THEN 1 END)"
        return asked | _ends(value) | {"part": part}
    if kind != "text":
        return asked | (_ends(value) if kind != "boolean" else {})
    number = f"TRY_CAST({value} AS DOUBLE)"
    zoned = (
        f"CASE WHEN {readable_time_sql(value, zoned=True)} THEN {iso_sql(value, zoned=True)} END"
    )
    time = f"CASE WHEN {readable_time_sql(value)} THEN {iso_sql(value, zoned=False)} END"
    flags = ", ".join(map(literal, _FLAGS))
    return asked | {
        "plain": f"COUNT({number})",
        "part": f"COUNT(CASE WHEN {number} <> FLOOR({number}) THEN 1 END)",
        "padded": f"COUNT(CASE WHEN REGEXP_MATCHES({value}, '^0[0-9]+$') THEN 1 END)",
        "flags": f"COUNT(CASE WHEN LOWER({value}) IN ({flags}) THEN 1 END)",
        "iso": f"COUNT(COALESCE({time}, {zoned}))",
        "zoned": f"COUNT({zoned})",
        "shape": f"MODE({_shape_sql(value)})",
    }


def _ends(value: str) -> dict[str, str]:
    return {
        "least": f"CAST(MIN({value}) AS VARCHAR)",
        "greatest": f"CAST(MAX({value}) AS VARCHAR)",
    }


def _shape_sql(value: str) -> str:
    """The form of a text, as `util.personal.shape` gives it of one."""
    signs = f"{_LOWER}{_LOWER.upper()}0123456789"
    masks = f"{'a' * 26}{'A' * 26}{'9' * 10}"
    plain = f"TRANSLATE(LEFT({value}, {_LONGEST}), '{signs}', '{masks}')"
    capital = f"REGEXP_REPLACE({plain}, '\\p{{Lu}}', 'A', 'g')"
    return f"REGEXP_REPLACE({capital}, '[\\p{{Ll}}\\p{{Lo}}]', 'a', 'g')"


def _second(value: str, kind: ColumnType, facts: Row) -> dict[str, str]:
    """What is asked of a column in the second scan."""
    n, near = int(facts["n"] or 0), int(facts["near"] or 0)
    asked: dict[str, str] = {}
    if n and near >= _NEARLY * n:
        asked["distinct"] = f"COUNT(DISTINCT {value})"
    if kind in ("text", "number") and n and near <= _MOST_LEVELS:
        asked["levels"] = f"HISTOGRAM(CAST({value} AS VARCHAR))"
    if kind != "text" or not n:
        return asked
    if facts["plain"] == n and not facts["padded"]:
        asked |= _ends(f"TRY_CAST({value} AS DOUBLE)")
    elif facts["iso"] == n:
        asked |= _ends(iso_sql(value, zoned=bool(facts["zoned"])))
    if facts["iso"] < n and facts["flags"] < n and "9" in str(facts["shape"]):
        amount = f"CASE WHEN REGEXP_MATCHES({value}, '^[^#]*[0-9]') THEN {value} END"
        code = f"NULLIF(REGEXP_EXTRACT({amount}, '[A-Z]{{3}}|[€$£]'), '')"
        asked["looked"] = "1"
        asked |= {"codes": f"COUNT({code})", "first": f"MIN({code})", "last": f"MAX({code})"}
    return asked


def _column(
    name: str, kind: ColumnType, rows: int, facts: Row, forms: Sequence[TextForm]
) -> InspectedColumn:
    """A column by what was counted of it."""
    n = int(facts["n"])
    meaning = _meaning(kind, facts, forms, n)
    identifies = meaning in ("text", "whole number")
    unique = identifies and n == rows > 1 and facts["distinct"] == n
    hidden = unique or len(forms) > 1 or meaning == "text"
    to_declare = bool(facts["words"]) or (bool(forms) and not facts["default"])
    return InspectedColumn(
        name=name,
        meaning=meaning,
        text=kind == "text",
        missing=int(facts["missing"]),
        distinct=facts["distinct"] or facts["near"],
        unique=unique,
        least=None if hidden else _end(facts["least"], meaning),
        greatest=None if hidden else _end(facts["greatest"], meaning),
        shape=shape(facts["shape"]) if kind == "text" and facts["shape"] else None,
        levels=_levels(facts["levels"], n) if identifies or meaning == "flag" else {},
        currency=_currency(facts) if meaning == "number" else None,
        choices=_choices(forms, facts) if to_declare else (),
    )


def _end(text: str | None, meaning: ColumnMeaning) -> str | None:
    """An end of a column's range; texts are read as doubles, be they whole or not."""
    return text.removesuffix(".0") if text and meaning == "whole number" else text


def _choices(forms: Sequence[TextForm], facts: Row) -> tuple[FormatChoice, ...]:
    """The lines that can be written, of which one is needed."""
    words: Sequence[str] = facts["words"]
    if not words:
        return tuple(form.choice for form in forms)
    if not forms:
        given = say_yes_and_no(words) and facts["levels"]
        choice = FormatChoice(write=line_of(words), meaning="they say yes and no")
        return (choice,) if given else ()
    return tuple(
        FormatChoice(
            write=line_of(words, {} if facts["default"] else form.declared),
            meaning=f"{form.meaning}; the words are no value",
        )
        for form in forms
    )


def _has_point(facts: Row, forms: Sequence[TextForm]) -> bool:
    """Whether a column of texts can only be read with a point before decimals."""
    return bool(facts["part"]) and len(forms) == 1


def _currency(facts: Row) -> str | None:
    """The one currency that stands beside amounts."""
    same = facts["codes"] and facts["first"] == facts["last"]
    return SYMBOLS.get(facts["first"], facts["first"]) if same else None


def _is_default(forms: Sequence[TextForm]) -> bool:
    """Whether a column is read in this way without being declared."""
    return len(forms) == 1 and forms[0].plain


def _meaning(kind: ColumnType, facts: Row, forms: Sequence[TextForm], n: int) -> ColumnMeaning:
    if n == 0:
        return "empty"
    if kind == "number":
        return "number" if facts["part"] else "whole number"
    if kind != "text":
        return _MEANINGS[kind]
    if facts["iso"] == n:
        return "instant" if facts["zoned"] else ("time" if ":" in str(facts["shape"]) else "day")
    if facts["flags"] == n:
        return "flag"
    if not forms and facts["words"] and say_yes_and_no(facts["words"]):
        return "flag"
    if not forms or (facts["plain"] == n and forms[0].means == "number" and not forms[1:]):
        plain = facts["plain"] == n and not facts["padded"]
        return ("number" if facts["part"] else "whole number") if plain else "text"
    return forms[0].means


def _levels(counted: Sequence[tuple[str, int]] | None, n: int) -> dict[str, int]:
    """Levels that may be shown: each of several rows, and none that names a person."""
    found = {str(level): int(count) for level, count in counted or ()}
    if not found or names_people(found, _SMALLEST) or min(found.values()) < _SMALLEST:
        return {}
    return dict(sorted(found.items())) if sum(found.values()) == n else {}
