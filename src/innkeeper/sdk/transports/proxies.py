"""Which proxy the environment names for a server: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

Pure; asked by the transports over urllib3 and aiohttp once for every server.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_for(origin: str, environ: Mapping[str, str]) -> str | None:
    """The proxy's URL for ``scheme://host[:port]``, or None to go straight there.

    Small letters win over capitals. ``NO_PROXY`` lists hosts, each with those under it and maybe a port, or is ``*``.
    """
    parts = urlsplit(origin)
    names = [f"{parts.scheme}_proxy", "all_proxy"]
    if "REQUEST_METHOD" in environ and parts.scheme == "http":
        # Under CGI this variable can be set by anybody's "Proxy:" header.
        names = ["all_proxy"]
    proxy = next((found for name in names if (found := _either(environ, name))), None)
    if proxy is None or _excepted(parts.hostname or "", parts.port, _either(environ, "no_proxy") or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _either(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name) or environ.get(name.upper()) or None


def _excepted(host: str, port: int | None, listed: str) -> bool:
    for word in listed.lower().split(","):
        name, _, wanted = word.strip().partition(":") if word.count(":") == 1 else (word.strip(), "", "")
        name = name.lstrip("*").lstrip(".") if name != "*" else name
        if name == "*" or (name and (host == name or host.endswith("." + name)) and wanted in ("", str(port))):
            return True
    return False
