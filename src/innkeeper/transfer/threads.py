"""Long work on the disk, in a worker thread that ends soon when nobody wants it any more. Used beside this module."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from innkeeper.kit.errors import HouseError

A = ParamSpec("A")
R = TypeVar("R")


class CalledOff(HouseError):
    """The work was called off; nothing of it is left."""


class Stopped:
    """Whether the work shall end."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """It shall."""
        self._event.set()

    def check(self) -> None:
        """Raise :class:`CalledOff` where it shall."""
        if self._event.is_set():
            raise CalledOff("it was called off")


async def in_thread(call: Callable[Concatenate[Stopped, A], R], *args: A.args, **kwargs: A.kwargs) -> R:
    """Carry it out; cancelled, tell it to stop and wait until it has. The call looks at its :class:`Stopped` often."""
    stop = Stopped()
    work = asyncio.ensure_future(asyncio.to_thread(call, stop, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.set()
        while not work.done():
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                continue
        if not work.cancelled():
            work.exception()  # seen: the cancellation is what the caller is told
        raise
