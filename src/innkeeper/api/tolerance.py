"""What clients of the vendors send and look for that HTTP does not allow, or that an HTTP library changes.

Godot's plugin writes ``Content-Type : application/octet-stream``, with a blank before the colon, and looks for a line
of the answer that begins with ``ETag:``, in these very letters. ``Mender`` takes that blank out of what comes in (used
by ``serving_protocol.py``), ``AsSpelled`` keeps a name's letters in what goes out (used by ``hathora/uploads.py``).
Decided in ``docs/decisions/0009-tolerance.md``.
"""

from __future__ import annotations

from collections.abc import Callable

#: The one beginning of a line that is mended, in the client's own letters, and what the parser is given instead.
WRONG = b"Content-Type :"
RIGHT = b"Content-Type:"
LINE_FEED = 0x0A
#: What a piece ends with that stops inside of ``WRONG``.
UNFINISHED = frozenset(WRONG[:-1])


class Mender:
    """Hands what comes in on a connection to its parser, without the blank in a header's ``Content-Type :``.

    Everything else arrives unchanged and in order, however it was cut into pieces; what the parser refuses stays
    refused. No other name is mended: where a blank before a colon is taken for nothing by one reader and not by
    another, they may disagree on where a request ends, or whose it is (RFC 9112, section 5.1).

    It is needed for a piece that holds ``WRONG`` or ends in ``UNFINISHED``, and then for as long as it holds bytes
    back. ``feed`` gives bytes to the parser and says whether it takes more. ``in_head`` says whether the parser is
    inside of a request's head. The parser alone knows that: it is asked just before the place in question, with all
    before it read. ``after_line_feed``: so ended what the parser was given last.
    """

    __slots__ = ("_after_line_feed", "_feed", "_held", "_in_head")

    def __init__(self, feed: Callable[[bytes], bool], in_head: Callable[[], bool], after_line_feed: bool) -> None:
        self._feed = feed
        self._in_head = in_head
        self._held = b""  # the beginning of a line of a head that may become WRONG
        self._after_line_feed = after_line_feed

    def take(self, data: bytes) -> bool:
        """Give the parser this piece, mended where that is due. Whether its last bytes are held back for the next."""
        data = self._held + data
        self._held = b""
        given = 0
        at = data.find(WRONG)
        while at >= 0:
            if self._begins_line(data, at):
                if at > given and not self._feed(data[given:at]):
                    return False
                if not self._feed(RIGHT if self._in_head() else WRONG):
                    return False
                given = at + len(WRONG)
            at = data.find(WRONG, at + len(WRONG))
        tail = self._tail(data, given)
        if tail > given and not self._feed(data[given:tail]):
            return False
        self._held = data[tail:]
        if self._held and not self._in_head():
            # A head goes on after these bytes, whatever they are; elsewhere nothing more may come.
            self._feed(self._held)
            self._held = b""
        self._after_line_feed = bool(self._held) or data[-1] == LINE_FEED
        return bool(self._held)

    def _begins_line(self, data: bytes, at: int) -> bool:
        return data[at - 1] == LINE_FEED if at else self._after_line_feed

    def _tail(self, data: bytes, given: int) -> int:
        """Where a line begins that ends with the data and is the beginning of WRONG; the data's length if none does."""
        for at in range(max(given, len(data) - len(WRONG) + 1), len(data)):
            if WRONG.startswith(data[at:]) and self._begins_line(data, at):
                return at
        return len(data)


class AsSpelled(bytes):
    """The name of a header of an answer that goes out in these letters.

    Names have no case, so the HTTP server asks each for its small letters and sends those. This one answers itself.
    """

    def lower(self) -> AsSpelled:
        return self
