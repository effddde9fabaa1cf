"""A small game server: players join a room, move and talk, by UDP or by WebSocket. Needs Python 3.11 and nothing else.

Nothing here knows Innkeeper. It reads where to listen from the environment, binds, and plays:

    PORT                     UDP: one JSON object a packet
    PORT_WS                  TCP: the same objects as WebSocket text messages; left out, there is no WebSocket
    HATHORA_INITIAL_ROOM_ID  the room that players join unless they name another
    HOST                     the address to bind; all of them unless told

    join {"name": "ada", "room": "r1"}    move {"x": 1, "y": 2}    say {"text": "hi"}    leave    quit (ends the game)

Try it by hand:  PORT=7777 python3 server.py   and   python3 play.py 127.0.0.1 7777
"""

import asyncio
import base64
import hashlib
import json
import os
import signal
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST_PLAYERS = 100
WEBSOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # fixed by RFC 6455


@dataclass
class Player:
    name: str
    room: str
    send: Callable[[dict], None]


class Game:
    """All rooms of this server. Knows players and messages, and not how they travel."""

    def __init__(self, first_room: str) -> None:
        self.first_room = first_room
        self.players: dict[Hashable, Player] = {}
        self.over = asyncio.Event()

    def hear(self, source: Hashable, data: bytes | str, send: Callable[[dict], None]) -> None:
        """Take one message from a player, who is known by where it came from."""
        try:
            message = json.loads(data)
            kind = message["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            send({"type": "error", "text": 'send a JSON object with a "type"'})
            return
        player = self.players.get(source)
        if kind == "join":
            self.join(
                source, plain(message.get("name", "?"), 20), plain(message.get("room") or self.first_room, 100), send
            )
        elif player is None:
            send({"type": "error", "text": "join first"})
        elif kind == "move":
            move = {"type": "moved", "name": player.name, "x": number(message.get("x")), "y": number(message.get("y"))}
            print(f"{player.name} moves to {move['x']},{move['y']}", flush=True)
            self.tell_others(source, move)
        elif kind == "say":
            self.tell_others(source, {"type": "said", "name": player.name, "text": plain(message.get("text"), 500)})
        elif kind == "leave":
            self.leave(source)
        elif kind == "quit":
            print(f"{player.name} ends the game", flush=True)
            self.over.set()
        else:
            send({"type": "error", "text": "types: join move say leave quit"})

    def join(self, source: Hashable, name: str, room: str, send: Callable[[dict], None]) -> None:
        if source not in self.players:
            if len(self.players) >= MOST_PLAYERS:
                send({"type": "error", "text": "full"})
                return
            self.players[source] = Player(name, room, send)
            print(f"{name} joins room {room}", flush=True)
            self.tell_others(source, {"type": "joined", "name": name})
        me = self.players[source]  # joining again only repeats the welcome, for packets may be lost
        together = sorted(player.name for player in self.players.values() if player.room == me.room)
        send({"type": "welcome", "room": me.room, "players": together})

    def leave(self, source: Hashable) -> None:
        if source in self.players:
            name = self.players[source].name
            print(f"{name} leaves", flush=True)
            self.tell_others(source, {"type": "left", "name": name})
            del self.players[source]

    def tell_others(self, source: Hashable, message: dict) -> None:
        for other, player in self.players.items():
            if other != source and player.room == self.players[source].room:
                player.send(message)

    def say_goodbye(self) -> None:
        for player in self.players.values():
            player.send({"type": "bye"})


def plain(text: object, most: int) -> str:
    """What a stranger sent, fit for the log and for others."""
    return "".join(letter for letter in str(text)[:most] if letter.isprintable())


def number(value: object) -> float:
    return value if isinstance(value, int | float) and abs(value) < 1e6 else 0


class UdpDoor(asyncio.DatagramProtocol):
    """Players by UDP: a player is an address."""

    def __init__(self, game: Game) -> None:
        self.game = game

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address) -> None:
        self.game.hear(address, data, lambda message: self.transport.sendto(json.dumps(message).encode(), address))


async def websocket_door(game: Game, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One player by WebSocket: the handshake, then text messages until the connection closes."""

    def send(message: dict | bytes, opcode: int = 1) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
        writer.write(bytes([0x80 | opcode]) + size + data)

    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n"))
        }
        proof = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + WEBSOCKET_KEY).digest())
        upgrade = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        )
        writer.write(upgrade + proof + b"\r\n\r\n")
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2), "big")
            if size == 127 or not second & 0x80:
                break  # longer than anything this game says, or not masked as a client's must be
            mask = await reader.readexactly(4)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(size)))
            if first == 0x81:
                game.hear(writer, data, send)
            elif first == 0x89:
                send(data, opcode=10)
            elif first & 0x0F == 8:
                send(data[:2], opcode=8)
                break
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, KeyError, ConnectionError):
        pass  # gone, or no WebSocket
    finally:
        game.leave(writer)
        writer.close()


async def main() -> None:
    game = Game(os.environ.get("HATHORA_INITIAL_ROOM_ID") or "lobby")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, game.over.set)
    host, port, ws_port = os.environ.get("HOST", "0.0.0.0"), int(os.environ["PORT"]), os.environ.get("PORT_WS")
    udp, _ = await loop.create_datagram_endpoint(lambda: UdpDoor(game), (host, port))
    websocket = None
    if ws_port:
        websocket = await asyncio.start_server(lambda r, w: websocket_door(game, r, w), host, int(ws_port), limit=8192)
    where = f"{os.environ.get('HATHORA_REGION', 'here')}, process {os.environ.get('HATHORA_PROCESS_ID', 'of my own')}"
    print(f"Room {game.first_room} is open in {where}: udp {port}, websocket {ws_port or 'off'}", flush=True)
    await game.over.wait()
    game.say_goodbye()
    if websocket:
        websocket.close()
    await asyncio.sleep(0.05)  # let the last packets out
    udp.close()
    print("The game is over", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
