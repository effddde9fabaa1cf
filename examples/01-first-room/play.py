"""Two players, Ada and Grace, play a few packets on a first-room server. Needs Python 3.11 and nothing else.

    python3 play.py HOST PORT                     both by UDP
    python3 play.py HOST PORT WS_HOST WS_PORT     Grace comes by WebSocket

`innkeeper demo` calls play().
"""

import base64
import json
import os
import socket
import sys
from collections.abc import Callable

PATIENCE = 5.0  # seconds until the server counts as silent
RESEND = 0.5  # seconds until a join is sent again: packets may be lost


class Silent(Exception):
    """The server did not say what was waited for."""


class UdpPlayer:
    def __init__(self, host: str, port: int) -> None:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(RESEND)
        self.socket.connect(address)

    def send(self, message: dict) -> None:
        self.socket.send(json.dumps(message).encode())

    def receive(self) -> dict:
        return json.loads(self.socket.recv(2048))

    def close(self) -> None:
        self.socket.close()


class WebSocketPlayer:
    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self.arrived = b""
        while b"\r\n\r\n" not in self.arrived:
            self.read_more()
        answer, _, self.arrived = self.arrived.partition(b"\r\n\r\n")
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise Silent(f"{host}:{port} is no WebSocket")
        self.socket.settimeout(RESEND)

    def read_more(self) -> None:
        data = self.socket.recv(4096)
        if not data:
            raise Silent("the WebSocket was closed")
        self.arrived += data

    def send(self, message: dict) -> None:
        data, mask = json.dumps(message).encode(), os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.socket.sendall(b"\x81" + size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def receive(self) -> dict:
        while True:
            start, size = 2, self.arrived[1] if len(self.arrived) > 1 else 0
            if size == 126:
                start, size = 4, int.from_bytes(self.arrived[2:4], "big")
            if len(self.arrived) >= max(2, start + size):
                data, opcode = self.arrived[start : start + size], self.arrived[0] & 0x0F
                self.arrived = self.arrived[start + size :]
                return json.loads(data) if opcode == 1 else {"type": "closed"}
            self.read_more()

    def close(self) -> None:
        self.socket.close()


def play(
    host: str, port: int, websocket: tuple[str, int] | None = None, tell: Callable[[str], None] = lambda line: None
) -> list[str]:
    """Let Ada and Grace meet in a room, and return what happened, a line each; ``tell`` is given them as they happen.

    With ``websocket`` (host and port) Grace comes that way. Raises Silent, or OSError when nobody is there.
    """
    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line)
        tell(line)

    ada = UdpPlayer(host, port)
    grace = None
    try:
        welcome = ask(ada, {"type": "join", "name": "Ada"}, "welcome")
        note(f"Ada joins room {welcome['room']} by UDP")
        grace = WebSocketPlayer(*websocket) if websocket else UdpPlayer(host, port)
        welcome = ask(grace, {"type": "join", "name": "Grace"}, "welcome")
        note(f"Grace joins by {'WebSocket' if websocket else 'UDP'} and finds {' and '.join(welcome['players'])}")
        moved = ask(ada, {"type": "move", "x": 3, "y": 4}, "moved", heard_by=grace)
        note(f"Grace sees {moved['name']} move to {moved['x']},{moved['y']}")
        said = ask(grace, {"type": "say", "text": "Well met!"}, "said", heard_by=ada)
        note(f'Ada hears {said["name"]} say "{said["text"]}"')
        left = ask(grace, {"type": "leave"}, "left", heard_by=ada)
        note(f"Ada sees {left['name']} leave")
        ada.send({"type": "leave"})
    finally:
        ada.close()
        if grace:
            grace.close()
    return lines


def ask(player, message: dict, wanted: str, heard_by=None) -> dict:
    """Send until a message of the wanted type comes back, or reaches the other player."""
    hearer = heard_by or player
    for _ in range(round(PATIENCE / RESEND)):
        player.send(message)
        try:
            while (heard := hearer.receive())["type"] != wanted:
                if heard["type"] in ("error", "bye", "closed"):
                    raise Silent(f"instead of {wanted!r} the server said {heard}")
            return heard
        except TimeoutError:
            continue
    raise Silent(f"no {wanted!r} came within {PATIENCE:g} s")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) not in (2, 4):
        sys.exit(__doc__)
    by_websocket = (arguments[2], int(arguments[3])) if len(arguments) == 4 else None
    try:
        play(arguments[0], int(arguments[1]), by_websocket, tell=print)
    except (Silent, OSError) as error:
        sys.exit(f"play.py: {error}")
