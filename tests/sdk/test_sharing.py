"""One client in many threads, in several event loops, after a fork, closed and used again; and what it loads."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from innkeeper import sdk
from innkeeper.sdk import AsyncHathoraCloud, HathoraCloud

from .conftest import Flavour
from .scripted import ROOM, Reply, Server


@pytest.mark.parametrize("transport", [sdk.AiohttpTransport, sdk.AsyncHttpxTransport, sdk.AsyncHttpx2Transport])
def test_one_async_client_in_two_event_loops(transport: Any) -> None:
    with Server(Reply(200, ROOM)) as server:
        client = AsyncHathoraCloud("t", app_id="app-1", server=server.url, transport=transport())

        async def twice() -> str:
            await client.rooms_v2.get_room_info("r-1")
            return (await client.rooms_v2.get_room_info("r-1")).room_id

        assert asyncio.run(twice()) == "r-1"
        assert asyncio.run(twice()) == "r-1"
        assert server.accepted == 2  # a connection for each loop, closed with it and used twice

        with ThreadPoolExecutor(2) as pool:  # and two loops at the same time
            both = [pool.submit(asyncio.run, twice()) for _ in range(2)]
            assert [future.result() for future in both] == ["r-1", "r-1"]


def test_a_client_that_nobody_holds_closes_its_connections() -> None:
    with Server(Reply(200, ROOM)) as server:

        async def forget() -> None:
            await AsyncHathoraCloud("t", app_id="app-1", server=server.url).rooms_v2.get_room_info("r-1")

        asyncio.run(forget())  # a warning about something unclosed would fail this test


@pytest.mark.parametrize("transport", [sdk.Urllib3Transport, sdk.HttpxTransport, sdk.Httpx2Transport])
def test_fifty_threads_on_one_client(transport: Any) -> None:
    with Server(lambda seen: Reply(200, {**ROOM, "roomId": seen.target.rsplit("/", 1)[1]})) as server:
        with HathoraCloud("t", app_id="app-1", server=server.url, transport=transport()) as client:
            together = threading.Barrier(50)

            def ask(number: int) -> list[str]:
                together.wait(10)
                return [client.rooms_v2.get_room_info(f"r-{number}-{turn}").room_id for turn in range(4)]

            with ThreadPoolExecutor(50) as pool:
                answers = list(pool.map(ask, range(50)))
        assert answers == [[f"r-{number}-{turn}" for turn in range(4)] for number in range(50)]
        assert len(server.seen) == 200


@pytest.mark.parametrize("flavour", ["urllib3", "aiohttp", "httpx", "httpx-async"], indirect=True)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(flavour: Flavour) -> None:
    with Server(lambda seen: Reply(200, {**ROOM, "roomId": seen.target.rsplit("/", 1)[1]})) as server:
        client = flavour.client(server.url)
        assert flavour.run(client.rooms_v2.get_room_info("before")).room_id == "before"
        child = os.fork()
        if child == 0:
            status = 1
            signal.alarm(20)  # a child that hangs shall not make the parent hang
            try:
                call = client.rooms_v2.get_room_info("child")
                found = asyncio.new_event_loop().run_until_complete(call) if flavour.is_async else call
                status = 0 if found.room_id == "child" else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert flavour.run(client.rooms_v2.get_room_info("after")).room_id == "after"
        by_name = {seen.target.rsplit("/", 1)[1]: seen.connection for seen in server.seen}
    assert by_name["before"] == by_name["after"] != by_name["child"]


def test_a_closed_client_opens_new_connections(flavour: Flavour) -> None:
    with Server(Reply(200, ROOM)) as server:
        client = flavour.client(server.url)
        for _ in range(2):
            flavour.run(client.rooms_v2.get_room_info("r-1"))
            flavour.run(client.close())
        assert server.accepted == 2


def test_a_sync_client_loads_no_event_loop_and_an_import_no_http_library() -> None:
    """In a fresh interpreter, for this one has loaded everything."""
    with Server(Reply(200, ROOM)) as server:
        code = f"""
import sys
from innkeeper.sdk import HathoraCloud
client = HathoraCloud("t", app_id="a", server={server.url!r})
early = {{"urllib3", "ssl", "http.client", "aiohttp", "httpx", "asyncio"}} & set(sys.modules)
client.rooms_v2.get_room_info("r")
late = {{"aiohttp", "httpx", "asyncio", "innkeeper.contract.hathora.apps_v2"}} & set(sys.modules)
print(sorted(early), sorted(late))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
