"""A mail server on loopback that keeps what it is handed. For tests that have mails sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.smtp import SMTP


class PostOffice:
    """``url`` is for the setting ``smtp_url``; ``mails`` are those that came, each with its recipients."""

    def __init__(self) -> None:
        self.url = ""
        self.mails: list[tuple[list[str], Message]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append((list(envelope.rcpt_tos), message_from_bytes(envelope.content)))
        return "250 kept"


@contextmanager
def post_office() -> Generator[PostOffice]:
    """One that is open, on a loop in a thread of its own."""
    office, loop = PostOffice(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def open_it() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(office, loop=loop, hostname="localhost"), "127.0.0.1", 0)

    async def close_it(server: asyncio.Server) -> None:
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(open_it(), loop).result(10)
    office.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        asyncio.run_coroutine_threadsafe(close_it(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
