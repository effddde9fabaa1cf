"""Waiting with a time limit."""

from __future__ import annotations

import asyncio

import pytest

from innkeeper.kit.waiting import within


async def test_what_is_there_already_is_had_without_a_wait() -> None:
    async def there() -> int:
        return 3

    assert await within(0.0, there()) == 3


async def test_what_comes_in_time_is_had() -> None:
    event = asyncio.Event()

    async def later() -> str:
        await event.wait()
        await asyncio.sleep(0)
        return "came"

    asyncio.get_running_loop().call_soon(event.set)
    assert await within(30.0, later()) == "came"


async def test_what_does_not_come_is_cancelled_and_told() -> None:
    seen: list[str] = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        await within(0.001, never())
    assert seen == ["cancelled"]


@pytest.mark.parametrize("waits", [False, True])
async def test_errors_come_through(waits: bool) -> None:
    async def breaks() -> None:
        if waits:
            await asyncio.sleep(0)
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await within(30.0, breaks())


async def test_a_cancelled_caller_cancels_what_it_waits_for() -> None:
    seen: list[str] = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    task = asyncio.create_task(within(30.0, never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["ended"]


async def test_any_awaitable_will_do() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 7)
    assert await within(30.0, future) == 7
