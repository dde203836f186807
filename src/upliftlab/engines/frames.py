"""Tables that the caller holds: frames, read where they lie in memory, and files named by path.

A frame is anything that hands on its columns by Arrow's C interface: pandas, polars, pyarrow and
whatever else speaks it. Numbers and text are not copied on the way; the engine scans the frame's
own memory.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, cast, runtime_checkable

import numpy as np
import pyarrow as pa

from upliftlab.config.load import Loaded
from upliftlab.config.models import Source
from upliftlab.config.workspace import Workspace
from upliftlab.engines.kinds import is_of
from upliftlab.errors import DataError, Diagnostic

Stop = Callable[[], bool]
"""Whether nobody waits for the answer any more."""
Location = tuple[str | None, str | None, str | None]
"""Where a source says that its table lies: file, table and sheet."""
_AT_ONCE: Final = 4
"""Columns that are hashed at a time."""
_PIECE: Final = 1 << 20
"""Rows that are hashed at a time, wherever a frame's own chunks end."""
_WHOLE: Final = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
"""Whole numbers of as many bits, as which values of any type can be looked at."""
_VIEW: Final = 16
"""Bytes of a view of a text: its length, and the text itself where it has no more than the rest."""
_WITHIN: Final = 12
"""Bytes of a text that fit its view."""
_UNREADABLE = (pa.ArrowException, TypeError, ValueError, NotImplementedError)


_CUSTOMERS: Final = "customers"
"""What an experiment's own customers are called where tables are given."""


@runtime_checkable
class Frame(Protocol):
    """A table in memory, of pandas, polars, pyarrow, DuckDB: Arrow's PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a stream of Arrow's C interface."""
        ...


FilePath = str | Path
Data = FilePath | Frame | Mapping[str, "FilePath | Frame"]
"""A folder of tables, a file or frame for the customers, or files and frames by table."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """A frame as the engine reads it.

    Attributes:
        described: What the record calls it, such as `pandas DataFrame`.
        table: Its columns, in the frame's own memory.
    """

    described: str
    table: pa.Table

    @property
    def counted_first(self) -> pa.Table:
        """The table, numbers before texts: where rows are counted, the first column is read."""
        kinds = dict(zip(self.table.column_names, self.table.schema.types, strict=True))
        return self.table.select(sorted(kinds, key=lambda name: not _is_number(kinds[name])))

    def fingerprint(self, stop: Stop = lambda: False) -> str:
        """A sha256 of the content: every column's name, type and BLAKE3 of its values, in order.

        It does not hang on how the rows are cut into chunks. A missing value is missing, whatever
        lies in its place. Another type, such as a category for a text, is another content.
        Columns are hashed beside each other, as that takes longer than to analyse them.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="upliftlab-digest") as hashing:
            columns = list(hashing.map(partial(_digest, stop), self.table.columns))
        total = hashlib.sha256(f"{self.table.num_rows}\n".encode())
        names, kinds = self.table.column_names, self.table.schema.types
        for name, kind, digest in zip(names, kinds, columns, strict=True):
            total.update(f"{name}\n{kind}\n{digest}\n".encode())
        return "" if stop() else total.hexdigest()


@dataclass(frozen=True, slots=True)
class TableOverrides:
    """Tables that are read instead of those that sources name.

    Attributes:
        frames: Frames, by where their source says that its table lies.
        files: Files and folders, likewise.
    """

    frames: Mapping[Location, FrameTable] = field(default_factory=dict[Location, FrameTable])
    files: Mapping[Location, Path] = field(default_factory=dict[Location, Path])

    def frame(self, source: Source) -> FrameTable | None:
        """The frame in a source's place; None where there is none."""
        return self.frames.get(location_of(source))

    def source(self, source: Source) -> Source:
        """A source, with the file that is read in its place."""
        file = self.files.get(location_of(source))
        if file is None:
            return source
        sheet = source.sheet if is_of(file.name, ["sheets"]) else None
        return source.model_copy(update={"file": str(file), "sheet": sheet})

    def locate(self, usual: Callable[[str], Path]) -> Callable[[str], Path]:
        """How files are found: those that were given where they lie, all others as usual."""

        def found(name: str) -> Path:
            path = Path(name)
            given = any(path == file or file in path.parents for file in self.files.values())
            return path if given and ".." not in path.parts else usual(name)

        return found

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the files."""
        return tuple(file if file.is_dir() else file.parent for file in self.files.values())


@dataclass(frozen=True, slots=True)
class Tables:
    """Where an experiment's tables are read."""

    workspace: Workspace
    overrides: TableOverrides | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that were given in the place of others."""
        return tuple(self.overrides.files.values()) if self.overrides else ()

    def beside(self, source: Source, frame: FrameTable) -> Tables:
        """The same, with a frame in the place of one more table."""
        usual = self.overrides or TableOverrides()
        frames = {**usual.frames, location_of(source): frame}
        return replace(self, overrides=replace(usual, frames=frames))


def tables_of(loaded: Loaded, data: Data | None) -> Tables:
    """What `data` means: a folder is the data root, all else stands for tables.

    Raises:
        DataError: UL201 there is no such folder or file; as `table_overrides`.
    """
    workspace = loaded.workspace
    if data is None:
        return Tables(workspace)
    if isinstance(data, str | Path):
        path = Path(data)
        if path.is_dir():
            return Tables(replace(workspace, data=path, usual=False))
        if not path.exists():
            message = f"there is no file or folder {path}"
            raise DataError(Diagnostic("UL201", message, "check its name"))
    given = data if isinstance(data, Mapping) else {_CUSTOMERS: data}
    return Tables(workspace, table_overrides(_sources(loaded), given))


def _sources(loaded: Loaded) -> dict[str, Source]:
    """Every table that can be given, by name."""
    named = loaded.plan.experiment.customers
    own = {_CUSTOMERS: loaded.plan.customers}
    own |= {named: loaded.plan.customers} if isinstance(named, str) else {}
    return {**(loaded.scope.shared.sources or {}), **loaded.plan.sources, **own}


def location_of(source: Source) -> Location:
    """Where a source says that its table lies."""
    return source.file, source.table, source.sheet


def table_overrides(sources: Mapping[str, Source], given: Mapping[str, object]) -> TableOverrides:
    """What is read instead of the tables that sources name.

    Args:
        sources: Every table that can be given, by name.
        given: Frames, and paths of files or folders, by the name of their table.

    Raises:
        DataError: UL613 there is no such table; as `frame_table`.
    """
    frames: dict[Location, FrameTable] = {}
    files: dict[Location, Path] = {}
    for name, content in given.items():
        if name not in sources:
            remedy = f"there are {', '.join(sorted(sources))}; an experiment's own is 'customers'"
            message = f"the experiment reads no table '{str(name)[:60]}'"
            raise DataError(Diagnostic("UL613", message, remedy))
        place = location_of(sources[name])
        if isinstance(content, str | Path):
            files[place] = Path(os.path.abspath(content))  # noqa: PTH100 - resolve() follows links
        else:
            frames[place] = frame_table(content, name)
    return TableOverrides(frames, files)


def is_frame(content: object) -> bool:
    """Whether something hands on its columns by Arrow's C interface."""
    return hasattr(content, "__arrow_c_stream__") or hasattr(content, "__arrow_c_array__")


def frame_table(frame: object, name: str) -> FrameTable:
    """A frame as a table in its own memory; what hands on its rows only once is taken up whole.

    A pandas index without a name is no data and is left out.

    Args:
        frame: Anything with Arrow's C interface.
        name: What messages call it.

    Raises:
        DataError: UL614 it is no frame, UL616 a column cannot be read, UL617 two columns have one
            name or a column has none, UL618 the index has a name, so it may hold data.
    """
    if not is_frame(frame):
        message = f"'{name}' is a {type(frame).__name__}, and no table"
        remedy = "give a frame of pandas, polars or pyarrow, a DuckDB relation, or a file's path"
        raise DataError(Diagnostic("UL614", message, remedy))
    pandas, polars = (sys.modules.get(library) for library in ("pandas", "polars"))
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        table = _from_pandas(frame, name)
    elif polars is not None and isinstance(frame, polars.DataFrame):
        table = _from_polars(frame, name)
    else:
        table = _from_stream(frame, name)
    _refuse_names(table.column_names, name)
    kind = type(frame)
    package = kind.__module__.partition(".")[0].lstrip("_").removesuffix("lib")
    return FrameTable(f"{package} {kind.__name__}", table)


def _from_stream(frame: Any, name: str) -> pa.Table:  # noqa: ANN401 - any library's frame
    try:
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.RecordBatchReader.from_stream(frame).read_all()
        return pa.Table.from_batches([pa.record_batch(frame)])
    except _UNREADABLE:
        message = f"'{name}' does not hand on its rows as a table"
    remedy = "give a frame of columns of numbers, texts, times or booleans"
    raise DataError(Diagnostic("UL616", message, remedy))  # a chained error would repeat values


def _from_polars(frame: Any, name: str) -> pa.Table:  # noqa: ANN401 - polars is imported by its user
    """Column by column: a frame's own stream copies columns that lie in several chunks."""
    for column, kind in frame.schema.items():
        if str(kind) == "Object":
            message = f"the column '{column}' of '{name}' holds Python objects"
            raise DataError(Diagnostic("UL616", message, "give numbers, texts, times or booleans"))
    columns: dict[str, Any] = {
        column: pa.chunked_array(frame.get_column(column)) for column in frame.columns
    }
    return pa.table(columns)


def _from_pandas(frame: Any, name: str) -> pa.Table:  # noqa: ANN401 - pandas is imported by its user
    named = [each for each in frame.index.names if each is not None]
    if named:
        message = f"the index of '{name}' has the name '{str(named[0])[:60]}', so it holds data"
        remedy = "make it a column by .reset_index(), or leave it out by .reset_index(drop=True)"
        raise DataError(Diagnostic("UL618", message, remedy))
    columns = list(frame.columns)
    if any(not isinstance(column, str) for column in columns):
        message = f"a column of '{name}' has a name that is no text"
        raise DataError(Diagnostic("UL617", message, "rename it: .rename(columns={0: 'spend'})"))
    _refuse_names(columns, name)
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except _UNREADABLE:
        odd = next((column for column in columns if not _converts(frame[column])), columns[0])
    message = f"the column '{odd}' of '{name}' holds values of several types"
    remedy = f"give it one, such as by frame['{odd}'].astype(str) or pandas.to_numeric"
    raise DataError(Diagnostic("UL616", message, remedy))  # a chained error would repeat values


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _converts(series: Any) -> bool:  # noqa: ANN401 - a pandas series
    try:
        pa.array(series, from_pandas=True)
    except _UNREADABLE:
        return False
    return True


def _refuse_names(columns: list[str], name: str) -> None:
    """Names that the engine does not tell apart; it ignores case."""
    if not columns:
        message = f"'{name}' has no columns"
        raise DataError(Diagnostic("UL616", message, "give a table with columns and rows"))
    seen = set[str]()
    for column in columns:
        if not column or column.casefold() in seen:
            said = f"'{name}' has two columns '{column}'" if column else f"'{name}' has a column ''"
            remedy = "give each column a name of its own; case does not tell names apart"
            raise DataError(Diagnostic("UL617", said, remedy))
        seen.add(column.casefold())


def _digest(stop: Stop, column: Any) -> str:  # noqa: ANN401 - a chunked array
    """A BLAKE3 of a column's values: as safe as a sha256, and two and a half times as fast."""
    from blake3 import blake3  # noqa: PLC0415 - for frames alone

    total = blake3()
    for content in _contents(column):
        if stop():
            break
        total.update(content)
    return total.hexdigest()


def _contents(column: Any) -> Iterator[bytes | memoryview]:  # noqa: ANN401 - a chunked array
    """The values of a column as bytes, a piece of rows at a time."""
    values: Any = column
    if pa.types.is_dictionary(column.type):
        unified = column.unify_dictionaries()
        if unified.num_chunks:
            yield from _contents(pa.chunked_array([unified.chunk(0).dictionary]))
        indices = [chunk.indices for chunk in unified.chunks]
        values = cast("Any", pa.chunked_array(indices, unified.type.index_type))
    for start in range(0, len(values), _PIECE):
        some = values.slice(start, _PIECE)
        yield from _piece(some.chunk(0) if some.num_chunks == 1 else some.combine_chunks())


def _piece(piece: Any) -> Iterator[bytes | memoryview]:  # noqa: ANN401 - an array of any type
    kind = piece.type
    if piece.null_count:
        yield b"missing"
        yield _numbers(piece.is_valid().cast(pa.uint8()), 1)
    if pa.types.is_string_view(kind):
        wide = piece.cast(pa.large_string()) if piece.null_count else None
        yield from _views(piece) if wide is None else _texts(wide.fill_null(""))
    elif pa.types.is_large_string(kind) or pa.types.is_string(kind):
        yield from _texts(piece.fill_null("") if piece.null_count else piece)
    elif pa.types.is_boolean(kind):
        yield _numbers(piece.fill_null(False).cast(pa.uint8()), 1)  # noqa: FBT003 - Arrow's own
    elif pa.types.is_primitive(kind) and kind.bit_width in _WHOLE:
        whole = piece.view(_WHOLE[kind.bit_width])
        yield _numbers(whole.fill_null(0) if piece.null_count else whole, kind.bit_width // 8)
    else:
        whole = pa.concat_arrays([piece])  # from its first value on, wherever it was cut
        batch = pa.record_batch([whole], names=["values"])
        yield memoryview(batch.serialize())


def _views(piece: Any) -> Iterator[bytes | memoryview]:  # noqa: ANN401 - an array of text views
    """Short texts stand within their views, of 16 bytes each; long ones are laid out in a row."""
    views = _numbers(piece, _VIEW)
    lengths = np.frombuffer(views, np.int32)[:: _VIEW // 4]
    if len(lengths) and lengths.max() > _WITHIN:
        yield from _texts(piece.cast(pa.large_string()))
    else:
        yield views


def _texts(piece: Any) -> Iterator[bytes | memoryview]:  # noqa: ANN401 - an array of texts
    """The lengths of texts, and all of them one behind the other."""
    import pyarrow.compute as pc  # noqa: PLC0415 - a thirtieth of a run, which needs it for frames alone

    lengths = cast("Any", pc.binary_length(piece))
    yield _numbers(lengths.cast(pa.int64()), 8)
    wide = 8 if pa.types.is_large_string(piece.type) else 4
    _, offsets, content = piece.buffers()
    if content is not None and len(piece):
        ends = memoryview(offsets).cast("B")
        first, last = (
            int.from_bytes(ends[at * wide : (at + 1) * wide], sys.byteorder)
            for at in (piece.offset, piece.offset + len(piece))
        )
        yield memoryview(content)[first:last]


def _numbers(array: Any, wide: int) -> memoryview:  # noqa: ANN401 - an array of numbers
    """The bytes of numbers, each of so many."""
    start = array.offset * wide
    return memoryview(array.buffers()[1])[start : start + len(array) * wide]
