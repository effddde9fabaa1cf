"""Whether a failed attempt is followed by another, and after how long: pure decisions, called by ``engine.py``.

==============================  =====================================================================
the attempt ended with          another one is made
==============================  =====================================================================
no connection                   always: the server never saw the request
429                             always: the server refused it unseen
503, other 5xx (not 501), 408   when the operation is idempotent, by its method or by an idempotency key
a connection that broke         the same
anything else                   never
==============================  =====================================================================

``Backoff.tries`` bounds the attempts; ``Backoff.connection_errors`` switches the connection rows. ``Retry-After`` is
waited for in full; one longer than ``Backoff.retry_after_most`` or than the call's time is a failure at once.
"""

from __future__ import annotations

from innkeeper.contract.errors import CallError, ConnectionFailed, StatusError
from innkeeper.kit.retry import Backoff


def mends(failure: CallError, *, connection_errors: bool, safe: bool) -> bool:
    """Whether another attempt could succeed and cannot do harm. ``safe``: the request may be carried out twice."""
    if isinstance(failure, ConnectionFailed):
        return connection_errors and (safe or not failure.sent)
    if isinstance(failure, StatusError):
        status = failure.status
        return status == 429 or (safe and (status == 408 or (status >= 500 and status != 501)))
    return False


def wait_after(
    failure: CallError, attempt: int, backoff: Backoff, *, safe: bool, left: float | None, chance: float
) -> float | None:
    """Seconds to wait before the next attempt, or None to give up with this failure.

    ``attempt`` counts from 1; ``left`` is the time the call still has (None: no deadline); ``chance`` is in [0, 1).
    """
    if attempt >= backoff.tries or not mends(failure, connection_errors=backoff.connection_errors, safe=safe):
        return None
    asked = failure.retry_after if isinstance(failure, StatusError) else None
    if asked is not None and asked > backoff.retry_after_most:
        return None
    wait = backoff.delay(attempt, chance) if asked is None else asked
    return None if left is not None and wait >= left else wait


def retry_after(header: str | None, date: float) -> float | None:
    """The seconds a ``Retry-After`` header asks for, as a number or as an HTTP date; None when it says neither.

    ``date`` is the Unix time now. A date that has passed means 0.
    """
    if not header:
        return None
    text = header.strip()
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, date)
    return seconds if 0 <= seconds < float("inf") else None


def _until(text: str, date: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - date)
    except (ValueError, TypeError, OverflowError):
        return None
