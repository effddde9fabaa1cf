"""What can go wrong, in the words of the house. Wings raise these; doors turn them into a vendor's status and body.

The text of each error is read by the person who caused it, so it names the field or thing and says what to do.
"""

from __future__ import annotations


class HouseError(Exception):
    """Anything the house refuses or cannot do. ``str(error)`` is fit to be shown to the caller."""


class Invalid(HouseError):
    """The request is understood but breaks a rule; the text names the field."""


class Unreadable(Invalid):
    """The request could not be read at all: not JSON, cut off, wrongly encoded."""


class TooLarge(Invalid):
    """The request is larger than the house takes."""


class Taken(HouseError):
    """The name or id asked for belongs to something else already."""


class NotFound(HouseError):
    """There is no such thing, or it belongs to somebody else: callers cannot tell which."""


class Unauthorized(HouseError):
    """No valid token, or one without the scope the operation needs."""


class Forbidden(Unauthorized):
    """A valid token, which may not do this."""


class LimitReached(HouseError):
    """A limit of the organisation, or of the machines, does not allow it."""


class RateLimited(HouseError):
    """Too many requests. ``retry_after`` is in seconds."""

    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Gone(HouseError):
    """It was there, and is no longer kept."""


class TimedOut(HouseError):
    """The caller took too long to send its request."""


class Unobtainable(HouseError):
    """Something that is kept elsewhere was named, and cannot be had: an image that its registry refuses."""


class NotSetUp(HouseError):
    """The operator has not set up what this needs; the text names the setting."""


class Unavailable(HouseError):
    """Something the house stands on does not answer now (database, disk). Trying again later may work."""
