"""A browser that does what it is told, line by line, over a pair of pipes.

Chromium reads commands of its DevTools protocol from its file 3 and answers on its file 4, each
message in JSON with a zero byte behind it: no port is opened, and nobody else can give it orders.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from upliftlab.report.browser import PATIENCE, failed

_READS, _WRITES = 3, 4
"""The files that the browser reads from and writes to."""
_ABOVE: Final = 10
"""Our ends lie above these, so that none is overwritten."""
_CHUNK: Final = 1 << 20
Reply = dict[str, Any]


@dataclass(slots=True)
class Session:
    """A conversation with one page of the browser."""

    orders: int
    answers: int
    page: str | None = None
    _last: int = 0
    _heard: bytearray = field(default_factory=bytearray)
    _events: list[str] = field(default_factory=list[str])

    def call(self, method: str, **params: object) -> Reply:
        """Give an order and wait until it is done.

        Raises:
            OutputError: UL485, it was refused, or there is no answer.
        """
        self._last += 1
        order: Reply = {"id": self._last, "method": method, "params": params}
        if self.page is not None:
            order["sessionId"] = self.page
        self._send(json.dumps(order).encode() + b"\0")
        while (reply := self._next()).get("id") != self._last:
            self._events.append(str(reply.get("method")))
        if "error" in reply:
            raise failed(f"{method}: {reply['error'].get('message')}")
        return reply["result"]

    def wait(self, event: str) -> None:
        """Wait until something has happened since the last order that was waited for."""
        while event not in self._events:
            self._events.append(str(self._next().get("method")))
        self._events.clear()

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the script gives
        """What a script gives in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise failed(f"a script ended with {found['result'].get('description')}")
        return found["result"].get("value")

    def _send(self, message: bytes) -> None:
        rest = memoryview(message)
        try:
            while rest:
                rest = rest[os.write(self.orders, rest) :]
        except BrokenPipeError as error:
            raise failed("it ended before it was told anything") from error

    def _next(self) -> Reply:
        while b"\0" not in self._heard:
            if not select.select([self.answers], [], [], PATIENCE)[0]:
                raise failed(f"it did not answer within {PATIENCE:.0f} seconds")
            heard = os.read(self.answers, _CHUNK)
            if not heard:
                raise failed("it ended before it was done")
            self._heard += heard
        end = self._heard.index(b"\0")
        message = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return cast("Reply", json.loads(message))


@contextmanager
def conversing(command: Sequence[str]) -> Generator[Session]:
    """A browser with one empty page, in a group of processes that is ended with it.

    Raises:
        OutputError: UL485, it could not be started, or does not answer.
    """
    theirs_in, orders = os.pipe()
    answers, theirs_out = os.pipe()
    given = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for end in (theirs_in, theirs_out)]
    kept = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for end in (orders, answers)]
    for end in (theirs_in, orders, answers, theirs_out):
        os.close(end)
    try:
        try:
            browser = _started([*command, "--remote-debugging-pipe", "about:blank"], given)
        finally:
            for end in given:
                os.close(end)
        try:
            yield _opened(Session(kept[0], kept[1]))
        finally:
            with suppress(ProcessLookupError, PermissionError):  # nothing of the group is left
                os.killpg(browser, signal.SIGKILL)
            os.waitpid(browser, 0)
    finally:
        for end in kept:
            os.close(end)


def _started(command: list[str], ends: Sequence[int]) -> int:
    unheard = [
        (os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0)  # nothing of it reaches the terminal
        for fd in (0, 1, 2)
    ]
    given = [
        (os.POSIX_SPAWN_DUP2, end, fd) for end, fd in zip(ends, (_READS, _WRITES), strict=True)
    ]
    try:
        return os.posix_spawn(
            command[0], command, os.environ, file_actions=[*unheard, *given], setpgroup=0
        )
    except OSError as error:
        raise failed("it could not be started") from error


def _opened(session: Session) -> Session:
    target = session.call("Target.createTarget", url="about:blank")["targetId"]
    attached = session.call("Target.attachToTarget", targetId=target, flatten=True)
    session.page = attached["sessionId"]
    session.call("Page.enable")
    return session
