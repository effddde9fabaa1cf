"""Enums that survive a vendor's new word. Used by every ``contract/<vendor>``.

A client that meets a word it does not know keeps it (``Region("Mars").known`` is False) and goes on. A server is
strict: inside ``strictly()`` the same enum refuses it.
"""

from __future__ import annotations

import threading
from enum import Enum
from typing import Any


class _Mode(threading.local):
    strict = 0  #: how many ``strictly()`` blocks the thread is in


_mode = _Mode()


class strictly:
    """``with strictly(): decode(...)`` refuses words that are not in the enum. For this thread only."""

    __slots__ = ()

    def __enter__(self) -> None:
        _mode.strict += 1

    def __exit__(self, *_: object) -> None:
        _mode.strict -= 1


class Word(str, Enum):
    """A string enum whose values may grow on the vendor's side."""

    @property
    def known(self) -> bool:
        """Whether this word is one of the declared ones."""
        return type(self).__members__.get(self._name_) is self

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if _mode.strict or not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = value
        word._value_ = value
        return word

    def __str__(self) -> str:
        return str(self._value_)

    # Members compare and hash as their text, so that a kept unknown word equals itself and its text.
    __hash__ = str.__hash__
    __eq__ = str.__eq__
    __ne__ = str.__ne__

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}" if self.known else f"{type(self).__name__}({self._value_!r})"
