"""The kinds of events, and which of them somebody wants. Pure. Used by the whole wing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from innkeeper.kit.errors import Invalid

#: Every kind, with what has happened. The word before the dot is its topic.
KINDS: Mapping[str, str] = {
    "room.opened": "a room was asked for, and has a seat on a server",
    "room.active": "its server runs: players can connect",
    "room.configured": "its config was changed",
    "room.suspended": "it left its server, and can be resumed",
    "room.resumed": "it has a seat on a server again",
    "room.ended": "it is over",
    "server.wanted": "a server was asked for",
    "server.starting": "it has its place on a host",
    "server.running": "it has bound its ports",
    "server.draining": "it serves its rooms to their end, and takes no new ones",
    "server.stopping": "it was told to end",
    "server.stopped": "it has ended",
    "server.failed": "it has ended and was not to, or was never ready",
    "build.created": "a build was made, and waits for what it is made of",
    "build.running": "it is being made ready",
    "build.succeeded": "it can be released",
    "build.failed": "it cannot",
    "build.deleted": "it was deleted",
    "host.added": "a machine was taken in",
    "host.up": "a host answers, and takes servers",
    "host.draining": "it takes no servers any more, and serves those it has to their end",
    "host.silent": "it does not answer",
    "host.lost": "it was silent for too long: its rooms have ended",
    "host.removed": "a machine was let go",
}
TOPICS = tuple(dict.fromkeys(kind.partition(".")[0] for kind in KINDS))
#: What :meth:`Webhooks.test` sends; nothing happened.
TEST = "webhook.test"
ALL = "*"
#: Entries of one list.
_MOST = 50


class Kinds(NamedTuple):
    """Which kinds are wanted: by topic, and one by one. A kind that is not known (yet) has its topic too."""

    words: tuple[str, ...]  #: as they were given: ``room.*``, ``build.failed`` or ``*``

    @staticmethod
    def of(words: Iterable[str] | None) -> Kinds:
        """Those asked for; all for None. Raises Invalid for what can never match, an empty list too."""
        found = EVERY.words if words is None else tuple(dict.fromkeys(words))
        if not found:
            raise Invalid(f"kinds: the list is empty, so that nothing would match; for all write {ALL}")
        if len(found) > _MOST:
            raise Invalid(f"kinds: must have at most {_MOST} entries")
        for word in found:
            if word != ALL and word not in KINDS and word not in _PATTERNS:
                raise Invalid(f"kinds: there is no event {word!r}{_meant(word)}")
        return EVERY if ALL in found else Kinds(found)

    @staticmethod
    def stored(text: str) -> Kinds:
        """The kinds whose :attr:`text` this is."""
        return Kinds(tuple(msgspec.json.decode(text.encode(), type=list[str])))

    @property
    def text(self) -> str:
        """As it is stored."""
        return msgspec.json.encode(self.words).decode()

    @property
    def every(self) -> bool:
        """Whether all are wanted."""
        return ALL in self.words

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of which all are wanted."""
        return tuple(word.removesuffix(".*") for word in self.words if word.endswith(".*"))

    def match(self, kind: str) -> bool:
        """Whether this kind is wanted."""
        return self.every or kind in self.words or f"{topic_of(kind)}.*" in self.words


EVERY = Kinds((ALL,))
_PATTERNS = frozenset(f"{topic}.*" for topic in TOPICS)


def topic_of(kind: str) -> str:
    """The word before the dot."""
    return kind.partition(".")[0]


def _meant(word: str) -> str:
    import difflib  # for those who mistyped alone

    near = difflib.get_close_matches(word, [*KINDS, *_PATTERNS], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there is {ALL}, {', '.join(sorted(_PATTERNS))}, or one kind such as room.ended"
