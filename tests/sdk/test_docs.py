"""The examples of the documentation run, against a server that answers what they ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .scripted import STARTED, Reply, Seen, Server
from .test_clients import INFO, LOBBY, PORT
from .test_uploads import Store

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-sdk.md"
#: Those of the other API are in ``test_edgegap_docs.py``.
OTHER = "Speak the Edgegap API"
EXAMPLES = re.findall(r"^## (.*?)$|^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def _named() -> list[Any]:
    title, found = "", []
    for heading, code in EXAMPLES:
        if heading:
            title = heading
        elif title != OTHER:
            found.append(pytest.param(code, id=f"{title} {len(found)}"))
    return found


@pytest.mark.parametrize("code", _named())
def test_an_example_runs(code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = Store()
    build: dict[str, Any] = {}

    def answer(seen: Seen) -> Any:
        path = seen.target.partition("?")[0]
        if path == "/builds/v3/builds" or path.startswith("/store/"):
            reply = store._answer(seen)
            if path == "/builds/v3/builds" and isinstance(reply, Reply):
                build.update(reply.body)
            return reply
        ends = {
            "/create": Reply(201, LOBBY if "/lobby/" in path else STARTED),
            "/run": Reply(200, b"unpacked\nready\n", {"Content-Type": "text/plain"}),
            "/builds/bld-1": Reply(200, {**build, "status": "succeeded"}),
            "/process/process-1": Reply(200, b"a line\n", {"Content-Type": "text/plain"}),
            "/no-such-room": Reply(404, {"message": "no such room"}),
            "/login/anonymous": Reply(200, {"token": "player-token"}),
        }
        for end, reply in ends.items():
            if path.endswith(end):
                return reply
        return Reply(204) if "/destroy/" in path else Reply(200, {**INFO, "exposedPort": PORT})

    (tmp_path / "game.tar.gz").write_bytes(b"x" * 1000)
    monkeypatch.chdir(tmp_path)
    with store.server, Server(answer) as server:
        monkeypatch.setenv("INNKEEPER_URL", server.url)
        monkeypatch.setenv("INNKEEPER_TOKEN", "token")
        exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})
        assert server.seen or "Stub" in code
        if "upload_build" in code:
            assert store.parts == {1: b"x" * 1000}
