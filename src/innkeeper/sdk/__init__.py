"""Typed clients, sync and async, for Innkeeper and the clouds whose APIs it answers.

``from innkeeper.sdk import HathoraCloud`` or ``AsyncHathoraCloud``. Everything here is loaded when it is first used, so
that a program pays for what it takes alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from innkeeper.contract.errors import (
        AnswerUnreadable,
        BadRequest,
        CallError,
        Conflict,
        ConnectionFailed,
        DeadlineExceeded,
        Forbidden,
        Gone,
        Invalid,
        LimitReached,
        NotFound,
        RateLimited,
        RequestTimeout,
        ServerError,
        StatusError,
        Unauthorized,
    )
    from innkeeper.contract.resource import AsyncByteStream, ByteStream, Options, Raw
    from innkeeper.contract.shape import GLOBAL, UNSET
    from innkeeper.kit.retry import NO_RETRY, Backoff

    from .hathora import AsyncHathoraCloud, HathoraCloud
    from .transports.aiohttp import AiohttpTransport
    from .transports.asgi import AsgiTransport, SyncAsgiTransport
    from .transports.httpx import AsyncHttpx2Transport, AsyncHttpxTransport, Httpx2Transport, HttpxTransport
    from .transports.stub import AsyncStub, Stub
    from .transports.urllib3 import Urllib3Transport
    from .waiting import ActiveRoom
    from .webhooks import WebhookRejected, verify_webhook
    from .wire import AsyncTransport, Request, Response, Transport, World

__all__ = [
    "HathoraCloud", "AsyncHathoraCloud", "ActiveRoom", "verify_webhook", "WebhookRejected",
    "GLOBAL", "UNSET", "Backoff", "NO_RETRY", "Options", "Raw", "ByteStream", "AsyncByteStream",
    "CallError", "ConnectionFailed", "DeadlineExceeded", "AnswerUnreadable", "StatusError", "BadRequest",
    "Unauthorized", "LimitReached", "Forbidden", "NotFound", "RequestTimeout", "Conflict", "Gone", "Invalid",
    "RateLimited", "ServerError",
    "Transport", "AsyncTransport", "Request", "Response", "World",
    "Urllib3Transport", "AiohttpTransport", "HttpxTransport", "AsyncHttpxTransport", "Httpx2Transport",
    "AsyncHttpx2Transport", "AsgiTransport", "SyncAsgiTransport", "Stub", "AsyncStub",
]  # fmt: skip

_ERRORS = "innkeeper.contract.errors"
_HOMES = {
    "HathoraCloud": "innkeeper.sdk.hathora",
    "AsyncHathoraCloud": "innkeeper.sdk.hathora",
    "ActiveRoom": "innkeeper.sdk.waiting",
    "verify_webhook": "innkeeper.sdk.webhooks",
    "WebhookRejected": "innkeeper.sdk.webhooks",
    "GLOBAL": "innkeeper.contract.shape",
    "UNSET": "innkeeper.contract.shape",
    "Backoff": "innkeeper.kit.retry",
    "NO_RETRY": "innkeeper.kit.retry",
    "Urllib3Transport": "innkeeper.sdk.transports.urllib3",
    "AiohttpTransport": "innkeeper.sdk.transports.aiohttp",
    "AsgiTransport": "innkeeper.sdk.transports.asgi",
    "SyncAsgiTransport": "innkeeper.sdk.transports.asgi",
    "Stub": "innkeeper.sdk.transports.stub",
    "AsyncStub": "innkeeper.sdk.transports.stub",
    **dict.fromkeys(
        ("HttpxTransport", "AsyncHttpxTransport", "Httpx2Transport", "AsyncHttpx2Transport"),
        "innkeeper.sdk.transports.httpx",
    ),
    **dict.fromkeys(("Transport", "AsyncTransport", "Request", "Response", "World"), "innkeeper.sdk.wire"),
    **dict.fromkeys(("Options", "Raw", "ByteStream", "AsyncByteStream"), "innkeeper.contract.resource"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(_HOMES.get(name, _ERRORS)), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
