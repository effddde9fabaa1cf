"""Ids and names made by chance. The source of chance is handed in, so that tests are repeatable.

Ids are made on the hot path, several for each room: random bytes are drawn from the operating system a page at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from weakref import WeakSet

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
#: A letter for each byte. 256 is not a multiple of 36, so four letters come up a seventh more often than the others:
#: a word of 13 loses a tenth of a bit of its 67 by that.
_TO_BASE36 = bytes(ord(BASE36[byte % 36]) for byte in range(256))
_PAGE = 4096
#: The first digit of a UUID's fourth group carries its variant in two bits.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Chance:
    """Random ids. The default source is the operating system's; a seeded ``Random`` makes a test repeatable."""

    def __init__(self, source: Random | None = None) -> None:
        self._draw: Callable[[int], bytes] = os.urandom if source is None else source.randbytes
        self._page = b""
        self._at = 0
        _alive.add(self)

    def forget(self) -> None:
        """Draw anew: a forked child must not make its parent's ids."""
        self._page, self._at = b"", 0

    def _bytes(self, count: int) -> bytes:
        at = self._at
        taken = self._page[at : at + count]
        if len(taken) < count:
            self._page, at = self._draw(_PAGE), 0
            taken = self._page[:count]
        self._at = at + count
        return taken

    def uuid(self) -> str:
        """A version-4 UUID in its usual spelling."""
        digits = self._bytes(16).hex()
        variant = _VARIANT[digits[16]]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def base36(self, length: int) -> str:
        """So many lower-case letters and digits."""
        return self._bytes(length).translate(_TO_BASE36).decode()

    def hex(self, length: int) -> str:
        """So many hexadecimal digits."""
        return self._bytes((length + 1) // 2).hex()[:length]

    def choice(self, words: tuple[str, ...]) -> str:
        """One of the words."""
        return words[int.from_bytes(self._bytes(8), "big") % len(words)]

    def fraction(self) -> float:
        """A number from 0 up to, not including, 1."""
        return (int.from_bytes(self._bytes(8), "big") >> 11) * 2.0**-53


_alive: WeakSet[Chance] = WeakSet()


def _after_fork() -> None:
    for chance in _alive:
        chance.forget()


os.register_at_fork(after_in_child=_after_fork)
