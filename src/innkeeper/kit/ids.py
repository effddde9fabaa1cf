"""Ids and names made by chance. The source of chance is handed in, so that tests are repeatable."""

from __future__ import annotations

import random
import secrets
import uuid

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class Chance:
    """Random ids. The default source is the operating system's; a seeded one makes a test repeatable."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._random = source or secrets.SystemRandom()

    def uuid(self) -> str:
        """A version-4 UUID in its usual spelling."""
        bits = self._random.getrandbits(128)
        return str(uuid.UUID(int=bits, version=4))

    def base36(self, length: int) -> str:
        """So many lower-case letters and digits."""
        number = self._random.getrandbits(length * 6)
        letters = []
        for _ in range(length):
            number, digit = divmod(number, 36)
            letters.append(BASE36[digit])
        return "".join(letters)

    def hex(self, length: int) -> str:
        """So many hexadecimal digits."""
        return f"{self._random.getrandbits(length * 4):0{length}x}"

    def choice(self, words: tuple[str, ...]) -> str:
        """One of the words."""
        return self._random.choice(words)

    def fraction(self) -> float:
        """A number from 0 up to, not including, 1."""
        return self._random.random()
