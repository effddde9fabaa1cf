"""A small program that does what its arguments say, in their order. Run by the engines' tests as a game server.

``udp:PORT`` and ``tcp:PORT`` bind (``bind-tcp:PORT`` binds and does not listen), ``say:TEXT`` prints a line,
``show:PATH`` prints a file that it may write,
``echo-udp:PORT`` binds and answers what comes, ``dial:ADDRESS:PORT`` ends with 0 if somebody takes the connection and
with 1 if not, ``flood:N`` prints N numbered lines, ``deaf`` ignores SIGTERM, ``slow:SECONDS`` ends so long after
SIGTERM, ``eat:MEGABYTES`` uses memory, ``escape:TAG`` leaves a child in a session of its own, ``background`` goes on in
a child and lets the parent end, ``fds`` prints its open descriptors, ``exit:CODE`` and ``signal:NUMBER`` end it. Other
words do nothing. Without an end it runs on. In a container, orders come by ``ORDERS`` and addresses to bind by
``BIND_TO``.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

kept: list[object] = []


def bind(kind: int, port: str, listen: bool) -> None:
    opened = socket.socket(socket.AF_INET, kind)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((os.environ.get("BIND_TO", "127.0.0.1"), int(port)))
    if listen:
        opened.listen(64)
    kept.append(opened)


def echo(opened: object) -> None:
    assert isinstance(opened, socket.socket)
    while True:
        packet, sender = opened.recvfrom(2048)
        opened.sendto(packet, sender)


def later(seconds: str) -> None:
    def end(number: int, frame: object) -> None:
        print("saving", flush=True)
        time.sleep(float(seconds))
        print("saved", flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)


def main() -> None:
    for order in sys.argv[1:] or os.environ.get("ORDERS", "").split():
        verb, _, what = order.partition(":")
        if verb == "udp":
            bind(socket.SOCK_DGRAM, what, False)
        elif verb == "tcp":
            bind(socket.SOCK_STREAM, what, True)
        elif verb == "bind-tcp":
            bind(socket.SOCK_STREAM, what, False)
        elif verb == "echo-udp":
            bind(socket.SOCK_DGRAM, what, False)
            echo(kept[-1])
        elif verb == "dial":
            address, _, port = what.rpartition(":")
            try:
                socket.create_connection((address, int(port)), 2)
            except OSError:
                os._exit(1)
            os._exit(0)
        elif verb == "say":
            print(what, flush=True)
        elif verb == "show":
            with open(what, "r+") as shown:
                print(shown.read(), end="", flush=True)
        elif verb == "flood":
            for number in range(int(what)):
                sys.stdout.write(f"line {number:09d} {'x' * 80}\n")
            sys.stdout.flush()
        elif verb == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif verb == "slow":
            later(what)
        elif verb == "eat":
            kept.append([bytearray(b"x" * (1 << 20)) for _ in range(int(what))])
        elif verb == "escape":
            waits, gone = os.pipe()
            if os.fork() == 0:
                os.setsid()
                print(what, os.getpid(), flush=True)
                os.write(gone, b"1")
                signal.pause()
            os.read(waits, 1)
        elif verb == "background":
            if os.fork() != 0:
                os._exit(0)
        elif verb == "fds":
            print("fds", sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1], flush=True)
        elif verb == "exit":
            os._exit(int(what))
        elif verb == "signal":
            os.kill(os.getpid(), int(what))
    while True:
        time.sleep(0.2)  # a pause would not end for a signal that came the moment before


main()
