"""Ask a Teeworlds 0.7 server what is on, as the list of servers in the game does. Needs Python 3.11 and nothing else.

python3 ask.py HOST PORT
"""

import os
import socket
import sys

PATIENCE = 5.0  # seconds until the server counts as silent
TRIES = 5  # packets may be lost


def ask(host: str, port: int) -> dict[str, str]:
    """What the server tells of itself. Raises OSError when it does not answer."""
    mine = os.urandom(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.settimeout(PATIENCE / TRIES)
        player.connect((host, port))
        # It answers nobody who has not shown that packets reach them: so first comes its token.
        answer = exchange(player, b"\x04\0\0" + b"\xff" * 4 + b"\x05" + mine + b"\0" * 508)
        token = answer[8:12]
        answer = exchange(player, b"\x21" + token + mine + b"\xff" * 4 + b"gie3" + b"\0")
    assert answer[9:17] == b"\xff" * 4 + b"inf3"
    _, rest = number(answer[17:])
    version, name, _, map_name, game, rest = rest.split(b"\0", 5)
    found = []
    for _ in range(6):
        value, rest = number(rest)
        found.append(value)
    return {
        "version": version.decode(),
        "name": name.decode(),
        "map": map_name.decode(),
        "game": game.decode(),
        "players": f"{found[4]} of {found[5]}",
    }


def exchange(player: socket.socket, packet: bytes) -> bytes:
    for _ in range(TRIES):
        player.send(packet)
        try:
            return player.recv(2048)
        except TimeoutError:
            continue
    raise TimeoutError("no answer")


def number(data: bytes) -> tuple[int, bytes]:
    """One whole number in the game's packing: six bits and a sign, then seven bits a byte; and what comes after it."""
    value, shift, at = data[0] & 0x3F, 6, 0
    while data[at] & 0x80:
        at += 1
        value |= (data[at] & 0x7F) << shift
        shift += 7
    return (~value if data[0] & 0x40 else value), data[at + 1 :]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        for key, text in ask(sys.argv[1], int(sys.argv[2])).items():
            print(f"{key:8} {text}")
    except OSError as error:
        sys.exit(f"ask.py: {sys.argv[1]}:{sys.argv[2]}: {error}")
