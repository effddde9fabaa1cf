"""Fetching a small public document over HTTP. ``inn.py`` hands it to ``google.py``."""

from __future__ import annotations

from collections.abc import Mapping

from .google import Fetched

_MOST_BYTES = 1 << 20
_SECONDS = 10.0


async def fetch(url: str) -> Fetched:
    """Get a URL, in ten seconds at most. Raises when it cannot be had, is not 200, or is larger than a mebibyte."""
    import aiohttp  # only where somebody logs in with Google

    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        answer.raise_for_status()
        body = await answer.content.read(_MOST_BYTES + 1)
        while body and len(body) <= _MOST_BYTES and (more := await answer.content.read(_MOST_BYTES)):
            body += more
        if len(body) > _MOST_BYTES:
            raise ValueError(f"{url} is larger than {_MOST_BYTES} bytes")
        return Fetched(body, max_age(answer.headers))


def max_age(headers: Mapping[str, str]) -> float | None:
    """Seconds for which an answer may be kept, by its ``Cache-Control`` and ``Age``; None where they do not say."""
    for part in headers.get("Cache-Control", "").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "max-age" and value.isdecimal():
            age = headers.get("Age", "0")
            return max(0.0, float(value) - (float(age) if age.isdecimal() else 0.0))
    return None
