"""The files that are read: each whole, and the same from the first look to the last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.files import FEW, files_of
from upliftlab.engines.place import Stamp, stamp_of
from upliftlab.engines.whole import TextRule, digest_of
from upliftlab.errors import DataError, Diagnostic, UpliftLabError


class Watch:
    """Remembers what every file was when it was first looked at.

    Each is read in full beside the queries, so that it costs no time where a core is free.
    """

    def __init__(self, locate: Callable[[str], Path]) -> None:
        """Watch nothing yet; `locate` turns a source's file into a path that may be read."""
        self._locate = locate
        self._depth = 0
        self._confirmed = False
        self._sources: dict[str, list[Path]] = {}
        self._stamps: dict[Path, Stamp] = {}
        self._digests: dict[tuple[Path, Stamp], Future[str]] = {}
        self._contents: dict[object, Future[str]] = {}
        self._stop = Event()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="upliftlab-digest")

    @contextmanager
    def reading(self) -> Generator[None]:
        """Hold every file to what it was when it was first looked at within the block.

        Raises:
            DataError: UL226 to UL232 a file is damaged or changed, also in place of an error that
                followed from it.
        """
        if not self._depth:
            self._sources.clear()
            self._stamps.clear()
        self._depth += 1
        try:
            try:
                yield
            except UpliftLabError:
                self.confirm()
                raise
            if not self._confirmed:
                self.confirm()
        finally:
            self._depth -= 1

    def files(self, name: str, form: FileFormat | None = None) -> list[Path]:
        """The files that a source names, which are watched from now on.

        Args:
            name: As the source names them.
            form: How they are declared to be written.

        Raises:
            DataError: UL201 there is none, UL229 to UL231 one is no file or may not be read,
                UL232 they are no longer those of the first time.
        """
        self._confirmed = False
        paths = files_of(name, self._locate)
        if self._depth and name in self._sources:
            self._unchanged(name, paths)
            return paths
        self._sources[name] = paths
        rule = TextRule(form or FileFormat(), rows=len(paths) > FEW)
        for path in paths:
            if not self._depth or path not in self._stamps:
                self._stamps[path] = stamp_of(path)
                self._digest(path, rule)
        return paths

    def stamps(self, paths: Sequence[Path]) -> tuple[Stamp, ...]:
        """What files of `files` were when they were first looked at."""
        return tuple(self._stamps[path] for path in paths)

    def fingerprint(self, name: str, form: FileFormat | None = None) -> tuple[str, str]:
        """What the record calls a source's files, and a sha256 of what was read of them.

        It is that of their bytes; of several files, of their names and bytes.

        Raises:
            DataError: as `files` and `digest_of`.
        """
        paths = self.files(name, form)
        digests = [self._digest(path).result() for path in paths]
        self._unchanged(name, paths)
        if len(paths) == 1:
            return paths[0].name, digests[0]
        total = hashlib.sha256()
        for path, digest in zip(paths, digests, strict=True):
            total.update(f"{path.name} {digest}\n".encode())
        return name, total.hexdigest()

    def content(self, key: object, digest: Callable[[Callable[[], bool]], str]) -> Future[str]:
        """The digest of what lies in memory, which is begun when it is first asked for.

        Args:
            key: What tells it from others.
            digest: Computes it; is handed what says whether nobody waits any more.
        """
        if key not in self._contents:
            self._contents[key] = self._reader.submit(digest, self._stop.is_set)
        return self._contents[key]

    def confirm(self) -> None:
        """Refuse what was read so far unless every file is whole and was the same all the while.

        What happens to the files afterwards, while a result is written, is no longer looked at.

        Raises:
            DataError: as `files` and `digest_of`.
        """
        for path in self._stamps:
            self._digest(path).result()
        for name in list(self._sources):
            self._unchanged(name, files_of(name, self._locate))
        self._confirmed = True

    def close(self) -> None:
        """Read no further."""
        self._stop.set()
        self._reader.shutdown(cancel_futures=True)

    def _digest(self, path: Path, rule: TextRule | None = None) -> Future[str]:
        key = path, self._stamps[path]
        if key not in self._digests:
            self._digests[key] = self._reader.submit(digest_of, path, self._stop.is_set, rule)
        return self._digests[key]

    def _unchanged(self, name: str, paths: Sequence[Path]) -> None:
        if list(paths) != self._sources[name]:
            raise _changed(name, "other files are there")
        for path in paths:
            if stamp_of(path) != self._stamps[path]:
                raise _changed(path.name, "it was replaced or written to")


def _changed(what: str, how: str) -> DataError:
    message = f"{what} changed while it was read: {how}"
    return DataError(Diagnostic("UL232", message, "run it again when nobody writes to it"))
