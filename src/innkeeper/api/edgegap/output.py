"""What a deployment has printed, and how it came to its end by itself. Used by ``deployments.py``."""

from __future__ import annotations

import msgspec

from innkeeper.api.visits import Visit
from innkeeper.hosting.model import ServerState
from innkeeper.hosting.orders import Told
from innkeeper.hosting.plans import Crash
from innkeeper.kit.errors import Gone, NotFound

#: Of what is printed, the last bytes that one answer holds. All of it is in an endpoint storage, if one is named.
MOST_BYTES = 4 << 20


class CrashTold(msgspec.Struct):
    """How a program ended by itself, the last time."""

    code: int | None
    text: str
    restarts: int


def crash_of(told: Told) -> CrashTold | None:
    """None where it never did."""
    order, server = told.ordered.order, told.ordered.server
    restarts = 0 if order is None else order.restarts
    if order is not None and order.crash is not None:
        crash = msgspec.json.decode(order.crash, type=Crash)
        return CrashTold(crash.code, crash.text, restarts)
    if server.state is ServerState.FAILED and server.booted_at is not None:
        return CrashTold(None, server.exit_reason or "", restarts)
    return None


async def output_before(visit: Visit, told: Told) -> str | None:
    """The end of what the run before the latest one printed; None where there was none."""
    server = told.ordered.server
    if told.ordered.order is None or not told.ordered.order.restarts:
        return None
    kept = await visit.wings.logs.before(visit.org, server.app_id, server.id)
    return kept.decode("utf-8", "replace") or None


async def output_of(visit: Visit, told: Told, *, as_objects: bool) -> str:
    """The last of what it printed, as text or with an object for each line. Raises NotFound once it is gone."""
    server = told.ordered.server
    kept = bytearray()
    try:
        pieces = await visit.wings.logs.read(visit.org, server.app_id, server.id, tail=None, follow=False)
        async for piece in pieces:
            kept += piece
            if len(kept) > 2 * MOST_BYTES:
                del kept[:-MOST_BYTES]
    except Gone as error:
        raise NotFound(str(error)) from None
    if len(kept) > MOST_BYTES:
        del kept[:-MOST_BYTES]
        del kept[: kept.find(b"\n") + 1]
    text = kept.decode("utf-8", "replace")
    if not as_objects:
        return text
    encode = msgspec.json.Encoder().encode
    return "".join(f"{encode({'message': line}).decode()}\n" for line in text.splitlines())


async def keep_output(visit: Visit, told: Told, storage: str | None) -> None:
    """Where its output goes when it has ended, if that is said anew: ``true``, ``false`` or the name of a storage."""
    if storage is None:
        return
    name = {"true": told.plan.storage, "false": None}.get(storage.lower(), storage)
    await visit.wings.storages.keep_output(told.ordered.server.id, name)


async def stored_link(visit: Visit, told: Told) -> str | None:
    """Where all of its output can be had once it is stored."""
    return await visit.wings.storages.link_of(visit.org, told.ordered.server.id)
