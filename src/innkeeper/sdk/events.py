"""Following events over breaks of the connection, sync and async. Called by ``house.py``.

The stream's last number is remembered, also of events that were left out, and the next connection goes on behind it:
none is missed, and none comes twice. The last event is shown as well, so that a server which was restored from an older
backup meanwhile can tell that its numbers are others now: that is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from innkeeper.contract.errors import AnswerUnreadable, CallError, ConnectionFailed, DeadlineExceeded, StatusError
from innkeeper.contract.house.events_v1 import Event, EventsV1
from innkeeper.kit.retry import for_ever

from .streams import AsyncStream, SyncStream

if TYPE_CHECKING:
    from innkeeper.contract.resource import Options

    from .clients import AsyncCaller, SyncCaller

#: Seconds without a byte after which a connection counts as dead: the server says something every 15.
SILENT = 45.0
#: Seconds that the beginning of a stream may take.
_OPENING = 30.0
#: Characters that one event may take.
_MOST = 1 << 20
_decode = msgspec.json.Decoder(Event).decode


class _Frame(NamedTuple):
    """One block of server-sent events."""

    id: str | None
    data: str | None


class Frames:
    """Puts the lines of a stream together. Comments and other fields are left out."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._data: list[str] = []
        self._size = 0

    def feed(self, line: str) -> _Frame | None:
        """A frame where this line ends one."""
        if not line:
            frame = _Frame(self._id, "\n".join(self._data) if self._data else None)
            self._id, self._data, self._size = None, [], 0
            return None if frame == (None, None) else frame
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            self._id = value
        elif name == "data":
            self._data.append(value)
            self._size += len(value)
            if self._size > _MOST:
                raise _unreadable(f"an event is longer than {_MOST} characters", "")
        return None


class _Follower:
    """What is known of a stream between its connections."""

    def __init__(self, after: int | None, kinds: Sequence[str] | None, app_id: str | None, seen: str | None) -> None:
        self._kinds, self._app_id, self._seen = None if kinds is None else list(kinds), app_id, seen
        self.after = after  #: the number that was come to
        self.failures = 0  #: connections that failed one after the other

    def call(self) -> tuple[dict[str, Any], Options]:
        """The arguments and options of the next connection."""
        values = {"after": self.after, "kinds": self._kinds, "app_id": self._app_id, "seen": self._seen}
        return values, {"timeout": _OPENING, "headers": {"accept": "text/event-stream"}}

    def take(self, frame: _Frame) -> Event | None:
        """The event of a frame, if it has one."""
        self.failures = 0
        event = None
        if frame.data is not None:
            try:
                event = _decode(frame.data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _unreadable(str(error), frame.data) from error
            self._seen = f"{event.number}:{event.id}"
        if frame.id is not None and frame.id.isdecimal():
            self.after = int(frame.id)
        return event

    def bear(self, error: Exception | None, chance: float) -> float:
        """Seconds until the next try. Raises what time does not mend."""
        if error is not None:
            lasting = isinstance(error, StatusError) and error.status < 500 and error.status not in (408, 429)
            if lasting or not isinstance(error, ConnectionFailed | DeadlineExceeded | StatusError | OSError):
                raise error
        self.failures += 1
        wait = for_ever(self.failures, chance)
        asked = error.retry_after if isinstance(error, StatusError) else None
        return wait if asked is None else max(wait, min(asked, 60.0))


def follow(
    caller: SyncCaller,
    after: int | None,
    kinds: Sequence[str] | None,
    app_id: str | None,
    seen: str | None = None,
    silent: float = SILENT,
) -> Generator[Event, None, None]:
    """Events as they come, without an end. Closing the iterator closes the connection."""
    follower, world = _Follower(after, kinds, app_id, seen), caller.engine.world
    while True:
        error: Exception | None = None
        try:
            yield from _connection(caller, follower, silent)
        except (CallError, OSError) as failed:
            error = failed
        world.sleep(follower.bear(error, world.chance()))


def _connection(caller: SyncCaller, follower: _Follower, silent: float) -> Generator[Event, None, None]:
    values, options = follower.call()
    stream = caller.stream(EventsV1.stream_events, (), values, options)
    assert isinstance(stream, SyncStream)
    frames = Frames()
    with stream, _Watch(stream.close, silent) as watch:
        for line in stream.lines():
            watch.heard()
            frame = frames.feed(line)
            event = None if frame is None else follower.take(frame)
            if event is not None:
                watch.pause()
                yield event
                watch.heard()


class _Watch:
    """Closes a connection that has said nothing for too long: the thread that reads it is woken, and tries again."""

    def __init__(self, close: Callable[[], None], seconds: float) -> None:
        import threading
        import time

        self._close, self._seconds, self._now = close, seconds, time.monotonic
        self._until: float | None = self._now() + seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="innkeeper-events", daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()

    def heard(self) -> None:
        """The other side is alive."""
        self._until = self._now() + self._seconds

    def pause(self) -> None:
        """Nobody reads now, so that nothing is heard."""
        self._until = None

    def _run(self) -> None:
        while True:
            until = self._until
            if self._over.wait(self._seconds if until is None else max(0.05, until - self._now())):
                return
            until = self._until
            if until is not None and self._now() >= until:
                self._close()
                return


async def afollow(
    caller: AsyncCaller,
    after: int | None,
    kinds: Sequence[str] | None,
    app_id: str | None,
    seen: str | None = None,
    silent: float = SILENT,
) -> AsyncGenerator[Event, None]:
    """The same, awaited."""
    follower, world = _Follower(after, kinds, app_id, seen), caller.engine.world
    while True:
        error: Exception | None = None
        try:
            async with await _aopened(caller, follower) as stream:
                lines, frames = stream.lines(), Frames()
                while (line := await _within(silent, lines)) is not None:
                    frame = frames.feed(line)
                    event = None if frame is None else follower.take(frame)
                    if event is not None:
                        yield event
        except (CallError, OSError) as failed:
            error = failed
        wait = follower.bear(error, world.chance())
        await (asyncio.sleep(wait) if world.pause is None else world.pause(wait))


async def _aopened(caller: AsyncCaller, follower: _Follower) -> AsyncStream:
    values, options = follower.call()
    stream = await caller.stream(EventsV1.stream_events, (), values, options)
    assert isinstance(stream, AsyncStream)
    return stream


async def _within(seconds: float, lines: Any) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            line: str | None = await anext(lines, None)
            return line
    except TimeoutError:
        raise ConnectionFailed(f"nothing was heard for {seconds:g} s") from None


def _unreadable(why: str, data: str) -> AnswerUnreadable:
    return AnswerUnreadable(
        f"an event of the stream cannot be read: {why}",
        status=200,
        headers={},
        body=data.encode(),
        operation=EventsV1.stream_events.id,
        attempts=1,
    )
