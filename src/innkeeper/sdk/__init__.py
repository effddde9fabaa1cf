"""Typed clients, sync and async, for Innkeeper and the clouds whose APIs it answers.

``from innkeeper.sdk import HathoraCloud`` or ``AsyncHathoraCloud``, ``Edgegap`` or ``AsyncEdgegap``. Everything here
is loaded when it is first used, so that a program pays for what it takes alone.
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
        Unobtainable,
    )
    from innkeeper.contract.resource import AsyncByteStream, ByteStream, Options, Raw
    from innkeeper.contract.shape import GLOBAL, UNSET
    from innkeeper.kit.retry import NO_RETRY, Backoff

    from .edgegap import AsyncEdgegap, Edgegap
    from .edgegap_inside import AsyncInside, Inside
    from .edgegap_waiting import DeploymentFailed, SessionFailed, WaitTimedOut
    from .hathora import AsyncHathoraCloud, HathoraCloud
    from .transports.aiohttp import AiohttpTransport
    from .transports.asgi import AsgiTransport, SyncAsgiTransport
    from .transports.httpx import AsyncHttpx2Transport, AsyncHttpxTransport, Httpx2Transport, HttpxTransport
    from .transports.stub import AsyncStub, Stub
    from .transports.urllib3 import Urllib3Transport
    from .waiting import ActiveRoom
    from .webhooks import WebhookRejected, verify_callback, verify_webhook
    from .wire import AsyncTransport, Request, Response, Transport, World

__all__ = [
    "HathoraCloud", "AsyncHathoraCloud", "ActiveRoom", "verify_webhook", "verify_callback",
    "WebhookRejected",
    "Edgegap", "AsyncEdgegap", "Inside", "AsyncInside", "DeploymentFailed", "SessionFailed", "WaitTimedOut",
    "GLOBAL", "UNSET", "Backoff", "NO_RETRY", "Options", "Raw", "ByteStream", "AsyncByteStream",
    "CallError", "ConnectionFailed", "DeadlineExceeded", "AnswerUnreadable", "StatusError", "BadRequest",
    "Unauthorized", "LimitReached", "Forbidden", "NotFound", "RequestTimeout", "Conflict", "Gone", "Invalid",
    "Unobtainable", "RateLimited", "ServerError",
    "Transport", "AsyncTransport", "Request", "Response", "World",
    "Urllib3Transport", "AiohttpTransport", "HttpxTransport", "AsyncHttpxTransport", "Httpx2Transport",
    "AsyncHttpx2Transport", "AsgiTransport", "SyncAsgiTransport", "Stub", "AsyncStub",
]  # fmt: skip

_ERRORS = "innkeeper.contract.errors"
_HOMES = {
    "HathoraCloud": "innkeeper.sdk.hathora",
    "AsyncHathoraCloud": "innkeeper.sdk.hathora",
    "ActiveRoom": "innkeeper.sdk.waiting",
    "Edgegap": "innkeeper.sdk.edgegap",
    "AsyncEdgegap": "innkeeper.sdk.edgegap",
    **dict.fromkeys(("Inside", "AsyncInside"), "innkeeper.sdk.edgegap_inside"),
    **dict.fromkeys(("DeploymentFailed", "SessionFailed", "WaitTimedOut"), "innkeeper.sdk.edgegap_waiting"),
    "verify_webhook": "innkeeper.sdk.webhooks",
    "verify_callback": "innkeeper.sdk.webhooks",
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
