"""A small matchmaker: players ask it for a game by HTTP, and as soon as two wait it opens a room for them.

    INNKEEPER_URL=... INNKEEPER_TOKEN=... INNKEEPER_APP_ID=... python3 backend.py [PORT]

    curl -X POST localhost:8090/play -d '{"player": "Ada"}'

Each request waits until there is somebody to play with and their room is open, and is then told where to connect. A
player who hangs up is out of the queue. Needs the package innkeeper, without extras; aiohttp comes along with it.
"""

import asyncio
import contextlib
import json
import os
import sys
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import AsyncHathoraCloud, CallError

Game = dict[str, Any]


@dataclass(eq=False)
class Ticket:
    """A player who waits for a game."""

    player: str
    game: asyncio.Future[Game] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Matchmaker:
    """Two at a time, in the order they came."""

    def __init__(self, hathora: AsyncHathoraCloud, region: Region, size: int = 2) -> None:
        self.hathora, self.region, self.size = hathora, region, size
        self.queue: deque[Ticket] = deque()
        self.opening: set[asyncio.Task[None]] = set()

    async def play(self, player: str) -> Game:
        """Wait for a game: its room, address and players. Raises why no room could be opened, CallError mostly."""
        ticket = Ticket(player)
        self.queue.append(ticket)
        if len(self.queue) >= self.size:
            team = [self.queue.popleft() for _ in range(self.size)]
            # A task of its own: one player who hangs up must not spoil it for the others.
            task = asyncio.create_task(self.open(team))
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)
        try:
            return await ticket.game
        finally:
            if ticket in self.queue:  # they gave up
                self.queue.remove(ticket)

    async def open(self, team: list[Ticket]) -> None:
        """Open a room for a team and tell them."""
        players = [ticket.player for ticket in team]
        try:
            # The room's config reaches the game server as HATHORA_INITIAL_ROOM_CONFIG: say there who will come.
            config = json.dumps({"players": players})
            room = await self.hathora.rooms_v2.create_room(CreateRoomParams(region=self.region, room_config=config))
            info = await self.hathora.wait_until_active(room.room_id, timeout=60)
        except Exception as error:  # whatever it is: the players must not wait for ever
            outcome: Game | Exception = error
        else:
            where = info.exposed_port
            outcome = {"roomId": info.room_id, "host": where.host, "port": where.port, "players": players}
        for ticket in team:
            if ticket.game.done():
                continue
            if isinstance(outcome, Exception):
                ticket.game.set_exception(outcome)
            else:
                ticket.game.set_result(outcome)


def application(matchmaker: Matchmaker) -> web.Application:
    """The matchmaker's HTTP."""

    async def play(request: web.Request) -> web.Response:
        try:
            player = (await request.json())["player"]
        except (ValueError, KeyError, TypeError):
            return web.json_response({"message": 'send {"player": "your name"}'}, status=400)
        try:
            return web.json_response(await matchmaker.play(str(player)))
        except Exception as error:
            if not isinstance(error, CallError):
                traceback.print_exc()  # a mistake of ours, not an answer of the server
            return web.json_response({"message": f"no room could be opened: {error}"}, status=503)

    async def waiting(request: web.Request) -> web.Response:
        return web.json_response([ticket.player for ticket in matchmaker.queue])

    app = web.Application()
    app.add_routes([web.post("/play", play), web.get("/waiting", waiting)])
    return app


async def main(port: int) -> None:
    app_id = os.environ.get("INNKEEPER_APP_ID")
    if not app_id:
        sys.exit("backend.py: say in INNKEEPER_APP_ID which app's rooms to open; `innkeeper apps list` has the ids")
    async with AsyncHathoraCloud(app_id=app_id) as hathora:
        region = (await hathora.discovery_v2.get_ping_service_endpoints())[0].region
        # A player who hangs up shall be known to have done so at once.
        runner = web.AppRunner(application(Matchmaker(hathora, region)), handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, os.environ.get("HOST", "127.0.0.1"), port)
        await site.start()
        print(f"Ready at http://{runner.addresses[0][0]}:{runner.addresses[0][1]}/play", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8090))
