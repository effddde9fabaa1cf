"""Carrying out what the protocol yields: the same loop twice, without and with ``await``. Called by ``clients.py``.

An error of a step is thrown back into the dialogue, which knows whether to go on. A streamed answer that is not a
success is read to its end here, so that its text reaches the error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from innkeeper.contract.errors import CallError

from .wire import AsyncPieces, Delay, Pieces, Request, Response

if TYPE_CHECKING:
    import asyncio

    from .wire import AsyncTransport, Steps, Together, Transport, World

T = TypeVar("T")

#: Bytes of an error's body that are read from a streamed answer.
ERROR_BODY_MOST = 1 << 20


def drive(steps: Steps[T], transport: Transport, world: World) -> T:
    """Run a dialogue to its end in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                outcome: Any
                if isinstance(step, Request):
                    outcome = transport.send(step)
                    if outcome.stream is not None and not 200 <= outcome.status < 300:
                        outcome = _whole(outcome)
                elif isinstance(step, Delay):
                    world.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = _together(step, transport, world)
            except (CallError, OSError) as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        steps.close()


def _whole(response: Response) -> Response:
    assert isinstance(response.stream, Pieces)
    body = b""
    try:
        for piece in response.stream:
            body += piece
            if len(body) >= ERROR_BODY_MOST:
                break
    except (CallError, OSError):
        pass  # the status says more than the lost rest of its text
    finally:
        response.stream.close()
    return Response(response.status, response.headers, body)


def _together(step: Together, transport: Transport, world: World) -> list[Any]:
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(max(1, min(step.limit, len(step.parts)))) as pool:
        futures = [pool.submit(drive, part, transport, world) for part in step.parts]
        try:
            failed = [future for future in wait(futures, return_when=FIRST_EXCEPTION).done if future.exception()]
            return [future.result() for future in failed or futures]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


async def adrive(steps: Steps[T], transport: AsyncTransport, world: World) -> T:
    """Run a dialogue to its end on the running event loop."""
    try:
        step = next(steps)
        while True:
            try:
                outcome: Any
                if isinstance(step, Request):
                    outcome = await transport.send(step)
                    if outcome.stream is not None and not 200 <= outcome.status < 300:
                        outcome = await _awhole(outcome)
                elif isinstance(step, Delay):
                    await _pause(step.seconds, world)
                    outcome = None
                else:
                    outcome = await _atogether(step, transport, world)
            except (CallError, OSError) as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def _pause(seconds: float, world: World) -> None:
    if world.pause is not None:
        await world.pause(seconds)
        return
    import asyncio

    await asyncio.sleep(seconds)


async def _awhole(response: Response) -> Response:
    assert isinstance(response.stream, AsyncPieces)
    body = b""
    try:
        async for piece in response.stream:
            body += piece
            if len(body) >= ERROR_BODY_MOST:
                break
    except (CallError, OSError):
        pass
    finally:
        await response.stream.close()
    return Response(response.status, response.headers, body)


async def _atogether(step: Together, transport: AsyncTransport, world: World) -> list[Any]:
    import asyncio

    free = asyncio.Semaphore(max(1, step.limit))

    async def one(part: Steps[Any]) -> Any:
        async with free:
            return await adrive(part, transport, world)

    tasks: list[asyncio.Task[Any]] = [asyncio.ensure_future(one(part)) for part in step.parts]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
