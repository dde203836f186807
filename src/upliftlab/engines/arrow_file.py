"""Feather and other files of Arrow's IPC format, in the memory that the file is mapped to."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from upliftlab.engines.held import HeldTable, require_names, unreadable


def read_arrow(path: Path) -> HeldTable:
    """The table of an Arrow file or stream; what is not compressed is not copied.

    Every offset and index is looked at: a forged one would lead outside of the file.

    Raises:
        DataError: UL202, it is damaged, no such file, or names a column twice.
    """
    try:
        table = _table(path)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, "it is damaged, or no Arrow file") from error
    require_names(table.column_names, path.name)
    return HeldTable(table)


def _table(path: Path) -> pa.Table:
    mapped = pa.memory_map(str(path))
    try:
        return ipc.open_file(mapped).read_all()
    except pa.ArrowInvalid:  # a stream has no table of contents at its end
        mapped.seek(0)
        return ipc.open_stream(mapped).read_all()
