"""Where mails are handed in, as one URL. Read by ``settings.py``, which checks it, and by ``accounts/mail.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .errors import Invalid

#: What such a URL looks like, for people.
FORM = "smtp://HOST or smtps://USER:PASSWORD@HOST:PORT"


@dataclass(frozen=True, slots=True)
class Post:
    """Where mails are handed in."""

    host: str
    port: int
    tls: bool  #: from the first byte; else from STARTTLS on, where the other side offers it
    user: str = field(repr=False)
    password: str = field(repr=False)


def read_smtp_url(url: str) -> Post:
    """The parts of ``smtp://`` or ``smtps://``. Raises Invalid, without a word of what may be a password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number
        raise Invalid(f"write {FORM}") from None
    if not host or port == 0 or parts.scheme not in ("smtp", "smtps") or parts.path not in ("", "/"):
        raise Invalid(f"write {FORM}")
    user, tls = unquote(parts.username or ""), parts.scheme == "smtps"
    return Post(host, port or (465 if tls else 587 if user else 25), tls, user, unquote(parts.password or ""))
