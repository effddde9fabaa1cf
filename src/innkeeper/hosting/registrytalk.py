"""Speaks to image registries: who we are is told as each wants to know it. For ``manifests.py`` and ``imagetags.py``.

The protocol is the one that registries share: a question that needs a login is answered with 401 and how to log in,
with the name and the password or with a token that is got for them elsewhere.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from innkeeper.engines.images import RegistryLogin

from .storing.guard import Guard

#: Seconds that a registry has for one answer.
SECONDS = 20.0
#: Of an answer: the largest description of an image that registries have to take.
_MOST_READ = 4 << 20
_PIECE = 1 << 16
#: What the guard answers in place of a server that it does not reach, or may not.
_NO_WAY = 502
#: The kinds of descriptions of images that we read.
KINDS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_PART = re.compile(r'([a-zA-Z]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Heard:
    """What a registry answered."""

    status: int
    challenge: str = ""  #: how it wants to know who asks
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])  #: names in lower case


#: Asks: method, URL, headers, body. Raises ``OSError`` or ``TimeoutError`` where nobody answers.
Ask = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Heard]]
#: Opens a way to ask several questions.
Line = Callable[[], AbstractAsyncContextManager[Ask]]


class Talk:
    """Questions to one registry by one user, or by nobody. A login is told once it is asked for, and then again."""

    def __init__(self, login: RegistryLogin | None, ask: Ask) -> None:
        self._login = login
        self._ask = ask
        self._words: dict[str, str] = {}  #: what worked, by what was to be done and with which images

    async def say(self, method: str, url: str, headers: Mapping[str, str] = {}, body: bytes = b"") -> Heard:
        """An answer; 401 where the registry does not take the login. Raises ``OSError`` or ``TimeoutError``."""
        about = f"{'GET' if method == 'HEAD' else method} {url.partition('/v2/')[2].rpartition('/')[0]}"
        known = self._words.get(about)
        heard = await self._ask(method, url, {**headers, **({"Authorization": known} if known else {})}, body)
        if heard.status != 401:
            return heard
        word = await self._word(heard)
        if isinstance(word, Heard):
            return word
        self._words[about] = word
        return await self._ask(method, url, {**headers, "Authorization": word}, body)

    async def _word(self, heard: Heard) -> str | Heard:
        """What to say of who we are; or the answer that stands, where there is nothing to say."""
        scheme, _, rest = heard.challenge.partition(" ")
        if scheme.lower() == "basic" and self._login is not None:
            return _basic(self._login)
        parts = dict(_PART.findall(rest))
        realm = parts.pop("realm", "")
        if scheme.lower() != "bearer" or urlsplit(realm).scheme not in ("http", "https"):
            return heard
        asked = {name: text for name, text in parts.items() if name in ("service", "scope")}
        more = {} if self._login is None else {"Authorization": _basic(self._login)}
        given = await self._ask("GET", f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}", more, b"")
        if given.status != 200:
            return Heard(401 if given.status in (400, 401, 403) else given.status)
        return f"Bearer {_token(given.body)}"


def _token(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
    return token if isinstance(token, str) else ""


def _basic(login: RegistryLogin) -> str:
    return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode()


@asynccontextmanager
async def registry_line(proxy: str | None = None) -> AsyncGenerator[Ask]:
    """A way to ask over HTTP, which keeps its connections until its end. Answers of a few mebibytes are read."""
    import aiohttp  # only where somebody wishes it

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:

        async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
            try:
                asking = session.request(method, url, headers=dict(headers), data=body or None, proxy=proxy)
                async with asking as answer:
                    read = b""
                    while len(read) < _MOST_READ and (more := await answer.content.read(_PIECE)):
                        read += more
                    said = {name.lower(): value for name, value in answer.headers.items()}
                    return Heard(answer.status, said.get("www-authenticate", ""), read, said)
            except (aiohttp.ClientError, ValueError) as error:
                raise OSError(str(error) or type(error).__name__) from error

        yield ask


def asking_through(guard: Guard, *, anywhere: bool) -> Ask:
    """Asks a registry that a caller has named, and whatever that one names in turn: only at public addresses, unless
    ``anywhere``."""

    async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        host = urlsplit(url).hostname or ""
        async with registry_line(await guard.url(anywhere=anywhere)) as line:
            try:
                heard = await line(method, url, headers, body)
            except OSError as error:
                raise OSError(guard.trouble(host) or str(error)) from None
        if heard.status == _NO_WAY and (trouble := guard.trouble(host)) is not None:
            raise OSError(trouble)
        return heard

    return ask
